// How wrong a variance forecast was, and whether one is less wrong than another by more than
// chance.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkPositive, checkVector } from '../risk/linear.ts';

/**
 * y/f − ln(y/f) − 1 for a realised variance y and a forecast f: 0 when right, the same ranking
 * whatever unbiased proxy of variance y is (Patton, Volatility Forecast Comparison Using Imperfect
 * Volatility Proxies, Journal of Econometrics 2011).
 */
export function qlike(realised: number, forecast: number): number {
  const ratio = realised / forecast;
  return ratio - Math.log(ratio) - 1;
}

export interface DieboldMariano {
  /** Mean of formula's loss less candidate's: above 0 where the candidate is better. */
  readonly gain: number;
  /** gain over its standard error; 0 where the losses do not differ. */
  readonly t: number;
  /** Autocovariances counted. */
  readonly lags: number;
}

/**
 * Diebold & Mariano, Comparing Predictive Accuracy (1995), with the long-run variance of Newey &
 * West (1987): γ₀ + 2Σ(1 − k/(L + 1))γₖ, L = max(⌊4(n/100)^(2/9)⌋, horizon − 1).
 */
export function dieboldMariano(
  formula: Float64Array,
  candidate: Float64Array,
  horizon = 1,
): DieboldMariano {
  const n = formula.length;
  checkVector(formula, n, 'formula');
  checkVector(candidate, n, 'candidate');
  checkPositive(horizon, 'horizon');
  if (n < 2) throw new InvalidInput('two losses or more are needed', { pointer: '/formula' });
  const lags = Math.min(n - 1, Math.max(Math.floor(4 * (n / 100) ** (2 / 9)), horizon - 1));
  const difference = formula.map((loss, t) => loss - at(candidate, t));
  const gain = difference.reduce((sum, d) => sum + d, 0) / n;
  const centred = difference.map((d) => d - gain);
  let variance = 0;
  for (let lag = 0; lag <= lags; lag++) {
    let sum = 0;
    for (let t = lag; t < n; t++) sum += at(centred, t) * at(centred, t - lag);
    variance += (lag === 0 ? 1 : 2 * (1 - lag / (lags + 1))) * (sum / n);
  }
  // Bartlett's weights keep the estimate ≥ 0; rounding alone remains where two forecasts are one.
  const t = variance > Number.EPSILON * gain * gain ? gain / Math.sqrt(variance / n) : 0;
  return { gain, t, lags };
}
