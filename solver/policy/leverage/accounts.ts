// One lending account: what it holds, what it owes, and how healthy it is.

export interface AccountHealth {
  /** Protocol and chain, for messages. */
  readonly account: string;
  readonly collateral: readonly {
    readonly asset: string;
    readonly valueUsd: number;
    readonly liquidationThreshold: number;
  }[];
  readonly debtUsd: number;
}
