// Covariances against their definition, and the pivots that say what can be one against eigenvalues.

import { describe, expect, test } from 'vitest';
import { PIVOT_TOLERANCE } from '../../solver/types/risk.ts';
import { type Random, random } from '../engine/generate.ts';
import { covariance, leastEigenvalue } from '../twin/risk/covariance.ts';
import { apart, at, newKernel, normal, randomCovariance, refusalOf } from './support.ts';

const kernel = newKernel();
const SEED = 20_261_121;

function randomReturns(rng: Random, rows: number, assets: number): Float64Array {
  const size = Array.from({ length: assets }, () => 10 ** rng.between(-6, 0));
  return Float64Array.from({ length: rows * assets }, (_, k) => normal(rng) * at(size, k % assets));
}

describe('covariance', () => {
  test('default: one asset, equal weights: the mean square, annual', () => {
    const returns = Float64Array.of(0.01, -0.02, 0.03);
    const expected = (365 * (0.01 ** 2 + 0.02 ** 2 + 0.03 ** 2)) / 3;
    expect(at(kernel.covariance(returns, 1, 1, 365), 0)).toBeCloseTo(expected, 15);
  });

  test('default: weights fall with age, the last row is the newest', () => {
    const [found] = kernel.covariance(Float64Array.of(0.1, 0.2), 1, 0.5, 1);
    expect(found).toBeCloseTo((0.5 * 0.01 + 0.04) / 1.5, 16);
  });

  test('property: the definition, for any rows, assets and decay', () => {
    const rng = random(SEED);
    let worst = 0;
    for (let k = 0; k < 1000; k++) {
      const [rows, assets] = [rng.integer(1, 60), rng.integer(1, 12)];
      const returns = randomReturns(rng, rows, assets);
      const decay = rng.pick([1, 0.94, 0.5, 0.999, rng.between(0.01, 1)]);
      const found = kernel.covariance(returns, assets, decay, 8760);
      const expected = covariance(returns, assets, decay, 8760);
      let error = 0;
      expected.forEach((cell, at2) => {
        const [i, j] = [Math.floor(at2 / assets), at2 % assets];
        const scale = Math.sqrt(at(expected, i * assets + i) * at(expected, j * assets + j));
        error = Math.max(error, apart(at(found, at2), cell, scale));
        if (at(found, at2) !== at(found, j * assets + i)) error = Infinity;
      });
      worst = Math.max(worst, error);
      expect(error, `seed ${SEED}, case ${k}`).toBeLessThan(1e-14);
    }
    console.log(`seed ${SEED}: twin, worst ${worst.toExponential(1)}`);
  });

  test('property: semidefinite, with fewer rows than assets and with equal columns', () => {
    const rng = random(SEED + 1);
    let least = 0;
    for (let k = 0; k < 400; k++) {
      const assets = k % 40 === 0 ? 64 : rng.integer(2, 20);
      const rows = rng.integer(1, 2 * assets);
      const returns = randomReturns(rng, rows, assets);
      if (k % 3 === 0) {
        for (let row = 0; row < rows; row++) {
          returns[row * assets] = -3 * at(returns, row * assets + 1);
        }
      }
      const pivot = kernel.smallestPivot(kernel.covariance(returns, assets, 0.97, 365));
      least = Math.min(least, pivot);
      expect(pivot, `seed ${SEED + 1}, case ${k}`).toBeGreaterThan(-PIVOT_TOLERANCE / 100);
    }
    console.log(`seed ${SEED + 1}: smallest pivot ${least.toExponential(1)}`);
  });

  test('behavior: 64 assets over 100,000 rows', () => {
    const rng = random(SEED + 2);
    const returns = Float64Array.from({ length: 6_400_000 }, () => rng.next() - 0.5);
    const found = kernel.covariance(returns, 64, 1, 1);
    // Uniform numbers: variance 1/12, independent; five standard errors.
    const bound = 5 / Math.sqrt(100_000);
    let worst = 0;
    for (let i = 0; i < 64; i++) {
      for (let j = 0; j < 64; j++) {
        const expected = i === j ? 1 / 12 : 0;
        worst = Math.max(worst, Math.abs(at(found, i * 64 + j) - expected));
      }
    }
    expect(worst).toBeLessThan(bound / 12);
  });

  test('behavior: a column of zeros is an asset without risk', () => {
    const found = kernel.covariance(Float64Array.of(0.1, 0, -0.2, 0), 2, 0.9, 1);
    expect([at(found, 1), at(found, 2), at(found, 3)]).toEqual([0, 0, 0]);
    expect(kernel.smallestPivot(found)).toBe(0);
  });

  test('error: bad returns, counts and rates are refused by name', () => {
    const row = Float64Array.of(0.1, 0.2);
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const bad = Float64Array.of(0.1, 0.2, 0.3, value, 0.1, 0.1);
      expect(refusalOf(() => kernel.covariance(bad, 2, 0.9, 1))).toBe('/returns/3');
      expect(refusalOf(() => kernel.covariance(row, 2, value, 1))).toBe('/decay');
      expect(refusalOf(() => kernel.covariance(row, 2, 1, value))).toBe('/perYear');
      expect(refusalOf(() => kernel.covariance(row, value, 1, 1))).toBe('/assets');
    }
    for (const decay of [0, -0.5, 1.01]) {
      expect(refusalOf(() => kernel.covariance(row, 2, decay, 1))).toBe('/decay');
    }
    for (const perYear of [0, -1]) {
      expect(refusalOf(() => kernel.covariance(row, 2, 1, perYear))).toBe('/perYear');
    }
    for (const assets of [0, -1, 1.5]) {
      expect(refusalOf(() => kernel.covariance(row, assets, 1, 1))).toBe('/assets');
    }
    expect(refusalOf(() => kernel.covariance(row, 3, 1, 1))).toBe('/returns');
    expect(refusalOf(() => kernel.covariance(new Float64Array(0), 2, 1, 1))).toBe('/returns');
    expect(refusalOf(() => kernel.covariance(new Float64Array(65), 65, 1, 1))).toBe('/returns');
    expect(refusalOf(() => kernel.covariance(Float64Array.of(1e200), 1, 1, 1))).toBe('/returns');
    // An old NaN counts, however light its row; at decay 0.1 rows weigh nothing after 290.
    for (const decay of [1, 0.94, 0.1]) {
      const old = new Float64Array(500).fill(0.01);
      old[3] = Number.NaN;
      expect(refusalOf(() => kernel.covariance(old, 1, decay, 1))).toBe('/returns/3');
    }
  });
});

