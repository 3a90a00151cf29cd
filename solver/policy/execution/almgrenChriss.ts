// How to spread one large trade over time: Almgren and Chriss, "Optimal execution of portfolio
// transactions" (2000), in its discrete form. Selling x₀ … x_N = 0 in trades nₖ = xₖ₋₁ − xₖ costs
//
//     E = ½γX² + ε Σ|nₖ| + (η̃/τ) Σ nₖ²,   V = σ² τ Σ xₖ²,   η̃ = η − γτ/2,
//
// and E + λV is least for xⱼ = X sinh(κ(T − tⱼ)) / sinh(κT), where cosh(κτ) = 1 + ½κ̃²τ²,
// κ̃² = λσ²/η̃. It refuses η ≤ γτ/2: trades that long move the price against nobody.

import { InvalidInput } from '../../types/errors.ts';

export interface ExecutionProblem {
  /** Units to sell (or buy: the schedule is the same), > 0. */
  readonly quantity: number;
  readonly intervals: number;
  /** Length τ of one interval, in the unit of time volatility and η use. */
  readonly intervalLength: number;
  /** Price units per √time. */
  readonly volatility: number;
  /** Half-spread and fees ε, price units. */
  readonly halfSpread: number;
  /** Permanent impact γ: price units per unit traded. */
  readonly permanentImpact: number;
  /** Temporary impact η: price units per (unit per time). */
  readonly temporaryImpact: number;
  /** λ, per price unit of money; 0: only cost counts, equal trades. */
  readonly aversion: number;
}

export interface ExecutionSchedule {
  /** Units still held at the ends of the intervals, first X, last 0. */
  readonly holdings: Float64Array;
  /** Units traded in each interval. */
  readonly trades: Float64Array;
  /** Expected cost and its standard deviation, money. */
  readonly expectedCost: number;
  readonly deviation: number;
  /** κ, per time; its inverse is the schedule's half-life over ln 2. */
  readonly decay: number;
}

const INTERVALS_MAX = 100_000;

/** Throws InvalidInput naming the field. */
export function executionSchedule(problem: ExecutionProblem): ExecutionSchedule {
  const { quantity: total, intervals, intervalLength: tau } = problem;
  const adjusted = check(problem);
  // arccosh(1 + y) = 2 arsinh(√(y/2)) keeps its digits where κτ is small.
  const curvature = Math.sqrt((problem.aversion * problem.volatility ** 2) / adjusted);
  const step = 2 * Math.asinh((curvature * tau) / 2);
  const holdings = new Float64Array(intervals + 1);
  for (let j = 0; j <= intervals; j += 1) {
    holdings[j] = total * remaining(step, intervals - j, intervals);
  }
  const trades = new Float64Array(intervals);
  let traded = 0;
  let squares = 0;
  let exposure = 0;
  for (let k = 0; k < intervals; k += 1) {
    const after = holdings[k + 1] ?? 0;
    const trade = (holdings[k] ?? 0) - after;
    trades[k] = trade;
    traded += Math.abs(trade);
    squares += trade ** 2;
    exposure += after ** 2;
  }
  return {
    holdings,
    trades,
    expectedCost:
      (problem.permanentImpact * total ** 2) / 2 +
      problem.halfSpread * traded +
      (adjusted / tau) * squares,
    deviation: problem.volatility * Math.sqrt(tau * exposure),
    decay: step / tau,
  };
}

/** sinh(a·left) / sinh(a·all) without overflow; left/all where a is nothing. */
function remaining(a: number, left: number, all: number): number {
  if (left === 0) return 0;
  if (a * all < 1e-8) return left / all;
  return (Math.exp(a * (left - all)) * Math.expm1(-2 * a * left)) / Math.expm1(-2 * a * all);
}

/** η̃, once everything else is known to be in range. */
function check(problem: ExecutionProblem): number {
  const refuse = (field: keyof ExecutionProblem, message: string): never => {
    throw new InvalidInput(message, { pointer: `/${field}` });
  };
  for (const field of ['quantity', 'intervalLength', 'temporaryImpact'] as const) {
    const value = problem[field];
    if (!(value > 0 && Number.isFinite(value))) refuse(field, `${field} must be > 0, got ${value}`);
  }
  for (const field of ['volatility', 'halfSpread', 'permanentImpact', 'aversion'] as const) {
    const value = problem[field];
    if (!(value >= 0 && Number.isFinite(value)))
      refuse(field, `${field} must be ≥ 0, got ${value}`);
  }
  const count = problem.intervals;
  if (!(Number.isInteger(count) && count >= 1 && count <= INTERVALS_MAX)) {
    refuse('intervals', `intervals must be 1 … ${INTERVALS_MAX}, got ${count}`);
  }
  const half = (problem.permanentImpact * problem.intervalLength) / 2;
  const adjusted = problem.temporaryImpact - half;
  if (!(adjusted > 0)) {
    refuse(
      'intervalLength',
      `temporary impact ${problem.temporaryImpact} must exceed γτ/2 = ${half}: shorten the intervals`,
    );
  }
  return adjusted;
}
