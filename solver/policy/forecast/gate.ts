// Who may forecast. The formula (EWMA, fixed λ) forecasts unless a fitted or tuned rule has beaten
// it on this very history, walking forward, by more than chance and in the recent half too. What
// was compared, over which dates and with what result is the evidence that comes with every
// forecast. Too little history: the prior.

import { at, checkNumber } from '../risk/linear.ts';
import type { Forecast } from '../types.ts';
import { checkPrior } from './checkPrior.ts';
import { type Bars, type DailySeries, dailySeries, VARIANCE_MIN } from './daily.ts';
import { ewmaForecaster, tunedEwma } from './ewma.ts';
import type { Forecaster } from './forecaster.ts';
import { garchForecaster } from './garch.ts';
import { harForecaster } from './har.ts';
import { type DieboldMariano, dieboldMariano } from './losses.ts';
import { createForecasts, forecastPlan, PRIOR_DAYS } from './mixed.ts';
import { lossesOf, type WalkOptions, walkForward } from './walkForward.ts';

const DAYS_PER_YEAR = 365;

export interface GateOptions {
  /**
   * Days a forecast is the mean of: as long as a portfolio is left alone. It decides who wins: on
   * BTC and ETH a fitted rule is ahead for the next day, none for the next week
   * (docs/forecasts.md).
   */
  readonly horizon: number;
  /** Days between fits while walking. */
  readonly refitDays: number;
  /** Fewest days before the first one forecast, and fewest days forecast. */
  readonly inSampleMin: number;
  readonly outOfSampleMin: number;
  /**
   * Least Diebold–Mariano t. At 2.4 some 1 % of rules no better than the formula pass by chance
   * (0.8 % in the limit, 1.2 % measured in gate.test.ts): about one gate in thirty with three to
   * try.
   */
  readonly tMin: number;
  /** Whole days below which nothing but the prior is believed. */
  readonly daysMin: number;
}

export const GATE_DEFAULTS: GateOptions = {
  horizon: 7,
  refitDays: 28,
  inSampleMin: 365,
  outOfSampleMin: 250,
  tMin: 2.4,
  daysMin: PRIOR_DAYS,
};

/** What may take the formula's place, in the order in which ties are broken. */
export const FORMULA: Forecaster = ewmaForecaster();
export const CANDIDATES: readonly Forecaster[] = [harForecaster(), garchForecaster(), tunedEwma()];

export interface Verdict extends DieboldMariano {
  readonly admitted: boolean;
  /** Gain over the later half of the days. */
  readonly recentGain: number;
}

export interface CandidateEvidence {
  readonly name: string;
  /** Mean QLIKE out of sample; null: it made no forecasts. */
  readonly loss: number | null;
  readonly verdict: Verdict | null;
  /** One line a reader can follow. */
  readonly why: string;
}

export interface GateEvidence {
  readonly asset: string;
  /** Who forecasts this asset now. */
  readonly chosen: string;
  readonly formula: string;
  /** Mean QLIKE out of sample; null: too little history to compare. */
  readonly formulaLoss: number | null;
  /** Unix seconds of days: first in sample, first and last out of sample; null as above. */
  readonly dates: { readonly from: number; readonly split: number; readonly until: number } | null;
  readonly daysOutOfSample: number;
  readonly candidates: readonly CandidateEvidence[];
}

/**
 * Whether a rule's losses beat the formula's: any rule and any loss, day by day, oldest first.
 * Better on average by `tMin` standard errors, and better in the later half: an edge that has gone
 * is none.
 */
export function verdictOf(
  formula: Float64Array,
  candidate: Float64Array,
  { tMin, horizon }: Pick<GateOptions, 'tMin' | 'horizon'>,
): Verdict {
  const test = dieboldMariano(formula, candidate, horizon);
  const half = Math.floor(formula.length / 2);
  let recent = 0;
  for (let t = half; t < formula.length; t++) recent += at(formula, t) - at(candidate, t);
  const recentGain = recent / (formula.length - half);
  return { ...test, recentGain, admitted: test.t >= tMin && recentGain > 0 };
}

/** Walks the formula and every candidate over one asset's days and says who may forecast. */
export function gate(
  asset: string,
  series: DailySeries,
  candidates: readonly Forecaster[] = CANDIDATES,
  options: GateOptions = GATE_DEFAULTS,
): { readonly chosen: Forecaster; readonly evidence: GateEvidence } {
  checkOptions(options);
  const days = series.realised.length;
  const walk = walkOf(days, options);
  const formula = walk === null ? null : walkForward(FORMULA, series, walk);
  if (walk === null || formula === null || 'failed' in formula) {
    const needed = options.inSampleMin + options.outOfSampleMin + options.horizon - 1;
    const why = `${days} whole days: ${needed} are needed to compare`;
    return { chosen: FORMULA, evidence: unjudged(asset, candidates, why) };
  }
  const losses = lossesOf(formula, series, walk);
  const judged = candidates.map((candidate) => {
    const forecasts = walkForward(candidate, series, walk);
    if ('failed' in forecasts) return { candidate, ...silent(candidate, forecasts.failed) };
    const own = lossesOf(forecasts, series, walk);
    const verdict = verdictOf(losses, own, options);
    const { name } = candidate;
    return { candidate, name, loss: mean(own), verdict, why: reasonOf(verdict, options) };
  });
  const best = judged
    .filter(({ verdict }) => verdict?.admitted === true)
    .toSorted((a, b) => (a.loss ?? 0) - (b.loss ?? 0))[0];
  const chosen = best?.candidate ?? FORMULA;
  return {
    chosen,
    evidence: {
      asset,
      chosen: chosen.name,
      formula: FORMULA.name,
      formulaLoss: mean(losses),
      dates: {
        from: at(series.days, 0),
        split: at(series.days, walk.from),
        until: at(series.days, days - 1),
      },
      daysOutOfSample: losses.length,
      candidates: judged.map(({ name, loss, verdict, why }) => ({ name, loss, verdict, why })),
    },
  };
}

