// What a leverage policy says, what it remembers, and what it asks for.

import type { UnixSeconds } from '../../types/amounts.ts';

/** What selling collateral costs. */
export interface SaleCost {
  /** Fees and half-spread, fraction of what is sold. */
  readonly proportional: number;
  /** Fall of the price per dollar sold, linear: s dollars move it by the fraction s·impactPerUsd. */
  readonly impactPerUsd: number;
  /** Fee on what is flash-borrowed; null: no flash loan, collateral is withdrawn round by round. */
  readonly flashFee: number | null;
}

export interface LeveragePolicy {
  /** Exposure over equity. */
  readonly target: number;
  readonly min: number;
  readonly max: number;
  /** Share of the distance to the target closed per rebalance, 0 … 1. */
  readonly recenteringSpeed: number;
  readonly intervalSeconds: number;
  /** At and above this ratio: deleverage at once. */
  readonly emergency: number;
  readonly emergencyCooldownSeconds: number;
  /** Largest trade, dollars. */
  readonly maxChunkUsd: number;
  /** Health no trade may push any account below. */
  readonly healthFloor: number;
  /** The account that is levered; absent: the first. Safety covers every account all the same. */
  readonly account?: string;
  /** Largest fall of the collateral between two looks the health must survive; absent: 0.25. */
  readonly worstMove?: number;
  /** Absent: free, and without flash loans. */
  readonly cost?: SaleCost;
  /** Seconds between chunks outside an emergency; absent: 0. */
  readonly chunkSeconds?: number;
}

export type LeverageCause = 'emergency' | 'max' | 'min' | 'interval';

export interface LeverageTrade {
  readonly cause: LeverageCause;
  /** Exposure over equity before, and where the whole schedule of chunks leads. */
  readonly from: number;
  readonly to: number;
  /** Dollars of exposure to add (positive) or take off, this chunk. */
  readonly exposureUsd: number;
  /** Dollars still to go after this chunk, same sign. */
  readonly remainingUsd: number;
  readonly account: string;
  /** Collateral bought or sold, as a policy name. */
  readonly asset: string;
  /** What is borrowed or repaid; null: an asset outside the policy. */
  readonly debtAsset: string | null;
  /** Change of the debt, dollars, costs taken off: a sale repays less than it sold. */
  readonly debtUsd: number;
  /** Lowest health of any account once this chunk is done. */
  readonly lowestHealth: number;
}

export interface LeverageHistory {
  /** Last trade of the levered account. */
  readonly lastTradeAt: UnixSeconds | null;
  /** Chunks of an ordinary recentering still to go. */
  readonly pending: {
    readonly cause: LeverageCause;
    readonly to: number;
    readonly account: string;
    readonly down: boolean;
  } | null;
  /** Account → its last emergency chunk, and the ratio the chunks lead to; null: got there. */
  readonly emergencies: Readonly<
    Record<string, { readonly at: UnixSeconds; readonly to: number | null }>
  >;
}

export const START_OF_LEVERAGE: LeverageHistory = {
  lastTradeAt: null,
  pending: null,
  emergencies: {},
};
