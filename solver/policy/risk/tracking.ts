// How far a portfolio stands from its targets and what that has cost or earned: drift, tracking
// error, contributions to risk, active return by asset. Measures only; what to do about it is
// decide's.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkPositive, checkSymmetric, checkVector, dot, form, times } from './linear.ts';

/** Drift e = w − w*, fractions of worth. */
export function drift(weights: Float64Array, targets: Float64Array): Float64Array {
  checkVector(weights, targets.length, 'weights');
  checkVector(targets, targets.length, 'targets');
  return weights.map((w, i) => w - at(targets, i));
}

/** TE = √(e′Σe), fraction per √year for an annual Σ (assets², row by row). */
export function trackingError(e: Float64Array, covariance: Float64Array): number {
  return volatility(e, covariance);
}

/** σ = √(w′Σw), per √year for an annual Σ. */
export function volatility(weights: Float64Array, covariance: Float64Array): number {
  checkVector(weights, weights.length, 'weights');
  checkSymmetric(covariance, weights.length, 'covariance');
  // A semidefinite Σ gives a form below zero by rounding alone.
  return Math.sqrt(Math.max(0, form(covariance, weights)));
}

export interface RiskContributions {
  /** σ = √(w′Σw), per √year. */
  readonly volatility: number;
  /** wᵢ(Σw)ᵢ/σ: Euler's parts, summing to σ; zeros where σ is 0. */
  readonly parts: Float64Array;
  /** parts/σ, summing to 1; zeros where σ is 0. */
  readonly shares: Float64Array;
}

/** Who carries the risk of `weights` (or of a drift: then who carries the tracking error). */
export function riskContributions(
  weights: Float64Array,
  covariance: Float64Array,
): RiskContributions {
  const sigma = volatility(weights, covariance);
  const marginal = times(covariance, weights);
  const shares = weights.map((w, i) => (sigma > 0 ? (w * at(marginal, i)) / sigma ** 2 : 0));
  return { volatility: sigma, parts: shares.map((share) => share * sigma), shares };
}

export interface Attribution {
  /** Σ over periods of eᵢrᵢ, by asset: simple returns, added, not compounded. */
  readonly active: Float64Array;
  readonly total: number;
  /** √(Σ active² per year), zero mean: POLICY.md's realised tracking error. */
  readonly trackingError: number;
  /** Each asset's share of Σ active²: Σ eᵢrᵢ·active over Σ active²; zeros where that is 0. */
  readonly riskShares: Float64Array;
}

/**
 * Active return against targets by asset. `held` and `returns` are rows × assets, oldest first:
 * the weights held before each move and the simple returns of that move; `perYear` rows in a year.
 */
export function attribution(
  held: Float64Array,
  targets: Float64Array,
  returns: Float64Array,
  perYear: number,
): Attribution {
  const size = targets.length;
  checkPositive(perYear, 'perYear');
  checkVector(targets, size, 'targets');
  checkVector(held, returns.length, 'held');
  checkVector(returns, returns.length, 'returns');
  if (returns.length === 0 || returns.length % size !== 0) {
    const message = `returns has ${returns.length} entries: ${size} assets take whole rows`;
    throw new InvalidInput(message, { pointer: '/returns' });
  }
  const rows = returns.length / size;
  const active = new Float64Array(size);
  const shared = new Float64Array(size);
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    const parts = Float64Array.from({ length: size }, (_, i) => {
      const k = row * size + i;
      return (at(held, k) - at(targets, i)) * at(returns, k);
    });
    const sum = dot(parts, new Float64Array(size).fill(1));
    squares += sum * sum;
    for (const [i, part] of parts.entries()) {
      active[i] = at(active, i) + part;
      shared[i] = at(shared, i) + part * sum;
    }
  }
  return {
    active,
    total: active.reduce((a, b) => a + b, 0),
    trackingError: Math.sqrt((squares / rows) * perYear),
    riskShares: shared.map((part) => (squares > 0 ? part / squares : 0)),
  };
}
