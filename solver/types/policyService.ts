// Standing policies as the HTTP layer sees them; Trimtab.policies in types/service.ts. Everything
// that crosses here is plain JSON (times Unix seconds, amounts decimal strings, weights and rates
// f64 fractions). An expected "no" is a Refusal value; a bad document is InvalidInput with its
// pointer.

import type { Refusal } from './errors.ts';
import type { EvmAddress, Hash32, Hex, OrderId, PolicyId } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { PolicyStatus } from './policyStore.ts';

export type PolicyRefusalCode =
  | 'policyNotFound'
  | 'malformedSignature'
  | 'wrongSigner'
  /** A private policy is read with the owner's ReadPolicy signature. */
  | 'ownerOnly'
  /** The ReadPolicy signature's time is over, or too far ahead. */
  | 'readExpired'
  /** Another document was armed with this (owner, nonce). */
  | 'nonceUsed'
  | 'policyExpired'
  /** The policy needs a venue (lending, options) or a number of assets that is not served. */
  | 'unsupportedPolicy'
  | 'tooManyPolicies'
  /** Resume: it does not stand halted, or the signature is for an earlier halt. */
  | 'notHalted'
  | 'alreadyEnded'
  | 'unknownChain'
  | 'unknownAsset'
  | 'emptyPortfolio'
  | 'stalePrice'
  | 'chainDown';
export type PolicyRefusal = Refusal<PolicyRefusalCode>;

/** The owner's word that the caller may see a private policy: ReadPolicy, contracts-abi. */
export interface PolicyReader {
  /** Unix seconds, at most a day ahead. */
  readonly validUntil: number;
  readonly signature: Hex;
}

export interface ArmRequest {
  readonly document: JsonObject;
  readonly owner: EvmAddress;
  /** Decimal uint256. */
  readonly nonce: string;
  /** Unix seconds; absent or 0: never. */
  readonly expires?: number;
  /** Over `Policy` {owner, document: keccak256(canonical JSON), nonce, expires}. */
  readonly signature: Hex;
}
export interface Armed {
  readonly policyId: PolicyId;
  /** False when this very policy had been armed before: same answer, nothing new was done. */
  readonly created: boolean;
  readonly policy: PolicyView;
}

export interface ReasonView {
  readonly code: string;
  readonly message: string;
  readonly data?: JsonObject;
}
/** A decision with weights by asset instead of by position. */
export interface DecisionView {
  readonly at: number;
  readonly mode: 'normal' | 'reduceOnly' | 'halted';
  readonly kind: 'act' | 'idle';
  readonly cause: string | null;
  readonly aim: {
    readonly landing: Readonly<Record<string, number>>;
    readonly targets: Readonly<Record<string, number>>;
    readonly turnover: number;
    /** κτ; null: to the landing exactly. */
    readonly aversion: number | null;
  } | null;
  readonly leverage: JsonObject | null;
  readonly hedge: readonly JsonObject[] | null;
  readonly reasons: readonly ReasonView[];
  readonly skipped: readonly (ReasonView & { readonly asset?: string })[];
  readonly nextAt: number;
}

export interface PolicyView {
  readonly policyId: PolicyId;
  readonly owner: EvmAddress;
  readonly nonce: string;
  readonly expires: number | null;
  /** keccak256 of the document's canonical JSON. */
  readonly commitment: Hash32;
  readonly privacy: 'public' | 'commitment';
  readonly state: PolicyStatus;
  /** What the state means and what happens next, in words. */
  readonly note: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The `number` of the halting event, to name in ResumePolicy; null: nothing to resume. */
  readonly haltedEvent: number | null;
  /** The order being settled for it. */
  readonly orderId: OrderId | null;
  /** null, as everything below: a private policy, and no proof that its owner asks. */
  readonly document: JsonObject | null;
  readonly lastDecision: DecisionView | null;
  readonly nextAt: number | null;
  /** The live proposal; `proposals()` has the order to sign. */
  readonly proposal: { readonly quoteId: string; readonly validUntil: number } | null;
}

