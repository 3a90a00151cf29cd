// verify accepts what evaluate writes and rejects every way of bending it that the issue names.

import { describe, expect, it } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { formatDecimal, parseFixed36 } from '../../solver/market/decimal.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { parseResult } from '../../solver/market/resultFile.ts';
import type { Leg, Problem, ProblemResult } from '../../solver/types/problem.ts';
import { type Random, seeded } from '../market/helpers/random.ts';
import { randomPlan } from './helpers/plans.ts';
import { KINDS, randomPrices, randomProblem } from './helpers/problems.ts';

const ENGINE = `0x${'ab'.repeat(32)}`;

interface Case {
  readonly problem: ParsedProblem;
  readonly result: ProblemResult;
}

function randomCase(random: Random): Case {
  const problem = randomProblem(random, random.pick(KINDS));
  const { legs, orders } = randomPlan(random, problem);
  const prices = randomPrices(random, problem, 0.05);
  const status = legs.length === 0 && problem.objective.kind === 'swap' ? 'noRoute' : 'solved';
  const solution = { status, legs, prices, ...(orders === undefined ? {} : { orders }) } as const;
  return { problem, result: evaluate(problem, solution, ENGINE) };
}

/** The rarest cases wanted are 3 draws in 100: ten of them in 3,000 draws never fail to come. */
const DRAWS_PER_CASE = 300;

function casesOf(name: string, count: number, wanted: (made: Case) => boolean = () => true) {
  const random = seeded(name);
  const cases: Case[] = [];
  for (let tries = 0; cases.length < count && tries < count * DRAWS_PER_CASE; tries++) {
    const made = randomCase(random);
    if (wanted(made)) cases.push(made);
  }
  expect(cases.length).toBe(count);
  return cases;
}

const codes = (problem: ParsedProblem, result: ProblemResult) => {
  const verdict = verify(problem, result);
  return verdict.ok ? [] : verdict.failures.map(({ code }) => code);
};
const nudge = (text: string, by: bigint) => {
  const value = BigInt(text) + by;
  return (value < 0n ? 1n : value).toString();
};
/** Adds `by` units of the last of 18 decimals. */
const nudgeDecimal = (text: string, by: bigint) =>
  formatDecimal(parseFixed36(text, { signed: true }) / 10n ** 18n + by, 18);

