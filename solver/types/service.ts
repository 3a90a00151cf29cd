// The service as the HTTP layer sees it. solver.ts composes it from quoting, admission, the store
// and the transaction sender; api/ depends on nothing else. Everything that crosses here is plain
// JSON (amounts are decimal strings, times Unix seconds), validated for shape by the caller and for
// meaning by the rooms behind. An expected "no" is a Refusal value; InvalidInput and Fault are thrown.

import type { AuctionService } from './auctionService.ts';
import type { Refusal } from './errors.ts';
import type { IdempotencyStore } from './idempotency.ts';
import type { ChainId, EvmAddress, Hash32, Hex, OrderId } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { PolicyService } from './policyService.ts';
import type {
  OrderEvent,
  OrderPlace,
  OrderState,
  SignatureKind,
  StoredOrder,
  StoredTx,
} from './store.ts';
import type { WebhookService } from './webhooks.ts';

/** Every expected "no" of POST /v1/quotes. */
export type QuoteRefusalCode =
  | 'unsupportedIntent'
  | 'unsupportedOrderType'
  | 'unknownChain'
  | 'unknownAsset'
  | 'invalidWeights'
  | 'duplicateTarget'
  | 'targetOutOfScope'
  | 'invalidAmount'
  | 'emptyPortfolio'
  | 'nothingToDo'
  | 'noRoute'
  | 'stalePrice'
  | 'chainDown'
  | 'costAboveLimit'
  | 'limitUnmet'
  | 'insufficientInventory'
  | 'insufficientBalance'
  | 'tooManyLegs'
  | 'quoteUnavailable';

/** Every expected "no" of POST /v1/orders. */
export type SubmitRefusalCode =
  | 'quoteNotFound'
  | 'quoteExpired'
  | 'orderNotQuoted'
  | 'orderMalformed'
  | 'orderExpired'
  | 'unknownContract'
  | 'malformedSignature'
  | 'wrongSigner'
  | 'signatureForAnotherOrder'
  | 'unsupportedOriginSignatures'
  | 'nonceUsed'
  | 'insufficientBalance'
  | 'insufficientAllowance'
  | 'insufficientInventory'
  | 'chainDown'
  | 'unknownChain'
  | 'unknownAsset';

/** Every expected "no" of DELETE /v1/orders/{id}. */
export type CancelRefusalCode =
  | 'orderNotFound'
  | 'malformedSignature'
  | 'wrongSigner'
  | 'chainDown'
  /** Something of it is in escrow or delivered; details say what happens next. */
  | 'tooLateToCancel'
  /** Its auction takes bids, for `details.untilMs` yet. */
  | 'auctionRunning';

export type ServiceRefusalCode = QuoteRefusalCode | SubmitRefusalCode;

/** One target of a rebalance: an asset over all chains of the scope, or on one chain. */
export interface RebalanceTargetRequest {
  readonly asset: string;
  /** All targets sum to exactly 10000. */
  readonly weightBps: number;
  readonly chain?: number;
}

/** A rebalance judged by its risk: worth − ½·aversion·W₀·e′Σe − costs, e the weights missed by. */
export interface TrackingRequest {
  /** κτ > 0: aversion per year × the years the error is held for. */
  readonly aversion: number;
  /** Which asset each row of `covariance` is; every asset of the targets and of the scope. */
  readonly assets: readonly string[];
  /** Of returns, per year; symmetric and positive semidefinite up to rounding. */
  readonly covariance: readonly (readonly number[])[];
}

/** Least and most that may stand on a chain after the trade, fractions of the portfolio. */
export interface ChainLimitRequest {
  readonly chain: number;
  /** null: all assets together. */
  readonly asset: string | null;
  readonly floor: number;
  readonly cap: number;
}

