// The gate: skill is admitted, noise, luck and what has faded are not; nothing looks ahead; what
// comes out is a covariance.

import { describe, expect, test } from 'vitest';
import {
  barsOf,
  type DailySeries,
  dailySeries,
  meanRealised,
} from '../../../solver/policy/forecast/daily.ts';
import { ewmaForecaster, tunedEwma } from '../../../solver/policy/forecast/ewma.ts';
import { type Forecaster, rollingMean } from '../../../solver/policy/forecast/forecaster.ts';
import { garchForecaster } from '../../../solver/policy/forecast/garch.ts';
import {
  CANDIDATES,
  FORMULA,
  GATE_DEFAULTS,
  gate,
  gatedForecast,
  verdictOf,
} from '../../../solver/policy/forecast/gate.ts';
import { harForecaster } from '../../../solver/policy/forecast/har.ts';
import { dieboldMariano, qlike } from '../../../solver/policy/forecast/losses.ts';
import { createForecasts, forecastPlan } from '../../../solver/policy/forecast/mixed.ts';
import { lossesOf, walkForward } from '../../../solver/policy/forecast/walkForward.ts';
import { symmetricEigen } from '../../../solver/policy/risk/linear.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { normal, randomCovariance } from '../../risk/support.ts';
import { forSeeds } from '../draws.ts';
import { near } from '../near.ts';
import { head, looksAhead, realBars, simulatedBars, simulatedDays } from './market.ts';

/** One day ahead, as vol_forecasts.json has it. */
const NEXT_DAY = { ...GATE_DEFAULTS, horizon: 1 };
const bars = realBars();

/** The formula's forecasts times e^(noise): the same information, told worse. */
const noisy = (seed: number): Forecaster => ({
  name: 'noisy',
  daysMin: 30,
  fit(past, horizon) {
    const predictor = FORMULA.fit(past, horizon);
    const rng = random(seed + past.realised.length);
    return predictor && ((seen) => predictor(seen) * Math.exp(0.3 * normal(rng)));
  },
});

