// The numerical optimum of the bench's problem, as a yardstick: no rule of the form "hold between two
// edges that depend on time and price" has a lower mean cost + ½γ × variance of the result after costs,
// up to the grid and one term left out (below).
//
// With C the call, W the costs still to come and x the hedge held, the result is a martingale's end, so its
// variance is the sum over steps of Var[x·ΔS − C′ − W′(S′, x)]. The objective is convex in x, hence its
// derivative alone is kept (a stopping game for each x, Karatzas and Shreve 1984):
//   G(S, x) = γ(x·Var S′ − Cov(S′, C′ + W′)) + E clip(G′(S′, x), −λS′, λS′),  G = ±λS at expiry;
// buy up to where G = −λS, sell down to where G = λS. Left out: the covariance with ∂W′/∂x, of order λ.
// Cov(S′, C′) = Var S′ · (C(Se^v) − C(S))/(S(e^v − 1)), v = σ²Δt, which is Δ(S) to 1e-4 and taken for it.

import type { RiskGreeks } from './hedgingPaths.ts';
import { SETTING, STEP_YEARS, yearsLeft } from './hedgingPaths.ts';

/** Grids: log moneyness to ±1 (5σ√T), hedge from −0.05 to 1.05. */
const [SPACING, HALF, HEDGES] = [0.003, 340, 221];
const POINTS = 2 * HALF + 1;
const hedgeAt = (row: number): number => -0.05 + (1.1 * row) / (HEDGES - 1);

/** Edges less the delta, steps × POINTS. */
export interface OptimumBands {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Where in a row of OptimumBands a price stands, for linear interpolation. */
export function locate(price: number): readonly [at: number, share: number] {
  const position = Math.log(price / SETTING.strike) / SPACING + HALF;
  const at = Math.min(Math.max(Math.floor(position), 0), POINTS - 2);
  return [at, Math.min(Math.max(position - at, 0), 1)];
}

export function optimumBands(kernel: RiskGreeks, aversion: number): OptimumBands {
  const { strike, steps, proportional, volatility } = SETTING;
  const prices = Float64Array.from(
    { length: POINTS },
    (_, k) => strike * Math.exp((k - HALF) * SPACING),
  );
  const variance = volatility ** 2 * STEP_YEARS;
  const expect = stepMean(Math.sqrt(variance));
  const toll = prices.map((price) => proportional * price);
  const [low, high] = [new Float64Array(steps * POINTS), new Float64Array(steps * POINTS)];
  const game = grid((row, k) => Math.sign(hedgeAt(row)) * (toll[k] ?? 0));
  let costs = grid((row, k) => Math.abs(hedgeAt(row)) * (toll[k] ?? 0));
  for (let step = steps - 1; step >= 0; step--) {
    const deltas = deltasOn(kernel, prices, step);
    const later: Float64Array[] = [];
    for (let row = 0; row < HEDGES; row++) {
      const values = game[row] as Float64Array;
      const cost = costs[row] as Float64Array;
      const next = expect(values.map((g, k) => clip(g, toll[k] ?? 0)));
      const mean = expect(cost);
      const cross = expect(cost.map((value, k) => value * (prices[k] ?? 0)));
      for (let k = 0; k < POINTS; k++) {
        const price = prices[k] ?? 0;
        const distance = hedgeAt(row) - (deltas[k] ?? 0);
        const covariance = (cross[k] ?? 0) - price * (mean[k] ?? 0);
        const risk = price ** 2 * Math.expm1(variance) * distance - covariance;
        values[k] = aversion * risk + (next[k] ?? 0);
      }
      later.push(mean);
    }
    costs = grid(() => 0);
    for (let k = 0; k < POINTS; k++) {
      const [from, to] = [edge(game, k, -(toll[k] ?? 0)), edge(game, k, toll[k] ?? 0)];
      low[step * POINTS + k] = from - (deltas[k] ?? 0);
      high[step * POINTS + k] = to - (deltas[k] ?? 0);
      settle(costs, later, k, from, to, toll[k] ?? 0);
    }
  }
  return { low, high };
}

const grid = (of: (row: number, k: number) => number): Float64Array[] =>
  Array.from({ length: HEDGES }, (_, row) =>
    Float64Array.from({ length: POINTS }, (_, k) => of(row, k)),
  );

const clip = (value: number, limit: number): number => Math.min(Math.max(value, -limit), limit);

/** Costs to come before the trade of this step, from those after it. */
function settle(
  costs: readonly Float64Array[],
  later: readonly Float64Array[],
  k: number,
  low: number,
  high: number,
  toll: number,
): void {
  for (let row = 0; row < HEDGES; row++) {
    const held = hedgeAt(row);
    const after = Math.min(Math.max(held, low), high);
    const position = Math.min(Math.max(((after + 0.05) / 1.1) * (HEDGES - 1), 0), HEDGES - 1);
    const at = Math.min(Math.floor(position), HEDGES - 2);
    const share = position - at;
    const [a, b] = [later[at]?.[k] ?? 0, later[at + 1]?.[k] ?? 0];
    (costs[row] as Float64Array)[k] = toll * Math.abs(after - held) + a + share * (b - a);
  }
}

/** The hedge at which the game's value crosses `level`, linear between rows. */
function edge(game: readonly Float64Array[], k: number, level: number): number {
  let [below, above] = [0, HEDGES - 1];
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if ((game[middle]?.[k] ?? 0) < level) below = middle;
    else above = middle;
  }
  const [a, b] = [game[below]?.[k] ?? 0, game[above]?.[k] ?? 0];
  return hedgeAt(below) + ((hedgeAt(above) - hedgeAt(below)) * (level - a)) / (b - a);
}

/** E f(S′) on the grid: a discretised normal of one step, drift −½σ²Δt; beyond the grid f is constant. */
function stepMean(spread: number): (values: Float64Array) => Float64Array {
  const reach = Math.ceil((5.5 * spread) / SPACING);
  const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-0.5 * (((k - reach) * SPACING + spread ** 2 / 2) / spread) ** 2),
  );
  const mass = taps.reduce((sum, value) => sum + value, 0);
  const padded = new Float64Array(POINTS + 2 * reach);
  return (values) => {
    padded.fill(values[0] ?? 0, 0, reach);
    padded.set(values, reach);
    padded.fill(values[POINTS - 1] ?? 0, POINTS + reach);
    const result = new Float64Array(POINTS);
    for (let k = 0; k < POINTS; k++) {
      let sum = 0;
      for (let tap = 0; tap < taps.length; tap++) {
        sum += (taps[tap] as number) * (padded[k + tap] as number);
      }
      result[k] = sum / mass;
    }
    return result;
  };
}

function deltasOn(kernel: RiskGreeks, prices: Float64Array, step: number): Float64Array {
  const inputs = new Float64Array(7 * prices.length);
  prices.forEach((price, k) => {
    inputs.set([price, SETTING.strike, yearsLeft(step), 0, 0, SETTING.volatility, 1], 7 * k);
  });
  const rows = kernel.greeksBatch(inputs);
  return prices.map((_, k) => rows[13 * k + 3] ?? 0);
}
