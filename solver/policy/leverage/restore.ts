// Closed forms of leverage: the recentering rule, the trade that reaches a ratio, the sale that
// restores a health factor, and the buffers that make health survive until the next look. Dollars
// and plain ratios; the recentering rule is IndexCoop's FlexibleLeverageStrategyExtension.

import { assert } from '../../types/assert.ts';
import { type AccountHealth, borrowableOf, exposureOf } from './accounts.ts';
import type { LeveragePolicy, SaleCost } from './types.ts';

/**
 * Fall between two looks that health must survive when a policy names none. The largest hourly fall
 * of BTC or ETH from August 2017 to December 2025 was 20.9 % (ETH, 12 March 2020, 10:00 UTC).
 */
export const WORST_MOVE = 0.25;
export const FREE_SALE: SaleCost = { proportional: 0, impactPerUsd: 0, flashFee: null };
/** Health left while collateral is withdrawn before the debt is repaid; protocols demand 1. */
const HEALTH_BETWEEN = 1.02;

/** The ratio to trade to: a share of the way to the target, kept within min … max. */
export function recentered(
  current: number,
  policy: Pick<LeveragePolicy, 'target' | 'min' | 'max' | 'recenteringSpeed'>,
): number {
  const { target, min, max, recenteringSpeed: speed } = policy;
  if (current === Infinity) return max;
  return Math.max(min, Math.min(max, current * (1 - speed) + target * speed));
}

/**
 * Dollars of debt-asset proceeds from selling `soldUsd`: fees c, a price that falls linearly to
 * 1 − k·s (so 1 − k·s/2 on average), and a flash loan's fee φ on what it repaid:
 * (s(1 − c) − k s²/2) / (1 + φ).
 */
export function proceeds(soldUsd: number, cost: SaleCost): number {
  const net = soldUsd * (1 - cost.proportional) - (cost.impactPerUsd * soldUsd ** 2) / 2;
  return net / (1 + (cost.flashFee ?? 0));
}

/**
 * Smallest s ≥ 0 with weightedAfter(s) = h·debtAfter(s), where each sold dollar takes `lost` off the
 * left side: W − lost·s = h(D − (s(1 − c) − k s²/2)/(1 + φ)). With g = h/(1 + φ) that is
 * (g k/2) s² − (g(1 − c) − lost) s + (hD − W) = 0; null where no sale is enough. The root is taken in
 * the form without cancellation, 2A / (B + √(B² − 2gkA)).
 */
function smallestSale(
  weighted: number,
  debt: number,
  h: number,
  lost: number,
  cost: SaleCost,
): number | null {
  const short = h * debt - weighted;
  if (short <= 0) return 0;
  const g = h / (1 + (cost.flashFee ?? 0));
  const slope = g * (1 - cost.proportional) - lost;
  const discriminant = slope ** 2 - 2 * g * cost.impactPerUsd * short;
  if (slope <= 0 || discriminant < 0) return null;
  return (2 * short) / (slope + Math.sqrt(discriminant));
}

/**
 * Dollars of `asset` to sell, and of debt that repays, so that the health factor is `health`
 * afterwards at unmoved oracle prices; zero where it already is. null: no sale of this asset can,
 * because there is too little of it or its cost eats what it frees.
 */
export function restoringSale(
  account: AccountHealth,
  asset: string,
  health: number,
  cost: SaleCost = FREE_SALE,
): { readonly sellUsd: number; readonly repayUsd: number } | null {
  assert(health > 0 && Number.isFinite(health), `health to restore: ${health}`);
  const held = account.collateral.find((one) => one.asset === asset);
  if (held === undefined) return null;
  const sale = smallestSale(
    borrowableOf(account),
    account.debtUsd,
    health,
    held.liquidationThreshold,
    cost,
  );
  if (sale === null || sale > held.valueUsd) return null;
  return { sellUsd: sale, repayUsd: Math.min(account.debtUsd, proceeds(sale, cost)) };
}

/**
 * Trade that brings exposure over equity to `ratio`. A sale: C − s = L(C − D − cost(s)), which is the
 * restoring sale with every threshold 1 and health L/(L − 1), since C/D = L/(L − 1). A purchase of b
 * borrowed dollars, b(1 − c) of it becoming exposure: C + b(1 − c) = L(C − D − bc), so
 * b = (L(C − D) − C) / (1 − c + Lc). Price impact counts in sales only: a purchase is chunked instead.
 * `exposureUsd` and `debtUsd` are changes; null: the ratio cannot be reached.
 */
export function tradeToRatio(
  account: AccountHealth,
  ratio: number,
  cost: SaleCost = FREE_SALE,
): { readonly exposureUsd: number; readonly debtUsd: number } | null {
  assert(ratio >= 1 && Number.isFinite(ratio), `leverage ratio to reach: ${ratio}`);
  const exposure = exposureOf(account);
  const debt = account.debtUsd;
  const equity = exposure - debt;
  if (equity * ratio >= exposure) {
    const c = cost.proportional;
    const borrowed = (ratio * equity - exposure) / (1 - c + ratio * c);
    return { exposureUsd: borrowed * (1 - c), debtUsd: borrowed };
  }
  // Down to one times means all debt goes: the sale whose proceeds are the debt.
  const sale =
    ratio === 1
      ? smallestSale(0, debt, 1, 0, cost)
      : smallestSale(exposure, debt, ratio / (ratio - 1), 1, cost);
  if (sale === null || sale > exposure) return null;
  return { exposureUsd: -sale, debtUsd: -Math.min(debt, proceeds(sale, cost)) };
}

/**
 * Health an account needs at one look to stand at `floor` at the next, if its collateral falls by
 * `worstMove` in between and its debt keeps its price: HF scales with the price, so floor/(1 − m).
 */
export function healthToSurvive(floor: number, worstMove: number): number {
  return floor / (1 - worstMove);
}

/**
 * Exposure over equity at which the health factor is `health`: HF = LT·L/(L − 1), so
 * L = HF/(HF − LT). With healthToSurvive this is the highest emergency ratio that keeps a floor:
 * floor 1.2, LT 0.8, worst move 0.25 give 2.0. Infinity where health ≤ LT.
 */
export function ratioAtHealth(health: number, liquidationThreshold: number): number {
  return health > liquidationThreshold ? health / (health - liquidationThreshold) : Infinity;
}

/**
 * Most that may be sold in one round: with a flash loan everything, else what can be withdrawn before
 * the debt is repaid with health still above 1.02: (W − 1.02·D)/LT, never negative.
 */
export function withdrawable(account: AccountHealth, asset: string, cost: SaleCost): number {
  const held = account.collateral.find((one) => one.asset === asset);
  if (held === undefined) return 0;
  if (cost.flashFee !== null || held.liquidationThreshold === 0) return held.valueUsd;
  const free = borrowableOf(account) - HEALTH_BETWEEN * account.debtUsd;
  return Math.max(0, Math.min(held.valueUsd, free / held.liquidationThreshold));
}

/**
 * Smallest largest-chunk, dollars, with which one emergency sale at one look undoes one worst move.
 * An account of debt D at the health it needs, N = floor/(1 − m), stands at the floor after the move;
 * free of cost it is back at N by selling D(N − floor)/(N − LT). Infinity where N ≤ LT.
 */
export function chunkToSurvive(
  debtUsd: number,
  floor: number,
  worstMove: number,
  liquidationThreshold: number,
): number {
  const needed = healthToSurvive(floor, worstMove);
  if (needed <= liquidationThreshold) return Infinity;
  return (debtUsd * (needed - floor)) / (needed - liquidationThreshold);
}
