// A tolerance that is used up and grows back: what a portfolio may lose to slippage in all, refilling
// linearly. Enzyme's CumulativeSlippageTolerancePolicy does this over seven days: small losses add up
// against one limit, so that many bad trades are refused like one very bad one.

import type { UnixSeconds } from '../../types/amounts.ts';
import { InvalidInput } from '../../types/errors.ts';

export const TOLERANCE_SECONDS = 7 * 86_400;

export interface Tolerance {
  /** Fraction of worth that may be lost at once from a full tolerance. */
  readonly max: number;
  /** Seconds from empty to full. */
  readonly refillSeconds: number;
}

/** Lost and not yet grown back, as a fraction of worth, as of `at`. */
export interface ToleranceUsed {
  readonly used: number;
  readonly at: UnixSeconds;
}

/** What is still used at `now`; a clock that runs backwards grows nothing back. */
export function usedAt(tolerance: Tolerance, state: ToleranceUsed, now: UnixSeconds): number {
  const elapsed = Math.max(0, now - state.at);
  return Math.max(0, state.used - (tolerance.max * elapsed) / tolerance.refillSeconds);
}

/** The state after losing `loss` (fraction of worth, gains count as 0), or null where it is too much. */
export function useTolerance(
  tolerance: Tolerance,
  state: ToleranceUsed,
  loss: number,
  now: UnixSeconds,
): ToleranceUsed | null {
  if (!Number.isFinite(loss)) throw new InvalidInput(`loss must be a number, got ${loss}`);
  const used = usedAt(tolerance, state, now) + Math.max(0, loss);
  return used > tolerance.max ? null : { used, at: now };
}
