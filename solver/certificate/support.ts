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
  ParsedConstantProduct,
  ParsedManyNodeVenue,
  ParsedOrder,
  ParsedVenue,
} from '../market/parsedProblem.ts';
import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import { concentratedSupport } from './concentratedSupport.ts';
import { invariantOf, stableSupport } from './stableSupport.ts';
import { type PoolPair, weightedSupport } from './weightedSupport.ts';

type Cap = bigint | null;
const PIPS = 1_000_000n;

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
      return concentratedSupport(venue, [nuA, nuB], [capA, capB]);
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
