// The support function of a Balancer stable pool for one ordered pair of its nodes, all other
// balances fixed: the most that ν_o·out − ν_i·in can be on the curve
//
//   h(z_i, z_o) = z_i + z_o − σ − c/(z_i·z_o) ≥ 0,   σ = D − D/Ann − S′,   c = D^(n+1)/(nⁿ·Ann·Π′)
//
// (Egorov 2019, divided by Ann; S′ and Π′ over the other balances, Ann = A·n). h is concave, so for
// ANY point z = (z_i, z_o) > 0, with m = z_i·z_o and p = ∇h(z), every point x of the curve has
//
//   p·x ≥ p·z − h(z) = σ + 3c/m,      p_i = 1 + c/(z_i·m),   p_o = 1 + c/(z_o·m).
//
// Let a and b be what a unit of x_i and x_o is worth (a with the fee). With λ = b/p_o the x_o cancels:
//
//   a·x_i + b·x_o ≥ λ·(σ + 3c/m) + (a − λp_i)·x_i,   B_i ≤ x_i ≤ B_i + the largest input,
//
// and f ≤ a·B_i + b·(B_o − 1) − that. True for every z; tight where p_i/p_o = a/b on the curve, which
// is all that the search below is for.
//
// Never below an exact trade: D is the very integer the contract computes, whatever it rounds to.
// The contract's Newton iteration for the new x_o runs on a parabola whose c is rounded up and whose b
// is rounded down, from the right of its root, and each step rounds up: it ends at or above the
// real x_o for that D; one unit more stays in the pool (the −1); fee and scalings round against the trader.

import { ceilDiv, floorDiv, isqrt, smallerOf } from '../market/decimal.ts';
import { orRefused } from '../market/exact/fixedPoint.ts';
import { stableInvariant } from '../market/exact/stable.ts';
import type { ParsedStable } from '../market/parsedProblem.ts';
import { largestInput, type PoolPair, pairUnits } from './weightedSupport.ts';

/** Upscaled units carry so many more bits, so that the search can come near in all-but-empty pools. */
const FRACTION = 64n;
const RATIO_BITS = 128n;
/** Slopes this close, relative: what is lost is their distance times the trade, 10^−18 of it. */
const CLOSE_BITS = 60n;
const STEPS_MAX = 200;

/** The contract's D; null where it reverts, and with it every trade of the pool. */
export function invariantOf(pool: ParsedStable, balances: readonly bigint[]): bigint | null {
  const invariant = orRefused(() => stableInvariant(pool, balances));
  return typeof invariant === 'bigint' ? invariant : null;
}

/** f for one pair, dollars × 10^72, ≥ 0, rounded up. `balances` are upscaled. */
export function stableSupport(
  pool: ParsedStable,
  balances: readonly bigint[],
  invariant: bigint,
  pair: PoolPair,
): bigint {
  const [balanceIn, balanceOut] = [balances[pair.from] ?? 0n, balances[pair.to] ?? 0n];
  if (balanceIn === 0n || balanceOut === 0n) return 0n;
  const curve = curveOf(pool, balances, invariant, pair);
  const { scale, unitIn: a, unitOut: b } = pairUnits(pool, pair);
  const least = balanceIn << FRACTION;
  const most = least + (smallerOf(largestInput(pool, pair), 1n << 256n) << FRACTION);
  const z = touching(curve, (a << RATIO_BITS) / b, least, most);
  const { sigma, c } = curve;
  const m = z.in * z.out;
  const weightOut = z.out * m + c; // p_o · z_o·m
  // Times weightOut · z_i, which clears every denominator of the formula above.
  const slack = a * weightOut * z.in - b * z.out * (z.in * m + c);
  const floor = b * m * (sigma * m + 3n * c) + slack * (slack >= 0n ? least : most);
  const whole = (a * balanceIn + b * (balanceOut - 1n)) << FRACTION;
  const over = weightOut * z.in;
  const gain = whole * over - floor;
  return gain > 0n ? ceilDiv(gain, (scale << FRACTION) * over) : 0n;
}

