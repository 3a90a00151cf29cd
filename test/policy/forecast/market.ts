// What the forecasts' tests share: the real days, simulated days of a known law, and a check for
// forecasts that look ahead.

import {
  type Bars,
  barsOf,
  type DailySeries,
  dailySeries,
} from '../../../solver/policy/forecast/daily.ts';
import { hourlyCloses } from '../../data/marketData.ts';
import { type Random, random } from '../../engine/generate.ts';
import { normal } from '../../risk/support.ts';

export function realBars(): Bars {
  const { ts, btc, eth } = hourlyCloses();
  return barsOf(['BTC', 'ETH'], ts, [btc, eth], 3600);
}

/** Splits of vol_forecasts.json: the last 1,503 days are out of sample. */
export const SPLIT = 3028 - 1503;

/** The first `count` days. */
export const head = (series: DailySeries, count: number): DailySeries => ({
  days: series.days.slice(0, count),
  returns: series.returns.slice(0, count),
  realised: series.realised.slice(0, count),
});

/** Bars with the day's volatility `sigmaOf(day)`, per √day, shared out evenly. */
export function simulatedBars(
  rng: Random,
  days: number,
  perDay: number,
  sigmaOf: (day: number, lastReturn: number) => number,
): Bars {
  const bars = days * perDay;
  const step = 86_400 / perDay;
  const returns = new Float64Array(bars);
  let sum = 0;
  for (let day = 0; day < days; day++) {
    const sigma = sigmaOf(day, sum) / Math.sqrt(perDay);
    sum = 0;
    for (let k = 0; k < perDay; k++) {
      const r = sigma * normal(rng);
      returns[day * perDay + k] = r;
      sum += r;
    }
  }
  const ends = Float64Array.from({ length: bars }, (_, k) => 1_600_041_600 + k * step);
  return { assets: ['A'], barSeconds: step, ends, returns };
}

export const simulatedDays = (...args: Parameters<typeof simulatedBars>): DailySeries =>
  dailySeries(simulatedBars(...args), 0);

/**
 * Whether `walk`, which forecasts the days from `from` on, changes what it says of a day up to `at`
 * when only days from `at` on change places: then it has looked ahead.
 */
export function looksAhead(
  walk: (series: DailySeries) => Float64Array,
  series: DailySeries,
  from: number,
  at: number,
): boolean {
  const rng = random(at);
  const order = Array.from(series.realised.keys());
  for (let k = order.length - 1; k > at; k--) {
    const other = rng.integer(at, k);
    [order[k], order[other]] = [order[other] ?? 0, order[k] ?? 0];
  }
  const shuffled: DailySeries = {
    days: series.days,
    returns: Float64Array.from(order, (k) => series.returns[k] ?? 0),
    realised: Float64Array.from(order, (k) => series.realised[k] ?? 0),
  };
  const [before, after] = [walk(series), walk(shuffled)];
  return before.subarray(0, at - from + 1).some((forecast, k) => forecast !== after[k]);
}
