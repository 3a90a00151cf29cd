// Twelve thousand strange problems (test/fuzz/problems.ts), each answer checked by the checker, which
// shares nothing with the engine. What is missed is counted by category and printed.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { OBJECTIVES, type ObjectiveKind, strangeProblems } from '../fuzz/problems.ts';
import { examine, Tally } from '../fuzz/stress.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const RUNS: Readonly<Record<ObjectiveKind, number>> = {
  swap: 5000,
  rebalance: 4000,
  batch: 2500,
  risk: 500,
};

describe('the engine under stress', () => {
  test.each(OBJECTIVES)(
    'property: %s: no trap, no NaN, exact conservation, value within bound',
    (kind) => {
      const tally = new Tally();
      const runs = RUNS[kind];
      fc.assert(
        fc.property(strangeProblems([kind]), (strange) =>
          tally.add(strange, examine(engine, strange)),
        ),
        { numRuns: runs, seed: 20_261_122 },
      );
      console.log(tally.report());
      expect(tally.count).toBeGreaterThanOrEqual(runs);
    },
  );
});
