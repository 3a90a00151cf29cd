// The screen's one promise: it changes no digit. Random problems of every kind, at random prices, at prices
// near the edge of every fee, and at the engine's own.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certifyBound, certifyLoops } from '../../solver/certificate/bound.ts';
import { NOTHING, screenVenues, UNCAPPED } from '../../solver/certificate/screen.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { formatFixed36 } from '../../solver/market/decimal.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { DualPrices, Solution } from '../../solver/types/problem.ts';
import { type Random, seeded } from '../market/helpers/random.ts';
import { KINDS, randomPrices, randomProblem } from './helpers/problems.ts';

const PROBLEMS = 200;
const engine = createEngine(readFileSync('.build/trimtab.wasm'));

function solved(problem: ParsedProblem): Solution | null {
  try {
    return engine.solve(problem);
  } catch (error) {
    if (error instanceof InvalidInput) return null;
    throw error;
  }
}

/** Multiples of the order's worth that a venue may take in: some bind, some do not, some nearly do. */
const CAPS = ['0.00001', '0.001', '0.03', '0.4', '1.05', '30'];
const withCap = ({ source }: ParsedProblem, venueInputCap = '1'): ParsedProblem =>
  parseProblem({ ...source, settings: { ...source.settings, venueInputCap } });

/** Prices at which some pool is indifferent, but for the last places of a double. */
function edgePrices(random: Random, problem: ParsedProblem, from: DualPrices): DualPrices {
  const pools = problem.venues.filter(({ kind }) => kind === 'constantProduct');
  const pool = pools[random.int(0, Math.max(0, pools.length - 1))];
  if (pool?.kind !== 'constantProduct') return from;
  const [a, b] = pool.nodes.map((node) => problem.nodes[node]);
  if (a === undefined || b === undefined) return from;
  const [first, second] = pool.reserves;
  const scale = 10n ** 36n;
  const kept = BigInt(1_000_000 - pool.feePips);
  // ν_a = ν_b · R_b γ / R_a per base unit, nudged by up to 10^−10 either way.
  const worth = (scale * second * kept * 10n ** BigInt(a.decimals)) / (first * 1_000_000n);
  const price = worth / 10n ** BigInt(b.decimals);
  const nudge = 10n ** BigInt(random.int(10, 20));
  const nudged = price + (random.int(0, 1) === 0 ? price / nudge : -price / nudge);
  if (nudged <= 0n || nudged >= 10n ** 60n) return from;
  return { ...from, [b.id]: '1', [a.id]: formatFixed36(nudged as never) };
}

describe('screenVenues', () => {
  it(`property: ${PROBLEMS} problems, every bound is the same to the last digit without it`, () => {
    const random = seeded('screen');
    const marked = [0, 0, 0];
    let venues = 0;
    for (let k = 0; k < PROBLEMS; k++) {
      const problem = randomProblem(random, KINDS[k % KINDS.length] ?? 'swap');
      const solution = solved(problem);
      const tried = [0.0001, 0.005, 0.1, 3].map((spread) => randomPrices(random, problem, spread));
      tried.push(...tried.map((prices) => edgePrices(random, problem, prices)));
      if (solution !== null) tried.push(solution.prices, solution.loopPrices ?? solution.prices);
      const counted: typeof screenVenues = (list, nu, caps) => {
        const marks = screenVenues(list, nu, caps);
        venues += marks.length;
        for (const mark of marks) marked[mark] = (marked[mark] ?? 0) + 1;
        return marks;
      };
      for (const prices of tried) {
        const plain = certifyBound(problem, prices);
        expect(certifyBound(problem, prices, undefined, counted)).toBe(plain);
        expect(certifyLoops(problem, prices, counted)).toBe(certifyLoops(problem, prices));
        const capped = withCap(problem, CAPS[k % CAPS.length]);
        const within = certifyBound(capped, prices);
        expect(certifyBound(capped, prices, undefined, counted)).toBe(within);
      }
      if (solution?.branches === undefined) continue;
      const plain = certifyBound(problem, solution.prices, solution.branches);
      const screened = certifyBound(problem, solution.prices, solution.branches, counted);
      expect(screened).toBe(plain);
    }
    expect((marked[NOTHING] ?? 0) / venues).toBeGreaterThan(0.03);
    expect((marked[UNCAPPED] ?? 0) / venues).toBeGreaterThan(0.03);
  });
});