interface Curve {
  /** × 2^FRACTION, rounded down; may be negative. */
  readonly sigma: bigint;
  /** × 2^(3·FRACTION), rounded down. Less of either only widens the set. */
  readonly c: bigint;
}

function curveOf(
  { amplification, amplificationPrecision: precision }: ParsedStable,
  balances: readonly bigint[],
  invariant: bigint,
  { from, to }: PoolPair,
): Curve {
  const n = BigInt(balances.length);
  const ann = amplification * n; // Ann × precision
  let sum = 0n;
  let product = n ** n;
  balances.forEach((balance, i) => {
    if (i === from || i === to) return;
    sum += balance;
    product *= balance;
  });
  const sigma = floorDiv((invariant * (ann - precision)) << FRACTION, ann) - (sum << FRACTION);
  const c = ((invariant ** (n + 1n) * precision) << (3n * FRACTION)) / (product * ann);
  return { sigma, c };
}

interface Point {
  readonly in: bigint;
  readonly out: bigint;
}

/** The point of the curve at z_i: the positive root of z_o² + (z_i − σ)·z_o − c/z_i. */
function pointAt({ sigma, c }: Curve, zIn: bigint): Point {
  const t = sigma - zIn;
  const rest = c / zIn;
  const root = isqrt(t * t + 4n * rest);
  const out = t >= 0n ? (t + root) >> 1n : (2n * rest) / (root - t || 1n);
  return { in: zIn, out: out > 0n ? out : 1n };
}

/** p_i/p_o and minus its derivative by z_i (times 2^FRACTION), both × 2^RATIO_BITS. */
function slopeAt({ c }: Curve, { in: x, out: y }: Point) {
  const m = x * y;
  const one = 1n << RATIO_BITS;
  const byIn = (c << RATIO_BITS) / (m * x);
  const byOut = (c << RATIO_BITS) / (m * y);
  const [pIn, pOut] = [one + byIn, one + byOut];
  const slope = (pIn << RATIO_BITS) / pOut;
  // dp_i = −byIn·(2/x − slope/y), dp_o = −byOut·(1/x − 2·slope/y); z_o falls by `slope` per unit.
  const inverseIn = (1n << (RATIO_BITS + FRACTION)) / x;
  const inverseOut = (slope << FRACTION) / y;
  const fallIn = (byIn * (2n * inverseIn - inverseOut)) >> RATIO_BITS;
  const riseOut = (byOut * (2n * inverseOut - inverseIn)) >> RATIO_BITS;
  return { slope, fall: (fallIn * pOut + pIn * riseOut) / ((pOut * pOut) >> RATIO_BITS) };
}

/**
 * Where on the curve p_i/p_o meets `ratio` = a/b from the right, within [least, most]. Newton's method
 * between brackets: the slope falls in z_i, and a step is lengthened by 2^−16 of itself so that
 * the right bracket, which is what is returned, comes near too.
 */
function touching(curve: Curve, ratio: bigint, least: bigint, most: bigint): Point {
  const first = pointAt(curve, least);
  if (slopeAt(curve, first).slope <= ratio) return first;
  const last = pointAt(curve, most);
  if (slopeAt(curve, last).slope >= ratio) return last;
  let [low, high] = [least, most];
  let right = last;
  let point = first;
  for (let step = 0; step < STEPS_MAX && high - low > 1n; step++) {
    const { slope, fall } = slopeAt(curve, point);
    const off = slope - ratio;
    if (off > 0n) low = point.in;
    else [high, right] = [point.in, point];
    if (off <= 0n && -off << CLOSE_BITS <= ratio) break;
    const newton = fall > 0n ? (off << FRACTION) / fall : 0n;
    const longer = newton + (newton >> 16n) + 1n;
    let next = point.in + longer;
    if (fall <= 0n || next <= low || next >= high) {
      // Between brackets that lie far apart their geometric mean halves the distance in digits.
      next = high > 4n * low ? isqrt(low * high) : (low + high) >> 1n;
    }
    if (next <= low || next >= high) break;
    point = pointAt(curve, next);
  }
  return right;
}
