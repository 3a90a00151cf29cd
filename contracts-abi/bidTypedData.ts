// What a solver signs: a sealed bid, and the greeting that opens its private feed. Same domain as
// orders. Never on chain: the award is what chains check (typedData.ts).

import { type Address, type Hex, hashStruct, hashTypedData } from 'viem';
import { domain } from './typedData.ts';

export const bidTypes = {
  Bid: [
    { name: 'auctionId', type: 'bytes32' },
    { name: 'filler', type: 'address' },
    { name: 'items', type: 'BidItem[]' },
  ],
  BidItem: [
    { name: 'orderId', type: 'bytes32' },
    { name: 'amounts', type: 'uint256[]' },
  ],
} as const;

/** Who listens, and since when it is entitled to: at most a minute old. */
export const solverHelloTypes = {
  SolverHello: [
    { name: 'filler', type: 'address' },
    { name: 'issuedAt', type: 'uint256' },
  ],
} as const;

export interface BidMessage {
  readonly auctionId: Hex;
  readonly filler: Address;
  readonly items: readonly { readonly orderId: Hex; readonly amounts: readonly bigint[] }[];
}

/** EIP-712 struct hash: the bid's name, and what breaks ties. */
export const hashBid = (bid: BidMessage): Hex =>
  hashStruct({ primaryType: 'Bid', types: bidTypes, data: bid });

/** What the filler signs. */
export const bidDigest = (bid: BidMessage): Hex =>
  hashTypedData({ domain, types: bidTypes, primaryType: 'Bid', message: bid });

/** `issuedAt` in Unix seconds. */
export function solverHelloDigest(filler: Address, issuedAt: number): Hex {
  return hashTypedData({
    domain,
    types: solverHelloTypes,
    primaryType: 'SolverHello',
    message: { filler, issuedAt: BigInt(issuedAt) },
  });
}
