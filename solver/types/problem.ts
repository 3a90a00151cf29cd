// The optimizer's problem and result, version 1: the very JSON of `trimtab solve` and
// `trimtab verify`, of GET /v1/quotes/{id}/problem and /result. Integers are decimal strings in base
// units; prices, weights, values and costs are decimal strings; the numeraire is US dollars.
// market/problemFile.ts parses and digests it; nothing else reads the file form.

export interface ProblemNode {
  /** Conventionally `<chainId>:<symbol>`; unique. */
  readonly id: string;
  readonly asset: string;
  readonly chain: number;
  readonly decimals: number;
  /** Dollars per whole token; absent on a node that only passes through. */
  readonly price?: string;
}

interface VenueBase {
  readonly id: string;
  /** Dollars, paid once if the venue is used. */
  readonly fixedCost: string;
}
export interface ConstantProductVenue extends VenueBase {
  readonly kind: 'constantProduct';
  readonly nodes: readonly [string, string];
  readonly reserves: readonly [string, string];
  readonly feePips: number;
}
/** Balancer v2 weighted pool of 2 to 8 tokens; arrays run parallel to `nodes`. */
export interface WeightedVenue extends VenueBase {
  readonly kind: 'weighted';
  readonly nodes: readonly string[];
  readonly balances: readonly string[];
  /** 1: a pool of the factories of 2021; 2, the default: of September 2022 and later. */
  readonly mathVersion?: 1 | 2;
  /** × 10^18, at least 1 % each, 10^18 together. */
  readonly weights: readonly string[];
  /** × 10^18, as the pool's getScalingFactors(). */
  readonly scalingFactors: readonly string[];
  /** × 10^18. */
  readonly swapFee: string;
}
/** Balancer v2 stable pool of 2 to 5 tokens, its own share token left out. */
export interface StableVenue extends VenueBase {
  readonly kind: 'stable';
  readonly nodes: readonly string[];
  readonly balances: readonly string[];
  /** The pool's getAmplificationParameter(): value and precision. */
  readonly amplification: string;
  readonly amplificationPrecision: string;
  /** × 10^18, token rates included. */
  readonly scalingFactors: readonly string[];
  /** × 10^18. */
  readonly swapFee: string;
}
export interface ConcentratedVenue extends VenueBase {
  readonly kind: 'concentrated';
  /** [token0, token1] in the pool's order. */
  readonly nodes: readonly [string, string];
  readonly sqrtPriceX96: string;
  readonly tick: number;
  readonly liquidity: string;
  readonly feePips: number;
  /** The pool's own; absent: what Uniswap's factory pairs with feePips. */
  readonly tickSpacing?: number;
  /** Initialised ticks, ascending: [tick, liquidityNet]. There is no liquidity beyond the list. */
  readonly ticks: readonly (readonly [number, string])[];
}
export interface OrderVenue extends VenueBase {
  readonly kind: 'order';
  /** [in, out]; taken pro rata: out = ⌊in · amountOut / amountIn⌋. */
  readonly nodes: readonly [string, string];
  readonly amountIn: string;
  readonly amountOut: string;
}
export interface BridgeVenue extends VenueBase {
  readonly kind: 'bridge';
  /** [from, to]; out = ⌊in · 10^(decimals to − decimals from) · (1 − fee)⌋ − fixedFee ≤ capacity. */
  readonly nodes: readonly [string, string];
  readonly feePips: number;
  /** Base units of `to`. */
  readonly fixedFee: string;
  /** Base units of `to`. */
  readonly capacity: string;
}
export type ProblemVenue =
  | ConstantProductVenue
  | WeightedVenue
  | StableVenue
  | ConcentratedVenue
  | OrderVenue
  | BridgeVenue;

/** A cost paid once if any of its venues is used: a chain's transaction, a message. */
export interface ProblemGroup {
  readonly id: string;
  readonly fixedCost: string;
  readonly venues: readonly string[];
}

