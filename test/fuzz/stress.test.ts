// A few hundred strange problems on every run; test/e2e/stress.test.ts does many thousands.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { strangeProblems } from './problems.ts';
import { examine, Tally } from './stress.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const RUNS = 600;

describe('the engine under stress', () => {
  test('property: strange problems: no trap, no NaN, exact conservation, value within bound', () => {
    const tally = new Tally();
    fc.assert(
      fc.property(strangeProblems(), (strange) => tally.add(strange, examine(engine, strange))),
      { numRuns: RUNS, seed: 20_261_121 },
    );
    console.log(tally.report());
    expect(tally.count).toBeGreaterThanOrEqual(RUNS);
  });
});
