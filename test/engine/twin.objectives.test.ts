// The objectives the core may not solve yet, risk and batches: the twin's own gaps against the checker,
// and the core's answers beside them where it has any.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { type Case, compare, report } from '../twin/compare.ts';
import { batchCase, riskCase } from '../twin/generate.ts';
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
    ['risk', riskCase, 100, 0.9],
    // Fill-or-kill orders leave a gap that only branches can close.
    ['batch', batchCase, 100, 0.65],
  ] as const)('conformance: %s', (family, draw, count, share) => {
    const cases = Array.from({ length: count }, (_, k) => draw(1 + k));
    const within = proved(cases);
    const tally = compare(engine, cases);
    console.log(`${report(family, tally)}; twin within ${GAP_BPS} bp: ${within} of ${count}`);
    expect(tally.falseBounds).toEqual([]);
    expect(within).toBeGreaterThanOrEqual(share * count);
  });
});