export interface GatedForecast {
  readonly forecast: Forecast;
  /** One per asset; empty where the prior forecasts. */
  readonly evidence: readonly GateEvidence[];
}

/**
 * The covariance for live policies from price history alone: mixed.ts's, which is the backtest's,
 * times what those whom the gate admits say of the assets' variances in sum over what the formula
 * says. While no fitted rule is admitted that is 1, and what lives is what was replayed. Annual,
 * positive semidefinite. `prior`: annual covariance of the same assets, what holds until `daysMin`
 * whole days.
 */
export function gatedForecast(
  bars: Bars,
  prior: Float64Array,
  options: GateOptions = GATE_DEFAULTS,
): GatedForecast {
  const size = bars.assets.length;
  checkOptions(options);
  checkPrior(prior, size);
  const series = bars.assets.map((_, a) => dailySeries(bars, a));
  const days = series[0]?.days.length ?? 0;
  if (days < options.daysMin) {
    return { forecast: { covariance: prior.slice(), source: 'prior' }, evidence: [] };
  }
  const evidence: GateEvidence[] = [];
  let [chosen, formula] = [0, 0];
  for (const [a, one] of series.entries()) {
    const found = gate(bars.assets[a] ?? '', one, CANDIDATES, options);
    evidence.push(found.evidence);
    chosen += varianceOf(found.chosen, one, options.horizon);
    formula += varianceOf(FORMULA, one, options.horizon);
  }
  const level = formula > 0 ? chosen / formula : 1;
  const mixed = mixedCovariance(bars, prior);
  const names = [...new Set(evidence.map((one) => one.chosen))].join('|');
  return {
    forecast: {
      covariance: mixed.covariance.map((x) => level * x),
      source: `${names}, ${days} days`,
      usual: mixed.usual / level,
    },
    evidence,
  };
}

/** After the last bar: as a replay of these bars would see it, were it remade then. */
function mixedCovariance({ returns, barSeconds, assets }: Bars, prior: Float64Array) {
  const size = assets.length;
  const plan = { ...forecastPlan(barSeconds), every: 1, from: returns.length / size - 1 };
  const perYear = (DAYS_PER_YEAR * 86_400) / barSeconds;
  const forecasts = createForecasts(prior, size, perYear, plan);
  let held = prior;
  for (let k = 0; k < returns.length; k += size) {
    held = forecasts.next(returns.subarray(k, k + size).map((r) => Math.expm1(r)));
  }
  return { covariance: held, usual: forecasts.usual() };
}

/** Variance per day; the formula's where the chosen one falls silent at the last moment. */
function varianceOf(chosen: Forecaster, series: DailySeries, horizon: number): number {
  // Cash: no day moved.
  if (series.realised.every((y) => y <= VARIANCE_MIN)) return 0;
  const variance = chosen.fit(series, horizon)?.(series) ?? Number.NaN;
  if (variance > 0 && Number.isFinite(variance)) return variance;
  return FORMULA.fit(series, horizon)?.(series) ?? VARIANCE_MIN;
}

function walkOf(days: number, options: GateOptions): WalkOptions | null {
  const { horizon, refitDays, inSampleMin, outOfSampleMin } = options;
  const from = Math.max(inSampleMin, Math.ceil(days / 2));
  const count = days - horizon + 1 - from;
  // Between the least history and twice the in-sample minimum the split gives way to the latter.
  if (count < outOfSampleMin) {
    const earlier = days - horizon + 1 - outOfSampleMin;
    return earlier < inSampleMin ? null : { from: earlier, refitDays, horizon };
  }
  return { from, refitDays, horizon };
}

const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / values.length;

const silent = ({ name }: Forecaster, why: string): CandidateEvidence => ({
  name,
  loss: null,
  verdict: null,
  why,
});

function unjudged(asset: string, candidates: readonly Forecaster[], why: string): GateEvidence {
  return {
    asset,
    chosen: FORMULA.name,
    formula: FORMULA.name,
    formulaLoss: null,
    dates: null,
    daysOutOfSample: 0,
    candidates: candidates.map((candidate) => silent(candidate, why)),
  };
}

function reasonOf({ admitted, gain, t, recentGain }: Verdict, { tMin }: GateOptions): string {
  const figures = `QLIKE better by ${gain.toFixed(4)}, t ${t.toFixed(2)}`;
  if (admitted) return `admitted: ${figures}`;
  if (gain <= 0) return `refused: no better than the formula (${figures})`;
  if (t < tMin) return `refused: could be chance (${figures}, ${tMin} needed)`;
  return `refused: no better in the later half (${recentGain.toFixed(4)}; overall ${figures})`;
}

function checkOptions(options: GateOptions): void {
  checkNumber(options.inSampleMin, 'inSampleMin', 30);
  checkNumber(options.outOfSampleMin, 'outOfSampleMin', 30);
  checkNumber(options.tMin, 'tMin', 0);
  checkNumber(options.daysMin, 'daysMin', FORMULA.daysMin);
  checkNumber(options.horizon, 'horizon', 1);
}
