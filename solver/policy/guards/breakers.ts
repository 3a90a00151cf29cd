// What stops a policy, and what lets it go on again. judgeBreakers.ts applies it.

import type { UnixSeconds } from '../../types/amounts.ts';

export interface BreakerPolicy {
  /** Fall of worth from the window's peak, fraction; null: none. */
  readonly drawdown: { readonly windowSeconds: number; readonly max: number } | null;
  /** Largest move of any asset within an hour, fraction; null: none. */
  readonly maxMovePerHour: number | null;
  readonly maxConsecutiveFailures: number;
  /** Seconds without a proven message before it stops; null: not watched. */
  readonly maxMessagingOutageSeconds: number | null;
  /**
   * Seconds a tripped breaker holds before it is tried again, and then only once what tripped it is
   * over; 0: as soon as it is over; null: until the owner resumes.
   */
  readonly resumeAfterSeconds: number | null;
  readonly onTrip: 'halt' | 'reduceOnly';
  /** Venues that may be down at once; absent: any number, they are only avoided. */
  readonly maxFailedVenues?: number;
}

export interface BreakerState {
  /** Worth at moments of the drawdown window, ascending. */
  readonly worth: readonly { readonly at: UnixSeconds; readonly usd: number }[];
  /** Prices about an hour ago, parallel to Policy.assets; null: not known. */
  readonly pricesHourAgo: Float64Array | null;
  readonly consecutiveFailures: number;
  /** null: messages flow. */
  readonly messagingDownSince: UnixSeconds | null;
  /** Venues that do not answer or refuse, by id. */
  readonly failedVenues: readonly string[];
  /** Set while tripped. */
  readonly tripped: { readonly at: UnixSeconds; readonly code: string } | null;
}

/** Nothing tripped, nothing remembered: where every policy starts. */
export const CALM: BreakerState = {
  worth: [],
  pricesHourAgo: null,
  consecutiveFailures: 0,
  messagingDownSince: null,
  failedVenues: [],
  tripped: null,
};
