// Seeded draws for properties of portfolio mathematics.

import { random } from '../engine/generate.ts';

export type Random = ReturnType<typeof random>;

/** Annual Σ = LL′ of `factors` factors, volatilities about 0.1 … 1.2; semidefinite. */
export function covarianceOf(rng: Random, size: number, factors = size): Float64Array {
  const loadings = Array.from({ length: size }, () =>
    Array.from({ length: factors }, () => rng.between(-0.3, 0.7)),
  );
  return Float64Array.from(
    loadings.flatMap((one) =>
      loadings.map((other) => one.reduce((sum, x, f) => sum + x * (other[f] ?? 0), 0)),
    ),
  );
}

/** Long-only weights that sum to 1, some of them 0. */
export function weightsOf(rng: Random, size: number): Float64Array {
  const parts = Float64Array.from({ length: size }, (_, i) =>
    i === 0 || rng.next() > 0.2 ? rng.next() + 1e-3 : 0,
  );
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

/** Runs a property for seeds 1 … count; what fails says its seed. */
export function forSeeds(count: number, property: (rng: Random, seed: number) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      property(random(seed), seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}
