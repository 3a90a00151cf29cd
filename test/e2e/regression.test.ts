// All recorded problems: no value below its record, no gap wider. Records are raised by
// `npx tsx test/regression/record.ts` and never lowered.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { corpus, readRecords, regression, solveItem } from '../regression/corpus.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));

describe('recorded problems', () => {
  test('behavior: all 1,000 are solved no worse than recorded', () => {
    const records = readRecords();
    const worse: string[] = [];
    for (const item of corpus()) {
      const record = records.get(item.id);
      const fault =
        record === undefined
          ? `${item.id}: no record`
          : regression(solveItem(engine, item), record);
      if (fault !== null) worse.push(fault);
    }
    expect(worse).toEqual([]);
  }, 600_000);
});
