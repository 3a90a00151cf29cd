// The band rule of the core (assembly/risk/bands.ts), prepared once and asked hour by hour: whether to
// trade from these weights, and where to stand afterwards. Refuses inputs that are not finite, of
// different lengths, or whose bands are beyond double precision.

import type { BandRule, BandRuleInputs } from '../types/risk.ts';
import { STATUS } from './abi.ts';
import { cellOf, notNegative, outOfRange, positive, type RiskCells, refuse } from './riskCells.ts';

export function createBandRule(risk: RiskCells, inputs: BandRuleInputs): BandRule {
  const { aversion, proportional, fixed } = inputs;
  const targets = inputs.targets.slice();
  const covariance = inputs.covariance.slice();
  const n = targets.length;
  if (n < 1) refuse('targets', 'are empty');
  if (covariance.length !== n * n) refuse('covariance', `must be ${n} rows of ${n} numbers`);
  if (!targets.every(Number.isFinite)) refuse('targets', 'hold a number that is not finite');
  if (!covariance.every(Number.isFinite)) refuse('covariance', 'holds a number that is not finite');
  positive(aversion, 'aversion');
  notNegative(proportional, 'proportional');
  notNegative(fixed, 'fixed');
  const found = 2 * n + n * n;
  const given = new Float64Array(found);
  given.set(targets);
  given.set(covariance, n);
  return {
    land(weights) {
      if (weights.length !== n) refuse('weights', `must be ${n} numbers, are ${weights.length}`);
      for (let k = 0; k < n; k++) {
        const weight = weights[k] as number;
        if (weight - weight !== 0) refuse('weights', 'hold a number that is not finite');
        given[n + n * n + k] = weight;
      }
      risk.cells.set(given);
      const status = risk.run((core) => core.riskBandLand(n, aversion, proportional, fixed));
      if (status !== STATUS.ok) outOfRange('covariance');
      const { cells } = risk;
      const excess = cellOf(cells, found);
      if (excess === 0) return null;
      return {
        landing: cells.slice(n + n * n, found),
        pair: [cellOf(cells, found + 1), cellOf(cells, found + 2)],
        excess,
      };
    },
  };
}
