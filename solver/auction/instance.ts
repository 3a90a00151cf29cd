// What is auctioned, as JSON and by name: the strict reader, the canonical text and its hash (the
// auction's id), and the directed pair of an order. Refuses an instance the rules cannot be run over:
// orders out of order or twice, none or too many, prices and decimals out of range.

import { type Address, concat, numberToHex, pad } from 'viem';
import { MAX_OUTPUTS } from '../../contracts-abi/orderJson.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { canonicalJson } from '../market/jsonText.ts';
import { keccakOf } from '../market/keccak.ts';
import {
  type At,
  readAmount,
  readArray,
  readInteger,
  readObject,
  readString,
  refuse,
} from '../market/reader.ts';
import { assert } from '../types/assert.ts';
import type { AuctionId, AuctionInstance, AuctionOrder, AuctionOutput } from '../types/auction.ts';
import { type Hash32, type Hex, hash32, orderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';

/** Orders of one auction. */
export const MAX_ORDERS = 128;
/** Chains an instance can name. */
const MAX_BLOCKS = 64;
/** 10^36 dollars per whole token: no price, and far from any bound. */
const MAX_PRICE_WAD = 10n ** 54n;
const MAX_DECIMALS = 36;
const UINT32_MAX = 0xffffffff;

/** keccak256 of the instance's canonical JSON (RFC 8785). */
export function instanceId(instance: AuctionInstance): AuctionId {
  return keccakOf(canonicalJson(instanceToJson(instance)));
}

/**
 * The directed pair: keccak256 of (uint256 count, then uint256 chain and bytes32 token of each) over
 * the distinct (chain, token) given, ascending, followed by the same over those wanted. Amounts,
 * owner and recipients do not enter: orders with the same two sets are one pair.
 */
export function pairOf(order: PortfolioOrder): Hash32 {
  const given = order.origins.flatMap(({ chainId, inputs }) =>
    inputs.map(({ token }) => cell(chainId, pad(token as Address, { size: 32 }))),
  );
  const wanted = order.outputs.map(({ chainId, token }) => cell(chainId, token));
  const bytes = Buffer.from(concat([side(given), side(wanted)]).slice(2), 'hex');
  return keccakOf(bytes);
}

const cell = (chainId: bigint, token: Hex): Hex =>
  concat([numberToHex(chainId, { size: 32 }), token.toLowerCase() as Hex]);
const side = (cells: readonly Hex[]): Hex => {
  const distinct = [...new Set(cells)].sort();
  return concat([numberToHex(distinct.length, { size: 32 }), ...distinct]);
};

export function instanceToJson(instance: AuctionInstance): JsonObject {
  return {
    version: instance.version,
    orders: instance.orders.map((order) => ({
      orderId: order.orderId,
      pair: order.pair,
      openBy: order.openBy,
      fillDeadline: order.fillDeadline,
      outputs: order.outputs.map((o) => ({
        chainId: o.chainId,
        token: o.token,
        decimals: o.decimals,
        minimum: o.minimum.toString(),
        priceWad: o.priceWad.toString(),
      })),
    })),
    openedAtMs: instance.openedAtMs,
    closesAtMs: instance.closesAtMs,
    snapshotDigest: instance.snapshotDigest,
    blocks: instance.blocks.map(({ chainId, number, hash }) => ({ chainId, number, hash })),
    engine: instance.engine,
  };
}

/** The inverse. Strict: throws InvalidInput with the pointer of the first fault. */
export function instanceFromJson(value: unknown, pointer = ''): AuctionInstance {
  const at = readObject({ value, pointer }, [
    ...['version', 'orders', 'openedAtMs', 'closesAtMs', 'snapshotDigest', 'blocks', 'engine'],
  ]);
  const version = readInteger(at.field('version'), 2, 2);
  assert(version === 2, 'read as 2');
  const orders = readArray(at.field('orders'), 1, MAX_ORDERS).map(orderFromJson);
  const fault = orderingFault(orders);
  if (fault !== null) refuse(at.field('orders'), fault);
  return {
    version,
    orders,
    openedAtMs: readInteger(at.field('openedAtMs'), 0, Number.MAX_SAFE_INTEGER),
    closesAtMs: readInteger(at.field('closesAtMs'), 0, Number.MAX_SAFE_INTEGER),
    snapshotDigest: readHash(at.field('snapshotDigest')),
    blocks: readArray(at.field('blocks'), 0, MAX_BLOCKS).map((item) => {
      const block = readObject(item, ['chainId', 'number', 'hash']);
      return {
        chainId: readInteger(block.field('chainId'), 1, Number.MAX_SAFE_INTEGER),
        number: readAmount(block.field('number')).toString(),
        hash: readHash(block.field('hash')),
      };
    }),
    engine: readHash(at.field('engine')),
  };
}

/** Throws Defect unless the rules can be run over the instance: it is ours, never a bidder's. */
export function assertInstance({ orders }: AuctionInstance): void {
  assert(orders.length >= 1 && orders.length <= MAX_ORDERS, `${orders.length} orders`);
  const fault = orderingFault(orders);
  assert(fault === null, fault ?? '');
  for (const { outputs } of orders) {
    assert(outputs.length >= 1 && outputs.length <= MAX_OUTPUTS, `${outputs.length} outputs`);
    for (const { minimum, priceWad, decimals } of outputs) {
      assert(minimum >= 0n, 'a minimum is not negative');
      assert(priceWad >= 0n && priceWad <= MAX_PRICE_WAD, `price ${priceWad}`);
      assert(decimals >= 0 && decimals <= MAX_DECIMALS, `${decimals} decimals`);
    }
  }
}

function orderingFault(orders: readonly AuctionOrder[]): string | null {
  const bad = orders.find((order, i) => i > 0 && order.orderId <= (orders[i - 1]?.orderId ?? ''));
  return bad === undefined ? null : `orders are not strictly ascending at ${bad.orderId}`;
}

function orderFromJson(item: At): AuctionOrder {
  const at = readObject(item, ['orderId', 'pair', 'openBy', 'fillDeadline', 'outputs']);
  return {
    orderId: orderId(readHash(at.field('orderId'))),
    pair: readHash(at.field('pair')),
    openBy: readInteger(at.field('openBy'), 0, UINT32_MAX),
    fillDeadline: readInteger(at.field('fillDeadline'), 0, UINT32_MAX),
    outputs: readArray(at.field('outputs'), 1, MAX_OUTPUTS).map(outputFromJson),
  };
}

function outputFromJson(item: At): AuctionOutput {
  const at = readObject(item, ['chainId', 'token', 'decimals', 'minimum', 'priceWad']);
  return {
    chainId: readInteger(at.field('chainId'), 1, Number.MAX_SAFE_INTEGER),
    token: readHex(at.field('token'), 20),
    decimals: readInteger(at.field('decimals'), 0, MAX_DECIMALS),
    minimum: readAmount(at.field('minimum')),
    priceWad: readAmount(at.field('priceWad'), 0n, MAX_PRICE_WAD),
  };
}

export const readHash = (at: At): Hash32 => hash32(readHex(at, 32));

/** `bytes` bytes, lower case: one value has one text. */
export function readHex(at: At, bytes: number): Hex {
  const text = readString(at);
  if (!new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`).test(text)) {
    refuse(at, `must be 0x and ${bytes * 2} lower-case hex digits`);
  }
  return text as Hex;
}
