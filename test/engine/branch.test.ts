// Branch and bound on fixed costs: against every subset of venues on small problems, against HiGHS on
// problems in which all is linear but the fixed costs, and the proof by cases it publishes.

import { readFileSync } from 'node:fs';
import highsModule, { type LegacyHighs } from 'highs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { BoundTree, Problem, ProblemVenue } from '../../solver/types/problem.ts';
import { chainsProblem } from './chains.ts';
import { random } from './generate.ts';
import { bestOfSubsets } from './subsets.ts';

/** The package's types describe its CommonJS half; what import gives is the function itself. */
const loadHighs = highsModule as unknown as () => Promise<LegacyHighs>;

const engine = createEngine(readFileSync('.build/trimtab.wasm'));

function solve(file: Problem) {
  const problem = parseProblem(file);
  return { problem, result: evaluate(problem, engine.solve(problem), engine.hash) };
}

function leaves(tree: BoundTree): number {
  return 'prices' in tree ? 1 : leaves(tree.used) + leaves(tree.unused);
}

/** Orders of one size in dollars between tokens of a dollar each: linear but for their costs. */
function linearProblem(seed: number): Problem {
  const rng = random(seed);
  const ids = ['A', 'B', 'C', 'D'];
  const node = (id: string) => ({ id, asset: id, chain: 1, decimals: 12, price: '1' });
  const venues = Array.from({ length: 9 }, (_, k): ProblemVenue => {
    const from = k % 3;
    const to = from + 1 + rng.integer(0, 2 - from);
    const amountIn = Math.round(rng.between(100, 900)) * 1e12;
    return {
      id: `o${k}`,
      kind: 'order',
      nodes: [ids[from] ?? '', ids[to] ?? ''],
      amountIn: String(amountIn),
      amountOut: String(Math.round(amountIn * (1 - rng.between(0.0005, 0.02)))),
      fixedCost: rng.between(0.05, 2).toFixed(2),
    };
  });
  return {
    version: 1,
    nodes: ids.map(node),
    venues,
    groups: [{ id: 'hub', fixedCost: '0.75', venues: ['o1', 'o4', 'o7'] }],
    objective: { kind: 'swap', sell: { node: 'A', amount: String(500e12) }, buy: 'D' },
  };
}

/** The same problem as a mixed-integer program in CPLEX's LP format; amounts in dollars. */
function asProgram(file: Problem): string {
  const edges = file.venues.map((venue, k) => {
    if (venue.kind !== 'order') throw new Error('orders alone');
    const most = Number(venue.amountIn) / 1e12;
    const rate = Number(venue.amountOut) / Number(venue.amountIn);
    return { k, from: venue.nodes[0], to: venue.nodes[1], most, rate, cost: venue.fixedCost };
  });
  const sum = (terms: readonly string[]) => (terms.length === 0 ? '0 x0' : terms.join(' + '));
  const value = sum(edges.filter(({ to }) => to === 'D').map(({ k, rate }) => `${rate} x${k}`));
  const costs = edges.map(({ k, cost }) => ` - ${cost ?? '0'} z${k}`).join('');
  const balance = ['A', 'B', 'C'].map((id) => {
    const out = edges.filter(({ from }) => from === id).map(({ k }) => `x${k}`);
    const into = edges.filter(({ to }) => to === id).map(({ k, rate }) => ` - ${rate} x${k}`);
    return ` ${sum(out)}${into.join('')} = ${id === 'A' ? 500 : 0}`;
  });
  const caps = edges.map(({ k, most }) => ` x${k} - ${most} z${k} <= 0`);
  const group = (file.groups?.[0]?.venues ?? []).map((id) => ` z${id.slice(1)} - g <= 0`);
  const binary = [...edges.map(({ k }) => `z${k}`), 'g'].join(' ');
  return `Maximize\n obj: ${value}${costs} - 0.75 g\nSubject To\n${[
    ...balance,
    ...caps,
    ...group,
  ].join('\n')}\nBinary\n ${binary}\nEnd\n`;
}

describe('branch and bound', () => {
  test('property: no subset of venues nets more, three chains with bridges and groups', () => {
    const short: string[] = [];
    for (let seed = 300; seed < 315; seed++) {
      for (const worth of [3_000, 30_000]) {
        const file = chainsProblem(seed, { pools: 4, bridges: 3, worth, cap: '1.05' });
        const missing = bestOfSubsets(engine, file) - Number(solve(file).result.value);
        if (missing > 2e-3) short.push(`seed ${seed}, ${worth}: ${missing} dollars`);
      }
    }
    console.log(`subsets: ${30 - short.length} of 30 optimal; ${short.join('; ')}`);
    expect(short.length, short.join('; ')).toBeLessThanOrEqual(1);
  });

  test('conformance: HiGHS on linear venues with fixed costs', async () => {
    const highs = await loadHighs();
    let compared = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const file = linearProblem(seed);
      const best = highs.solve(asProgram(file), { mip_rel_gap: 0, mip_abs_gap: 0 });
      const solution = engine.solve(parseProblem(file));
      if (best.Status !== 'Optimal' || solution.legs.length === 0) {
        expect(best.Status === 'Optimal', `seed ${seed}: ${solution.status}`).toBe(
          solution.legs.length > 0,
        );
        continue;
      }
      compared++;
      const { result } = solve(file);
      const off = Math.abs(Number(result.value) - best.ObjectiveValue) / best.ObjectiveValue;
      expect(off, `seed ${seed}: ${result.value} against ${best.ObjectiveValue}`).toBeLessThan(
        1e-7,
      );
      expect(Number(result.bound)).toBeGreaterThanOrEqual(best.ObjectiveValue * (1 - 1e-9));
    }
    expect(compared).toBeGreaterThan(30);
  });

  test('property: proofs by cases verify and stay within their limits', () => {
    let trees = 0;
    let certified = 0;
    let solved = 0;
    for (let seed = 400; seed < 440; seed++) {
      const file = chainsProblem(seed, { pools: 6, bridges: 6, worth: 30_000, cap: '1.05' });
      const { problem, result } = solve(file);
      expect(verify(problem, result), `seed ${seed}`).toEqual({ ok: true });
      expect(Number(result.bound), `seed ${seed}`).toBeGreaterThanOrEqual(Number(result.value));
      solved++;
      if (Number(result.gapBps) <= 0.01) certified++;
      if (result.branches === undefined) continue;
      trees++;
      expect(leaves(result.branches), `seed ${seed}`).toBeLessThanOrEqual(256);
    }
    console.log(`three chains: ${certified} of ${solved} within 0.01 bp, ${trees} by cases`);
    expect(trees).toBeGreaterThan(0);
    expect(certified / solved).toBeGreaterThan(0.7);
  });

  test('behavior: a work limit still answers with a plan and a true bound', () => {
    for (const workMax of [1, 10, 100, 500]) {
      const file = chainsProblem(400, { pools: 6, bridges: 6, worth: 30_000, cap: '1.05' });
      const { problem, result } = solve({ ...file, settings: { ...file.settings, workMax } });
      expect(verify(problem, result)).toEqual({ ok: true });
    }
  });

  test('behavior: the same problem gives the same proof twice', () => {
    const file = chainsProblem(405, { pools: 9, bridges: 9, worth: 30_000, cap: '1.05' });
    expect(solve(file).result).toEqual(solve(file).result);
  });
});
