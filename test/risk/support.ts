// What the risk kernel's tests share: the kernel over the built core, vectors, random covariances.

import { readFileSync } from 'node:fs';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { Random } from '../engine/generate.ts';

export function newKernel(): ReturnType<typeof createRiskKernel> {
  return createRiskKernel(new Uint8Array(readFileSync('.build/trimtab.wasm')));
}

export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(`test/vectors/${name}.json`, 'utf8')) as T;
}

export function at(values: ArrayLike<number>, k: number): number {
  const value = values[k];
  if (value === undefined) throw new Error(`nothing at ${k}`);
  return value;
}

/** |a − b| in units of `scale`. */
export function apart(a: number, b: number, scale = Math.abs(b)): number {
  return a === b ? 0 : Math.abs(a - b) / scale;
}

/** The pointer of the InvalidInput that `run` throws; any other outcome is an error. */
export function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidInput) return error.pointer;
    throw error;
  }
  throw new Error('was not refused');
}

/** Standard normal numbers (Box, Muller 1958). */
export function normal(rng: Random): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}

/** Volatilities in 0.02 … 2, as many factors as asked for: few make it singular, signs mix. */
export function randomCovariance(rng: Random, n: number, factors: number): Float64Array {
  const volatility = Array.from({ length: n }, () => 0.02 * 100 ** rng.next());
  const loading = Array.from({ length: n * factors }, () => normal(rng));
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let [sum, own, other] = [0, 0, 0];
      for (let f = 0; f < factors; f++) {
        const [a, b] = [at(loading, i * factors + f), at(loading, j * factors + f)];
        sum += a * b;
        own += a * a;
        other += b * b;
      }
      const correlation = i === j ? 1 : sum / Math.sqrt(own * other);
      const cell = correlation * at(volatility, i) * at(volatility, j);
      matrix[i * n + j] = cell;
      matrix[j * n + i] = cell;
    }
  }
  return matrix;
}