describe('smallestPivot', () => {
  test('default: of independent assets it is 1, of equal ones 0', () => {
    expect(kernel.smallestPivot(Float64Array.of(4, 0, 0, 9))).toBe(1);
    expect(kernel.smallestPivot(Float64Array.of(4, 6, 6, 9))).toBe(0);
    expect(kernel.smallestPivot(Float64Array.of(0))).toBe(0);
  });

  test('property: semidefinite by pivots if and only if by eigenvalues', () => {
    const rng = random(SEED + 3);
    let [semidefinite, not] = [0, 0];
    for (let k = 0; k < 1500; k++) {
      const n = rng.integer(1, 12);
      const matrix = randomCovariance(rng, n, rng.integer(1, 2 * n));
      // Push one cell so that about half of them are no covariances any more.
      if (k % 2 === 0 && n > 1) {
        const [i, j] = [rng.integer(1, n - 1), 0];
        const scale = Math.sqrt(at(matrix, i * n + i) * at(matrix, j * n + j));
        const cell = at(matrix, i * n + j) + 10 ** rng.between(-6, 0) * scale;
        matrix[i * n + j] = cell;
        matrix[j * n + i] = cell;
      }
      const least = leastEigenvalue(matrix);
      const pivot = kernel.smallestPivot(matrix);
      const label = `seed ${SEED + 3}, case ${k}: eigenvalue ${least}, pivot ${pivot}`;
      if (least > -1e-13) {
        semidefinite++;
        expect(pivot, label).toBeGreaterThan(-PIVOT_TOLERANCE);
      } else if (least < -1e-9) {
        not++;
        expect(pivot, label).toBeLessThan(-PIVOT_TOLERANCE);
      }
    }
    expect(Math.min(semidefinite, not)).toBeGreaterThan(200);
  });

  test('behavior: signs that cannot be: below zero, or beside a variance of zero', () => {
    expect(kernel.smallestPivot(Float64Array.of(-1))).toBeLessThan(-PIVOT_TOLERANCE);
    expect(kernel.smallestPivot(Float64Array.of(0, 0.1, 0.1, 1))).toBeLessThan(-PIVOT_TOLERANCE);
    expect(kernel.smallestPivot(Float64Array.of(1, 1.001, 1.001, 1))).toBeLessThan(
      -PIVOT_TOLERANCE,
    );
  });

  test('error: not square, not symmetric, not finite, too large', () => {
    const refused = (cells: readonly number[]) =>
      refusalOf(() => kernel.smallestPivot(Float64Array.from(cells)));
    expect(refused([])).toBe('/covariance');
    expect(refused([1, 0, 0])).toBe('/covariance');
    expect(refused([1, 0.1, 0.2, 1])).toBe('/covariance');
    expect(refused([1, 0, 0, Number.NaN])).toBe('/covariance/3');
    expect(refused(Array.from({ length: 65 * 65 }, () => 0))).toBe('/covariance');
  });
});
