// Unscored → Scored → Ranked, as types: "ranked before scored" cannot be written. Pure functions over
// integers. It knows nothing of who may bid or when bidding closes; it refuses bids that break the
// order's terms, each with its reason, and never throws on a bid's content.
//
//   score = Σ over outputs ⌊(bid − signed minimum) · price / 10^decimals⌋       18-decimal dollars
//
// Each output's surplus is rounded down by itself, so a score never exceeds the surplus's worth and
// is at most one 10⁻¹⁸ dollar per output below it. The protocol fee is zero today: it would be added.

import { MAX_UINT256, mulDivDown } from '../types/amounts.ts';
import { assert } from '../types/assert.ts';
import type { EvmAddress, Hash32 } from '../types/ids.ts';
import { type AuctionInstance, type Bid, bidHash } from './bid.ts';

/** Bids taken into one auction; further ones are refused at the door by whoever collects them. */
export const MAX_BIDS = 256;

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;

export interface UnscoredBid {
  readonly stage: 'unscored';
  readonly bid: Bid;
}
export interface ScoredBid {
  readonly stage: 'scored';
  readonly bid: Bid;
  readonly hash: Hash32;
  /** 18-decimal dollars. */
  readonly score: bigint;
}
export interface RejectedBid {
  readonly stage: 'rejected';
  readonly bid: Bid;
  readonly reason: string;
}
export interface ScoredAuction {
  readonly stage: 'scored';
  readonly instance: AuctionInstance;
  readonly scored: readonly ScoredBid[];
  readonly rejected: readonly RejectedBid[];
}
export interface RankedAuction {
  readonly stage: 'ranked';
  readonly instance: AuctionInstance;
  /** Best first: score descending, then hash ascending. One entry per filler, its best bid. */
  readonly ranking: readonly ScoredBid[];
  readonly rejected: readonly RejectedBid[];
  /** The best score were the winner absent: 0 with fewer than two fillers. */
  readonly referenceScore: bigint;
}

export const unscored = (bid: Bid): UnscoredBid => ({ stage: 'unscored', bid });

/** Scores every bid that keeps the order's terms and rejects the others, with the reason. */
export function scoreBids(instance: AuctionInstance, bids: readonly UnscoredBid[]): ScoredAuction {
  assert(bids.length <= MAX_BIDS, `at most ${MAX_BIDS} bids, got ${bids.length}`);
  const scored: ScoredBid[] = [];
  const rejected: RejectedBid[] = [];
  for (const { bid } of bids) {
    const reason = violation(instance, bid);
    if (reason !== null) {
      rejected.push({ stage: 'rejected', bid, reason });
      continue;
    }
    const hash = bidHash(instance.orderId, bid);
    scored.push({ stage: 'scored', bid, hash, score: scoreOf(instance, bid) });
  }
  return { stage: 'scored', instance, scored, rejected };
}

/** Ranks scored bids. The result does not depend on the order in which bids came. */
export function rankBids(auction: ScoredAuction): RankedAuction {
  const bestOf = new Map<EvmAddress, ScoredBid>();
  const superseded: RejectedBid[] = [];
  for (const candidate of [...auction.scored].sort(compareBids)) {
    if (!bestOf.has(candidate.bid.filler)) bestOf.set(candidate.bid.filler, candidate);
    else {
      const reason = 'superseded by a better bid of the same filler';
      superseded.push({ stage: 'rejected', bid: candidate.bid, reason });
    }
  }
  const ranking = [...bestOf.values()];
  return {
    stage: 'ranked',
    instance: auction.instance,
    ranking,
    rejected: [...auction.rejected, ...superseded].sort(compareRejected),
    referenceScore: ranking[1]?.score ?? 0n,
  };
}

/** Negative when `a` ranks before `b`. Equal only for the same bid. */
export function compareBids(a: ScoredBid, b: ScoredBid): number {
  if (a.score !== b.score) return a.score > b.score ? -1 : 1;
  if (a.hash === b.hash) return 0;
  return a.hash < b.hash ? -1 : 1;
}

function compareRejected(a: RejectedBid, b: RejectedBid): number {
  const key = ({ bid, reason }: RejectedBid) => `${bid.filler} ${bid.amounts.join()} ${reason}`;
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
}

function scoreOf(instance: AuctionInstance, bid: Bid): bigint {
  return instance.outputs.reduce((sum, output, index) => {
    const surplus = (bid.amounts[index] ?? 0n) - output.minimum;
    return sum + mulDivDown(surplus, output.priceWad, 10n ** BigInt(output.decimals));
  }, 0n);
}

function violation(instance: AuctionInstance, bid: Bid): string | null {
  if (bid.filler === ZERO_ADDRESS) return 'the filler is the zero address';
  if (bid.amounts.length !== instance.outputs.length) {
    return `${bid.amounts.length} amounts for ${instance.outputs.length} outputs`;
  }
  for (const [index, output] of instance.outputs.entries()) {
    const amount = bid.amounts[index];
    if (amount === undefined || amount < 0n || amount > MAX_UINT256) {
      return `amount ${index} is not a uint256`;
    }
    if (amount < output.minimum) {
      return `amount ${index} is ${amount}, below the signed minimum ${output.minimum}`;
    }
  }
  return null;
}
