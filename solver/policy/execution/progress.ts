// A rebalance in slices as one decision sees it: whether one is under way, what of it is due now, when it
// is over. Owns the words for it; what a slice may become is the limits', handed in as `allow`.

import type { Allowed } from '../limits/aim.ts';
import type { PolicyState, Reason, Skipped } from '../types.ts';
import { leftAfter, sliceAt, sliceLanding, slicesDue, stillToTrade } from './slices.ts';
import type { ExecutionHistory, SlicesInProgress, Slicing } from './types.ts';

/** What a decision gathers. */
export interface Notes {
  readonly state: PolicyState;
  readonly reasons: Reason[];
  readonly skipped: Skipped[];
  /** Seconds at which something may be different. */
  readonly looks: number[];
  /** null: the policy executes at once. */
  execution: ExecutionHistory | null;
}

export type Allow = (landing: Float64Array, skipped: Skipped[]) => Allowed;

/** After twice its time what is not done is given up: the threshold decides anew on what stands. */
const GIVEN_UP_AFTER = 2;

/** null: none is under way, or it has just been given up. */
export function slicesInProgress(slicing: Slicing | null, notes: Notes): SlicesInProgress | null {
  const progress = notes.execution?.slices ?? null;
  if (progress === null || slicing === null) return null;
  const end = progress.since + GIVEN_UP_AFTER * slicing.overSeconds;
  if (notes.state.now < end) return progress;
  const message = `slices begun at ${progress.since} were not done by ${end}: given up`;
  const { done } = progress;
  notes.skipped.push({ code: 'slicesGivenUp', message, data: { since: progress.since, done } });
  keep(notes, null);
  return null;
}

/** The slice that is due, through the limits; null: none is, or nothing of it is allowed. */
export function sliceNow(
  slicing: Slicing,
  progress: SlicesInProgress,
  notes: Notes,
  allow: Allow,
): Allowed | null {
  const { state, reasons } = notes;
  const { count } = slicing;
  const { since, done } = progress;
  const change = stillToTrade(progress, state.weights);
  if (change.every((d) => d === 0)) {
    return over(notes, 'the landing of the slices is reached');
  }
  const due = slicesDue(slicing, since, state.now);
  if (due <= done) {
    const at = sliceAt(slicing, since, done);
    const message = `slice ${done + 1} of ${count} is due at ${at}`;
    reasons.push({ code: 'sliceWaits', message, data: { slice: done + 1, of: count, at } });
    notes.looks.push(at);
    return null;
  }
  const landing = sliceLanding(leftAfter(slicing), state.weights, change, done, due);
  const allowed = allow(landing, notes.skipped);
  if (allowed.aim === null) {
    if (due === count) return over(notes, 'nothing of the last slice is allowed');
    notes.looks.push(sliceAt(slicing, since, due));
    if (allowed.retryAt !== null) notes.looks.push(Math.max(allowed.retryAt, state.now + 1));
    return null;
  }
  const message = `slice ${due} of ${count}, begun at ${since}`;
  reasons.push({ code: 'slice', message, data: { slice: due, of: count, since } });
  keep(notes, due === count ? null : { ...progress, done: due });
  return allowed;
}

/** A rebalance to `landing` whose first slice is done now. */
export interface FirstSlice {
  readonly allowed: Allowed;
  readonly skipped: readonly Skipped[];
  /** Says so, and keeps the rest for later. */
  begin(): void;
}

/** null: its first slice is smaller than any trade that is allowed: trade at once instead. */
export function firstSlice(
  slicing: Slicing,
  notes: Notes,
  wanted: Float64Array,
  allow: Allow,
): FirstSlice | null {
  const { state, reasons } = notes;
  const { now: since, weights } = state;
  const { count } = slicing;
  // Nothing is sold that is not held: a rule that thinks in risk alone may want an asset short.
  const change = stillToTrade({ from: [...weights], landing: [...wanted].map(held) }, weights);
  const landing = [...weights].map((w, i) => held(w + (change[i] ?? 0)));
  const progress = { since, from: [...weights], landing, done: 1 };
  const skipped: Skipped[] = [];
  const allowed = allow(sliceLanding(leftAfter(slicing), weights, change, 0, 1), skipped);
  if (allowed.aim === null) return null;
  return {
    allowed,
    skipped,
    begin() {
      const message = `slice 1 of ${count} over ${slicing.overSeconds} s`;
      const data = { slice: 1, of: count, overSeconds: slicing.overSeconds };
      reasons.push({ code: 'slice', message, data });
      notes.looks.push(sliceAt(slicing, since, 1));
      keep(notes, progress);
    },
  };
}

const held = (weight: number): number => Math.max(0, weight);

function over(notes: Notes, message: string): null {
  notes.reasons.push({ code: 'slicesOver', message });
  keep(notes, null);
  return null;
}

function keep(notes: Notes, slices: SlicesInProgress | null): void {
  if (notes.execution !== null) notes.execution = { ...notes.execution, slices };
}
