// Out-of-sample forecasts as they would have been made: before each day the forecaster holds the
// days before it and nothing else, in copies, and is fitted anew every so often.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkNumber } from '../risk/linear.ts';
import { type DailySeries, meanRealised, pastOf } from './daily.ts';
import type { Forecaster, Predictor } from './forecaster.ts';
import { qlike } from './losses.ts';

export interface WalkOptions {
  /** First day forecast, by its place in the series: the days before it are in sample. */
  readonly from: number;
  /** Days between fits; Infinity: fitted once. */
  readonly refitDays: number;
  /** Days a forecast is the mean of. */
  readonly horizon: number;
}

/** How a walk ended early, for the evidence. */
export interface NoWalk {
  readonly failed: string;
}

/** Forecasts for the days from `from` to the last with a whole horizon: mean variance per day. */
export function walkForward(
  forecaster: Forecaster,
  series: DailySeries,
  { from, refitDays, horizon }: WalkOptions,
): Float64Array | NoWalk {
  const count = series.realised.length - horizon + 1 - from;
  checkNumber(from, 'from', 1);
  checkNumber(horizon, 'horizon', 1);
  if (!(refitDays >= 1)) {
    throw new InvalidInput('refitDays must be 1 or more', { pointer: '/refitDays' });
  }
  if (count < 1) throw new InvalidInput('no day is left to forecast', { pointer: '/from' });
  if (from < forecaster.daysMin) return { failed: `needs ${forecaster.daysMin} days to be fitted` };
  const forecasts = new Float64Array(count);
  let predictor: Predictor | null = null;
  let fittedAt = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) {
    const past = pastOf(series, from + k);
    if (k - fittedAt >= refitDays || predictor === null) {
      predictor = forecaster.fit(pastOf(series, from + k), horizon);
      fittedAt = k;
    }
    const forecast = predictor?.(past) ?? Number.NaN;
    if (!(forecast > 0 && Number.isFinite(forecast))) {
      const day = new Date(at(series.days, from + k) * 1000).toISOString().slice(0, 10);
      return { failed: predictor === null ? `no fit before ${day}` : `no forecast for ${day}` };
    }
    forecasts[k] = forecast;
  }
  return forecasts;
}

/** QLIKE of each forecast of the walk. */
export function lossesOf(
  forecasts: Float64Array,
  series: DailySeries,
  { from, horizon }: WalkOptions,
): Float64Array {
  return forecasts.map((forecast, k) => qlike(meanRealised(series, from + k, horizon), forecast));
}
