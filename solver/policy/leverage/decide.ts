// Whether to change leverage now, by how much, and why or why not. Order: an emergency (any account
// too near its floor, or the levered one at the emergency ratio), a schedule of chunks in progress,
// the ratio outside min … max, the interval. It trades on no account of which one price is not
// believed, adds no exposure in reduce-only mode, and does nothing while halted.

import { type UnixSeconds, unixSeconds } from '../../types/amounts.ts';
import type { Mode, Reason, Skipped } from '../types.ts';
import { type AccountHealth, checkAccount, healthFactor, leverageRatio } from './accounts.ts';
import { healthNeeded, highestRatio, margin, nextChunk } from './chunk.ts';
import { recentered } from './restore.ts';
import {
  type LeverageCause,
  type LeverageHistory,
  type LeveragePolicy,
  type LeverageTrade,
  START_OF_LEVERAGE,
} from './types.ts';

/** What the guards leave room for. */
export interface LeverageLimits {
  readonly mode: Mode;
  /** Assets whose price is not believed. */
  readonly untradable: ReadonlySet<string>;
  /** Dollars; smaller trades are skipped, emergencies excepted. */
  readonly minTradeUsd: number;
}

export interface LeverageDecision {
  readonly trade: LeverageTrade | null;
  /** To be stored once `trade` is done; without a trade, at once. */
  readonly history: LeverageHistory;
  readonly reasons: readonly Reason[];
  readonly skipped: readonly Skipped[];
  /** When time alone may change this answer; null: never. */
  readonly nextAt: UnixSeconds | null;
}

const OPEN: LeverageLimits = { mode: 'normal', untradable: new Set(), minTradeUsd: 0 };
/** Trades below this share of the exposure are rounding, not trades. */
const NOTHING = 1e-12;

interface Wanted {
  readonly account: AccountHealth;
  readonly cause: LeverageCause;
  readonly to: number;
  readonly reason: Reason;
}

/**
 * Values in `accounts` are dollars at judged prices. Throws InvalidInput on numbers that are none.
 * Recentering on the account named by the policy (else the first); safety on all of them.
 */
export function leverageDecision(
  policy: LeveragePolicy,
  accounts: readonly AccountHealth[],
  now: UnixSeconds,
  history: LeverageHistory = START_OF_LEVERAGE,
  limits: LeverageLimits = OPEN,
): LeverageDecision {
  accounts.forEach((account, index) => {
    checkAccount(account, `/accounts/${index}`);
  });
  const idle = (reasons: Reason[], skipped: Skipped[], nextAt: UnixSeconds | null) => ({
    trade: null,
    history,
    reasons,
    skipped,
    nextAt,
  });
  if (limits.mode === 'halted') {
    return idle([{ code: 'halted', message: 'halted: leverage is left as it is' }], [], null);
  }
  const skipped: Skipped[] = [];
  const priced = accounts.filter((account) => {
    const unknown = account.collateral.find((held) => limits.untradable.has(held.asset));
    if (unknown === undefined) return true;
    skipped.push({
      code: 'unpriced',
      message: `${account.account}: the price of ${unknown.asset} is not believed, so its health is not known`,
      asset: unknown.asset,
    });
    return false;
  });

  const main = accounts.find(({ account }) => account === (policy.account ?? accounts[0]?.account));
  const urgent = emergencies(policy, priced, main, history);
  const reasons = urgent.map((one) => one.reason);
  let wakeAt: UnixSeconds | null = null;
  for (const wanted of urgent) {
    const before = history.emergencies[wanted.account.account]?.at ?? null;
    const readyAt = after(before, policy.emergencyCooldownSeconds);
    if (readyAt > now) {
      reasons.push(cooling('emergencyCooldown', readyAt));
      wakeAt = wakeAt === null || readyAt < wakeAt ? readyAt : wakeAt;
      continue;
    }
    const made = attempt(policy, accounts, wanted, limits, skipped);
    if (made === null) continue;
    const decision = done(made, wanted, now, policy, history, skipped, wanted.account === main);
    // The others do not wait for this one's cooldown.
    return urgent.length > 1 ? { ...decision, nextAt: after(now, 1) } : decision;
  }
  if (main === undefined || !priced.includes(main)) {
    const message = `no account ${policy.account ?? ''} whose health is known`;
    return idle([...reasons, { code: 'noAccount', message }], skipped, wakeAt);
  }
  if (urgent.some(({ account }) => account === main)) return idle(reasons, skipped, wakeAt);
  const calm = ordinary(policy, main, now, history);
  // While another account waits for relief, this one may only shrink.
  const room: LeverageLimits = urgent.length > 0 ? { ...limits, mode: 'reduceOnly' } : limits;
  const made = calm.wanted && attempt(policy, accounts, calm.wanted, room, skipped);
  if (calm.wanted && made) return done(made, calm.wanted, now, policy, history, skipped, true);
  const nextAt = wakeAt ?? calm.nextAt;
  return { ...idle([...reasons, calm.reason], skipped, nextAt), history: calm.history };
}