describe('gate', () => {
  test('default: for the next day HAR is admitted on both assets, GARCH and a tuned λ not', () => {
    for (const [a, asset] of bars.assets.entries()) {
      const { evidence } = gate(asset, dailySeries(bars, a), CANDIDATES, NEXT_DAY);
      expect(evidence.chosen).toBe('har');
      const [har, garch, tuned] = evidence.candidates;
      expect(har?.verdict?.t).toBeGreaterThan(GATE_DEFAULTS.tMin);
      expect(garch?.verdict?.admitted).toBe(false);
      expect(tuned?.verdict?.admitted).toBe(false);
      // What was compared, and over which dates.
      const day = (seconds = 0) => new Date(seconds * 1000).toISOString().slice(0, 10);
      const { dates } = evidence;
      expect([day(dates?.from), day(dates?.split), day(dates?.until)]).toEqual([
        '2017-08-18',
        '2021-10-10',
        '2025-12-01',
      ]);
      expect(evidence.daysOutOfSample).toBe(1514);
    }
  });

  test('property: noise on the formula is refused', () => {
    const series = head(dailySeries(bars, 0), 1500);
    forSeeds(4, (_, seed) => {
      const { chosen, evidence } = gate('BTC', series, [noisy(seed)], NEXT_DAY);
      expect(chosen, `seed ${seed}`).toBe(FORMULA);
      expect(evidence.candidates[0]?.why).toMatch(/refused/);
    });
  });

  test('property: of rules as good as the formula, fewer than two in a hundred pass', () => {
    let admitted = 0;
    const gates = 1000;
    forSeeds(gates, (rng) => {
      // Losses with a common part that lasts and errors of their own that last a little.
      let [common, own, other] = [0, 0, 0];
      const losses = Array.from({ length: 500 }, () => {
        common = 0.9 * common + normal(rng);
        own = 0.3 * own + normal(rng);
        other = 0.3 * other + normal(rng);
        return [common + own, common + other] as const;
      });
      const column = (k: 0 | 1) => Float64Array.from(losses, (pair) => pair[k]);
      if (verdictOf(column(0), column(1), NEXT_DAY).admitted) admitted++;
    });
    console.log(`gate: ${admitted} of ${gates} equals admitted`);
    expect(admitted).toBeLessThan(20);
  });

  test('behavior: real skill is admitted: days drawn from GARCH', () => {
    const rng = random(4);
    let variance = 1e-3;
    const series = simulatedDays(rng, 1500, 24, (_, last) => {
      variance = 1e-4 + 0.45 * last ** 2 + 0.45 * variance;
      return Math.sqrt(variance);
    });
    const { chosen, evidence } = gate('A', series, CANDIDATES, NEXT_DAY);
    expect(chosen.name).toBe('garch');
    expect(evidence.candidates.find(({ name }) => name === 'garch')?.verdict?.t).toBeGreaterThan(5);
  });

  test('behavior: an edge that has gone is none', () => {
    // Better by far at first, a little worse of late: significant over all, refused.
    const rng = random(9);
    const formula = Float64Array.from({ length: 600 }, () => 1 + 0.2 * normal(rng));
    const faded = formula.map((loss, t) => loss - (t < 300 ? 0.5 : -0.02));
    const verdict = verdictOf(formula, faded, NEXT_DAY);
    expect(verdict.t).toBeGreaterThan(GATE_DEFAULTS.tMin);
    expect(verdict.admitted).toBe(false);
  });

  test('behavior: too few days leave the formula; a rule that falls silent is refused', () => {
    const series = dailySeries(bars, 0);
    const early = gate('BTC', head(series, 600), CANDIDATES, NEXT_DAY);
    expect(early.chosen).toBe(FORMULA);
    expect(early.evidence.dates).toBeNull();
    expect(early.evidence.candidates[0]?.why).toBe('600 whole days: 615 are needed to compare');
    const mute: Forecaster = { name: 'mute', daysMin: 1, fit: () => () => Number.NaN };
    const stuck: Forecaster = { name: 'stuck', daysMin: 1, fit: () => null };
    const { evidence } = gate('BTC', head(series, 700), [mute, stuck], NEXT_DAY);
    expect(evidence.chosen).toBe(FORMULA.name);
    expect(evidence.candidates.map(({ why }) => why)).toEqual([
      'no forecast for 2018-08-18',
      'no fit before 2018-08-18',
    ]);
  });

  test('behavior: a longer horizon is judged by the mean of its days', () => {
    const series = head(dailySeries(bars, 0), 1200);
    const { evidence } = gate('BTC', series, [harForecaster()], { ...GATE_DEFAULTS, horizon: 5 });
    expect(evidence.daysOutOfSample).toBe(596);
    expect(evidence.candidates[0]?.verdict?.lags).toBeGreaterThanOrEqual(4);
    near(
      meanRealised(series, 10, 2),
      ((series.realised[10] ?? 0) + (series.realised[11] ?? 0)) / 2,
    );
  });

  test('error: options out of range', () => {
    const series = head(dailySeries(bars, 0), 700);
    const odd = (options: object) => () => gate('A', series, [], { ...GATE_DEFAULTS, ...options });
    expect(odd({ inSampleMin: 0 })).toThrow(InvalidInput);
    expect(odd({ tMin: Number.NaN })).toThrow(/tMin/);
    expect(odd({ refitDays: 0 })).toThrow(/1 or more/);
  });
});

