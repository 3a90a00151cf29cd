// An order signed as the witness of a Permit2 batch transfer: the typed data a wallet signs, its
// digest, and the way back from typed data to the order. PortfolioSettler.openWithPermit2 makes the
// same hash; test/contracts compares the two against the real Permit2. Signs nothing and moves nothing.

import { type Address, type Hex, hashTypedData } from 'viem';
import {
  type Origin,
  orderMessage,
  type PortfolioOrder,
  portfolioOrderTypes,
} from './typedData.ts';

export const PERMIT2_PRIMARY_TYPE = 'PermitBatchWitnessTransferFrom' as const;

/** Permit2's domain has no version. */
const permit2DomainType = [
  { name: 'name', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
] as const;

export const permit2Types = {
  PermitBatchWitnessTransferFrom: [
    { name: 'permitted', type: 'TokenPermissions[]' },
    { name: 'spender', type: 'address' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
    { name: 'witness', type: 'PortfolioOrder' },
  ],
  TokenPermissions: [
    { name: 'token', type: 'address' },
    { name: 'amount', type: 'uint256' },
  ],
  ...portfolioOrderTypes,
} as const;

/**
 * What the owner signs for the origin on `chainId`: that chain's inputs to that chain's settler, with
 * the order's nonce and openDeadline. Throws RangeError if the order has no origin there.
 */
export function permit2Digest(order: PortfolioOrder, chainId: bigint, permit2: Address): Hex {
  const { inputs, settler } = originOn(order, chainId);
  return hashTypedData({
    domain: { name: 'Permit2', chainId, verifyingContract: permit2 },
    types: permit2Types,
    primaryType: PERMIT2_PRIMARY_TYPE,
    message: {
      permitted: inputs,
      spender: settler,
      nonce: order.nonce,
      deadline: BigInt(order.openDeadline),
      witness: order,
    },
  });
}

/** The JSON a wallet signs with eth_signTypedData_v4. Throws RangeError as permit2Digest does. */
export function permit2Payload(order: PortfolioOrder, chainId: bigint, permit2: Address) {
  const { inputs, settler } = originOn(order, chainId);
  return {
    domain: { name: 'Permit2', chainId: Number(chainId), verifyingContract: permit2 },
    types: { EIP712Domain: permit2DomainType, ...permit2Types },
    primaryType: PERMIT2_PRIMARY_TYPE,
    message: {
      permitted: inputs.map(({ token, amount }) => ({ token, amount: amount.toString() })),
      spender: settler,
      nonce: order.nonce.toString(),
      deadline: order.openDeadline.toString(),
      witness: orderMessage(order),
    },
  };
}

function originOn({ origins }: PortfolioOrder, chainId: bigint): Origin {
  const origin = origins.find((each) => each.chainId === chainId);
  if (origin === undefined) throw new RangeError(`the order has no origin on chain ${chainId}`);
  return origin;
}
