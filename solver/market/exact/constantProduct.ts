// Uniswap v2 in exact integers: the library's getAmountOut and getAmountIn with the fee as a
// parameter, plus the pair's own limit that a balance fits 112 bits. For a fee of 3000 pips both
// equal the published contracts to the wei: 997/1000 and 997000/1000000 floor alike.

import { refused, type TradeRefusal } from './refusals.ts';

const PIPS = 1_000_000n;
const MAX_UINT112 = 2n ** 112n - 1n;

/** Output for exactly `amountIn`, rounded down. */
export function constantProductOut(
  reserveIn: bigint,
  reserveOut: bigint,
  feePips: number,
  amountIn: bigint,
): bigint | TradeRefusal {
  if (reserveIn + amountIn > MAX_UINT112) {
    return refused('amountTooLarge', 'the pair cannot hold more than 2^112 − 1 of a token');
  }
  const afterFee = amountIn * (PIPS - BigInt(feePips));
  return (afterFee * reserveOut) / (reserveIn * PIPS + afterFee);
}

/** Input the library asks for exactly `amountOut`: rounded down plus one, at least what is needed. */
export function constantProductIn(
  reserveIn: bigint,
  reserveOut: bigint,
  feePips: number,
  amountOut: bigint,
): bigint | TradeRefusal {
  if (amountOut >= reserveOut) {
    return refused('outOfLiquidity', `the pair holds ${reserveOut}, less than asked`);
  }
  const needed =
    (reserveIn * amountOut * PIPS) / ((reserveOut - amountOut) * (PIPS - BigInt(feePips))) + 1n;
  if (reserveIn + needed > MAX_UINT112) {
    return refused('amountTooLarge', 'the pair cannot hold more than 2^112 − 1 of a token');
  }
  return needed;
}
