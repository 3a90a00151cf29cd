// The policy's three nouns: the Policy (what the owner wants, after parsing), the PolicyState (what
// the world looks like at one moment) and the Decision (what to do about it, and why). Plain data;
// weights, costs and rates are f64 fractions, never amounts: a decision becomes amounts only through
// a quote, in exact integers. Every vector runs parallel to Policy.assets.

import type { UnixSeconds } from '../types/amounts.ts';
import type { ChainId } from '../types/ids.ts';
import type { ExecutionHistory, ExecutionPolicy } from './execution/types.ts';
import type { BreakerPolicy, BreakerState } from './guards/breakers.ts';
import type { OraclePolicy, PriceReading } from './guards/oracle.ts';
import type { HedgePolicy, HedgeState, HedgeTrade } from './hedging/types.ts';
import type { AccountHealth } from './leverage/accounts.ts';
import type { LeverageHistory, LeveragePolicy, LeverageTrade } from './leverage/types.ts';
import type { Schedule } from './schedule/schedule.ts';

export type Objective =
  /** Hold the tracking error near this (fraction per year): κ is solved for. */
  | { readonly kind: 'trackingError'; readonly annual: number }
  /** κ, per year. */
  | { readonly kind: 'aversion'; readonly perYear: number }
  /** Explicit bands; `landing` 0 trades to the target, 1 to the band's edge. */
  | {
      readonly kind: 'bands';
      readonly measure: 'absolute' | 'relative';
      readonly widths: readonly number[];
      readonly landing: number;
    }
  /** Only the clock: `schedule` is not null, and every slot trades to the target. */
  | { readonly kind: 'calendar' };

/** What is believed of returns before any history: annual, parallel to Policy.assets. */
export interface Prior {
  readonly volatilities: readonly number[];
  /** assets², row by row; positive semidefinite. */
  readonly covariance: Float64Array;
}

/** Floor and cap on what stands on one chain, fractions of the whole portfolio. */
export interface ChainLimit {
  readonly chain: ChainId;
  /** null: all assets together. */
  readonly asset: string | null;
  readonly floor: number;
  readonly cap: number;
}

export interface CostLimits {
  /** Most one settlement may cost, bps of what the portfolio is worth. */
  readonly maxBpsPerSettlement: number;
  /** Budget over 30 days in bps of worth, refilling linearly; Infinity: none. */
  readonly budgetBps30d: number;
  readonly maxSlippageBps: number;
  /** Dollars per settlement; Infinity: none. */
  readonly maxGasUsd: number;
  /** Dollars; smaller trades are skipped. */
  readonly minTradeUsd: number;
  /** Expected proportional cost ε of turnover, one way, and fixed cost F in dollars, until own settlements tell better. */
  readonly proportional: number;
  readonly fixedUsd: number;
}

export interface TradeLimits {
  /** Σ½|Δw| over 30 days; Infinity: none. */
  readonly turnover30d: number;
  readonly buyOnly: readonly string[];
  readonly sellOnly: readonly string[];
  readonly reduceOnly: boolean;
}

export interface Policy {
  readonly name: string;
  /** Policy names of assets, in the document's order; `universe` maps each to the network's asset id. */
  readonly assets: readonly string[];
  readonly universe: readonly string[];
  /** Chains it may use; null: all. */
  readonly chains: readonly ChainId[] | null;
  /** Fractions summing to 1; with a risk budget, what holds until a forecast exists. */
  readonly targets: readonly number[];
  /** Fractions summing to 1 over risky assets: targets come from risk parity on the forecast. */
  readonly riskBudget: readonly number[] | null;
  /** Exposure = min(cap, annual/σ̂); the rest goes to `cash`. */
  readonly volatilityTarget: {
    readonly annual: number;
    readonly cap: number;
    readonly cash: string;
  } | null;
  readonly chainLimits: readonly ChainLimit[];
  readonly prior: Prior;
  readonly objective: Objective;
  /** null: no time trigger. */
  readonly schedule: Schedule | null;
  readonly combine: 'any' | 'all';
  readonly costs: CostLimits;
  readonly limits: TradeLimits;
  readonly execution: ExecutionPolicy;
  readonly hedge: HedgePolicy | null;
  readonly leverage: LeveragePolicy | null;
  readonly oracles: OraclePolicy;
  readonly breakers: BreakerPolicy;
  /** Seconds after a settlement before the next decision. */
  readonly cooldownSeconds: number;
  readonly privacy: 'public' | 'commitment';
  readonly expires: UnixSeconds | null;
}

