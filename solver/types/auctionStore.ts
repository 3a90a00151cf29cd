// The auction store port: gathering orders, the fixed instance, sealed bids, the closing in one
// transaction, awards and what became of them, and the solvers' feed. Times are the database's.
// What is decided over the bids is auction/'s business, what is bid is the desk's.

import type { AuctionId, AuctionInstance, AwardOutcome, SignedBid } from './auction.ts';
import type { MarketEvent } from './auctionService.ts';
import type { AwardId, EvmAddress, Hash32, OrderId } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { JobLease, NewEvent, NewJob, Transition } from './store.ts';

/** `gathering`: orders may still join. `bidding`: fixed and announced. `closed`: decided, for good. */
export type AuctionState = 'gathering' | 'bidding' | 'closed';

export interface StoredAuction {
  /** The row's number, decimal: key of the auction's jobs, and how auctions are ordered. */
  readonly key: string;
  /** Null while gathering. */
  readonly auctionId: AuctionId | null;
  readonly state: AuctionState;
  readonly gatherUntilMs: number;
  readonly openedAtMs: number | null;
  readonly closesAtMs: number | null;
  readonly closedAtMs: number | null;
  readonly instance: JsonObject | null;
  /** The whole public record, once closed. */
  readonly record: JsonObject | null;
  /** Ascending. */
  readonly orderIds: readonly OrderId[];
}

export interface StoredBid {
  readonly hash: Hash32;
  readonly bid: SignedBid;
  /** Our own desk's, private: what the bid counts on, `<chainId>:<token>` → base units. */
  readonly reserves: Readonly<Record<string, string>>;
  /** Our own desk's reasoning, private. */
  readonly notes: JsonObject;
}

export type NewMarketEvent = Pick<MarketEvent, 'auctionId' | 'to' | 'type' | 'data'>;

export interface Opening {
  readonly key: string;
  readonly auctionId: AuctionId;
  readonly instance: AuctionInstance;
  readonly instanceJson: JsonObject;
  /** Members that could not be priced, or are over: they leave, and may join another auction. */
  readonly dropped: readonly OrderId[];
  readonly event: NewMarketEvent;
  /** Added to the timeline of every order of the instance. */
  readonly orderEvents: readonly NewEvent[];
  readonly jobs: readonly NewJob[];
}

/** Told to an order that nobody won; dropped if it is no longer `created`. */
export interface OrderNote {
  readonly orderId: OrderId;
  readonly events: readonly NewEvent[];
  readonly facts: JsonObject;
}

export interface Closing {
  readonly key: string;
  readonly record: JsonObject;
  /** From `created`, at most one per order of the auction. */
  readonly transitions: readonly Transition[];
  readonly notes: readonly OrderNote[];
  readonly awards: readonly {
    readonly orderId: OrderId;
    readonly filler: EvmAddress;
    readonly awardId: AwardId;
  }[];
  readonly events: readonly NewMarketEvent[];
  readonly jobs: readonly NewJob[];
}

/** `changed`: an order's state is not what the write was decided on; nothing was written. */
export type AuctionWrite = 'applied' | 'alreadyApplied' | 'changed';

export interface BidLimits {
  readonly perAuction: number;
  readonly perFiller: number;
}
export type PlacedBid = 'added' | 'known' | 'notFound' | 'closed' | 'full' | 'fillerFull';

export interface FillerRecord {
  readonly filler: EvmAddress;
  /** Awards ever, and by outcome. */
  readonly won: number;
  readonly filled: number;
  readonly faded: number;
  readonly late: number;
  /** Awards without an outcome. */
  readonly open: number;
  /** Outcomes since the time asked for, oldest first. */
  readonly recent: readonly { readonly outcome: AwardOutcome; readonly atMs: number }[];
}

export interface AuctionStore {
  /** The database's clock. */
  nowMs(): Promise<number>;

  /**
   * The live auction of a `created` order, joining the one that gathers, or a new one with its
   * `auction` job, when it has none. An order is in one live auction at most.
   */
  join(orderId: OrderId, gatherMs: number, ordersMax: number, lease: JobLease): Promise<string>;
  read(key: string): Promise<StoredAuction | null>;
  find(auctionId: AuctionId): Promise<StoredAuction | null>;
  /** gathering → bidding. `changed`: the members are not the instance's and the dropped ones. */
  open(opening: Opening, lease: JobLease): Promise<AuctionWrite>;
  /** Gathering, and none of its orders can be auctioned now: ended without having been announced. */
  abandon(key: string, lease: JobLease): Promise<void>;

  /**
   * Stores a bid if the auction takes bids at the database's time in the very statement that
   * stores it. Nothing but the time and the limits is judged here.
   */
  place(stored: StoredBid, limits: BidLimits): Promise<PlacedBid>;
  /** Why our own desk did not bid for an order. */
  noteNoBid(key: string, orderId: OrderId, reason: string): Promise<void>;
  noBidReasons(key: string): Promise<ReadonlyMap<OrderId, string>>;
  /** Ends the bidding when its time is over, for good, and answers every bid; null: not yet. */
  seal(key: string, lease: JobLease): Promise<readonly StoredBid[] | null>;
  /** bidding → closed with everything that follows from it, in one transaction. */
  close(closing: Closing, lease: JobLease): Promise<AuctionWrite>;

  /** A filler's own bids in auctions that are not closed, with their orders. */
  liveReserves(filler: EvmAddress): Promise<
    readonly {
      readonly orderIds: readonly OrderId[];
      readonly reserves: Readonly<Record<string, string>>;
    }[]
  >;
  /** How often each order was awarded, and to whom. */
  awardsOf(orderIds: readonly OrderId[]): Promise<
    readonly {
      readonly orderId: OrderId;
      readonly filler: EvmAddress;
      readonly outcome: AwardOutcome | null;
    }[]
  >;

  /** Newest first; without those that are gathering. */
  list(page: {
    readonly orderId?: OrderId;
    readonly before?: string;
    readonly limit: number;
  }): Promise<readonly StoredAuction[]>;
  feed(filler: EvmAddress | null, afterSeq: number, limit: number): Promise<readonly MarketEvent[]>;
  newest(): Promise<number>;
  /** A hint that the feed may have grown. */
  onMarket(listener: () => void): () => void;
  /** Null: never won and never bid. */
  record(filler: EvmAddress, recentSinceMs: number): Promise<FillerRecord | null>;
  /** Most filled first. */
  records(recentSinceMs: number, limit: number): Promise<readonly FillerRecord[]>;
}
