// What the chains say about one awarded order, as plain data. Everything here was read at finality
// (a block with the chain's confirmations on top). A chain that could not be read is a fact too, so
// that no decision mistakes silence for "nothing happened". Decides nothing: decide.ts does.

import type { UnixSeconds } from '../types/amounts.ts';
import type { Hex } from '../types/ids.ts';
import type { BlockRef } from '../types/ports.ts';

export type SlotStatus = 'none' | 'open' | 'released' | 'refunded' | 'cancelled';
/** How an awarded output is proven at one origin. */
export type Proof = 'fill' | 'tombstone' | 'none';

export interface OriginFact {
  readonly reachable: true;
  readonly chainId: number;
  readonly at: BlockRef;
  readonly status: SlotStatus;
  /** The slot carries this order's awardId. Another award's slot is as good as closed to us. */
  readonly ours: boolean;
  /** One per output of the order. */
  readonly proofs: readonly Proof[];
}

export interface OutputFact {
  readonly reachable: true;
  readonly index: number;
  readonly chainId: number;
  readonly at: BlockRef;
  readonly record: 'empty' | 'tombstone' | 'filled';
  /** Who filled and when, from the fill's event, checked against the record. Null unless filled. */
  readonly fill: { readonly solver: Hex; readonly timestamp: UnixSeconds } | null;
}

export interface Unreachable {
  readonly reachable: false;
  readonly chainId: number;
  readonly error: string;
}
export interface UnreachableOutput extends Unreachable {
  readonly index: number;
}

export interface OrderFacts {
  readonly origins: readonly (OriginFact | Unreachable)[];
  readonly outputs: readonly (OutputFact | UnreachableOutput)[];
}

export interface OrderTimes {
  readonly openBy: number;
  readonly fillDeadline: number;
  readonly expiry: number;
}

export const isOpen = (origin: OriginFact | Unreachable): origin is OriginFact =>
  origin.reachable && origin.ours && origin.status === 'open';

/** Its slot left Open one way or the other, under this award. */
export const isClosed = (origin: OriginFact | Unreachable): boolean =>
  origin.reachable && origin.ours && (origin.status === 'released' || origin.status === 'refunded');

/** Can never become Open under this award: taken by something else, or too late at finality. */
export function isDead(origin: OriginFact | Unreachable, openBy: number): boolean {
  if (!origin.reachable || isClosed(origin)) return false;
  if (origin.status === 'open') return !origin.ours;
  return origin.status !== 'none' || origin.at.timestamp > openBy;
}

export const filledInTime = (
  output: OutputFact | UnreachableOutput,
  fillDeadline: number,
): boolean => output.reachable && output.fill !== null && output.fill.timestamp <= fillDeadline;

/** Can never be filled in time any more: tombstoned, filled late, or empty after the deadline. */
export const isLost = (output: OutputFact | UnreachableOutput, fillDeadline: number): boolean =>
  output.reachable &&
  (output.record === 'tombstone' ||
    (output.fill !== null && output.fill.timestamp > fillDeadline) ||
    (output.record === 'empty' && output.at.timestamp > fillDeadline));

export const allOpen = (facts: OrderFacts): boolean => facts.origins.every(isOpen);

export const allFilledInTime = (facts: OrderFacts, fillDeadline: number): boolean =>
  facts.outputs.every((output) => filledInTime(output, fillDeadline));
