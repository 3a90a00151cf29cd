// Targets that follow from risk: from a risk budget, and to a volatility. Long-only, no borrowing:
// what is not in risky assets stands in cash.

import { InvalidInput } from '../../types/errors.ts';
import type { RiskKernel } from '../../types/risk.ts';
import { at, checkNumber, checkPositive, checkSymmetric, checkVector, total } from './linear.ts';
import { volatility } from './tracking.ts';

/** Kernel solutions are taken up to this violation of wᵢ(Σw)ᵢ ∝ bᵢ. */
const RESIDUAL_MAX = 1e-8;

/** Cash by its place in the assets and the weight it keeps. */
export interface CashShare {
  readonly index: number;
  readonly weight: number;
}

/**
 * Weights with wᵢ(Σw)ᵢ ∝ budgetᵢ over the assets whose budget is above 0, together 1 − cash.weight.
 * An asset without a budget gets nothing, cash its share. Σ annual, assets².
 */
export function targetsFromRiskBudget(
  kernel: Pick<RiskKernel, 'riskParity'>,
  covariance: Float64Array,
  budgets: Float64Array,
  cash: CashShare | null = null,
): Float64Array {
  const size = budgets.length;
  checkVector(budgets, size, 'budgets');
  checkSymmetric(covariance, size, 'covariance');
  if (cash !== null) checkCash(cash, budgets);
  const risky = [...budgets.keys()].filter((i) => at(budgets, i) !== 0);
  if (risky.length === 0) {
    throw new InvalidInput('no asset has a risk budget', { pointer: '/budgets' });
  }
  for (const i of risky) {
    checkPositive(at(budgets, i), `budgets/${i}`);
    if (at(covariance, i * size + i) > 0) continue;
    const message = `asset ${i} has a risk budget but no variance: give it none`;
    throw new InvalidInput(message, { pointer: `/budgets/${i}` });
  }
  const part = Float64Array.from(
    risky.flatMap((i) => risky.map((j) => at(covariance, i * size + j))),
  );
  const share = total(budgets);
  const { weights, residual } = kernel.riskParity(
    part,
    Float64Array.from(risky, (i) => at(budgets, i) / share),
  );
  if (!(residual <= RESIDUAL_MAX)) {
    const message = `no weights carry risk in proportion to the budgets (residual ${residual})`;
    throw new InvalidInput(message, { pointer: '/covariance' });
  }
  const targets = new Float64Array(size);
  for (const [k, i] of risky.entries()) targets[i] = at(weights, k) * (1 - (cash?.weight ?? 0));
  if (cash !== null) targets[cash.index] = cash.weight;
  return targets;
}

function checkCash({ index, weight }: CashShare, budgets: Float64Array): void {
  checkNumber(weight, 'cash/weight', 0, 1);
  if (!(index in budgets)) {
    const message = `cash is asset ${index} of ${budgets.length}: there is none`;
    throw new InvalidInput(message, { pointer: '/cash/index' });
  }
  if (at(budgets, index) !== 0) {
    const message = `asset ${index} is cash and has a risk budget: it cannot be both`;
    throw new InvalidInput(message, { pointer: `/budgets/${index}` });
  }
}

/** min(cap, annual / σ̂); cap where the forecast volatility σ̂ is 0. Volatilities per √year. */
export function volatilityExposure(annual: number, forecast: number, cap: number): number {
  checkPositive(annual, 'annual');
  checkNumber(forecast, 'forecast', 0);
  checkNumber(cap, 'cap', 0);
  return forecast > 0 ? Math.min(cap, annual / forecast) : cap;
}

/**
 * Targets scaled to a volatility: all weights but cash's times min(cap, annual / σ̂, 1/Σ risky), σ̂
 * from Σ at the targets themselves; the rest is cash. The last bound is why it never borrows.
 */
export function targetsAtVolatility(
  targets: Float64Array,
  covariance: Float64Array,
  wanted: { readonly annual: number; readonly cap: number },
  cash: number,
): { readonly targets: Float64Array; readonly exposure: number; readonly volatility: number } {
  if (!(cash in targets)) {
    const message = `cash is asset ${cash} of ${targets.length}: there is none`;
    throw new InvalidInput(message, { pointer: '/cash' });
  }
  const risky = targets.map((w, i) => (i === cash ? 0 : w));
  for (const [i, w] of risky.entries()) checkNumber(w, `targets/${i}`, 0);
  const forecast = volatility(risky, covariance);
  const wish = volatilityExposure(wanted.annual, forecast, wanted.cap);
  const held = total(risky);
  const exposure = held > 0 ? Math.min(wish, 1 / held) : wish;
  const scaled = risky.map((w) => w * exposure);
  scaled[cash] = Math.max(0, 1 - total(scaled));
  return { targets: scaled, exposure, volatility: forecast * exposure };
}
