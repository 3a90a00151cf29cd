// Sessions: warm quotes on one snapshot are as good as cold ones for less work, and what a session
// cannot answer well warm it answers cold. Start prices shorten a cold solve and are the only thing
// besides the problem that it depends on.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem, withObjective } from '../../solver/market/problemFile.ts';
import type { Objective, Problem, ProblemResult, Solution } from '../../solver/types/problem.ts';
import { rebalanceProblem, swapProblem } from '../bench/problems.ts';
import { random } from './generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const GAP_BPS = 0.01;
/** Seeds per kind; searches over pools of n nodes take long. */
const MARKETS = { smooth: 6, linear: 6, mixed: 1 };
const SIZE = { pools: 120, tokens: 24 };

type Swap = Extract<Objective, { kind: 'swap' }>;
type Rebalance = Extract<Objective, { kind: 'rebalance' }>;

const sold = ({ sell, ...rest }: Swap, amount: bigint): Swap => ({
  ...rest,
  sell: { ...sell, amount: (amount > 0n ? amount : 1n).toString() },
});

/** Ever further from the first: a little more, much less, another pair of nodes, a hundred times. */
function swapsFrom(problem: ParsedProblem, first: Swap, seed: number): readonly Objective[] {
  const rng = random(seed);
  const amount = BigInt(first.sell.amount);
  const others = problem.nodes.map(({ id }) => id).filter((id) => id !== first.sell.node);
  return [
    first,
    sold(first, (amount * 101n) / 100n),
    sold(first, (amount * 70n) / 100n),
    sold(first, (amount * 71n) / 100n),
    { ...first, buy: rng.pick(others) },
    { ...sold(first, (amount * 101n) / 100n), buy: rng.pick(others) },
    first,
    sold(first, amount * 100n),
  ];
}

/** The same targets as prices and holdings drift apart. */
function rebalancesFrom(first: Rebalance, seed: number): readonly Objective[] {
  const rng = random(seed);
  const drifted = (percent: number): Rebalance => ({
    ...first,
    holdings: Object.fromEntries(
      Object.entries(first.holdings).map(([id, amount]) => [
        id,
        (
          (BigInt(amount) * BigInt(rng.integer(1000 - 10 * percent, 1000 + 10 * percent))) /
          1000n
        ).toString(),
      ]),
    ),
  });
  return [first, drifted(1), drifted(2), drifted(10), drifted(50), first];
}

interface Quote {
  readonly name: string;
  readonly warm: ProblemResult;
  readonly cold: ProblemResult;
  readonly work: { readonly warm: number; readonly cold: number };
}

