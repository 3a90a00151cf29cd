// What a price must be to be believed: age, quorum, deviation, gap to the time-weighted average,
// depeg. judgePrices.ts applies it.

import type { UnixSeconds } from '../../types/amounts.ts';

export interface PriceReading {
  readonly source: string;
  /** Dollars per whole token. */
  readonly price: number;
  readonly at: UnixSeconds;
}

export interface OraclePolicy {
  /** Sources that must agree. */
  readonly quorum: number;
  readonly maxAgeSeconds: number;
  /** Largest spread between the sources that agree, bps of their median. */
  readonly maxDeviationBps: number;
  /** Largest gap between the median and its time-weighted average; null: not checked. */
  readonly maxTwapGapBps: number | null;
  /** Asset → lowest believable price in dollars: below it, nothing is traded. */
  readonly depegFloors: Readonly<Record<string, number>>;
  readonly onFailure: 'halt' | 'reduceOnly';
  /** Seconds a reading may be ahead of our clock; absent: 60. */
  readonly maxFutureSeconds?: number;
}
