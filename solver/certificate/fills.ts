// The orders a batch's result says it executed, read against the problem: each at most once, within
// its amount (all of it where it may not be filled in part), paid at least its limit. Whether the
// plan can pay them is execution.ts's question.

import type { ParsedBatchOrder, ParsedProblem } from '../market/parsedProblem.ts';
import { mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { OrderFill } from '../types/problem.ts';
import { amountOf, clip, type Failure } from './failure.ts';

export interface ExactFill {
  readonly order: ParsedBatchOrder;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
}

/** `orders` of a result: absent unless the objective is a batch. */
export function readFills(
  { objective }: ParsedProblem,
  orders: readonly OrderFill[] | undefined,
): { readonly fills: readonly ExactFill[]; readonly failures: readonly Failure[] } {
  const wrong = (message: string) => ({
    fills: [],
    failures: [{ code: 'orders' as const, pointer: '/orders', message }],
  });
  if (objective.kind !== 'batch') {
    return orders === undefined ? { fills: [], failures: [] } : wrong('only batches have orders');
  }
  if (orders === undefined) return wrong('a batch lists the orders it executed, [] if none');
  const byId = new Map(objective.orders.map((order) => [order.id, order]));
  const fills: ExactFill[] = [];
  const failures: Failure[] = [];
  const seen = new Set<string>();
  orders.forEach((fill, i) => {
    const read = readFill(fill, byId.get(fill.id), `/orders/${i}`);
    if ('code' in read) failures.push(read);
    else if (seen.has(fill.id)) {
      const message = `order ${clip(fill.id)} is already filled by an earlier entry`;
      failures.push({ code: 'orders', pointer: `/orders/${i}/id`, message });
    } else fills.push(read);
    seen.add(fill.id);
  });
  return { fills, failures };
}

function readFill(
  fill: OrderFill,
  order: ParsedBatchOrder | undefined,
  pointer: string,
): ExactFill | Failure {
  const fail = (at: string, message: string): Failure => ({
    code: 'orders',
    pointer: pointer + at,
    message,
  });
  if (order === undefined) return fail('/id', `no order has the id ${clip(fill.id)}`);
  const amountIn = amountOf(fill.in);
  if (amountIn === null || amountIn === 0n) return fail('/in', 'not a positive decimal integer');
  if (amountIn > order.amount) {
    return fail('/in', `sells ${amountIn}, the order offers at most ${order.amount}`);
  }
  if (!order.partial && amountIn !== order.amount) {
    return fail('/in', `this order sells all of its ${order.amount} or nothing`);
  }
  const amountOut = amountOf(fill.out);
  if (amountOut === null) return fail('/out', 'not a decimal integer of base units');
  const least = leastOut(order, amountIn);
  if (amountOut < least) return fail('/out', `is paid ${amountOut}, below its limit of ${least}`);
  return { order, amountIn, amountOut };
}

/** ⌈minOut · in / amount⌉: what an order that sells `amountIn` must be paid. */
function leastOut({ minOut, amount }: ParsedBatchOrder, amountIn: bigint): bigint {
  return mulDivUp(minOut, amountIn, amount);
}

/** What the executed orders sell, by node. */
export function supply(fills: readonly ExactFill[], nodeCount: number): bigint[] {
  const balances = Array.from({ length: nodeCount }, () => 0n);
  for (const { order, amountIn } of fills) {
    balances[order.sell] = present(balances[order.sell], 'balance') + amountIn;
  }
  return balances;
}
