// What every Balancer v2 pool does around its own mathematics, as BaseMinimalSwapInfoPool and
// BaseGeneralPool order it: fees leave an exact input before it is scaled up and join a computed
// input after it was scaled down; what leaves the pool rounds down, what enters it rounds up. And
// the vault's own limit: it stores balances in 112 bits.

import { present } from '../../types/assert.ts';
import type { ParsedManyNodeVenue } from '../parsedProblem.ts';
import { divDown, divUp, mulDown, mulUp, ONE, orRefused, revert } from './fixedPoint.ts';
import type { TradeRefusal } from './refusals.ts';

const MAX_UINT112 = 2n ** 112n - 1n;

/** What the exact math of both kinds reads of a pool. */
export type VaultPool = Pick<ParsedManyNodeVenue, 'balances' | 'scalingFactors' | 'swapFee'>;

/** The pool's own curve, upscaled: the other amount of a trade. */
export type Curve = (upscaledBalances: readonly bigint[], upscaledAmount: bigint) => bigint;

/** Sells exactly `amountIn` of token `indexIn`, fee included. */
export function swapGivenIn(
  pool: VaultPool,
  indexIn: number,
  indexOut: number,
  amountIn: bigint,
  outGivenIn: Curve,
): bigint | TradeRefusal {
  return orRefused(() => {
    holdsAfter(pool, indexIn, amountIn);
    const afterFee = amountIn - mulUp(amountIn, pool.swapFee);
    const upscaled = mulDown(afterFee, factor(pool, indexIn));
    return divDown(outGivenIn(upscaledBalances(pool), upscaled), factor(pool, indexOut));
  });
}

/** Buys exactly `amountOut` of token `indexOut`: what the pool charges of token `indexIn`. */
export function swapGivenOut(
  pool: VaultPool,
  indexIn: number,
  indexOut: number,
  amountOut: bigint,
  inGivenOut: Curve,
): bigint | TradeRefusal {
  return orRefused(() => {
    const held = present(pool.balances[indexOut], 'balance');
    if (amountOut > held) revert('outOfLiquidity', `the pool holds ${held}, less than asked`);
    const upscaled = mulDown(amountOut, factor(pool, indexOut));
    const beforeFee = divUp(inGivenOut(upscaledBalances(pool), upscaled), factor(pool, indexIn));
    return holdsAfter(pool, indexIn, divUp(beforeFee, ONE - pool.swapFee));
  });
}

/** ⌊raw · scalingFactor / 10^18⌋ per token: the balances the pool's curve sees. */
export const upscaledBalances = ({ balances, scalingFactors }: VaultPool): readonly bigint[] =>
  balances.map((raw, i) => mulDown(raw, present(scalingFactors[i], 'scaling factor')));

function factor({ scalingFactors }: VaultPool, index: number): bigint {
  return present(scalingFactors[index], 'scaling factor');
}

/** The amount, if the vault can hold it on top of the balance. */
function holdsAfter({ balances }: VaultPool, index: number, amountIn: bigint): bigint {
  if (present(balances[index], 'balance') + amountIn > MAX_UINT112) {
    revert('amountTooLarge', 'the vault cannot hold more than 2^112 − 1 of a token');
  }
  return amountIn;
}
