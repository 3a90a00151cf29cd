// Greeks of a book: options held and written, and the underlying. It prices nothing itself (the risk
// kernel does) and takes an option that has expired for its intrinsic value: delta 1, ½ at the strike
// exactly, or 0 (negative for puts), no gamma, vega or theta.

import type { Greeks, OptionInputs, RiskKernel } from '../../types/risk.ts';
import type { OptionPosition } from './types.ts';

/** What hedging asks of the risk kernel. */
export type HedgeKernel = Pick<RiskKernel, 'greeks' | 'twoBand'>;

export interface BookGreeks {
  /** Units of the underlying; its own units count 1 each. */
  readonly delta: number;
  /** Units of the underlying per unit of price. */
  readonly gamma: number;
  /** Numeraire per 1.00 of volatility. */
  readonly vega: number;
  /** Numeraire per year. */
  readonly theta: number;
}

/** Greeks of one unit, and its price. */
export type UnitGreeks = Pick<Greeks, 'price' | 'delta' | 'gamma' | 'vega' | 'theta'>;

export const expired = (option: OptionInputs): boolean => option.years <= 0;

/** Greeks of one option at `price`; `varianceFactor` multiplies σ², as the cost-adjusted models ask. */
export function unitGreeks(
  option: OptionInputs,
  price: number,
  kernel: HedgeKernel,
  varianceFactor = 1,
): UnitGreeks {
  if (expired(option)) return intrinsic(option, price);
  const volatility = option.volatility * Math.sqrt(varianceFactor);
  return kernel.greeks({ ...option, spot: price, volatility });
}

/** Sum over the book of quantity × Greek, `underlying` units of the underlying included. */
export function bookGreeks(
  options: readonly OptionPosition[],
  underlying: number,
  price: number,
  kernel: HedgeKernel,
  varianceFactor = 1,
): BookGreeks {
  let [delta, gamma, vega, theta] = [underlying, 0, 0, 0];
  for (const { quantity, option } of options) {
    const unit = unitGreeks(option, price, kernel, varianceFactor);
    delta += quantity * unit.delta;
    gamma += quantity * unit.gamma;
    vega += quantity * unit.vega;
    theta += quantity * unit.theta;
  }
  return { delta, gamma, vega, theta };
}

function intrinsic({ kind, strike }: OptionInputs, price: number): UnitGreeks {
  const call = price > strike ? 1 : price === strike ? 0.5 : 0;
  const value = kind === 'call' ? price - strike : strike - price;
  const delta = kind === 'call' ? call : call - 1;
  return { price: Math.max(0, value), delta, gamma: 0, vega: 0, theta: 0 };
}
