// Core against twin where some venue is a choice: pools of many nodes, of which a plan uses one ordered
// pair, and costs of use. Plans may then fall short of bounds; what must hold is that no bound lies
// below a plan of the other, and that neither is often worse.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { type Case, compare, report } from '../twin/compare.ts';
import { chainsCase, gasCase, poolsCase } from '../twin/generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));

const families: readonly (readonly [string, (seed: number) => Case, number])[] = [
  ['pools', poolsCase, 120],
  ['gas', gasCase, 80],
  ['chains', chainsCase, 40],
];

describe('twin', () => {
  test.each(families)('conformance: %s, bounds above all plans', (family, draw, count) => {
    const tally = compare(
      engine,
      Array.from({ length: count }, (_, k) => draw(1 + k)),
    );
    console.log(report(family, tally));
    expect(tally.falseBounds).toEqual([]);
    expect(tally.twinWorse.length, 'twin worse').toBeLessThanOrEqual(count / 4);
  });
});
