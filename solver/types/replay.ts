// The replay port: a whole price history under one policy family and one parameter at a time, by the
// definitions of POLICY.md's backtest. engine/replay.ts implements it over the WebAssembly core; the
// backtest takes it as an argument. The same input gives the same bytes everywhere.

/** What is replayed. Vectors run parallel to the assets; matrices row by row. */
export interface ReplayHistory {
  readonly targets: Float64Array;
  /** rows × assets, oldest first, evenly spaced; all > 0. The numeraire's own column is 1. */
  readonly prices: Float64Array;
  /** Rows in a year. */
  readonly perYear: number;
  /** Annual covariance the rule starts from. */
  readonly prior: Float64Array;
  readonly forecast: ForecastPlan;
  /** Steps of one block of sums, for the bootstrap. */
  readonly blockSteps: number;
}

/**
 * Covariance the rule sees: (1 − share)·E + share·(tr E/tr prior)·prior, E the exponentially weighted mean
 * of r·r′; remade every `every` steps from what has been seen by then, and the prior before step `from`.
 */
export interface ForecastPlan {
  /** Weight λ that E keeps per step; 1: the prior alone. */
  readonly decay: number;
  readonly share: number;
  readonly every: number;
  readonly from: number;
}

export type ReplayFamily =
  /** To the targets every `parameter` steps. */
  | { readonly kind: 'calendar' }
  /** When max|w − w*| > `parameter`: to `landing` of that band, 0 the target, 1 the edge. */
  | { readonly kind: 'threshold'; readonly landing: number }
  /** POLICY.md's pairs under the prior; `parameter` is κ. */
  | { readonly kind: 'reference' }
  /** The rule as it is traded live, under the forecast; `parameter` is κ. */
  | { readonly kind: 'rule' }
  /**
   * The live rule in the linearised problem of the foresight bound: under the prior P, weights drift by
   * D·r alone, and `te` is √ of the mean of e′Pe. `parameter` is κ.
   */
  | { readonly kind: 'linear' };

export interface ReplayCosts {
  /** ε of turnover ½Σ|Δw|. */
  readonly proportional: number;
  /** F of each trade, fraction of worth. */
  readonly fixed: number;
}

export interface ReplayRun {
  readonly parameter: number;
  /** Cost per year, and √(Σ active²/years); fractions. */
  readonly cost: number;
  readonly te: number;
  /** Per year. */
  readonly turnover: number;
  readonly trades: number;
  /** Over the whole history, of worth after costs. */
  readonly maxDrawdown: number;
  /** Σ active² and Σ cost of each block, one after the other; not per year. */
  readonly blocks: Float64Array;
}

export interface Replay {
  readonly assets: number;
  /** (rows − 1)/perYear. */
  readonly years: number;
  /** Throws InvalidInput naming the argument. */
  run(family: ReplayFamily, parameter: number, costs: ReplayCosts): ReplayRun;
}

export interface ReplayKernel {
  /** Loads a history; the kernel holds one at a time. Throws InvalidInput. */
  load(history: ReplayHistory): Replay;
}
