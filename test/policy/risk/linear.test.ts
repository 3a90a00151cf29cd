// The small linear algebra: decompositions multiply back, least squares leave orthogonal residuals.

import { describe, expect, test } from 'vitest';
import {
  at,
  leastSquares,
  product,
  symmetricEigen,
  times,
  transpose,
} from '../../../solver/policy/risk/linear.ts';
import { normal, randomCovariance } from '../../risk/support.ts';
import { forSeeds } from '../draws.ts';
import { allNear, near } from '../near.ts';

describe('symmetricEigen', () => {
  test('property: VDV′ is the matrix and V′V the identity, singular ones too', () => {
    forSeeds(200, (rng) => {
      const size = rng.integer(1, 12);
      const matrix = randomCovariance(rng, size, rng.integer(1, size));
      const { values, vectors } = symmetricEigen(matrix, size);
      const scaled = vectors.map((v, k) => v * at(values, k % size));
      allNear(product(scaled, transpose(vectors, size), size), [...matrix], 1e-12);
      const identity = Array.from({ length: size * size }, (_, k) =>
        k % (size + 1) === 0 ? 1 : 0,
      );
      allNear(product(transpose(vectors, size), vectors, size), identity, 1e-12);
    });
  });

  test('behavior: zeros and diagonals come back as they are', () => {
    expect([...symmetricEigen(new Float64Array(9), 3).values]).toEqual([0, 0, 0]);
    expect([...symmetricEigen(Float64Array.of(3, 0, 0, -2), 2).values]).toEqual([3, -2]);
  });
});

describe('leastSquares', () => {
  test('property: residuals are orthogonal to every column', () => {
    forSeeds(100, (rng, seed) => {
      const columns = rng.integer(1, 6);
      const rows = columns + rng.integer(0, 30);
      const x = Float64Array.from({ length: rows * columns }, () => normal(rng));
      const y = Float64Array.from({ length: rows }, () => normal(rng));
      const b = leastSquares(x, y, columns);
      if (b === null) throw new Error(`seed ${seed}: dependent`);
      const fitted = product(x, b, columns);
      const residual = y.map((value, k) => value - at(fitted, k));
      for (const along of product(transpose(x, columns), residual, rows)) {
        near(along, 0, 1e-10, 1);
      }
    });
  });

  test('behavior: ill-conditioned columns keep their digits; dependent ones are told', () => {
    // Normal equations would square 1e7 and be left with two digits.
    const x = Float64Array.of(1, 1, 1, 1 + 1e-7, 1, 1 - 1e-7);
    const y = times(
      Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
      Float64Array.of(3, 3 + 2e-7, 3 - 2e-7),
    );
    allNear(leastSquares(x, y, 2) ?? [], [1, 2], 1e-7);
    expect(leastSquares(Float64Array.of(1, 2, 2, 4, 3, 6), Float64Array.of(1, 2, 3), 2)).toBeNull();
  });
});
