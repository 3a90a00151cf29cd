// Targets from risk: the kernel's weights in their places, and a volatility that a path really has.

import { describe, expect, test } from 'vitest';
import { nextVariance } from '../../../solver/policy/forecast/ewma.ts';
import {
  targetsAtVolatility,
  targetsFromRiskBudget,
  volatilityExposure,
} from '../../../solver/policy/risk/targets.ts';
import { riskContributions, volatility } from '../../../solver/policy/risk/tracking.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { newKernel, normal, randomCovariance } from '../../risk/support.ts';
import { forSeeds, weightsOf } from '../draws.ts';
import { allNear, near } from '../near.ts';

const kernel = newKernel();

/** Σ with a riskless asset put in at `cash`. */
function withCash(risky: Float64Array, size: number, cash: number): Float64Array {
  const place = (i: number) => i - (i > cash ? 1 : 0);
  return Float64Array.from({ length: (size + 1) ** 2 }, (_, k) => {
    const [i, j] = [Math.floor(k / (size + 1)), k % (size + 1)];
    return i === cash || j === cash ? 0 : (risky[place(i) * size + place(j)] ?? 0);
  });
}

describe('targetsFromRiskBudget', () => {
  test('property: risk shares are the budgets, cash keeps its weight, all sums to 1', () => {
    forSeeds(100, (rng, seed) => {
      const size = rng.integer(1, 8);
      const cash = rng.integer(0, size);
      const covariance = withCash(randomCovariance(rng, size, size + 2), size, cash);
      const shares = Array.from({ length: size }, () => rng.between(0.1, 1));
      const sum = shares.reduce((a, b) => a + b);
      const budgets = shares.map((share) => share / sum);
      budgets.splice(cash, 0, 0);
      const weight = rng.between(0, 0.6);
      const targets = targetsFromRiskBudget(kernel, covariance, Float64Array.from(budgets), {
        index: cash,
        weight,
      });
      near(
        targets.reduce((a, b) => a + b),
        1,
      );
      near(targets[cash], weight, 1e-12, 1);
      expect(Math.min(...targets), `seed ${seed}`).toBeGreaterThanOrEqual(0);
      allNear(riskContributions(targets, covariance).shares, budgets, 1e-7);
    });
  });

  test('default: without correlation weights go as 1/σ', () => {
    const covariance = Float64Array.of(0.16, 0, 0, 0.64);
    const targets = targetsFromRiskBudget(kernel, covariance, Float64Array.of(0.5, 0.5));
    allNear(targets, [2 / 3, 1 / 3]);
  });

  test('error: budget without variance, cash with budget, no budget at all', () => {
    const covariance = Float64Array.of(0.16, 0, 0, 0);
    const budgets = Float64Array.of(0.5, 0.5);
    expect(() => targetsFromRiskBudget(kernel, covariance, budgets)).toThrow(/no variance/);
    const cash = { index: 1, weight: 0.2 };
    expect(() => targetsFromRiskBudget(kernel, covariance, budgets, cash)).toThrow(/both/);
    const none = new Float64Array(2);
    expect(() => targetsFromRiskBudget(kernel, covariance, none)).toThrow(InvalidInput);
    const elsewhere = { index: 2, weight: 0.2 };
    expect(() => targetsFromRiskBudget(kernel, covariance, none, elsewhere)).toThrow(
      /there is none/,
    );
    const negative = Float64Array.of(1, -0.5);
    expect(() => targetsFromRiskBudget(kernel, covariance, negative)).toThrow(/above 0/);
  });
});

describe('targetsAtVolatility', () => {
  test('property: at the volatility, or bound by the cap or by what there is to invest', () => {
    forSeeds(200, (rng, seed) => {
      const size = rng.integer(2, 6);
      const covariance = withCash(randomCovariance(rng, size - 1, size), size - 1, size - 1);
      const targets = weightsOf(rng, size);
      const [annual, cap] = [rng.between(0.05, 1), rng.between(0.2, 2)];
      const found = targetsAtVolatility(targets, covariance, { annual, cap }, size - 1);
      near(
        found.targets.reduce((a, b) => a + b),
        1,
      );
      expect(Math.min(...found.targets), `seed ${seed}`).toBeGreaterThanOrEqual(0);
      const bound = Math.min(cap, 1 / (1 - (targets[size - 1] ?? 0)));
      near(found.volatility, Math.min(annual, bound * volatility(targets, covariance)));
      near(volatility(found.targets, covariance), found.volatility);
    });
  });

  test('property: on a path whose volatility moves, it stands near the target', () => {
    const rng = random(5);
    const annual = 0.3;
    let [sigma, forecast, squares, unmanaged] = [0.8, 0.64 / 365, 0, 0];
    const days = 8000;
    for (let day = 0; day < days; day++) {
      // Log volatility reverts to 80 % a year, between about 40 and 160 %.
      sigma = 0.8 * Math.exp(0.98 * Math.log(sigma / 0.8) + 0.07 * normal(rng));
      const r = (sigma / Math.sqrt(365)) * normal(rng);
      const held = volatilityExposure(annual, Math.sqrt(forecast * 365), 1);
      squares += (held * r) ** 2;
      unmanaged += r ** 2;
      forecast = nextVariance(forecast, r * r, 0.94);
    }
    near(Math.sqrt((squares / days) * 365), annual, 0.1);
    expect(Math.sqrt((unmanaged / days) * 365)).toBeGreaterThan(0.7);
  });

  test('behavior: no forecast risk, the cap; cap 0, all cash', () => {
    expect(volatilityExposure(0.2, 0, 1)).toBe(1);
    const covariance = Float64Array.of(0.25, 0, 0, 0);
    const { targets } = targetsAtVolatility(
      Float64Array.of(0.6, 0.4),
      covariance,
      { annual: 0.2, cap: 0 },
      1,
    );
    expect([...targets]).toEqual([0, 1]);
  });

  test('error: no cash, negative targets', () => {
    const covariance = Float64Array.of(0.25, 0, 0, 0);
    const wanted = { annual: 0.2, cap: 1 };
    const two = Float64Array.of(0.6, 0.4);
    expect(() => targetsAtVolatility(two, covariance, wanted, 2)).toThrow(/there is none/);
    const short = Float64Array.of(-0.6, 1.6);
    expect(() => targetsAtVolatility(short, covariance, wanted, 1)).toThrow(InvalidInput);
    expect(() => volatilityExposure(0, 1, 1)).toThrow(/above 0/);
  });
});
