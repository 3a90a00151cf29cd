// Rebalances judged by their risk: certified gaps on random wallets over several chains, agreement with
// methods that share nothing with the core, and the limits in which the answer is known.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { Problem, ProblemResult } from '../../solver/types/problem.ts';
import { decimal, random } from './generate.ts';
import { trackingProblem } from './tracking.ts';
import {
  hedge,
  holdingsOf,
  stuck,
  trackingVectors,
  triangle,
  utility,
  worthOf,
  worths,
} from './trackingCases.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const GAP_BPS = 0.01;

function solve(file: Problem): ProblemResult {
  const problem = parseProblem(file);
  return evaluate(problem, engine.solve(problem), engine.hash);
}

/** Bps of the traded worth that base units cannot resolve: two units of the coarsest node a leg. */
function roundingBps(file: Problem, result: ProblemResult): number {
  const grain = Math.max(
    ...file.nodes.map(({ price, decimals }) => Number(price) / 10 ** decimals),
  );
  return ((result.legs.length + 1) * 2 * grain * 1e4) / worthOf(file, holdingsOf(file));
}

function drawn(seed: number, fixedCost: number): Problem {
  const rng = random(seed * 7919);
  const [chains, assets] = [rng.integer(1, 8), rng.integer(2, 10)];
  return trackingProblem(seed, { chains, assets, aversion: 10 ** rng.between(-1, 3), fixedCost });
}

