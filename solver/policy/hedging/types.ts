// What a hedging policy says, what it sees, and what it asks for.

import type { UnixSeconds } from '../../types/amounts.ts';
import type { OptionInputs } from '../../types/risk.ts';

/** `aversion` is absolute: per unit of numeraire, so a book ten times as large wants a tenth of it. */
export type HedgeBandModel =
  | { readonly kind: 'whalleyWilmott'; readonly aversion: number }
  | { readonly kind: 'zakamouline'; readonly aversion: number }
  /** Looked at every `checkSeconds` of the policy; cheapest for its error (docs/hedging.md). */
  | { readonly kind: 'discrete'; readonly aversion: number }
  | { readonly kind: 'leland'; readonly everySeconds: number }
  | { readonly kind: 'twoBand'; readonly aversion: number }
  | { readonly kind: 'fixed'; readonly width: number };

export interface HedgePolicy {
  /** Asset whose delta is hedged, as a policy name. */
  readonly underlying: string;
  /** Net delta wanted, units of the underlying. */
  readonly netDelta: number;
  readonly band: HedgeBandModel;
  /** Residual tolerated, in the book's units; null: not hedged. */
  readonly gammaBand: number | null;
  readonly vegaBand: number | null;
  /** Instruments by name that gamma and vega may be hedged with. */
  readonly instruments: readonly string[];
  /** One-way proportional cost of the underlying; of an option's premium as well. */
  readonly proportional: number;
  /** Fixed cost of one hedge, numeraire; the two-band rule weighs it. Absent: 0. */
  readonly fixedUsd?: number;
  /** Seconds between two looks at the book; absent: CHECK_SECONDS of deltaBand.ts. */
  readonly checkSeconds?: number;
}

/** An option held (positive) or written (negative), units of the underlying per contract = 1. */
export interface OptionPosition {
  readonly instrument: string;
  readonly quantity: number;
  /** `spot` is not read: the decision's price is. `years` ≤ 0: expired, intrinsic value. */
  readonly option: OptionInputs;
}

export interface HedgeState {
  readonly options: readonly OptionPosition[];
  /** Units of the underlying held for the hedge. */
  readonly underlying: number;
  /** Instruments that could be traded now. */
  readonly tradable: readonly Omit<OptionPosition, 'quantity'>[];
  /** When the hedge was last traded; null or absent: never. Time-based hedging reads it. */
  readonly lastHedgedAt?: UnixSeconds | null;
}

export interface HedgeTrade {
  /** The underlying's policy name, or an instrument. */
  readonly instrument: string;
  /** Units to buy (positive) or sell. */
  readonly quantity: number;
}