describe('verify', () => {
  it('default: accepts what evaluate writes, through JSON and back', () => {
    for (const { problem, result } of casesOf('verify accepts', 60)) {
      const reread = parseResult(JSON.parse(JSON.stringify(result)));
      expect(verify(problem, reread)).toEqual({ ok: true });
      const reproblem = parseProblem(JSON.parse(JSON.stringify(problem.source)));
      expect(verify(reproblem, reread)).toEqual({ ok: true });
      expect(parseFixed36(result.bound)).toBeGreaterThanOrEqual(
        parseFixed36(result.value, { signed: true }),
      );
    }
  });

  it('behavior: rejects one wei more or less in any leg', () => {
    for (const { problem, result } of casesOf('verify legs', 25, withLegs(1))) {
      result.legs.forEach((leg, at) => {
        for (const side of ['in', 'out'] as const) {
          for (const by of [1n, -1n]) {
            const bent: Leg = {
              ...leg,
              [side]: { ...leg[side], amount: nudge(leg[side].amount, by) },
            };
            const legs = result.legs.map((other, i) => (i === at ? bent : other));
            expect(codes(problem, { ...result, legs })).not.toEqual([]);
          }
        }
      });
    }
  });

  it('behavior: rejects one wei more or less in any final balance, and missing or extra nodes', () => {
    for (const { problem, result } of casesOf('verify final', 25)) {
      for (const [node, amount] of Object.entries(result.final)) {
        for (const by of [1n, -1n]) {
          const changed = nudge(amount, by);
          if (changed === amount) continue;
          const final = { ...result.final, [node]: changed };
          expect(codes(problem, { ...result, final })).toEqual(['final']);
        }
        const { [node]: _, ...final } = result.final;
        expect(codes(problem, { ...result, final })).toEqual(['final']);
      }
      const final = { ...result.final, nowhere: '1' };
      expect(codes(problem, { ...result, final })).toEqual(['final']);
    }
  });

  it('behavior: rejects any dual price changed, dropped, added or not positive', () => {
    for (const { problem, result } of casesOf('verify prices', 25)) {
      for (const [node, price] of Object.entries(result.prices)) {
        const exact = parseFixed36(price);
        for (const changed of [
          exact + 1n,
          exact - 1n || 2n,
          (exact * 1001n) / 1000n + 1n,
          exact * 2n,
        ]) {
          const prices = { ...result.prices, [node]: formatDecimal(changed, 36) };
          expect(codes(problem, { ...result, prices })).toContain('bound');
        }
        for (const wrong of ['0', '-1']) {
          const prices = { ...result.prices, [node]: wrong };
          expect(codes(problem, { ...result, prices })).toContain('prices');
        }
        const { [node]: _, ...prices } = result.prices;
        expect(codes(problem, { ...result, prices })).toContain('prices');
      }
      const prices = { ...result.prices, nowhere: '1' };
      expect(codes(problem, { ...result, prices })).toContain('prices');
    }
  });

  it('behavior: rejects value, bound, gap and costs bent by their last digit', () => {
    for (const { problem, result } of casesOf('verify numbers', 25)) {
      for (const by of [1n, -1n]) {
        const value = nudgeDecimal(result.value, by);
        expect(codes(problem, { ...result, value })).toContain('value');
        const bound = nudgeDecimal(result.bound, by);
        expect(codes(problem, { ...result, bound })).toContain('bound');
        const gapBps = nudgeDecimal(result.gapBps, by);
        expect(codes(problem, { ...result, gapBps })).toContain('gap');
        for (const key of ['fees', 'impact', 'fixed'] as const) {
          const costs = { ...result.costs, [key]: nudgeDecimal(result.costs[key], by) };
          expect(codes(problem, { ...result, costs })).toContain('costs');
        }
      }
    }
  });

  it('behavior: rejects the result for a problem with any number changed', () => {
    for (const { problem, result } of casesOf('verify problem', 12)) {
      const changed = numbersChanged(problem.source);
      expect(changed.length).toBeGreaterThan(5);
      for (const bent of changed) {
        const other = parseOrNull(bent);
        if (other === null) continue;
        expect(other.digest).not.toBe(problem.digest);
        expect(codes(other, result)).toContain('problemDigest');
      }
    }
  });

  it('behavior: rejects a leg used twice, or of an unknown venue', () => {
    for (const { problem, result } of casesOf('verify legs twice', 25, withLegs(2))) {
      const [first] = result.legs;
      if (first === undefined) continue;
      const twice = [...result.legs, first];
      expect(codes(problem, { ...result, legs: twice })).toContain('venueUsedTwice');
      const unknown = [{ ...first, venue: 'nowhere' }, ...result.legs.slice(1)];
      expect(codes(problem, { ...result, legs: unknown })).toContain('leg');
    }
  });

  it('behavior: rejects a leg that spends before it is earned', () => {
    for (const made of casesOf('verify order', 10, (drawn) => spentFirst(drawn) !== null)) {
      const legs = spentFirst(made);
      if (legs === null) continue;
      expect(codes(made.problem, { ...made.result, legs })).toEqual(['conservation']);
    }
  });

  it('behavior: rejects a status that contradicts the legs, and a plan above the input cap', () => {
    for (const { problem, result } of casesOf('verify status', 10, withLegs(1))) {
      expect(codes(problem, { ...result, status: 'noRoute' })).toEqual(['status']);
      const capped = parseProblem({
        ...problem.source,
        settings: { venueInputCap: '0.000000000000000000000000000001' },
      });
      const legIn = problem.nodes.find(({ id }) => id === result.legs[0]?.in.node);
      if (legIn?.price != null) expect(codes(capped, result)).toContain('venueInputCap');
    }
  });

  it('behavior: leaves holdings of nodes in no target alone', () => {
    const problem = parseProblem({
      version: 1,
      nodes: [
        { id: 'a', asset: 'A', chain: 1, decimals: 0, price: '1' },
        { id: 'b', asset: 'B', chain: 1, decimals: 0, price: '1' },
      ],
      venues: [
        {
          id: 'v',
          kind: 'order',
          nodes: ['b', 'a'],
          amountIn: '10',
          amountOut: '10',
          fixedCost: '0',
        },
      ],
      objective: {
        kind: 'rebalance',
        holdings: { a: '5', b: '5' },
        targets: [{ nodes: ['a'], weight: '1' }],
      },
    });
    const empty = evaluate(
      problem,
      { status: 'solved', legs: [], prices: { a: '1', b: '2' } },
      ENGINE,
    );
    expect(empty.value).toBe('5.000000000000000000');
    const legs = [{ venue: 'v', in: { node: 'b', amount: '5' }, out: { node: 'a', amount: '5' } }];
    expect(codes(problem, { ...empty, legs })).toEqual(['conservation']);
  });
});

const withLegs = (least: number) => (made: Case) => made.result.legs.length >= least;

/** A swap's legs with one put before the only leg that earns what it spends; null where none is. */
function spentFirst({ problem, result }: Case): Leg[] | null {
  if (problem.objective.kind !== 'swap') return null;
  const sold = problem.nodes[sellOf(problem)]?.id;
  for (const [i, spender] of result.legs.entries()) {
    const earner = result.legs[i - 1];
    const node = spender.in.node;
    if (earner?.out.node !== node || node === sold) continue;
    if (result.legs.slice(0, i - 1).some((leg) => leg.out.node === node)) continue;
    return [...result.legs.slice(0, i - 1), spender, earner, ...result.legs.slice(i + 1)];
  }
  return null;
}

function sellOf(problem: ParsedProblem): number {
  return problem.objective.kind === 'swap' ? problem.objective.sell : -1;
}

function parseOrNull(problem: Problem): ParsedProblem | null {
  try {
    return parseProblem(problem);
  } catch {
    return null; // the change is out of range: refused before any digest matters
  }
}

/** One copy of the problem per number in it, with that number changed by one of its last digit. */
function numbersChanged(problem: Problem): readonly Problem[] {
  const paths: (readonly (string | number)[])[] = [];
  const visit = (value: unknown, path: readonly (string | number)[]) => {
    if (typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))) {
      paths.push(path);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) visit(member, [...path, key]);
    }
  };
  visit(problem, []);
  return paths.map((path) => {
    const copy = JSON.parse(JSON.stringify(problem));
    let holder = copy;
    for (const key of path.slice(0, -1)) holder = holder[key];
    const last = path.at(-1) ?? '';
    holder[last] = bumped(holder[last]);
    return copy;
  });
}

function bumped(value: number | string): number | string {
  if (typeof value === 'number') return value + 1;
  const decimals = value.split('.')[1]?.length ?? 0;
  const digits = BigInt(value.replace('.', '')) + 1n;
  return formatDecimal(digits, decimals);
}
