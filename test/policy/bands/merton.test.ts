// The shadow-price region against its vectors, its differential equation and its limits.

import { describe, expect, test } from 'vitest';
import { mertonRegion } from '../../../solver/policy/bands/merton.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { vectors } from '../../risk/support.ts';
import { forSeeds } from '../draws.ts';
import { near } from '../near.ts';

interface Case {
  readonly [field: string]: number;
}

describe('mertonRegion', () => {
  test('default: every field of no_trade_region_prop_cost.json', () => {
    const { cases } = vectors<{ cases: Case[] }>('no_trade_region_prop_cost');
    expect(cases).toHaveLength(12);
    for (const one of cases) {
      const value = (field: string) => one[field] ?? Number.NaN;
      const region = mertonRegion({
        drift: value('mu'),
        sigma: value('sigma'),
        aversion: value('gamma'),
        spread: value('eps'),
      });
      near(region.target, value('pi_star'));
      near(region.gap, value('gap_lambda'));
      near(region.low, value('pi_minus'));
      near(region.high, value('pi_plus'));
      near(region.logWidth, value('log_u_over_l'));
      near(region.equivalentSafeRate, value('equivalent_safe_rate_excess'));
      // λ² in it: at ε = 1e-5 the file's λ, found by shooting, is 6.5e-10 off (40 digits agree with
      // ours to the last of a double).
      near(region.liquidityPremium, value('liquidity_premium'), 2e-9);
      near(region.shareTurnover, value('share_turnover'));
      near(region.halfWidth, value('half_width'));
      near(region.halfWidthLeading, value('half_width_leading'));
      near(region.liquidityPremiumLeading, value('lipr_leading'));
      const ratio = region.liquidityPremium / (value('eps') * region.shareTurnover);
      near(ratio, value('lipr_over_eps_shtu'), 2e-9);
    }
  });

  test('property: integrating the Riccati equation leads from π− to π+ in ln(u/l)', () => {
    forSeeds(60, (rng, seed) => {
      const [sigma, aversion] = [rng.between(0.2, 1), rng.between(0.5, 8)];
      // Merton weights above 1 as well: there the logs run backwards.
      const target = rng.next() < 0.3 ? rng.between(1.1, 1.8) : rng.between(0.1, 0.9);
      const drift = target * aversion * sigma * sigma;
      const spread = 10 ** rng.between(-5, -2.5);
      const region = mertonRegion({ drift, sigma, aversion, spread });
      const y = (2 * drift) / sigma ** 2 - 1;
      const slope = (w: number) =>
        aversion * region.low * region.high - y * w + (aversion - 1) * w * w;
      const steps = 2000;
      const h = region.logWidth / steps;
      let w = region.low;
      for (let k = 0; k < steps; k++) {
        const a = slope(w);
        const b = slope(w + (h / 2) * a);
        const c = slope(w + (h / 2) * b);
        w += (h / 6) * (a + 2 * b + 2 * c + slope(w + h * c));
      }
      near(w, region.high, 1e-9);
      expect(region.shareTurnover, `seed ${seed}`).toBeGreaterThan(0);
      // The leading order is what small costs come to.
      near(region.halfWidth, region.halfWidthLeading, 0.1);
    });
  });

  test('behavior: μ = σ²/2 is the limit of its neighbours', () => {
    const [sigma, aversion, spread] = [0.5, 1, 0.001];
    // γ = 1, π* = ½ and the region symmetric.
    const at = (drift: number) => mertonRegion({ drift, sigma, aversion, spread });
    const middle = at(0.125);
    near(
      middle.shareTurnover,
      (at(0.125 * (1 - 1e-7)).shareTurnover + at(0.125 * (1 + 1e-7)).shareTurnover) / 2,
      1e-9,
    );
  });

  test('error: no risk premium, weight 1, costs too large', () => {
    const fine = { drift: 0.08, sigma: 0.16, aversion: 5, spread: 0.01 };
    expect(() => mertonRegion({ ...fine, drift: 0 })).toThrow(InvalidInput);
    expect(() => mertonRegion({ ...fine, drift: Number.NaN })).toThrow(/above 0/);
    expect(() => mertonRegion({ ...fine, spread: 1 })).toThrow(/below 1/);
    expect(() => mertonRegion({ drift: 0.25, sigma: 0.5, aversion: 1, spread: 0.01 })).toThrow(
      /of 1/,
    );
    expect(() => mertonRegion({ drift: 0.05, sigma: 1, aversion: 0.5, spread: 0.9 })).toThrow(
      /too large/,
    );
  });
});
