// What a policy means under one forecast and one fixed cost: its targets, its covariance and the rule
// that says when to trade and where to. Rebuilt when the forecast's numbers or the cost change, and
// remembered between: the hours between two forecasts pay for a comparison only. A forecast that is
// no covariance is refused and the policy's prior taken; a risk budget without a forecast holds the
// document's targets.

import { InvalidInput } from '../../types/errors.ts';
import type { RiskKernel } from '../../types/risk.ts';
import { notPositiveSemidefinite } from '../psd.ts';
import { targetsAtVolatility, targetsFromRiskBudget } from '../risk/targets.ts';
import type { Forecast, Policy, Reason } from '../types.ts';
import { aversionForBudget, stepAversion } from './aversion.ts';
import { absoluteBands, farthest, thresholdTrade } from './threshold.ts';

/** A threshold that fired. */
export interface Crossing {
  readonly landing: Float64Array;
  /** κτ for the optimizer; null: land exactly. */
  readonly aversion: number | null;
  readonly reason: Reason;
}

export interface Model {
  readonly targets: Float64Array;
  readonly covariance: Float64Array;
  /** κ, per year; null: explicit bands or the clock. */
  readonly kappa: number | null;
  /** How the model came about, where that is not plain. */
  readonly reasons: readonly Reason[];
  /** null: inside the bands. */
  crossing(weights: Float64Array): Crossing | null;
  /** The largest displacement, for the record of why nothing was done. */
  inside(weights: Float64Array): Reason;
}

export type ModelOf = (forecast: Forecast, fixed: number) => Model;

/** Fixed costs within 5 % of each other share a model: bands go with their fourth root. */
const FIXED_STEP = Math.log(1.05);
/** A covariance above 400 (2,000 % a year) is a defect of the forecast. */
const VARIANCE_MAX = 400;

/** Prepares models of one policy; the same arguments give the same answers in any order. */
export function modelsOf(policy: Policy, kernel: RiskKernel): ModelOf {
  let known: {
    readonly said: Float64Array;
    readonly isPrior: boolean;
    readonly fixed: number;
    readonly usual: number;
    readonly model: Model;
  } | null = null;
  return (forecast, fixed) => {
    const rounded = fixed > 0 ? Math.exp(Math.round(Math.log(fixed) / FIXED_STEP) * FIXED_STEP) : 0;
    const isPrior = forecast.source === 'prior';
    const { covariance: said, usual = 1 } = forecast;
    if (
      known?.fixed === rounded &&
      known.isPrior === isPrior &&
      known.usual === usual &&
      same(known.said, said)
    ) {
      return known.model;
    }
    const model = modelOf(policy, kernel, forecast, rounded);
    known = { said: Float64Array.from(said), isPrior, fixed: rounded, usual, model };
    return model;
  };
}

function same(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (!Object.is(a[k], b[k])) return false;
  return true;
}

function modelOf(
  policy: Policy,
  kernel: RiskKernel,
  { covariance: said, source, usual = 1 }: Forecast,
  fixed: number,
): Model {
  const reasons: Reason[] = [];
  const fault = unusable(said, policy.assets.length);
  if (fault !== null) {
    const message = `the forecast is no covariance (${fault}): the prior is used`;
    reasons.push({ code: 'forecastRefused', message });
  }
  const covariance = fault === null ? Float64Array.from(said) : policy.prior.covariance;
  const useTargets = source === 'prior' || fault !== null;
  const targets = targetsOf(policy, kernel, covariance, useTargets, reasons);
  const { objective } = policy;
  if (objective.kind === 'bands') {
    const bands = absoluteBands(objective.widths, objective.measure, targets);
    return bandsModel(policy, { targets, covariance, bands, reasons }, objective.landing);
  }
  if (objective.kind === 'calendar') return clockModel(policy, { targets, covariance, reasons });
  const level = fault === null && usual > 0 && Number.isFinite(usual) ? usual : 1;
  return ruleModel(policy, kernel, { targets, covariance, reasons }, fixed, level);
}

function unusable(covariance: Float64Array, n: number): string | null {
  if (covariance.length !== n * n) return `${covariance.length} numbers for ${n} assets`;
  if (!covariance.every((x) => Math.abs(x) <= VARIANCE_MAX)) return 'a number is out of range';
  return notPositiveSemidefinite(covariance, n);
}

/** Risk parity over what the budgeted assets' targets leave them, then the volatility target. */
function targetsOf(
  policy: Policy,
  kernel: RiskKernel,
  covariance: Float64Array,
  withoutForecast: boolean,
  reasons: Reason[],
): Float64Array {
  const { assets, riskBudget, volatilityTarget } = policy;
  let targets: Float64Array = Float64Array.from(policy.targets);
  try {
    if (riskBudget !== null && !withoutForecast) {
      const budgets = Float64Array.from(riskBudget);
      const parity = targetsFromRiskBudget(kernel, covariance, budgets);
      const share = targets.reduce((sum, w, i) => sum + (budgets[i] === 0 ? 0 : w), 0);
      targets = targets.map((w, i) => (budgets[i] === 0 ? w : share * (parity[i] ?? 0)));
    }
    if (volatilityTarget !== null) {
      const cash = assets.indexOf(volatilityTarget.cash);
      targets = targetsAtVolatility(targets, covariance, volatilityTarget, cash).targets;
    }
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const message = `targets stay as written: ${error.message}`;
    reasons.push({ code: 'targetsAsWritten', message });
    return Float64Array.from(policy.targets);
  }
  return targets;
}

