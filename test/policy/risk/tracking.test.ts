// Drift, tracking error, contributions and attribution: closed forms and Euler's sums.

import { describe, expect, test } from 'vitest';
import {
  attribution,
  drift,
  riskContributions,
  trackingError,
} from '../../../solver/policy/risk/tracking.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { normal } from '../../risk/support.ts';
import { covarianceOf, forSeeds, weightsOf } from '../draws.ts';
import { allNear, near } from '../near.ts';

const SIGMA = Float64Array.of(0.4225, 0.442, 0, 0.442, 0.7225, 0, 0, 0, 0);

describe('trackingError', () => {
  test('default: by hand, 50/30/20 BTC/ETH/cash two points over in BTC against cash', () => {
    const e = drift(Float64Array.of(0.52, 0.3, 0.18), Float64Array.of(0.5, 0.3, 0.2));
    allNear(e, [0.02, 0, -0.02]);
    near(trackingError(e, SIGMA), 0.02 * 0.65);
  });

  test('behavior: assets that move as one leave no tracking error, not NaN', () => {
    const same = Float64Array.of(0.49, 0.49, 0.49, 0.49);
    expect(trackingError(Float64Array.of(0.1, -0.1), same)).toBe(0);
  });

  test('error: lengths, NaN and asymmetry are refused with a pointer', () => {
    const e = Float64Array.of(0.1, -0.1);
    expect(() => trackingError(e, SIGMA)).toThrow(InvalidInput);
    expect(() => drift(e, SIGMA)).toThrow(/entries/);
    expect(() =>
      trackingError(Float64Array.of(Number.NaN, 0), Float64Array.of(1, 0, 0, 1)),
    ).toThrow(/finite/);
    expect(() => trackingError(e, Float64Array.of(1, 0.2, 0.3, 1))).toThrow(/symmetric/);
    expect(() => trackingError(e, Float64Array.of(-1, 0, 0, 1))).toThrow(/below 0/);
  });
});

describe('riskContributions', () => {
  test('property: parts sum to σ, shares to 1, and parts are wᵢ ∂σ/∂wᵢ', () => {
    forSeeds(100, (rng) => {
      const size = rng.integer(2, 8);
      const covariance = covarianceOf(rng, size);
      const weights = weightsOf(rng, size);
      const { volatility, parts, shares } = riskContributions(weights, covariance);
      near(
        parts.reduce((a, b) => a + b),
        volatility,
      );
      near(
        shares.reduce((a, b) => a + b),
        1,
      );
      const step = 1e-6;
      const at = (i: number, by: number) =>
        trackingError(
          weights.map((w, k) => (k === i ? w + by : w)),
          covariance,
        );
      const slopes = Array.from(weights, (w, i) => (w * (at(i, step) - at(i, -step))) / (2 * step));
      allNear(parts, slopes, 1e-6);
    });
  });

  test('behavior: no risk, no shares', () => {
    const { shares } = riskContributions(Float64Array.of(0, 0, 1), SIGMA);
    expect([...shares]).toEqual([0, 0, 0]);
  });
});

describe('attribution', () => {
  test('property: by asset it adds up to the active return; risk shares to 1', () => {
    forSeeds(50, (rng) => {
      const [rows, size] = [rng.integer(1, 50), rng.integer(2, 5)];
      const targets = weightsOf(rng, size);
      const held = Float64Array.from(
        Array.from({ length: rows }, () => [...weightsOf(rng, size)]).flat(),
      );
      const returns = Float64Array.from({ length: rows * size }, () => 0.01 * normal(rng));
      const found = attribution(held, targets, returns, 8760);
      const active = Array.from({ length: rows }, (_, row) =>
        Array.from({ length: size }, (__, i) => {
          const k = row * size + i;
          return ((held[k] ?? 0) - (targets[i] ?? 0)) * (returns[k] ?? 0);
        }).reduce((a, b) => a + b),
      );
      near(
        found.total,
        active.reduce((a, b) => a + b),
        1e-9,
        0.01,
      );
      near(
        found.active.reduce((a, b) => a + b),
        found.total,
        1e-9,
        0.01,
      );
      near(found.trackingError, Math.sqrt((active.reduce((a, b) => a + b * b, 0) / rows) * 8760));
      near(
        found.riskShares.reduce((a, b) => a + b),
        1,
      );
    });
  });

  test('error: half a row', () => {
    const two = Float64Array.of(0.5, 0.5);
    expect(() => attribution(Float64Array.of(1, 0, 1), two, Float64Array.of(0, 0, 0), 1)).toThrow(
      /whole rows/,
    );
  });
});
