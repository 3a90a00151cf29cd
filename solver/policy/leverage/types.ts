// What a leverage policy says and what it asks for.

export interface LeveragePolicy {
  /** Exposure over equity. */
  readonly target: number;
  readonly min: number;
  readonly max: number;
  /** Share of the distance to the target closed per rebalance, 0 … 1. */
  readonly recenteringSpeed: number;
  readonly intervalSeconds: number;
  /** Above this ratio: deleverage at once. */
  readonly emergency: number;
  readonly emergencyCooldownSeconds: number;
  /** Largest trade, dollars. */
  readonly maxChunkUsd: number;
  /** Health no trade may push any account below. */
  readonly healthFloor: number;
}

export interface LeverageTrade {
  readonly cause: 'emergency' | 'max' | 'min' | 'interval';
  readonly from: number;
  readonly to: number;
  /** Dollars of exposure to add (positive) or take off, this chunk. */
  readonly exposureUsd: number;
  /** Dollars still to go after this chunk, same sign. */
  readonly remainingUsd: number;
}
