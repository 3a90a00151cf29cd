// The ellipsoid against its vectors, its defining equation and a simulation of what it costs.

import { describe, expect, test } from 'vitest';
import { noTradeEllipsoid } from '../../../solver/policy/bands/ellipsoid.ts';
import { product, symmetricEigen } from '../../../solver/policy/risk/linear.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { normal, vectors } from '../../risk/support.ts';
import { covarianceOf, forSeeds } from '../draws.ts';
import { allNear, matrix, near } from '../near.ts';

interface Case {
  readonly K: number[][];
  readonly S: number[][];
  readonly F: number;
  readonly M: number[][];
  readonly avg_cost: number;
}

/** Largest entry of K − 4F(tr(SM)M + 2MSM), relative to K's. */
function residual(k: Float64Array, s: Float64Array, fixed: number, m: Float64Array): number {
  const size = Math.sqrt(k.length);
  const sm = product(s, m, size);
  const trace = Array.from({ length: size }, (_, i) => sm[i * size + i] ?? 0).reduce(
    (a, b) => a + b,
  );
  const msm = product(m, sm, size);
  const off = k.map((x, i) => Math.abs(x - 4 * fixed * (trace * (m[i] ?? 0) + 2 * (msm[i] ?? 0))));
  return Math.max(...off) / Math.max(...k.map(Math.abs));
}

describe('noTradeEllipsoid', () => {
  test('default: multi_asset_fixed_cost_ellipsoid.json', () => {
    const { cases } = vectors<{ cases: Case[] }>('multi_asset_fixed_cost_ellipsoid');
    expect(cases).toHaveLength(4);
    for (const { K, S, F, M, avg_cost } of cases) {
      const region = noTradeEllipsoid({ tracking: matrix(K), drift: matrix(S), fixed: F });
      allNear(region.matrix, M.flat());
      near(region.averageCost, avg_cost);
    }
  });

  test('default: one asset, M = √(κ/12FS) and the edge at (12FS/κ)^¼', () => {
    const [kappa, s, fixed] = [3, 0.2, 1e-4];
    const one = noTradeEllipsoid({
      tracking: Float64Array.of(kappa),
      drift: Float64Array.of(s),
      fixed,
    });
    near(one.matrix[0], Math.sqrt(kappa / (12 * fixed * s)));
    // POLICY.md's H = (12Fs²/κ)^¼ stands on the ellipsoid.
    near(one.excess(Float64Array.of(((12 * fixed * s) / kappa) ** 0.25)), 1);
  });

  test('property: solves its equation, semidefinite, scales as F^−½, singular K and S too', () => {
    forSeeds(300, (rng, seed) => {
      const size = rng.integer(1, 8);
      const tracking = covarianceOf(rng, size, rng.integer(1, size)).map((x) => 5 * x);
      const drift = covarianceOf(rng, size, rng.integer(1, size)).map((x) => x / 10);
      const fixed = 10 ** rng.between(-7, -2);
      const region = noTradeEllipsoid({ tracking, drift, fixed });
      expect(residual(tracking, drift, fixed, region.matrix), `seed ${seed}`).toBeLessThan(1e-10);
      const { values } = symmetricEigen(region.matrix, size);
      expect(Math.min(...values), `seed ${seed}`).toBeGreaterThan(-1e-9 * Math.max(...values));
      const quarter = noTradeEllipsoid({ tracking, drift, fixed: fixed / 4 });
      allNear(
        quarter.matrix,
        [...region.matrix].map((x) => 2 * x),
        1e-8,
      );
    });
  });

  test('property: simulated costs of the region in two dimensions are 2F·tr(SM) within 5 %', () => {
    const rng = random(7);
    const [k, fixed, step] = [4, 1e-4, 1e-4];
    const tracking = Float64Array.of(k, 0, 0, k);
    const region = noTradeEllipsoid({ tracking, drift: Float64Array.of(0.1, 0, 0, 0.1), fixed });
    let [x, y, cost] = [0, 0, 0];
    const steps = 400_000;
    for (let i = 0; i < steps; i++) {
      x += Math.sqrt(0.1 * step) * normal(rng);
      y += Math.sqrt(0.1 * step) * normal(rng);
      cost += 0.5 * k * (x * x + y * y) * step;
      if (region.excess(Float64Array.of(x, y)) > 1) {
        cost += fixed;
        [x, y] = [0, 0];
      }
    }
    near(cost / (steps * step), region.averageCost, 0.05);
  });

  test('error: no drift, no cost, no symmetry', () => {
    const [one, zero] = [Float64Array.of(1), Float64Array.of(0)];
    expect(() => noTradeEllipsoid({ tracking: one, drift: zero, fixed: 1 })).toThrow(InvalidInput);
    expect(() => noTradeEllipsoid({ tracking: zero, drift: one, fixed: 1 })).toThrow(InvalidInput);
    expect(() => noTradeEllipsoid({ tracking: one, drift: one, fixed: 0 })).toThrow(/above 0/);
    const skew = Float64Array.of(1, 0.5, 0.4, 1);
    expect(() => noTradeEllipsoid({ tracking: skew, drift: skew, fixed: 1 })).toThrow(/symmetric/);
    const nan = Float64Array.of(Number.NaN);
    expect(() => noTradeEllipsoid({ tracking: one, drift: nan, fixed: 1 })).toThrow(/finite/);
  });
});
