// Unscored → Scored: what a bid is worth to the owners, in integers.
//
//   score of an output = ⌊(bid − signed minimum) · price / 10^decimals⌋        18-decimal dollars
//   score of an item   = Σ over the order's outputs (+ protocol fee: zero today)
//   score of a pair    = Σ over the bid's items of that directed pair;  score of a bid = Σ over items
//
// Every output is rounded down by itself, so a score never exceeds what the surplus is worth and is at
// most one 10⁻¹⁸ dollar per output below it. A bid that breaks a rule is rejected, with the rule.

import { assert, present } from '../types/assert.ts';
import type { AuctionInstance, SignedBid } from '../types/auction.ts';
import type { Hash32 } from '../types/ids.ts';
import { type Rejection, surplusWad, termsOf, type VerifiedBid } from './bid.ts';
import { assertInstance } from './instance.ts';
import { BID_LIMITS } from './quota.ts';

export interface ScoredBid {
  readonly stage: 'scored';
  readonly bid: SignedBid;
  readonly hash: Hash32;
  /** 18-decimal dollars. */
  readonly score: bigint;
  /** The same, by directed pair; sums to `score`. */
  readonly pairScores: ReadonlyMap<Hash32, bigint>;
}
export interface RejectedBid {
  readonly stage: 'rejected';
  readonly bid: SignedBid;
  readonly hash: Hash32;
  readonly rejection: Rejection;
  /** What the fairness filter dropped had a score. */
  readonly score: bigint | null;
}
export interface ScoredAuction {
  readonly stage: 'scored';
  readonly instance: AuctionInstance;
  readonly scored: readonly ScoredBid[];
  readonly rejected: readonly RejectedBid[];
}

/** Scores every bid that keeps the terms and rejects the others. Throws on no bid's content. */
export function scoreBids(instance: AuctionInstance, bids: readonly VerifiedBid[]): ScoredAuction {
  assertInstance(instance);
  assert(bids.length <= BID_LIMITS.perAuction, `${bids.length} bids; the door takes fewer`);
  const terms = termsOf(instance);
  const orders = new Map(instance.orders.map((order) => [order.orderId, order]));
  const scored: ScoredBid[] = [];
  const rejected: RejectedBid[] = [];
  let last: VerifiedBid | null = null;
  for (const verified of [...bids].sort(compareSigned)) {
    const { bid, hash } = verified;
    const rejection: Rejection | null =
      last?.hash === hash
        ? { code: 'duplicate', message: 'the very same bid is there with another signature' }
        : terms(bid);
    last = verified;
    if (rejection !== null) {
      rejected.push({ stage: 'rejected', bid, hash, rejection, score: null });
      continue;
    }
    const pairScores = new Map<Hash32, bigint>();
    let score = 0n;
    for (const { orderId, amounts } of bid.items) {
      const { pair, outputs } = present(orders.get(orderId), 'order of a bid that keeps the terms');
      const item = outputs.reduce(
        (sum, output, j) => sum + surplusWad(output, present(amounts[j], 'amount')),
        0n,
      );
      pairScores.set(pair, (pairScores.get(pair) ?? 0n) + item);
      score += item;
    }
    scored.push({ stage: 'scored', bid, hash, score, pairScores });
  }
  return { stage: 'scored', instance, scored, rejected };
}

/** By hash, then by signature: which of two equal bids counts must not depend on how they came. */
function compareSigned(a: VerifiedBid, b: VerifiedBid): number {
  return compareText(a.hash, b.hash) || compareText(a.bid.signature, b.bid.signature);
}

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
