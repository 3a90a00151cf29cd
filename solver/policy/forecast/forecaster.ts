// What every forecast of variance is: something fitted on the past that says the mean daily
// variance of the days to come. It is handed the past alone, so it cannot look ahead.

import type { DailySeries } from './daily.ts';

export interface Forecaster {
  /** Stable; stands in evidence and in Forecast.source. */
  readonly name: string;
  /** Fewest days it can be fitted on. */
  readonly daysMin: number;
  /** null: cannot be fitted on this past (constant prices, dependent regressors). */
  fit(past: DailySeries, horizon: number): Predictor | null;
}

/** Mean variance per day over the horizon that follows the last day of `past`; > 0 and finite. */
export type Predictor = (past: DailySeries) => number;

/** The mean of the last `days` realised variances. */
export function rollingMean(days: number): Forecaster {
  return {
    name: `rolling${days}`,
    daysMin: days,
    fit: () => (past) => past.realised.slice(-days).reduce((sum, y) => sum + y, 0) / days,
  };
}
