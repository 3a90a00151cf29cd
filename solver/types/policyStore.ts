// The store port of standing policies. One transaction is a change of state, its events, its
// proposal and the next job; every write made on behalf of a job is conditional on the job's fence,
// and every write on the row's version, so that nobody decides on what is no longer so. Which
// changes exist is keeper/lifecycle.ts's business.

import type { EvmAddress, Hash32, Hex, OrderId, PolicyId } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { Applied, JobLease, NewEvent, NewJob, StoredOrder } from './store.ts';

/**
 * Where a policy's row can stand. keeper/lifecycle.ts holds the TRANSITIONS table and the momentary
 * states (draft, evaluating, settled, refund), which are steps of one transaction or a job's run.
 */
export type PolicyStatus =
  | 'armed'
  | 'idle'
  | 'reduceOnly'
  | 'proposed'
  | 'committed'
  | 'inFlight'
  | 'partial'
  | 'repair'
  | 'cooldown'
  | 'halted'
  | 'revoked'
  | 'expired';

export interface StoredPolicy {
  readonly policyId: PolicyId;
  readonly owner: EvmAddress;
  /** Decimal uint256. */
  readonly nonce: string;
  /** As signed; its canonical JSON hashes to `documentHash`. */
  readonly document: JsonObject;
  readonly documentHash: Hash32;
  /** Unix seconds; 0: never. */
  readonly expires: number;
  readonly signature: Hex;
  readonly status: PolicyStatus;
  /** What the keeper keeps between steps: keeper/memory.ts reads and writes it. */
  readonly memory: JsonObject;
  /** Grows by one with every applied step. */
  readonly version: number;
  /** Events so far; the last one's `number`. */
  readonly eventCount: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface PolicyEvent {
  /** Global, ascending, with gaps: a cursor. */
  readonly seq: number;
  readonly policyId: PolicyId;
  /** 1, 2, 3, … within the policy: without gaps. */
  readonly number: number;
  readonly atMs: number;
  /** `policy.armed`, `policy.idle`, `policy.proposed`, … */
  readonly type: string;
  readonly data: JsonObject;
}

export type ProposalOutcome = 'committed' | 'expired' | 'withdrawn';

export interface StoredProposal {
  readonly quoteId: string;
  readonly policyId: PolicyId;
  readonly createdAtMs: number;
  /** The quote's: an order that signs it is admitted until then. */
  readonly validUntilMs: number;
  /** The quote's whole response: order to sign and certificate. */
  readonly response: JsonObject;
  /** What the keeper expects of it: turnover, cost, landing weights. */
  readonly expected: JsonObject;
  /** null: live. */
  readonly outcome: ProposalOutcome | null;
  readonly orderId: OrderId | null;
}

export type ProposedFlow = Pick<StoredProposal, 'createdAtMs' | 'expected'>;

/** One step of one policy: applied as a whole or not at all. */
export interface PolicyStep {
  readonly policyId: PolicyId;
  readonly version: number;
  readonly from: PolicyStatus;
  readonly to: PolicyStatus;
  /** Replaces the memory; absent: kept. */
  readonly memory?: JsonObject;
  readonly events: readonly NewEvent[];
  readonly propose?: Pick<StoredProposal, 'quoteId' | 'validUntilMs' | 'response' | 'expected'>;
  readonly close?: {
    readonly quoteId: string;
    readonly outcome: ProposalOutcome;
    readonly orderId: OrderId | null;
  };
  readonly jobs?: readonly NewJob[];
}

export type NewPolicy = Pick<
  StoredPolicy,
  | 'policyId'
  | 'owner'
  | 'nonce'
  | 'document'
  | 'documentHash'
  | 'expires'
  | 'signature'
  | 'status'
  | 'memory'
>;

/** The last price seen in a bucket of `periodSeconds` that begins at `bucket`, Unix seconds. */
export interface PriceSample {
  readonly asset: string;
  readonly bucket: number;
  /** Dollars per whole token. */
  readonly price: number;
}

export interface PolicyStore {
  /**
   * Row, events and jobs in one transaction. The same policyId again is `alreadyApplied`; another
   * document of the same (owner, nonce) is `nonceUsed`, and nothing is written.
   */
  arm(
    policy: NewPolicy,
    events: readonly NewEvent[],
    jobs: readonly NewJob[],
  ): Promise<Applied | 'nonceUsed'>;
  getPolicy(policyId: PolicyId): Promise<StoredPolicy | null>;
  /** Newest first. */
  listPolicies(filter: {
    readonly owner?: EvmAddress;
    readonly statuses?: readonly PolicyStatus[];
    readonly limit: number;
  }): Promise<readonly StoredPolicy[]>;
  /**
   * Conditional on the version, on status = from and, with a lease, on the fence (LeaseLost). The
   * same step sent twice is `alreadyApplied`; anything else that moved the row is Fault
   * `stateConflict`.
   */
  applyStep(step: PolicyStep, lease: JobLease | null): Promise<Applied>;
  policyEvents(
    policyId: PolicyId,
    afterSeq: number,
    limit: number,
  ): Promise<readonly PolicyEvent[]>;
  /** Calls back when events of a policy may have been added (a hint; read with policyEvents()). */
  onPolicyEvents(listener: (policyId: PolicyId) => void): () => void;

  /** Newest first, the live one (at most one) before all others. */
  proposals(policyId: PolicyId, limit: number): Promise<readonly StoredProposal[]>;
  /** The order that was signed on this quote. */
  orderOfQuote(quoteId: string): Promise<StoredOrder | null>;
  /** Whether the quote was made for a policy that is not plainly public. */
  isPrivateQuote(quoteId: string): Promise<boolean>;
  /** Of these quotes those for which isPrivateQuote holds. */
  privateQuotes(quoteIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Proposals of all policies that wait for a signature, or were signed, made at `sinceMs` or
   * later.
   */
  recentProposals(sinceMs: number): Promise<readonly ProposedFlow[]>;
  /** Makes the keep jobs of the owner's policies due now: an order of theirs moved. */
  wakeOwner(owner: EvmAddress): Promise<void>;
  /**
   * Gives every policy that has not ended its keep job back, due now, where the row is missing (a restore,
   * a hand in the database): without one it would never be looked at again. Answers how many.
   */
  reviveJobs(): Promise<number>;

  /** Keeps the last price per bucket, drops buckets that began before `keepFrom`. */
  recordPrices(
    periodSeconds: number,
    samples: readonly PriceSample[],
    keepFrom: number,
  ): Promise<void>;
  /** Ascending by bucket, from `since` (Unix seconds) on; at most a million. */
  prices(
    periodSeconds: number,
    assets: readonly string[],
    since: number,
  ): Promise<readonly PriceSample[]>;
}
