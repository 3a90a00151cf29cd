// Fixed costs per venue and per group against brute force: every subset of venues, each solved
// without costs, then charged. Over three chains, with bridges' fixed fees.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { Problem } from '../../solver/types/problem.ts';
import { chainsProblem } from './chains.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));

/** The largest value over all subsets of venues. */
function bruteForce(file: Problem): number {
  const full = parseProblem(file);
  const prices = Object.fromEntries(file.nodes.map(({ id }) => [id, '1']));
  let best = Number.NEGATIVE_INFINITY;
  for (let mask = 0; mask < 1 << file.venues.length; mask++) {
    const venues = file.venues
      .filter((_, e) => (mask >> e) & 1)
      .map((venue) => ({ ...venue, fixedCost: '0' }));
    const { legs, status } = engine.solve(parseProblem({ ...file, venues, groups: [] }));
    const result = evaluate(full, { legs, status, prices }, engine.hash);
    best = Math.max(best, Number(result.value));
  }
  return best;
}

describe('fixed costs', () => {
  test('conformance: as good as every subset tried, in 19 of 20', () => {
    const short: string[] = [];
    for (let seed = 200; seed < 220; seed++) {
      const file = chainsProblem(seed, { pools: 3, bridges: 3, worth: 30_000, cap: '1.05' });
      const problem = parseProblem(file);
      const result = evaluate(problem, engine.solve(problem), engine.hash);
      const missing = bruteForce(file) - Number(result.value);
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
