// Growth of constant mixes and liquidity positions: vectors, signs and simulated paths.

import { describe, expect, test } from 'vitest';
import {
  constantLeverageGrowth,
  constantMixGrowth,
  excessGrowth,
} from '../../../solver/policy/risk/growth.ts';
import {
  impermanentLoss,
  lvrRate,
  rangeHoldings,
  rangeImpermanentLoss,
  rangeLvrRate,
  rangeWorth,
} from '../../../solver/policy/risk/liquidity.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { normal, vectors } from '../../risk/support.ts';
import { covarianceOf, forSeeds, weightsOf } from '../draws.ts';
import { near } from '../near.ts';

interface Vectors {
  readonly il: readonly {
    r: number;
    v2_il: number;
    weighted_80_20: number;
    weighted_5030: number;
  }[];
  readonly lvr: readonly { sigma: number; w: number; lvr_per_year: number }[];
  readonly leverage_decay: readonly {
    L: number;
    sigma: number;
    T: number;
    spot_ratio: number;
    value_ratio: number;
  }[];
  readonly excess_growth: readonly {
    w: number[];
    vol: number[];
    rho_btc_eth: number;
    value: number;
  }[];
}
const file = vectors<Vectors>('il_lvr_constmix');

describe('excessGrowth', () => {
  test('default: il_lvr_constmix.json', () => {
    expect(file.excess_growth).toHaveLength(1);
    for (const { w, vol, rho_btc_eth, value } of file.excess_growth) {
      const covariance = vol.flatMap((a, i) =>
        vol.map((b, j) => a * b * (i === j ? 1 : rho_btc_eth)),
      );
      near(excessGrowth(Float64Array.from(w), Float64Array.from(covariance)), value);
    }
  });

  test('property: never below 0 for long-only weights, 0 in one asset alone', () => {
    forSeeds(300, (rng, seed) => {
      const size = rng.integer(1, 8);
      const covariance = covarianceOf(rng, size, rng.integer(1, size));
      const growth = excessGrowth(weightsOf(rng, size), covariance);
      expect(growth, `seed ${seed}`).toBeGreaterThan(-1e-12);
      const alone = new Float64Array(size).fill(1, 0, 1);
      near(excessGrowth(alone, covariance), 0, 1e-12, 1);
    });
  });
});

describe('constantMixGrowth', () => {
  test('property: a path rebalanced every step ends where the closed form says', () => {
    const rng = random(11);
    const weights = Float64Array.of(0.5, 0.3, 0.2);
    const [a, b, rho] = [0.65, 0.85, 0.8];
    const covariance = Float64Array.of(a * a, rho * a * b, 0, rho * a * b, b * b, 0, 0, 0, 0);
    const steps = 100_000;
    const root = Math.sqrt(1 / steps);
    let [worth, one, other] = [1, 1, 1];
    for (let k = 0; k < steps; k++) {
      const x = normal(rng);
      const y = rho * x + Math.sqrt(1 - rho * rho) * normal(rng);
      const [r, s] = [Math.expm1(a * root * x), Math.expm1(b * root * y)];
      worth *= 1 + 0.5 * r + 0.3 * s;
      one *= 1 + r;
      other *= 1 + s;
    }
    // What is left is the sampling error of the path's own variance: about √(2/steps).
    near(worth, constantMixGrowth(weights, covariance, Float64Array.of(one, other, 1), 1), 1e-3);
  });

  test('error: a price ratio of 0', () => {
    const one = Float64Array.of(1);
    expect(() => constantMixGrowth(one, one, Float64Array.of(0), 1)).toThrow(InvalidInput);
  });
});

describe('constantLeverageGrowth', () => {
  test('default: il_lvr_constmix.json', () => {
    expect(file.leverage_decay).toHaveLength(6);
    for (const { L, sigma, T, spot_ratio, value_ratio } of file.leverage_decay) {
      near(constantLeverageGrowth(L, spot_ratio, sigma, T), value_ratio);
    }
  });

  test('behavior: leverage below 1 is a constant mix with cash', () => {
    const [w, sigma] = [0.5, 0.8];
    near(
      constantLeverageGrowth(w, 1.3, sigma, 2),
      constantMixGrowth(
        Float64Array.of(w, 1 - w),
        Float64Array.of(sigma * sigma, 0, 0, 0),
        Float64Array.of(1.3, 1),
        2,
      ),
    );
  });
});

