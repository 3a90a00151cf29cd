// A bid as JSON, whose it is, and whether it keeps the terms of the orders it is for. Nothing here
// throws on what a bid says: a bid that breaks a rule is answered with which one. It knows nothing
// of who may bid or when bidding closes: that is the door's business (quota.ts, the database's clock).

import { type BidMessage, bidDigest, hashBid } from '../../contracts-abi/bidTypedData.ts';
import { MAX_OUTPUTS } from '../../contracts-abi/orderJson.ts';
import { type At, readAmount, readArray, readObject } from '../market/reader.ts';
import { MAX_UINT256, mulDivDown } from '../types/amounts.ts';
import type {
  AuctionId,
  AuctionInstance,
  AuctionOrder,
  BidItem,
  SignedBid,
} from '../types/auction.ts';
import { isRefusal, type Refusal } from '../types/errors.ts';
import {
  type EvmAddress,
  evmAddress,
  type Hash32,
  type Hex,
  hash32,
  orderId,
} from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import { instanceId, MAX_ORDERS, readHash, readHex } from './instance.ts';

/** Who signed a digest with a 65-byte signature, or null for none (settlement/signature.ts). */
export type RecoverSigner = (digest: Hex, signature: Hex) => EvmAddress | null;

/**
 * No output is taken seriously that is worth over 10^12 dollars more than its minimum. It keeps every
 * score far below 2^128, whatever implementation sums it, and costs no honest bidder anything.
 */
export const MAX_SURPLUS_WAD = 10n ** 30n;

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;

/** A bid whose signature is its filler's own. Unscored. */
export interface VerifiedBid {
  readonly stage: 'unscored';
  readonly bid: SignedBid;
  /** EIP-712 struct hash: the bid's name; breaks ties. */
  readonly hash: Hash32;
}

export type RejectionCode =
  | 'anotherAuction'
  | 'zeroFiller'
  | 'noItems'
  | 'notAscending'
  | 'unknownOrder'
  | 'amountCount'
  | 'notUint256'
  | 'belowMinimum'
  | 'notCredible'
  /** The very same bid is there with another signature. */
  | 'duplicate'
  /** The fairness filter: worse on a pair than the best bid for that pair alone. */
  | 'unfair';
export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
}

/** Names the bid and checks that its filler signed it. Once at the door, and again in a replay. */
export function verifyBid(
  bid: SignedBid,
  recover: RecoverSigner,
): VerifiedBid | Refusal<'malformedBid' | 'wrongSigner'> {
  const fault = shapeFault(bid);
  if (fault !== null) return { refused: 'malformedBid', message: fault };
  const signer = recover(bidDigest(messageOf(bid)), bid.signature);
  if (signer !== bid.filler) {
    const message = `signed by ${signer ?? 'nobody'}, and the filler is ${bid.filler}`;
    return { refused: 'wrongSigner', message, pointer: '/signature' };
  }
  return { stage: 'unscored', bid, hash: hash32(hashBid(messageOf(bid))) };
}

/** Whether `value` is a bid that its filler signed, as a type guard over verifyBid's answer. */
export const isVerified = (value: VerifiedBid | Refusal): value is VerifiedBid => !isRefusal(value);

const messageOf = ({ auctionId, filler, items }: SignedBid): BidMessage => ({
  auctionId,
  filler,
  items,
});

/** What makes a bid impossible to hash; the parser lets none of it pass. */
function shapeFault({ items }: SignedBid): string | null {
  if (items.length > MAX_ORDERS) return `at most ${MAX_ORDERS} items, got ${items.length}`;
  for (const [i, { amounts }] of items.entries()) {
    if (amounts.length > MAX_OUTPUTS) return `item ${i}: at most ${MAX_OUTPUTS} amounts`;
    if (!amounts.every(isUint256)) return `item ${i}: an amount is not a uint256`;
  }
  return null;
}