type Base = Pick<Model, 'targets' | 'covariance' | 'reasons'>;

const shown = (fraction: number): string => `${(fraction * 100).toFixed(3)} %`;

function bandsModel(policy: Policy, base: Base & { bands: Float64Array }, landing: number): Model {
  const { targets, bands } = base;
  return {
    ...base,
    kappa: null,
    crossing(weights) {
      const trade = thresholdTrade(weights, targets, bands, landing);
      if (trade === null) return null;
      const { displacement, band } = trade;
      const asset = policy.assets[trade.asset] ?? '';
      const message = `${asset} is ${shown(displacement)} off its target, band ${shown(band)}`;
      const data = { asset, displacement, band, excess: displacement / band };
      return { landing: trade.landing, aversion: null, reason: { code: 'outside', message, data } };
    },
    inside(weights) {
      const { asset, ratio } = farthest(weights, targets, bands);
      return within(policy.assets[asset] ?? '', ratio, bands[asset] ?? 0);
    },
  };
}

function within(asset: string, ratio: number, band: number): Reason {
  const displacement = ratio * band;
  const message = `inside: ${asset} is ${shown(displacement)} off its target, band ${shown(band)}`;
  return { code: 'inside', message, data: { asset, displacement, band } };
}

function clockModel(policy: Policy, base: Base): Model {
  const any = new Float64Array(base.targets.length).fill(1);
  return {
    ...base,
    kappa: null,
    crossing: () => null,
    inside(weights) {
      const { asset, ratio } = farthest(weights, base.targets, any);
      const name = policy.assets[asset] ?? '';
      const message = `${name} is ${shown(ratio)} off its target; only the clock decides`;
      return { code: 'clockOnly', message, data: { asset: name, displacement: ratio } };
    },
  };
}

/**
 * A tracking-error budget is for the year, not for today: κ is solved at the usual level of variance.
 * Bands feel Σ's shape and not its level (in the clock of variance nothing changes), so they stay as
 * wide in calm as in storms, which costs least for the error of a whole year.
 */
function ruleModel(
  policy: Policy,
  kernel: RiskKernel,
  base: Base,
  fixed: number,
  usual: number,
): Model {
  const { targets, covariance } = base;
  const { proportional } = policy.costs;
  const inputs = { targets, covariance, proportional, fixed };
  const { objective, assets } = policy;
  const budgeted = { ...inputs, covariance: covariance.map((x) => usual * x) };
  const kappa =
    objective.kind === 'aversion'
      ? objective.perYear
      : objective.kind === 'trackingError'
        ? aversionForBudget(kernel, budgeted, objective.annual)
        : null;
  if (kappa === null) {
    // No risk, no tracking error: nothing to trade for.
    const message = 'no pair of assets bears risk: there is no drift to trade against';
    return clockModelOf(base, { code: 'noRisk', message });
  }
  const rule = kernel.bandRule({ ...inputs, aversion: kappa });
  return {
    ...base,
    kappa,
    crossing(weights) {
      const trade = rule.land(weights);
      if (trade === null) return null;
      const { landing, pair, excess } = trade;
      const [sold, bought] = [assets[pair[0]] ?? '', assets[pair[1]] ?? ''];
      const aversion = stepAversion(proportional, covariance, targets, landing, pair);
      const message = `${sold} over ${bought} stands at ${excess.toFixed(4)} of its band`;
      const data = { sold, bought, excess, kappa };
      return { landing, aversion, reason: { code: 'outside', message, data } };
    },
    inside(weights) {
      const trackingError = Math.sqrt(trackingVariance(weights, targets, covariance));
      const message = `inside: no pair has left its band; tracking error now ${shown(trackingError)} a year`;
      return { code: 'inside', message, data: { trackingError, kappa } };
    },
  };
}

/** e′Σe, per year, of e = weights − targets; a form below zero by rounding is 0. */
export function trackingVariance(
  weights: Float64Array,
  targets: Float64Array,
  covariance: Float64Array,
): number {
  let sum = 0;
  const n = targets.length;
  for (let i = 0; i < n; i++) {
    const own = (weights[i] ?? 0) - (targets[i] ?? 0);
    for (let j = 0; j < n; j++) {
      sum += own * (covariance[i * n + j] ?? 0) * ((weights[j] ?? 0) - (targets[j] ?? 0));
    }
  }
  return Math.max(0, sum);
}

const clockModelOf = (base: Base, reason: Reason): Model => ({
  ...base,
  kappa: null,
  crossing: () => null,
  inside: () => reason,
});