describe('walkForward', () => {
  const walk = { from: 260, refitDays: 40, horizon: 1 };
  const series = head(dailySeries(bars, 1), 420);
  const forecasters = [
    FORMULA,
    ewmaForecaster(0.94, 'returns'),
    tunedEwma(),
    rollingMean(22),
    garchForecaster(),
    harForecaster(),
  ];

  test.each(forecasters)('property: $name does not look ahead', (forecaster) => {
    for (const horizon of [1, 5]) {
      const run = (days: DailySeries) => {
        const forecasts = walkForward(forecaster, days, { ...walk, horizon });
        if ('failed' in forecasts) throw new Error(forecasts.failed);
        return forecasts;
      };
      for (const at of [261, 300, 414]) {
        expect(looksAhead(run, series, walk.from, at), `day ${at}`).toBe(false);
      }
    }
  });

  test('behavior: forecasts that do look ahead are found out', () => {
    const model = harForecaster();
    // Fitted once over all days, the future among them: the usual way of fooling oneself.
    const fitted = (days: DailySeries) =>
      Float64Array.from({ length: days.realised.length - walk.from }, (_, k) => {
        const predictor = model.fit(days, 1);
        return predictor?.(head(days, walk.from + k)) ?? 0;
      });
    expect(looksAhead(fitted, series, walk.from, 300)).toBe(true);
    // Knows the day it forecasts: caught where that day changes places.
    const oracle = (days: DailySeries) => days.realised.slice(walk.from);
    expect(looksAhead(oracle, series, walk.from, 300)).toBe(true);
  });

  test('property: a forecaster is handed the past alone', () => {
    const lengths: number[] = [];
    const spy: Forecaster = {
      name: 'spy',
      daysMin: 1,
      fit: (past) => {
        lengths.push(past.realised.buffer.byteLength / 8);
        return (seen) => {
          lengths.push(seen.realised.buffer.byteLength / 8);
          return 1e-3;
        };
      },
    };
    walkForward(spy, series, { from: 400, refitDays: 1, horizon: 1 });
    // Not even the buffer behind the view reaches the day forecast.
    expect(lengths).toEqual(Array.from({ length: 40 }, (_, k) => 400 + Math.floor(k / 2)));
  });

  test('error: nothing left to forecast', () => {
    expect(() => walkForward(FORMULA, series, { ...walk, from: 420 })).toThrow(/no day is left/);
  });
});

describe('dieboldMariano', () => {
  test('default: by hand, no autocorrelation counted beyond what is there', () => {
    const formula = Float64Array.of(1, 2, 1, 2);
    const candidate = Float64Array.of(0, 2, 0, 2);
    // d = 1, 0, 1, 0: mean ½, γ₀ = ¼, γ₁ = −3/16, L = 1: variance ¼ − 3/16 = 1/16.
    const { gain, t, lags } = dieboldMariano(formula, candidate, 2);
    expect(lags).toBe(1);
    near(gain, 0.5);
    near(t, 0.5 / Math.sqrt(1 / 16 / 4));
  });

  test('behavior: the same losses differ by nothing', () => {
    const losses = Float64Array.of(1, 2, 3);
    expect(dieboldMariano(losses, losses)).toEqual({ gain: 0, t: 0, lags: 1 });
    expect(qlike(2, 2)).toBe(0);
    expect(qlike(1, 2)).toBeGreaterThan(0);
  });
});

