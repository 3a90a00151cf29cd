// Seeded families of small problems for differential tests: what generate.ts and chains.ts of the
// engine's tests draw, by name and number, so that a report names a case anybody can draw again.

import type { Problem } from '../../solver/types/problem.ts';
import { chainsProblem } from '../engine/chains.ts';
import { generate, type Mix, random, SMOOTH } from '../engine/generate.ts';
import type { Case } from './compare.ts';

const SMALL: Mix = { ...SMOOTH, nodes: [2, 6], venuesPerNode: [1, 3], unitsPerDollar: [12, 24] };

/** Convex families: every answer is the optimum, or short of it by a reported gap. */
export type Convex = 'smoothSwap' | 'linearSwap' | 'smoothPortfolio' | 'linearPortfolio';

export function convexCase(family: Convex, seed: number): Case {
  const rng = random(seed ^ 0x5bd1e995);
  const linear = family.startsWith('linear') ? rng.between(0.1, 0.6) : 0;
  const kind = family.endsWith('Swap') ? 'swap' : 'rebalance';
  return { name: `${family} ${seed}`, ...generate(seed, { ...SMALL, linear }, kind) };
}

/** Rebalances over three chains: bridges with fixed fees, venues and transactions with fixed costs. */
export function chainsCase(seed: number): Case {
  const rng = random(seed ^ 0x2545f491);
  const options = {
    pools: rng.integer(2, 6),
    bridges: rng.integer(1, 4),
    worth: 10 ** rng.between(2, 6),
    ...(rng.next() < 0.7 ? { cap: '1.05' } : {}),
  };
  // A satoshi is the coarsest unit: 6e-4 dollars.
  return { name: `chains ${seed}`, problem: chainsProblem(seed, options), grain: 6e-4 };
}

/** Swaps over pools and orders that all cost gas. */
export function gasCase(seed: number): Case {
  const rng = random(seed ^ 0x6c078965);
  const mix: Mix = { ...SMALL, size: [-5, 0], linear: rng.pick([0, 0.3]), fixedCost: 1 };
  const drawn = generate(seed, mix, 'swap');
  return { name: `gas ${seed}`, problem: capped(drawn.problem), grain: drawn.grain };
}

const capped = (problem: Problem): Problem => ({
  ...problem,
  settings: { ...problem.settings, venueInputCap: '1.05' },
});
