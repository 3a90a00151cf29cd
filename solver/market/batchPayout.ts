// Who gets what of a batch's proceeds: every executed order its limit first, and what is left at a
// bought node shared among the orders that buy there, in proportion to what each is owed beyond its
// limit at uniform prices. Where proceeds are exactly what uniform prices owe, every order is paid
// at those prices. Refuses, as null, proceeds that do not cover the limits.

import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import { largerOf } from './decimal.ts';
import type { ParsedBatchOrder } from './parsedProblem.ts';

/**
 * What each order is paid, base units, parallel to `orders`; 0 where nothing was sold.
 *
 * @param sold base units each order sells, parallel to `orders`
 * @param proceeds base units by node that orders may be paid from; all of it is paid where any
 *   executed order buys
 * @param unitPrices clearing prices by node, in one unit of worth per base unit, all > 0
 *
 * With s_k = max(0, ⌊sold·ν_sell/ν_buy⌋ − limit) an order gets limit + ⌊rest·s_k/Σs⌋, then one unit
 * each in the file's order until nothing is left; where nobody is owed more, shares go by worth sold.
 */
export function batchPayout(
  orders: readonly ParsedBatchOrder[],
  sold: readonly bigint[],
  proceeds: readonly bigint[],
  unitPrices: readonly bigint[],
): readonly bigint[] | null {
  const outs = orders.map(({ minOut, amount }, k) => mulDivUp(minOut, soldBy(sold, k), amount));
  const buyersOf = new Map<number, number[]>();
  orders.forEach(({ buy }, k) => {
    if (soldBy(sold, k) === 0n) return;
    const buyers = buyersOf.get(buy);
    if (buyers === undefined) buyersOf.set(buy, [k]);
    else buyers.push(k);
  });
  for (const [node, buyers] of buyersOf) {
    const limits = buyers.reduce((sum, k) => sum + present(outs[k], 'limit'), 0n);
    const rest = (proceeds[node] ?? 0n) - limits;
    if (rest < 0n) return null;
    const worth = buyers.map((k) => {
      const { sell, buy } = present(orders[k], 'order');
      return mulDivDown(soldBy(sold, k), priceAt(unitPrices, sell), priceAt(unitPrices, buy));
    });
    const owed = buyers.map((k, i) =>
      largerOf(0n, present(worth[i], 'worth') - present(outs[k], 'limit')),
    );
    const shares = owed.some((share) => share > 0n) ? owed : worth;
    split(rest, shares).forEach((extra, i) => {
      const k = present(buyers[i], 'buyer');
      outs[k] = present(outs[k], 'limit') + extra;
    });
  }
  return outs;
}

function soldBy(sold: readonly bigint[], k: number): bigint {
  return present(sold[k], 'sold amount');
}

function priceAt(unitPrices: readonly bigint[], node: number): bigint {
  const price = present(unitPrices[node], 'clearing price');
  assert(price > 0n, 'a clearing price is positive');
  return price;
}

/** `total` in proportion to `shares` (equally if all are 0), rounded down, remainders to the first. */
function split(total: bigint, shares: readonly bigint[]): readonly bigint[] {
  const sum = shares.reduce((a, b) => a + b, 0n);
  const parts = shares.map((share) =>
    sum === 0n ? total / BigInt(shares.length) : mulDivDown(total, share, sum),
  );
  let left = total - parts.reduce((a, b) => a + b, 0n);
  return parts.map((part) => {
    if (left === 0n) return part;
    left--;
    return part + 1n;
  });
}
