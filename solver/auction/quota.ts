// How much one filler and one auction may carry, as checks over counts the door has. Refuses with the
// API's codes; it counts nothing itself.

import type { BidRefusal } from '../types/auctionService.ts';

export interface BidLimits {
  /** Bids in one auction, of all fillers. */
  readonly perAuction: number;
  /** Bids of one filler in one auction, besides one per order of it. */
  readonly perFiller: number;
  /** Orders a filler has been awarded and not filled yet, this bid's included if it won. */
  readonly unfilledAwards: number;
}
export const BID_LIMITS = {
  perAuction: 1_024,
  perFiller: 8,
  unfilledAwards: 32,
} as const satisfies BidLimits;

export interface BidCounts {
  readonly ofAuction: number;
  readonly ofFiller: number;
  /** Awards of this filler with no outcome yet. */
  readonly unfilledAwards: number;
  /** Orders this bid covers. */
  readonly items: number;
  /** Orders of the auction. */
  readonly orders: number;
}

/** Why this bid may not be taken now, or null. `cooldownUntilMs` as standing.ts has it. */
export function bidRefusal(
  counts: BidCounts,
  cooldownUntilMs: number | null,
  nowMs: number,
  limits: BidLimits = BID_LIMITS,
): BidRefusal | null {
  if (cooldownUntilMs !== null && nowMs < cooldownUntilMs) {
    const seconds = Math.ceil((cooldownUntilMs - nowMs) / 1_000);
    const message = `in cooldown for another ${seconds} s after awards that were not filled in time`;
    return { refused: 'coolingDown', message, details: { untilMs: cooldownUntilMs } };
  }
  if (counts.ofAuction >= limits.perAuction) {
    return quota('perAuction', limits.perAuction, 'the auction has all the bids it takes');
  }
  const perFiller = limits.perFiller + counts.orders;
  if (counts.ofFiller >= perFiller) {
    return quota('perFiller', perFiller, 'the filler has placed all its bids here');
  }
  if (counts.unfilledAwards + counts.items > limits.unfilledAwards) {
    const message = 'with this bid the filler could hold too many awards it has not filled yet';
    return quota('unfilledAwards', limits.unfilledAwards, message);
  }
  return null;
}

const quota = (limit: string, max: number, message: string): BidRefusal => ({
  refused: 'bidQuota',
  message: `${message} (${max})`,
  details: { limit, max },
});