/** Accounts to relieve now, nearest their edge first, then an emergency schedule in progress. */
function emergencies(
  policy: LeveragePolicy,
  priced: readonly AccountHealth[],
  main: AccountHealth | undefined,
  history: LeverageHistory,
): Wanted[] {
  const found: Wanted[] = [];
  const sorted = [...priced].sort((a, b) => margin(policy, a) - margin(policy, b));
  for (const account of sorted) {
    if (account.debtUsd === 0) continue;
    const ratio = leverageRatio(account);
    const safest = highestRatio(policy, account);
    const to = account === main ? Math.min(policy.target, safest) : safest;
    const under = history.emergencies[account.account]?.to ?? null;
    if (margin(policy, account) < 1) {
      found.push({ account, cause: 'emergency', to, reason: nearFloor(policy, account) });
    } else if (account === main && ratio >= policy.emergency) {
      const message = `leverage ${ratio.toFixed(4)} is at or above the emergency ratio ${policy.emergency}`;
      const data = { ratio, emergency: policy.emergency };
      found.push({
        account,
        cause: 'emergency',
        to,
        reason: { code: 'emergencyRatio', message, data },
      });
    } else if (under !== null && ratio > under * (1 + NOTHING)) {
      const message = `an emergency deleveraging to ${under.toFixed(4)} is under way`;
      const reason = { code: 'emergencyChunk', message, data: { ratio, to: under } };
      found.push({ account, cause: 'emergency', to: under, reason });
    }
  }
  return found;
}

function nearFloor(policy: LeveragePolicy, account: AccountHealth): Reason {
  const health = healthFactor(account);
  const needed = healthNeeded(policy, account);
  const floor = account.healthFloor ?? policy.healthFloor;
  return {
    code: 'emergencyHealth',
    message: `${account.account}: health ${health.toFixed(4)} is below ${needed.toFixed(4)}, what the floor ${floor} needs to survive the worst move`,
    data: { health, needed, floor },
  };
}

/** What the levered account wants when nothing is urgent. */
function ordinary(
  policy: LeveragePolicy,
  account: AccountHealth,
  now: UnixSeconds,
  history: LeverageHistory,
): {
  readonly wanted: Wanted | null;
  readonly reason: Reason;
  readonly history: LeverageHistory;
  readonly nextAt: UnixSeconds | null;
} {
  const ratio = leverageRatio(account);
  const kept = stillPending(history, account, ratio);
  if (ratio === 0) {
    const message = `${account.account} is empty`;
    return { wanted: null, reason: { code: 'empty', message }, history: kept, nextAt: null };
  }
  const wish = (cause: LeverageCause, to: number, code: string, message: string) => {
    const reason = { code, message, data: { ratio, to } };
    return { wanted: { account, cause, to, reason }, reason, history: kept, nextAt: null };
  };
  if (kept.pending !== null) {
    const readyAt = after(history.lastTradeAt, policy.chunkSeconds ?? 0);
    if (readyAt > now) {
      const reason = cooling('chunkCooldown', readyAt);
      return { wanted: null, reason, history: kept, nextAt: readyAt };
    }
    const { cause, to } = kept.pending;
    return wish(cause, to, 'chunk', `the next chunk of the way to ${to.toFixed(4)}`);
  }
  const to = recentered(ratio, policy);
  const shown = ratio.toFixed(4);
  if (ratio > policy.max) {
    return wish('max', to, 'aboveMax', `leverage ${shown} is above ${policy.max}`);
  }
  if (ratio < policy.min) {
    return wish('min', to, 'belowMin', `leverage ${shown} is below ${policy.min}`);
  }
  const dueAt = after(history.lastTradeAt, policy.intervalSeconds);
  if (dueAt > now) {
    const reason = cooling('withinInterval', dueAt);
    return { wanted: null, reason, history: kept, nextAt: dueAt };
  }
  return wish('interval', to, 'interval', `the interval is over: recenter ${shown} towards target`);
}

