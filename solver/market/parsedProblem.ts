// The problem as the solver and the checker see it: indices instead of ids, bigints instead of
// strings. Made by problemFile.ts alone, which is what makes its promises true: every index exists,
// every number is in range, ticks are consistent, target weights sum to exactly 1.
//
// Representation: amounts are base units; prices, weights, costs and caps are Fixed36 (× 10^36).

import type { Hash32 } from '../types/ids.ts';
import type { Problem } from '../types/problem.ts';
import type { Fixed36 } from './decimal.ts';

export interface ParsedNode {
  readonly id: string;
  readonly asset: string;
  readonly chain: number;
  readonly decimals: number;
  /** Dollars per whole token; null on a node that only passes through. */
  readonly price: Fixed36 | null;
}

interface ParsedVenueBase<Nodes = readonly [number, number]> {
  readonly index: number;
  readonly id: string;
  /** Node indices, distinct. */
  readonly nodes: Nodes;
  /** Dollars, once if used. */
  readonly fixedCost: Fixed36;
}

export interface ParsedConstantProduct extends ParsedVenueBase {
  readonly kind: 'constantProduct';
  /** 1 … 2^112 − 1 each, as Uniswap v2 stores them. */
  readonly reserves: readonly [bigint, bigint];
  /** 0 … 999999. */
  readonly feePips: number;
}

/** Prices √(token1/token0) in Q64.96 between which liquidity is constant. */
export interface LiquidityRange {
  readonly tickLower: number;
  readonly tickUpper: number;
  readonly sqrtLowerX96: bigint;
  readonly sqrtUpperX96: bigint;
  /** ≥ 0. */
  readonly liquidity: bigint;
}

export interface ParsedConcentrated extends ParsedVenueBase {
  readonly kind: 'concentrated';
  readonly sqrtPriceX96: bigint;
  readonly tick: number;
  readonly liquidity: bigint;
  readonly feePips: number;
  /** 1 … 16383; swap steps also end at the boundaries of 256-spacing words. */
  readonly tickSpacing: number;
  readonly ticks: readonly { readonly tick: number; readonly liquidityNet: bigint }[];
  /** Between consecutive ticks, ascending and gapless; [] when there are no ticks. */
  readonly ranges: readonly LiquidityRange[];
  /** The range that holds the current price, or −1 when it lies outside the list. */
  readonly rangeIndex: number;
}

export interface ParsedOrder extends ParsedVenueBase {
  readonly kind: 'order';
  /** nodes = [in, out]; out = ⌊in · amountOut / amountIn⌋, in ≤ amountIn. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
}

export interface ParsedBridge extends ParsedVenueBase {
  readonly kind: 'bridge';
  /** nodes = [from, to]; out = ⌊in · numerator / denominator⌋ − fixedFee, 0 < out ≤ capacity. */
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly feePips: number;
  /** Base units of `to`. */
  readonly fixedFee: bigint;
  /** Base units of `to`. */
  readonly capacity: bigint;
}

/** A Balancer v2 weighted pool: Π balance_i^weight_i is kept, all in upscaled amounts. */
export interface ParsedWeighted extends ParsedVenueBase<readonly number[]> {
  /** nodes: 2 … 8. */
  readonly kind: 'weighted';
  /** Per node, raw base units, 1 … 2^112 − 1 as the vault stores them. */
  readonly balances: readonly bigint[];
  /** × 10^18, each ≥ 1 %, sum exactly 10^18. */
  readonly weights: readonly bigint[];
  /** 1: the contracts of 2021, which take every power through logarithms; 2: the later ones. */
  readonly mathVersion: 1 | 2;
  /** × 10^18, > 0; upscaled = ⌊raw · scalingFactor / 10^18⌋. */
  readonly scalingFactors: readonly bigint[];
  /** × 10^18, < 10^18. */
  readonly swapFee: bigint;
}

