// A batch's proposal in exact integers: orders sell whole base units, legs are re-executed, every order
// gets its limit, and the surplus is shared. Where rounding left a bought node short of what is owed
// there, the orders that buy there give way by what is missing. Refuses, as null, a proposal that
// cannot be paid.

import { batchPayout } from '../market/batchPayout.ts';
import { parseFixed36, unitPrice72 } from '../market/decimal.ts';
import type { ParsedBatch, ParsedProblem } from '../market/parsedProblem.ts';
import { mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { DualPrices, OrderFill } from '../types/problem.ts';
import type { Proposal } from './decode.ts';
import { type ExactPlan, executeLegs, toUnits } from './execute.ts';

/** How often orders may give way before a proposal is given up. */
const ROUNDS_MAX = 12;

export interface ExactBatch {
  readonly plan: ExactPlan;
  readonly orders: readonly OrderFill[];
}

export function executeBatch(
  problem: ParsedProblem,
  batch: ParsedBatch,
  proposal: Proposal,
  prices: DualPrices,
): ExactBatch | null {
  const { orders } = batch;
  const sold = orders.map(({ amount, partial }, k) => {
    const wish = toUnits(present(proposal.sold[k], 'sold'));
    if (wish === 0n) return 0n;
    return !partial || wish > amount ? amount : wish;
  });
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const owed = problem.nodes.map(() => 0n);
    const supply = problem.nodes.map(() => 0n);
    orders.forEach(({ sell, buy, amount, minOut }, k) => {
      const own = present(sold[k], 'sold');
      supply[sell] = (supply[sell] ?? 0n) + own;
      owed[buy] = (owed[buy] ?? 0n) + mulDivUp(minOut, own, amount);
    });
    const plan = executeLegs(problem, proposal.legs, supply, owed);
    const short = owed.map((amount, node) => amount - present(plan.left[node], 'balance'));
    if (short.every((amount) => amount <= 0n)) return pay(problem, batch, { plan, sold, prices });
    short.forEach((amount, node) => {
      if (amount > 0n) giveWay(batch, sold, node, amount);
    });
  }
  return null;
}

/** Takes `missing` base units at a bought node off what its orders ask for. */
function giveWay({ orders }: ParsedBatch, sold: bigint[], node: number, missing: bigint): void {
  let rest = missing;
  const buyers = orders
    .map((order, k) => ({ order, k }))
    .filter(({ order, k }) => order.buy === node && present(sold[k], 'sold') > 0n)
    // Orders that may be filled in part first; then whole ones are not filled at all.
    .toSorted((a, b) => Number(b.order.partial) - Number(a.order.partial));
  for (const { order, k } of buyers) {
    if (rest <= 0n) return;
    const own = present(sold[k], 'sold');
    const less = order.partial ? mulDivUp(rest, order.amount, order.minOut) + 1n : own;
    const taken = less < own ? less : own;
    sold[k] = own - taken;
    rest -= mulDivUp(order.minOut, taken, order.amount);
  }
}

function pay(
  problem: ParsedProblem,
  { orders }: ParsedBatch,
  done: {
    readonly plan: ExactPlan;
    readonly sold: readonly bigint[];
    readonly prices: DualPrices;
  },
): ExactBatch | null {
  const { plan, sold } = done;
  const unitPrices = problem.nodes.map(({ id, decimals }) =>
    unitPrice72(parseFixed36(present(done.prices[id], 'dual price')), decimals),
  );
  const outs = batchPayout(orders, sold, plan.left, unitPrices);
  if (outs === null) return null;
  const fills = orders.flatMap(({ id }, k) => {
    const own = present(sold[k], 'sold');
    return own === 0n ? [] : [{ id, in: own.toString(), out: present(outs[k], 'out').toString() }];
  });
  return { plan, orders: fills };
}
