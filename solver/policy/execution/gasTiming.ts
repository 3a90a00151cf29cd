// When to pay for gas. A settlement that is due within a deadline costs a·g at gas price g; waiting one
// step costs w, the risk of standing off target meanwhile. Log gas is taken to revert to its mean,
//
//     x' = μ + φ(x − μ) + s·z,  z standard normal,
//
// and acting is optimal stopping: V_T(x) = a eˣ, V_t(x) = min(a eˣ, w + E V_{t+1}(x')). Act at or below
// the threshold where both are equal: above it the option to wait is worth more than the risk.

import { InvalidInput } from '../../types/errors.ts';

export interface GasModel {
  /** Mean μ of the natural logarithm of the gas price. */
  readonly mean: number;
  /** φ, persistence per step, 0 ≤ φ < 1. */
  readonly persistence: number;
  /** s, per √step. */
  readonly noise: number;
}

export interface GasProblem {
  readonly model: GasModel;
  /** Steps until it must be done whatever gas costs; 0: now. */
  readonly steps: number;
  /** Dollars per unit of gas price: gas used × dollars per unit. */
  readonly usdPerGas: number;
  /** Dollars that standing off target costs per step (driftRiskUsd). */
  readonly waitUsd: number;
}

export interface GasRule {
  /** Highest gas price to act at, by steps gone; the last is Infinity. */
  readonly thresholds: Float64Array;
  /** Expected dollars of acting by the rule, from each gas price, at the first step. */
  cost(gasPrice: number): number;
}

const NODES = 161;
/** The grid reaches this many stationary deviations, and at least a factor of e², to either side. */
const REACH = 7;
const LEAST_REACH = 2;
const STEPS_MAX = 10_000;

/**
 * Nodes and weights of ∫ f(z) φ(z) dz on an even grid over ±6, normalised. The trapezoid rule on a
 * Gaussian converges faster than any power of its step: 25 nodes are exact to 1e−12.
 */
const QUADRATURE = ((): readonly (readonly [number, number])[] => {
  const raw = Array.from({ length: 25 }, (_, index): readonly [number, number] => {
    const z = -6 + index / 2;
    return [z, Math.exp((-z * z) / 2)];
  });
  const sum = raw.reduce((total, [, weight]) => total + weight, 0);
  return raw.map(([z, weight]) => [z, weight / sum]);
})();

/** Least squares on consecutive logarithms. Refuses fewer than 10 prices or one that is not positive. */
export function fitGasModel(prices: readonly number[]): GasModel {
  if (prices.length < 10) {
    throw new InvalidInput(`a gas model needs at least 10 prices, got ${prices.length}`);
  }
  const logs = prices.map((price, index) => {
    if (price > 0 && Number.isFinite(price)) return Math.log(price);
    throw new InvalidInput(`gas price ${price} is not above 0`, { pointer: `/${index}` });
  });
  const count = logs.length - 1;
  const from = logs.slice(0, -1);
  const to = logs.slice(1);
  const meanFrom = from.reduce((a, b) => a + b, 0) / count;
  const meanTo = to.reduce((a, b) => a + b, 0) / count;
  let cross = 0;
  let square = 0;
  for (const [index, x] of from.entries()) {
    cross += (x - meanFrom) * ((to[index] ?? 0) - meanTo);
    square += (x - meanFrom) ** 2;
  }
  // A series that wanders has no mean to wait for; just below 1 the option is worth next to nothing.
  const persistence = square === 0 ? 0 : Math.min(0.9999, Math.max(0, cross / square));
  const residual = from.reduce(
    (sum, x, index) => sum + ((to[index] ?? 0) - meanTo - persistence * (x - meanFrom)) ** 2,
    0,
  );
  return {
    mean: (meanTo - persistence * meanFrom) / (1 - persistence),
    persistence,
    noise: Math.sqrt(residual / count),
  };
}

/**
 * What a step of waiting costs, dollars: ½κ e′Σe · years · worth, where `trackingVariance` = e′Σe is
 * annual and κ per year is the aversion of the policy's own objective.
 */
