// A policy, a state, one decision. Order: expiry, a state that can be read, prices, breakers, emergency
// deleveraging, blackout, a schedule in progress (leverage in chunks, a rebalance in slices), leverage out
// of its range, cooldown, the threshold and the hedge, the clock. Whatever is left undone is named in `skipped`, with numbers. It
// never throws on a state of a parsed policy, never trades on a price that is not believed, and
// knows no clock but state.now. README.md has the picture.

import { type UnixSeconds, unixSeconds } from '../types/amounts.ts';
import { InvalidInput } from '../types/errors.ts';
import type { RiskKernel } from '../types/risk.ts';
import { slicesInProgress } from './execution/progress.ts';
import { type ExecutionHistory, START_OF_EXECUTION } from './execution/types.ts';
import { withGas } from './execution/waitForGas.ts';
import { judgeBreakers, stricter } from './guards/judgeBreakers.ts';
import { judgePrices } from './guards/judgePrices.ts';
import { hedgeDecision } from './hedging/decide.ts';
import { type LeverageDecision, leverageDecision } from './leverage/decide.ts';
import { aimLimits } from './limits/aim.ts';
import { unreadable } from './readable.ts';
import {
  type Rebalance,
  type Draft as RebalanceDraft,
  rebalance,
  rebalanceInSlices,
} from './rebalance.ts';
import { afterBlackout, nextAt, slotAt } from './schedule/schedule.ts';
import { modelsOf } from './triggers/model.ts';
import type { Cause, Decision, Policy, PolicyState, Skipped } from './types.ts';

export interface Decider {
  decide(state: PolicyState): Decision;
}

/** Look again at least so often, whatever else is planned. */
const LOOK_SECONDS = 3_600;
/** After a failed price, or a limit that says no time: feeds answer within minutes. */
const RETRY_SECONDS = 300;
const LAST_SECOND = 0xffffffff;

/** One decision. Loops prepare once and ask often. */
export function decide(
  policy: Policy,
  state: PolicyState,
  ports: { readonly kernel: RiskKernel },
): Decision {
  return prepare(policy, ports.kernel).decide(state);
}

/** What is gathered while one decision is made. */
interface Draft extends RebalanceDraft {
  leverage: LeverageDecision | null;
}

/** Prepares whatever depends on the policy alone, or on a forecast that lasts. */
export function prepare(policy: Policy, kernel: RiskKernel): Decider {
  const modelFor = modelsOf(policy, kernel);
  const limit = aimLimits(policy);
  const slots = slotsOf(policy);
  return {
    decide(state) {
      const draft: Draft = {
        state,
        mode: 'normal',
        reasons: [],
        skipped: [],
        looks: [state.now + LOOK_SECONDS],
        leverage: null,
        execution: null,
      };
      const early = gate(policy, draft);
      if (early !== null) return early;
      draft.execution = executionOf(policy, state);
      const prices = guard(policy, draft);
      if (draft.mode === 'halted') return idle(draft);
      const levered = leverage(policy, draft, prices);
      if (levered !== null) return levered;
      if (prices === null) {
        draft.skipped.push({
          code: 'unpriced',
          message: 'weights are not known while a price is not believed: no rebalancing',
        });
        return idle(draft);
      }
      if (blackedOut(policy, draft)) return idle(draft);
      // Dust cannot lose more than itself: 1e−300 dollars would make F infinite.
      const fixed = Math.min(1, (state.gasUsd ?? policy.costs.fixedUsd) / state.worthUsd);
      const ground = () => ({ policy, limit, fixed, model: modelFor(state.forecast, fixed) });
      const progress = slicesInProgress(policy.execution.slices, draft);
      const slice = progress === null ? null : rebalanceInSlices(ground(), draft, progress);
      if (slice === null && cooling(policy, draft)) return idle(draft);
      const { history } = state;
      // While slices are under way no slot is answered: it is when they are over.
      const slot = slots(state.now, history.armedAt);
      const due =
        progress === null && slot !== null && slot > (history.lastScheduledAt ?? history.armedAt);
      if (due)
        draft.reasons.push({
          code: 'slotAnswered',
          message: `the slot of ${slot} is answered`,
          data: { slot },
        });
      const rebalanced = progress === null ? rebalance(ground(), draft, due) : slice;
      const hedged = hedge(policy, draft, prices, kernel);
      return conclude(policy, draft, rebalanced, hedged);
    },
  };
}

