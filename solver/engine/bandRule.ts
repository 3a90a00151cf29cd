// The band rule of the core (assembly/risk/bands.ts), prepared once and asked hour by hour: whether to
// trade from these weights, and where to stand afterwards. Refuses inputs that are not finite, of
// different lengths, or whose bands are beyond double precision.

import type { BandRule, BandRuleInputs } from '../types/risk.ts';
import { STATUS } from './abi.ts';
import { cellOf, notNegative, outOfRange, positive, type RiskCells, refuse } from './riskCells.ts';

/** What a decision does: assembly/risk/bands.ts. */
const MODE = { measure: 0, toBands: 1, toTargets: 2 } as const;

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
  risk.cells.set(targets, 0);
  risk.cells.set(covariance, n);
  const prepared = risk.run((core) => core.riskBandPrepare(n, aversion, proportional, fixed));
  if (prepared !== STATUS.ok) outOfRange('covariance');
  // Targets, covariance and the pairs' tables, then the weights: written back whole where another
  // kernel has had the cells meanwhile.
  const tables = n + n * n + (3 * n * (n - 1)) / 2 + 2 * n;
  const given = risk.cells.slice(0, tables + n);
  const found = tables + n;
  const landing = proportional === 0 ? MODE.toTargets : MODE.toBands;
  let own = risk.runs;
  const run = (weights: Float64Array, mode: number): Float64Array => {
    if (weights.length !== n) refuse('weights', `must be ${n} numbers, are ${weights.length}`);
    for (let k = 0; k < n; k++) {
      const weight = weights[k] as number;
      if (weight - weight !== 0) refuse('weights', 'hold a number that is not finite');
      given[tables + k] = weight;
    }
    const { cells } = risk;
    if (risk.runs !== own) cells.set(given);
    else for (let k = tables; k < found; k++) cells[k] = given[k] as number;
    const status = risk.run((core) => core.riskBandLand(n, mode));
    own = risk.runs;
    if (status !== STATUS.ok) outOfRange('covariance');
    return risk.cells;
  };
  return {
    excess: (weights) => cellOf(run(weights, MODE.measure), found),
    land(weights) {
      const cells = run(weights, landing);
      const excess = cellOf(cells, found);
      if (excess === 0) return null;
      return {
        landing: cells.slice(tables, found),
        pair: [cellOf(cells, found + 1), cellOf(cells, found + 2)],
        excess,
      };
    },
  };
}
