// The risk kernel: the hot numerics of policies as a port. engine/risk.ts implements it over the
// WebAssembly core (assembly/risk); policy and backtest take it as an argument. Pure numbers in, pure
// numbers out; matrices are row by row; the same input gives the same bytes everywhere.
// Non-finite or out-of-range input throws InvalidInput, naming the argument.

export interface OptionInputs {
  readonly kind: 'call' | 'put';
  /** Numeraire per unit. */
  readonly spot: number;
  readonly strike: number;
  /** Time to expiry, years. */
  readonly years: number;
  /** Continuous rate and cost of carry, per year (Haug's r and b). */
  readonly rate: number;
  readonly carry: number;
  /** Per √year. */
  readonly volatility: number;
}

/** Haug's conventions: theta per year, vega per 1.00 of volatility, charm = −∂Δ/∂T, rho moves b with r. */
export interface Greeks {
  readonly d1: number;
  readonly d2: number;
  readonly price: number;
  readonly delta: number;
  readonly gamma: number;
  readonly vega: number;
  readonly theta: number;
  readonly rho: number;
  readonly vanna: number;
  readonly vomma: number;
  readonly charm: number;
  readonly zomma: number;
  readonly speed: number;
}

/** Trigger H ≥ landing h ≥ 0, displacement units. */
export interface TwoBand {
  readonly trigger: number;
  readonly landing: number;
}

/** A band rule, prepared for one set of targets, covariance and costs. */
export interface BandRule {
  /** Largest displacement over its trigger, of any pair; 0 where no pair bears risk. */
  excess(weights: Float64Array): number;
  /**
   * Where to stand from `weights`; null: inside the no-trade region. The landing sums to 1, moves
   * turnover ½Σ|Δw|, and `pair` is the pair (sold, bought) that stood farthest out.
   */
  land(weights: Float64Array): {
    readonly landing: Float64Array;
    readonly pair: readonly [sold: number, bought: number];
    /** Largest displacement over its trigger; > 1. */
    readonly excess: number;
  } | null;
}

export interface BandRuleInputs {
  readonly targets: Float64Array;
  /** Annual, assets². */
  readonly covariance: Float64Array;
  /** κ, per year. */
  readonly aversion: number;
  /** ε: cost of one unit of turnover. */
  readonly proportional: number;
  /** F: fixed cost of a settlement, fraction of worth. */
  readonly fixed: number;
}

export interface RiskKernel {
  greeks(option: OptionInputs): Greeks;
  /** Many options at once: `inputs` is rows of (spot, strike, years, rate, carry, volatility, ±1). */
  greeksBatch(inputs: Float64Array): Float64Array;
  /**
   * Covariance per year of `returns` (rows × assets, oldest first). decay λ: weights λ^age, 1 = equal.
   * `perYear`: rows in a year. Means are taken as zero.
   */
  covariance(returns: Float64Array, assets: number, decay: number, perYear: number): Float64Array;
  /**
   * Whether a matrix can be a covariance: the smallest pivot of its correlations' LDLᵀ, the largest
   * taken first; symmetric (else InvalidInput), and semidefinite iff ≥ −PIVOT_TOLERANCE.
   */
  smallestPivot(covariance: Float64Array): number;
  /** Long-only weights with wᵢ(Σw)ᵢ ∝ budgetᵢ, summing to 1; residual is the largest KKT violation. */
  riskParity(
    covariance: Float64Array,
    budgets: Float64Array,
  ): { readonly weights: Float64Array; readonly residual: number; readonly rounds: number };
  /** One dimension, two bands (POLICY.md); s² variance rate of the displacement. */
  twoBand(aversion: number, varianceRate: number, proportional: number, fixed: number): TwoBand;
  bandRule(inputs: BandRuleInputs): BandRule;
}

/** What rounding may take off a pivot of 0, correlations being 1 on the diagonal; 64 assets. */
export const PIVOT_TOLERANCE = 1e-10;
