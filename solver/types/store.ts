// The store port: one PostgreSQL, the only coordinator. A state change, its event and the next job
// commit in ONE transaction; every write made on behalf of a job is conditional on the job's fence,
// so a worker that lost its lease can no longer change anything.

import type { AwardOutcome } from './auction.ts';
import type { ChainId, EvmAddress, Hash32, Hex, OrderId } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { Receipt } from './ports.ts';

/**
 * The order's lifecycle. settlement/lifecycle.ts holds the TRANSITIONS table.
 *   created → awarded → opening → opened → filling → filled → proving → releasing → settled
 *   created | awarded → failed (nothing was ever taken)      any before filled → refunding → refunded
 */
export type OrderState =
  | 'created'
  | 'awarded'
  | 'opening'
  | 'opened'
  | 'filling'
  | 'filled'
  | 'proving'
  | 'releasing'
  | 'settled'
  | 'refunding'
  | 'refunded'
  | 'failed';

export interface StoredQuote {
  readonly quoteId: string;
  readonly createdAtMs: number;
  readonly validUntilMs: number;
  /** The order to sign, contracts-abi's JSON form. */
  readonly order: JsonObject;
  /** What the plan pays per order output, same order as order.outputs, ≥ the signed minimum. */
  readonly quotedAmounts: readonly string[];
  /** Canonical JSON texts, exactly as served and digested. */
  readonly problem: string;
  /** For writing: `problem` in parts, of which other quotes have head and tail too. */
  readonly problemText?: {
    readonly head: string;
    readonly objective: string;
    readonly tail: string;
    /** Names head and tail. */
    readonly shared: Hash32;
  };
  readonly result: string;
  /** The whole response offered, for re-reading. */
  readonly response: JsonObject;
}

/** What an owner signed: the order's own typed data, or a Permit2 transfer witnessed by the order. */
export type SignatureKind = 'eip712' | 'permit2';

/** What admission and readers need of a quote, without the large texts. */
export type QuoteTerms = Pick<StoredQuote, 'quoteId' | 'validUntilMs' | 'order' | 'quotedAmounts'>;

export interface QuoteToAdmit {
  readonly terms: QuoteTerms;
  readonly order: StoredOrder | null;
}

export interface StoredOrder {
  readonly orderId: OrderId;
  readonly quoteId: string | null;
  readonly owner: EvmAddress;
  /** Decimal uint256. */
  readonly nonce: string;
  readonly state: OrderState;
  /** Why, where the money is, and what happens next; set when something went wrong. */
  readonly reason: string | null;
  readonly order: JsonObject;
  readonly ownerSignature: Hex;
  readonly signatureKind: SignatureKind;
  readonly award: JsonObject | null;
  /** Facts the workflow keeps between steps (fill plan, profit and loss). */
  readonly facts: JsonObject;
  /** Grows by one with every applied transition. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface OrderEvent {
  /** Global, ascending. SSE ids. */
  readonly seq: number;
  readonly orderId: OrderId;
  readonly atMs: number;
  /** e.g. `order.created`, `order.opened`, `tx.sent`, `tx.final`, `order.settled`. */
  readonly type: string;
  readonly data: JsonObject;
}
export type NewEvent = Pick<OrderEvent, 'type' | 'data'>;

/** A job is named by (kind, key): at most one of a name exists. */
export interface NewJob {
  readonly kind: string;
  readonly key: string;
  readonly runAtMs: number;
}
export interface JobLease {
  readonly kind: string;
  readonly key: string;
  /** Grows with every claim: a stale holder's writes match no row. */
  readonly fence: number;
  readonly attempts: number;
}

export type Applied = 'applied' | 'alreadyApplied';
/** What became of an order that was to be admitted, with its row as it stands. */
export type Admitted =
  | { readonly outcome: Applied; readonly order: StoredOrder }
  /** `quoteGone`: the store has forgotten the quote that the order names; nothing was written. */
  | { readonly outcome: 'nonceUsed' }
  | { readonly outcome: 'quoteGone' };
export type NewOrder = Omit<StoredOrder, 'version' | 'createdAtMs' | 'updatedAtMs'>;
/** Thrown when a write came from a worker whose lease was lost; the worker must drop the job. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export interface Transition {
  readonly orderId: OrderId;
  readonly from: OrderState;
  readonly to: OrderState;
  /** Absent: kept. Null: cleared. */
  readonly reason?: string | null;
  /** Absent: kept. Null: taken away, because it lapsed. */
  readonly award?: JsonObject | null;
  /** Shallow-merged into the order's facts. */
  readonly facts?: JsonObject;
  readonly events: readonly NewEvent[];
  readonly jobs?: readonly NewJob[];
  /** What became of the order's open award: counted in the same transaction, once. */
  readonly outcome?: AwardOutcome;
}

