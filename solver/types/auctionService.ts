// The market of solvers as the HTTP and WebSocket layers see it; Trimtab.auctions in types/service.ts.
// Everything that crosses here is plain JSON (amounts decimal strings) but the signed bid, which the
// caller has parsed. An expected "no" is a Refusal value. Sealed: until an auction has closed, nothing
// here says who bid, how many did, or what.

import type { AuctionId, SignedBid, SolverStanding } from './auction.ts';
import type { Refusal } from './errors.ts';
import type { EvmAddress, Hash32, OrderId } from './ids.ts';
import type { JsonObject } from './json.ts';

export type BidRefusalCode =
  | 'auctionNotFound'
  /** Arrived after closesAtMs, by the database's clock. */
  | 'auctionClosed'
  | 'malformedBid'
  | 'wrongSigner'
  /** The filler is in cooldown; details.untilMs. */
  | 'coolingDown'
  /** Bids of this filler in this auction, or its awards not filled yet, are at their maximum. */
  | 'bidQuota';
export type BidRefusal = Refusal<BidRefusalCode>;

export interface BidReceipt {
  readonly auctionId: AuctionId;
  readonly bidHash: Hash32;
  /** False: this very bid was there already. */
  readonly created: boolean;
}

/**
 * One entry of the solvers' feed. Types and their data:
 *   auction.opened   { auctionId, instance, orders: [{ orderId, order }], closesAtMs, serverTimeMs }
 *   auction.closed   { auctionId, winners: [{ filler, bidHash, score, orderIds }], referenceScore }
 *   bid.result       to one filler: { auctionId, bidHash, rank | null, gapBps | null, reason | null }
 *   award            to one filler: { auctionId, orderId, order, ownerSignature, signatureKind, award,
 *                      awardId, amounts, awardSignature }: all that opening the escrow needs
 *   award.outcome    to one filler: { orderId, outcome: filled | late | faded, standing }
 */
export interface MarketEvent {
  /** Global, ascending: what a reconnecting solver resumes after. */
  readonly seq: number;
  readonly atMs: number;
  readonly type: string;
  readonly auctionId: AuctionId | null;
  /** null: everybody's. */
  readonly to: EvmAddress | null;
  readonly data: JsonObject;
}

export interface AuctionService {
  /**
   * The public page: while bidding { auctionId, state: 'bidding', instance, orders }; once closed the
   * whole replayable record as well (auction/record.ts). null: not known.
   */
  get(auctionId: AuctionId): Promise<JsonObject | null>;
  /** Newest first; `cursor` from the page before. `orderId`: the auctions that order was in. */
  list(page: {
    readonly orderId?: OrderId;
    readonly cursor?: string;
    readonly limit: number;
  }): Promise<{ readonly auctions: readonly JsonObject[]; readonly nextCursor: string | null }>;
  /** Verifies the signature, quota, cooldown and time; stores. Throws Fault when the store is down. */
  placeBid(bid: SignedBid): Promise<BidReceipt | BidRefusal>;
  /** Everybody's entries and, with a filler, its own; ascending by seq, at most `limit`. */
  feed(filler: EvmAddress | null, afterSeq: number, limit: number): Promise<readonly MarketEvent[]>;
  /** seq of the newest entry; 0 for none. */
  newest(): Promise<number>;
  /** A hint, from any process, that the feed may have grown. Returns how to stop listening. */
  subscribe(listener: () => void): () => void;
  /** All fillers that ever won or bid, best record first, at most `limit`. */
  standings(limit: number): Promise<readonly SolverStanding[]>;
  standing(filler: EvmAddress): Promise<SolverStanding | null>;
}
