// A covariance from parts that keeps its promise: correlations shrunk towards the prior's,
// volatilities put back on, positive semidefinite whatever the parts.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkSymmetric, symmetricEigen } from '../risk/linear.ts';

/** Share of the largest eigenvalue below 0 that is rounding. */
const ROUNDING = 1e-9;

/** Refuses a prior that is no covariance: asymmetric, or not positive semidefinite. */
export function checkPrior(prior: Float64Array, size: number): void {
  checkSymmetric(prior, size, 'prior');
  const { values } = symmetricEigen(prior, size);
  if (Math.min(...values) >= -ROUNDING * Math.max(...values)) return;
  throw new InvalidInput('prior is no covariance: some portfolio has a variance below 0', {
    pointer: '/prior',
  });
}

/** Correlations of a covariance; an asset without variance is correlated with nothing. */
export function correlations(covariance: Float64Array, size: number): Float64Array {
  return covariance.map((x, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    if (i === j) return 1;
    const scale = at(covariance, i * size + i) * at(covariance, j * size + j);
    return scale > 0 ? Math.min(1, Math.max(-1, x / Math.sqrt(scale))) : 0;
  });
}

/**
 * (1 − φ)R + φR₀ with R of the sample and R₀ of the prior, φ = assets/(assets + observations): the
 * share of the sample's spectrum that is noise grows with assets over observations (Marchenko &
 * Pastur), as does the best weight of a target (Ledoit & Wolf, A Well-Conditioned Estimator for
 * Large-Dimensional Covariance Matrices, 2004). A mixture of two semidefinite matrices is one.
 */
export function correlationOf(
  sample: Float64Array,
  prior: Float64Array,
  size: number,
  observations: number,
): Float64Array {
  const target = correlations(prior, size);
  const share = size / (size + observations);
  return correlations(sample, size).map((x, k) => (1 - share) * x + share * at(target, k));
}

/** DRD, symmetric to the last bit. */
export function assembled(
  correlation: Float64Array,
  volatilities: readonly number[],
): Float64Array {
  const size = volatilities.length;
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const value = at(correlation, i * size + j) * at(volatilities, i) * at(volatilities, j);
      out[i * size + j] = value;
      out[j * size + i] = value;
    }
  }
  return out;
}
