// What the quoting desk decides and what it knows of costs: margins, times, and the gas of each act.
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

/**
 * Gas units of each act as a transaction, rounded up. Sources: the forge snapshots of the contracts
 * as built (contracts-abi/solidity: open 95,438 and 96,548 with three origins; fill 82,398, two
 * outputs 117,850; release 76,710; submit 143,950 through the real endpoint and two DVNs), plus
 * 21,000 per transaction, 16 per byte of calldata (0.5 to 1 kB per leg), and 35,000 to 50,000 per
 * further ERC-20 transfer. The send is taken at PROTOCOL.md's larger 266,000: mainnet DVNs cost more.
 */
export const GAS = {
  open: 105_000n,
  openPerInput: 50_000n,
  openPerOtherOrigin: 3_000n,
  fillBatch: 80_000n,
  fillPerOutput: 60_000n,
  /** Approving the settler or the executor, amortised over orders. */
  approve: 50_000n,
  /** One swap inside the fill transaction, transfers and callback included. */
  swapV2: 110_000n,
  swapV3: 150_000n,
  submit: 60_000n,
  submitPerMessage: 280_000n,
  submitPerRecord: 8_000n,
  release: 75_000n,
  releasePerInput: 40_000n,
  releasePerOutput: 20_000n,
} as const;

/** Message fees move with the destination's gas price between quote and send. */
export const MESSAGE_FEE_HEADROOM_BPS = 1_000;
/** Solves per quote: the first, and repeats with inventory shared out where it was oversubscribed. */
export const SOLVES_MAX = 3;
/** Targets in one request; every token of a scope is at most in one. */
export const TARGETS_MAX = 64;
