// How an order was signed: our typed data, or as the witness of a Permit2 transfer.

export const orderSignaturesSchema: readonly string[] = [];
