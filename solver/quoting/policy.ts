// What the quoting desk decides: margins, times and limits.
// Plain numbers with their sources; nothing is computed here.

/** Commercial and timing choices of this service. */
export interface QuotePolicy {
  /** How long an offer may be accepted. */
  readonly quoteTtlSeconds: number;
  /** From the offer's end to openDeadline: admission, award, and opening on every origin. */
  readonly openWindowSeconds: number;
  /** From openDeadline (plus finality of the origins) to fillDeadline. */
  readonly fillWindowSeconds: number;
  /** Added to MIN_PROOF_WINDOW between fillDeadline and expiry. */
  readonly expirySlackSeconds: number;
  /** Our fee on what an order delivers, bps of its worth at feed prices. */
  readonly marginBps: number;
  /** Our fee on a transfer between chains, pips of the amount. */
  readonly bridgeFeePips: number;
  /** Default distance of the signed minimum below the quoted amount, bps. */
  readonly slippageBps: number;
  /** Feeds of one asset on several chains may differ by this much, bps. */
  readonly feedDeviationBps: number;
  /** Inputs and outputs worth less are left where they are, cents of a dollar. */
  readonly dustCents: number;
}

export const DEFAULT_POLICY: QuotePolicy = {
  quoteTtlSeconds: 60,
  openWindowSeconds: 60,
  fillWindowSeconds: 120,
  expirySlackSeconds: 60,
  marginBps: 3,
  bridgeFeePips: 200,
  slippageBps: 30,
  feedDeviationBps: 300,
  dustCents: 50,
};

/** Message fees move with the destination's gas price between quote and send. */
export const MESSAGE_FEE_HEADROOM_BPS = 1_000;
/** Solves per quote: the first, and repeats with inventory shared out where it was oversubscribed. */
export const SOLVES_MAX = 3;
/** Targets in one request; every token of a scope is at most in one. */
export const TARGETS_MAX = 64;
