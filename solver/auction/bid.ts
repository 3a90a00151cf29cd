// What is auctioned and what is bid, as plain data, and a bid's hash. Amounts are base units of the
// output's token; prices are 18-decimal dollars per whole token. Refuses nothing: score.ts judges.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { assert } from '../types/assert.ts';
import type { EvmAddress, Hash32, Hex, OrderId } from '../types/ids.ts';

/** One output of the order as the auction sees it. */
export interface AuctionOutput {
  readonly chainId: number;
  /** Token address, lower case. */
  readonly token: Hex;
  readonly decimals: number;
  /** The signed minimum, base units. */
  readonly minimum: bigint;
  /** 18-decimal dollars per whole token, at the instance's time. */
  readonly priceWad: bigint;
}

/** Everything the score depends on besides the bids. */
export interface AuctionInstance {
  readonly orderId: OrderId;
  readonly openedAtMs: number;
  /** The last second at which an escrow may open under the award. */
  readonly openBy: number;
  readonly fillDeadline: number;
  /** In the order's own (canonical) order. */
  readonly outputs: readonly AuctionOutput[];
}

/** A filler's offer: one amount per output, each at least the signed minimum. */
export interface Bid {
  readonly filler: EvmAddress;
  readonly amounts: readonly bigint[];
}

/**
 * keccak256(orderId ‖ filler, left-padded ‖ one uint256 per amount). Ties between equal scores go to
 * the smaller hash, so neither arrival nor listing order can matter.
 */
export function bidHash(orderId: OrderId, bid: Bid): Hash32 {
  const words = [BigInt(orderId), BigInt(bid.filler), ...bid.amounts];
  const bytes = new Uint8Array(words.length * 32);
  words.forEach((word, index) => {
    assert(word >= 0n && word < 2n ** 256n, 'a bid holds only uint256 words');
    bytes.set(wordBytes(word), index * 32);
  });
  return `0x${toHex(keccak_256(bytes))}` as Hash32;
}

function wordBytes(word: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(word.toString(16).padStart(64, '0'), 'hex'));
}
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
