// From closing prices to daily returns and realised variances, which is what forecasts are made of
// and judged on. A return belongs to the UTC day of its own timestamp; a day with a bar missing is
// left out, as is a return over a gap.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkPositive } from '../risk/linear.ts';

const DAY = 86_400;
/**
 * Least daily variance counted, a volatility of 0.02 % a year: stablecoins and forward-filled days
 * have none, and the losses and logarithms here need one.
 */
export const VARIANCE_MIN = 1e-10;

/** Log returns of several assets over equal bars. */
export interface Bars {
  readonly assets: readonly string[];
  /** Seconds in a bar; divides a day. */
  readonly barSeconds: number;
  /** Unix seconds of each bar's close, ascending. */
  readonly ends: Float64Array;
  /** Log returns, bars × assets, oldest first. */
  readonly returns: Float64Array;
}

/** One asset by whole UTC days, oldest first. */
export interface DailySeries {
  /** Unix seconds of each day's start. */
  readonly days: Float64Array;
  /** Log return of the day. */
  readonly returns: Float64Array;
  /** Sum of the bars' squared log returns: variance of the day, ≥ VARIANCE_MIN. */
  readonly realised: Float64Array;
}

/** Bars from closes, one column per asset, all at the times `ts` (unix seconds, ascending). */
export function barsOf(
  assets: readonly string[],
  ts: Float64Array,
  closes: readonly Float64Array[],
  barSeconds: number,
): Bars {
  checkBars(assets, ts, closes, barSeconds);
  const ends: number[] = [];
  const returns: number[] = [];
  for (let row = 1; row < ts.length; row++) {
    if (at(ts, row) - at(ts, row - 1) !== barSeconds) continue;
    ends.push(at(ts, row));
    for (const column of closes) returns.push(Math.log(at(column, row) / at(column, row - 1)));
  }
  return {
    assets,
    barSeconds,
    ends: Float64Array.from(ends),
    returns: Float64Array.from(returns),
  };
}

function checkBars(
  assets: readonly string[],
  ts: Float64Array,
  closes: readonly Float64Array[],
  barSeconds: number,
): void {
  checkPositive(barSeconds, 'barSeconds');
  if (DAY % barSeconds !== 0) {
    const message = `barSeconds is ${barSeconds}: whole bars must make up a day`;
    throw new InvalidInput(message, { pointer: '/barSeconds' });
  }
  if (assets.length === 0 || closes.length !== assets.length) {
    const message = `${closes.length} columns of closes for ${assets.length} assets`;
    throw new InvalidInput(message, { pointer: '/closes' });
  }
  for (let row = 0; row < ts.length; row++) {
    if (Number.isFinite(ts[row]) && (row === 0 || at(ts, row) > at(ts, row - 1))) continue;
    throw new InvalidInput(`ts[${row}] does not follow the time before it`, {
      pointer: `/ts/${row}`,
    });
  }
  for (const [a, column] of closes.entries()) {
    const bad =
      column.length === ts.length
        ? column.findIndex((price) => !(price > 0 && Number.isFinite(price)))
        : column.length;
    if (bad === -1) continue;
    const message = `closes of ${assets[a]}: row ${bad} of ${ts.length} is no price above 0`;
    throw new InvalidInput(message, { pointer: `/closes/${a}/${bad}` });
  }
}

/** The asset's whole days: those in which every bar of the day closed. */
export function dailySeries(bars: Bars, asset: number): DailySeries {
  const width = bars.assets.length;
  if (!(asset in bars.assets)) {
    const message = `asset ${asset} of ${width}: there is none`;
    throw new InvalidInput(message, { pointer: '/asset' });
  }
  const perDay = DAY / bars.barSeconds;
  const days: number[] = [];
  const returns: number[] = [];
  const realised: number[] = [];
  for (let row = 0; row < bars.ends.length; ) {
    const day = Math.floor(at(bars.ends, row) / DAY);
    let [count, sum, squares] = [0, 0, 0];
    for (; row < bars.ends.length && Math.floor(at(bars.ends, row) / DAY) === day; row++) {
      const r = at(bars.returns, row * width + asset);
      count++;
      sum += r;
      squares += r * r;
    }
    if (count !== perDay) continue;
    days.push(day * DAY);
    returns.push(sum);
    realised.push(Math.max(VARIANCE_MIN, squares));
  }
  return {
    days: Float64Array.from(days),
    returns: Float64Array.from(returns),
    realised: Float64Array.from(realised),
  };
}

/** The first `count` days and nothing after them: copies, so that no view sees the future. */
export const pastOf = ({ days, returns, realised }: DailySeries, count: number): DailySeries => ({
  days: days.slice(0, count),
  returns: returns.slice(0, count),
  realised: realised.slice(0, count),
});

/** Mean realised variance per day over the `horizon` days from `day` on. */
export function meanRealised(series: DailySeries, day: number, horizon: number): number {
  let sum = 0;
  for (let k = 0; k < horizon; k++) sum += at(series.realised, day + k);
  return sum / horizon;
}
