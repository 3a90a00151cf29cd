// hull_delta_hedge.json: the cost of hedging a call written on 100,000 shares week by week (Hull's
// tables), and the Monte Carlo of his hedge performance, within both sides' error.
// Seeds: 1 … 6, one for each interval. The file's own run had 100,000 paths.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRiskKernel } from '../../../solver/engine/risk.ts';
import { bookGreeks } from '../../../solver/policy/hedging/greeks.ts';
import { normals } from '../../bench/hedgingPaths.ts';

interface Table {
  readonly table: string;
  readonly prices: readonly number[];
  readonly computed_cost_rounded_delta_thousands: number;
  readonly computed_cost_full_delta_thousands: number;
  readonly deltas: readonly number[];
  readonly cum_cost: readonly number[];
}
interface MonteCarlo {
  readonly rebalance_weeks: number;
  readonly perf_std_over_price: number;
  readonly mean_cost: number;
  readonly se: number;
}
const vectors = JSON.parse(readFileSync('test/vectors/hull_delta_hedge.json', 'utf8')) as {
  readonly tables: readonly Table[];
  readonly mc: readonly MonteCarlo[];
  readonly bsm_price: number;
};
const kernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));

const WEEKS = 20;
const SHARES = 100_000;
const RATE = 0.05;
const call = (weeksLeft: number) =>
  ({
    kind: 'call',
    spot: 49,
    strike: 50,
    years: weeksLeft / 52,
    rate: RATE,
    carry: RATE,
    volatility: 0.2,
  }) as const;

/** Delta of one call written, as what must be held; expired at the last week. */
const wanted = (price: number, week: number): number =>
  -bookGreeks([{ instrument: 'call', quantity: -1, option: call(WEEKS - week) }], 0, price, kernel)
    .delta;

/** Cumulative cost in dollars, interest on last week's at RATE/52. */
function costs(prices: readonly number[], round: (delta: number) => number): number[] {
  let [held, sum] = [0, 0];
  return prices.map((price, week) => {
    const delta = round(wanted(price, week));
    sum = sum * (1 + (week > 0 ? RATE / 52 : 0)) + (delta - held) * SHARES * price;
    held = delta;
    return sum;
  });
}
const rounded = (delta: number): number => Math.round(delta * 1000) / 1000;
const close = (ours: number, theirs: number): void =>
  expect(Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs))).toBeLessThanOrEqual(1e-9);

/** Last cost once the strike is paid for the shares delivered. */
const settled = (prices: readonly number[], cumulative: readonly number[]): number => {
  const exercised = (prices.at(-1) ?? 0) > 50;
  return ((cumulative.at(-1) ?? Number.NaN) - (exercised ? 50 * SHARES : 0)) / 1000;
};

describe('hull_delta_hedge.json', () => {
  test.each(vectors.tables)('default: $table', (table) => {
    table.prices.forEach((price, week) => {
      close(rounded(wanted(price, week)), table.deltas[week] ?? Number.NaN);
    });
    const byRounded = costs(table.prices, rounded);
    byRounded.forEach((sum, week) => {
      close(sum, table.cum_cost[week] ?? Number.NaN);
    });
    close(settled(table.prices, byRounded), table.computed_cost_rounded_delta_thousands);
    const full = costs(table.prices, (delta) => delta);
    close(settled(table.prices, full), table.computed_cost_full_delta_thousands);
  });

  test('default: the price of the call', () => {
    close(kernel.greeks(call(WEEKS)).price, vectors.bsm_price);
  });

  test.each(vectors.mc.map((row, k) => ({ ...row, seed: k + 1 })))(
    'behavior: hedging every $rebalance_weeks weeks, seed $seed',
    ({ rebalance_weeks: every, perf_std_over_price: performance, mean_cost: mean, se, seed }) => {
      const count = 2000;
      const found = hedgeByClock(every, count, seed);
      // Kurtosis of the cost is within 3 … 6: a standard deviation's error is below std·√(5/4n).
      const spread = performance * Math.sqrt(1.25 * (1 / count + 1 / 100_000));
      expect(Math.abs(found.performance - performance)).toBeLessThan(4 * spread);
      const error = Math.hypot(se, (found.performance * vectors.bsm_price) / Math.sqrt(count));
      expect(Math.abs(found.mean - mean)).toBeLessThan(4 * error);
    },
  );
});

/** Present value of the cost of hedging every `weeks`, drift 13 %: its mean, and its std over the price. */
function hedgeByClock(weeks: number, count: number, seed: number) {
  const normal = normals(seed);
  const steps = Math.round(WEEKS / weeks);
  const dt = weeks / 52;
  const prices = new Float64Array(count).fill(49);
  const held = new Float64Array(count);
  const paid = new Float64Array(count);
  for (let step = 0; step <= steps; step++) {
    const deltas = deltasOf(prices, WEEKS - step * weeks);
    for (let path = 0; path < count; path++) {
      const price = prices[path] ?? 0;
      const delta = deltas[path] ?? 0;
      const discount = Math.exp(-RATE * step * dt);
      paid[path] = (paid[path] ?? 0) + discount * (delta - (held[path] ?? 0)) * price;
      held[path] = delta;
      if (step === steps && price > 50) paid[path] = (paid[path] ?? 0) - discount * 50;
      prices[path] = price * Math.exp((0.13 - 0.02) * dt + 0.2 * Math.sqrt(dt) * normal());
    }
  }
  const mean = paid.reduce((sum, value) => sum + value, 0) / count;
  const squares = paid.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, performance: Math.sqrt(squares / (count - 1)) / vectors.bsm_price };
}

function deltasOf(prices: Float64Array, weeksLeft: number): Float64Array {
  if (weeksLeft <= 0) return prices.map((price) => (price > 50 ? 1 : 0));
  const { strike, years, rate, carry, volatility } = call(weeksLeft);
  const inputs = new Float64Array(7 * prices.length);
  prices.forEach((price, path) => {
    inputs.set([price, strike, years, rate, carry, volatility, 1], 7 * path);
  });
  const rows = kernel.greeksBatch(inputs);
  return prices.map((_, path) => rows[13 * path + 3] ?? 0);
}
