// How an order was signed: our typed data, or as the witness of a Permit2 transfer.

export const orderSignaturesSchema: readonly string[] = [
  `ALTER TABLE orders ADD COLUMN signature_kind text NOT NULL DEFAULT 'eip712'
     CHECK (signature_kind IN ('eip712', 'permit2'))`,
];
