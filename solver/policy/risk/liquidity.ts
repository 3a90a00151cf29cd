// Liquidity positions as portfolios: impermanent loss against holding, and loss-versus-rebalancing
// (LVR), both before fees, in closed form. Exact amounts of a real position are market/exact's.

import { InvalidInput } from '../../types/errors.ts';
import { checkNumber, checkPositive } from './linear.ts';

/**
 * Impermanent loss of a pool with `weight` of the asset whose price in the other moved by
 * `priceRatio`: r^w/(wr + 1 − w) − 1, fraction of what holding would be worth. ≤ 0.
 */
export function impermanentLoss(priceRatio: number, weight = 0.5): number {
  checkPositive(priceRatio, 'priceRatio');
  checkNumber(weight, 'weight', 0, 1);
  // log1p and expm1 keep the digits of a small move, where the loss is of second order.
  const move = priceRatio - 1;
  const loss = Math.expm1(weight * Math.log1p(move) - Math.log1p(weight * move));
  return Math.min(0, loss);
}

/**
 * LVR of a pool with fixed weights, fraction of its worth per year: ½w(1 − w)σ²; σ²/8 for constant
 * product (Milionis, Moallemi, Roughgarden & Zhang, Automated Market Making and
 * Loss-Versus-Rebalancing, 2022). σ per √year of the price between the two.
 */
export function lvrRate(sigma: number, weight = 0.5): number {
  checkNumber(sigma, 'sigma', 0);
  checkNumber(weight, 'weight', 0, 1);
  return 0.5 * weight * (1 - weight) * sigma * sigma;
}

/** Prices of the base asset in the quote asset. */
export interface PriceRange {
  readonly lower: number;
  /** Infinity: open. */
  readonly upper: number;
}

/** Worth per unit of liquidity, quote asset: 2√P − P/√b − √a inside [a, b], linear outside. */
export function rangeWorth(price: number, range: PriceRange): number {
  const { base, quote } = rangeHoldings(price, range);
  return base * price + quote;
}

/** Base and quote asset per unit of liquidity: 1/√P − 1/√b and √P − √a, P held to the range. */
export function rangeHoldings(
  price: number,
  { lower, upper }: PriceRange,
): { readonly base: number; readonly quote: number } {
  checkPositive(price, 'price');
  checkNumber(lower, 'lower', 0);
  if (!(upper > lower)) {
    const message = `upper is ${upper}: it must be above lower, ${lower}`;
    throw new InvalidInput(message, { pointer: '/upper' });
  }
  const root = Math.sqrt(Math.min(Math.max(price, lower), upper));
  return { base: 1 / root - 1 / Math.sqrt(upper), quote: root - Math.sqrt(lower) };
}

/** Impermanent loss of a position in `range` opened at `from` and seen at `to`. ≤ 0. */
export function rangeImpermanentLoss(from: number, to: number, range: PriceRange): number {
  const held = rangeHoldings(from, range);
  const worth = rangeWorth(to, range);
  return Math.min(0, worth / (held.base * to + held.quote) - 1);
}

/**
 * LVR of a position in a range, fraction of its worth per year: −½σ²P²V″/V = ¼σ²√P/V(P) for unit
 * liquidity while the price is inside, 0 outside (the same paper's general formula applied to V of
 * the range; with the whole line as the range it is σ²/8).
 */
export function rangeLvrRate(sigma: number, price: number, range: PriceRange): number {
  checkNumber(sigma, 'sigma', 0);
  const worth = rangeWorth(price, range);
  if (price <= range.lower || price >= range.upper) return 0;
  return (0.25 * sigma * sigma * Math.sqrt(price)) / worth;
}