/** A Balancer v2 (composable) stable pool, its own share token left out. */
export interface ParsedStable extends ParsedVenueBase<readonly number[]> {
  /** nodes: 2 … 5. */
  readonly kind: 'stable';
  /** Per node, raw base units, 1 … 2^112 − 1 as the vault stores them. */
  readonly balances: readonly bigint[];
  /** As the contract holds it: A·nⁿ⁻¹ × amplificationPrecision; A·nⁿ⁻¹ from 1 to 5000. */
  readonly amplification: bigint;
  readonly amplificationPrecision: bigint;
  /** × 10^18, > 0, token rates included; upscaled = ⌊raw · scalingFactor / 10^18⌋. */
  readonly scalingFactors: readonly bigint[];
  /** × 10^18, < 10^18. */
  readonly swapFee: bigint;
}

/** Venues that join two nodes. */
export type ParsedPairVenue =
  | ParsedConstantProduct
  | ParsedConcentrated
  | ParsedOrder
  | ParsedBridge;
/** Pools of many nodes; a plan uses one for a single ordered pair of them. */
export type ParsedManyNodeVenue = ParsedWeighted | ParsedStable;
export type ParsedVenue = ParsedPairVenue | ParsedManyNodeVenue;

export interface ParsedGroup {
  readonly id: string;
  /** Dollars, once if any of `venues` is used. */
  readonly fixedCost: Fixed36;
  /** Venue indices, distinct, at least one. A venue may be in several groups. */
  readonly venues: readonly number[];
}

export interface ParsedSwap {
  readonly kind: 'swap';
  /** Node index; has a price. */
  readonly sell: number;
  /** > 0. */
  readonly amount: bigint;
  /** Node index; has a price. */
  readonly buy: number;
}

export interface ParsedTarget {
  /** Node indices; each has a price and is in this target only. */
  readonly nodes: readonly number[];
  /** 0 … 1; all sum to exactly 1. */
  readonly weight: Fixed36;
}

export interface ParsedRebalance {
  readonly kind: 'rebalance';
  /** Base units per node index, 0 where the file names none. */
  readonly holdings: readonly bigint[];
  readonly targets: readonly ParsedTarget[];
  /** Target index per node, −1 for nodes in no target: their holdings are left alone. */
  readonly targetOfNode: readonly number[];
  readonly risk: null | {
    readonly aversion: Fixed36;
    /** Row per target, symmetric and positive semidefinite, annual. */
    readonly covariance: readonly (readonly Fixed36[])[];
  };
}

export interface ParsedBatchOrder {
  /** Unique among the orders. */
  readonly id: string;
  /** Node index; has a price; differs from `buy`. */
  readonly sell: number;
  /** > 0: the most the order sells. */
  readonly amount: bigint;
  /** Node index; has a price. */
  readonly buy: number;
  /** > 0: what the whole amount buys at least; a part of it, that part rounded up. */
  readonly minOut: bigint;
  /** false: all of it or nothing. */
  readonly partial: boolean;
}

export interface ParsedBatch {
  readonly kind: 'batch';
  /** 1 … 4096. */
  readonly orders: readonly ParsedBatchOrder[];
}

export type ParsedObjective = ParsedSwap | ParsedRebalance | ParsedBatch;

export interface ParsedSettings {
  readonly gapBps: Fixed36;
  readonly workMax: number;
  /** null: no cap. */
  readonly venueInputCap: Fixed36 | null;
}

export interface ParsedProblem {
  /** The file form this was parsed from, as given; it must not change afterwards. */
  readonly source: Problem;
  /** keccak256 of its canonical JSON, computed when first asked for. */
  readonly digest: Hash32;
  readonly nodes: readonly ParsedNode[];
  readonly nodeIndex: ReadonlyMap<string, number>;
  readonly venues: readonly ParsedVenue[];
  readonly venueIndex: ReadonlyMap<string, number>;
  readonly groups: readonly ParsedGroup[];
  readonly objective: ParsedObjective;
  readonly settings: ParsedSettings;
}
