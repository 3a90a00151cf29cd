// Gârleanu–Pedersen: vectors, the Riccati iteration, and no loss of digits at the ends.

import { describe, expect, test } from 'vitest';
import { aimMatrix, stepToAim, tradingRate } from '../../../solver/policy/risk/aim.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { vectors } from '../../risk/support.ts';
import { forSeeds } from '../draws.ts';
import { allNear, matrix, near } from '../near.ts';

interface Case {
  readonly gamma: number;
  readonly lam: number;
  readonly rho: number;
  readonly phi: number[];
  readonly Sigma: number[][];
  readonly B: number[][];
  readonly a: number;
  readonly trade_rate_a_over_lambda: number;
  readonly aim_matrix: number[][];
  readonly riccati_fixed_point: number;
}

const { cases } = vectors<{ cases: Case[] }>('garleanu_pedersen');
const viewOf = ({ gamma, lam, rho, phi, Sigma, B }: Case) => ({
  aversion: gamma,
  cost: lam,
  discount: rho,
  covariance: matrix(Sigma),
  loadings: matrix(B),
  fading: Float64Array.from(phi),
});

/** A ← λ − λ²/((1 − ρ)(γ + A) + λ), a contraction. */
function riccati(gamma: number, cost: number, discount: number): number {
  let a = 0;
  for (let k = 0; k < 100_000; k++) {
    a = cost - cost ** 2 / ((1 - discount) * (gamma + a) + cost);
  }
  return a;
}

describe('tradingRate', () => {
  test('default: garleanu_pedersen.json', () => {
    expect(cases).toHaveLength(4);
    for (const one of cases) {
      const { a, rate } = tradingRate(one.gamma, one.lam, one.rho);
      near(a, one.a);
      near(rate, one.trade_rate_a_over_lambda);
      near(a, one.riccati_fixed_point);
    }
  });

  test('property: fixed point of Riccati, rate in (0, 1), faster when trading is cheap', () => {
    forSeeds(30, (rng, seed) => {
      const [gamma, cost] = [10 ** rng.between(-2, 2), 10 ** rng.between(-2, 2)];
      const discount = rng.between(0, 0.2);
      const { a, rate } = tradingRate(gamma, cost, discount);
      near(a, riccati(gamma, cost, discount), 1e-9);
      expect(rate, `seed ${seed}`).toBeGreaterThan(0);
      expect(rate, `seed ${seed}`).toBeLessThan(1);
      expect(tradingRate(gamma, cost / 2, discount).rate).toBeGreaterThan(rate);
    });
  });

  test('error: a discount of 1, a cost of 0', () => {
    expect(() => tradingRate(1, 1, 1)).toThrow(InvalidInput);
    expect(() => tradingRate(1, 0, 0)).toThrow(/above 0/);
  });
});

describe('aimMatrix', () => {
  test('default: garleanu_pedersen.json', () => {
    for (const one of cases) allNear(aimMatrix(viewOf(one)), one.aim_matrix.flat());
  });

  test('behavior: a step closes a/λ of the distance to the aim', () => {
    const [one] = cases;
    if (one === undefined) throw new Error('no case');
    const held = Float64Array.of(10, -5);
    const { aim, next } = stepToAim(viewOf(one), held, Float64Array.of(0.01, -0.02));
    const [m] = one.aim_matrix;
    near(aim[0], (m?.[0] ?? 0) * 0.01 - (m?.[1] ?? 0) * 0.02);
    near(next[0], 10 + one.trade_rate_a_over_lambda * ((aim[0] ?? 0) - 10));
  });

  test('error: a covariance without inverse', () => {
    const [one] = cases;
    if (one === undefined) throw new Error('no case');
    const covariance = Float64Array.of(1, 1, 1, 1);
    expect(() => aimMatrix({ ...viewOf(one), covariance })).toThrow(/no inverse/);
  });
});
