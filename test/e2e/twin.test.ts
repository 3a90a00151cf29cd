// 100,000 random problems, core against twin: the families of the quick tests at length. TWIN_SHARD=k/n
// runs the k-th of n parts (1 … n); alone it is about eight minutes of one core.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { type Case, compare, report } from '../twin/compare.ts';
import {
  batchCase,
  chainsCase,
  convexCase,
  gasCase,
  poolsCase,
  riskCase,
} from '../twin/generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const FIRST_SEED = 1_000_000;
const PART = 2500;
const [shard = 1, shards = 1] = (process.env.TWIN_SHARD ?? '1/1').split('/').map(Number);

interface Family {
  readonly name: string;
  readonly count: number;
  readonly draw: (seed: number) => Case;
  /** Share of answers in which one may be worse than the other; 1 where use is a choice. */
  readonly worse: number;
}

const convex = (['smoothSwap', 'linearSwap', 'smoothPortfolio', 'linearPortfolio'] as const).map(
  (name): Family => {
    return { name, count: 22_500, draw: (seed) => convexCase(name, seed), worse: 0.01 };
  },
);

const families: readonly Family[] = [
  ...convex,
  { name: 'pools', count: 2500, draw: poolsCase, worse: 1 },
  { name: 'gas', count: 2500, draw: gasCase, worse: 1 },
  { name: 'chains', count: 1000, draw: chainsCase, worse: 1 },
  { name: 'risk', count: 2000, draw: riskCase, worse: 1 },
  { name: 'batch', count: 2000, draw: batchCase, worse: 1 },
];

interface Part extends Family {
  readonly first: number;
}

const parts = families
  .flatMap((family): Part[] =>
    Array.from({ length: Math.ceil(family.count / PART) }, (_, k) => ({
      ...family,
      first: FIRST_SEED + k * PART,
      count: Math.min(PART, family.count - k * PART),
    })),
  )
  .filter((_, k) => k % shards === shard - 1);

describe('twin, 100,000 problems', () => {
  test.each(parts)('conformance: $count of $name from seed $first', (part) => {
    const { name, first, count, draw, worse } = part;
    const tally = compare(
      engine,
      lazily(count, (k) => draw(first + k)),
    );
    console.log(report(`${name} ${first}`, tally));
    expect(tally.falseBounds).toEqual([]);
    expect(tally.coreWorse.length, 'core worse').toBeLessThanOrEqual(worse * count);
    expect(tally.twinWorse.length, 'twin worse').toBeLessThanOrEqual(worse * count);
  });
});

function* lazily(count: number, draw: (k: number) => Case): Iterable<Case> {
  for (let k = 0; k < count; k++) yield draw(k);
}
