// Certified gaps on random problems: smooth venues over order sizes 1e-9 … 100 × depth, and mixes
// with 10 … 60 % resting orders. The bound is the checker's, in exact integers; what base units
// cannot resolve (at most a unit per leg) is allowed for.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { generate, type Mix, SMOOTH } from './generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const GAP_BPS = 0.01;

interface Tally {
  solved: number;
  readonly misses: string[];
  worst: number;
}

function run(first: number, count: number, mix: Mix, kind: 'swap' | 'rebalance'): Tally {
  const tally: Tally = { solved: 0, misses: [], worst: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const { problem: file, grain } = generate(seed, mix, kind);
    const problem = readable(file);
    if (problem === null) continue;
    const solution = engine.solve(problem);
    if (solution.status !== 'solved' && solution.status !== 'limit') continue;
    tally.solved++;
    const result = evaluate(problem, solution, engine.hash);
    const traded = (Number(result.bound) - Number(result.value)) / (Number(result.gapBps) / 1e4);
    const rounding = ((solution.legs.length + 1) * 2 * grain * 1e4) / traded;
    const gap = Number(result.gapBps) - (Number.isFinite(rounding) ? rounding : 0);
    tally.worst = Math.max(tally.worst, gap);
    if (gap > GAP_BPS) tally.misses.push(`seed ${seed}: ${result.gapBps} bp, ${result.status}`);
  }
  return tally;
}

/** The generator may draw a portfolio that holds nothing in any target: not a problem. */
function readable(file: Parameters<typeof parseProblem>[0]) {
  try {
    return parseProblem(file);
  } catch {
    return null;
  }
}

const FINE: Mix = { ...SMOOTH, unitsPerDollar: [12, 24] };

describe('certified gap', () => {
  test('property: smooth swaps, 2,000 of them, all within 0.01 bp', () => {
    const { solved, misses, worst } = run(10_000, 2000, FINE, 'swap');
    console.log(`smooth swaps: ${solved} solved, ${misses.length} missed, worst ${worst} bp`);
    expect(solved).toBeGreaterThan(1980);
    expect(misses).toEqual([]);
  });

  test('property: smooth rebalances within 0.01 bp in 99.5 %', () => {
    const { solved, misses, worst } = run(20_000, 600, FINE, 'rebalance');
    console.log(`smooth rebalances: ${solved} solved, worst ${worst} bp, missed: ${misses.join()}`);
    expect(solved).toBeGreaterThan(590);
    expect(misses.length).toBeLessThanOrEqual(3);
  });

  test.each([0.1, 0.3, 0.6])('property: with a share %f of orders, 99.5 %', (linear) => {
    const swaps = run(30_000, 300, { ...FINE, linear }, 'swap');
    const rebalances = run(40_000, 150, { ...FINE, linear }, 'rebalance');
    console.log(
      `${linear * 100} % orders: swaps missed ${swaps.misses.length} of ${swaps.solved}, ` +
        `rebalances ${rebalances.misses.length} of ${rebalances.solved}`,
    );
    expect(swaps.misses.length + rebalances.misses.length).toBeLessThanOrEqual(2);
  });

  test('property: tokens from 1 to 10^24 base units a dollar', () => {
    const coarse: Mix = { ...SMOOTH, size: [-2, 1] };
    const { solved, misses, worst } = run(50_000, 200, coarse, 'swap');
    console.log(`coarse tokens: ${solved} solved, worst ${worst} bp beyond rounding`);
    expect(misses.length).toBeLessThanOrEqual(2);
  });
});
