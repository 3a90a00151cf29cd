// An auction as plain data: what is auctioned, what is bid, and what the outcome is. One auction
// covers the orders of one window (a batch, often of one). auction/ decides over these values,
// adapters store them, api/ shows them. Amounts are base units, prices 18-decimal dollars per whole
// token, times milliseconds since 1970 by the database's clock unless they say seconds.

import type { EvmAddress, Hash32, Hex, OrderId } from './ids.ts';

/** One output of an order as the auction sees it. */
export interface AuctionOutput {
  readonly chainId: number;
  /** Token address, lower case. */
  readonly token: Hex;
  readonly decimals: number;
  /** The signed minimum, base units. */
  readonly minimum: bigint;
  /** 18-decimal dollars per whole token, at the instance's blocks. */
  readonly priceWad: bigint;
}

/** One order of the batch. */
export interface AuctionOrder {
  readonly orderId: OrderId;
  /**
   * keccak256 over the ascending (chain, token) pairs given and the ascending ones wanted: orders
   * that give and want the same tokens on the same chains are one directed pair.
   */
  readonly pair: Hash32;
  /** The last second (Unix) at which an escrow may open under the award. */
  readonly openBy: number;
  /** Unix seconds. */
  readonly fillDeadline: number;
  /** In the order's own (canonical) order. */
  readonly outputs: readonly AuctionOutput[];
}

/** Everything the outcome depends on besides the bids. Its hash is the auction's id. */
export interface AuctionInstance {
  readonly version: 2;
  /** Ascending by orderId. */
  readonly orders: readonly AuctionOrder[];
  readonly openedAtMs: number;
  /** Bids that arrive later are refused at the door, by the database's clock. */
  readonly closesAtMs: number;
  /** Digest of the snapshot the prices are from. */
  readonly snapshotDigest: Hash32;
  readonly blocks: readonly {
    readonly chainId: number;
    readonly number: string;
    readonly hash: Hex;
  }[];
  /** keccak256 of the .wasm the service runs. */
  readonly engine: Hash32;
}
/** keccak256 of the instance's canonical JSON. */
export type AuctionId = Hash32;

/** What one bid offers for one order: an amount per output, each at least the signed minimum. */
export interface BidItem {
  readonly orderId: OrderId;
  readonly amounts: readonly bigint[];
}

/**
 * A filler's offer for one or several orders of an auction, all or nothing: `Bid(bytes32 auctionId,
 * address filler, BidItem[] items)BidItem(bytes32 orderId,uint256[] amounts)` under trimtab's domain.
 * Its EIP-712 struct hash breaks ties, so neither arrival nor listing order can matter.
 */
export interface Bid {
  readonly auctionId: AuctionId;
  readonly filler: EvmAddress;
  /** Ascending by orderId, each order once, at least one. */
  readonly items: readonly BidItem[];
}
export interface SignedBid extends Bid {
  /** 65 bytes by the filler's own key; the filler is whom the award names. */
  readonly signature: Hex;
}

/** What became of an award, as counted against or for its filler. */
export type AwardOutcome =
  /** Every output in time. */
  | 'filled'
  /** An output was filled, or the last one was, after the fill deadline. */
  | 'late'
  /** Not filled, not opened, or given back by a Decline. */
  | 'faded'
  /** Counts for nothing: the owner cancelled, or no longer holds or allows what the order takes. */
  | 'void';

/** A filler's record. Cooldowns follow from it (auction/standing.ts). */
export interface SolverStanding {
  readonly filler: EvmAddress;
  readonly won: number;
  readonly filled: number;
  readonly faded: number;
  readonly late: number;
  /** Milliseconds since 1970; null: may bid. */
  readonly cooldownUntilMs: number | null;
}
