// Core against twin where the problem is convex: swaps and hard-target rebalances over pools and
// orders. Both must find the optimum and prove it; a miss of either is counted and printed.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { compare, report } from '../twin/compare.ts';
import { type Convex, convexCase } from '../twin/generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const COUNT = 300;
/** Known weak spots of either: at most one in two hundred. */
const MISSES_MAX = COUNT / 200;

const families: readonly Convex[] = [
  'smoothSwap',
  'linearSwap',
  'smoothPortfolio',
  'linearPortfolio',
];

describe('twin', () => {
  test.each(families)('conformance: %s, equal status, value and bound', (family) => {
    const cases = Array.from({ length: COUNT }, (_, k) => convexCase(family, 1 + k));
    const tally = compare(engine, cases);
    console.log(report(family, tally));
    expect(tally.falseBounds).toEqual([]);
    expect(tally.compared).toBeGreaterThan(0.95 * COUNT);
    expect(tally.coreWorse.length, 'core worse').toBeLessThanOrEqual(MISSES_MAX);
    expect(tally.twinWorse.length, 'twin worse').toBeLessThanOrEqual(MISSES_MAX);
    expect(tally.statusDiffers.length, 'status').toBeLessThanOrEqual(MISSES_MAX);
  });
});
