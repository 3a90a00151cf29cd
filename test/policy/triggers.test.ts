// When to trade and how far: the threshold and its landings, the hybrid's truth table, κ from a
// tracking-error budget on simulated paths, and that nothing is traded inside the bands.

import { describe, expect, test } from 'vitest';
import {
  aversionForBudget,
  expectedTrackingError,
  marginalGap,
  stepAversion,
} from '../../solver/policy/triggers/aversion.ts';
import { fired } from '../../solver/policy/triggers/combine.ts';
import { modelsOf } from '../../solver/policy/triggers/model.ts';
import { absoluteBands, farthest, thresholdTrade } from '../../solver/policy/triggers/threshold.ts';
import { random } from '../engine/generate.ts';
import { covarianceOf, weightsOf } from './draws.ts';
import { kernel, normal, policyOf, sum } from './support.ts';

const f64 = (...values: number[]): Float64Array => Float64Array.from(values);

describe('fired', () => {
  test('default: the truth table', () => {
    const table: readonly [boolean, boolean, ReturnType<typeof fired>, ReturnType<typeof fired>][] =
      [
        // threshold, slot, any, all
        [false, false, null, null],
        [false, true, 'time', null],
        [true, false, 'threshold', null],
        [true, true, 'threshold', 'threshold'],
      ];
    for (const [threshold, slot, any, all] of table) {
      expect(fired('any', threshold, slot)).toBe(any);
      expect(fired('all', threshold, slot)).toBe(all);
    }
    expect(fired('any', null, true)).toBe('time');
    expect(fired('any', null, false)).toBeNull();
  });
});

describe('thresholdTrade', () => {
  const targets = f64(0.5, 0.3, 0.2);
  const bands = f64(0.05, 0.05, 0.05);

  test('default: the whole displacement is scaled', () => {
    const weights = f64(0.6, 0.25, 0.15);
    expect(thresholdTrade(weights, targets, bands, 0)?.landing).toEqual(targets);
    const half = thresholdTrade(weights, targets, bands, 0.5);
    expect(half?.asset).toBe(0);
    const wanted = [0.525, 0.2875, 0.1875];
    for (const [i, w] of (half?.landing ?? []).entries()) expect(w).toBeCloseTo(wanted[i] ?? 0, 15);
    const edge = thresholdTrade(weights, targets, bands, 1)?.landing ?? f64();
    expect(edge[0]).toBeCloseTo(0.55, 15);
  });

  test('behavior: at the band itself nothing happens; ties go to the first asset', () => {
    expect(thresholdTrade(f64(0.75, 0.25), f64(0.5, 0.5), f64(0.25, 0.25), 0)).toBeNull();
    expect(thresholdTrade(f64(0.875, 0.125), f64(0.5, 0.5), f64(0.25, 0.25), 0)?.asset).toBe(0);
  });

  test('behavior: relative bands are shares of the targets', () => {
    expect([...absoluteBands([0.1, 0.2], 'relative', f64(0.5, 0.25))]).toEqual([0.05, 0.05]);
    expect([...absoluteBands([0.1, 0.2], 'absolute', f64(0.5, 0.25))]).toEqual([0.1, 0.2]);
  });

  test('property: lands inside, on the same side, sums to 1, and is idle inside', () => {
    const seed = 20_261_201;
    const rng = random(seed);
    for (let round = 0; round < 1_000; round++) {
      const label = `seed ${seed}, round ${round}`;
      const n = 2 + Math.floor(rng.next() * 8);
      const [w, t] = [weightsOf(rng, n), weightsOf(rng, n)];
      const b = Float64Array.from({ length: n }, () => rng.between(0.001, 0.2));
      const land = [0, 0.5, 1, rng.next()][round % 4] ?? 0;
      const trade = thresholdTrade(w, t, b, land);
      const outside = w.some((x, i) => Math.abs(x - (t[i] ?? 0)) > (b[i] ?? 0));
      expect(trade !== null, label).toBe(outside);
      if (trade === null) continue;
      expect(Math.abs(sum(trade.landing) - 1), label).toBeLessThan(1e-12);
      const { ratio } = farthest(trade.landing, t, b);
      expect(ratio, label).toBeLessThanOrEqual(1);
      expect(ratio, label).toBeGreaterThanOrEqual(land - 1e-9);
      // Once landed, it is at rest.
      expect(thresholdTrade(trade.landing, t, b, land), label).toBeNull();
      for (const [i, x] of trade.landing.entries()) {
        const [e, left] = [(w[i] ?? 0) - (t[i] ?? 0), x - (t[i] ?? 0)];
        expect(e * left >= -1e-18 && Math.abs(left) <= Math.abs(e) + 1e-15, label).toBe(true);
      }
    }
  });

  test('behavior: mean exit time of a random walk is h²/s²', () => {
    // A walk of ±step leaves (−h, h) after (h/step)² steps in the mean (Feller I, XIV.3).
    const seed = 20_261_202;
    const rng = random(seed);
    const [step, h] = [1 / 64, 10 / 64];
    const walks = 2_000;
    const times: number[] = [];
    for (let walk = 0; walk < walks; walk++) {
      let x = 0;
      let steps = 0;
      // One hair inside the tenth step, which is then outside.
      const band = f64(h - 1e-9, h - 1e-9);
      for (; steps < 100_000; steps++) {
        if (thresholdTrade(f64(0.5 + x, 0.5 - x), f64(0.5, 0.5), band, 0) !== null) break;
        x += rng.next() < 0.5 ? step : -step;
      }
      times.push(steps);
    }
    const mean = sum(times) / walks;
    const variance = sum(times.map((time) => (time - mean) ** 2)) / (walks - 1);
    const error = Math.sqrt(variance / walks);
    expect(Math.abs(mean - (h / step) ** 2), `seed ${seed}`).toBeLessThan(3.5 * error);
  });
});

