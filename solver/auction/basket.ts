// An order as a basket of flows on the network's nodes, and its split into the core's sell → buy pairs.
//
// A portfolio order is all or nothing and has several inputs and outputs; the core's batch knows orders
// of one input and one output. At prices p, with w_i = p_i·input_i, W = Σ w, v_j = p_j·minimum_j and
// V = Σ v, the pair i → j sells the share v_j/V of input i for at least the share w_i/W of minimum j.
// Every pair then asks for the same: the fraction V/W of what it gives, at p. So at clearing prices p
// the basket can be served exactly if each of its pairs can, and the split restricts nothing; at other
// prices it is stricter than the order, never laxer. netting.ts therefore splits again at the prices a
// first solution found. Refuses an order the formulation cannot express, with the reason.

import { mulDivDown } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import type { OrderId } from '../types/ids.ts';
import type { BatchOrder } from '../types/problem.ts';

export interface BasketFlow {
  /** Node id, `<chainId>:<symbol>`. */
  readonly node: string;
  /** Base units: given, or wanted at least. */
  readonly amount: bigint;
}
/** One order of a batch. All or nothing. */
export interface BatchedOrder {
  readonly orderId: OrderId;
  readonly inputs: readonly BasketFlow[];
  /** In the order's own order; `amount` is the signed minimum. */
  readonly outputs: readonly BasketFlow[];
}

/** Integer worth of one base unit of each node, in one unit for all; > 0. */
export type UnitPrices = ReadonlyMap<string, bigint>;

/** Sums by node; order of first mention. */
export function byNode(flows: readonly BasketFlow[]): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { node, amount } of flows) sums.set(node, (sums.get(node) ?? 0n) + amount);
  return sums;
}

/** Why the order cannot be part of a batch, or null. `nodes`: those with a price. */
export function unfitness(order: BatchedOrder, nodes: ReadonlySet<string>): string | null {
  if (order.inputs.length === 0 || order.outputs.length === 0)
    return 'it has no input or no output';
  const flows = [...order.inputs, ...order.outputs];
  const strange = flows.find(({ node }) => !nodes.has(node));
  if (strange !== undefined) return `${strange.node} has no price`;
  if (flows.some(({ amount }) => amount <= 0n)) return 'an amount or a minimum is 0';
  const given = byNode(order.inputs);
  const both = order.outputs.find(({ node }) => given.has(node));
  return both === undefined ? null : `it gives and wants ${both.node}`;
}

/** Σ amount · price. */
export function worthOf(flows: readonly BasketFlow[], prices: UnitPrices): bigint {
  return flows.reduce(
    (sum, { node, amount }) => sum + amount * present(prices.get(node), `price of ${node}`),
    0n,
  );
}

/**
 * The pairs of a basket at these prices, `partial` as the core's orders have it. Sold amounts sum to the
 * inputs and minimums to the signed ones exactly: parts are cut at ⌊cumulative shares⌋. A part of
 * nothing is left out, its minimum given to the pair before it.
 */
export function pairsOf(
  order: BatchedOrder,
  prices: UnitPrices,
  partial: boolean,
): readonly BatchOrder[] {
  const inputs = [...byNode(order.inputs)].map(([node, amount]) => ({ node, amount }));
  const outputs = [...byNode(order.outputs)].map(([node, amount]) => ({ node, amount }));
  const sold = inputs.map((input) => cut(input.amount, outputs, prices));
  const wanted = outputs.map((output) => cut(output.amount, inputs, prices));
  const pairs = inputs.flatMap((input, i) =>
    outputs.map((output, j): BatchOrder => {
      const amount = present(sold[i]?.[j], 'part of an input');
      const minOut = present(wanted[j]?.[i], 'part of a minimum');
      return {
        id: `${order.orderId}:${i}:${j}`,
        sell: { node: input.node, amount: amount.toString() },
        buy: output.node,
        // Stricter by a base unit where a part of the minimum rounds to nothing.
        minOut: (minOut > 0n ? minOut : 1n).toString(),
        partial,
      };
    }),
  );
  return pairs.filter(({ sell }) => sell.amount !== '0');
}

/** `amount` in proportion to the worth of `by`; the parts sum to it. */
function cut(amount: bigint, by: readonly BasketFlow[], prices: UnitPrices): readonly bigint[] {
  const total = worthOf(by, prices);
  assert(total > 0n, 'a basket is worth something');
  let worth = 0n;
  let given = 0n;
  return by.map((flow) => {
    worth += worthOf([flow], prices);
    const upTo = mulDivDown(amount, worth, total);
    const part = upTo - given;
    given = upTo;
    return part;
  });
}
