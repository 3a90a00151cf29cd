// The column of the same .wasm translated to C and compiled with -O3 -march=native (test/native): what the
// machine could do with our own arithmetic. It runs beside, a process per case, on the same image.

import { readFileSync } from 'node:fs';
import { createCore } from '../../solver/engine/engine.ts';
import { nativeBuild, nativeTimes } from '../native/native.ts';
import type { Engine, Missing } from './rivals.ts';
import { WASM } from './wasm.ts';

const ROUNDS = 9;

export function nativeEngine(): Engine | Missing {
  const build = nativeBuild();
  if ('missing' in build) return { name: 'native', missing: build.missing };
  const codec = createCore(readFileSync(WASM));
  return {
    name: 'native',
    roundsMax: 1,
    open({ problem }) {
      const image = new Uint8Array(codec.encode(problem).bytes);
      return {
        async run() {
          const times = await nativeTimes(image, ROUNDS);
          const load = times?.loadP50Ns ?? Number.NaN;
          return { cold: (times?.p50Ns ?? Number.NaN) - load, load };
        },
        // Byte for byte the WASM's (test/native/native.test.ts): nothing of its own to compare.
        outcome: () => null,
      };
    },
  };
}