export interface SwapObjective {
  readonly kind: 'swap';
  readonly sell: { readonly node: string; readonly amount: string };
  readonly buy: string;
}
export interface RebalanceTarget {
  readonly nodes: readonly string[];
  /** Decimal; all targets sum to exactly 1. */
  readonly weight: string;
}
export interface RebalanceObjective {
  readonly kind: 'rebalance';
  readonly holdings: Readonly<Record<string, string>>;
  readonly targets: readonly RebalanceTarget[];
  readonly risk?: {
    readonly aversion: string;
    readonly covariance: readonly (readonly string[])[];
  };
}
export interface BatchOrder {
  readonly id: string;
  readonly sell: { readonly node: string; readonly amount: string };
  readonly buy: string;
  readonly minOut: string;
  readonly partial: boolean;
}
export interface BatchObjective {
  readonly kind: 'batch';
  readonly orders: readonly BatchOrder[];
}
export type Objective = SwapObjective | RebalanceObjective | BatchObjective;

export interface ProblemSettings {
  readonly gapBps?: string;
  /** Work, not time: results must not depend on a clock. */
  readonly workMax?: number;
  /** No venue takes in more than this multiple of the order's worth at node prices. */
  readonly venueInputCap?: string;
}

export interface Problem {
  readonly version: 1;
  readonly nodes: readonly ProblemNode[];
  readonly venues: readonly ProblemVenue[];
  readonly groups?: readonly ProblemGroup[];
  readonly objective: Objective;
  readonly settings?: ProblemSettings;
}

export interface NodeAmount {
  readonly node: string;
  readonly amount: string;
}

/** One trade on one venue, exact base units. */
export interface Leg {
  readonly venue: string;
  readonly in: NodeAmount;
  readonly out: NodeAmount;
}

export type SolveStatus = 'solved' | 'noRoute' | 'infeasible' | 'limit';

/** Dual prices by node id: dollars per whole token, decimal strings > 0, one per node. */
export type DualPrices = Readonly<Record<string, string>>;

/**
 * A bound by cases, tighter than one price vector can prove where something is paid once if used:
 * the bound is the largest of its leaves'. A branch splits all plans into those that use a venue, use
 * any venue of a group, or execute a fill-or-kill order of a batch, and those that do not.
 */
export type BoundTree =
  | { readonly prices: DualPrices }
  | { readonly venue: string; readonly used: BoundTree; readonly unused: BoundTree }
  | { readonly group: string; readonly used: BoundTree; readonly unused: BoundTree }
  | { readonly order: string; readonly used: BoundTree; readonly unused: BoundTree };

/** An executed order of a batch: what it sold and what it is paid, base units. */
export interface OrderFill {
  readonly id: string;
  readonly in: string;
  readonly out: string;
}

/** What the engine proposes: exact re-executed legs in execution order and its dual prices. */
export interface Solution {
  readonly status: SolveStatus;
  readonly legs: readonly Leg[];
  readonly prices: DualPrices;
  /** Every executed order of a batch. */
  readonly orders?: readonly OrderFill[];
  /** Published only where it proves a smaller bound than `prices`. */
  readonly branches?: BoundTree;
  /** Prices of the problem with nothing sold: what they prove is published as `loops`. */
  readonly loopPrices?: DualPrices;
}

/** The published result. value rounds down, bound up; both have 18 decimals. */
export interface ProblemResult {
  readonly version: 1;
  /** market/problemFile.ts's problemDigest. */
  readonly problem: string;
  /** keccak256 of the .wasm that found the plan. */
  readonly engine: string;
  readonly status: SolveStatus;
  readonly value: string;
  readonly bound: string;
  readonly gapBps: string;
  readonly prices: DualPrices;
  /** With it the bound is this tree's, without it that of `prices`. */
  readonly branches?: BoundTree;
  /** At most this much of the bound is free money: the bound when nothing is sold, at `prices`. */
  readonly loops?: { readonly bound: string; readonly prices: DualPrices };
  readonly legs: readonly Leg[];
  /** Every node that is non-zero before or after. */
  readonly final: Readonly<Record<string, string>>;
  /** Every executed order of a batch; present with that objective alone. */
  readonly orders?: readonly OrderFill[];
  readonly costs: { readonly fees: string; readonly impact: string; readonly fixed: string };
}
