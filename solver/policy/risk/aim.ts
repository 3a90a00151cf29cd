// Trading towards a view that fades, with quadratic costs: how fast, and towards what. Gârleanu &
// Pedersen, Dynamic Trading with Predictable Returns and Transaction Costs (Journal of Finance,
// 2013), proposition 2, costs Λ = λΣ. The view itself (factor loadings) is the caller's.

import { InvalidInput } from '../../types/errors.ts';
import {
  at,
  checkNumber,
  checkPositive,
  checkSymmetric,
  checkVector,
  product,
  symmetricEigen,
} from './linear.ts';

export interface DecayingView {
  /** γ, per unit of variance per period. */
  readonly aversion: number;
  /** λ of the cost ½Δx′(λΣ)Δx. */
  readonly cost: number;
  /** ρ, discount per period, 0 … 1. */
  readonly discount: number;
  /** Σ of returns per period, assets². */
  readonly covariance: Float64Array;
  /** B, assets × factors: expected return per unit of factor. */
  readonly loadings: Float64Array;
  /** φ: share of each factor that fades per period, 0 … 1. */
  readonly fading: Float64Array;
}

/** Smallest eigenvalue as a share of the largest below which Σ has no usable inverse. */
const SINGULAR = 1e-13;

/**
 * a of proposition 2, which solves the Riccati equation A = λ − λ²/((1 − ρ)(γ + A) + λ) for A = a:
 *   a = (√(b² + 4γλ(1 − ρ)²) − b) / 2(1 − ρ),  b = γ(1 − ρ) + λρ.
 * a/λ is the share of the way to the aim traded each period.
 */
export function tradingRate(
  aversion: number,
  cost: number,
  discount: number,
): { readonly a: number; readonly rate: number } {
  checkPositive(aversion, 'aversion');
  checkPositive(cost, 'cost');
  checkNumber(discount, 'discount', 0, 1 - Number.EPSILON);
  const keep = 1 - discount;
  const b = aversion * keep + cost * discount;
  // √(b² + c) − b = c/(√(b² + c) + b): no digits lost where costs are small.
  const c = 4 * aversion * cost * keep * keep;
  const a = c / (Math.sqrt(b * b + c) + b) / (2 * keep);
  return { a, rate: a / cost };
}

/** (γΣ)⁻¹B(I + Φa/γ)⁻¹, assets × factors: times today's factors it is the aim, in units held. */
export function aimMatrix(view: DecayingView): Float64Array {
  const { aversion, covariance, loadings, fading } = view;
  const factors = fading.length;
  const size = Math.sqrt(covariance.length);
  const { a } = tradingRate(aversion, view.cost, view.discount);
  checkSymmetric(covariance, size, 'covariance');
  checkVector(loadings, size * factors, 'loadings');
  checkVector(fading, factors, 'fading');
  for (const [k, phi] of fading.entries()) checkNumber(phi, `fading/${k}`, 0, 1);
  const { values, vectors } = symmetricEigen(covariance, size);
  const largest = Math.max(...values);
  if (!(Math.min(...values) > SINGULAR * largest)) {
    throw new InvalidInput('covariance has no inverse: leave out assets that others replicate', {
      pointer: '/covariance',
    });
  }
  const scaled = loadings.map((x, k) => x / (1 + (at(fading, k % factors) * a) / aversion));
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) {
        sum += (at(vectors, i * size + k) * at(vectors, j * size + k)) / at(values, k);
      }
      inverse[i * size + j] = sum / aversion;
    }
  }
  return product(inverse, scaled, size);
}

/** Where to stand next: x + (a/λ)(aim − x), with aim = matrix · factors. */
export function stepToAim(
  view: DecayingView,
  held: Float64Array,
  factors: Float64Array,
): { readonly aim: Float64Array; readonly next: Float64Array } {
  checkVector(factors, view.fading.length, 'factors');
  const aim = product(aimMatrix(view), factors, factors.length);
  checkVector(held, aim.length, 'held');
  const { rate } = tradingRate(view.aversion, view.cost, view.discount);
  return { aim, next: held.map((x, i) => x + rate * (at(aim, i) - x)) };
}
