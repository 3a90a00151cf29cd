// One bid over several orders that net against each other: amounts at the uniform prices that the
// auction's own clearing finds on the desk's markets, with the desk's free inventory as what carries
// value between chains. Kept only if serving all of them at those amounts can be funded and is no loss.
// It is made of the same plans as single bids, so a fill never knows which bid it is for.

import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { clearBatch } from '../auction/netting.ts';
import type { Engine } from '../engine/engine.ts';
import type { AuctionedOrder, BatchBid, Reserves } from '../settlement/ports.ts';
import { present } from '../types/assert.ts';
import { isRefusal } from '../types/errors.ts';
import { chainId, fromBytes32Address, type OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { BridgeVenue, ProblemNode } from '../types/problem.ts';
import { judge } from './bidding.ts';
import { type DeskMarket, nodeOfToken } from './deskMarket.ts';
import { freeInventory, hold } from './inventory.ts';
import { type Amounts, amountWorth, dollars, worthDown } from './value.ts';

export interface BatchContext {
  readonly engine: Engine;
  readonly orders: readonly AuctionedOrder[];
  /** Every chain the orders name. */
  readonly markets: ReadonlyMap<number, DeskMarket>;
  /** What is held back already; null: too much to count. */
  readonly reserved: Amounts | null;
  readonly minProfitWad: bigint;
}

/** What a move between chains is charged, pips: the desk has to bring its inventory back one day. */
const TRANSFER_PIPS = 100;
/** Larger batches would keep the process busy for longer than a bid window is. */
const BATCH_ORDERS_MAX = 12;

/** Null: nothing to net, or together is not worth more, or it cannot be funded at no loss. */
export function batchBid(context: BatchContext): BatchBid | null {
  const { engine, orders, markets, reserved } = context;
  if (reserved === null || orders.length < 2 || orders.length > BATCH_ORDERS_MAX) return null;
  if (!mayNet(context)) return null;
  const all = [...markets.values()];
  const cleared = clearBatch(
    {
      nodes: all.flatMap(({ nodes }) => nodes),
      venues: [...all.flatMap(({ venues }) => venues), ...transfers(all, reserved)],
      proofWad: (fill, origin) => proofWad(markets, fill, origin),
    },
    orders.map(({ orderId, order }) => ({
      orderId,
      inputs: inputsOf(order, markets),
      outputs: order.outputs.map((output) => ({
        node: nodeAt(markets, output.chainId, fromBytes32Address(output.token)).id,
        amount: output.amount,
      })),
    })),
    (problem) => engine.solve(problem),
  );
  if (cleared.mode === 'oneByOne' || cleared.amounts.size < 2) return null;
  return funded(context, reserved, cleared.amounts, cleared.report);
}

/** Whether some order gives an asset that another one wants. */
function mayNet({ orders, markets }: BatchContext): boolean {
  const sides = orders.map(({ order }) => {
    const given = inputsOf(order, markets).map(({ node }) => assetOf(markets, node));
    const wanted = order.outputs.map((output) => {
      return nodeAt(markets, output.chainId, fromBytes32Address(output.token)).asset;
    });
    return { given: new Set(given), wanted };
  });
  return sides.some((one, i) =>
    sides.some((other, j) => i !== j && other.wanted.some((asset) => one.given.has(asset))),
  );
}

/**
 * Order by order, each on what the ones before leave, and each paying for its own opening, filling and
 * releasing, which the clearing does not know of. The sum decides.
 */
function funded(
  { engine, orders, markets, minProfitWad }: BatchContext,
  reserved: Amounts,
  amounts: ReadonlyMap<OrderId, readonly bigint[]>,
  report: JsonObject,
): BatchBid | null {
  const held = new Map(reserved);
  const items: { orderId: OrderId; amounts: readonly bigint[] }[] = [];
  const parts: Record<OrderId, { readonly reserves: Reserves; readonly notes: JsonObject }> = {};
  let profitWad = 0n;
  for (const { orderId, order } of orders) {
    const offered = amounts.get(orderId);
    if (offered === undefined) continue;
    const ids = new Set([...order.origins, ...order.outputs].map((p) => Number(p.chainId)));
    const own = new Map([...markets].filter(([id]) => ids.has(id)));
    const free = new Map([...own].map(([id, market]) => [id, freeInventory(market, held)]));
    const context = { engine, order, markets: own, free, hints: new Map() };
    const first = judge(context, offered);
    if (isRefusal(first)) return null;
    const paying = first.profitWad < 0n ? less(order, own, offered, -first.profitWad) : offered;
    const judged = paying === null ? null : judge(context, paying);
    if (paying === null || judged === null || isRefusal(judged)) return null;
    profitWad += judged.profitWad;
    const reserves: Record<string, string> = {};
    for (const { uses } of judged.plans.values()) {
      for (const [node, amount] of uses) reserves[node] = amount.toString();
    }
    hold(held, reserves);
    items.push({ orderId, amounts: paying });
    parts[orderId] = { reserves, notes: { basis: 'batch', ...judged.parts } };
  }
  if (items.length < 2 || profitWad < minProfitWad) return null;
  items.sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
  return { items, orders: parts, netting: { ...report, deskProfit: dollars(profitWad) } };
}

/** The amounts less what is worth `wad`, none below its minimum; null where that is not enough. */
function less(
  order: PortfolioOrder,
  markets: ReadonlyMap<number, DeskMarket>,
  amounts: readonly bigint[],
  wad: bigint,
): readonly bigint[] | null {
  let due = wad;
  const left = order.outputs.map((output, i) => {
    const node = nodeAt(markets, output.chainId, fromBytes32Address(output.token));
    const amount = present(amounts[i], 'an amount per output');
    const surplus = amount - output.amount;
    const wanted = due > 0n ? amountWorth(due, node) : 0n;
    const taken = wanted < surplus ? wanted : surplus;
    due -= worthDown(taken, node);
    return amount - taken;
  });
  return due > 0n ? null : left;
}

/** The desk's free inventory of an asset on one chain, for the same asset on another. */
function transfers(markets: readonly DeskMarket[], reserved: Amounts): readonly BridgeVenue[] {
  const nodes = markets.flatMap((market) => market.nodes.map((node) => ({ node, market })));
  return nodes.flatMap(({ node: from }) =>
    nodes.flatMap(({ node: to, market }): BridgeVenue[] => {
      if (from.id === to.id || from.asset !== to.asset) return [];
      const capacity = freeInventory(market, reserved).get(to.id) ?? 0n;
      if (capacity === 0n) return [];
      return [
        {
          ...{ id: `transfer:${from.id}>${to.id}`, kind: 'bridge', nodes: [from.id, to.id] },
          ...{
            feePips: TRANSFER_PIPS,
            fixedFee: '0',
            fixedCost: '0',
            capacity: capacity.toString(),
          },
        },
      ];
    }),
  );
}

function proofWad(markets: ReadonlyMap<number, DeskMarket>, fill: number, origin: number): bigint {
  const market = markets.get(fill);
  const fee = market?.messageFees.get(chainId(origin));
  return market === undefined || fee === undefined ? 0n : market.weiWad(fee.base + fee.perRecord);
}

const inputsOf = (order: PortfolioOrder, markets: ReadonlyMap<number, DeskMarket>) =>
  order.origins.flatMap(({ chainId: id, inputs }) =>
    inputs.map(({ token, amount }) => ({ node: nodeAt(markets, id, token).id, amount })),
  );

function nodeAt(markets: ReadonlyMap<number, DeskMarket>, id: bigint, token: string): ProblemNode {
  const market = present(markets.get(Number(id)), `market of chain ${id}`);
  return present(nodeOfToken(market, token), `node of ${token}`);
}

function assetOf(markets: ReadonlyMap<number, DeskMarket>, node: string): string {
  const nodes = [...markets.values()].flatMap((market) => market.nodes);
  return present(
    nodes.find(({ id }) => id === node),
    node,
  ).asset;
}
