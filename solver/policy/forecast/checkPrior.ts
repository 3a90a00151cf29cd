// Whether a prior can be one. Refuses what is no covariance.

import { InvalidInput } from '../../types/errors.ts';
import { checkSymmetric, symmetricEigen } from '../risk/linear.ts';

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
