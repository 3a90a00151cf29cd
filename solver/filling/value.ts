// Worth at feed prices, in 18-decimal dollars. The only
// place where the desk turns amounts into dollars; every function names its rounding.

import { floorDiv, parseFixed36 } from '../market/decimal.ts';
import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { ProblemNode } from '../types/problem.ts';

/** Base units per node id. */
export type Amounts = ReadonlyMap<string, bigint>;

/** 18-decimal dollars per whole token, rounded down. */
export function priceWadOf(node: ProblemNode): bigint {
  const price = present(node.price, `price of ${node.id}`);
  return floorDiv(parseFixed36(price), 10n ** 18n);
}

/** ⌊amount · price / 10^decimals⌋, 18-decimal dollars. */
export const worthDown = (amount: bigint, node: ProblemNode): bigint =>
  mulDivDown(amount, priceWadOf(node), 10n ** BigInt(node.decimals));

/** ⌈amount · price / 10^decimals⌉, 18-decimal dollars. */
export const worthUp = (amount: bigint, node: ProblemNode): bigint =>
  mulDivUp(amount, priceWadOf(node), 10n ** BigInt(node.decimals));

/** Base units of `node` worth at least `worthWad`. */
export function amountWorth(worthWad: bigint, node: ProblemNode): bigint {
  const price = priceWadOf(node);
  return price === 0n ? 0n : mulDivUp(worthWad, 10n ** BigInt(node.decimals), price);
}

/** `-1.25` from −1.25e18: for events and logs, never parsed back. */
export function dollars(wad: bigint): string {
  const abs = wad < 0n ? -wad : wad;
  const fraction = (abs % 10n ** 18n).toString().padStart(18, '0').replace(/0+$/, '');
  return `${wad < 0n ? '-' : ''}${abs / 10n ** 18n}${fraction === '' ? '' : `.${fraction}`}`;
}