describe('gatedForecast', () => {
  const prior = Float64Array.of(0.4225, 0.442, 0.442, 0.7225);

  const assets = bars.assets.length;
  const perYear = (365 * 86_400) / bars.barSeconds;
  /** What a backtest of these bars sees when it remakes its forecast after the last of them. */
  const replayed = (): Float64Array => {
    const plan = { ...forecastPlan(bars.barSeconds), every: 1 };
    const forecasts = createForecasts(prior, assets, perYear, plan);
    let held: Float64Array = prior;
    for (let k = 0; k < bars.returns.length; k += assets) {
      held = forecasts.next(bars.returns.slice(k, k + assets).map(Math.expm1));
    }
    return held;
  };

  test('default: where the formula forecasts, what a backtest of this history sees', () => {
    const { forecast, evidence } = gatedForecast(bars, prior);
    expect(forecast.source).toBe('ewma94, 3028 days');
    expect(evidence.map(({ asset }) => asset)).toEqual(['BTC', 'ETH']);
    expect(forecast.covariance).toEqual(replayed());
    // Its scale is that of what was seen, not the prior's: the sum of the formula's variances.
    const trace = (forecast.covariance[0] ?? 0) + (forecast.covariance[3] ?? 0);
    const seen = bars.assets.reduce((sum, _, a) => {
      const series = dailySeries(bars, a);
      return sum + 365 * (FORMULA.fit(series, 1)?.(series) ?? 0);
    }, 0);
    near(trace / seen, 1, 0.05);
  });

  test('behavior: who is admitted for a horizon sets the scale and leaves the shape', () => {
    const { forecast } = gatedForecast(bars, prior, NEXT_DAY);
    expect(forecast.source).toBe('har, 3028 days');
    const sum = (of: Forecaster) =>
      bars.assets.reduce((all, _, a) => {
        const series = dailySeries(bars, a);
        return all + (of.fit(series, 1)?.(series) ?? Number.NaN);
      }, 0);
    const level = sum(harForecaster()) / sum(FORMULA);
    expect(Math.abs(level - 1)).toBeGreaterThan(0.01);
    const plain = replayed();
    for (const [k, value] of forecast.covariance.entries()) near(value, level * (plain[k] ?? 0));
  });

  test('behavior: too little history is the prior itself', () => {
    const short = simulatedBars(random(1), 29, 24, () => 0.03);
    const one = Float64Array.of(0.5);
    const { forecast, evidence } = gatedForecast(short, one);
    expect(forecast).toEqual({ covariance: one, source: 'prior' });
    expect(evidence).toEqual([]);
    const longer = simulatedBars(random(1), 31, 24, () => 0.03);
    expect(gatedForecast(longer, one).forecast.source).toBe('ewma94, 31 days');
  });

  test('property: always a covariance: more assets than bars, twins, cash', () => {
    forSeeds(20, (rng, seed) => {
      const size = rng.integer(2, 60);
      const days = 40;
      const ts = Float64Array.from({ length: days }, (_, k) => 1_600_041_600 + 86_400 * k);
      const closes = Array.from({ length: size }, (_, a) => {
        // The first never moves, the third repeats the second.
        const own = random(seed * 1000 + (a === 2 ? 1 : a));
        let price = 100;
        return ts.map(() => {
          price *= a === 0 ? 1 : Math.exp(0.04 * normal(own));
          return price;
        });
      });
      const history = barsOf(
        closes.map((_, a) => `A${a}`),
        ts,
        closes,
        86_400,
      );
      const { covariance } = gatedForecast(history, randomCovariance(rng, size, size)).forecast;
      const { values } = symmetricEigen(covariance, size);
      expect(Math.min(...values), `seed ${seed}`).toBeGreaterThan(-1e-12 * Math.max(...values));
      expect(covariance[0]).toBeGreaterThanOrEqual(0);
      expect(covariance.every(Number.isFinite), `seed ${seed}`).toBe(true);
    });
  });

  test('error: a prior that is no covariance', () => {
    const wrong = Float64Array.of(0.4, 0.9, 0.9, 0.7);
    expect(() => gatedForecast(bars, wrong)).toThrow(/no covariance/);
    expect(() => gatedForecast(bars, Float64Array.of(1))).toThrow(InvalidInput);
  });
});

describe('dailySeries', () => {
  const two = (column: readonly number[], ts: readonly number[]) =>
    barsOf(['A'], Float64Array.from(ts), [Float64Array.from(column)], 43_200);

  test('behavior: a return counts on the day of its own close; broken days are left out', () => {
    const half = 43_200;
    // Closes at 12:00, 24:00 (= the next day's 00:00), 12:00 … from day 10.
    const ts = [21, 22, 23, 24, 25, 27, 28, 29].map((k) => k * half);
    const series = dailySeries(two([1, 2, 4, 8, 16, 1, 3, 9], ts), 0);
    // Day 11: closes at 22 and 23 half days. Day 12: 24, 25. Day 13: 26 is missing. Day 14: 28, 29.
    expect([...series.days]).toEqual([11, 12, 14].map((day) => day * 86_400));
    near(series.returns[0], Math.log(4));
    near(series.realised[0], 2 * Math.log(2) ** 2);
    near(series.returns[2], Math.log(9));
  });

  test('error: prices of 0, times that go back, bars that do not fill a day', () => {
    expect(() => two([1, 0], [0, 1])).toThrow(/no price/);
    expect(() => two([1, Number.NaN], [0, 1])).toThrow(InvalidInput);
    expect(() => two([1, 2], [5, 5])).toThrow(/does not follow/);
    expect(() => two([1], [0, 1])).toThrow(/row 1 of 2/);
    expect(() => barsOf(['A'], Float64Array.of(0), [Float64Array.of(1)], 7000)).toThrow(
      /whole bars/,
    );
  });
});

describe('lossesOf', () => {
  test('default: the loss of each day forecast', () => {
    const series = simulatedDays(random(2), 40, 4, () => 0.02);
    const walk = { from: 35, refitDays: 1, horizon: 1 };
    const forecasts = Float64Array.of(1e-3, 1e-3, 1e-3, 1e-3, 1e-3);
    const losses = lossesOf(forecasts, series, walk);
    near(losses[2], qlike(series.realised[37] ?? 0, 1e-3));
  });
});