describe('risk', () => {
  test('property: 1–8 chains, 2–10 assets, aversion 0.1–1000: gap within 0.01 bp in 99 %', () => {
    const misses: string[] = [];
    let worst = 0;
    let still = 0;
    const count = 500;
    for (let seed = 1; seed <= count; seed++) {
      const file = drawn(seed, 0);
      const result = solve(file);
      const gap = Number(result.gapBps) - roundingBps(file, result);
      worst = Math.max(worst, gap);
      if (result.legs.length === 0) still++;
      if (gap > GAP_BPS || result.status !== 'solved') {
        misses.push(`seed ${seed}: ${result.status}, ${result.gapBps} bp`);
      }
    }
    console.log(
      `tracking: ${count} solved, ${still} without a trade, worst ${worst} bp beyond rounding`,
    );
    expect(misses.length, misses.join('\n')).toBeLessThanOrEqual(count / 100);
  });

  test('property: with fixed costs the plan is never worth less than no trade, and certified', () => {
    const gaps: number[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const rng = random(seed);
      const file = trackingProblem(9000 + seed, {
        chains: rng.integer(1, 3),
        assets: rng.integer(2, 5),
        aversion: 10 ** rng.between(-1, 1.5),
        fixedCost: 10 ** rng.between(-2, 0.5),
      });
      const result = solve(file);
      const before = worthOf(file, holdingsOf(file));
      const held = utility(file, before, worths(file, holdingsOf(file)));
      expect(Number(result.value), `seed ${9000 + seed}`).toBeGreaterThan(held - 1e-9 * before);
      expect(['solved', 'limit'], `seed ${9000 + seed}`).toContain(result.status);
      gaps.push(Number(result.gapBps));
    }
    gaps.sort((a, b) => a - b);
    console.log(`tracking with fixed costs: median gap ${gaps[30]} bp, 90 % within ${gaps[54]} bp`);
  });

  test('conformance: three assets, pools between all: random direct search', () => {
    for (let seed = 1; seed <= 25; seed++) {
      const { file, value } = triangle(seed);
      const result = solve(file);
      const found = Number(result.value);
      const before = worthOf(file, holdingsOf(file));
      // The search may stop short of the optimum, never beyond it.
      expect(found, `seed ${seed}: above search`).toBeGreaterThan(value - 1e-8 * before);
      expect(found, `seed ${seed}: near search`).toBeLessThan(value + 1e-5 * before);
      expect(Number(result.gapBps), `seed ${seed}`).toBeLessThan(GAP_BPS);
    }
  });

  test.each(trackingVectors())('vectors: $name', ({ file, post, objective, step }) => {
    const result = solve(file);
    expect(result.status).toBe('solved');
    expect(Number(result.gapBps)).toBeLessThan(1e-4);
    expect(verify(parseProblem(file), result)).toEqual({ ok: true });
    const before = worthOf(file, holdingsOf(file));
    const { targets } = file.objective as Extract<Problem['objective'], { kind: 'rebalance' }>;
    worths(file, result.final).forEach((worth, g) => {
      const off = worth / before - Number(targets[g]?.weight);
      // The vectors pay costs beside the portfolio, a trade pays them out of what it buys.
      const tolerance = (g === 2 ? 2e-4 : 2e-6) + 2 * step;
      expect(Math.abs(off - (post[g] ?? 0)), `target ${g}`).toBeLessThan(tolerance);
    });
    // Paying out of what is bought moves the objective by the cost's own square.
    expect(Math.abs(1 - Number(result.value) / before - objective)).toBeLessThan(2e-5 * 0.3);
  });

  test('behavior: without aversion nothing is worth its fees', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const file = trackingProblem(seed, { chains: 3, assets: 5, aversion: 1e-9, fixedCost: 0 });
      const result = solve(file);
      expect(result.legs, `seed ${seed}`).toEqual([]);
      expect(result.status).toBe('solved');
      expect(Number(result.gapBps), `seed ${seed}`).toBeLessThan(1e-6);
    }
  });

  test('behavior: with aversion beyond bounds risky assets meet their weights, as hard targets do', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const file = triangle(seed, 1e7).file;
      const { objective } = file;
      if (objective.kind !== 'rebalance') throw new Error('a rebalance');
      const result = solve(file);
      const { risk: _, ...hard } = objective;
      const exact = solve({ ...file, objective: hard });
      const before = worthOf(file, holdingsOf(file));
      const spent = before - Number(exact.value);
      const after = worths(file, result.final);
      const balanced = worths(file, exact.final);
      after.forEach((worth, g) => {
        // Cash carries no risk, so it pays the costs alone; hard targets share them by weight.
        const slack = spent + 1e-6 * before;
        expect(Math.abs(worth - (balanced[g] ?? 0)), `seed ${seed}, target ${g}`).toBeLessThan(
          slack,
        );
        if (g === 0) return;
        const weight = Number(objective.targets[g]?.weight);
        expect(Math.abs(worth / before - weight), `seed ${seed}, target ${g}`).toBeLessThan(1e-5);
      });
    }
  });

  test('behavior: a fixed cost above all there is to gain: no trade, and proved', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { file } = triangle(seed);
      const before = worthOf(file, holdingsOf(file));
      const costly = file.venues.map((venue) => ({ ...venue, fixedCost: decimal(100 * before) }));
      const result = solve({ ...file, venues: costly });
      expect(result.legs, `seed ${seed}`).toEqual([]);
      expect(result.status).toBe('solved');
      expect(Number(result.gapBps), `seed ${seed}`).toBeLessThan(1e-6);
    }
  });

  test('behavior: an asset nobody buys keeps its worth, and the others hedge around it', () => {
    const file = stuck();
    const result = solve(file);
    const before = worthOf(file, holdingsOf(file));
    expect(Number(result.value)).toBeGreaterThan(hedge(file, before) - 1e-7 * before);
  });

  test('behavior: a session answers other holdings from its last prices, certified all the same', () => {
    const file = trackingProblem(5, { chains: 3, assets: 6, aversion: 5, fixedCost: 0 });
    const first = parseProblem(file);
    const session = engine.open(first);
    if (first.objective.kind !== 'rebalance') throw new Error('a rebalance');
    for (const part of [100n, 101n, 120n, 60n]) {
      const holdings = first.objective.holdings.map((amount) => (amount * part) / 100n);
      const problem = { ...first, objective: { ...first.objective, holdings } };
      const warm = evaluate(problem, session.solve(problem), engine.hash);
      const cold = evaluate(problem, engine.solve(problem), engine.hash);
      expect(Number(warm.gapBps), `${part} %`).toBeLessThan(GAP_BPS);
      expect(Math.abs(Number(warm.value) / Number(cold.value) - 1)).toBeLessThan(1e-6);
    }
  });

  test('behavior: the time of 3 × 10, 5 × 20 and 8 × 40 is printed', () => {
    for (const [chains, assets] of [
      [3, 10],
      [5, 20],
      [8, 40],
    ] as const) {
      const options = { chains, assets, aversion: 2, fixedCost: 0, untargeted: 0 };
      const problem = parseProblem(trackingProblem(1, options));
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now();
        engine.solve(problem);
        return performance.now() - start;
      }).toSorted((a, b) => a - b);
      const result = evaluate(problem, engine.solve(problem), engine.hash);
      console.log(
        `tracking over ${chains} chains × ${assets}: ${problem.nodes.length} nodes, ` +
          `${problem.venues.length} venues, ${times[2]?.toFixed(2)} ms with packing and exact legs, ` +
          `${result.legs.length} legs, gap ${result.gapBps} bp`,
      );
      expect(Number(result.gapBps)).toBeLessThan(GAP_BPS);
    }
  });
});