/** A rebalance as asked for, shapes checked, meaning not yet. */
export interface RebalanceRequest {
  readonly intentType: 'rebalance';
  readonly owner: EvmAddress;
  /** Absent members mean: every configured chain, every configured asset. */
  readonly scope: {
    readonly chains?: readonly number[];
    readonly assets?: readonly string[];
  };
  readonly targets: readonly RebalanceTargetRequest[];
  /**
   * Trade as far as the risk saved pays for, and only if it pays for everything. Absent: to the
   * targets, whatever that costs. One asset's tokens share a row of the covariance, also where a
   * target names a chain: moving them between chains saves no risk.
   */
  readonly tracking?: TrackingRequest;
  /** Assets that must not end lower, over all chains; in both lists: frozen. Needs `tracking`. */
  readonly buyOnly?: readonly string[];
  /** Assets that must not end higher. Needs `tracking`. */
  readonly sellOnly?: readonly string[];
  /** Needs `tracking`. Limits broken before the trade are mended, paying or not; else `limitUnmet`. */
  readonly chainLimits?: readonly ChainLimitRequest[];
  /** ½Σ|Δw| of this trade; where more would pay, all purchases are cut alike. Needs `tracking`. */
  readonly maxTurnover?: number;
  /** Refuse when the order's gas and messages cost more dollars. */
  readonly maxGasUsd?: number;
  /** Drift per target, in bps of the portfolio, below which nothing is done. Default 0. */
  readonly bandBps?: number;
  /** Refuse when the total cost exceeds this share of the portfolio's worth. */
  readonly maxCostBps?: number;
  /** The signed minimum stands this far below the quoted amount. Default 30. */
  readonly maxSlippageBps?: number;
  /** What may be sold, base units as decimal strings; default: the owner's balances on chain. */
  readonly holdings?: readonly {
    readonly chain: number;
    readonly asset: string;
    readonly amount: string;
  }[];
  /** Unix seconds; the quote must stay valid until then. */
  readonly minValidUntil?: number;
  /** Order types the caller can sign; must contain `trimtab-portfolio-v1` when given. */
  readonly supportedTypes?: readonly string[];
  /** Where each member stood in the request body, for error pointers. Default `/intent`. */
  readonly pointer?: string;
}
export type QuoteRequest = RebalanceRequest;

/** A token as a swap names it. Without a chain it must be on exactly one of the served ones. */
export interface SwapAsset {
  readonly chain?: number;
  /** 20-byte address, lower case. */
  readonly token: EvmAddress;
}

/** An OIF swap as asked for: some tokens into one other, shapes checked, meaning not yet. */
export interface SwapRequest {
  readonly intentType: 'oif-swap';
  readonly owner: EvmAddress;
  /** exact-output has one input without amount and an output with one. */
  readonly swapType: 'exact-input' | 'exact-output';
  /** Base units as decimal strings. */
  readonly inputs: readonly { readonly asset: SwapAsset; readonly amount?: string }[];
  /** exact-input: `amount` is the least to be signed; exact-output: what is wanted, no less. */
  readonly output: {
    readonly asset: SwapAsset;
    readonly amount?: string;
    readonly receiver: EvmAddress;
  };
  /** Unix seconds; the quote must stay valid until then. */
  readonly minValidUntil?: number;
  /** Order types the caller can sign, best first; default: all of ours. */
  readonly supportedTypes?: readonly string[];
  /** What of the request is not followed, to be said with the quote. */
  readonly notes: readonly { readonly code: string; readonly message: string }[];
}

/** One order offered: the very JSON of GetQuoteResponse.quotes[i]. */
export interface Quote {
  readonly quoteId: string;
  readonly validUntil: number;
  readonly response: JsonObject;
}

export interface SubmitRequest {
  readonly quoteId?: string;
  /** The EIP-712 message, contracts-abi's JSON form. At least one of order and quoteId is given. */
  readonly order?: JsonObject;
  readonly signature: Hex;
  /** Default: what the quote asked for, else the order's own typed data. */
  readonly signatureKind?: SignatureKind;
  /** The Permit2 typed data as signed, { domain, message without the witness }: must fit the order. */
  readonly permit2?: JsonObject;
  /** One owner signature per origin chain id, for wallets whose ERC-1271 binds the chain. */
  readonly originSignatures?: Readonly<Record<string, Hex>>;
}
export interface Submitted {
  readonly orderId: OrderId;
  /** False when this very order had been admitted before: same answer, nothing new was done. */
  readonly created: boolean;
  readonly order: StoredOrder;
}

/** An order with all that has been sent on its behalf. */
export interface OrderRecord {
  readonly order: StoredOrder;
  readonly transactions: readonly StoredTx[];
  /** Owner's minimum and the plan's amounts; null when the order came without a quote. */
  readonly quotedAmounts: readonly string[] | null;
}

/** One page of an owner's orders, newest first. */
export interface OrderPage {
  readonly orders: readonly StoredOrder[];
  /** What the next page goes on after; null: this was the last. */
  readonly next: OrderPlace | null;
}