/** Expiry, and states nothing can be read from. */
function gate(policy: Policy, draft: Draft): Decision | null {
  const { state } = draft;
  if (policy.expires !== null && state.now >= policy.expires) {
    const message = `expired at ${policy.expires}`;
    draft.reasons.push({ code: 'expired', message, data: { expires: policy.expires } });
    draft.mode = 'halted';
    draft.looks.splice(0, 1, LAST_SECOND);
    return idle(draft);
  }
  if (policy.expires !== null) draft.looks.push(policy.expires);
  const fault = unreadable(policy, state);
  if (fault === null) return null;
  draft.mode = 'halted';
  draft.reasons.push({ code: 'unreadableState', message: fault });
  draft.looks.push(state.now + RETRY_SECONDS);
  return idle(draft);
}

/** Sets the mode; answers with the believed prices, or null. */
function guard(policy: Policy, draft: Draft): Float64Array | null {
  const { state } = draft;
  const { now } = state;
  const judged = judgePrices(policy.oracles, policy.assets, state.prices, now, state.twap);
  const { breakers } = policy;
  const broken = judgeBreakers(breakers, state.breakers, now, judged.prices, policy.assets);
  draft.reasons.push(...judged.reasons, ...broken.reasons);
  draft.mode = stricter(judged.mode, broken.mode);
  if (judged.prices === null) draft.looks.push(now + RETRY_SECONDS);
  if (broken.resumesAt !== null) draft.looks.push(Math.max(broken.resumesAt, now + 1));
  return judged.prices;
}

/** Decides on leverage, in the three places it has in the order. */
function leverage(policy: Policy, draft: Draft, prices: Float64Array | null): Decision | null {
  const levered = policy.leverage;
  if (levered === null) return null;
  const { state } = draft;
  const untradable = new Set(prices === null ? untradableAssets(policy, state) : []);
  const minTradeUsd = policy.costs.minTradeUsd;
  const limits = { mode: draft.mode, untradable, minTradeUsd };
  const past = state.history.leverage;
  const decision = orRefusal(draft.skipped, 'unreadableAccount', () =>
    leverageDecision(levered, state.accounts, state.now, past, limits),
  );
  if (decision === null) return null;
  draft.leverage = decision;
  draft.skipped.push(...decision.skipped);
  if (decision.nextAt !== null) draft.looks.push(decision.nextAt);
  const { trade } = decision;
  if (trade === null) {
    draft.reasons.push(...decision.reasons);
    return null;
  }
  const pending = past?.pending ?? null;
  const calm: Cause = trade.cause === 'interval' ? 'time' : 'threshold';
  const cause: Cause =
    trade.cause === 'emergency' ? 'emergency' : pending !== null ? 'schedule' : calm;
  if (cause !== 'emergency' && blackedOut(policy, draft)) {
    draft.leverage = null;
    return null;
  }
  draft.reasons.push(...decision.reasons);
  return act(draft, cause, { leverage: trade });
}

const untradableAssets = (policy: Policy, state: PolicyState): readonly string[] =>
  judgePrices(policy.oracles, policy.assets, state.prices, state.now, state.twap).untradable;

function blackedOut(policy: Policy, draft: Draft): boolean {
  const { now } = draft.state;
  if (policy.schedule === null || policy.schedule.blackouts.length === 0) return false;
  const end = afterBlackout(policy.schedule, now);
  if (end <= now) return false;
  const seen = draft.skipped.some(({ code }) => code === 'blackout');
  if (!seen) {
    const message = `blackout until ${end}`;
    draft.skipped.push({ code: 'blackout', message, data: { until: end } });
    draft.looks.push(end);
  }
  return true;
}

/** What is remembered of execution with this moment's gas; null: the policy executes at once. */
function executionOf({ execution }: Policy, state: PolicyState): ExecutionHistory | null {
  if (execution.gasTiming === null && execution.slices === null) return null;
  const known = state.history.execution ?? START_OF_EXECUTION;
  const gas = execution.gasTiming === null ? [] : withGas(known.gas, state.now, state.gasUsd);
  return { ...known, gas };
}

