// How orders that are served at the same time share one inventory. A plan is made on what is free,
// which takes a while (chains are read, routes are searched); keeping it is a write that others see.
// Between the two another order may have kept some of the same: then the plan is made anew. Only the
// comparison and the write take turns, so a chain that hangs delays nobody else's order.

import type { OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { StoredOrder } from '../types/store.ts';
import type { FillerDesk } from './ports.ts';

/** Runs tasks strictly one after the other. */
export type Turnstile = <T>(task: () => Promise<T>) => Promise<T>;

export interface Sharing {
  readonly desk: Pick<FillerDesk, 'reserved'>;
  /** One per inventory, over all processes that spend it (adapters/postgresTurnstile.ts). */
  readonly oneByOne: Turnstile;
}

export function createTurnstile(): Turnstile {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const mine = last.then(task, task);
    last = mine.catch(() => {});
    return mine;
  };
}

/** `keep` of what `plan` answers for the orders; null when others reserved more meanwhile: plan again. */
export async function reserving<P, T>(
  orderIds: readonly OrderId[],
  { desk, oneByOne }: Sharing,
  plan: () => Promise<P>,
  keep: (plan: P) => Promise<T>,
): Promise<T | null> {
  const before = await desk.reserved(orderIds);
  const planned = await plan();
  return oneByOne(async () => {
    if (grew(before, await desk.reserved(orderIds))) return null;
    return keep(planned);
  });
}

type Reserved = Awaited<ReturnType<FillerDesk['reserved']>>;

/** Null means that there are too many orders to count, and then nothing was free to plan with. */
function grew(before: Reserved, after: Reserved): boolean {
  if (before === null) return false;
  if (after === null) return true;
  return [...after].some(([node, amount]) => amount > (before.get(node) ?? 0n));
}

/** The order's reservation with one chain's part replaced. Nodes are `<chainId>:<token>`. */
export function reservesWith(
  { facts }: Pick<StoredOrder, 'facts'>,
  chainId: number,
  part: Readonly<Record<string, string>>,
): JsonObject {
  const known = facts.reserves;
  const rest = typeof known === 'object' && known !== null ? Object.entries(known) : [];
  const others = rest.filter(([node]) => !node.startsWith(`${chainId}:`));
  return Object.fromEntries([
    ...others.map(([node, amount]) => [node, String(amount)] as const),
    ...Object.entries(part),
  ]);
}
