// The rules the hedging bench compares, each a band around a target at every step and path, and the run
// of one of them over the paths. The formulas are the product's own (solver/policy/hedging).

import { whalleyWilmott, zakamouline } from '../../solver/policy/hedging/bands.ts';
import { discreteBand, discreteEdges } from '../../solver/policy/hedging/discrete.ts';
import { locate, optimumBands } from './hedgingOptimum.ts';
import {
  deltasAt,
  type Paths,
  type RiskGreeks,
  SETTING,
  STEP_YEARS,
  yearsLeft,
} from './hedgingPaths.ts';

export type Family = 'time' | 'fixed' | 'whalleyWilmott' | 'zakamouline' | 'discrete' | 'optimum';

/** Edges at one step for every path; null: no trade at this step whatever is held. */
interface Edges {
  readonly low: Float64Array;
  readonly high: Float64Array;
}
type Rule = (step: number) => Edges | null;

/** Per path, numeraire. */
export interface Outcome {
  /** Premium + gains − payoff − all costs. */
  readonly net: Float64Array;
  /** Costs of every trade, the first and the final sale included. */
  readonly cost: Float64Array;
  /** The first purchase and the final sale alone. */
  readonly ends: Float64Array;
  readonly trades: number;
}

export function runRule(
  kernel: RiskGreeks,
  paths: Paths,
  family: Family,
  parameter: number,
): Outcome {
  const rule = ruleOf(kernel, paths, family, parameter);
  const { count, premium, prices } = paths;
  const { steps, strike, proportional } = SETTING;
  const held = new Float64Array(count);
  const net = new Float64Array(count).fill(premium);
  const cost = new Float64Array(count);
  const ends = new Float64Array(count);
  let trades = 0;
  for (let step = 0; step < steps; step++) {
    const edges = rule(step);
    for (let path = 0; path < count; path++) {
      const at = step * count + path;
      const price = prices[at] ?? 0;
      const before = held[path] ?? 0;
      let after = before;
      if (edges !== null) {
        after = Math.min(Math.max(before, edges.low[path] ?? 0), edges.high[path] ?? 0);
      }
      if (after !== before) {
        trades++;
        const paid = proportional * price * Math.abs(after - before);
        cost[path] = (cost[path] ?? 0) + paid;
        if (step === 0) ends[path] = paid;
        held[path] = after;
      }
      net[path] = (net[path] ?? 0) + after * ((prices[at + count] ?? 0) - price);
    }
  }
  for (let path = 0; path < count; path++) {
    const price = prices[steps * count + path] ?? 0;
    const sale = proportional * price * Math.abs(held[path] ?? 0);
    cost[path] = (cost[path] ?? 0) + sale;
    ends[path] = (ends[path] ?? 0) + sale;
    net[path] = (net[path] ?? 0) - Math.max(price - strike, 0) - (cost[path] ?? 0);
  }
  return { net, cost, ends, trades: trades / count };
}

function ruleOf(kernel: RiskGreeks, paths: Paths, family: Family, parameter: number): Rule {
  const { count, prices, deltas, gammas } = paths;
  const { volatility, proportional } = SETTING;
  const plain = (step: number): Float64Array => deltas.subarray(step * count, (step + 1) * count);
  const exposure = (step: number, path: number) => ({
    price: prices[step * count + path] ?? 0,
    gamma: gammas[step * count + path] ?? 0,
    volatility,
    years: yearsLeft(step),
    rate: 0,
  });
  switch (family) {
    case 'time':
      return (step) => (step % parameter === 0 ? around(plain(step), () => 0) : null);
    case 'fixed':
      return (step) => around(plain(step), () => parameter);
    case 'whalleyWilmott':
      return (step) =>
        around(plain(step), (path) =>
          whalleyWilmott(exposure(step, path), parameter, proportional),
        );
    case 'zakamouline':
      return (step) => {
        const bands = Array.from({ length: count }, (_, path) =>
          zakamouline(exposure(step, path), parameter, proportional),
        );
        const center = deltasAt(
          kernel,
          paths,
          step,
          (path) => volatility * Math.sqrt(1 - (bands[path]?.k ?? 0)),
        );
        return around(center, (path) => (bands[path]?.h0 ?? 0) + (bands[path]?.h1 ?? 0));
      };
    case 'discrete':
      return (step) => discreteAt(kernel, paths, step, parameter);
    case 'optimum':
      return optimumRule(kernel, paths, parameter);
  }
}

function discreteAt(kernel: RiskGreeks, paths: Paths, step: number, aversion: number): Edges {
  const { count, prices, gammas } = paths;
  const { volatility, proportional } = SETTING;
  const bands = Array.from({ length: count }, (_, path) =>
    discreteBand(
      prices[step * count + path] ?? 0,
      gammas[step * count + path] ?? 0,
      volatility,
      yearsLeft(step),
      STEP_YEARS,
      aversion,
      proportional,
    ),
  );
  const center = deltasAt(
    kernel,
    paths,
    step,
    (path) => volatility * Math.sqrt(1 + (bands[path]?.adjustment ?? 0)),
  );
  const [low, high] = [new Float64Array(count), new Float64Array(count)];
  bands.forEach((band, path) => {
    [low[path], high[path]] = discreteEdges(center[path] ?? 0, band);
  });
  return { low, high };
}

function optimumRule(kernel: RiskGreeks, { count, prices, deltas }: Paths, aversion: number): Rule {
  const bands = optimumBands(kernel, aversion);
  const points = bands.low.length / SETTING.steps;
  return (step) => {
    const [low, high] = [new Float64Array(count), new Float64Array(count)];
    for (let path = 0; path < count; path++) {
      const [at, share] = locate(prices[step * count + path] ?? 0);
      const delta = deltas[step * count + path] ?? 0;
      const between = (of: Float64Array): number => {
        const [a, b] = [of[step * points + at] ?? 0, of[step * points + at + 1] ?? 0];
        return delta + a + share * (b - a);
      };
      low[path] = between(bands.low);
      high[path] = between(bands.high);
    }
    return { low, high };
  };
}

function around(center: Float64Array, half: (path: number) => number): Edges {
  return {
    low: center.map((value, path) => value - half(path)),
    high: center.map((value, path) => value + half(path)),
  };
}
