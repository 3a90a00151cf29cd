// The covariance the rule sees at each step of a replay, as assembly/risk/replay.ts makes it, in the
// same order of operations: the policy that is replayed hour by hour and the kernel's rule then see the
// same bytes. E is the exponentially weighted mean of r·r′ (RiskMetrics 1996), started at the prior.

import type { ForecastPlan } from '../types/replay.ts';

const DAY_SECONDS = 86_400;
/** RiskMetrics' λ for days (J. P. Morgan, Reuters 1996): taken, not fitted. */
const DAILY_DECAY = 0.94;
/**
 * Observations the prior is worth, as an inverse Wishart's: E counts for the 1/(1 − λ) it averages over.
 * At hourly steps those are 388, and the two are mixed about half and half, the plain mean of two
 * forecasts (Bates, Granger 1969); at daily steps they are 16, too few to know correlations by.
 */
const PRIOR_OBSERVATIONS = 400;

/** The plan for steps of this length: λ = 0.94 a day, remade once a day. */
export function forecastPlan(stepSeconds: number): ForecastPlan {
  const decay = DAILY_DECAY ** (stepSeconds / DAY_SECONDS);
  return {
    decay,
    share: PRIOR_OBSERVATIONS / (PRIOR_OBSERVATIONS + 1 / (1 - decay)),
    every: Math.max(1, Math.round(DAY_SECONDS / stepSeconds)),
  };
}

/** Feeds on returns in order; answers what holds after each. */
export interface Forecasts {
  /** Returns of one step, n numbers; the covariance that holds from then on. */
  next(returns: Float64Array): Float64Array;
}

export function createForecasts(
  prior: Float64Array,
  n: number,
  perYear: number,
  { decay, share, every }: ForecastPlan,
): Forecasts {
  const seen = prior.slice();
  const scale = traceOf(prior, n);
  let held: Float64Array = prior;
  let step = 0;
  return {
    next(returns) {
      if (decay === 1) return prior;
      for (let i = 0; i < n; i++) {
        const own = (1 - decay) * perYear * (returns[i] as number);
        for (let j = 0; j <= i; j++) {
          const value = decay * (seen[i * n + j] as number) + own * (returns[j] as number);
          seen[i * n + j] = value;
          seen[j * n + i] = value;
        }
      }
      if (step % every === 0) held = blend(seen, prior, scale, share, n);
      step++;
      return held;
    },
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
  const factor = trace > 0 ? (1 - share) * (scale / trace) : 0;
  const rest = trace > 0 ? share : 1;
  return seen.map((value, k) => factor * value + rest * (prior[k] as number));
}

function traceOf(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i] as number;
  return sum;
}
