// The bound's promise: for any positive dual prices, no executable plan is worth more. And its
// worth: at good dual prices it is close to the best plan there is.

import { describe, expect, it } from 'vitest';
import { certifyBound, dualBound } from '../../solver/certificate/bound.ts';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { type Fixed36, fixed36, formatFixed36, parseFixed36 } from '../../solver/market/decimal.ts';
import { exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import { type Random, randomFrom, seeded } from '../market/helpers/random.ts';
import { emptyPlan, type Plan, planWorth, randomPlan } from './helpers/plans.ts';
import { KINDS, randomPrices, randomProblem } from './helpers/problems.ts';

const PROBLEMS = 40;

const worthOf = (problem: ParsedProblem, legs: Plan['legs']) => planWorth(problem, { legs });

/** Pattern search in log prices: good dual prices without the optimizer. */
function improvePrices(problem: ParsedProblem, start: readonly Fixed36[], steps: number) {
  let best = [...start];
  let bound = dualBound(problem, best);
  let stride = 200_000; // of 10^6
  for (let step = 0; step < steps && stride > 0; step++) {
    let improved = false;
    for (let i = 0; i < best.length; i++) {
      for (const sign of [1, -1]) {
        const factor = BigInt(1_000_000 + sign * stride);
        const trial = best.map((price, j) =>
          i === j ? fixed36((price * factor) / 1_000_000n || 1n) : price,
        );
        const value = dualBound(problem, trial);
        if (value < bound) {
          [best, bound] = [trial, value];
          improved = true;
        }
      }
    }
    if (!improved) stride = Math.floor(stride / 3);
  }
  return best;
}

const asText = (problem: ParsedProblem, prices: readonly Fixed36[]) =>
  Object.fromEntries(
    problem.nodes.map(({ id }, i) => [id, formatFixed36(prices[i] ?? fixed36(1n))]),
  );

function plansOf(random: Random, problem: ParsedProblem, count: number): bigint {
  let best = planWorth(problem, emptyPlan(problem));
  for (let i = 0; i < count; i++) {
    const value = planWorth(problem, randomPlan(random, problem));
    if (value > best) best = value;
  }
  return best;
}

describe('certifyBound', () => {
  for (const kind of KINDS) {
    it(`property: ${kind}: no random plan beats it at random or improved prices`, () => {
      const random = seeded(`bound ${kind}`);
      for (let i = 0; i < PROBLEMS; i++) {
        const problem = randomProblem(random, kind);
        const best = plansOf(random, problem, 30);
        for (const spread of [0, 0.02, 0.3, 5, 40]) {
          const prices = randomPrices(random, problem, spread);
          expect(certifyBound(problem, prices)).toBeGreaterThanOrEqual(best);
        }
        const near = randomPrices(random, problem, 0.02);
        const start = problem.nodes.map(({ id }) => parseFixed36(near[id] ?? '1'));
        const improved = improvePrices(problem, start, 8);
        expect(certifyBound(problem, asText(problem, improved))).toBeGreaterThanOrEqual(best);
      }
    });
  }

  it('behavior: meets the best split over two pools found by brute force', () => {
    const problem = parseProblem(twoPools());
    const plan = (first: bigint) => {
      const legs = [first, 10n ** 20n - first].flatMap((amount, i) =>
        amount === 0n ? [] : [legOf(problem, `p${i}`, amount)],
      );
      return worthOf(problem, legs);
    };
    let low = 0n;
    let high = 10n ** 20n;
    while (high - low > 3n) {
      const third = (high - low) / 3n;
      if (plan(low + third) < plan(high - third)) low += third;
      else high -= third;
    }
    const best = plan(low);
    const start = problem.nodes.map(({ price }) => price ?? fixed36(1n));
    const prices = improvePrices(problem, start, 200);
    const bound = certifyBound(problem, asText(problem, prices));
    expect(bound).toBeGreaterThanOrEqual(best);
    // 0.01 bp of about 300,000 dollars.
    expect(Number(bound - best) / Number(best)).toBeLessThan(1e-6);
  });

  it('behavior: a venue whose fixed cost eats its profit adds nothing', () => {
    const cheap = parseProblem(twoPools('0'));
    const dear = parseProblem(twoPools('1000000000'));
    const prices = { '1:A': '2000', '1:B': '1' };
    // Without any usable venue the bound is what is sold, at its dual price.
    expect(dualBound(dear, [parseFixed36('2000'), parseFixed36('1')])).toBe(200_000n * 10n ** 72n);
    expect(certifyBound(dear, prices)).toBeLessThan(certifyBound(cheap, prices));
  });

  it('behavior: depends on every price, also on one that moves nothing', () => {
    const base = twoPools();
    const problem = parseProblem({
      ...base,
      nodes: [...base.nodes, { id: '9:IDLE', asset: 'IDLE', chain: 9, decimals: 18 }],
    });
    const prices = { '1:A': '3000', '1:B': '1', '9:IDLE': '7' };
    const bound = certifyBound(problem, prices);
    expect(certifyBound(problem, { ...prices, '9:IDLE': '7.000000000000000001' })).not.toBe(bound);
    expect(certifyBound(problem, { ...prices, '9:IDLE': '7.0' })).toBe(bound);
  });

  it('behavior: prices outside the conjugate’s domain are raised, never trusted', () => {
    const random = randomFrom(11);
    for (const kind of KINDS) {
      const problem = randomProblem(random, kind);
      const tiny = Object.fromEntries(problem.nodes.map(({ id }) => [id, '0.000000000000000001']));
      expect(certifyBound(problem, tiny)).toBeGreaterThanOrEqual(plansOf(random, problem, 50));
    }
  });

  it('error: refuses missing, unknown, zero and negative prices by pointer', () => {
    const problem = parseProblem(twoPools());
    const pointerOf = (prices: Record<string, string>) => {
      try {
        certifyBound(problem, prices);
        return 'accepted';
      } catch (error) {
        if (error instanceof InvalidInput) return error.pointer;
        throw error;
      }
    };
    expect(pointerOf({ '1:A': '3000' })).toBe('/prices/1:B');
    expect(pointerOf({ '1:A': '3000', '1:B': '1', 'a/b': '1' })).toBe('/prices/a~1b');
    expect(pointerOf({ '1:A': '0', '1:B': '1' })).toBe('/prices/1:A');
    expect(pointerOf({ '1:A': '-1', '1:B': '1' })).toBe('/prices/1:A');
    expect(pointerOf({ '1:A': '1e3', '1:B': '1' })).toBe('/prices/1:A');
  });

  it('behavior: the risk bound is tight where trading is free', () => {
    // One deep fee-free pool: the best plan moves to w exactly, and ν = p proves it.
    const problem = parseProblem({
      ...twoPools(),
      venues: [
        {
          id: 'p0',
          kind: 'order',
          nodes: ['1:A', '1:B'],
          amountIn: (10n ** 24n).toString(),
          amountOut: (3000n * 10n ** 12n).toString(),
          fixedCost: '0',
        },
      ],
      objective: {
        kind: 'rebalance',
        holdings: { '1:A': (10n ** 20n).toString() },
        targets: [
          { nodes: ['1:A'], weight: '0.5' },
          { nodes: ['1:B'], weight: '0.5' },
        ],
        risk: {
          aversion: '0.1',
          covariance: [
            ['0.5', '0.1'],
            ['0.1', '0.2'],
          ],
        },
      },
    });
    const legs = [legOf(problem, 'p0', 5n * 10n ** 19n)];
    const prices = { '1:A': '3000', '1:B': '1' };
    const result = evaluate(problem, { status: 'solved', legs, prices }, `0x${'00'.repeat(32)}`);
    expect(Number(result.gapBps)).toBeLessThan(1e-6);
  });
});

function twoPools(fixedCost = '0') {
  const pool = (id: string, a: bigint, b: bigint, feePips: number) => ({
    id,
    kind: 'constantProduct' as const,
    nodes: ['1:A', '1:B'] as const,
    reserves: [a.toString(), b.toString()] as const,
    feePips,
    fixedCost,
  });
  return {
    version: 1 as const,
    nodes: [
      { id: '1:A', asset: 'A', chain: 1, decimals: 18, price: '3000' },
      { id: '1:B', asset: 'B', chain: 1, decimals: 6, price: '1' },
    ],
    venues: [
      pool('p0', 10n ** 21n, 3n * 10n ** 12n, 3000),
      pool('p1', 4n * 10n ** 21n, 11_980n * 10n ** 9n, 500),
    ],
    objective: {
      kind: 'swap' as const,
      sell: { node: '1:A', amount: (10n ** 20n).toString() },
      buy: '1:B',
    },
  };
}

function legOf(problem: ParsedProblem, venue: string, amount: bigint) {
  const index = problem.venueIndex.get(venue) ?? -1;
  const found = problem.venues[index];
  if (!found) throw new Error('no such venue');
  const out = exactOut(found, 0, 1, amount);
  if (typeof out !== 'bigint') throw new Error(out.message);
  return {
    venue,
    in: { node: '1:A', amount: amount.toString() },
    out: { node: '1:B', amount: out.toString() },
  };
}
