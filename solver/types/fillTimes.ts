// How long orders take: what quotes promise as their ETA once there are orders to know it from.

export interface FillTime {
  /** From admission to settlement, rounded up to whole seconds. */
  readonly p50Seconds: number;
  readonly p90Seconds: number;
  /** Orders it is from. */
  readonly samples: number;
}

export interface FillTimes {
  /** Of recent orders that left and reached just these chains; null: too few of them. */
  of(origins: readonly number[], destinations: readonly number[]): FillTime | null;
}
