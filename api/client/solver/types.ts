// The kit's words: what a solver is told, what it answers, and what it is asked for. Amounts are
// bigint base units, prices and worths 18-decimal dollars (`…Wad`), addresses lower-case hex.

import type { Address, Hex } from 'viem';
import type { Route, TokenAmountCall } from '../../../contracts-abi/calls.ts';
import type { Award, PortfolioOrder } from '../../../contracts-abi/typedData.ts';

export interface SolverToken {
  readonly chainId: number;
  readonly address: Address;
  readonly symbol: string;
  /** One name for the asset's tokens on all chains. */
  readonly asset: string;
  readonly decimals: number;
  /** Chainlink-type aggregator, dollars per whole token. */
  readonly feed: Address;
}

export interface SolverPool {
  readonly id: string;
  readonly kind: string;
  readonly address: Address;
  /** In the pool's order. */
  readonly tokens: readonly [Address, Address];
  readonly feePips: number;
}

export interface SolverChain {
  readonly chainId: number;
  readonly name: string;
  readonly eid: number;
  readonly rpcUrl: string;
  /** Blocks on top of a block before it counts as final. */
  readonly confirmations: number;
  readonly blockSeconds: number;
  readonly nativeAsset: string;
  readonly contracts: {
    readonly portfolioSettler: Address;
    readonly outputSettler: Address;
    readonly layerZeroOracle: Address;
    readonly routeExecutor: Address;
    readonly multicall3: Address;
  };
  readonly tokens: readonly SolverToken[];
  readonly pools: readonly SolverPool[];
}

export interface SolverNetwork {
  readonly chains: readonly SolverChain[];
}

/** What one origin escrows: the filler's income. */
export interface OrderInput {
  readonly chainId: number;
  readonly token: SolverToken;
  readonly amount: bigint;
}
/** What the owner wants delivered. */
export interface OrderOutput {
  readonly chainId: number;
  readonly token: SolverToken;
  /** The signed minimum: no bid may be below it. */
  readonly minimum: bigint;
  /** Dollars per whole token, 18 decimals: what the auction scores with. */
  readonly priceWad: bigint;
}

export interface AuctionedOrder {
  readonly orderId: Hex;
  readonly order: PortfolioOrder;
  readonly inputs: readonly OrderInput[];
  readonly outputs: readonly OrderOutput[];
  /** Unix seconds: the last second at which an escrow may open. */
  readonly openBy: number;
  readonly fillDeadline: number;
}

export interface Auction {
  readonly auctionId: Hex;
  readonly orders: readonly AuctionedOrder[];
  /** By this machine's clock, milliseconds since 1970. */
  readonly closesAtMs: number;
}

/** One amount per output of one order, each at least its minimum. */
export interface Offer {
  readonly orderId: Hex;
  readonly amounts: readonly bigint[];
}
/** Each entry is one bid; a list of offers is one bid for several orders, all or nothing. */
export type Offers = readonly (Offer | readonly Offer[])[];

/** One order won, with all that opening its escrow needs. */
export interface WonAward {
  readonly auctionId: Hex;
  readonly orderId: Hex;
  readonly order: PortfolioOrder;
  readonly ownerSignature: Hex;
  readonly signatureKind: 'eip712' | 'permit2';
  readonly award: Award;
  readonly awardId: Hex;
  /** One per output. */
  readonly amounts: readonly bigint[];
  readonly awardSignature: Hex;
}

/** What must be delivered on one chain, in one transaction. */
export interface FillNeed {
  readonly award: WonAward;
  readonly chainId: number;
  readonly outputs: readonly { readonly token: SolverToken; readonly amount: bigint }[];
}
/**
 * Swaps through RouteExecutor inside the fill's own transaction. What the routes do not yield is
 * taken from the balance by `pulls`; what is left over comes back.
 */
export interface Purchase {
  readonly pulls: readonly TokenAmountCall[];
  readonly routes: readonly Route[];
}

/** What the kit is doing, for logs and tests. */
export interface SolverEvent {
  readonly type:
    | 'connected'
    | 'disconnected'
    | 'auction'
    | 'auction.refused'
    | 'bid.sent'
    | 'bid.unsent'
    | 'bid.accepted'
    | 'bid.rejected'
    | 'bid.result'
    | 'auction.closed'
    | 'award'
    | 'award.refused'
    | 'award.outcome'
    | 'transaction'
    | 'settled'
    | 'declined'
    | 'ended'
    | 'problem';
  readonly [field: string]: unknown;
}
