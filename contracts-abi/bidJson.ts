// Signed bids as JSON: what solvers send and what an auction's record shows. Parsing is strict (no
// unknown fields, no coercion, bounded before BigInt) and says where it failed; it verifies no
// signature and knows no auction.

import type { Address, Hex } from 'viem';
import type { BidMessage } from './bidTypedData.ts';
import { MAX_OUTPUTS, OrderJsonError } from './orderJson.ts';

/** Orders one bid may name: far more than an auction gathers. */
export const MAX_BID_ITEMS = 256;
const UINT256_MAX = 2n ** 256n - 1n;

export interface SignedBidMessage extends BidMessage {
  readonly signature: Hex;
}
export interface SignedBidJson {
  readonly auctionId: Hex;
  readonly filler: Address;
  readonly items: readonly { readonly orderId: Hex; readonly amounts: readonly string[] }[];
  readonly signature: Hex;
}

export const signedBidToJson = (bid: SignedBidMessage): SignedBidJson => ({
  auctionId: bid.auctionId,
  filler: bid.filler,
  items: bid.items.map(({ orderId, amounts }) => ({ orderId, amounts: amounts.map(String) })),
  signature: bid.signature,
});

/** The inverse; hex comes out lower case. Throws OrderJsonError. */
export function signedBidFromJson(value: unknown, pointer = ''): SignedBidMessage {
  const at = record(value, pointer, ['auctionId', 'filler', 'items', 'signature']);
  return {
    auctionId: hex(at('auctionId'), `${pointer}/auctionId`, 32),
    filler: hex(at('filler'), `${pointer}/filler`, 20),
    items: list(at('items'), `${pointer}/items`, 1, MAX_BID_ITEMS).map((item, i) => {
      const where = `${pointer}/items/${i}`;
      const member = record(item, where, ['orderId', 'amounts']);
      return {
        orderId: hex(member('orderId'), `${where}/orderId`, 32),
        amounts: list(member('amounts'), `${where}/amounts`, 1, MAX_OUTPUTS).map((amount, k) =>
          uint256(amount, `${where}/amounts/${k}`),
        ),
      };
    }),
    signature: hex(at('signature'), `${pointer}/signature`, 65),
  };
}

function record(value: unknown, pointer: string, fields: readonly string[]) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OrderJsonError(pointer, 'must be an object');
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  for (const key of entries.keys()) {
    if (!fields.includes(key)) {
      throw new OrderJsonError(`${pointer}/${key.slice(0, 64)}`, 'unknown field');
    }
  }
  return (field: string): unknown => {
    if (!entries.has(field)) throw new OrderJsonError(`${pointer}/${field}`, 'missing');
    return entries.get(field);
  };
}

function list(value: unknown, pointer: string, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new OrderJsonError(pointer, 'must be an array');
  if (value.length < min || value.length > max) {
    throw new OrderJsonError(pointer, `must hold ${min} to ${max} items`);
  }
  return value;
}

function hex(value: unknown, pointer: string, bytes: number): Hex {
  const fits = typeof value === 'string' && value.length === 2 + 2 * bytes;
  if (!fits || !/^0x[0-9a-fA-F]+$/.test(value)) {
    throw new OrderJsonError(pointer, `must be ${bytes} bytes of hex`);
  }
  return value.toLowerCase() as Hex;
}

function uint256(value: unknown, pointer: string): bigint {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,77})$/.test(value)) {
    throw new OrderJsonError(pointer, 'must be a decimal string of an unsigned integer');
  }
  const number = BigInt(value);
  if (number > UINT256_MAX) throw new OrderJsonError(pointer, 'exceeds 2^256 − 1');
  return number;
}