export interface PolicyEventView {
  /** Ascending; the cursor for `afterSeq`. */
  readonly seq: number;
  /** 1, 2, 3, … without gaps. */
  readonly number: number;
  readonly at: number;
  readonly type: string;
  /** Decisions under `decision` (DecisionView); of a private policy only states and codes. */
  readonly data: JsonObject;
}

export interface ProposalView {
  readonly policyId: PolicyId;
  readonly quoteId: string;
  readonly createdAt: number;
  readonly validUntil: number;
  /** GetQuoteResponse.quotes[i]: order to sign, preview, certificate. */
  readonly response: JsonObject;
}

/** What is observed of a portfolio, shares of worth with funds in flight included. */
export interface PortfolioView {
  readonly at: number;
  readonly worthUsd: number;
  /** Of that, expected from orders in flight. */
  readonly inFlightUsd: number;
  readonly assets: readonly {
    readonly asset: string;
    readonly weight: number;
    readonly target: number;
    readonly drift: number;
    readonly worthUsd: number;
    readonly priceUsd: number;
  }[];
  readonly chains: readonly {
    readonly chain: number;
    readonly weights: Readonly<Record<string, number>>;
  }[];
  /** max |weight − target|. */
  readonly largestDrift: number;
  /** ½Σ|weight − target|: what a trade to the targets would turn over. */
  readonly turnover: number;
  /** √(e′Σe), per √year. */
  readonly trackingError: number;
  /** Where Σ comes from: `prior`, `ewma`, … */
  readonly forecast: string;
}

export interface DryRunRequest {
  readonly document: JsonObject;
  readonly owner: EvmAddress;
  /** Instead of what the owner holds, base units; must be no more than that for a quote. */
  readonly holdings?: readonly {
    readonly chain: number;
    readonly asset: string;
    readonly amount: string;
  }[];
}
export interface DryRun {
  readonly commitment: Hash32;
  readonly decision: DecisionView;
  readonly portfolio: PortfolioView;
  /**
   * What a quote would do now; null: the decision is to do nothing. Not kept: it cannot be signed.
   */
  readonly quote:
    | { readonly offered: true; readonly response: JsonObject }
    | { readonly offered: false; readonly refused: string; readonly message: string }
    | null;
}

export interface DriftRequest {
  readonly owner: EvmAddress;
  /** A policy document; `{"targets": …}` is enough. */
  readonly document: JsonObject;
}

/** Every method may throw Fault (I/O) or Defect; those that take a document also InvalidInput. */
export interface PolicyService {
  arm(request: ArmRequest): Promise<Armed | PolicyRefusal>;
  /** Ends it for good; again: the same answer. An order in flight goes on settling. */
  revoke(policyId: PolicyId, signature: Hex): Promise<PolicyView | PolicyRefusal>;
  /**
   * ResumePolicy {policyId, haltedEvent} of the present halt; repeated after success: same answer.
   */
  resume(policyId: PolicyId, signature: Hex): Promise<PolicyView | PolicyRefusal>;
  get(policyId: PolicyId, reader?: PolicyReader): Promise<PolicyView | PolicyRefusal>;
  /** Newest first, as the public sees them. */
  list(owner: EvmAddress, limit: number): Promise<readonly PolicyView[]>;
  /** The log: decisions with reasons and what was skipped, and every change of state. */
  decisions(
    policyId: PolicyId,
    afterSeq: number,
    limit: number,
    reader?: PolicyReader,
  ): Promise<readonly PolicyEventView[] | PolicyRefusal>;
  /** The live proposal, at most one. */
  proposals(
    policyId: PolicyId,
    reader?: PolicyReader,
  ): Promise<readonly ProposalView[] | PolicyRefusal>;
  /** Writes nothing at all. */
  dryRun(request: DryRunRequest): Promise<DryRun | PolicyRefusal>;
  drift(request: DriftRequest): Promise<PortfolioView | PolicyRefusal>;
  /** A hint that the policy's log may have grown. Returns how to stop listening. */
  subscribe(policyId: PolicyId, listener: () => void): () => void;
}
