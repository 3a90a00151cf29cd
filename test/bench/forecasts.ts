// npm run bench -- forecasts [--json] [--horizon N] [--refit N]
//   How wrong each forecast of daily variance is on BTC and ETH: mean QLIKE over the last 1,503
//   days, every forecast made with the days before it alone; docs/forecasts.md reads it.
//   --horizon   days a forecast is the mean of, default 1, 7 and 22 one after the other
//   --refit     days between fits, default 28; 0: fitted once, before the first day out of sample
// The first table is fitted once, at horizon 1: test/vectors/vol_forecasts.json has its figures.

import { parseArgs } from 'node:util';
import {
  type Bars,
  barsOf,
  type DailySeries,
  dailySeries,
} from '../../solver/policy/forecast/daily.ts';
import { ewmaForecaster, tunedEwma } from '../../solver/policy/forecast/ewma.ts';
import { type Forecaster, rollingMean } from '../../solver/policy/forecast/forecaster.ts';
import { garchForecaster } from '../../solver/policy/forecast/garch.ts';
import {
  CANDIDATES,
  FORMULA,
  GATE_DEFAULTS,
  gate,
  verdictOf,
} from '../../solver/policy/forecast/gate.ts';
import { harForecaster } from '../../solver/policy/forecast/har.ts';
import {
  lossesOf,
  type WalkOptions,
  walkForward,
} from '../../solver/policy/forecast/walkForward.ts';
import { hourlyCloses } from '../data/marketData.ts';

const DAYS_OUT = 1503;
const HORIZONS = '1,7,22';

const MODELS: readonly Forecaster[] = [
  FORMULA,
  rollingMean(22),
  ewmaForecaster(0.94, 'returns'),
  ewmaForecaster(0.85),
  tunedEwma(),
  garchForecaster(),
  harForecaster(),
];

export interface ForecastRow {
  readonly asset: string;
  readonly model: string;
  readonly days: number;
  readonly qlike: number;
  /** Diebold–Mariano t of the gain over the formula; null for the formula. */
  readonly t: number | null;
  readonly recentGain: number | null;
}

/** Every model's mean loss on one asset. */
export function compare(asset: string, series: DailySeries, walk: WalkOptions): ForecastRow[] {
  const losses = MODELS.map((model) => {
    const forecasts = walkForward(model, series, walk);
    if ('failed' in forecasts) throw new Error(`${model.name}: ${forecasts.failed}`);
    return lossesOf(forecasts, series, walk);
  });
  const [formula] = losses;
  if (formula === undefined) throw new Error('no formula');
  return MODELS.map(({ name }, m) => {
    const own = losses[m] ?? formula;
    const verdict =
      m === 0 ? null : verdictOf(formula, own, { ...GATE_DEFAULTS, horizon: walk.horizon });
    return {
      asset,
      model: name,
      days: own.length,
      qlike: own.reduce((sum, loss) => sum + loss, 0) / own.length,
      t: verdict?.t ?? null,
      recentGain: verdict?.recentGain ?? null,
    };
  });
}

function table(rows: readonly ForecastRow[]): string {
  const cells = rows.map(({ asset, model, days, qlike, t, recentGain }) => [
    ...[asset, model, String(days), qlike.toFixed(4)],
    ...(t === null ? ['–', '–'] : [t.toFixed(2), (recentGain ?? 0).toFixed(4)]),
  ]);
  const head = ['asset', 'model', 'days', 'QLIKE', 't against ewma94', 'gain, later half'];
  return [head, head.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const dateOf = (seconds = 0) => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Tables and gates at one horizon. */
function walked(bars: Bars, all: readonly DailySeries[], horizon: number, refitDays: number) {
  return {
    horizon,
    rows: all.flatMap((series, a) => {
      const from = series.days.length - DAYS_OUT;
      return compare(bars.assets[a] ?? '', series, { from, refitDays, horizon });
    }),
    gates: all.map(
      (series, a) =>
        gate(bars.assets[a] ?? '', series, CANDIDATES, { ...GATE_DEFAULTS, horizon }).evidence,
    ),
  };
}

function textOf({ horizon, rows, gates }: ReturnType<typeof walked>, fits: string): string {
  const verdicts = gates.map(({ asset, chosen, dates, candidates }) =>
    [
      `Gate, ${asset}, ${dateOf(dates?.split)} to ${dateOf(dates?.until)}: ${chosen} forecasts.\n`,
      ...candidates.map(({ name, why }) => `- ${name}: ${why}`),
    ].join('\n'),
  );
  const title = `Walking forward, ${fits}, mean of ${horizon} day${horizon > 1 ? 's' : ''} ahead:`;
  return [title, table(rows), ...verdicts].join('\n\n');
}

export function main(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      horizon: { type: 'string', default: HORIZONS },
      refit: { type: 'string', default: String(GATE_DEFAULTS.refitDays) },
    },
  });
  const [horizons, refit] = [values.horizon.split(',').map(Number), Number(values.refit)];
  const fine = horizons.every((days) => Number.isInteger(days) && days >= 1 && days <= 60);
  if (!fine || !(refit >= 0)) {
    console.error('usage: npm run bench -- forecasts [--json] [--horizon 1…60] [--refit DAYS]');
    return 2;
  }
  const { ts, btc, eth } = hourlyCloses();
  const bars = barsOf(['BTC', 'ETH'], ts, [btc, eth], 3600);
  const all = bars.assets.map((_, a) => dailySeries(bars, a));
  const once = walked(bars, all, 1, Number.POSITIVE_INFINITY).rows;
  const refitDays = refit === 0 ? Number.POSITIVE_INFINITY : refit;
  const tables = horizons.map((horizon) => walked(bars, all, horizon, refitDays));
  if (values.json) {
    console.log(JSON.stringify({ once, refit, tables }));
    return 0;
  }
  const days = all[0]?.days ?? new Float64Array();
  const fits = refit === 0 ? 'fitted once' : `fitted every ${refit} days`;
  const span = `Days ${dateOf(days[0])} to ${dateOf(days.at(-1))}`;
  console.log(
    [
      `${span}, out of sample from ${dateOf(days[days.length - DAYS_OUT])}.`,
      `Fitted once, one day ahead:\n\n${table(once)}`,
      ...tables.map((one) => textOf(one, fits)),
    ].join('\n\n'),
  );
  return 0;
}