/** Whether the cooldown holds everything back but an emergency and a schedule in progress. */
function cooling(policy: Policy, draft: Draft): boolean {
  const { now, history } = draft.state;
  if (history.lastSettledAt === null) return false;
  const ready = history.lastSettledAt + policy.cooldownSeconds;
  if (now >= ready) return false;
  const message = `cooling down until ${ready}, ${ready - now} s more`;
  draft.skipped.push({ code: 'cooldown', message, data: { until: ready } });
  draft.looks.push(ready);
  return true;
}

function hedge(
  policy: Policy,
  draft: Draft,
  prices: Float64Array,
  kernel: RiskKernel,
): Decision['hedge'] {
  const { state } = draft;
  if (policy.hedge === null || state.hedge === null) return null;
  if (draft.mode !== 'normal') {
    const message = `${draft.mode}: the hedge is left as it is`;
    draft.skipped.push({ code: 'reduceOnly', message, asset: policy.hedge.underlying });
    return null;
  }
  const price = prices[policy.assets.indexOf(policy.hedge.underlying)] ?? Number.NaN;
  const book = state.hedge;
  const wanted = policy.hedge;
  const made = orRefusal(draft.skipped, 'unreadableBook', () =>
    hedgeDecision(wanted, book, price, kernel, state.now),
  );
  if (made === null) return null;
  draft.reasons.push(...made.reasons);
  draft.skipped.push(...made.skipped);
  if (made.nextAt !== null) draft.looks.push(made.nextAt);
  return made.trades.length > 0 ? made.trades : null;
}

/** Books and accounts are outside data: what no formula holds for is left alone, and said. */
function orRefusal<T>(skipped: Skipped[], code: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    skipped.push({ code, message: `left alone: ${error.message} (${error.pointer})` });
    return null;
  }
}

function conclude(
  policy: Policy,
  draft: Draft,
  rebalanced: Rebalance | null,
  hedged: Decision['hedge'],
): Decision {
  const { schedule } = policy;
  const { state } = draft;
  if (schedule !== null) draft.looks.push(nextAt(schedule, state.now, state.history.armedAt));
  const aim = rebalanced?.aim ?? null;
  if (rebalanced !== null && rebalanced.cause !== 'time') {
    return act(draft, rebalanced.cause, { aim, hedge: hedged });
  }
  if (hedged !== null) return act(draft, 'hedge', { aim, hedge: hedged });
  if (rebalanced !== null) return act(draft, rebalanced.cause, { aim });
  return idle(draft);
}

function act(
  draft: Draft,
  cause: Cause,
  what: Partial<Pick<Decision, 'aim' | 'leverage' | 'hedge'>>,
): Decision {
  return { ...idle(draft), kind: 'act', cause, ...what };
}

function idle(draft: Draft): Decision {
  const { state, mode, reasons, skipped, looks } = draft;
  const next = looks.reduce(
    (soonest, at) => (at > state.now && at < soonest ? at : soonest),
    LAST_SECOND,
  );
  return {
    at: state.now,
    mode,
    kind: 'idle',
    cause: null,
    aim: null,
    leverage: null,
    hedge: null,
    reasons,
    skipped,
    nextAt: later(next),
    ...(draft.leverage === null ? {} : { leverageHistory: draft.leverage.history }),
    ...(draft.execution === null ? {} : { executionHistory: draft.execution }),
  };
}

const later = (at: number): UnixSeconds =>
  unixSeconds(Math.min(LAST_SECOND, Math.max(0, Math.ceil(at))));

/** The last slot at a moment, remembered from one slot to the next. */
function slotsOf({ schedule }: Policy): (now: number, anchor: number) => number | null {
  if (schedule === null) return () => null;
  let known: { from: number; until: number; anchor: number; slot: number | null } | null = null;
  return (now, anchor) => {
    if (known === null || now < known.from || now >= known.until || anchor !== known.anchor) {
      const slot = slotAt(schedule, now, anchor);
      known = { from: slot ?? now, until: nextAt(schedule, now, anchor), anchor, slot };
    }
    return known.slot;
  };
}
