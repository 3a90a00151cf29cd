// vol_forecasts.json: Hull's worked examples, and the table of losses on the real days.

import { describe, expect, test } from 'vitest';
import { dailySeries } from '../../../solver/policy/forecast/daily.ts';
import { ewmaForecaster, nextVariance } from '../../../solver/policy/forecast/ewma.ts';
import { type Forecaster, rollingMean } from '../../../solver/policy/forecast/forecaster.ts';
import {
  fitGarch,
  garchForecaster,
  longRunVariance,
  nextGarch,
} from '../../../solver/policy/forecast/garch.ts';
import { fitHar, harForecaster } from '../../../solver/policy/forecast/har.ts';
import { lossesOf, walkForward } from '../../../solver/policy/forecast/walkForward.ts';
import { vectors } from '../../risk/support.ts';
import { allNear, near } from '../near.ts';
import { head, realBars, SPLIT } from './market.ts';

interface Hull {
  readonly lam?: number;
  readonly omega: number;
  readonly alpha: number;
  readonly beta: number;
  readonly var_prev: number;
  readonly u: number;
  readonly var: number;
  readonly vol: number;
  readonly printed: number;
  readonly long_run_var: number;
  readonly long_run_vol: number;
}
interface Real {
  readonly asset: string;
  readonly n_days: number;
  readonly oos_days: number;
  readonly har_log_coefs: number[];
  readonly har_resid_var: number;
  readonly garch: { omega: number; alpha: number; beta: number };
  readonly mean_ann_vol: number;
  readonly qlike: Record<string, number>;
}
const file = vectors<{ hull: Hull[]; real: Real[] }>('vol_forecasts');
const bars = realBars();

/** The file's names for what stands in its table; fitted ones agree to the fit's own tolerance. */
const TABLE: readonly (readonly [string, Forecaster, number])[] = [
  ['rolling22_rv', rollingMean(22), 1e-9],
  ['ewma94_daily_r2', ewmaForecaster(0.94, 'returns'), 1e-9],
  ['ewma94_rv', ewmaForecaster(0.94), 1e-9],
  ['ewma85_rv', ewmaForecaster(0.85), 1e-9],
  ['garch11', garchForecaster(), 1e-4],
  ['har_log', harForecaster(), 1e-9],
];

describe('vol_forecasts.json', () => {
  test("default: Hull's EWMA and GARCH(1,1) steps", () => {
    const [average, garch] = file.hull;
    if (average?.lam === undefined || garch === undefined) throw new Error('two examples');
    near(nextVariance(average.var_prev, average.u ** 2, average.lam), average.var);
    expect(Math.abs(Math.sqrt(average.var) - average.printed)).toBeLessThan(5e-5);
    const next = nextGarch(garch, garch.var_prev, garch.u);
    near(next, garch.var);
    near(Math.sqrt(next), garch.vol);
    near(longRunVariance(garch), garch.long_run_var);
    near(Math.sqrt(longRunVariance(garch)), garch.long_run_vol);
  });

  test.each(file.real)('default: $asset, days, fits and losses', (wanted) => {
    const series = dailySeries(bars, bars.assets.indexOf(wanted.asset));
    const days = series.realised.length;
    expect(days).toBe(wanted.n_days);
    expect(days - SPLIT).toBe(wanted.oos_days);
    expect(new Date((series.days[0] ?? 0) * 1000).toISOString()).toContain('2017-08-18T00:00');
    const mean = series.realised.reduce((a, b) => a + b, 0) / days;
    near(Math.sqrt(365 * mean), wanted.mean_ann_vol);

    const past = head(series, SPLIT);
    const har = fitHar(past);
    allNear(har?.coefficients ?? [], wanted.har_log_coefs);
    near(har?.residualVariance, wanted.har_resid_var);

    const garch = fitGarch(past.returns);
    near(garch?.omega, wanted.garch.omega, 1e-4);
    near(garch?.alpha, wanted.garch.alpha, 1e-4);
    near(garch?.beta, wanted.garch.beta, 1e-4);

    const walk = { from: SPLIT, refitDays: Number.POSITIVE_INFINITY, horizon: 1 };
    expect(TABLE.map(([name]) => name)).toEqual(Object.keys(wanted.qlike));
    for (const [name, forecaster, tolerance] of TABLE) {
      const forecasts = walkForward(forecaster, series, walk);
      if ('failed' in forecasts) throw new Error(`${name}: ${forecasts.failed}`);
      const losses = lossesOf(forecasts, series, walk);
      const loss = losses.reduce((a, b) => a + b, 0) / losses.length;
      near(loss, wanted.qlike[name] ?? Number.NaN, tolerance);
    }
  });
});
