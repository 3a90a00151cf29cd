// The core compiled to machine code answers byte for byte what the WASM answers: what the bench
// compares itself with, and what the fuzzer runs, is the same program.

import { describe, expect, test } from 'vitest';
import { HEADER } from '../../solver/engine/abi.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import { generate, SMOOTH } from '../engine/generate.ts';
import { dumpImage, solveImage } from './dump.ts';
import { nativeBuild, nativeSolve, nativeTimes } from './native.ts';

const build = nativeBuild();
if ('missing' in build) console.log(build.missing);
const present = !('missing' in build);

/** The generator may draw a portfolio that holds nothing in any target: not a problem. */
function imageOf(seed: number): Uint8Array | null {
  const mix = { ...SMOOTH, linear: (seed % 4) * 0.2, fixedCost: seed % 3 === 0 ? 1 : 0 };
  const { problem } = generate(seed, mix, seed % 2 === 0 ? 'swap' : 'rebalance');
  try {
    return dumpImage(parseProblem(problem));
  } catch (error) {
    if (error instanceof InvalidInput) return null;
    throw error;
  }
}

describe.skipIf(!present)('the core through wasm2c', () => {
  test.each(['native', 'portable'] as const)(
    'behavior: %s bytes equal the WASM’s',
    async (kind) => {
      let compared = 0;
      for (let seed = 1; seed <= 40; seed++) {
        const image = imageOf(seed);
        if (image === null) continue;
        const wanted = solveImage(image);
        const run = await nativeSolve(image, 2, kind);
        const status = new DataView(wanted.buffer).getInt32(HEADER.status, true);
        expect(run?.status, `seed ${seed}`).toBe(status);
        expect(Buffer.compare(run?.bytes ?? new Uint8Array(), wanted), `seed ${seed}`).toBe(0);
        compared++;
      }
      expect(compared).toBeGreaterThan(30);
    },
  );

  test('behavior: times are in order', async () => {
    const image = dumpImage(parseProblem(generate(2, SMOOTH, 'swap').problem));
    const times = await nativeTimes(image, 50);
    expect(times?.p50Ns).toBeGreaterThan(0);
    expect(times?.p99Ns).toBeGreaterThanOrEqual(times?.p50Ns ?? 0);
  });
});
