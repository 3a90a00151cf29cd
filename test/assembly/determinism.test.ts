// Same bytes in, same bytes out: in any instance, after any other problems, on any thread. The native
// build and the browser are held to the same bytes by test/native and test/e2e/browser.test.ts.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCore, createEngine } from '../../solver/engine/engine.ts';
import { createEnginePool } from '../../solver/engine/pool.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import { generate, random, SMOOTH } from '../engine/generate.ts';
import { dumpImage, newInstance, solveImage, solveIn } from '../native/dump.ts';

const wasmBytes = new Uint8Array(readFileSync('.build/trimtab.wasm'));
const COUNT = 60;

/** The generator may draw a portfolio that holds nothing in any target: not a problem. */
function problems(): readonly ParsedProblem[] {
  return Array.from({ length: COUNT }, (_, k) => {
    const mix = { ...SMOOTH, linear: (k % 4) * 0.2, fixedCost: k % 3 === 0 ? 1 : 0 };
    try {
      return [parseProblem(generate(500 + k, mix, k % 2 === 0 ? 'swap' : 'rebalance').problem)];
    } catch (error) {
      if (error instanceof InvalidInput) return [];
      throw error;
    }
  }).flat();
}

const all = problems();
const images = all.map(dumpImage);

function pick<T>(items: readonly T[], k: number): T {
  const item = items[k];
  if (item === undefined) throw new Error(`nothing at ${k}`);
  return item;
}

describe('determinism', () => {
  test('behavior: a new instance answers as one that has solved all the others', () => {
    const used = newInstance();
    images.forEach((image, k) => {
      expect(Buffer.compare(solveIn(used, image), solveImage(image)), `problem ${k}`).toBe(0);
    });
  });

  test('property: any order of problems, again and again', () => {
    const seed = 20_261_121;
    const rng = random(seed);
    const used = newInstance();
    const answers = images.map(solveImage);
    for (let round = 0; round < 300; round++) {
      const k = rng.integer(0, images.length - 1);
      const same = Buffer.compare(solveIn(used, pick(images, k)), pick(answers, k));
      expect(same, `seed ${seed}, round ${round}, problem ${k}`).toBe(0);
    }
  });

  test('behavior: neither do wild bytes in between leave a trace', () => {
    const rng = random(7);
    const used = newInstance();
    images.forEach((image, k) => {
      const wild = image.slice();
      const view = new DataView(wild.buffer);
      for (let hit = 0; hit < 20; hit++) {
        const at = rng.integer(256, wild.length - 8) & ~7;
        view.setFloat64(at, 10 ** rng.between(-300, 300), true);
      }
      solveIn(used, wild);
      expect(Buffer.compare(solveIn(used, image), solveImage(image)), `problem ${k}`).toBe(0);
    });
  });

  test('behavior: two engines and a pool of two threads give the same digits', async () => {
    const pool = createEnginePool({ wasmBytes, size: 2 });
    try {
      const pooled = await Promise.all(all.map((problem) => pool.solve(problem)));
      const [one, two] = [createEngine(wasmBytes), createCore(wasmBytes)];
      expect(pooled).toEqual(all.map((problem) => one.solve(problem)));
      expect(pooled).toEqual(
        all
          .toReversed()
          .map((problem) => two.solve(problem))
          .toReversed(),
      );
    } finally {
      await pool.close();
    }
  });
});