/** What the forecast says of the assets' returns; covariance annual, row by row. */
export interface Forecast {
  readonly covariance: Float64Array;
  /** `prior`, `ewma`, … and how many observations stand behind it. */
  readonly source: string;
  /** The usual level of variance over the covariance's; absent: 1. What a budget for the year is kept at. */
  readonly usual?: number;
}

/** One past settlement, as budgets and limits count it. */
export interface PastSettlement {
  readonly at: UnixSeconds;
  /** Fraction of worth. */
  readonly cost: number;
  readonly turnover: number;
}

export interface PolicyHistory {
  readonly armedAt: UnixSeconds;
  /** null: never. */
  readonly lastSettledAt: UnixSeconds | null;
  /** When the time trigger was last answered, so that one slot fires once. */
  readonly lastScheduledAt: UnixSeconds | null;
  /** At least the last 30 days, ascending. */
  readonly settlements: readonly PastSettlement[];
  /** Absent: leverage has done nothing yet. */
  readonly leverage?: LeverageHistory;
  /** Absent: nothing waits, nothing is in progress. */
  readonly execution?: ExecutionHistory;
}

export interface PolicyState {
  readonly now: UnixSeconds;
  /** Shares of worth, funds in flight included. */
  readonly weights: Float64Array;
  /** Worth per chain and asset as shares: chain → vector; only chains in use. */
  readonly chainWeights: ReadonlyMap<ChainId, Float64Array>;
  /** Dollars, funds in flight included. */
  readonly worthUsd: number;
  /** Per asset, every source's reading. */
  readonly prices: readonly (readonly PriceReading[])[];
  /** Time-weighted averages, parallel to assets; needed where the policy sets maxTwapGapBps. */
  readonly twap?: readonly (number | null)[];
  readonly forecast: Forecast;
  readonly history: PolicyHistory;
  readonly breakers: BreakerState;
  /** Lending accounts a trade would touch, options and their hedge; empty where the policy has none. */
  readonly accounts: readonly AccountHealth[];
  readonly hedge: HedgeState | null;
  /** Dollars per settlement at today's gas; null: not known. */
  readonly gasUsd: number | null;
}

/** Why something was decided. `code` is stable; numbers carry their unit in their name. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, number | string | boolean>>;
}
/** What was considered and left undone. */
export interface Skipped extends Reason {
  readonly asset?: string;
}

export type Mode = 'normal' | 'reduceOnly' | 'halted';
export type Cause = 'emergency' | 'schedule' | 'threshold' | 'time' | 'hedge';

/** What a rebalance should reach, for the quote. */
export interface Aim {
  /** Weights to stand at afterwards, over all chains; sum 1. */
  readonly landing: Float64Array;
  /** Targets that displacement is measured from. */
  readonly targets: Float64Array;
  /**
   * κτ for the optimizer's ½κτ‖e + Bf‖²_Σ: it then decides whether, what and how far. null: trade to
   * `landing` exactly (explicit bands, emergency).
   */
  readonly aversion: number | null;
  readonly covariance: Float64Array;
  /** Assets that may only be bought or only be sold in this trade. */
  readonly buyOnly: readonly string[];
  readonly sellOnly: readonly string[];
  readonly maxCostBps: number;
  readonly maxSlippageBps: number;
  readonly maxGasUsd: number;
  /** ½Σ|landing − weights|. */
  readonly turnover: number;
  /** What the 30-day limit still allows; absent: no limit. */
  readonly maxTurnover?: number;
}

export interface Decision {
  readonly at: UnixSeconds;
  readonly mode: Mode;
  /** `act`: `aim`, `leverage` or `hedge` say what. */
  readonly kind: 'act' | 'idle';
  /** Highest priority first: emergency, schedule, threshold (hedge), time. null when idle. */
  readonly cause: Cause | null;
  readonly aim: Aim | null;
  readonly leverage: LeverageTrade | null;
  /** With leverage: to be stored as PolicyHistory.leverage, once the trade is done if there is one. */
  readonly leverageHistory?: LeverageHistory;
  /**
   * With gas timing or slices: to be stored as PolicyHistory.execution, at once when idle, once the
   * trade is signed when not.
   */
  readonly executionHistory?: ExecutionHistory;
  readonly hedge: readonly HedgeTrade[] | null;
  readonly reasons: readonly Reason[];
  readonly skipped: readonly Skipped[];
  /** When nothing else happens, look again then. */
  readonly nextAt: UnixSeconds;
}
