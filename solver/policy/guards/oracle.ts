// When a price may be believed: age, quorum, deviation, gap to the time-weighted average, depeg.

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
  readonly maxDeviationBps: number;
  /** Largest gap between the median and its time-weighted average; null: not checked. */
  readonly maxTwapGapBps: number | null;
  /** Asset → lowest believable price in dollars: below it, nothing is traded. */
  readonly depegFloors: Readonly<Record<string, number>>;
  readonly onFailure: 'halt' | 'reduceOnly';
}
