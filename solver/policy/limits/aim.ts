// From where the triggers would land to the aim that is allowed, through every limit in turn: chains,
// direction, smallest trade, turnover, cost, gas. Each scales the change towards standing still, or
// refuses it, and says so; none enlarges a trade but a chain's floor or cap.

import { SAFE_VOLATILITY } from '../defaults.ts';
import type { Aim, Mode, Policy, PolicyState, Skipped } from '../types.ts';
import { budgetLeft, refilledAt, turnoverLeft, turnoverWithin } from './budgets.ts';
import { boundsOf, withinBounds } from './chains.ts';
import { allowedChange, percent } from './direction.ts';

/** What the triggers ask for. */
export interface Wish {
  readonly landing: Float64Array;
  readonly targets: Float64Array;
  readonly covariance: Float64Array;
  readonly aversion: number | null;
  /** Moves between chains alone: the landing may equal the weights. */
  readonly chainsOnly: boolean;
}

export interface Allowed {
  /** null: refused; `skipped` says why. */
  readonly aim: Aim | null;
  /** When the refusing limit may let it pass; null: not known. */
  readonly retryAt: number | null;
  /** ε·turnover + F, fraction of worth. */
  readonly cost: number;
}

export type AimLimits = (
  state: PolicyState,
  mode: Mode,
  fixed: number,
  wish: Wish,
  skipped: Skipped[],
) => Allowed;

/** Prepares what of the limits depends on the policy alone. */
export function aimLimits(policy: Policy): AimLimits {
  const bounds = boundsOf(policy);
  const { assets, limits, prior } = policy;
  const risky = assets.map((_, i) => (prior.volatilities[i] ?? 0) > SAFE_VOLATILITY);
  return (state, mode, fixed, wish, skipped) => {
    const reducing = limits.reduceOnly || mode === 'reduceOnly';
    const directions = {
      assets,
      mayBuy: assets.map((name, i) => !limits.sellOnly.includes(name) && !(reducing && risky[i])),
      maySell: assets.map((name) => !limits.buyOnly.includes(name)),
      smallest: policy.costs.minTradeUsd / state.worthUsd,
      why: (i: number, side: 'buy' | 'sell') => {
        if (side === 'sell') return 'buyOnly';
        return limits.sellOnly.includes(assets[i] ?? '') ? 'sellOnly' : 'reduceOnly';
      },
    };
    const sellOnly = reducing
      ? assets.filter((name, i) => risky[i] || limits.sellOnly.includes(name))
      : limits.sellOnly;
    const landing =
      bounds === null ? wish.landing : withinBounds(wish.landing, bounds, assets, skipped);
    const change = landing.map((w, i) => w - (state.weights[i] ?? 0));
    const left = allowedChange(change, state.weights, directions, state.worthUsd, skipped);
    return withinBudgets(policy, state, fixed, { ...wish, sellOnly }, left, skipped);
  };
}

interface Budget {
  readonly code: string;
  readonly turnover: number;
  readonly said: string;
  readonly retryAt: number | null;
}

/** The turnover each budget leaves. */
function budgetsOf(policy: Policy, state: PolicyState, fixed: number): readonly Budget[] {
  const { costs, limits } = policy;
  const { settlements } = state.history;
  const perTrade = costs.maxBpsPerSettlement / 1e4;
  const month = costs.budgetBps30d / 1e4;
  const left = budgetLeft(month, settlements, state.now);
  const smallest = (costs.proportional * costs.minTradeUsd) / state.worthUsd + fixed;
  return [
    {
      code: 'turnoverLimit',
      turnover: turnoverLeft(limits.turnover30d, settlements, state.now),
      said: `turnover of ${percent(limits.turnover30d)} in 30 days`,
      retryAt: null,
    },
    {
      code: 'costBudget',
      turnover: turnoverWithin(left, costs.proportional, fixed),
      said: `${(left * 1e4).toFixed(2)} of ${costs.budgetBps30d} bps left of the 30-day budget`,
      retryAt: Number.isFinite(month) ? refilledAt(month, smallest, settlements, state.now) : null,
    },
    {
      code: 'costLimit',
      turnover: turnoverWithin(perTrade, costs.proportional, fixed),
      said: `${costs.maxBpsPerSettlement} bps for one settlement`,
      retryAt: null,
    },
  ];
}

function withinBudgets(
  policy: Policy,
  state: PolicyState,
  fixed: number,
  wish: Wish & { readonly sellOnly: readonly string[] },
  change: Float64Array,
  skipped: Skipped[],
): Allowed {
  const { costs, limits } = policy;
  const refused = (retryAt: number | null, cost: number): Allowed => ({ aim: null, retryAt, cost });
  const wanted = turnoverOf(change);
  const cost = costs.proportional * wanted + fixed;
  if (wanted === 0 && !wish.chainsOnly) return refused(null, cost);
  const gas = state.gasUsd;
  if (gas !== null && gas > costs.maxGasUsd) {
    const message = `gas of ${gas.toFixed(2)} dollars is above ${costs.maxGasUsd}`;
    skipped.push({ code: 'maxGas', message, data: { gasUsd: gas } });
    return refused(null, cost);
  }
  const budgets = budgetsOf(policy, state, fixed);
  const tightest = budgets.reduce((a, b) => (b.turnover < a.turnover ? b : a));
  const turnover = Math.min(wanted, tightest.turnover);
  if (turnover < wanted || tightest.turnover === 0) {
    const scaled = turnover * state.worthUsd >= costs.minTradeUsd && turnover > 0;
    const what = scaled ? `scaled to ${percent(turnover)}` : 'refused';
    const message = `turnover of ${percent(wanted)} ${what}: ${tightest.said}`;
    skipped.push({ code: tightest.code, message, data: { wanted, left: tightest.turnover } });
    if (!scaled) return refused(tightest.retryAt, cost);
  }
  const scale = wanted > 0 ? turnover / wanted : 0;
  const landing = state.weights.map((w, i) => w + scale * (change[i] ?? 0));
  const month = budgetLeft(costs.budgetBps30d / 1e4, state.history.settlements, state.now) * 1e4;
  const aim: Aim = {
    landing,
    targets: wish.targets,
    aversion: wish.aversion,
    covariance: wish.covariance,
    buyOnly: limits.buyOnly,
    sellOnly: wish.sellOnly,
    maxCostBps: Math.min(costs.maxBpsPerSettlement, month),
    maxSlippageBps: costs.maxSlippageBps,
    maxGasUsd: costs.maxGasUsd,
    turnover,
    ...(Number.isFinite(limits.turnover30d) ? { maxTurnover: budgets[0]?.turnover ?? 0 } : {}),
  };
  return { aim, retryAt: null, cost: costs.proportional * turnover + fixed };
}

/** ½Σ|d|. */
export function turnoverOf(change: Float64Array): number {
  let sum = 0;
  for (const d of change) sum += Math.abs(d);
  return sum / 2;
}
