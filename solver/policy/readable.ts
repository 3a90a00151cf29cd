// Whether a state can be decided on at all: as many numbers as assets, shares that are shares, a
// worth, times in order. States come from chains and feeds by way of the keeper; what is wrong with
// one is said, never thrown.

import type { Policy, PolicyState } from './types.ts';

/** Shares that sum to 1 but for rounding and dust in flight. */
const SUM_TOLERANCE = 1e-6;
const TIME_MAX = 0xffffffff;

/** null: it can; otherwise why not. */
export function unreadable(policy: Policy, state: PolicyState): string | null {
  const n = policy.assets.length;
  const { now, weights, worthUsd, history } = state;
  if (!isTime(now)) return `now is no Unix second: ${now}`;
  if (weights.length !== n) return `${weights.length} weights for ${n} assets`;
  if (state.prices.length !== n) return `prices of ${state.prices.length} assets, not ${n}`;
  if (!(worthUsd > 0 && worthUsd < Number.POSITIVE_INFINITY)) return `worth is ${worthUsd} dollars`;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const w = weights[i] ?? Number.NaN;
    if (!(w >= 0 && w <= 1 + SUM_TOLERANCE)) return `weight of ${policy.assets[i]} is ${w}`;
    sum += w;
  }
  if (Math.abs(sum - 1) > SUM_TOLERANCE) return `weights sum to ${sum}`;
  if (state.gasUsd !== null && !(state.gasUsd >= 0 && state.gasUsd < Infinity)) {
    return `gas is ${state.gasUsd} dollars`;
  }
  if (!isTime(history.armedAt)) return `armed at ${history.armedAt}`;
  if (history.armedAt > now) return `armed at ${history.armedAt}, after now ${now}`;
  for (const at of [history.lastSettledAt, history.lastScheduledAt]) {
    if (at !== null && !(isTime(at) && at <= now)) return `history of ${at}, after now ${now}`;
  }
  const { tripped } = state.breakers;
  if (tripped !== null && !isTime(tripped.at)) return `a breaker that tripped at ${tripped.at}`;
  for (const { at, cost, turnover } of history.settlements) {
    if (isTime(at) && cost >= -1 && cost <= 1 && turnover >= 0 && turnover <= 100) continue;
    return `a settlement at ${at} of cost ${cost} and turnover ${turnover}`;
  }
  return unreadableExecution(policy, history.execution, now);
}

function unreadableExecution(
  policy: Policy,
  execution: PolicyState['history']['execution'],
  now: number,
): string | null {
  if (execution === undefined) return null;
  const { gas, waitingSince, slices } = execution;
  for (const { at, usd } of gas) {
    if (isTime(at) && at <= now && usd > 0 && usd < Infinity) continue;
    return `gas of ${usd} dollars at ${at}`;
  }
  for (const at of [waitingSince, slices?.since ?? null]) {
    if (at !== null && !(isTime(at) && at <= now)) return `history of ${at}, after now ${now}`;
  }
  const slicing = policy.execution.slices;
  if (slices === null || slicing === null) return null;
  const { from, landing, done } = slices;
  if (!(Number.isInteger(done) && done >= 1 && done < slicing.count)) {
    return `${done} of ${slicing.count} slices are done and more to come`;
  }
  for (const weights of [from, landing]) {
    const sum = weights.reduce((all, w) => all + (w >= 0 ? w : Number.NaN), 0);
    if (weights.length !== policy.assets.length || !(Math.abs(sum - 1) <= SUM_TOLERANCE)) {
      return 'slices that lead from or to no portfolio';
    }
  }
  return null;
}

const isTime = (at: number): boolean => Number.isInteger(at) && at >= 0 && at <= TIME_MAX;
