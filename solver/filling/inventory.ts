// What the desk may spend on a chain: its balances less what orders in flight have reserved. A
// reservation is a fact of the order that needs it, so it is as durable as the order and ends with
// its fill: there is no second book to fall out of step.

import type { OrderId } from '../types/ids.ts';
import type { OrderState, Store, StoredOrder } from '../types/store.ts';
import type { DeskMarket } from './deskMarket.ts';
import type { Amounts } from './value.ts';

/** From award to the last fill an order holds its reservation. */
const RESERVING_STATES: readonly OrderState[] = ['awarded', 'opening', 'opened', 'filling'];
/** More orders in flight than this and new ones are judged as if nothing were free. */
export const ORDERS_IN_FLIGHT_MAX = 500;

/** Orders whose reservations count, other than `except`; null when there are too many to count. */
export async function reservingOrders(
  store: Pick<Store, 'listOrders'>,
  except: OrderId | null,
): Promise<readonly StoredOrder[] | null> {
  const orders = await store.listOrders({ states: RESERVING_STATES, limit: ORDERS_IN_FLIGHT_MAX });
  if (orders.length >= ORDERS_IN_FLIGHT_MAX) return null;
  return orders.filter((order) => order.orderId !== except);
}

/** Balances less reservations, never below zero, per node. */
export function freeInventory(
  market: DeskMarket,
  reserving: readonly StoredOrder[] | null,
): Amounts {
  if (reserving === null) return new Map();
  const free = new Map(market.balances);
  for (const [node, amount] of reservedByNode(reserving)) {
    const left = free.get(node);
    if (left === undefined) continue;
    free.set(node, left > amount ? left - amount : 0n);
  }
  return free;
}

/** What the orders still hold back, per node; a chain's reservation ends with its final fill. */
export function reservedByNode(reserving: readonly StoredOrder[]): Amounts {
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
