// The workflows' times, in one place, with what each is for. Production defaults; a lab with blocks
// of one second may shorten them.

export interface SettlementPolicy {
  /** Orders that come within this of the first are auctioned together, milliseconds. */
  readonly gatherMs: number;
  /** From an auction's announcement to the end of its bidding, milliseconds. */
  readonly biddingMs: number;
  /** Orders of one auction at most; at most auction/instance.ts's MAX_ORDERS. */
  readonly auctionOrdersMax: number;
  /**
   * A winner has half of what is left of the open window, so that another auction has the other half;
   * all of it where a half would be shorter than this, seconds.
   */
  readonly openSecondsMin: number;
  /** Awards of one order at most: each after the first because the one before lapsed unopened. */
  readonly awardsMax: number;
  /** Between looks at the chains while something is under way, milliseconds. */
  readonly pollMs: number;
  /** Between looks while nothing can be due, milliseconds. */
  readonly idleMs: number;
  /** Before trying again a step whose chain or feed was down, milliseconds. */
  readonly faultRetryMs: number;
  /**
   * No first fill, and no opening, with less time left to the fill deadline, seconds; what has to
   * become final before the last fill comes on top (rules.ts).
   */
  readonly minFillSeconds: number;
  /** A proof that has not arrived is sent again after this, seconds. */
  readonly proofRetrySeconds: number;
  /** The filler's own rebalancing is given up this long after `settled`, seconds. */
  readonly restoreSeconds: number;
  /** The guard acts this long after a deadline, leaving the filler the first move, seconds. */
  readonly guardGraceSeconds: number;
  /** The guard finishes a filled order this long after the fill deadline, seconds. */
  readonly finishGraceSeconds: number;
}

export const DEFAULT_SETTLEMENT_POLICY: SettlementPolicy = {
  gatherMs: 1_000,
  biddingMs: 2_000,
  auctionOrdersMax: 32,
  openSecondsMin: 20,
  awardsMax: 3,
  pollMs: 300,
  idleMs: 3_000,
  faultRetryMs: 1_500,
  minFillSeconds: 15,
  proofRetrySeconds: 90,
  restoreSeconds: 45,
  guardGraceSeconds: 2,
  finishGraceSeconds: 120,
};
