// One Uniswap v3 swap step in exact integers: SqrtPriceMath and SwapMath with the contracts' own
// roundings and their overflow branches. Prices are √(token1/token0) in Q64.96. Rounding is always
// against the trader: inputs up, outputs down, prices towards the side that gives less.

import { MAX_UINT256, mulDivDown, mulDivUp } from '../../types/amounts.ts';
import { assert } from '../../types/assert.ts';

/** Below 2^96: a division by it is a shift, and this rounds it up. */
const BELOW_Q96 = (1n << 96n) - 1n;
const PIPS = 1_000_000n;

const divUp = (a: bigint, b: bigint) => (a === 0n ? 0n : (a - 1n) / b + 1n);

/** Token0 between two prices: L · (√b − √a) / (√a · √b), rounded as asked, in two divisions. */
export function amount0Delta(a: bigint, b: bigint, liquidity: bigint, up: boolean): bigint {
  const [low, high] = a < b ? [a, b] : [b, a];
  assert(low > 0n, 'a pool price is positive');
  const scaled = liquidity << 96n;
  return up
    ? divUp(mulDivUp(scaled, high - low, high), low)
    : mulDivDown(scaled, high - low, high) / low;
}

/** Token1 between two prices: L · (√b − √a), rounded as asked. */
export function amount1Delta(a: bigint, b: bigint, liquidity: bigint, up: boolean): bigint {
  const distance = a < b ? b - a : a - b;
  const product = liquidity * distance;
  return (up ? product + BELOW_Q96 : product) >> 96n;
}

/** The price after adding (or removing) token0; rounded up, so that the pool never loses. */
function priceFromAmount0(sqrt: bigint, liquidity: bigint, amount: bigint, add: boolean): bigint {
  if (amount === 0n) return sqrt;
  const scaled = liquidity << 96n;
  const product = amount * sqrt;
  if (!add) {
    assert(product <= MAX_UINT256 && scaled > product, 'the step stays inside its range');
    return mulDivUp(scaled, sqrt, scaled - product);
  }
  // The contract falls back to a coarser formula exactly when 256 bits do not hold these.
  if (product <= MAX_UINT256 && scaled + product <= MAX_UINT256) {
    return mulDivUp(scaled, sqrt, scaled + product);
  }
  return divUp(scaled, scaled / sqrt + amount);
}

/** The price after adding (or removing) token1; rounded down. */
function priceFromAmount1(sqrt: bigint, liquidity: bigint, amount: bigint, add: boolean): bigint {
  const scaled = amount << 96n;
  if (add) return sqrt + scaled / liquidity;
  const quotient = divUp(scaled, liquidity);
  assert(sqrt > quotient, 'the step stays inside its range');
  return sqrt - quotient;
}

export interface SwapStep {
  readonly sqrtNext: bigint;
  /** Without the fee. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly feeAmount: bigint;
}

/** SwapMath.computeSwapStep for an exact input: from `sqrt` towards `target` with what remains. */
export function stepExactIn(
  sqrt: bigint,
  target: bigint,
  liquidity: bigint,
  remaining: bigint,
  feePips: number,
): SwapStep {
  const down = sqrt >= target;
  const fee = BigInt(feePips);
  const afterFee = mulDivDown(remaining, PIPS - fee, PIPS);
  const toTarget = down
    ? amount0Delta(target, sqrt, liquidity, true)
    : amount1Delta(sqrt, target, liquidity, true);
  const sqrtNext =
    afterFee >= toTarget
      ? target
      : down
        ? priceFromAmount0(sqrt, liquidity, afterFee, true)
        : priceFromAmount1(sqrt, liquidity, afterFee, true);
  const reached = sqrtNext === target;
  const amountIn = reached ? toTarget : amountInBetween(sqrt, sqrtNext, liquidity, down);
  return {
    sqrtNext,
    amountIn,
    amountOut: amountOutBetween(sqrt, sqrtNext, liquidity, down),
    feeAmount: reached ? mulDivUp(amountIn, fee, PIPS - fee) : remaining - amountIn,
  };
}

/** SwapMath.computeSwapStep for an exact output. */
export function stepExactOut(
  sqrt: bigint,
  target: bigint,
  liquidity: bigint,
  remaining: bigint,
  feePips: number,
): SwapStep {
  const down = sqrt >= target;
  const fee = BigInt(feePips);
  const toTarget = amountOutBetween(sqrt, target, liquidity, down);
  const sqrtNext =
    remaining >= toTarget
      ? target
      : down
        ? priceFromAmount1(sqrt, liquidity, remaining, false)
        : priceFromAmount0(sqrt, liquidity, remaining, false);
  const available = amountOutBetween(sqrt, sqrtNext, liquidity, down);
  const amountIn = amountInBetween(sqrt, sqrtNext, liquidity, down);
  return {
    sqrtNext,
    amountIn,
    amountOut: available > remaining ? remaining : available,
    feeAmount: mulDivUp(amountIn, fee, PIPS - fee),
  };
}

function amountInBetween(from: bigint, to: bigint, liquidity: bigint, down: boolean): bigint {
  return down ? amount0Delta(to, from, liquidity, true) : amount1Delta(from, to, liquidity, true);
}

function amountOutBetween(from: bigint, to: bigint, liquidity: bigint, down: boolean): bigint {
  return down ? amount1Delta(to, from, liquidity, false) : amount0Delta(from, to, liquidity, false);
}
