// The bench of netting at its tiniest: it runs, repeats but for its times, and its rows make sense.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { asTable, benchNetting } from './netting.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const run = () =>
  benchNetting((problem) => engine.solve(problem), {
    sizes: [2, 5],
    opposite: [0, 0.6],
    markets: 2,
  });

describe('npm run bench -- netting', () => {
  test('behavior: never below one by one, more with opposite flow, and twice the same', () => {
    const report = run();
    expect(report.rows.length).toBe(4);
    for (const { surplus, served } of report.rows) {
      expect(surplus[0]).toBeGreaterThanOrEqual(surplus[1]);
      expect(served[0]).toBeGreaterThan(0);
    }
    const untimed = (rows: typeof report.rows) => rows.map((row) => ({ ...row, solveMs: 0 }));
    expect(untimed(run().rows)).toEqual(untimed(report.rows));
    expect(asTable(report).split('\n').length).toBe(6);
  });
});
