// A stored order with its award, parsed once per run: the typed order, the awarded outputs and the
// times, and the few facts the workflow keeps. Refuses (as a defect) a row whose order does not hash
// to its own id: nothing may be signed or sent for it.

import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import {
  awardedOutput,
  hashOrder,
  type MandateOutput,
  type PortfolioOrder,
} from '../../contracts-abi/typedData.ts';
import { type SignedAward, signedAwardFromJson } from '../auction/award.ts';
import { assert, present } from '../types/assert.ts';
import type { Hex, OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { SignatureKind, StoredOrder } from '../types/store.ts';
import type { OrderTimes } from './facts.ts';

export interface AwardedOrder {
  readonly orderId: OrderId;
  readonly order: PortfolioOrder;
  readonly ownerSignature: Hex;
  readonly signatureKind: SignatureKind;
  readonly award: SignedAward;
  /** The signed outputs with the awarded amounts, in the order's order. */
  readonly outputs: readonly MandateOutput[];
  readonly times: OrderTimes;
  /** Per destination chain: no fill of this award is in an earlier block. */
  readonly fromBlocks: ReadonlyMap<number, bigint>;
  /** The filler's signed Decline, if it gave up. */
  readonly decline: Hex | null;
}

export function parseOrder(row: Pick<StoredOrder, 'orderId' | 'order'>): PortfolioOrder {
  const order = orderFromJson(row.order);
  assert(hashOrder(order) === row.orderId, `stored order ${row.orderId} hashes to another id`);
  return order;
}

export function parseAwarded(row: StoredOrder): AwardedOrder {
  const order = parseOrder(row);
  const award = signedAwardFromJson(present(row.award, `award of ${row.orderId}`));
  assert(award.award.orderId === row.orderId, 'the stored award is for another order');
  assert(award.amounts.length === order.outputs.length, 'one awarded amount per output');
  return {
    orderId: row.orderId,
    order,
    ownerSignature: row.ownerSignature,
    signatureKind: row.signatureKind,
    award,
    outputs: order.outputs.map((output, i) =>
      awardedOutput(output, present(award.amounts[i], 'awarded amount')),
    ),
    times: {
      openBy: award.award.openBy,
      fillDeadline: order.fillDeadline,
      expiry: order.expiry,
    },
    fromBlocks: blocksFromJson(row.facts.fromBlocks),
    decline: typeof row.facts.decline === 'string' ? (row.facts.decline as Hex) : null,
  };
}

export function blocksToJson(blocks: ReadonlyMap<number, bigint>): JsonObject {
  return Object.fromEntries([...blocks].map(([id, number]) => [String(id), number.toString()]));
}

function blocksFromJson(value: unknown): ReadonlyMap<number, bigint> {
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).map(([id, number]) => [Number(id), BigInt(String(number))]));
}

/** The chains on which the order's outputs are delivered, ascending. */
export function destinationsOf(order: AwardedOrder): readonly number[] {
  return [...new Set(order.outputs.map((o) => Number(o.chainId)))].sort((a, b) => a - b);
}
