// The same .wasm, engine and checker in headless Chromium: same result, digit for digit, same bytes as
// Node's, and the certificate holds there.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createCore } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { findChromium, startChromium } from '../browser/chromium.ts';
import type { PageScope } from '../browser/page.ts';
import { servePage } from '../browser/serve.ts';
import { generate, SMOOTH } from '../engine/generate.ts';
import { solveImage } from '../native/dump.ts';

const wasmBytes = new Uint8Array(readFileSync('.build/trimtab.wasm'));
const chromium = findChromium();
if ('missing' in chromium) console.log(chromium.missing);

describe.skipIf('missing' in chromium)('the core in a browser', () => {
  test('behavior: loads, solves and verifies there, byte for byte as in Node', async () => {
    const core = createCore(wasmBytes);
    const server = await servePage(wasmBytes);
    const browser = await startChromium('path' in chromium ? chromium.path : '');
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(server.url);
      for (let seed = 1; seed <= 12; seed++) {
        const kind = seed % 3 === 0 ? 'rebalance' : 'swap';
        const mix = { ...SMOOTH, linear: (seed % 3) * 0.2, fixedCost: seed % 4 === 0 ? 1 : 0 };
        const { problem: file } = generate(seed + 100, mix, kind);
        const problem = parseProblem(file);
        const image = new Uint8Array(core.encode(problem).bytes);
        const there = await page.evaluate(
          ([text, bytes]) => (globalThis as unknown as PageScope).answer(text, bytes),
          [JSON.stringify(file), [...image]] as const,
        );
        expect(there.verdict, `seed ${seed}`).toEqual({ ok: true });
        expect(there.result).toEqual(evaluate(problem, core.solve(problem), core.hash));
        expect(there.bytes).toEqual([...solveImage(image)]);
      }
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
