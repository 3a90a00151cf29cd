// GARCH(1,1) of daily returns: σ²ₙ = ω + αu²ₙ₋₁ + βσ²ₙ₋₁ (Bollerslev, 1986), fitted by Gaussian
// likelihood with zero mean. Fewer than some hundred days fit noise: the gate decides who may use
// it.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkNumber, checkVector } from '../risk/linear.ts';
import { VARIANCE_MIN } from './daily.ts';
import type { Forecaster } from './forecaster.ts';
import { nelderMead } from './nelderMead.ts';

export interface Garch {
  readonly omega: number;
  readonly alpha: number;
  readonly beta: number;
}

export interface GarchFit extends Garch {
  /** ω/(1 − α − β), per day. */
  readonly longRun: number;
  /** Σ ln σ² + u²/σ² at the fit: minus twice the likelihood, less a constant. */
  readonly loss: number;
}

const DAYS_MIN = 250;
/** Persistences and shares of α in them from which the best start is taken. */
const STARTS = [0.7, 0.9, 0.97].flatMap((persistence) =>
  [0.05, 0.1, 0.3].map((share) => [persistence, share] as const),
);

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const logit = (p: number) => Math.log(p / (1 - p));

/** One step of the recursion. */
export function nextGarch({ omega, alpha, beta }: Garch, variance: number, u: number): number {
  return omega + alpha * u * u + beta * variance;
}

/** σ² = ω/(1 − α − β); refuses a process without one. */
export function longRunVariance({ omega, alpha, beta }: Garch): number {
  const rest = 1 - alpha - beta;
  if (rest > 0) return omega / rest;
  throw new InvalidInput(`α + β is ${alpha + beta}: below 1 there is a long-run variance`, {
    pointer: '/beta',
  });
}

/**
 * Maximum likelihood over daily returns. `sampleVariance`: the long-run variance is the returns'
 * own (variance targeting, Engle & Mezrich 1996) and α, β are sought, the steadier choice for a
 * thousand days of fat tails; `likelihood`: ω too, from there. The recursion starts at the long-run
 * variance of the sample. null where the returns do not move.
 */
export function fitGarch(
  returns: Float64Array,
  longRun: 'sampleVariance' | 'likelihood' = 'sampleVariance',
): GarchFit | null {
  checkVector(returns, returns.length, 'returns');
  const n = returns.length;
  const mean = returns.reduce((sum, r) => sum + r, 0) / n;
  const sample = returns.reduce((sum, r) => sum + (r - mean) ** 2, 0) / n;
  if (!(sample > VARIANCE_MIN)) return null;
  const squares = returns.map((r) => r * r);
  const parameters = (x: Float64Array): Garch => {
    const persistence = logistic(at(x, 0));
    const alpha = persistence * logistic(at(x, 1));
    // 1 − logistic(x) as logistic(−x): no digits lost where persistence is near 1.
    const level = x.length > 2 ? sample * Math.exp(at(x, 2)) : sample;
    return { omega: level * logistic(-at(x, 0)), alpha, beta: persistence - alpha };
  };
  const loss = (x: Float64Array) => lossOf(parameters(x), squares, sample);
  const starts = STARTS.map(([p, share]) => Float64Array.of(logit(p), logit(share)));
  const start = starts.reduce((a, b) => (loss(b) < loss(a) ? b : a));
  let best = nelderMead(loss, start, 0.5);
  if (longRun === 'likelihood') best = nelderMead(loss, Float64Array.of(...best.x, 0), 0.25);
  const fitted = parameters(best.x);
  return { ...fitted, longRun: longRunVariance(fitted), loss: best.value };
}

function lossOf({ omega, alpha, beta }: Garch, squares: Float64Array, seed: number): number {
  let variance = seed;
  let sum = 0;
  for (let t = 0; t < squares.length; t++) {
    const square = squares[t] ?? 0;
    sum += Math.log(variance) + square / variance;
    variance = omega + alpha * square + beta * variance;
  }
  return Number.isFinite(sum) ? sum : Number.POSITIVE_INFINITY;
}

/** Mean variance per day over `horizon` days, v the next day's: V + (v − V)(1 − φʰ)/h(1 − φ). */
export function garchMean(model: Garch, next: number, horizon: number): number {
  checkNumber(horizon, 'horizon', 1);
  const level = longRunVariance(model);
  const persistence = model.alpha + model.beta;
  return level + ((next - level) * (1 - persistence ** horizon)) / (horizon * (1 - persistence));
}

/** GARCH(1,1) on daily returns, refitted as the walk goes on. */
export function garchForecaster(): Forecaster {
  return {
    name: 'garch',
    daysMin: DAYS_MIN,
    fit({ returns }, horizon) {
      const model = fitGarch(returns);
      if (model === null) return null;
      return (past) => {
        const next = past.returns.reduce((v, u) => nextGarch(model, v, u), model.longRun);
        return garchMean(model, next, horizon);
      };
    },
  };
}
