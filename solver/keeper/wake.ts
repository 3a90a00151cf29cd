// Hints from orders to policies: when an order moves, its owner's policies look at once instead of
// at their next poll. Only a hint: losing one costs a poll's time and nothing else.

import type { OrderId } from '../types/ids.ts';
import type { PolicyStore } from '../types/policyStore.ts';
import type { Store } from '../types/store.ts';

/** Orders whose wake-up is under way at once; more are left to the poll. */
const WAKING_MAX = 64;

/** Returns how to stop. `onError` hears of every hint that could not be passed on. */
export function wakeOnOrders(
  orders: Pick<Store, 'getOrder' | 'onEvents'>,
  policies: Pick<PolicyStore, 'wakeOwner'>,
  onError: (error: unknown) => void,
): () => void {
  const waking = new Set<OrderId>();
  const wake = async (orderId: OrderId) => {
    const order = await orders.getOrder(orderId);
    if (order !== null) await policies.wakeOwner(order.owner);
  };
  return orders.onEvents((orderId) => {
    if (waking.has(orderId) || waking.size >= WAKING_MAX) return;
    waking.add(orderId);
    wake(orderId)
      .catch(onError)
      .finally(() => waking.delete(orderId));
  });
}