const isUint256 = (amount: bigint): boolean => amount >= 0n && amount <= MAX_UINT256;

/** A judge of bids for one instance: the first rule a bid breaks, or null. */
export function termsOf(instance: AuctionInstance): (bid: SignedBid) => Rejection | null {
  const id = instanceId(instance);
  const orders = new Map(instance.orders.map((order) => [order.orderId, order]));
  return (bid) => {
    if (bid.auctionId !== id) return no('anotherAuction', `it is for auction ${bid.auctionId}`);
    if (bid.filler === ZERO_ADDRESS) return no('zeroFiller', 'the filler is the zero address');
    if (bid.items.length === 0) return no('noItems', 'it names no order');
    for (const [i, item] of bid.items.entries()) {
      if (i > 0 && item.orderId <= (bid.items[i - 1]?.orderId ?? '')) {
        return no('notAscending', `item ${i} is not after the one before it, by orderId`);
      }
      const order = orders.get(item.orderId);
      if (order === undefined) {
        return no('unknownOrder', `item ${i}: order ${item.orderId} is not in this auction`);
      }
      const fault = itemFault(order, item);
      if (fault !== null) return no(fault.code, `item ${i}: ${fault.message}`);
    }
    return null;
  };
}

/** The first rule of the instance's orders that the bid breaks, or null. */
export const termsFault = (instance: AuctionInstance, bid: SignedBid): Rejection | null =>
  termsOf(instance)(bid);

function itemFault({ outputs }: AuctionOrder, { amounts }: BidItem): Rejection | null {
  if (amounts.length !== outputs.length) {
    return no('amountCount', `${amounts.length} amounts for ${outputs.length} outputs`);
  }
  for (const [j, output] of outputs.entries()) {
    const amount = amounts[j];
    if (amount === undefined || !isUint256(amount)) {
      return no('notUint256', `amount ${j} is not a uint256`);
    }
    if (amount < output.minimum) {
      const terms = `${amount}, below the signed minimum ${output.minimum}`;
      return no('belowMinimum', `amount ${j} is ${terms}`);
    }
    if (surplusWad(output, amount) > MAX_SURPLUS_WAD) {
      return no('notCredible', `amount ${j} is over 10^12 dollars above the minimum`);
    }
  }
  return null;
}

/** ⌊(amount − minimum) · price / 10^decimals⌋, 18-decimal dollars; amount ≥ minimum. */
export function surplusWad(output: AuctionOrder['outputs'][number], amount: bigint): bigint {
  const { minimum, priceWad, decimals } = output;
  return mulDivDown(amount - minimum, priceWad, 10n ** BigInt(decimals));
}

const no = (code: RejectionCode, message: string): Rejection => ({ code, message });

export const bidToJson = (bid: SignedBid): JsonObject => ({
  auctionId: bid.auctionId,
  filler: bid.filler,
  items: bid.items.map((item) => ({
    orderId: item.orderId,
    amounts: item.amounts.map(String),
  })),
  signature: bid.signature,
});

/** The inverse. Strict, in bounds, hex in lower case: InvalidInput with a pointer otherwise. */
export function bidFromJson(value: unknown, pointer = ''): SignedBid {
  const at = readObject({ value, pointer }, ['auctionId', 'filler', 'items', 'signature']);
  return {
    auctionId: readHash(at.field('auctionId')) as AuctionId,
    filler: evmAddress(readHex(at.field('filler'), 20)),
    items: readArray(at.field('items'), 1, MAX_ORDERS).map(itemFromJson),
    signature: readHex(at.field('signature'), 65),
  };
}

function itemFromJson(item: At): BidItem {
  const at = readObject(item, ['orderId', 'amounts']);
  return {
    orderId: orderId(readHash(at.field('orderId'))),
    amounts: readArray(at.field('amounts'), 1, MAX_OUTPUTS).map((amount) => readAmount(amount)),
  };
}
