// HAR on the logarithm of realised variance: tomorrow from the last day, week and month (Corsi, A
// Simple Approximate Long-Memory Model of Realized Volatility, Journal of Financial Econometrics
// 2009), by least squares.

import { InvalidInput } from '../../types/errors.ts';
import { dot, leastSquares } from '../risk/linear.ts';
import { type DailySeries, meanRealised, VARIANCE_MIN } from './daily.ts';
import type { Forecaster } from './forecaster.ts';

const WEEK = 5;
const MONTH = 22;
const COLUMNS = 4;
const DAYS_MIN = 250;

export interface HarFit {
  /** Constant, day, week, month: coefficients of logs. */
  readonly coefficients: Float64Array;
  /** Mean squared residual, population. */
  readonly residualVariance: number;
}

/** 1, ln y₋₁, ln of the mean of the last 5, ln of the mean of the last 22 before `day`. */
function regressors(series: DailySeries, day: number): readonly number[] {
  const back = (days: number) => Math.log(meanRealised(series, day - days, days));
  return [1, back(1), back(WEEK), back(MONTH)];
}

/**
 * ln of the mean variance of `horizon` days on the regressors before them, over every day of `past`
 * that has both. null where the regressors are dependent.
 */
export function fitHar(past: DailySeries, horizon = 1): HarFit | null {
  const rows = past.realised.length - MONTH - horizon + 1;
  if (rows <= COLUMNS) {
    throw new InvalidInput(`HAR needs ${MONTH + horizon + COLUMNS} days or more`, {
      pointer: '/past',
    });
  }
  const days = Array.from({ length: rows }, (_, k) => MONTH + k);
  const x = Float64Array.from(days.flatMap((day) => regressors(past, day)));
  const y = Float64Array.from(days, (day) => Math.log(meanRealised(past, day, horizon)));
  const coefficients = leastSquares(x, y, COLUMNS);
  if (coefficients === null) return null;
  const squares = y.map((value, row) => {
    const fitted = dot(x.subarray(row * COLUMNS, (row + 1) * COLUMNS), coefficients);
    return (value - fitted) ** 2;
  });
  return { coefficients, residualVariance: squares.reduce((sum, s) => sum + s, 0) / rows };
}

/** exp(x′b + ½s²): the mean of a lognormal, not its median. */
export function harForecast({ coefficients, residualVariance }: HarFit, past: DailySeries): number {
  const log = dot(regressors(past, past.realised.length), coefficients) + residualVariance / 2;
  return Math.max(VARIANCE_MIN, Math.exp(log));
}

export function harForecaster(): Forecaster {
  return {
    name: 'har',
    daysMin: DAYS_MIN,
    fit(past, horizon) {
      const model = fitHar(past, horizon);
      return model === null ? null : (seen) => harForecast(model, seen);
    },
  };
}
