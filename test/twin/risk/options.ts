// The generalised Black–Scholes–Merton price as the textbook prints it; the Greeks follow from it by
// differences in test/risk, not by formulas.

import type { OptionInputs } from '../../../solver/types/risk.ts';
import { below } from './normal.ts';

/** Price, and the size of the terms it is the difference of. */
export function price(option: OptionInputs): { readonly value: number; readonly size: number } {
  const { spot, strike, years, rate, carry, volatility } = option;
  const sign = option.kind === 'call' ? 1 : -1;
  const s = volatility * Math.sqrt(years);
  const d1 = (Math.log(spot / strike) + (carry + volatility ** 2 / 2) * years) / s;
  const asset = spot * Math.exp((carry - rate) * years);
  const cash = strike * Math.exp(-rate * years);
  const value = sign * (asset * below(sign * d1) - cash * below(sign * (d1 - s)));
  return { value, size: asset + cash };
}
