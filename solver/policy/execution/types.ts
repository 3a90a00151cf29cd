// What a document says of how a wanted rebalance is carried out, and what is remembered of one that is
// under way. Plain data, JSON as it stands; the rules are in waitForGas.ts and slices.ts.

import type { UnixSeconds } from '../../types/amounts.ts';

export interface GasTiming {
  /** Longest wait for cheaper gas after the threshold fired. */
  readonly maxWaitSeconds: number;
}

export interface Slicing {
  /** From the first slice to the end of the last one's interval. */
  readonly overSeconds: number;
  /** Slices, at least 2, at even intervals. */
  readonly count: number;
  /** κT of Almgren and Chriss: 0 equal slices, 3 two thirds within the first third. */
  readonly urgency: number;
}

export interface ExecutionPolicy {
  /** null: never waits. */
  readonly gasTiming: GasTiming | null;
  /** null: all at once. */
  readonly slices: Slicing | null;
}

export const AT_ONCE: ExecutionPolicy = { gasTiming: null, slices: null };

export interface GasSample {
  /** Start of the hour. */
  readonly at: UnixSeconds;
  /** Dollars per settlement, > 0. */
  readonly usd: number;
}

/** A rebalance that is being carried out in slices; both vectors parallel to Policy.assets. */
export interface SlicesInProgress {
  readonly since: UnixSeconds;
  /** Weights when it began, and where it leads. */
  readonly from: readonly number[];
  readonly landing: readonly number[];
  /** Slices that are done, at least 1. */
  readonly done: number;
}

export interface ExecutionHistory {
  /** One an hour without gaps, ascending. */
  readonly gas: readonly GasSample[];
  /** Since when a trade waits for cheaper gas. */
  readonly waitingSince: UnixSeconds | null;
  readonly slices: SlicesInProgress | null;
}

export const START_OF_EXECUTION: ExecutionHistory = { gas: [], waitingSince: null, slices: null };