export interface AssetView {
  readonly asset: string;
  readonly tokens: readonly {
    readonly chainId: ChainId;
    readonly chain: string;
    readonly symbol: string;
    readonly address: EvmAddress;
    readonly decimals: number;
    readonly feed: EvmAddress;
  }[];
}

/** One chain as everybody may know it. */
export interface ChainView {
  readonly chainId: ChainId;
  readonly name: string;
  /** Only where the deployment names one for the public. */
  readonly publicRpcUrl?: string;
  readonly confirmations: number;
  readonly blockSeconds: number;
  /** The asset of /v1/assets that gas is paid in. */
  readonly nativeAsset: string;
  /** LayerZero's endpoint id. */
  readonly eid: number;
  /** Name → address: `portfolioSettler` is the escrow that approvals name. */
  readonly contracts: Readonly<Record<string, EvmAddress>>;
}

/** What holds on every chain. */
export interface NetworkView {
  readonly chains: readonly ChainView[];
  /** Signs every award; orders name it. */
  readonly auctioneer: EvmAddress;
  /** Seconds between the last fill and the first refund that a contract leaves for proofs. */
  readonly minProofWindowSeconds: number;
}

/** A pool that plans may trade through. */
export interface VenueView {
  /** As `metadata.legs` names it. */
  readonly venue: string;
  readonly kind: string;
  readonly chainId: ChainId;
  readonly address: EvmAddress;
  readonly tokens: readonly {
    readonly address: EvmAddress;
    readonly symbol: string;
    readonly asset: string;
  }[];
  /** Hundredths of a basis point. */
  readonly feePips: number;
}

export interface ReadinessView {
  readonly ready: boolean;
  /** keccak256 of the core this process solves with. */
  readonly core?: Hash32;
  /** Name → `ok` or what is wrong: `store`, `engine`, `chain:31338`, … */
  readonly checks: Readonly<Record<string, string>>;
}

/** CoW Protocol's solver engine: the driver's auction → `{ solutions }`. Throws InvalidInput. */
export interface CowService {
  solve(auction: unknown): Promise<JsonObject>;
}

/** The service. Every method may throw Fault (I/O) or Defect; quote and submit also InvalidInput. */
export interface Trimtab {
  quote(request: QuoteRequest): Promise<Quote | Refusal<QuoteRefusalCode>>;
  /** One quote per order type that the caller supports and the order can be, in the caller's order. */
  offers(
    request: QuoteRequest | SwapRequest,
  ): Promise<readonly Quote[] | Refusal<QuoteRefusalCode>>;
  submit(request: SubmitRequest): Promise<Submitted | Refusal<SubmitRefusalCode>>;
  getOrder(orderId: OrderId): Promise<OrderRecord | null>;
  /**
   * Every order that was there when the first page was read comes exactly once, whatever is made
   * meanwhile. `limit` 1 to 100.
   */
  listOrders(page: {
    readonly owner: EvmAddress;
    readonly state?: OrderState;
    readonly after?: OrderPlace;
    readonly limit: number;
  }): Promise<OrderPage>;
  /** The order as it is then: failed, or with the owner's cancel on its way to the chains. */
  cancel(orderId: OrderId, signature: Hex): Promise<StoredOrder | Refusal<CancelRefusalCode>>;
  /** Ascending by seq, at most `limit`; empty for an order that is not known. */
  events(orderId: OrderId, afterSeq: number, limit: number): Promise<readonly OrderEvent[]>;
  /** A hint that events of that order may have been added. Returns how to stop listening. */
  subscribe(orderId: OrderId, listener: () => void): () => void;
  /** The canonical JSON text that was solved, byte for byte as digested; null if not known. */
  problem(quoteId: string): Promise<string | null>;
  result(quoteId: string): Promise<string | null>;
  assets(): readonly AssetView[];
  network(): NetworkView;
  venues(): readonly VenueView[];
  /** Asks every dependency; bounded in time by the implementation. */
  readiness(): Promise<ReadinessView>;
  /** Idempotency keys that all API processes share. */
  readonly idempotency: IdempotencyStore;
  readonly webhooks: WebhookService;
  /** Standing policies. */
  readonly policies: PolicyService;
  readonly cow: CowService;
  /** The market of solvers. */
  readonly auctions: AuctionService;
}
