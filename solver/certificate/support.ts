// Support functions f_e(ν) = sup of ν·x over the trades x a venue accepts, rounded up: the heart
// of the certificate. ν are dollars × 10^72 per base unit. Everything is integer arithmetic; each
// quantity that adds is rounded up and each that subtracts is rounded down, so the answer is never
// below the true supremum. The continuous sets used here contain every exact trade, because the
// contracts' roundings only ever take from the trader. A plan uses a pool of many nodes for one
// ordered pair, so its support is the largest of its pairs'.
//
// `cap` is the most the venue may take in, in base units of that direction's input; null is no cap.

import { isqrt, largerOf, smallerOf } from '../market/decimal.ts';
import { upscaledBalances } from '../market/exact/vaultPool.ts';
import type {
  ParsedBridge,
  ParsedConcentrated,
  ParsedConstantProduct,
  ParsedManyNodeVenue,
  ParsedOrder,
  ParsedVenue,
} from '../market/parsedProblem.ts';
import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import { invariantOf, stableSupport } from './stableSupport.ts';
import { type PoolPair, weightedSupport } from './weightedSupport.ts';

type Cap = bigint | null;
const PIPS = 1_000_000n;
const Q96 = 1n << 96n;
const Q192 = 1n << 192n;

/** f_e(ν) over both directions, dollars × 10^72, ≥ 0, rounded up. */
export function support(venue: ParsedVenue, nu: readonly bigint[], caps: readonly Cap[]): bigint {
  if (venue.kind === 'weighted' || venue.kind === 'stable') return bestPair(venue, nu, caps);
  const [a, b] = venue.nodes;
  const nuA = present(nu[a], 'dual price');
  const nuB = present(nu[b], 'dual price');
  const capA = caps[a] ?? null;
  const capB = caps[b] ?? null;
  switch (venue.kind) {
    case 'constantProduct':
      return largerOf(
        constantProduct(venue, 0, nuA, nuB, capA),
        constantProduct(venue, 1, nuB, nuA, capB),
      );
    case 'concentrated':
      return largerOf(
        concentratedDown(venue, nuA, nuB, capA),
        concentratedUp(venue, nuA, nuB, capB),
      );
    case 'order':
      return order(venue, nuA, nuB, capA);
    case 'bridge':
      return bridge(venue, nuA, nuB, capA);
  }
}

/**
 * f_e(ν) over the trades of a venue that is used for certain: a bridge then pays its fixed fee however
 * little it carries, so this may be negative. Every other set of trades begins at nothing.
 */
export function usedSupport(
  venue: ParsedVenue,
  nu: readonly bigint[],
  caps: readonly Cap[],
): bigint {
  if (venue.kind !== 'bridge') return support(venue, nu, caps);
  const [from, to] = venue.nodes;
  const nuIn = present(nu[from], 'dual price');
  return bridgeSegment(venue, nuIn, present(nu[to], 'dual price'), caps[from] ?? null);
}

/** The largest f over ordered pairs of a pool's nodes. */
function bestPair(pool: ParsedManyNodeVenue, nu: readonly bigint[], caps: readonly Cap[]): bigint {
  const balances = upscaledBalances(pool);
  const invariant = pool.kind === 'stable' ? invariantOf(pool, balances) : null;
  if (pool.kind === 'stable' && invariant === null) return 0n;
  let best = 0n;
  for (const [from, nodeIn] of pool.nodes.entries()) {
    for (const [to, nodeOut] of pool.nodes.entries()) {
      if (from === to) continue;
      const pair: PoolPair = {
        from,
        to,
        nuIn: present(nu[nodeIn], 'dual price'),
        nuOut: present(nu[nodeOut], 'dual price'),
        cap: caps[nodeIn] ?? null,
      };
      const gain =
        pool.kind === 'stable'
          ? stableSupport(pool, balances, present(invariant, 'invariant'), pair)
          : weightedSupport(pool, balances, pair);
      best = largerOf(best, gain);
    }
  }
  return best;
}

/**
 * Selling i for j: sup over x of ν_j R_j γx/(R_i + γx) − ν_i x = (√(ν_j R_j) − √(ν_i R_i / γ))²
 * when positive; at x = cap when the best x lies beyond it.
 */
function constantProduct(
  venue: ParsedConstantProduct,
  side: 0 | 1,
  nuIn: bigint,
  nuOut: bigint,
  cap: Cap,
): bigint {
  const [first, second] = venue.reserves;
  const [reserveIn, reserveOut] = side === 0 ? [first, second] : [second, first];
  const kept = PIPS - BigInt(venue.feePips);
  const worthOut = nuOut * reserveOut;
  const worthIn = nuIn * reserveIn;
  if (worthOut * kept <= worthIn * PIPS) return 0n;
  if (cap !== null) {
    // The best x exceeds the cap iff ν_j R_j γ R_i > ν_i (R_i + γ cap)², here in integers.
    const after = reserveIn * PIPS + kept * cap;
    if (worthOut * kept * reserveIn * PIPS > nuIn * after * after) {
      return mulDivUp(worthOut, kept * cap, after) - nuIn * cap;
    }
  }
  const twiceRoot = isqrt(mulDivDown(4n * worthOut, worthIn * PIPS, kept));
  return worthOut + mulDivUp(worthIn, PIPS, kept) - twiceRoot;
}

