// Seeded families of small problems for differential tests: what generate.ts and chains.ts of the
// engine's tests draw, by name and number, so that a report names a case anybody can draw again.

import type { Objective, Problem, ProblemNode, ProblemVenue } from '../../solver/types/problem.ts';
import { chainsProblem } from '../engine/chains.ts';
import {
  decimal,
  generate,
  type Mix,
  type Random,
  random,
  SMOOTH,
  units,
} from '../engine/generate.ts';
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

const WAD = 10n ** 18n;

interface Token {
  readonly id: string;
  readonly decimals: number;
  /** Dollars per whole token. */
  readonly price: number;
}

/** Swaps and rebalances over weighted and stable pools among constant-product ones. */
export function poolsCase(seed: number): Case {
  const rng = random(seed ^ 0x9d2c5680);
  const count = rng.integer(3, 7);
  const tokens = Array.from({ length: count }, (_, i): Token => {
    // The first few are dollars, so that stable pools have something to hold.
    const price = i < 3 ? 1 : Number((10 ** rng.between(-2, 4)).toPrecision(6));
    return { id: `1:T${i}`, decimals: rng.pick([6, 8, 18]), price };
  });
  const depth = 10 ** rng.between(5, 7);
  const venues: ProblemVenue[] = [];
  for (let i = 1; i < count; i++) {
    const other = tokens[rng.integer(0, i - 1)] as Token;
    venues.push(pair(rng, `p${i}`, [other, tokens[i] as Token], depth * rng.between(0.2, 1)));
  }
  const pools = rng.integer(1, 3);
  for (let k = 0; k < pools; k++) {
    const worth = depth * rng.between(0.2, 2);
    if (rng.next() < 0.5) {
      venues.push(weightedPool(rng, `w${k}`, several(rng, tokens, Math.min(count, 4)), worth));
    } else {
      venues.push(stablePool(rng, `s${k}`, tokens.slice(0, rng.integer(2, 3)), worth));
    }
  }
  const worth = depth * 10 ** rng.between(-4, -0.3);
  const problem: Problem = {
    version: 1,
    nodes: tokens.map(({ id, decimals, price }) => ({
      id,
      asset: id.slice(2),
      chain: 1,
      decimals,
      price: decimal(price),
    })),
    venues,
    objective: rng.next() < 0.6 ? swapOf(rng, tokens, worth) : portfolioOf(rng, tokens, worth),
  };
  const grain = Math.max(...tokens.map(({ price, decimals }) => price / 10 ** decimals));
  return { name: `pools ${seed}`, problem, grain };
}

const whole = ({ price, decimals }: Token, dollars: number): string =>
  units((dollars / price) * 10 ** decimals).toString();

