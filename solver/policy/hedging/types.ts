// What a hedging policy says, what it sees, and what it asks for.

import type { OptionInputs } from '../../types/risk.ts';

export type HedgeBandModel =
  | { readonly kind: 'whalleyWilmott'; readonly aversion: number }
  | { readonly kind: 'zakamouline'; readonly aversion: number }
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
  /** One-way proportional cost of the underlying. */
  readonly proportional: number;
}

/** An option held (positive) or written (negative), units of the underlying per contract = 1. */
export interface OptionPosition {
  readonly instrument: string;
  readonly quantity: number;
  readonly option: OptionInputs;
}

export interface HedgeState {
  readonly options: readonly OptionPosition[];
  /** Units of the underlying held for the hedge. */
  readonly underlying: number;
  /** Instruments that could be traded now. */
  readonly tradable: readonly Omit<OptionPosition, 'quantity'>[];
}

export interface HedgeTrade {
  /** The underlying's policy name, or an instrument. */
  readonly instrument: string;
  /** Units to buy (positive) or sell. */
  readonly quantity: number;
}
