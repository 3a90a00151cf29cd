// The bench of early stopping at its tiniest: it runs, repeats but for its times, and loses no more than
// was left unproved.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { asTable, benchGap, GAPS } from './gap.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const run = () => benchGap(engine, { quotes: 6, rounds: 1 });

describe('npm run bench -- gap', () => {
  test('behavior: what is lost was left unproved, and twice the same', async () => {
    const report = await run();
    expect(report.quotes).toBe(6);
    expect(report.rows.map(({ asked }) => asked)).toEqual(GAPS);
    expect(report.soldUsd).toBeGreaterThan(0);
    expect(report.soldUsd).toBeLessThan(report.worthUsd);
    const [first, ...others] = report.rows;
    expect(first).toMatchObject({ lostUsd: 0, lessFound: 0, moreFound: 0 });
    for (const { lost, proved, asked } of others) {
      expect(lost.worst, asked).toBeLessThanOrEqual(proved.worst);
      expect(lost.p50, asked).toBeLessThanOrEqual(lost.worst);
    }
    const untimed = (rows: typeof report.rows) =>
      rows.map((row) => ({ ...row, searchMs: 0, solveMs: 0 }));
    expect(untimed((await run()).rows)).toEqual(untimed(report.rows));
    expect(asTable(report).split('\n')).toHaveLength(2 + GAPS.length);
  });
});
