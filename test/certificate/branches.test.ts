// Bounds by cases: true under every split, equal to the plain bound where no case has prices of its
// own, smaller where it has; and every way of bending a tree.

import { describe, expect, test } from 'vitest';
import { certifyBound, certifyLoops, dualBound } from '../../solver/certificate/bound.ts';
import { FREE, leavesOf } from '../../solver/certificate/branches.ts';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { largerOf } from '../../solver/market/decimal.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { parseResult, parseResultText } from '../../solver/market/resultFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { BoundTree, DualPrices, Problem, ProblemResult } from '../../solver/types/problem.ts';
import { type Random, seeded } from '../market/helpers/random.ts';
import { bestPlan } from './helpers/plans.ts';
import { KINDS, randomPrices, randomProblem } from './helpers/problems.ts';

const ENGINE = `0x${'00'.repeat(32)}`;

/** A random tree over what the problem has, `pricesOf` at its leaves. */
function randomTree(
  random: Random,
  problem: ParsedProblem,
  pricesOf: () => DualPrices,
  depth: number,
): BoundTree {
  const { objective, groups, venues } = problem;
  const orders = objective.kind === 'batch' ? objective.orders.filter((o) => !o.partial) : [];
  const names = [
    ...venues.map(({ id }) => ({ venue: id })),
    ...groups.map(({ id }) => ({ group: id })),
    ...orders.map(({ id }) => ({ order: id })),
  ];
  const build = (left: typeof names, levels: number): BoundTree => {
    if (levels === 0 || left.length === 0 || random.chance(0.2)) return { prices: pricesOf() };
    const name = random.pick(left);
    const rest = left.filter((other) => other !== name);
    return { ...name, used: build(rest, levels - 1), unused: build(rest, levels - 1) } as BoundTree;
  };
  return build(names, depth);
}

/** A swap too small for its better, dearer venue, whose cost one price vector spreads over its capacity. */
function dearBridge(): Problem {
  const node = (id: string) => ({ id, asset: id, chain: 1, decimals: 6, price: '1' });
  const order = (id: string, amountIn: string, amountOut: string, fixedCost: string) => ({
    id,
    kind: 'order' as const,
    nodes: ['a', 'b'] as const,
    amountIn,
    amountOut,
    fixedCost,
  });
  return {
    version: 1,
    nodes: [node('a'), node('b')],
    venues: [
      order('dear', '100000000', '99900000', '0.3'),
      order('cheap', '10000000', '9900000', '0'),
    ],
    objective: { kind: 'swap', sell: { node: 'a', amount: '10000000' }, buy: 'b' },
  };
}

