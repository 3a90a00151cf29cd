// Core against twin on pools of many nodes, of which a plan uses one ordered pair: a choice, so that
// plans may fall short of bounds. What must hold is that no bound lies below a plan of the other.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { compare, report } from '../twin/compare.ts';
import { poolsCase } from '../twin/generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const COUNT = 150;

describe('twin', () => {
  test('conformance: weighted and stable pools, bounds above all plans', () => {
    const tally = compare(
      engine,
      Array.from({ length: COUNT }, (_, k) => poolsCase(1 + k)),
    );
    console.log(report('pools', tally));
    expect(tally.falseBounds).toEqual([]);
    expect(tally.twinWorse.length, 'twin worse').toBeLessThanOrEqual(COUNT / 20);
    expect(tally.statusDiffers.length, 'status').toBeLessThanOrEqual(COUNT / 20);
  });
});
