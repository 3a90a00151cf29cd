// What rebalancing may still cost and turn over: per settlement, over 30 days, in gas. Owns the
// arithmetic of budgets; each limit answers with the turnover it leaves.

import { BUDGET_DAYS, DAY_SECONDS } from '../defaults.ts';
import type { PastSettlement } from '../types.ts';

const WINDOW = BUDGET_DAYS * DAY_SECONDS;

/**
 * What is left of a budget that refills linearly: every cost comes back evenly over the 30 days after
 * it, so that B − Σ cᵢ(1 − ageᵢ/30 d) remains. Settlements ahead of `now` count in full. Whoever always
 * spends all there is spends 2B a month in the long run, and in no 30 days more than e·B (with c(t)
 * spent per month, keeping nothing left means c′ = c, c(0) = B, after B at once: B + B(e − 1)).
 */
export function budgetLeft(
  budget: number,
  settlements: readonly PastSettlement[],
  now: number,
): number {
  return Math.max(0, balanceOf(budget, settlements, now));
}

/** Below 0 where settlements cost more than was left. */
function balanceOf(budget: number, settlements: readonly PastSettlement[], now: number): number {
  let left = budget;
  for (const { at, cost } of settlements) {
    const age = Math.max(0, now - at);
    if (age < WINDOW) left -= cost * (1 - age / WINDOW);
  }
  return left;
}

/** What is left of the turnover limit: its sum over the last 30 days, whole until they are over. */
export function turnoverLeft(
  limit: number,
  settlements: readonly PastSettlement[],
  now: number,
): number {
  let left = limit;
  for (const { at, turnover } of settlements) if (now - at < WINDOW) left -= turnover;
  return Math.max(0, left);
}

/** The turnover a cost limit leaves: cost = ε·turnover + F ≤ limit. */
export function turnoverWithin(costLimit: number, proportional: number, fixed: number): number {
  const room = costLimit - fixed;
  if (room < 0) return 0;
  return proportional > 0 ? room / proportional : Number.POSITIVE_INFINITY;
}

/**
 * When the refilling budget will hold `needed` again if nothing more is spent; null: never (it holds
 * less when full). Costs come back in straight lines that end at each one's 30th day.
 */
export function refilledAt(
  budget: number,
  needed: number,
  settlements: readonly PastSettlement[],
  now: number,
): number | null {
  if (needed > budget) return null;
  let at = now;
  for (let lines = 0; lines <= settlements.length; lines++) {
    const left = balanceOf(budget, settlements, at);
    if (left >= needed) return at;
    const active = settlements.filter((one) => at - one.at < WINDOW);
    const rate = active.reduce((sum, { cost }) => sum + cost, 0) / WINDOW;
    const ends = Math.min(...active.map((one) => one.at + WINDOW));
    const reached = at + Math.ceil((needed - left) / rate);
    if (reached <= ends) return reached;
    at = ends;
  }
  return at;
}
