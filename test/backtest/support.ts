// What the backtest's tests share: the core, the hourly data, seeded paths.

import { readFileSync } from 'node:fs';
import type { PriceHistory } from '../../solver/backtest/prices.ts';
import { createReplayKernel } from '../../solver/engine/replay.ts';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { forecastPlan } from '../../solver/policy/forecast/mixed.ts';
import type { ReplayHistory } from '../../solver/types/replay.ts';
import { hourlyCloses } from '../data/marketData.ts';

export const wasm = new Uint8Array(readFileSync('.build/trimtab.wasm'));
export const kernels = () => ({ risk: createRiskKernel(wasm), replay: createReplayKernel(wasm) });

/** rows × (BTC, ETH, cash) or rows × (BTC, cash). */
export function closes(assets: 2 | 3): Float64Array {
  const { btc, eth } = hourlyCloses();
  const prices = new Float64Array(btc.length * assets).fill(1);
  for (let row = 0; row < btc.length; row++) {
    prices[row * assets] = btc[row] as number;
    if (assets === 3) prices[row * 3 + 1] = eth[row] as number;
  }
  return prices;
}

export const HOURLY: Pick<ReplayHistory, 'perYear' | 'forecast' | 'blockSteps'> = {
  perYear: 8760,
  forecast: forecastPlan(3600),
  blockSteps: 168,
};

export function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal numbers (Box, Muller 1958). */
export function gaussian(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface Market {
  readonly targets: Float64Array;
  /** n², the last asset cash. */
  readonly covariance: Float64Array;
}

/** One common factor and each asset's own noise, volatilities 0.4 to 1.2, cash last. */
export function market(n: number, random: () => number): Market {
  const volatility = Array.from({ length: n }, (_, i) => (i < n - 1 ? 0.4 + 0.8 * random() : 0));
  const loading = volatility.map(() => 0.6 + 0.35 * random());
  const raw = volatility.map(() => 0.2 + random());
  const sum = raw.reduce((a, b) => a + b, 0);
  const covariance = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const rho = i === j ? 1 : (loading[i] as number) * (loading[j] as number);
      covariance[i * n + j] = rho * (volatility[i] as number) * (volatility[j] as number);
    }
  }
  return { targets: Float64Array.from(raw, (w) => w / sum), covariance };
}

/** Hourly prices of that market, rows × n; `wild` lets volatility change by the week. */
export function path(
  { covariance, targets }: Market,
  rows: number,
  random: () => number,
  wild = false,
): Float64Array {
  const n = targets.length;
  const normal = gaussian(random);
  const lower = cholesky(covariance, n);
  const prices = new Float64Array(rows * n).fill(1);
  let level = 1;
  for (let row = 1; row < rows; row++) {
    if (wild && row % 168 === 0) level = Math.exp(0.7 * Math.log(level) + 0.4 * normal());
    const z = Array.from({ length: n }, normal);
    for (let i = 0; i < n; i++) {
      let move = 0;
      for (let j = 0; j <= i; j++) move += (lower[i * n + j] as number) * (z[j] as number);
      const variance = covariance[i * n + i] as number;
      const step = (level * move) / Math.sqrt(8760) - (0.5 * level * level * variance) / 8760;
      prices[row * n + i] = (prices[(row - 1) * n + i] as number) * Math.exp(step);
    }
  }
  return prices;
}

function cholesky(a: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j] as number;
      for (let k = 0; k < j; k++) {
        sum -= (lower[i * n + k] as number) * (lower[j * n + k] as number);
      }
      const pivot = lower[j * n + j] as number;
      lower[i * n + j] = i === j ? Math.sqrt(Math.max(0, sum)) : pivot > 0 ? sum / pivot : 0;
    }
  }
  return lower;
}

/** The same as a history a CSV would give. */
export function historyOf(
  prices: Float64Array,
  assets: readonly string[],
  stepSeconds = 3600,
): PriceHistory {
  const rows = prices.length / assets.length;
  const times = Float64Array.from({ length: rows }, (_, k) => 1_600_000_000 + k * stepSeconds);
  return { assets, times, closes: prices, stepSeconds };
}
