// What settlement needs from the filler's desk and of the market (filling/ implements both), and what
// the workflows share. The desk decides with what and how an output is paid for; settlement decides when it is
// safe to pay at all.

import type { MandateOutput, PortfolioOrder } from '../../contracts-abi/typedData.ts';
import type { SignedAward } from '../auction/award.ts';
import type { AuctionInstance, BidItem } from '../types/auction.ts';
import type { Refusal } from '../types/errors.ts';
import type { ChainId, EvmAddress, Hash32, Hex, OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { Chain, Clock, Receipt, Signer } from '../types/ports.ts';
import type { Store, TxSender } from '../types/store.ts';

/** Everything a workflow stands on. No globals, no wall clock. */
export interface SettlementDeps {
  readonly store: Store;
  readonly sender: TxSender;
  readonly chains: ReadonlyMap<ChainId, Chain>;
  readonly clock: Clock;
  readonly network: NetworkConfig;
}

/** What the order's quote promised, where there was one. */
export interface QuotedPlan {
  readonly amounts: readonly bigint[];
  /** The optimizer's result file, as served. */
  readonly result: string;
}

/** Inventory by node (`<chainId>:<token>`), base units as decimal strings. */
export type Reserves = Readonly<Record<string, string>>;

export interface BidRequest {
  readonly orderId: OrderId;
  readonly order: PortfolioOrder;
  readonly quote: QuotedPlan | null;
  /** What bids that are not placed yet will hold of the inventory, besides what is reserved. */
  readonly held?: Reserves;
}
/** The desk's own bid, with the inventory it expects to use. */
export interface DeskBid {
  readonly amounts: readonly bigint[];
  /** Reserved while the bid is live, and once it has won until the order is filled or over. */
  readonly reserves: Reserves;
  readonly notes: JsonObject;
}

/** A bid over several orders at once, all or nothing. */
export interface BatchBid {
  /** Ascending by orderId, two at least. */
  readonly items: readonly BidItem[];
  readonly orders: Readonly<
    Record<OrderId, { readonly reserves: Reserves; readonly notes: JsonObject }>
  >;
  /** For the auction's public record. */
  readonly netting: JsonObject;
}

/** What an auction needs of the market; filling/ implements it over the same reads as the desk's. */
export interface AuctionMarket {
  /** keccak256 of the .wasm the service runs. */
  readonly engine: Hash32;
  /** An order one of whose destinations does not answer now is left out. Never throws a Fault. */
  price(orders: readonly AuctionedOrder[]): Promise<PricedOrders>;
}
export interface AuctionedOrder {
  readonly orderId: OrderId;
  readonly order: PortfolioOrder;
}
export interface PricedOrders {
  readonly snapshotDigest: Hash32;
  readonly blocks: AuctionInstance['blocks'];
  /** One per output of the order. `priceWad`: 18-decimal dollars per whole token. */
  readonly prices: ReadonlyMap<
    OrderId,
    readonly { readonly decimals: number; readonly priceWad: bigint }[]
  >;
}

export interface FillRequest {
  readonly orderId: OrderId;
  readonly award: SignedAward;
  readonly chainId: ChainId;
  /** The chain's awarded outputs that have no record yet. */
  readonly outputs: readonly MandateOutput[];
  readonly quote: QuotedPlan | null;
}

export interface ReconsiderRequest {
  readonly orderId: OrderId;
  readonly order: PortfolioOrder;
  /** Per output: what the award says, 0 where it is delivered already. */
  readonly amounts: readonly bigint[];
  readonly quote: QuotedPlan | null;
}

/** One transaction the desk wants sent from its own account. */
export interface DeskCall {
  /** Unique among the order's desk calls of this chain and kind, e.g. the approved token. */
  readonly key: string;
  readonly to: EvmAddress;
  readonly data: Hex;
  readonly value: bigint;
  /** Amounts for the timeline, decimal strings. */
  readonly summary: JsonObject;
}
export interface FillPlan {
  readonly call: DeskCall;
  /** Approvals the call needs and lacks now; to be included first. */
  readonly approvals: readonly DeskCall[];
  /** 0 … 1, how likely it is that this fill fails: the likeliest destination is filled first. */
  readonly risk: number;
  /** What the call spends of inventory: takes the place of the chain's part of the reservation. */
  readonly reserves: Readonly<Record<string, string>>;
}

export interface ReceivedInput {
  readonly token: EvmAddress;
  readonly amount: bigint;
}

/** A transaction of the filler for this order and what it cost. */
export interface OrderTx {
  readonly chainId: ChainId;
  readonly purpose: string;
  readonly receipt: Receipt;
  /** Native coin sent along (message fees), wei; an upper bound of what was kept. */
  readonly value: bigint;
}

/** The filler. Every method may throw Fault (a chain or feed is down): the step is tried again. */
export interface FillerDesk {
  readonly address: EvmAddress;
  /** Signs Declines; the same account that fills. */
  readonly signer: Signer;
  /**
   * What orders in flight and live bids hold back, per node, those of orders in `except` left out;
   * null: too many to count.
   */
  reserved(except: readonly OrderId[]): Promise<ReadonlyMap<string, bigint> | null>;
  bid(request: BidRequest): Promise<DeskBid | Refusal>;
  /** Null: nothing to net, or together is not better for the owners. */
  bidBatch(orders: readonly AuctionedOrder[]): Promise<BatchBid | null>;
  planFill(request: FillRequest): Promise<FillPlan | Refusal>;
  /**
   * Null while serving the awarded order would still not cost more than the desk bears for its word;
   * else why not. Asked before the first fill, when giving the order back is still free.
   */
  reconsider(request: ReconsiderRequest): Promise<Refusal | null>;
  /** A sale of what was received that raises the desk's worth at feed prices, or null. */
  planRestore(request: {
    readonly orderId: OrderId;
    readonly chainId: ChainId;
    readonly received: readonly ReceivedInput[];
  }): Promise<{ readonly call: DeskCall; readonly approvals: readonly DeskCall[] } | null>;
  /** Worth gained or lost over the order at feed prices, gas and message fees included. */
  profitAndLoss(request: {
    readonly order: PortfolioOrder;
    readonly txs: readonly OrderTx[];
  }): Promise<JsonObject>;
}