describe('aversionForBudget', () => {
  const COSTS = { proportional: 0.003, fixed: 0 };

  test('default: two assets, in closed form', () => {
    // h = √3·TE/σ and κ = 1.5·ε·s²/h³, with s² = σ²·w²(1 − w)² of the drifting weight.
    const [sigma, budget] = [0.65, 0.02];
    const inputs = { targets: f64(0.5, 0.5), covariance: f64(sigma ** 2, 0, 0, 0), ...COSTS };
    const h = (Math.sqrt(3) * budget) / sigma;
    // The kernel's κ multiplies σ²: its one-dimensional problem costs ½κσ²x².
    const kappa = (1.5 * 0.003 * (sigma * 0.25) ** 2) / (h ** 3 * sigma ** 2);
    const found = aversionForBudget(kernel, inputs, budget) ?? 0;
    expect(Math.abs(found / kappa - 1)).toBeLessThan(1e-3);
  });

  test('behavior: the expected error meets the budget, with and without fixed costs', () => {
    const seed = 20_261_203;
    const rng = random(seed);
    for (let round = 0; round < 40; round++) {
      const n = 2 + (round % 5);
      const inputs = {
        // A portfolio all in one asset does not drift: no κ gives it a tracking error.
        targets: weightsOf(rng, n).map((w) => (w + 0.1) / (1 + 0.1 * n)),
        covariance: covarianceOf(rng, n),
        proportional: rng.between(0.0005, 0.01),
        fixed: round % 2 === 0 ? 0 : 10 ** rng.between(-6, -3),
      };
      const budget = 10 ** rng.between(-2.5, -1.3);
      const kappa = aversionForBudget(kernel, inputs, budget) ?? 0;
      const reached = expectedTrackingError(kernel, inputs, kappa);
      expect(Math.abs(reached / budget - 1), `seed ${seed}, round ${round}`).toBeLessThan(1e-3);
    }
  });

  test('behavior: no risk, no aversion', () => {
    const inputs = { targets: f64(0.5, 0.5), covariance: new Float64Array(4), ...COSTS };
    expect(aversionForBudget(kernel, inputs, 0.02)).toBeNull();
    expect(expectedTrackingError(kernel, inputs, 1)).toBe(0);
  });

  test.each([
    ['BTC/cash', [0.5, 0.5], [0.65, 0], 0],
    ['BTC/ETH/cash', [0.5, 0.3, 0.2], [0.65, 0.85, 0], 0],
    ['BTC/ETH/cash, F = 1 bps', [0.5, 0.3, 0.2], [0.65, 0.85, 0], 1e-4],
    ['six assets', [0.2, 0.2, 0.15, 0.15, 0.1, 0.2], [0.65, 0.85, 1, 1.1, 0.9, 0], 0],
  ])('behavior: realised on Brownian paths within 12 %%: %s', (_, weights, sigmas, fixed) => {
    const seed = 20_261_204;
    const budget = 0.02;
    const covariance = Float64Array.from(
      sigmas.flatMap((one, i) => sigmas.map((other, j) => (i === j ? 1 : 0.8) * one * other)),
    );
    const inputs = { targets: Float64Array.from(weights), covariance, proportional: 0.003, fixed };
    const aversion = aversionForBudget(kernel, inputs, budget) ?? 0;
    const rule = kernel.bandRule({ ...inputs, aversion });
    const realised = simulate(rule.land, inputs.targets, sigmas, 50_000, seed);
    expect(Math.abs(realised / budget - 1), `seed ${seed}: ${realised}`).toBeLessThan(0.12);
  });
});

