// Linear venues in exact integers: resting orders taken pro rata, and bridges (a filler's posted
// transfer) with a rate, a fixed fee and a capacity.

import { mulDivDown, mulDivUp } from '../../types/amounts.ts';
import type { ParsedBridge, ParsedOrder } from '../parsedProblem.ts';
import { refused, type TradeRefusal } from './refusals.ts';

/** out = ⌊in · amountOut / amountIn⌋; refuses more than the order's amountIn. */
export function orderOut(order: ParsedOrder, amountIn: bigint): bigint | TradeRefusal {
  if (amountIn > order.amountIn) {
    return refused('overCapacity', `the order takes at most ${order.amountIn}`);
  }
  return mulDivDown(amountIn, order.amountOut, order.amountIn);
}

/** The smallest input that yields at least `amountOut`. */
export function orderIn(order: ParsedOrder, amountOut: bigint): bigint | TradeRefusal {
  if (amountOut > order.amountOut) {
    return refused('overCapacity', `the order gives at most ${order.amountOut}`);
  }
  return mulDivUp(amountOut, order.amountIn, order.amountOut);
}

/** out = ⌊in · 10^Δdecimals · (1 − fee)⌋ − fixedFee; refuses outputs above capacity or below 1. */
export function bridgeOut(bridge: ParsedBridge, amountIn: bigint): bigint | TradeRefusal {
  const gross = mulDivDown(amountIn, bridge.numerator, bridge.denominator);
  if (gross <= bridge.fixedFee) {
    return refused('zeroOutput', `the bridge's fixed fee of ${bridge.fixedFee} takes all of it`);
  }
  const amountOut = gross - bridge.fixedFee;
  if (amountOut > bridge.capacity) {
    return refused('overCapacity', `the bridge delivers at most ${bridge.capacity}`);
  }
  return amountOut;
}

/** The smallest input that yields at least `amountOut`. */
export function bridgeIn(bridge: ParsedBridge, amountOut: bigint): bigint | TradeRefusal {
  if (amountOut > bridge.capacity) {
    return refused('overCapacity', `the bridge delivers at most ${bridge.capacity}`);
  }
  return mulDivUp(amountOut + bridge.fixedFee, bridge.denominator, bridge.numerator);
}
