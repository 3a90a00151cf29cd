// Risk, batches and gas: the twin's own gaps against the checker, its branches (fill-or-kill orders,
// fixed costs) among them, and the core's answers beside them where it has any.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { type Case, compare, report } from '../twin/compare.ts';
import { batchCase, gasCase, riskCase } from '../twin/generate.ts';
import { solveTwin } from '../twin/index.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const GAP_BPS = 0.01;

/** How many of these the twin proves within 0.01 bp; its plans execute, or evaluate would throw. */
function proved(cases: readonly Case[]): number {
  return cases.filter(({ problem: file }) => {
    const problem = parseProblem(file);
    return Number(evaluate(problem, solveTwin(problem), engine.hash).gapBps) <= GAP_BPS;
  }).length;
}

describe('twin', () => {
  test.each([
    ['risk', riskCase, 100, 0.9, 1],
    ['batch', batchCase, 100, 0.85, 0.03],
    ['gas', gasCase, 50, 0.95, 0.2],
  ] as const)('conformance: %s', (family, draw, count, share, coreWorse) => {
    const cases = Array.from({ length: count }, (_, k) => draw(1 + k));
    const within = proved(cases);
    const tally = compare(engine, cases);
    console.log(`${report(family, tally)}; twin within ${GAP_BPS} bp: ${within} of ${count}`);
    expect(tally.falseBounds).toEqual([]);
    expect(within).toBeGreaterThanOrEqual(share * count);
    expect(tally.coreWorse.length, 'core worse').toBeLessThanOrEqual(coreWorse * count);
  });
});