/** Realised tracking error over hourly moves with correlation 0.8, by POLICY.md's definitions. */
function simulate(
  land: (weights: Float64Array) => { readonly landing: Float64Array } | null,
  targets: Float64Array,
  sigmas: readonly number[],
  hours: number,
  seed: number,
): number {
  const rng = random(seed);
  let weights: Float64Array = targets.slice();
  let squares = 0;
  for (let hour = 0; hour < hours; hour++) {
    const market = normal(rng.next);
    const returns = sigmas.map(
      (sigma) =>
        (sigma * (Math.sqrt(0.8) * market + Math.sqrt(0.2) * normal(rng.next))) / Math.sqrt(8_760),
    );
    const active = sum(returns.map((r, i) => ((weights[i] ?? 0) - (targets[i] ?? 0)) * r));
    const growth = 1 + sum(returns.map((r, i) => (weights[i] ?? 0) * r));
    squares += active ** 2;
    weights = weights.map((w, i) => (w * (1 + (returns[i] ?? 0))) / growth);
    weights = land(weights)?.landing ?? weights;
  }
  return Math.sqrt((squares / hours) * 8_760);
}

describe('stepAversion', () => {
  test('default: ε/(σ²h) at F = 0 for two assets', () => {
    const [targets, covariance] = [f64(0.5, 0.5), f64(0.4, 0, 0, 0)];
    const rule = kernel.bandRule({
      targets,
      covariance,
      aversion: 4,
      proportional: 0.003,
      fixed: 0,
    });
    const trade = rule.land(f64(0.9, 0.1));
    if (trade === null) throw new Error('far outside');
    const h = (trade.landing[0] ?? 0) - 0.5;
    const found = stepAversion(0.003, covariance, targets, trade.landing, trade.pair) ?? 0;
    expect(found / (0.003 / (0.4 * h))).toBeCloseTo(1, 12);
    expect(stepAversion(0, covariance, targets, trade.landing, trade.pair)).toBeNull();
    expect(stepAversion(0.003, covariance, targets, targets, trade.pair)).toBeNull();
  });

  test('property: the step’s first-order condition holds at the landing', () => {
    const seed = 20_261_205;
    const rng = random(seed);
    let traded = 0;
    for (let round = 0; round < 300; round++) {
      const n = 2 + (round % 5);
      const [targets, covariance] = [weightsOf(rng, n), covarianceOf(rng, n)];
      const inputs = {
        targets,
        covariance,
        aversion: 10 ** rng.between(-1, 2),
        proportional: 0.003,
      };
      const trade = kernel.bandRule({ ...inputs, fixed: 0 }).land(weightsOf(rng, n));
      if (trade === null) continue;
      const aversion = stepAversion(0.003, covariance, targets, trade.landing, trade.pair);
      if (aversion === null) continue;
      traded++;
      const [sold, bought] = trade.pair;
      const gap = marginalGap(covariance, targets, trade.landing, sold, bought);
      expect((aversion * gap) / 0.003, `seed ${seed}, round ${round}`).toBeCloseTo(1, 9);
    }
    expect(traded).toBeGreaterThan(100);
  });
});

describe('modelsOf', () => {
  test('behavior: a budget’s bands are as wide in calm as in storms', () => {
    const policy = policyOf();
    const weights = f64(0.62, 0.24, 0.14);
    const at = (level: number) => {
      const covariance = policy.prior.covariance.map((x) => level * x);
      const forecast = { covariance, source: 'ewma', usual: 1 / level };
      return modelsOf(policy, kernel)(forecast, 1e-5).crossing(weights)?.landing;
    };
    const usual = at(1);
    expect(usual).toBeDefined();
    for (const level of [0.1, 0.5, 3, 10]) {
      for (const [i, w] of (at(level) ?? []).entries()) expect(w).toBeCloseTo(usual?.[i] ?? 0, 6);
    }
  });
});