/** Where an order stands in a list: what a page goes on after. */
export type OrderPlace = Pick<StoredOrder, 'createdAtMs' | 'orderId'>;

export interface Store {
  putQuote(quote: StoredQuote): Promise<void>;
  getQuote(quoteId: string): Promise<StoredQuote | null>;
  getQuoteTerms(quoteId: string): Promise<QuoteTerms | null>;
  /** The terms, and the order admitted with the quoted order's owner and nonce: it may be another. */
  quoteToAdmit(quoteId: string): Promise<QuoteToAdmit | null>;
  /** The quote whose order has this owner and nonce (decimal); a nonce is drawn per quote. */
  quoteOfOrder(owner: EvmAddress, nonce: string): Promise<QuoteTerms | null>;

  /**
   * Row, event and jobs in one transaction. The same orderId again is `alreadyApplied`;
   * another order of the same (owner, nonce) is `nonceUsed`, and nothing is written.
   */
  admitOrder(
    order: NewOrder,
    events: readonly NewEvent[],
    jobs: readonly NewJob[],
  ): Promise<Admitted>;
  getOrder(orderId: OrderId): Promise<StoredOrder | null>;
  /** Newest first; those made at once by descending id, so that `before` is a place between two. */
  listOrders(filter: {
    readonly owner?: EvmAddress;
    readonly states?: readonly OrderState[];
    readonly before?: OrderPlace;
    readonly limit: number;
  }): Promise<readonly StoredOrder[]>;
  /** Conditional on state = from and, with a lease, on the fence. In state `to` already: alreadyApplied. */
  applyTransition(transition: Transition, lease: JobLease | null): Promise<Applied>;
  /** Events and facts without a change of state. Same fencing. */
  appendEvents(
    orderId: OrderId,
    events: readonly NewEvent[],
    lease: JobLease | null,
    facts?: JsonObject,
  ): Promise<void>;
  events(orderId: OrderId, afterSeq: number, limit: number): Promise<readonly OrderEvent[]>;
  /** Calls back when events of any order may have been added (a hint; read with events()). */
  onEvents(listener: (orderId: OrderId) => void): () => void;

  claimJob(kinds: readonly string[], leaseMs: number): Promise<JobLease | null>;
  heartbeat(lease: JobLease, leaseMs: number): Promise<void>;
  /** Done for good: the row goes. */
  completeJob(lease: JobLease): Promise<void>;
  /** Releases the lease; runs again at runAtMs. */
  rescheduleJob(lease: JobLease, runAtMs: number, error?: string): Promise<void>;
  /** A hint that a job may be due. */
  onJobs(listener: () => void): () => void;

  /** SELECT 1, for readiness. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The state of one transaction that an order's workflow asked for. */
export type TxStatus =
  /** Never signed: the node says it would revert now, with this data. Nothing was stored. */
  | { readonly state: 'wouldRevert'; readonly data: Hex; readonly message: string }
  /** Signed, stored, broadcast; not in a canonical block, or not deep enough yet. */
  | { readonly state: 'pending'; readonly hash: Hash32 }
  /** At finality depth. */
  | { readonly state: 'final'; readonly hash: Hash32; readonly receipt: Receipt }
  | { readonly state: 'reverted'; readonly hash: Hash32; readonly receipt: Receipt };

export interface TxIntent {
  readonly chainId: ChainId;
  readonly sender: EvmAddress;
  /** The order, or another stable scope such as `setup`. */
  readonly scope: string;
  /** Unique within the scope: the same (scope, purpose) is sent at most once, for ever. */
  readonly purpose: string;
  readonly to: EvmAddress;
  readonly data: Hex;
  readonly value: bigint;
}

export interface StoredTx {
  readonly chainId: ChainId;
  readonly sender: EvmAddress;
  readonly nonce: bigint;
  readonly scope: string;
  readonly purpose: string;
  readonly hash: Hash32;
  readonly status: 'pending' | 'final' | 'reverted';
  readonly blockNumber: bigint | null;
  readonly gasUsed: bigint | null;
  readonly effectiveGasPrice: bigint | null;
}

/** Sends transactions exactly once: signed bytes are stored before they are broadcast. */
export interface TxSender {
  /** Sends if (scope, purpose) is new, else reports (re-broadcasting the same bytes if needed). */
  ensure(intent: TxIntent, lease: JobLease | null): Promise<TxStatus>;
  /** All transactions of a scope, in the order they were made. */
  list(scope: string): Promise<readonly StoredTx[]>;
}