function several(rng: Random, tokens: readonly Token[], most: number): Token[] {
  const chosen = tokens
    .map((token) => ({ token, key: rng.next() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, rng.integer(2, most));
  return chosen.map(({ token }) => token);
}

/** Off the agreed price by less than half the fee: no loop earns. */
const off = (rng: Random, fee: number): number => Math.exp(rng.between(-0.4, 0.4) * fee);

function pair(rng: Random, id: string, [a, b]: readonly [Token, Token], worth: number) {
  const feePips = rng.pick([500, 3000]);
  const reserves = [whole(a, worth), whole(b, worth * off(rng, feePips / 1e6))] as const;
  const nodes = [a.id, b.id] as const;
  return { id, kind: 'constantProduct' as const, nodes, reserves, feePips, fixedCost: '0' };
}

function weightedPool(rng: Random, id: string, tokens: readonly Token[], worth: number) {
  const parts = tokens.map(() => rng.integer(10, 60));
  const sum = parts.reduce((a, b) => a + b, 0);
  const weights = parts.map((part) => (BigInt(part) * WAD) / BigInt(sum));
  weights[0] = (weights[0] as bigint) + WAD - weights.reduce((a, b) => a + b, 0n);
  const fee = rng.pick([0.001, 0.003, 0.01]);
  return {
    id,
    kind: 'weighted' as const,
    nodes: tokens.map((token) => token.id),
    balances: tokens.map((token, i) =>
      whole(token, worth * ((parts[i] as number) / sum) * off(rng, fee)),
    ),
    weights: weights.map(String),
    scalingFactors: tokens.map(({ decimals }) => (10n ** BigInt(36 - decimals)).toString()),
    swapFee: units(fee * 1e18).toString(),
    fixedCost: '0',
  };
}

function stablePool(rng: Random, id: string, tokens: readonly Token[], worth: number) {
  const fee = rng.pick([0.0001, 0.0004, 0.001]);
  const amplification = rng.integer(20, 2000);
  // Around the peg an imbalance of x moves the price by about x/A.
  const lean = Math.min(0.5, 0.3 * fee * amplification);
  return {
    id,
    kind: 'stable' as const,
    nodes: tokens.map((token) => token.id),
    balances: tokens.map((token) => whole(token, worth * Math.exp(rng.between(-lean, lean)))),
    amplification: String(amplification * 1000),
    amplificationPrecision: '1000',
    scalingFactors: tokens.map(({ decimals }) => (10n ** BigInt(36 - decimals)).toString()),
    swapFee: units(fee * 1e18).toString(),
    fixedCost: '0',
  };
}

function swapOf(rng: Random, tokens: readonly Token[], worth: number): Objective {
  const [sold, bought] = several(rng, tokens, 2) as [Token, Token];
  return {
    kind: 'swap',
    sell: { node: sold.id, amount: whole(sold, worth) },
    buy: bought.id,
  };
}

function portfolioOf(rng: Random, tokens: readonly Token[], worth: number): Objective {
  const holders = several(rng, tokens, tokens.length);
  const targets = several(rng, tokens, tokens.length);
  const parts = targets.map(() => rng.integer(5, Math.floor(90 / tokens.length)));
  parts[0] = 100 - parts.slice(1).reduce((a, b) => a + b, 0);
  const inTarget = new Set(targets);
  // Someone in a target must hold something.
  const held = [...new Set([...holders.filter((one) => inTarget.has(one)), targets[0] as Token])];
  return {
    kind: 'rebalance',
    holdings: Object.fromEntries(held.map((one) => [one.id, whole(one, worth / held.length)])),
    targets: targets.map(({ id }, g) => ({
      nodes: [id],
      weight: `0.${String(parts[g]).padStart(2, '0')}`,
    })),
  };
}

/** Rebalances with a tracking error: covariances of random rank, now and then singular. */
export function riskCase(seed: number): Case {
  const rng = random(seed ^ 0x3c6ef372);
  const mix: Mix = { ...SMALL, size: [-6, 0], linear: rng.pick([0, 0.3]) };
  const { problem, grain } = generate(seed, mix, 'rebalance');
  const { objective } = problem;
  if (objective.kind !== 'rebalance') throw new Error('a rebalance was asked for');
  const targets = objective.targets.length;
  // Σ = LL′ with decimals few enough to be exact, hence positive semidefinite.
  const L = Array.from({ length: targets }, () =>
    Array.from({ length: rng.integer(1, targets) }, () => rng.integer(-60, 90)),
  );
  const covariance = L.map((a) =>
    L.map((b) =>
      decimalOf(
        a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0),
        4,
      ),
    ),
  );
  const aversion = decimal(Number((10 ** rng.between(-2, 2)).toPrecision(3)));
  const risk = { aversion, covariance };
  return {
    name: `risk ${seed}`,
    grain,
    problem: { ...problem, objective: { ...objective, risk } },
  };
}

function decimalOf(integer: number, places: number): string {
  const digits = String(Math.abs(integer)).padStart(places + 1, '0');
  return `${integer < 0 ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** Batches: orders both ways at limits around the pools' price, a third of them fill-or-kill. */
export function batchCase(seed: number): Case {
  const rng = random(seed ^ 0x510e527f);
  const { problem, grain } = generate(seed, { ...SMALL, linear: rng.pick([0, 0.2]) }, 'swap');
  if (problem.objective.kind !== 'swap') throw new Error('a swap was asked for');
  const { nodes } = problem;
  const prices = nodes.map(({ price, decimals }) => Number(price) / 10 ** decimals);
  const size = 10 ** rng.between(1, 6);
  const orders = Array.from({ length: rng.integer(2, 10) }, (_, k) => {
    const sell = rng.integer(0, nodes.length - 1);
    const buy = (sell + rng.integer(1, nodes.length - 1)) % nodes.length;
    const worth = size * rng.between(0.1, 1);
    const limit = worth * (1 - rng.between(-0.005, 0.02));
    return {
      id: `o${k}`,
      sell: {
        node: (nodes[sell] as ProblemNode).id,
        amount: units(worth / (prices[sell] as number)).toString(),
      },
      buy: (nodes[buy] as ProblemNode).id,
      minOut: units(limit / (prices[buy] as number)).toString(),
      partial: rng.next() < 0.67,
    };
  });
  return {
    name: `batch ${seed}`,
    grain,
    problem: { ...problem, objective: { kind: 'batch', orders } },
  };
}