describe('impermanentLoss', () => {
  test('default: il_lvr_constmix.json', () => {
    expect(file.il).toHaveLength(9);
    for (const { r, v2_il, weighted_80_20, weighted_5030 } of file.il) {
      near(impermanentLoss(r), v2_il);
      near(impermanentLoss(r, 0.8), weighted_80_20);
      // The file's name says 50/30, its figures are those of equal weights.
      near(impermanentLoss(r, 0.5), weighted_5030);
    }
  });

  test('property: never above 0; small moves lose ½w(1 − w)·move²', () => {
    forSeeds(300, (rng, seed) => {
      const [ratio, weight] = [10 ** rng.between(-3, 3), rng.next()];
      expect(impermanentLoss(ratio, weight), `seed ${seed}`).toBeLessThanOrEqual(0);
      near(impermanentLoss(1 + 1e-5, weight), -0.5 * weight * (1 - weight) * 1e-10, 1e-4, 1e-10);
    });
  });

  test('error: a price ratio of 0, a weight above 1', () => {
    expect(() => impermanentLoss(0)).toThrow(/above 0/);
    expect(() => impermanentLoss(2, 1.1)).toThrow(/from 0 to 1/);
  });
});

describe('lvrRate', () => {
  test('default: il_lvr_constmix.json', () => {
    expect(file.lvr).toHaveLength(12);
    for (const { sigma, w, lvr_per_year } of file.lvr) near(lvrRate(sigma, w), lvr_per_year);
  });

  test('behavior: it is the excess growth of the same weights', () => {
    const [w, sigma] = [0.3, 0.7];
    const mix = excessGrowth(Float64Array.of(w, 1 - w), Float64Array.of(sigma * sigma, 0, 0, 0));
    near(lvrRate(sigma, w), mix);
  });
});

describe('a concentrated range', () => {
  test('behavior: the whole line is constant product', () => {
    const range = { lower: 0, upper: Number.POSITIVE_INFINITY };
    for (const ratio of [0.25, 0.9, 1, 1.7, 5]) {
      near(rangeImpermanentLoss(100, 100 * ratio, range), impermanentLoss(ratio), 1e-9, 1);
      near(rangeLvrRate(0.8, ratio, range), lvrRate(0.8));
    }
  });

  test('property: losses ≤ 0, LVR ≥ 0 and is −½σ²P²V″/V; nothing outside', () => {
    forSeeds(200, (rng, seed) => {
      const lower = rng.between(10, 1000);
      const range = { lower, upper: lower * (1 + rng.between(0.05, 3)) };
      const price = lower + rng.between(0.1, 0.9) * (range.upper - lower);
      const to = lower * rng.between(0.2, 5);
      expect(rangeImpermanentLoss(price, to, range), `seed ${seed}`).toBeLessThanOrEqual(0);
      const h = price * 1e-4;
      const at = (p: number) => rangeWorth(p, range);
      const bend = (at(price + h) - 2 * at(price) + at(price - h)) / (h * h);
      near(rangeLvrRate(0.6, price, range), (-0.18 * price ** 2 * bend) / at(price), 1e-4);
      expect(rangeLvrRate(0.6, range.upper * 1.01, range)).toBe(0);
      // Narrower ranges lose faster: more liquidity for the same worth.
      expect(rangeLvrRate(0.6, price, range)).toBeGreaterThan(lvrRate(0.6));
    });
  });

  test('behavior: above the range all quote, below it all base', () => {
    const range = { lower: 1, upper: 4 };
    expect(rangeHoldings(9, range)).toEqual({ base: 0, quote: 1 });
    expect(rangeHoldings(0.5, range)).toEqual({ base: 0.5, quote: 0 });
    expect(() => rangeHoldings(1, { lower: 2, upper: 2 })).toThrow(InvalidInput);
  });
});
