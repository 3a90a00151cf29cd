// Whether a policy must stop, and when it may go on. It refuses nothing: it answers with a mode, why,
// and the state to store.
//
// Untripped, the first condition that holds trips. Tripped, it goes on when its time is over and no
// condition holds; a condition that still or newly holds keeps it waiting and says so. Failures are the
// exception, because a policy that stands still cannot show that it would succeed: after its time one
// attempt is allowed, and one more failure trips it again.

import { type UnixSeconds, unixSeconds } from '../../types/amounts.ts';
import type { Mode, Reason } from '../types.ts';
import type { BreakerPolicy, BreakerState } from './breakers.ts';

export interface BreakerJudgement {
  readonly mode: Mode;
  readonly tripped: BreakerState['tripped'];
  /** To be stored: trips, resumptions, worth that has left the window. */
  readonly next: BreakerState;
  readonly reasons: readonly Reason[];
  /** Earliest moment it may go on; null: not tripped, or only the owner resumes. */
  readonly resumesAt: UnixSeconds | null;
}

/** Conditions that are measured in prices. */
const OF_PRICES: readonly string[] = ['drawdown', 'move'];

/** `prices` now, parallel to Policy.assets as `state.pricesHourAgo` is; null: not known. */
export function judgeBreakers(
  policy: BreakerPolicy,
  state: BreakerState,
  now: UnixSeconds,
  prices: Float64Array | null,
  assets: readonly string[] = [],
): BreakerJudgement {
  const from = now - (policy.drawdown?.windowSeconds ?? 0);
  const worth = state.worth.filter(({ at }) => at >= from && at <= now);
  const kept = { ...state, worth };
  const holding = conditions(policy, kept, now, prices, assets);
  if (state.tripped !== null) {
    // While no price is believed nobody can say that a move or a fall is over.
    const unseen = prices === null && OF_PRICES.includes(state.tripped.code);
    return waiting(policy, kept, state.tripped, now, holding, unseen);
  }
  const first = holding[0];
  if (first === undefined) {
    return { mode: 'normal', tripped: null, next: kept, reasons: venues(state), resumesAt: null };
  }
  const tripped = { at: now, code: first.code };
  return {
    mode: stopped(policy),
    tripped,
    next: { ...kept, tripped },
    reasons: [...holding, resumption(policy, tripped)],
    resumesAt: earliest(policy, tripped),
  };
}

/** The owner's word: untripped, and failures forgotten. Conditions that still hold trip it again. */
export function resumed(state: BreakerState): BreakerState {
  return { ...state, consecutiveFailures: 0, tripped: null };
}

/** The stricter of two modes. */
export function stricter(a: Mode, b: Mode): Mode {
  const order: readonly Mode[] = ['normal', 'reduceOnly', 'halted'];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

function waiting(
  policy: BreakerPolicy,
  state: BreakerState,
  tripped: NonNullable<BreakerState['tripped']>,
  now: UnixSeconds,
  holding: readonly Reason[],
  unseen: boolean,
): BreakerJudgement {
  const resumesAt = earliest(policy, tripped);
  const over = resumesAt !== null && now >= resumesAt;
  const failuresOnly = holding.every(({ code }) => code === 'failures');
  if (!over || !failuresOnly || unseen) {
    return {
      mode: stopped(policy),
      tripped,
      next: state,
      reasons: [resumption(policy, tripped), ...holding],
      resumesAt,
    };
  }
  const failures = Math.min(state.consecutiveFailures, policy.maxConsecutiveFailures - 1);
  const message = `${tripped.code} is over: the policy goes on`;
  return {
    mode: 'normal',
    tripped: null,
    next: { ...state, tripped: null, consecutiveFailures: Math.max(0, failures) },
    reasons: [{ code: 'resumed', message, data: { trippedAt: tripped.at } }, ...venues(state)],
    resumesAt: null,
  };
}

/** Every condition that holds now, in the order they are named when several do. */
function conditions(
  policy: BreakerPolicy,
  state: BreakerState,
  now: UnixSeconds,
  prices: Float64Array | null,
  assets: readonly string[],
): Reason[] {
  const found: Reason[] = [];
  const { drawdown, maxMovePerHour, maxMessagingOutageSeconds: outageMax } = policy;
  if (drawdown !== null) {
    const peak = state.worth.reduce((most, { usd }) => Math.max(most, usd), 0);
    const fall = peak > 0 ? 1 - (state.worth.at(-1)?.usd ?? peak) / peak : 0;
    if (fall > drawdown.max) {
      const message = `worth fell ${percent(fall)} from its peak, more than ${percent(drawdown.max)}`;
      found.push({ code: 'drawdown', message, data: { fall, max: drawdown.max } });
    }
  }
  const before = state.pricesHourAgo;
  if (maxMovePerHour !== null && prices !== null && before !== null) {
    for (const [index, price] of prices.entries()) {
      const move = price / (before[index] ?? price) - 1;
      if (!(Math.abs(move) > maxMovePerHour)) continue;
      const asset = assets[index] ?? `asset ${index}`;
      const message = `${asset} moved ${percent(move)} in an hour, more than ${percent(maxMovePerHour)}`;
      found.push({ code: 'move', message, data: { asset, move } });
    }
  }
  if (state.consecutiveFailures >= policy.maxConsecutiveFailures) {
    const failures = state.consecutiveFailures;
    found.push({
      code: 'failures',
      message: `${failures} settlements failed in a row, ${policy.maxConsecutiveFailures} are too many`,
      data: { failures },
    });
  }
  if (outageMax !== null && state.messagingDownSince !== null) {
    const seconds = now - state.messagingDownSince;
    if (seconds > outageMax) {
      const message = `no message proven for ${seconds} s, at most ${outageMax}`;
      found.push({ code: 'messaging', message, data: { seconds } });
    }
  }
  if (policy.maxFailedVenues !== undefined && state.failedVenues.length > policy.maxFailedVenues) {
    const down = state.failedVenues.length;
    const message = `${down} venues are down, at most ${policy.maxFailedVenues}`;
    found.push({ code: 'venues', message, data: { down } });
  }
  return found;
}

function venues(state: BreakerState): Reason[] {
  if (state.failedVenues.length === 0) return [];
  const list = state.failedVenues.join(', ');
  return [{ code: 'venuesAvoided', message: `not used while they are down: ${list}` }];
}

function stopped(policy: BreakerPolicy): Mode {
  return policy.onTrip === 'halt' ? 'halted' : 'reduceOnly';
}

function earliest(
  policy: BreakerPolicy,
  tripped: NonNullable<BreakerState['tripped']>,
): UnixSeconds | null {
  const seconds = policy.resumeAfterSeconds;
  return seconds === null ? null : unixSeconds(Math.min(0xffffffff, tripped.at + seconds));
}

function resumption(policy: BreakerPolicy, tripped: NonNullable<BreakerState['tripped']>): Reason {
  const at = earliest(policy, tripped);
  const message =
    at === null
      ? `stopped at ${tripped.at} by ${tripped.code}: waits for its owner`
      : `stopped at ${tripped.at} by ${tripped.code}: goes on once it is over, not before ${at}`;
  return { code: 'tripped', message, data: { code: tripped.code, at: tripped.at } };
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
