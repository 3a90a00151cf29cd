// Fixed costs per venue and per group against brute force: every subset of venues, each solved
// without costs, then charged. Over three chains, with bridges' fixed fees.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { chainsProblem } from './chains.ts';
import { bestOfSubsets } from './subsets.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));

describe('fixed costs', () => {
  test('conformance: as good as every subset tried, in 19 of 20', () => {
    const short: string[] = [];
    for (let seed = 200; seed < 220; seed++) {
      const file = chainsProblem(seed, { pools: 3, bridges: 3, worth: 30_000, cap: '1.05' });
      const problem = parseProblem(file);
      const result = evaluate(problem, engine.solve(problem), engine.hash);
      const missing = bestOfSubsets(engine, file) - Number(result.value);
      if (missing > 0.001) short.push(`seed ${seed}: ${missing} dollars of ${result.value}`);
    }
    expect(short.length, short.join('; ')).toBeLessThanOrEqual(1);
  });

  test('behavior: a dollar of costs is not paid to gain less', () => {
    const file = chainsProblem(7, { pools: 6, bridges: 6, worth: 0.5, cap: '1.05' });
    const costly = { ...file, venues: file.venues.map((v) => ({ ...v, fixedCost: '5' })) };
    const { legs } = engine.solve(parseProblem(costly));
    expect(legs).toEqual([]);
  });
});
