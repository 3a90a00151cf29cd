// The part of a decision that is about weights: a slice in progress, the threshold, the clock and the
// chains' limits, and what of the trade they want is allowed now. Asks execution/ whether it waits for
// gas and how much of it goes at once. README.md has the order.

import { driftRiskUsd } from './execution/gasTiming.ts';
import { firstSlice, type Notes, sliceNow } from './execution/progress.ts';
import type { SlicesInProgress } from './execution/types.ts';
import { waitForGas } from './execution/waitForGas.ts';
import type { AimLimits, Allowed, Wish } from './limits/aim.ts';
import { brokenLimits } from './limits/chains.ts';
import { fired } from './triggers/combine.ts';
import { type Crossing, type Model, trackingVariance } from './triggers/model.ts';
import type { Aim, Cause, Mode, Policy, PolicyState, Reason, Skipped } from './types.ts';

export interface Rebalance {
  readonly cause: Cause;
  readonly aim: Aim;
}

/** What a rebalance is decided with. */
export interface Ground {
  readonly policy: Policy;
  readonly model: Model;
  readonly limit: AimLimits;
  /** F, fraction of worth. */
  readonly fixed: number;
}

export interface Draft extends Notes {
  mode: Mode;
}

const HOUR_YEARS = 1 / 8_760;

/** What a schedule in progress wants now: it goes before the threshold and observes no cooldown. */
export function rebalanceInSlices(
  { policy, model, limit, fixed }: Ground,
  draft: Draft,
  progress: SlicesInProgress,
): Rebalance | null {
  const { state, reasons, skipped } = draft;
  const { slices } = policy.execution;
  if (slices === null) return null;
  const { targets, covariance } = model;
  const allowed = sliceNow(slices, progress, draft, (landing, left) =>
    limit(
      state,
      draft.mode,
      fixed,
      { landing, targets, covariance, aversion: null, chainsOnly: false },
      left,
    ),
  );
  if (allowed === null || allowed.aim === null) {
    if (reasons.length + skipped.length === 0) skipped.push(NOTHING);
    return null;
  }
  reasons.push(estimate(allowed));
  return { cause: 'schedule', aim: allowed.aim };
}

/** What threshold, clock and chains want now; `due`: a slot is to be answered. */
export function rebalance(ground: Ground, draft: Draft, due: boolean): Rebalance | null {
  const { policy, model } = ground;
  const { state, reasons, skipped } = draft;
  reasons.push(...model.reasons);
  const clockOnly = policy.objective.kind === 'calendar';
  const crossing = model.crossing(state.weights);
  const trigger = fired(policy.combine, clockOnly ? null : crossing !== null, due);
  const smallest = policy.costs.minTradeUsd / state.worthUsd;
  const broken =
    policy.chainLimits.length === 0 ? [] : brokenLimits(policy, state.chainWeights, smallest);
  if (trigger === null && broken.length === 0) {
    wanted(draft, null);
    reasons.push(crossing?.reason ?? model.inside(state.weights));
    if (crossing !== null) {
      const message = 'outside its band, but combine is "all": waits for the clock';
      skipped.push({ code: 'waitsForClock', message });
    }
    return null;
  }
  const wish = wishOf(state, model, crossing, trigger);
  reasons.push(...broken, ...whyOf(model, state, crossing, trigger));
  const chainsOnly = broken.length > 0;
  const trade = tradeOf(ground, draft, {
    ...wish,
    chainsOnly,
    ...(chainsOnly ? { aversion: null } : {}),
  });
  const { allowed } = trade;
  if (allowed.aim === null) {
    if (skipped.length === 0) skipped.push(NOTHING);
    if (allowed.retryAt !== null) draft.looks.push(Math.max(allowed.retryAt, state.now + 1));
    return null;
  }
  // A slot is the owner's moment, a chain's limit the owner's bound: neither waits.
  if (!due && !chainsOnly && waits(ground, draft, wish.landing)) return null;
  wanted(draft, null);
  trade.begin();
  reasons.push(estimate(allowed));
  return { cause: trigger ?? 'threshold', aim: allowed.aim };
}

const NOTHING: Skipped = { code: 'nothingToDo', message: 'nothing is left of the trade' };

/** All of the wish, or its first slice. */
function tradeOf(
  { policy, limit, fixed }: Ground,
  draft: Draft,
  wish: Wish,
): { readonly allowed: Allowed; begin(): void } {
  const { state, skipped } = draft;
  const { slices } = policy.execution;
  if (slices !== null && !wish.chainsOnly) {
    const first = firstSlice(slices, draft, wish.landing, (landing, left) =>
      limit(state, draft.mode, fixed, { ...wish, landing, aversion: null }, left),
    );
    if (first !== null) {
      skipped.push(...first.skipped);
      return first;
    }
  }
  const allowed = limit(state, draft.mode, fixed, wish, skipped);
  return { allowed, begin: () => {} };
}

/** Whether the trade waits for cheaper gas; remembers since when. */
function waits({ policy, model }: Ground, draft: Draft, landing: Float64Array): boolean {
  const { gasTiming } = policy.execution;
  const { state, execution } = draft;
  if (gasTiming === null || execution === null || model.kappa === null) return false;
  if (draft.mode !== 'normal') return false;
  const { targets, covariance } = model;
  const more =
    trackingVariance(state.weights, targets, covariance) -
    trackingVariance(landing, targets, covariance);
  const risk = driftRiskUsd(model.kappa, Math.max(0, more), HOUR_YEARS, state.worthUsd);
  const { now, gasUsd } = state;
  const reason = waitForGas(gasTiming, execution, now, gasUsd, risk);
  if (reason === null) return false;
  draft.skipped.push(reason);
  const since = execution.waitingSince ?? now;
  draft.looks.push(since + gasTiming.maxWaitSeconds);
  wanted(draft, since);
  return true;
}

function wanted(draft: Draft, since: PolicyState['now'] | null): void {
  if (draft.execution !== null) draft.execution = { ...draft.execution, waitingSince: since };
}

function estimate({ aim, cost }: Allowed): Reason {
  const turnover = aim?.turnover ?? 0;
  const costBps = cost * 1e4;
  const message = `turnover ${(turnover * 100).toFixed(3)} % at about ${costBps.toFixed(3)} bps`;
  return { code: 'estimate', message, data: { turnover, costBps } };
}

/** Where the trigger wants to land: the rule's landing, the target at a slot, or just the chains. */
function wishOf(
  state: PolicyState,
  { targets, covariance }: Model,
  crossing: Crossing | null,
  trigger: ReturnType<typeof fired>,
): Omit<Wish, 'chainsOnly'> {
  if (trigger === 'threshold' && crossing !== null) {
    return { landing: crossing.landing, aversion: crossing.aversion, targets, covariance };
  }
  const landing = trigger === 'time' ? targets : state.weights;
  return { landing, aversion: null, targets, covariance };
}

function whyOf(
  model: Model,
  state: PolicyState,
  crossing: Crossing | null,
  trigger: ReturnType<typeof fired>,
): readonly Reason[] {
  if (trigger === 'threshold' && crossing !== null) return [crossing.reason];
  const inside = model.inside(state.weights);
  if (trigger !== 'time') return [inside];
  return [{ code: 'slot', message: 'the clock: trade to the target' }, inside];
}
