// The covariance of live and replayed policies: the prior first, then its shape mixed with what was
// seen, at the scale of what was seen, from the past alone.

import { describe, expect, test } from 'vitest';
import { createForecasts, forecastPlan } from '../../../solver/policy/forecast/mixed.ts';
import { random } from '../../engine/generate.ts';
import { normal } from '../../risk/support.ts';
import { near } from '../near.ts';

const PRIOR = Float64Array.of(0.4225, 0.442, 0.442, 0.7225);
const HOUR = 3_600;
const PER_YEAR = 8_760;

/** What holds after each of the returns. */
function heldAfter(returns: readonly Float64Array[]): readonly Float64Array[] {
  const forecasts = createForecasts(PRIOR, 2, PER_YEAR, forecastPlan(HOUR));
  return returns.map((row) => forecasts.next(row).slice());
}

/** Two independent coins of the same volatility a year. */
function paths(count: number, volatility: number, seed: number): readonly Float64Array[] {
  const rng = random(seed);
  const step = volatility / Math.sqrt(PER_YEAR);
  return Array.from({ length: count }, () =>
    Float64Array.of(step * normal(rng), step * normal(rng)),
  );
}

describe('createForecasts', () => {
  test('behavior: the prior itself for 30 days, remade once a day afterwards', () => {
    const held = heldAfter(paths(24 * 33, 0.3, 1));
    for (const one of held.slice(0, 720)) expect(one).toEqual(PRIOR);
    expect(held[720]).not.toEqual(PRIOR);
    for (let k = 721; k < 744; k++) expect(held[k]).toEqual(held[720]);
    expect(held[744]).not.toEqual(held[743]);
  });

  test('behavior: the scale is that of what was seen, the shape lies between', () => {
    const [a = 0, c = 0, mirrored, b = 0] = heldAfter(paths(24 * 400, 0.2, 2)).at(-1) ?? [];
    expect(mirrored).toBe(c);
    // Eight weeks' worth of hours: the trace of 2·0.2² is known within a tenth or two.
    near(a + b, 0.08, 0.25);
    const [priorRatio, priorCorrelation] = [0.7225 / 0.4225, 0.8];
    expect(b / a).toBeGreaterThan(0.9);
    expect(b / a).toBeLessThan(priorRatio);
    const correlation = c / Math.sqrt(a * b);
    expect(correlation).toBeGreaterThan(0.25 * priorCorrelation);
    expect(correlation).toBeLessThan(0.75 * priorCorrelation);
  });

  test('behavior: the mixture scales with the returns', () => {
    const calm = paths(24 * 500, 0.2, 3);
    const wild = calm.map((row) => row.map((r) => 3 * r));
    const [one, nine] = [heldAfter(calm).at(-1), heldAfter(wild).at(-1)];
    // 500 days at λ = 0.94: the start at the prior's scale is forgotten to 10⁻¹³.
    for (const [k, value] of (one ?? []).entries()) near(nine?.[k], 9 * value);
  });

  test('behavior: prices that stand still leave a millionth of the prior, never nothing', () => {
    const still = Array.from({ length: 24 * 2_000 }, () => new Float64Array(2));
    const last = heldAfter(still).at(-1);
    for (const [k, value] of PRIOR.entries()) near(last?.[k], 1e-6 * value);
  });

  test('property: no day to come changes what holds today', () => {
    const past = paths(24 * 60, 0.5, 4);
    const other = [...past.slice(0, 1_200), ...paths(240, 2, 5)];
    expect(heldAfter(other).slice(0, 1_200)).toEqual(heldAfter(past).slice(0, 1_200));
  });

  test('behavior: the usual level is the plain mean of what was seen, over what holds', () => {
    const calm = paths(24 * 200, 0.2, 5);
    const wild = paths(24 * 60, 0.8, 6);
    const forecasts = createForecasts(PRIOR, 2, PER_YEAR, forecastPlan(HOUR));
    expect(forecasts.usual()).toBe(1);
    for (const row of [...calm, ...wild]) forecasts.next(row);
    // 30 days of the prior, 200 calm and 60 wild: a mean trace of 0.429; today's is that of the wild.
    const mean = (30 * (0.4225 + 0.7225) + 200 * 2 * 0.04 + 60 * 2 * 0.64) / 290;
    near(forecasts.usual(), mean / 1.28, 0.15);
    for (const row of calm) forecasts.next(row);
    expect(forecasts.usual()).toBeGreaterThan(2);
  });
});
