// A whole Uniswap v3 swap in exact integers, as UniswapV3Pool.swap walks it: step by step to the
// next initialised tick or the end of a 256-tick word, whichever comes first (the contract rounds
// at both). Refuses a trade that the listed liquidity cannot take entirely: a router would keep the
// rest of the input or deliver less than asked, and a plan must do neither.

import { assert } from '../../types/assert.ts';
import type { ParsedConcentrated } from '../parsedProblem.ts';
import { refused, type TradeRefusal } from './refusals.ts';
import { type SwapStep, stepExactIn, stepExactOut } from './swapMath.ts';
import { MAX_TICK, MIN_TICK, sqrtRatioAtTick } from './tickMath.ts';

/** What the exact walk reads of a pool. */
export type ConcentratedState = Pick<
  ParsedConcentrated,
  'sqrtPriceX96' | 'tick' | 'liquidity' | 'feePips' | 'tickSpacing' | 'ticks'
>;

export interface ConcentratedTrade {
  /** Fee included. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly sqrtPriceX96After: bigint;
}

/** Sells exactly `amountIn` of token0 (`zeroForOne`) or token1. */
export function concentratedOut(
  pool: ConcentratedState,
  zeroForOne: boolean,
  amountIn: bigint,
): ConcentratedTrade | TradeRefusal {
  let remaining = amountIn;
  let amountOut = 0n;
  const end = walk(pool, zeroForOne, (sqrt, target, liquidity) => {
    if (remaining === 0n) return null;
    const step = stepExactIn(sqrt, target, liquidity, remaining, pool.feePips);
    remaining -= step.amountIn + step.feeAmount;
    amountOut += step.amountOut;
    return step;
  });
  if (remaining > 0n) {
    return refused('outOfLiquidity', `liquidity ends with ${remaining} of the input unsold`);
  }
  return { amountIn, amountOut, sqrtPriceX96After: end };
}

/** Buys exactly `amountOut`; the input is what the pool charges. */
export function concentratedIn(
  pool: ConcentratedState,
  zeroForOne: boolean,
  amountOut: bigint,
): ConcentratedTrade | TradeRefusal {
  let remaining = amountOut;
  let amountIn = 0n;
  const end = walk(pool, zeroForOne, (sqrt, target, liquidity) => {
    if (remaining === 0n) return null;
    const step = stepExactOut(sqrt, target, liquidity, remaining, pool.feePips);
    remaining -= step.amountOut;
    amountIn += step.amountIn + step.feeAmount;
    return step;
  });
  if (remaining > 0n) {
    return refused('outOfLiquidity', `liquidity ends ${remaining} short of the output`);
  }
  return { amountIn, amountOut, sqrtPriceX96After: end };
}

type Take = (sqrt: bigint, target: bigint, liquidity: bigint) => SwapStep | null;

/** Walks until `take` has nothing left (null) or the list ends; returns the last price. */
function walk(pool: ConcentratedState, down: boolean, take: Take): bigint {
  const { ticks, tickSpacing } = pool;
  let sqrt = pool.sqrtPriceX96;
  let tick = pool.tick;
  let liquidity = pool.liquidity;
  // The next initialised tick in our direction: at or below `tick` going down, above it going up.
  let next = lastAtOrBelow(ticks, tick) + (down ? 0 : 1);
  for (;;) {
    const ahead = ticks[next];
    if (ahead === undefined) return sqrt;
    // Without liquidity a step moves no amount: go straight to the tick that brings some.
    const word = liquidity === 0n ? ahead.tick : wordEnd(tick, tickSpacing, down);
    const stopsAtTick = down ? ahead.tick >= word : ahead.tick <= word;
    const stop = stopsAtTick ? ahead.tick : word;
    const target = sqrtRatioAtTick(stop);
    const step = take(sqrt, target, liquidity);
    if (step === null) return sqrt;
    sqrt = step.sqrtNext;
    if (sqrt !== target) return sqrt;
    if (stopsAtTick) {
      liquidity += down ? -ahead.liquidityNet : ahead.liquidityNet;
      assert(liquidity >= 0n, 'running liquidity was checked when the pool was read');
      next += down ? -1 : 1;
    }
    tick = down ? stop - 1 : stop;
  }
}

/** Where TickBitmap.nextInitializedTickWithinOneWord stops when its word holds no tick. */
function wordEnd(tick: number, spacing: number, down: boolean): number {
  const compressed = Math.floor(tick / spacing) + (down ? 0 : 1);
  const word = Math.floor(compressed / 256);
  const end = (down ? word * 256 : word * 256 + 255) * spacing;
  return Math.min(MAX_TICK, Math.max(MIN_TICK, end));
}

/** Index of the last tick ≤ `tick`, −1 if none; binary search. */
function lastAtOrBelow(ticks: ConcentratedState['ticks'], tick: number): number {
  let low = 0;
  let high = ticks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ticks[middle]?.tick ?? Number.POSITIVE_INFINITY) <= tick) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
