// A filler's standing from what became of its awards. The rule:
//
//   An award that faded or was late is a strike. A strike counts for 7 days, and every award filled in
//   time takes the latest strike away (the latest, so that nothing older than a week matters). The
//   strike that makes n of them starts a cooldown of 60 s · 2^(n − 1), at most 24 h, from the moment
//   it happened. A fill cuts no running cooldown short, and overlapping ones end with the latest.
//
// A late fill counts like none: the owner was made to wait past the signed deadline and refunded.
// Pure: the same history gives the same answer at the same time.

import type { AwardOutcome, SolverStanding } from '../types/auction.ts';

export const STRIKE_MS = 7 * 24 * 3_600_000;
export const COOLDOWN_MIN_MS = 60_000;
export const COOLDOWN_MAX_MS = 24 * 3_600_000;
/** History older than this cannot matter: a strike's life and the longest cooldown after it. */
export const HISTORY_MS = STRIKE_MS + COOLDOWN_MAX_MS;

const COUNTED: ReadonlySet<string> = new Set<AwardOutcome>(['filled', 'late', 'faded']);

export interface PastAward {
  readonly outcome: AwardOutcome;
  /** When the outcome was known, milliseconds since 1970 by the database's clock. */
  readonly atMs: number;
}

/** Until when the filler may not bid; null: it may. `recent`: HISTORY_MS back at least, any order. */
export function cooldownUntil(recent: readonly PastAward[], nowMs: number): number | null {
  let strikes: readonly number[] = [];
  let until = 0;
  for (const { outcome, atMs } of recent.toSorted(chronological)) {
    // Whatever else may become of an award is nobody's fault and heals nothing.
    if (atMs > nowMs || !COUNTED.has(outcome)) continue;
    strikes = strikes.filter((at) => at > atMs - STRIKE_MS);
    if (outcome === 'filled') {
      strikes = strikes.slice(0, -1);
      continue;
    }
    strikes = [...strikes, atMs];
    until = Math.max(until, atMs + cooldownOf(strikes.length));
  }
  return until > nowMs ? until : null;
}

/** Milliseconds. From 12 strikes on it is the maximum; no power is taken beyond it. */
const cooldownOf = (strikes: number): number =>
  Math.min(COOLDOWN_MIN_MS * 2 ** Math.min(strikes - 1, 30), COOLDOWN_MAX_MS);

/** Strikes first where times are equal: nothing is healed before it happened. */
function chronological(a: PastAward, b: PastAward): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  return Number(a.outcome === 'filled') - Number(b.outcome === 'filled');
}

export function standingOf(
  totals: Omit<SolverStanding, 'cooldownUntilMs'>,
  recent: readonly PastAward[],
  nowMs: number,
): SolverStanding {
  return { ...totals, cooldownUntilMs: cooldownUntil(recent, nowMs) };
}