/** Every quote but the first of a session, beside a cold solve of the same problem. */
function follow(name: string, problem: ParsedProblem, quotes: readonly Objective[]): Quote[] {
  const session = engine.open(problem);
  return quotes.flatMap((objective, k): Quote[] => {
    const next = withObjective(problem, objective);
    const solution = session.solve(next);
    if (k === 0) return [];
    const fresh = engine.open(next);
    const cold = fresh.solve(next);
    expect(cold, `${name} quote ${k}`).toEqual(engine.solve(next));
    const judged = (it: Solution) => evaluate(next, it, engine.hash);
    return [
      {
        name: `${name}, quote ${k}`,
        warm: judged(solution),
        cold: judged(cold),
        work: { warm: session.work(), cold: fresh.work() },
      },
    ];
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** As good as cold, for less work; searches over pools of n nodes start cold: for no more work. */
function expectGood(quotes: readonly Quote[], searched: boolean): void {
  for (const { name, warm, cold } of quotes) {
    expect(warm.status, name).toBe(cold.status);
    expect(Number(warm.gapBps), name).toBeLessThanOrEqual(
      Math.max(GAP_BPS, Number(cold.gapBps) + 1e-6),
    );
    const least = Number(cold.value) - 1e-9 * Math.abs(Number(cold.value));
    expect(Number(warm.value), name).toBeGreaterThanOrEqual(least);
  }
  const works = quotes.map(({ work }) => work);
  const [warm, cold] = [works.map((w) => w.warm), works.map((w) => w.cold)].map(median);
  console.log(`${quotes.length} quotes: median work ${warm} warm, ${cold} cold`);
  if (searched) expect(warm).toBeLessThanOrEqual(cold ?? 0);
  else expect(warm).toBeLessThan(cold ?? 0);
}

describe('withObjective', () => {
  test('behavior: what the file with that objective says, nodes and venues shared', () => {
    const problem = parseProblem(swapProblem(1, 'smooth', SIZE));
    const objective = rebalanceProblem(1, 'smooth', SIZE).objective;
    const settings = { gapBps: '0.5' };
    const next = withObjective(problem, objective, settings);
    const read = parseProblem({ ...problem.source, objective, settings });
    expect(next.digest).toBe(read.digest);
    expect(next).toEqual(read);
    expect(next.venues).toBe(problem.venues);
    expect(withObjective(next, problem.source.objective).settings).toBe(next.settings);
    expect(() => withObjective(problem, { ...objective, kind: 'gift' } as never)).toThrow(
      'must be swap',
    );
  });
});

describe('Engine.open', () => {
  test.each(['smooth', 'mixed', 'linear'] as const)('property: warm swaps, %s venues', (kind) => {
    const quotes = Array.from({ length: MARKETS[kind] }, (_, seed) => {
      const problem = parseProblem(swapProblem(seed + 1, kind, SIZE));
      const first = problem.source.objective as Swap;
      return follow(`${kind} swap, seed ${seed + 1}`, problem, swapsFrom(problem, first, seed));
    });
    expectGood(quotes.flat(), kind === 'mixed');
  });

  test.each(['smooth', 'mixed', 'linear'] as const)('property: warm rebalances, %s', (kind) => {
    const quotes = Array.from({ length: MARKETS[kind] }, (_, seed) => {
      const problem = parseProblem(rebalanceProblem(seed + 1, kind, SIZE));
      const first = problem.source.objective as Rebalance;
      return follow(`${kind} rebalance, seed ${seed + 1}`, problem, rebalancesFrom(first, seed));
    });
    expectGood(quotes.flat(), kind === 'mixed');
  });

  test('property: warm rebalances judged by their risk', () => {
    const quotes = Array.from({ length: MARKETS.smooth }, (_, seed) => {
      const kind = seed % 2 === 0 ? 'smooth' : 'linear';
      const file = rebalanceProblem(seed + 1, kind, SIZE);
      const plain = file.objective as Rebalance;
      const covariance = plain.targets.map((_, g) =>
        plain.targets.map((__, h) => (g === h ? '0.3' : '0.1')),
      );
      const first = { ...plain, risk: { aversion: '2', covariance } };
      const problem = parseProblem({ ...file, objective: first });
      return follow(`${kind} tracking, seed ${seed + 1}`, problem, rebalancesFrom(first, seed));
    });
    expectGood(quotes.flat(), false);
  });

  test('behavior: another snapshot, a refused problem and a capped one change nothing later', () => {
    const one = parseProblem(swapProblem(1, 'smooth', SIZE));
    const other = parseProblem(rebalanceProblem(2, 'linear', SIZE));
    const capped = withObjective(one, one.source.objective, { venueInputCap: '1.05' });
    const again = withObjective(other, other.source.objective);
    const session = engine.open(one);
    for (const problem of [one, other, capped, one, other, again, one]) {
      const warm = evaluate(problem, session.solve(problem), engine.hash);
      const cold = evaluate(problem, engine.solve(problem), engine.hash);
      expect(warm.status).toBe(cold.status);
      expect(Number(warm.gapBps)).toBeLessThanOrEqual(GAP_BPS);
    }
    const huge = withObjective(one, sold(one.source.objective as Swap, 10n ** 70n));
    const outcome = (solve: () => Solution) => {
      try {
        return solve().status;
      } catch (error) {
        return String(error);
      }
    };
    expect(outcome(() => session.solve(huge))).toBe(outcome(() => engine.solve(huge)));
    expect(session.solve(one)).toEqual(engine.solve(one));
  });
});

describe('Engine.solve from start prices', () => {
  const moved = (problem: Problem, seed: number): Problem => {
    const rng = random(seed);
    const change = (reserve: string) =>
      ((BigInt(reserve) * BigInt(rng.integer(9990, 10_010))) / 10_000n + 1n).toString();
    return {
      ...problem,
      venues: problem.venues.map((venue) =>
        venue.kind === 'constantProduct'
          ? { ...venue, reserves: [change(venue.reserves[0]), change(venue.reserves[1])] }
          : venue,
      ),
    };
  };

  test('property: the next block from the last one’s prices, certified and reproducible', () => {
    const other = createEngine(readFileSync('.build/trimtab.wasm'));
    for (let seed = 1; seed <= 12; seed++) {
      const file = swapProblem(seed, seed % 2 ? 'smooth' : 'linear', SIZE);
      const { prices } = engine.solve(parseProblem(file));
      const next = parseProblem(moved(file, seed));
      const started = engine.solve(next, { start: prices });
      expect(other.solve(next, { start: prices }), `seed ${seed}`).toEqual(started);
      const result = evaluate(next, started, engine.hash);
      const cold = evaluate(next, engine.solve(next), engine.hash);
      expect(result.status, `seed ${seed}`).toBe(cold.status);
      const gap = Number(result.gapBps);
      expect(gap, `seed ${seed}`).toBeLessThanOrEqual(Math.max(GAP_BPS, Number(cold.gapBps)));
    }
  });

  test('behavior: absurd prices cost time, nothing else', () => {
    const problem = parseProblem(swapProblem(3, 'linear', SIZE));
    const rng = random(3);
    const start = Object.fromEntries(
      problem.nodes.map(({ id }) => [id, `${rng.integer(1, 10 ** 9)}`] as const),
    );
    const result = evaluate(problem, engine.solve(problem, { start }), engine.hash);
    expect(Number(result.gapBps)).toBeLessThanOrEqual(GAP_BPS);
  });

  test('error: a start price of 0, or no number', () => {
    const problem = parseProblem(swapProblem(3, 'smooth', SIZE));
    const [node] = problem.nodes;
    const id = node?.id ?? '';
    expect(() => engine.solve(problem, { start: { [id]: '0' } })).toThrow('above 0');
    expect(() => engine.solve(problem, { start: { [id]: 'dear' } })).toThrow('decimal');
    expect(engine.solve(problem, { start: { nowhere: '1' } })).toEqual(engine.solve(problem));
  });
});
