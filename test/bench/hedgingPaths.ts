// Random price paths for the hedging bench, and the written call's Greeks along them. Seeded, the same
// for every rule. Geometric Brownian motion without drift, rate 0; arrays step by step, paths within.

import type { RiskKernel } from '../../solver/types/risk.ts';

/** delta_hedge_frontier_mc.json's: an at-the-money call written, looked at every 2 hours for 30 days. */
export const SETTING = {
  spot: 3000,
  strike: 3000,
  years: 30 / 365,
  volatility: 0.7,
  proportional: 0.0005,
  steps: 360,
} as const;
export const STEP_YEARS = SETTING.years / SETTING.steps;

export interface Paths {
  readonly count: number;
  readonly premium: number;
  /** (steps + 1) × count. */
  readonly prices: Float64Array;
  /** steps × count each, of one call held. */
  readonly deltas: Float64Array;
  readonly gammas: Float64Array;
}

/** Columns of the kernel's rows. */
const [INPUTS, OUTPUTS, DELTA, GAMMA] = [7, 13, 3, 4];

/** Uniform 32-bit words by xoshiro128++ (Blackman, Vigna 2019), its state spread from a seed. */
function xoshiro(seed: number): () => number {
  let spread = seed >>> 0;
  const word = (): number => {
    spread = (spread + 0x9e3779b9) >>> 0;
    let z = Math.imul(spread ^ (spread >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [word(), word(), word(), word()];
  const rotated = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  return () => {
    const result = (rotated((a + d) | 0, 7) + a) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotated(d, 11);
    return result;
  };
}

/** Standard normals by Box and Muller, from 53-bit uniforms. */
export function normals(seed: number): () => number {
  const next = xoshiro(seed);
  const uniform = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6) + 0.5) * 2 ** -53;
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

export function drawPaths(kernel: RiskGreeks, count: number, seed: number): Paths {
  const { spot, strike, years, volatility, steps } = SETTING;
  const normal = normals(seed);
  const prices = new Float64Array((steps + 1) * count).fill(spot, 0, count);
  const spread = volatility * Math.sqrt(STEP_YEARS);
  for (let at = count; at < prices.length; at++) {
    prices[at] = (prices[at - count] ?? 0) * Math.exp(spread * normal() - spread ** 2 / 2);
  }
  const deltas = new Float64Array(steps * count);
  const gammas = new Float64Array(steps * count);
  for (let step = 0; step < steps; step++) {
    const rows = greeksAt(kernel, prices, step, count, () => volatility);
    for (let path = 0; path < count; path++) {
      deltas[step * count + path] = rows[path * OUTPUTS + DELTA] ?? 0;
      gammas[step * count + path] = rows[path * OUTPUTS + GAMMA] ?? 0;
    }
  }
  const option = { kind: 'call', spot, strike, years, rate: 0, carry: 0, volatility } as const;
  return { count, premium: kernel.greeks(option).price, prices, deltas, gammas };
}

export type RiskGreeks = Pick<RiskKernel, 'greeks' | 'greeksBatch'>;

/** The call's deltas at one step, each path at a volatility of its own. */
export function deltasAt(
  kernel: RiskGreeks,
  paths: Paths,
  step: number,
  volatilityOf: (path: number) => number,
): Float64Array {
  const rows = greeksAt(kernel, paths.prices, step, paths.count, volatilityOf);
  return Float64Array.from({ length: paths.count }, (_, path) => rows[path * OUTPUTS + DELTA] ?? 0);
}

function greeksAt(
  kernel: RiskGreeks,
  prices: Float64Array,
  step: number,
  count: number,
  volatilityOf: (path: number) => number,
): Float64Array {
  const inputs = new Float64Array(count * INPUTS);
  for (let path = 0; path < count; path++) {
    const at = path * INPUTS;
    inputs[at] = prices[step * count + path] ?? 0;
    inputs[at + 1] = SETTING.strike;
    inputs[at + 2] = yearsLeft(step);
    inputs[at + 5] = volatilityOf(path);
    inputs[at + 6] = 1;
  }
  return kernel.greeksBatch(inputs);
}

export const yearsLeft = (step: number): number => SETTING.years - step * STEP_YEARS;