/** A schedule of chunks is dropped once the market has carried the ratio past where it led. */
function stillPending(
  history: LeverageHistory,
  account: AccountHealth,
  ratio: number,
): LeverageHistory {
  const { pending } = history;
  if (pending === null) return history;
  const ahead = pending.down ? ratio - pending.to : pending.to - ratio;
  const gone = pending.account !== account.account || ahead <= NOTHING * ratio;
  return gone ? { ...history, pending: null } : history;
}

function attempt(
  policy: LeveragePolicy,
  accounts: readonly AccountHealth[],
  wanted: Wanted,
  limits: LeverageLimits,
  skipped: Skipped[],
): LeverageTrade | null {
  const { account, cause } = wanted;
  const rising = wanted.to > leverageRatio(account);
  const skip = (code: string, message: string): null => {
    skipped.push({ code, message });
    return null;
  };
  if (rising && limits.mode === 'reduceOnly') {
    return skip('reduceOnly', `reduce-only: no exposure is added to ${account.account}`);
  }
  // Exposure is never added past where the next worst move would already be an emergency.
  const to = rising ? Math.min(wanted.to, highestRatio(policy, account)) : wanted.to;
  if (rising && to <= leverageRatio(account)) {
    return skip(
      'healthFloor',
      `${account.account}: more exposure would not survive the worst move`,
    );
  }
  const chunk = nextChunk(policy, accounts, account, to, cause, limits.untradable);
  if ('refused' in chunk) return skip(chunk.refused, chunk.message);
  const size = Math.abs(chunk.exposureUsd);
  const whole = size + Math.abs(chunk.remainingUsd);
  const exposure = account.collateral.reduce((sum, held) => sum + held.valueUsd, 0);
  if (size <= NOTHING * exposure)
    return skip('atTarget', `${account.account} stands where it should`);
  if (cause !== 'emergency' && whole < limits.minTradeUsd) {
    return skip('minTrade', `${whole.toFixed(2)} dollars are less than the smallest trade`);
  }
  return chunk;
}

function done(
  trade: LeverageTrade,
  wanted: Wanted,
  now: UnixSeconds,
  policy: LeveragePolicy,
  history: LeverageHistory,
  skipped: readonly Skipped[],
  ofMain: boolean,
): LeverageDecision {
  const urgent = trade.cause === 'emergency';
  const { to, account, cause } = trade;
  const more = Math.abs(trade.remainingUsd) > NOTHING * Math.abs(trade.exposureUsd);
  const pending = more && !urgent ? { cause, to, account, down: trade.exposureUsd < 0 } : null;
  const wait = urgent ? policy.emergencyCooldownSeconds : (policy.chunkSeconds ?? 0);
  return {
    trade,
    history: {
      lastTradeAt: ofMain ? now : history.lastTradeAt,
      pending: ofMain ? pending : history.pending,
      emergencies: urgent
        ? { ...history.emergencies, [account]: { at: now, to: more ? to : null } }
        : history.emergencies,
    },
    reasons: [wanted.reason],
    skipped,
    nextAt: after(now, more ? wait : policy.intervalSeconds),
  };
}

function cooling(code: string, until: UnixSeconds): Reason {
  return { code, message: `not before ${until}`, data: { until } };
}

function after(then: UnixSeconds | null, seconds: number): UnixSeconds {
  return unixSeconds(then === null ? 0 : Math.min(0xffffffff, then + seconds));
}
