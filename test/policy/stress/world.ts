// The simulated owner's books: coins and dollars owed per levered account, a spot portfolio, what was
// traded and what it cost. Trades happen at true prices; COST of what moves is lost.

import type { BreakerState } from '../../../solver/policy/guards/breakers.ts';
import type { AccountHealth } from '../../../solver/policy/leverage/accounts.ts';
import type { Mode } from '../../../solver/policy/types.ts';
import { ASSETS, type Fault, type Window } from './scenarios.ts';

export const THRESHOLD = 0.8;
/** Cost of a trade, fraction of what moves. */
export const COST = 0.003;
export const EQUITY_USD = 1_000_000;

export interface Loan {
  readonly asset: 'BTC' | 'ETH';
  coins: number;
  /** USDC owed. */
  debt: number;
}

export interface Traded {
  readonly hour: number;
  readonly asset: string;
  readonly cause: string;
  readonly exposureUsd: number;
  /** Price the trade was decided on over the true one, for the asset and for USDC. */
  readonly believedOverTrue: readonly [number, number];
  readonly mode: Mode;
}

export interface Seen {
  readonly hour: number;
  readonly mode: Mode;
  readonly tripped: BreakerState['tripped'];
  readonly untradable: readonly string[];
  /** By true prices, before this hour's trades: lowest health, highest ratio, dollars of equity. */
  readonly health: number;
  readonly leverage: number;
  readonly worth: number;
}

export interface Replay {
  readonly seen: readonly Seen[];
  readonly trades: readonly Traded[];
  readonly costUsd: number;
  readonly startUsd: number;
}

export const place = (asset: string): number => ASSETS.indexOf(asset as (typeof ASSETS)[number]);

export function truthAt(window: Window, hour: number): number[] {
  return ASSETS.map((asset) => window.prices[asset][hour] ?? 0);
}

/** An account at `target` times its million dollars of equity. */
export function loanAt(asset: Loan['asset'], target: number, prices: readonly number[]): Loan {
  return {
    asset,
    coins: (EQUITY_USD * target) / (prices[place(asset)] ?? 1),
    debt: (EQUITY_USD * (target - 1)) / (prices[2] ?? 1),
  };
}

export function accountOf(loan: Loan, prices: readonly number[]): AccountHealth {
  const valueUsd = loan.coins * (prices[place(loan.asset)] ?? 0);
  return {
    account: loan.asset,
    collateral: [{ asset: loan.asset, valueUsd, liquidationThreshold: THRESHOLD }],
    debtUsd: loan.debt * (prices[2] ?? 0),
    debtAsset: 'USDC',
  };
}

export function equityOf(account: AccountHealth): number {
  return (account.collateral[0]?.valueUsd ?? 0) - account.debtUsd;
}

/** Buys (sells) coins against more (less) debt; answers with the dollars it cost. */
export function settleLoan(loan: Loan, coins: number, truth: readonly number[]): number {
  const price = truth[place(loan.asset)] ?? 0;
  const cost = Math.abs(coins) * price * COST;
  loan.coins += coins;
  loan.debt = Math.max(0, loan.debt + (coins * price + cost) / (truth[2] ?? 1));
  return cost;
}

export interface StressRow {
  readonly window: string;
  readonly setup: string;
  readonly fault: string;
  readonly hours: number;
  readonly trades: number;
  readonly emergencies: number;
  /** Hours in which some price was not believed. */
  readonly darkHours: number;
  readonly trips: number;
  readonly resumes: number;
  readonly minHealth: number;
  readonly floor: number;
  readonly maxLeverage: number;
  /** Fraction of the equity at the start. */
  readonly cost: number;
}

export function rowOf(
  window: Window,
  fault: Fault,
  setup: { readonly name: string; readonly leverage: { readonly healthFloor: number } },
  done: Replay,
): StressRow {
  let trips = 0;
  let resumes = 0;
  let before: BreakerState['tripped'] = null;
  for (const { tripped } of done.seen) {
    if (before === null && tripped !== null) trips += 1;
    if (before !== null && tripped === null) resumes += 1;
    before = tripped;
  }
  return {
    window: window.name,
    setup: setup.name,
    fault: fault.name,
    hours: done.seen.length,
    trades: done.trades.length,
    emergencies: done.trades.filter(({ cause }) => cause === 'emergency').length,
    darkHours: done.seen.filter(({ untradable }) => untradable.length > 0).length,
    trips,
    resumes,
    minHealth: Math.min(...done.seen.map(({ health }) => health)),
    floor: setup.leverage.healthFloor,
    maxLeverage: Math.max(...done.seen.map(({ leverage }) => leverage)),
    cost: done.costUsd / done.startUsd,
  };
}