/** Linear: x · (ν_out · amountOut / amountIn − ν_in) at the largest x, or nothing. */
function order(venue: ParsedOrder, nuIn: bigint, nuOut: bigint, cap: Cap): bigint {
  const most = cap === null ? venue.amountIn : smallerOf(cap, venue.amountIn);
  return largerOf(0n, mulDivUp(nuOut * venue.amountOut, most, venue.amountIn) - nuIn * most);
}

/**
 * out = ρ·in − fixedFee with 0 < out ≤ capacity, or nothing: ν·x is linear on the segment and
 * negative at its lower end, so the supremum is at the largest output or 0. This is the support
 * of the convex hull of {nothing} and the segment: the fixed fee is spread over the whole capacity.
 */
function bridge(venue: ParsedBridge, nuIn: bigint, nuOut: bigint, cap: Cap): bigint {
  return largerOf(0n, bridgeSegment(venue, nuIn, nuOut, cap));
}

/** The better end of the segment: out = 0, which pays the fixed fee for nothing, or the most. */
function bridgeSegment(venue: ParsedBridge, nuIn: bigint, nuOut: bigint, cap: Cap): bigint {
  const { numerator, denominator, fixedFee, capacity } = venue;
  const nothing = -mulDivDown(nuIn * fixedFee, denominator, numerator);
  const reachable = cap === null ? capacity : mulDivDown(cap, numerator, denominator) - fixedFee;
  const most = smallerOf(reachable, capacity);
  if (most <= 0n) return nothing;
  const whole = nuOut * most - mulDivDown(nuIn * (most + fixedFee), denominator, numerator);
  return largerOf(nothing, whole);
}

/**
 * Token0 in, price falling: on each range [l, s] of liquidity L, in₀ = (L/γ)(1/s′ − 1/s) and
 * out₁ = L(s − s′). The best s′ is √(ν₀ / γν₁): a range ends whole, partly, or not at all.
 */
function concentratedDown(pool: ParsedConcentrated, nu0: bigint, nu1: bigint, cap: Cap): bigint {
  const kept = PIPS - BigInt(pool.feePips);
  const floor = nu0 * PIPS * Q192;
  let left = cap;
  let total = 0n;
  for (let i = pool.ranges.length - 1; i >= 0; i--) {
    const range = present(pool.ranges[i], 'range');
    const { liquidity: L, sqrtLowerX96: low } = range;
    const S = smallerOf(range.sqrtUpperX96, pool.sqrtPriceX96);
    if (S <= low || L === 0n) continue;
    if (nu1 * S * S * kept <= floor) break;
    const whole = nu1 * low * low * kept >= floor;
    // Least input that reaches the range's end, or its best price.
    const reach = whole
      ? mulDivDown(PIPS * L * Q96, S - low, kept * S * low)
      : isqrt(mulDivDown(L * L * nu1, PIPS, nu0 * kept)) - mulDivUp(PIPS * L, Q96, kept * S);
    if (left !== null && left < reach) {
      const out = mulDivUp(nu1 * L * kept * left, S * S, Q96 * (PIPS * L * Q96 + kept * left * S));
      return total + largerOf(0n, out - nu0 * left);
    }
    if (!whole) {
      const twiceRoot = isqrt(mulDivDown(4n * L * L * nu0 * nu1, PIPS, kept));
      const sum = mulDivUp(nu1 * L, S, Q96) + mulDivUp(nu0 * L * PIPS, Q96, kept * S);
      return total + largerOf(0n, sum - twiceRoot);
    }
    const spent = mulDivDown(nu0 * PIPS * L * Q96, S - low, kept * S * low);
    total += mulDivUp(nu1 * L, S - low, Q96) - spent;
    if (left !== null) left -= reach;
  }
  return total;
}

/**
 * Token1 in, price rising: in₁ = (L/γ)(s′ − s), out₀ = L(1/s − 1/s′), best s′ = √(γν₀ / ν₁).
 */
function concentratedUp(pool: ParsedConcentrated, nu0: bigint, nu1: bigint, cap: Cap): bigint {
  const kept = PIPS - BigInt(pool.feePips);
  const ceiling = nu0 * kept * Q192;
  let left = cap;
  let total = 0n;
  for (const range of pool.ranges) {
    const { liquidity: L, sqrtUpperX96: high } = range;
    const S = largerOf(range.sqrtLowerX96, pool.sqrtPriceX96);
    if (S >= high || L === 0n) continue;
    if (ceiling <= nu1 * PIPS * S * S) break;
    const whole = ceiling >= nu1 * PIPS * high * high;
    const reach = whole
      ? mulDivDown(PIPS * L, high - S, kept * Q96)
      : isqrt(mulDivDown(L * L * nu0, PIPS, nu1 * kept)) - mulDivUp(PIPS * L, S, kept * Q96);
    if (left !== null && left < reach) {
      const out = mulDivUp(nu0 * kept * left * L, Q192, S * (S * PIPS * L + kept * left * Q96));
      return total + largerOf(0n, out - nu1 * left);
    }
    if (!whole) {
      const twiceRoot = isqrt(mulDivDown(4n * L * L * nu0 * nu1, PIPS, kept));
      const sum = mulDivUp(nu0 * L, Q96, S) + mulDivUp(nu1 * PIPS * L, S, kept * Q96);
      return total + largerOf(0n, sum - twiceRoot);
    }
    const spent = mulDivDown(nu1 * PIPS * L, high - S, kept * Q96);
    total += mulDivUp(nu0 * L * Q96, high - S, S * high) - spent;
    if (left !== null) left -= reach;
  }
  return total;
}
