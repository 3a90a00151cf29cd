// Where a pool starts: prices as exact ratios of base units, ticks, and the amounts a position of a
// given worth needs. Floats decide only how much is seeded, never what a trade yields.

import { mulDivDown } from '../../types/amounts.ts';
import { assert } from '../../types/assert.ts';

/** token1 per token0 in base units, as a fraction. */
export interface PriceRatio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** One side of a pool. Dollars per whole token. */
export interface PricedToken {
  readonly decimals: number;
  readonly dollars: number;
}

/** Keeps 1e-12 of a dollar: premiums are whole basis points of round prices. */
const DOLLAR_SCALE = 1e12;

export function priceRatio(token0: PricedToken, token1: PricedToken): PriceRatio {
  const scaled = (dollars: number) => BigInt(Math.round(dollars * DOLLAR_SCALE));
  return {
    numerator: scaled(token0.dollars) * 10n ** BigInt(token1.decimals),
    denominator: scaled(token1.dollars) * 10n ** BigInt(token0.decimals),
  };
}

/** ⌊√(price) · 2^96⌋. */
export function sqrtPriceX96({ numerator, denominator }: PriceRatio): bigint {
  return sqrtDown(mulDivDown(numerator, 1n << 192n, denominator));
}

/** ⌊√value⌋ by Newton's method from above; 256 bits need at most 9 rounds, 400 bits 10. */
export function sqrtDown(value: bigint): bigint {
  assert(value >= 0n, `sqrtDown(${value})`);
  if (value < 2n) return value;
  let guess = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (let round = 0; round < 300; round++) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
  throw new Error(`sqrtDown(${value}) did not converge`);
}

/** Token amounts, base units, of `dollars` worth split evenly, rounded down. */
export function halves(token: PricedToken, dollars: number): bigint {
  return baseUnits(dollars / 2 / token.dollars, token.decimals);
}

/** Whole tokens to base units, rounded down at 1e-9 of a token or its last decimal. */
export function baseUnits(whole: number, decimals: number): bigint {
  const kept = Math.min(decimals, 9);
  return BigInt(Math.floor(whole * 10 ** kept)) * 10n ** BigInt(decimals - kept);
}

export interface Position {
  readonly tickLower: number;
  readonly tickUpper: number;
  readonly amount0: bigint;
  readonly amount1: bigint;
}

/**
 * A position from price·(1 − below) to price·(1 + above) worth `dollars`; ticks are multiples of
 * `spacing`. Amounts from Uniswap v3's liquidity formulas (whitepaper 6.2.1).
 */
export function positionFor(
  token0: PricedToken,
  token1: PricedToken,
  spacing: number,
  range: { readonly below: number; readonly above: number },
  dollars: number,
): Position {
  const raw = (token0.dollars / token1.dollars) * 10 ** (token1.decimals - token0.decimals);
  const tickAt = (price: number) => Math.log(price) / Math.log(1.0001);
  const tickLower = Math.floor(tickAt(raw * (1 - range.below)) / spacing) * spacing;
  const tickUpper = Math.ceil(tickAt(raw * (1 + range.above)) / spacing) * spacing;
  const lower = 1.0001 ** (tickLower / 2);
  const upper = 1.0001 ** (tickUpper / 2);
  const now = Math.min(Math.max(Math.sqrt(raw), lower), upper);
  const perLiquidity0 = 1 / now - 1 / upper;
  const perLiquidity1 = now - lower;
  const worth =
    (perLiquidity0 / 10 ** token0.decimals) * token0.dollars +
    (perLiquidity1 / 10 ** token1.decimals) * token1.dollars;
  const liquidity = dollars / worth;
  return {
    tickLower,
    tickUpper,
    amount0: BigInt(Math.floor(perLiquidity0 * liquidity)),
    amount1: BigInt(Math.floor(perLiquidity1 * liquidity)),
  };
}
