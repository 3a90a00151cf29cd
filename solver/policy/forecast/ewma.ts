// Exponentially weighted moving averages: the formula every other forecast has to beat. λ is fixed
// (RiskMetrics, 1996: 0.94 for daily variance, 0.97 for slower moves), or tuned and then gated.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkNumber } from '../risk/linear.ts';
import { type DailySeries, meanRealised } from './daily.ts';
import type { Forecaster } from './forecaster.ts';
import { qlike } from './losses.ts';

export const DAILY_DECAY = 0.94;
/** λs tried by the tuned average. */
const GRID = Array.from({ length: 20 }, (_, k) => 0.8 + k * 0.01);
const DAYS_MIN = 30;

/** σ²ₙ = λσ²ₙ₋₁ + (1 − λ)u²ₙ₋₁ (Hull, Options, Futures, and Other Derivatives, ch. 23). */
export function nextVariance(variance: number, squared: number, decay: number): number {
  return decay * variance + (1 - decay) * squared;
}

/** The average after the last of `squares`, seeded with the first. */
export function ewma(squares: Float64Array, decay: number): number {
  checkNumber(decay, 'decay', 0, 1);
  if (squares.length === 0) {
    throw new InvalidInput('an average of nothing', { pointer: '/squares' });
  }
  return squares.reduce((v, y) => nextVariance(v, y, decay), at(squares, 0));
}

/** On realised variances, or on squared daily returns where `of` says so. */
export function ewmaForecaster(
  decay: number = DAILY_DECAY,
  of: 'realised' | 'returns' = 'realised',
): Forecaster {
  const squaresOf = ({ realised, returns }: DailySeries) =>
    of === 'realised' ? realised : returns.map((r) => r * r);
  return {
    name: `ewma${Math.round(decay * 100)}${of === 'returns' ? 'r' : ''}`,
    daysMin: DAYS_MIN,
    fit: () => (past) => ewma(squaresOf(past), decay),
  };
}

/** λ from 0.80 … 0.99 with the least loss at its horizon over the past it is fitted on. */
export function tunedEwma(): Forecaster {
  return {
    name: 'ewmaTuned',
    daysMin: 4 * DAYS_MIN,
    fit(past, horizon) {
      const { realised } = past;
      // The seed's own days say nothing about λ; the last ones have no whole horizon after them.
      const until = realised.length - horizon;
      const wanted = realised.map((_, t) => (t <= until ? meanRealised(past, t, horizon) : 0));
      const losses = GRID.map((decay) => {
        let [v, loss] = [at(realised, 0), 0];
        for (let t = 0; t <= until; t++) {
          if (t >= DAYS_MIN) loss += qlike(at(wanted, t), v);
          v = nextVariance(v, at(realised, t), decay);
        }
        return loss;
      });
      const best = GRID[losses.indexOf(Math.min(...losses))] ?? DAILY_DECAY;
      return (seen) => ewma(seen.realised, best);
    },
  };
}