export function driftRiskUsd(
  aversion: number,
  trackingVariance: number,
  years: number,
  worthUsd: number,
): number {
  return (aversion * trackingVariance * years * worthUsd) / 2;
}

/** Solves the stopping problem by backward induction on a grid of log gas. */
export function gasRule(problem: GasProblem): GasRule {
  const { model, steps, usdPerGas, waitUsd } = problem;
  check(problem);
  const spread = model.noise / Math.sqrt(1 - model.persistence ** 2);
  const half = Math.max(REACH * spread, LEAST_REACH);
  const low = model.mean - half;
  const width = (2 * half) / (NODES - 1);
  const grid = Float64Array.from({ length: NODES }, (_, index) => low + index * width);
  const pay = grid.map((x) => usdPerGas * Math.exp(x));
  const thresholds = new Float64Array(steps + 1).fill(Infinity);
  let value = pay;
  for (let t = steps - 1; t >= 0; t -= 1) {
    const next = value;
    const waiting = grid.map((x) => waitUsd + expected(next, x, model, low, width));
    thresholds[t] = Math.exp(crossing(grid, pay, waiting));
    value = pay.map((now, index) => Math.min(now, waiting[index] ?? now));
  }
  const first = value;
  return {
    thresholds,
    cost: (gasPrice) =>
      steps === 0
        ? usdPerGas * gasPrice
        : Math.min(usdPerGas * gasPrice, read(first, Math.log(gasPrice), low, width)),
  };
}

function expected(
  value: Float64Array,
  x: number,
  model: GasModel,
  low: number,
  width: number,
): number {
  const centre = model.mean + model.persistence * (x - model.mean);
  let sum = 0;
  for (const [z, weight] of QUADRATURE) {
    sum += weight * read(value, centre + model.noise * z, low, width);
  }
  return sum;
}

/** Linear between nodes, level beyond them. */
function read(value: Float64Array, x: number, low: number, width: number): number {
  const place = Math.min(NODES - 1, Math.max(0, (x - low) / width));
  const index = Math.min(NODES - 2, Math.floor(place));
  const a = value[index] ?? 0;
  return a + (place - index) * ((value[index + 1] ?? a) - a);
}

/** Log gas where paying now stops being the cheaper; −∞ never, +∞ always. */
function crossing(grid: Float64Array, pay: Float64Array, waiting: Float64Array): number {
  const gain = (index: number): number => (pay[index] ?? 0) - (waiting[index] ?? 0);
  if (gain(0) > 0) return -Infinity;
  for (let index = 1; index < grid.length; index += 1) {
    const after = gain(index);
    if (after <= 0) continue;
    const before = gain(index - 1);
    const from = grid[index - 1] ?? 0;
    return from + ((grid[index] ?? from) - from) * (before / (before - after));
  }
  return Infinity;
}

function check({ model, steps, usdPerGas, waitUsd }: GasProblem): void {
  const demand = (holds: boolean, field: string, message: string): void => {
    if (!holds) throw new InvalidInput(message, { pointer: `/${field}` });
  };
  demand(Number.isFinite(model.mean), 'model/mean', `mean must be finite, got ${model.mean}`);
  demand(
    model.persistence >= 0 && model.persistence < 1,
    'model/persistence',
    `persistence must be 0 or more and below 1, got ${model.persistence}`,
  );
  demand(
    model.noise >= 0 && model.noise < 10,
    'model/noise',
    `noise must be 0 … 10 per √step, got ${model.noise}`,
  );
  demand(
    Number.isInteger(steps) && steps >= 0 && steps <= STEPS_MAX,
    'steps',
    `steps must be 0 … ${STEPS_MAX}, got ${steps}`,
  );
  demand(
    usdPerGas > 0 && Number.isFinite(usdPerGas),
    'usdPerGas',
    `usdPerGas must be above 0, got ${usdPerGas}`,
  );
  demand(
    waitUsd >= 0 && Number.isFinite(waitUsd),
    'waitUsd',
    `waitUsd must be ≥ 0, got ${waitUsd}`,
  );
}
