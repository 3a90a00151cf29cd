// What the desk may spend on a chain: its balances less what orders in flight and its own live bids
// have reserved. A reservation is a fact of the order that needs it, or a part of the sealed bid that
// counts on it, so it is as durable as these and ends with the fill or the auction: there is no second
// book to fall out of step.

import type { Reserves } from '../settlement/ports.ts';
import type { AuctionStore } from '../types/auctionStore.ts';
import type { EvmAddress, OrderId } from '../types/ids.ts';
import type { OrderState, Store, StoredOrder } from '../types/store.ts';
import type { DeskMarket } from './deskMarket.ts';
import type { Amounts } from './value.ts';

/** From award to the last fill an order holds its reservation. */
const RESERVING_STATES: readonly OrderState[] = ['awarded', 'opening', 'opened', 'filling'];
/** More orders in flight than this and new ones are judged as if nothing were free. */
export const ORDERS_IN_FLIGHT_MAX = 500;

export interface Books {
  readonly orders: Pick<Store, 'listOrders'>;
  readonly bids: Pick<AuctionStore, 'liveReserves'>;
  readonly filler: EvmAddress;
}

/**
 * What is held back per node, but for the orders in `except` and the bids on any of them; null when
 * there are too many orders in flight to count.
 */
export async function reservedNow(
  { orders, bids, filler }: Books,
  except: readonly OrderId[],
): Promise<Amounts | null> {
  // Bids first: one that wins in between is then counted twice, never not at all.
  const live = await bids.liveReserves(filler);
  const flying = await orders.listOrders({ states: RESERVING_STATES, limit: ORDERS_IN_FLIGHT_MAX });
  if (flying.length >= ORDERS_IN_FLIGHT_MAX) return null;
  const reserved = new Map(
    reservedByNode(flying.filter((order) => !except.includes(order.orderId))),
  );
  for (const { orderIds, reserves } of live) {
    if (!orderIds.some((id) => except.includes(id))) hold(reserved, reserves);
  }
  return reserved;
}

/** Adds what `reserves` hold to what is reserved. */
export function hold(reserved: Map<string, bigint>, reserves: Reserves): void {
  for (const [node, amount] of Object.entries(reserves)) {
    reserved.set(node, (reserved.get(node) ?? 0n) + BigInt(amount));
  }
}

/** Balances less reservations, never below zero, per node. */
export function freeInventory(market: DeskMarket, reserved: Amounts | null): Amounts {
  if (reserved === null) return new Map();
  const free = new Map(market.balances);
  for (const [node, amount] of reserved) {
    const left = free.get(node);
    if (left === undefined) continue;
    free.set(node, left > amount ? left - amount : 0n);
  }
  return free;
}

/** What the orders still hold back, per node; a chain's reservation ends with its final fill. */
function reservedByNode(reserving: readonly StoredOrder[]): Amounts {
  const reserved = new Map<string, bigint>();
  for (const order of reserving) {
    for (const [node, amount] of reservesOf(order)) {
      const chain = node.slice(0, node.indexOf(':'));
      if (order.facts[`tx:fill:${chain}`] === 'final') continue;
      reserved.set(node, (reserved.get(node) ?? 0n) + amount);
    }
  }
  return reserved;
}

function reservesOf(order: StoredOrder): readonly (readonly [string, bigint])[] {
  const reserves = order.facts.reserves;
  if (typeof reserves !== 'object' || reserves === null) return [];
  return Object.entries(reserves).map(([node, amount]) => [node, BigInt(String(amount))] as const);
}
