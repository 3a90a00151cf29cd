// The covariance a policy acts on, live and replayed: the prior's shape mixed with what has been
// seen, at the scale of what has been seen. With E the exponentially weighted mean of r·r′
// (RiskMetrics 1996), started at the prior P, and q = tr E/tr P:  Σ = (1 − share)·E + share·q·P.
// Before 30 days it is P. The kernel's replay (assembly/risk/replay.ts) does the same in the same
// order of operations, so that the rule's column and the policy replayed hour by hour see the same
// bytes. Refuses nothing: its callers check.

import type { ForecastPlan } from '../../types/replay.ts';

const DAY_SECONDS = 86_400;
const DAYS_PER_YEAR = 365;
/** Prices that stand still are not believed to have been this much livelier. */
const USUAL_MAX = 1_000;
/** RiskMetrics' λ for days (J. P. Morgan, Reuters 1996): taken, not fitted. */
const DAILY_DECAY = 0.94;
/**
 * Observations the prior is worth, as an inverse Wishart's: E counts for the 1/(1 − λ) it averages over.
 * At hourly steps those are 388, and the two are mixed about half and half, the plain mean of two
 * forecasts (Bates, Granger 1969); at daily steps they are 16, too few to know correlations by.
 */
const PRIOR_OBSERVATIONS = 400;

/** Whole days below which nothing but the prior is believed. */
export const PRIOR_DAYS = 30;
/** Prices that stood still for long are not believed to stand still for ever: a thousandth of σ. */
const SCALE_MIN = 1e-6;

/** The plan for steps of this length: λ = 0.94 a day, remade once a day, from the 31st day on. */
export function forecastPlan(stepSeconds: number): ForecastPlan {
  const decay = DAILY_DECAY ** (stepSeconds / DAY_SECONDS);
  return {
    decay,
    share: PRIOR_OBSERVATIONS / (PRIOR_OBSERVATIONS + 1 / (1 - decay)),
    every: Math.max(1, Math.round(DAY_SECONDS / stepSeconds)),
    from: Math.ceil((PRIOR_DAYS * DAY_SECONDS) / stepSeconds),
  };
}

/** Feeds on returns in order; answers what holds after each. */
export interface Forecasts {
  /** Returns of one step, n numbers; the covariance that holds from then on. */
  next(returns: Float64Array): Float64Array;
  /**
   * The usual level of variance over the one that holds: the plain mean of all that was seen, the
   * prior counted for 30 days. 1 while the prior holds.
   */
  usual(): number;
}

export function createForecasts(
  prior: Float64Array,
  n: number,
  perYear: number,
  { decay, share, every, from }: ForecastPlan,
): Forecasts {
  const seen = prior.slice();
  const scale = traceOf(prior, n);
  let held: Float64Array = prior;
  let step = 0;
  let usual = 1;
  let count = (perYear * PRIOR_DAYS) / DAYS_PER_YEAR;
  let total = scale * count;
  return {
    next(returns) {
      if (decay === 1) return prior;
      for (let i = 0; i < n; i++) {
        const own = (1 - decay) * perYear * (returns[i] as number);
        total += perYear * (returns[i] as number) ** 2;
        for (let j = 0; j <= i; j++) {
          const value = decay * (seen[i * n + j] as number) + own * (returns[j] as number);
          seen[i * n + j] = value;
          seen[j * n + i] = value;
        }
      }
      count++;
      if (step % every === 0 && step >= from) {
        held = blend(seen, prior, scale, share, n);
        const trace = traceOf(held, n);
        usual = trace > 0 ? Math.min(USUAL_MAX, total / count / trace) : 1;
      }
      step++;
      return held;
    },
    usual: () => usual,
  };
}

function blend(
  seen: Float64Array,
  prior: Float64Array,
  scale: number,
  share: number,
  n: number,
): Float64Array {
  const trace = traceOf(seen, n);
  const level = scale > 0 ? Math.max(SCALE_MIN, trace / scale) : 1;
  const factor = trace > 0 ? (1 - share) * (scale / trace) * level : 0;
  const rest = (trace > 0 ? share : 1) * level;
  return seen.map((value, k) => factor * value + rest * (prior[k] as number));
}

function traceOf(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i] as number;
  return sum;
}
