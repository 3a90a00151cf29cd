// What fixed weights earn without any view: growth of constant mixes and of constant leverage under
// geometric Brownian motion, free of costs. Closed forms to judge replays by, never forecasts.

import { InvalidInput } from '../../types/errors.ts';
import { at, checkNumber, checkPositive, checkSymmetric, checkVector, form } from './linear.ts';

/**
 * Excess growth rate γ* = ½(Σwᵢσᵢ² − w′Σw), per year for an annual Σ (Fernholz & Shay, Stochastic
 * Portfolio Theory and Stock Market Equilibrium, 1982). ≥ 0 for long-only weights.
 */
export function excessGrowth(weights: Float64Array, covariance: Float64Array): number {
  const size = weights.length;
  checkVector(weights, size, 'weights');
  checkSymmetric(covariance, size, 'covariance');
  const own = weights.reduce((sum, w, i) => sum + w * at(covariance, i * size + i), 0);
  return 0.5 * (own - form(covariance, weights));
}

/**
 * V_T/V_0 of a portfolio held at `weights` throughout, sum 1: Π(P_T/P_0)^w · e^(γ*T), years T, with
 * `priceRatios` P_T/P_0 by asset.
 */
export function constantMixGrowth(
  weights: Float64Array,
  covariance: Float64Array,
  priceRatios: Float64Array,
  years: number,
): number {
  checkVector(priceRatios, weights.length, 'priceRatios');
  checkNumber(years, 'years', 0);
  let growth = excessGrowth(weights, covariance) * years;
  for (const [i, ratio] of priceRatios.entries()) {
    if (!(ratio > 0)) {
      const pointer = `/priceRatios/${i}`;
      throw new InvalidInput(`priceRatios[${i}] is ${ratio}: it must be above 0`, { pointer });
    }
    growth += at(weights, i) * Math.log(ratio);
  }
  return Math.exp(growth);
}

/**
 * V_T/V_0 at constant leverage L of one asset, rate 0: (S_T/S_0)^L · e^(−½(L² − L)σ²T). The second
 * factor is the decay; it is a gain for 0 < L < 1.
 */
export function constantLeverageGrowth(
  leverage: number,
  priceRatio: number,
  sigma: number,
  years: number,
): number {
  checkNumber(leverage, 'leverage', -Number.MAX_VALUE);
  checkPositive(priceRatio, 'priceRatio');
  checkNumber(sigma, 'sigma', 0);
  checkNumber(years, 'years', 0);
  const decay = 0.5 * (leverage * leverage - leverage) * sigma * sigma * years;
  return Math.exp(leverage * Math.log(priceRatio) - decay);
}
