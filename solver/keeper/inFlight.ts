// Funds in flight: what the owner's unfinished orders, the policy's own and any other, will still
// take and bring. An order counts as what it is expected to become: its outputs at their signed
// minimum instead of its inputs, or, once it is being refunded, its inputs. Never both, or the
// policy would trade twice. Amounts in base units; pure but for the reads it is given.

import { nodeIdOf } from '../market/snapshot.ts';
import type { ChainId, EvmAddress } from '../types/ids.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { BlockRef } from '../types/ports.ts';
import type { OrderStanding, ReadStanding } from '../types/standing.ts';
import type { OrderState, Store, StoredOrder } from '../types/store.ts';

/** Orders of one owner that are looked at; more than that means that something else is wrong. */
const ORDERS_MAX = 200;
/** Orders that ended this long before the oldest block read are still compared with that block. */
const ENDED_SECONDS = 600;
const UNFINISHED: readonly OrderState[] = [
  'created',
  'awarded',
  'opening',
  'opened',
  'filling',
  'filled',
  'proving',
  'releasing',
  'refunding',
];

export interface InFlight {
  /** By node id: base units to add to what the wallet holds; may be negative. */
  readonly change: ReadonlyMap<string, bigint>;
  /** By node id: of that, what is expected to arrive. */
  readonly expected: ReadonlyMap<string, bigint>;
  readonly orders: readonly StoredOrder[];
}

export interface InFlightDeps {
  readonly orders: Pick<Store, 'listOrders'>;
  readonly standing: ReadStanding;
  readonly network: NetworkConfig;
}

/**
 * Reads after `blocks` were fixed: an order is stored before anything is taken for it, so none that
 * touches these blocks is missed. One that ended since is compared with them as well.
 */
export async function readInFlight(
  deps: InFlightDeps,
  owner: EvmAddress,
  blocks: ReadonlyMap<ChainId, BlockRef>,
): Promise<InFlight> {
  const oldest = Math.min(...[...blocks.values()].map(({ timestamp }) => timestamp));
  const [unfinished, recent] = await Promise.all([
    deps.orders.listOrders({ owner, states: UNFINISHED, limit: ORDERS_MAX }),
    deps.orders.listOrders({ owner, limit: ORDERS_MAX }),
  ]);
  const touching = recent.filter(({ updatedAtMs }) => updatedAtMs / 1_000 > oldest - ENDED_SECONDS);
  const orders = new Map([...unfinished, ...touching].map((order) => [order.orderId, order]));
  const change = new Map<string, bigint>();
  const expected = new Map<string, bigint>();
  const nodes = nodesOf(deps.network);
  const newest = Math.max(...[...blocks.values()].map(({ timestamp }) => timestamp));
  for (const order of orders.values()) {
    const standing = await deps.standing(order, blocks);
    for (const [token, amount, arriving] of movesOf(order, standing, newest)) {
      const node = nodes.get(token);
      if (node === undefined) continue;
      add(change, node, amount);
      if (arriving) add(expected, node, amount);
    }
  }
  return { change, expected, orders: unfinished };
}

type Move = readonly [token: string, amount: bigint, arriving: boolean];

/** States that say, at finality, that every output was delivered. */
const DELIVERED: readonly OrderState[] = ['filled', 'proving', 'releasing', 'settled'];
/**
 * States in which an origin that is neither untouched nor open can only mean that it was cancelled.
 */
const BEFORE_OPEN: readonly OrderState[] = ['created', 'awarded', 'opening'];

/** What an order still changes, relative to the wallet at the blocks it was read at. */
function movesOf(order: StoredOrder, { inputs, outputs }: OrderStanding, now: number): Move[] {
  const { state } = order;
  const at = (place: string) => inputs.filter((input) => input.at === place);
  const tooLate = at('wallet').length > 0 && Number(order.order.openDeadline) < now;
  const cancelled = at('gone').length > 0 && BEFORE_OPEN.includes(state);
  const ended = state === 'refunding' || state === 'refunded' || state === 'failed';
  if (ended || tooLate || cancelled) {
    // What is in escrow comes back; what was not taken stays.
    return at('escrow').map((input) => [keyOf(input), input.amount, true]);
  }
  // Every input gone and nothing said of delivery: refunded or cancelled, whatever the row says
  // yet.
  if (at('gone').length === inputs.length && !DELIVERED.includes(state)) return [];
  return [
    ...at('wallet').map((input): Move => [keyOf(input), -input.amount, false]),
    ...outputs
      .filter(({ delivered }) => !delivered)
      .map((output): Move => [keyOf(output), output.minimum, true]),
  ];
}

const keyOf = ({ chainId, token }: { chainId: ChainId; token: EvmAddress }) =>
  `${chainId}:${token}`;

function nodesOf({ chains }: NetworkConfig): ReadonlyMap<string, string> {
  return new Map(
    chains.flatMap(({ chainId, tokens }) =>
      tokens.map(({ address, symbol }): [string, string] => [
        `${chainId}:${address}`,
        nodeIdOf(chainId, symbol),
      ]),
    ),
  );
}

function add(to: Map<string, bigint>, node: string, amount: bigint) {
  to.set(node, (to.get(node) ?? 0n) + amount);
}
