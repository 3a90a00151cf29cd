// What each act on our contracts costs in gas, for quoting and bidding alike: estimates from above, one
// table, so that a bid never counts an act otherwise than the quote it answers. The real bill is
// counted from receipts.

/**
 * Gas units of each act as a transaction, rounded up. Source: docs/contracts.md's table (the forge
 * snapshots, calldata and the transaction's 21,000 included), plus 35,000 to 50,000 per further
 * ERC-20 transfer. The send is taken at PROTOCOL.md's larger 266,000: mainnet DVNs cost more.
 */
export const GAS = {
  open: 105_000n,
  openPerInput: 50_000n,
  openPerOtherOrigin: 3_000n,
  fillBatch: 80_000n,
  fillPerOutput: 60_000n,
  /** Approving the settler or the executor, amortised over orders. */
  approve: 50_000n,
  /** One swap inside the fill transaction, transfers and callback included. */
  swapV2: 110_000n,
  swapV3: 150_000n,
  submit: 60_000n,
  submitPerMessage: 280_000n,
  submitPerRecord: 8_000n,
  release: 75_000n,
  releasePerInput: 40_000n,
  releasePerOutput: 20_000n,
} as const;
