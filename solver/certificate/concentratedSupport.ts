// The support function of a concentrated pool: what its best trade is worth at given prices, rounded up.
// On a range of liquidity L between s and its end, virtual reserves of L·s and L/s make a curve of
// constant product; a walk takes ranges whole while their last rate beats the prices, then a part. All
// but the prices follows from the pool, so it is worked out once per pool, and only for ranges a walk
// reaches: quotes of one block ask for the same pools hundreds of times a second.
//
// Down, token0 in: in₀ = (L/γ)(1/s′ − 1/s), out₁ = L(s − s′), the best s′ is √(ν₀ / γν₁).
// Up, token1 in:   in₁ = (L/γ)(s′ − s), out₀ = L(1/s − 1/s′), the best s′ is √(γν₀ / ν₁).

import { isqrt, largerOf, smallerOf } from '../market/decimal.ts';
import type { LiquidityRange, ParsedConcentrated } from '../market/parsedProblem.ts';
import { mulDivDown, mulDivUp } from '../types/amounts.ts';

/** The most that may go in; null: no cap. */
type Cap = bigint | null;
const PIPS = 1_000_000n;
const Q96 = 1n << 96n;
const Q192 = 1n << 192n;

/** numerator / denominator, both > 0. */
type Ratio = readonly [numerator: bigint, denominator: bigint];

/** One range as one direction meets it; out and in are base units, in before the fee is taken. */
interface Stretch {
  /** Out per in where it starts and ends. */
  readonly first: Ratio;
  readonly last: Ratio;
  /** Virtual reserves at its start; of in over γ. */
  readonly reserveOut: Ratio;
  readonly reserveIn: Ratio;
  /** What all of it takes in and pays out. */
  readonly wholeIn: Ratio;
  readonly wholeOut: Ratio;
  /** L²/γ: the product of the virtual reserves. */
  readonly product: Ratio;
}
interface Side {
  /** Out per in at the pool's price: no range gives more. */
  readonly rate: Ratio;
  /** As far as walks have come. */
  readonly stretches: Stretch[];
  /** The next range, in walking order, that no walk has come to. */
  next: number;
}

/** A pool never changes, and this goes when it goes. */
const known = new WeakMap<ParsedConcentrated, readonly [down: Side, up: Side]>();

/** f(ν) over both directions, dollars × 10^72, ≥ 0, rounded up; `nu` and `caps` by token. */
export function concentratedSupport(
  pool: ParsedConcentrated,
  [nu0, nu1]: readonly [bigint, bigint],
  [cap0, cap1]: readonly [Cap, Cap],
): bigint {
  const [down, up] = known.get(pool) ?? sidesOf(pool);
  return largerOf(best(pool, down, true, nu0, nu1, cap0), best(pool, up, false, nu1, nu0, cap1));
}

function best(
  pool: ParsedConcentrated,
  side: Side,
  isDown: boolean,
  nuIn: bigint,
  nuOut: bigint,
  cap: Cap,
): bigint {
  if (!beats(side.rate, nuIn, nuOut)) return 0n;
  let left = cap;
  let total = 0n;
  for (let k = 0; ; k++) {
    const stretch = side.stretches[k] ?? nextStretch(pool, side, isDown);
    if (stretch === null) return total;
    // A walk mostly starts where the price is.
    if (stretch.first !== side.rate && !beats(stretch.first, nuIn, nuOut)) return total;
    const [inNum, inDen] = stretch.wholeIn;
    const whole = nuOut * stretch.last[0] >= nuIn * stretch.last[1];
    if (left !== null) {
      // Least input that reaches the range's end, or its best price.
      const reach = whole ? inNum / inDen : bestIn(stretch, nuIn, nuOut);
      if (left < reach) {
        const gain = outOf(stretch, nuOut, left) - nuIn * left;
        return total + largerOf(0n, gain);
      }
      left -= reach;
    }
    if (!whole) return total + largerOf(0n, bestGain(stretch, nuIn, nuOut));
    const [outNum, outDen] = stretch.wholeOut;
    total += mulDivUp(nuOut, outNum, outDen) - mulDivDown(nuIn, inNum, inDen);
  }
}

