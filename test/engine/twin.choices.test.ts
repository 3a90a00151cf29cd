// Core against twin where some venue is a choice: pools of many nodes, of which a plan uses one ordered
// pair, and costs of use. Plans may then fall short of bounds; what must hold is that no bound lies
// below a plan of the other, and that neither is often worse.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { type Case, compare, report } from '../twin/compare.ts';
import { chainsCase, gasCase, poolsCase } from '../twin/generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));

/** Draws, and the share in which the twin's plan or bound may be worse: its branches are few. */
const families: readonly (readonly [string, (seed: number) => Case, number, number])[] = [
  ['pools', poolsCase, 120, 0.1],
  ['gas', gasCase, 80, 0.1],
  ['chains', chainsCase, 40, 0.6],
];

describe('twin', () => {
  test.each(families)('conformance: %s, bounds above all plans', (family, draw, count, share) => {
    const tally = compare(
      engine,
      Array.from({ length: count }, (_, k) => draw(1 + k)),
    );
    console.log(report(family, tally));
    expect(tally.falseBounds).toEqual([]);
    expect(tally.twinWorse.length, 'twin worse').toBeLessThanOrEqual(share * count);
  });
});
