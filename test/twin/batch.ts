// A batch's plan in exact integers: what executed orders sell is the plan's supply, the legs are
// re-executed on it, every order is paid its limit rounded up, and what is left at a bought node goes
// to the first order that buys there. Where rounding leaves an order unpaid, orders that may be filled
// in part sell a little less and the plan runs again.

import { type ExactLeg, executeProposal, type ProposedLeg } from '../../solver/engine/execute.ts';
import type { Fixed36 } from '../../solver/market/decimal.ts';
import { fixed36, ONE36 } from '../../solver/market/decimal.ts';
import type { ParsedBatch, ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { orderWorth } from '../../solver/market/worth.ts';
import { mulDivUp } from '../../solver/types/amounts.ts';
import type { OrderFill } from '../../solver/types/problem.ts';

const RETRIES_MAX = 12;

interface Sold {
  readonly order: ParsedBatch['orders'][number];
  readonly amount: bigint;
}

export interface BatchPlan {
  readonly legs: readonly ExactLeg[];
  readonly orders: readonly OrderFill[];
}

export function executeBatch(
  problem: ParsedProblem,
  { orders }: ParsedBatch,
  fills: readonly { readonly order: number; readonly share: number }[],
  proposal: readonly ProposedLeg[],
): BatchPlan {
  let sold: readonly Sold[] = fills.flatMap(({ order: k, share }) => {
    const order = orders[k] as Sold['order'];
    const amount = order.partial && share < 1 - 1e-12 ? partOf(order.amount, share) : order.amount;
    return amount > 0n ? [{ order, amount }] : [];
  });
  for (let retry = 0; retry < RETRIES_MAX && sold.length > 0; retry++) {
    const { legs, left } = executeProposal(withSupply(problem, sold), proposal);
    const paid = pay([...sold, ...claims(orders, sold, left)], left);
    if (!(paid instanceof Map)) return { legs, orders: paid };
    sold = sold.flatMap((one) => {
      const short = paid.get(one.order.buy);
      if (short === undefined || !one.order.partial) return [one];
      // A little more than what is missing, doubling.
      const less = mulDivUp(one.amount, short << BigInt(retry + 1), limit(one) + 1n) + 1n;
      return less < one.amount ? [{ ...one, amount: one.amount - less }] : [];
    });
  }
  return { legs: [], orders: [] };
}

const SHARE_UNITS = 2 ** 52;
const partOf = (amount: bigint, share: number): bigint =>
  (amount * BigInt(Math.floor(share * SHARE_UNITS))) / BigInt(SHARE_UNITS);

const limit = ({ order, amount }: Sold): bigint => mulDivUp(order.minOut, amount, order.amount);

/**
 * Surplus counts only when paid to an order. Where none that is executed buys, one that may be filled in
 * part sells a single unit to claim it: the value's definition allows it, and the bound counts it.
 */
function claims(
  orders: ParsedBatch['orders'],
  sold: readonly Sold[],
  left: readonly bigint[],
): readonly Sold[] {
  const executed = new Set(sold.map(({ order }) => order));
  const paid = new Set(sold.map(({ order }) => order.buy));
  return orders.flatMap((order) => {
    const claim = { order, amount: 1n };
    const idle = order.partial && !executed.has(order) && !paid.has(order.buy);
    if (!idle || limit(claim) >= (left[order.buy] as bigint)) return [];
    paid.add(order.buy);
    return [claim];
  });
}

/** The payments, or by node what is missing for them. */
function pay(sold: readonly Sold[], left: readonly bigint[]): OrderFill[] | Map<number, bigint> {
  const rest = [...left];
  for (const one of sold) rest[one.order.buy] = (rest[one.order.buy] as bigint) - limit(one);
  const missing = new Map<number, bigint>();
  for (const { order } of sold) {
    const balance = rest[order.buy] as bigint;
    if (balance < 0n) missing.set(order.buy, -balance);
  }
  if (missing.size > 0) return missing;
  return sold.map((one) => {
    const bonus = rest[one.order.buy] as bigint;
    rest[one.order.buy] = 0n;
    return { id: one.order.id, in: `${one.amount}`, out: `${limit(one) + bonus}` };
  });
}

/**
 * The problem as executeProposal reads it: a portfolio that holds what the orders sell, may keep
 * anything anywhere, and has the batch's input caps.
 */
function withSupply(problem: ParsedProblem, sold: readonly Sold[]): ParsedProblem {
  const holdings = problem.nodes.map(() => 0n);
  for (const { order, amount } of sold) {
    holdings[order.sell] = (holdings[order.sell] as bigint) + amount;
  }
  const priced = problem.nodes.flatMap(({ price }, i) => (price === null ? [] : [i]));
  const portfolio: ParsedProblem = {
    ...problem,
    objective: {
      kind: 'rebalance',
      holdings,
      targets: [{ nodes: priced, weight: ONE36 }],
      targetOfNode: problem.nodes.map(() => 0),
      risk: null,
    },
  };
  const { venueInputCap: cap } = problem.settings;
  if (cap === null) return portfolio;
  const scaled = fixed36((cap * orderWorth(problem)) / orderWorth(portfolio)) as Fixed36;
  return { ...portfolio, settings: { ...problem.settings, venueInputCap: scaled } };
}