/** Whether selling at this rate gains anything. */
const beats = ([out, into]: Ratio, nuIn: bigint, nuOut: bigint): boolean =>
  nuOut * out > nuIn * into;

/** (√(ν_out·reserveOut) − √(ν_in·reserveIn))², rounded up. */
function bestGain({ reserveIn, reserveOut, product }: Stretch, nuIn: bigint, nuOut: bigint) {
  const twiceRoot = isqrt((4n * product[0] * nuIn * nuOut) / product[1]);
  const sum =
    mulDivUp(nuOut, reserveOut[0], reserveOut[1]) + mulDivUp(nuIn, reserveIn[0], reserveIn[1]);
  return sum - twiceRoot;
}

/** The input of bestGain, rounded down: √(ν_out/ν_in · L²/γ) − reserveIn. */
function bestIn({ reserveIn, product }: Stretch, nuIn: bigint, nuOut: bigint): bigint {
  const reserve = mulDivUp(1n, reserveIn[0], reserveIn[1]);
  return isqrt((product[0] * nuOut) / (nuIn * product[1])) - reserve;
}

/** What `amountIn` buys, times ν_out, rounded up: reserveOut · in / (reserveIn + in). */
function outOf({ reserveIn, reserveOut }: Stretch, nuOut: bigint, amountIn: bigint): bigint {
  const [inNum, inDen] = reserveIn;
  const [outNum, outDen] = reserveOut;
  return mulDivUp(nuOut * outNum, amountIn * inDen, outDen * (inNum + amountIn * inDen));
}

function sidesOf(pool: ParsedConcentrated): readonly [Side, Side] {
  const kept = PIPS - BigInt(pool.feePips);
  const square = pool.sqrtPriceX96 * pool.sqrtPriceX96;
  const side = (rate: Ratio): Side => ({ rate, stretches: [], next: 0 });
  const made = [side([square * kept, PIPS * Q192]), side([kept * Q192, PIPS * square])] as const;
  known.set(pool, made);
  return made;
}

/** The next range on the way that holds liquidity; null at the list's end. */
function nextStretch(pool: ParsedConcentrated, side: Side, isDown: boolean): Stretch | null {
  const { ranges, sqrtPriceX96 } = pool;
  const kept = PIPS - BigInt(pool.feePips);
  while (side.next < ranges.length) {
    const range = ranges[isDown ? ranges.length - 1 - side.next : side.next] as LiquidityRange;
    side.next++;
    const { liquidity, sqrtLowerX96: low, sqrtUpperX96: high } = range;
    if (liquidity === 0n) continue;
    const start = isDown ? smallerOf(high, sqrtPriceX96) : largerOf(low, sqrtPriceX96);
    if (isDown ? start <= low : start >= high) continue;
    const made = isDown
      ? stretchDown(liquidity, start, low, kept)
      : stretchUp(liquidity, start, high, kept);
    const stretch = start === sqrtPriceX96 ? { ...made, first: side.rate } : made;
    side.stretches.push(stretch);
    return stretch;
  }
  return null;
}

/** `kept` is γ in pips. */
const stretchDown = (L: bigint, start: bigint, end: bigint, kept: bigint): Stretch => ({
  first: [start * start * kept, PIPS * Q192],
  last: [end * end * kept, PIPS * Q192],
  reserveOut: [L * start, Q96],
  reserveIn: [PIPS * L * Q96, kept * start],
  wholeIn: [PIPS * L * Q96 * (start - end), kept * start * end],
  wholeOut: [L * (start - end), Q96],
  product: [L * L * PIPS, kept],
});

const stretchUp = (L: bigint, start: bigint, end: bigint, kept: bigint): Stretch => ({
  first: [kept * Q192, PIPS * start * start],
  last: [kept * Q192, PIPS * end * end],
  reserveOut: [L * Q96, start],
  reserveIn: [PIPS * L * start, kept * Q96],
  wholeIn: [PIPS * L * (end - start), kept * Q96],
  wholeOut: [L * Q96 * (end - start), start * end],
  product: [L * L * PIPS, kept],
});
