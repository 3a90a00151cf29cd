// A hundred of the recorded problems, the quick ones: no value below its record, no gap wider. All
// 1,000 run in test/e2e/regression.test.ts. The core's own bound is held to the checker's here too.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { certifyBound } from '../../solver/certificate/bound.ts';
import { type CoreExports, HEADER } from '../../solver/engine/abi.ts';
import { createCore } from '../../solver/engine/engine.ts';
import { corpus, readRecords, regression, solveItem } from './corpus.ts';

const core = createCore(readFileSync('.build/trimtab.wasm'));
const wasm = new WebAssembly.Module(readFileSync('.build/trimtab.wasm'));
const instance = new WebAssembly.Instance(wasm).exports as unknown as CoreExports;
const records = readRecords();
const items = corpus();
const quick = items.filter(({ id }) => !id.startsWith('real')).filter((_, k) => k % 9 === 0);

describe('recorded problems', () => {
  test('default: 1,000 of them, each with its record', () => {
    expect(items.length).toBe(1000);
    expect([...records.keys()].toSorted()).toEqual(items.map(({ id }) => id).toSorted());
  });

  test('behavior: a hundred are solved no worse than recorded', () => {
    const worse: string[] = [];
    for (const item of quick) {
      const record = records.get(item.id);
      const fault = record === undefined ? item.id : regression(solveItem(core, item), record);
      if (fault !== null) worse.push(fault);
    }
    expect(quick.length).toBeGreaterThanOrEqual(100);
    expect(worse).toEqual([]);
  });

  test('conformance: the core’s own bound is the checker’s, where one price vector proves it', () => {
    const apart: string[] = [];
    let compared = 0;
    for (const item of items.filter(({ id }) => /^(smooth|linear)/.test(id)).slice(0, 150)) {
      const { problem, result } = solveItem(core, item);
      if (result.status !== 'solved') continue;
      const bound = boundInHeader(problem);
      const checked = Number(certifyBound(problem, result.prices)) / 1e18;
      compared++;
      if (Math.abs(bound - checked) > 1e-9 * Math.abs(checked)) {
        apart.push(`${item.id}: core ${bound}, checker ${checked}`);
      }
    }
    expect(compared).toBeGreaterThan(140);
    expect(apart).toEqual([]);
  });
});

/** Dollars. Solves the problem again on an instance of its own and reads the header. */
function boundInHeader(problem: Parameters<typeof core.encode>[0]): number {
  const image = new Uint8Array(core.encode(problem).bytes);
  const block = new Uint8Array(instance.memory.buffer, instance.header(), image.length);
  block.set(image);
  instance.arrange();
  block.set(image);
  instance.solve();
  return new DataView(instance.memory.buffer).getFloat64(instance.header() + HEADER.bound, true);
}