describe('branches', () => {
  test('property: no plan found by trying exceeds a random tree at random prices', () => {
    const random = seeded('trees');
    for (let i = 0; i < 120; i++) {
      const problem = randomProblem(random, random.pick(KINDS));
      const best = bestPlan(random, problem, 25);
      for (const spread of [0.02, 0.5]) {
        const tree = randomTree(random, problem, () => randomPrices(random, problem, spread), 4);
        const prices = randomPrices(random, problem, spread);
        expect(certifyBound(problem, prices, tree)).toBeGreaterThanOrEqual(best);
      }
    }
  });

  test('property: with the same prices at every leaf the cases are the plain bound, exactly', () => {
    const random = seeded('partition');
    for (let i = 0; i < 150; i++) {
      const problem = randomProblem(random, random.pick(KINDS));
      const prices = randomPrices(random, problem, 0.05);
      const leaves = leavesOf(
        problem,
        randomTree(random, problem, () => prices, 5),
      );
      const bounds = leaves.map((leaf) => dualBound(problem, leaf.prices, leaf.fixings));
      expect(bounds.reduce(largerOf, bounds[0] ?? 0n)).toBe(
        dualBound(problem, leaves[0]?.prices ?? [], FREE),
      );
    }
  });

  test('behavior: proves what one price vector cannot, and verify recomputes it', () => {
    const problem = parseProblem(dearBridge());
    // Used at ν = 0.999: 9.99 − 0.3 and nothing of the other. Unused at 0.99: 9.9.
    const branches: BoundTree = {
      venue: 'dear',
      used: { prices: { a: '0.999', b: '1' } },
      unused: { prices: { a: '0.99', b: '1' } },
    };
    const legs = [
      {
        venue: 'cheap',
        in: { node: 'a', amount: '10000000' },
        out: { node: 'b', amount: '9900000' },
      },
    ];
    const prices = { a: '0.99', b: '1' };
    const result = evaluate(problem, { status: 'solved', legs, prices, branches }, ENGINE);
    expect(result.branches).toEqual(branches);
    expect(result.bound).toMatch(/^9\.900000000000/);
    expect(verify(problem, parseResult(JSON.parse(JSON.stringify(result))))).toEqual({ ok: true });
    const { branches: _, ...plain } = result;
    expect(codes(problem, plain)).toContain('bound');
    // A tree that proves no less is not published.
    const same = { venue: 'dear', used: { prices }, unused: { prices } };
    const without = evaluate(problem, { status: 'solved', legs, prices, branches: same }, ENGINE);
    expect(without.branches).toBeUndefined();
  });

  test('error: rejects a bent tree', () => {
    const problem = parseProblem(dearBridge());
    const leaf = (a: string): BoundTree => ({ prices: { a, b: '1' } });
    const tree = { venue: 'dear', used: leaf('0.999'), unused: leaf('0.99') };
    const solution = { status: 'noRoute', legs: [], prices: { a: '2', b: '1' } } as const;
    const result = evaluate(problem, { ...solution, branches: tree }, ENGINE);
    expect(verify(problem, result)).toEqual({ ok: true });
    const bent = (branches: BoundTree) => codes(problem, { ...result, branches });
    expect(bent({ ...tree, used: leaf('0.9990000001') })).toContain('bound');
    expect(bent({ ...tree, used: tree.unused, unused: tree.used })).toContain('bound');
    expect(bent({ ...tree, venue: 'cheap' })).toContain('bound');
    expect(bent({ ...tree, venue: 'nowhere' })).toContain('branches');
    expect(bent({ group: 'dear', used: tree.used, unused: tree.unused })).toContain('branches');
    expect(bent({ order: 'dear', used: tree.used, unused: tree.unused })).toContain('branches');
    expect(bent({ ...tree, used: { prices: { a: '1' } } })).toContain('branches');
    expect(bent({ ...tree, used: tree })).toContain('branches');
    const pointerOf = (branches: BoundTree) => {
      try {
        leavesOf(problem, branches);
        return 'accepted';
      } catch (error) {
        if (error instanceof InvalidInput) return error.pointer;
        throw error;
      }
    };
    expect(pointerOf({ ...tree, unused: tree })).toBe('/branches/unused/venue');
    expect(pointerOf({ ...tree, used: { prices: { a: '1', b: '0' } } })).toBe(
      '/branches/used/prices/b',
    );
  });

  test('error: the reader refuses trees too wide, too deep or of another shape', () => {
    const problem = parseProblem(dearBridge());
    const result = evaluate(
      problem,
      { status: 'noRoute', legs: [], prices: { a: '2', b: '1' } },
      ENGINE,
    );
    const pointerOf = (branches: unknown) => {
      try {
        parseResult({ ...result, branches });
        return 'accepted';
      } catch (error) {
        if (error instanceof InvalidInput) return error.pointer;
        throw error;
      }
    };
    const leaf = { prices: { a: '1', b: '1' } };
    const wide = (levels: number): unknown =>
      levels === 0 ? leaf : { venue: 'dear', used: wide(levels - 1), unused: wide(levels - 1) };
    const deep = (levels: number): unknown =>
      levels === 0 ? leaf : { venue: 'dear', used: leaf, unused: deep(levels - 1) };
    expect(pointerOf(wide(8))).toBe('accepted');
    expect(pointerOf(wide(9))).toMatch(/^\/branches\/unused/);
    expect(pointerOf(deep(64))).toBe('accepted');
    // As text too: the JSON reader has a depth of its own.
    const text = JSON.stringify({ ...result, branches: deep(64) });
    expect(parseResultText(text).branches).toEqual(deep(64));
    expect(pointerOf(deep(65))).toBe(`/branches${'/unused'.repeat(64)}`);
    expect(pointerOf({})).toBe('/branches');
    expect(pointerOf({ venue: 'v', used: leaf })).toBe('/branches/unused');
    expect(pointerOf({ ...leaf, venue: 'v' })).toBe('/branches/venue');
    expect(pointerOf({ venue: 'v', group: 'g', used: leaf, unused: leaf })).toBe('/branches/group');
  });
});

describe('loops', () => {
  const looping = (): Problem => ({
    ...dearBridge(),
    venues: [
      ...dearBridge().venues,
      {
        id: 'back',
        kind: 'order',
        nodes: ['b', 'a'],
        amountIn: '1000000',
        amountOut: '1100000',
        fixedCost: '0.01',
      },
    ],
  });

  test('behavior: free money in the bound is what its own prices prove, recomputed', () => {
    const problem = parseProblem(looping());
    // A dollar around: 1.1 back, less a cent. At a = 1/1.1 nothing else pays.
    const prices = { a: '0.99', b: '1' };
    const loopPrices = { a: '1', b: '1' };
    const solution = { status: 'noRoute', legs: [], prices, loopPrices } as const;
    const result = evaluate(problem, solution, ENGINE);
    expect(result.loops?.bound).toMatch(/^0\.090000000000/);
    expect(verify(problem, parseResult(JSON.parse(JSON.stringify(result))))).toEqual({ ok: true });
    const loops = { prices: loopPrices, bound: '0.09' };
    expect(codes(problem, { ...result, loops })).toEqual(['loops']);
    expect(codes(problem, { ...result, loops: { ...loops, prices: { a: '1' } } })).toEqual([
      'loops',
    ]);
  });

  test('property: without venues there is no free money', () => {
    const random = seeded('loops');
    for (const kind of KINDS) {
      const { source } = randomProblem(random, kind);
      const problem = parseProblem({ ...source, venues: [], groups: [] });
      const bound = certifyLoops(problem, randomPrices(random, problem, 0.1));
      expect(bound < 10n ** 6n).toBe(true);
    }
  });
});

function codes(problem: ParsedProblem, result: ProblemResult): readonly string[] {
  const verdict = verify(problem, result);
  return verdict.ok ? [] : verdict.failures.map(({ code }) => code);
}
