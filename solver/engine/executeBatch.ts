// A batch's proposal in exact integers: orders sell whole base units, legs are re-executed, every order
// gets its limit, and the surplus is shared. Where rounding left a bought node short of what is owed
// there, the orders that buy there give way by what is missing. Where the plan leaves surplus and no
// executed order buys, one that may be filled in part claims it. Refuses, as null, a proposal that
// cannot be paid.

import { batchPayout } from '../market/batchPayout.ts';
import { parseFixed36, unitPrice72 } from '../market/decimal.ts';
import type { ParsedBatch, ParsedProblem } from '../market/parsedProblem.ts';
import { orderWorth, unitPrices } from '../market/worth.ts';
import { mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { DualPrices, OrderFill } from '../types/problem.ts';
import type { Proposal } from './decode.ts';
import { type ExactPlan, executeLegs, keeps, toUnits } from './execute.ts';

/** How often orders may give way before a proposal is given up. */
const ROUNDS_MAX = 12;
/** What rounding leaves at a node: this many base units, and this part of the worth on offer. */
const LEFT_UNITS = 4n;
const GRAIN = 10n ** 12n;

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
  const grains = grainsOf(problem);
  let legs = proposal.legs;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const owed = problem.nodes.map(() => 0n);
    const supply = problem.nodes.map(() => 0n);
    orders.forEach(({ sell, buy, amount, minOut }, k) => {
      const own = present(sold[k], 'sold');
      supply[sell] = (supply[sell] ?? 0n) + own;
      owed[buy] = (owed[buy] ?? 0n) + mulDivUp(minOut, own, amount);
    });
    const plan = executeLegs(problem, legs, supply, owed);
    const short = owed.map((amount, node) => amount - present(plan.left[node], 'balance'));
    if (short.every((amount) => amount <= 0n)) {
      claim(batch, sold, plan.left, grains);
      return pay(problem, batch, { plan, sold, prices });
    }
    short.forEach((amount, node) => {
      if (amount <= 0n) return;
      const more = fetch(problem, legs, { plan, owed, node, missing: amount });
      if (more === null) giveWay(batch, sold, node, amount);
      else legs = more;
    });
  }
  return null;
}

/**
 * The legs with one that delivers what a node lacks as well, from a node that has more than it owes:
 * where limits bind, orders that give way bring less by as much as they ask less. null: none does.
 */
function fetch(
  problem: ParsedProblem,
  legs: Proposal['legs'],
  short: {
    readonly plan: ExactPlan;
    readonly owed: readonly bigint[];
    readonly node: number;
    readonly missing: bigint;
  },
): Proposal['legs'] | null {
  const { plan, owed, node, missing } = short;
  for (const { venue, from, to, amountIn, amountOut } of plan.legs) {
    if (to !== node || !keeps(problem, from) || amountOut === 0n) continue;
    const spare = present(plan.left[from], 'balance') - present(owed[from], 'owed');
    // A thousandth on top, as the next unit costs more than the last.
    const price = mulDivUp(missing, amountIn, amountOut);
    const needed = price + price / 1_000n + 1n;
    if (spare < needed) continue;
    const raised = Number(amountIn + needed);
    return legs.map((leg) => (leg.venue === venue ? { ...leg, amountIn: raised } : leg));
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

/**
 * Surplus is value only where an executed order is paid it (OPTIMIZER.md). Where none is executed that
 * buys there, one that may be filled in part sells a single base unit: it gets far more than its
 * limit, as the definition of a batch's value and the checker allow, and the bound counts it so.
 */
function claim(
  { orders }: ParsedBatch,
  sold: bigint[],
  left: readonly bigint[],
  grains: readonly bigint[],
): void {
  const claimed = new Set(orders.flatMap(({ buy }, k) => (sold[k] === 0n ? [] : [buy])));
  orders.forEach(({ buy, amount, minOut, partial }, k) => {
    if (!partial || claimed.has(buy)) return;
    if (
      present(left[buy], 'balance') <=
      mulDivUp(minOut, 1n, amount) + present(grains[buy], 'grain')
    )
      return;
    sold[k] = 1n;
    claimed.add(buy);
  });
}

/** Base units by node below which what is left is rounding: 10⁻¹² of all that is offered. */
function grainsOf(problem: ParsedProblem): readonly bigint[] {
  const worth = orderWorth(problem);
  return unitPrices(problem).map((price) =>
    price === null || price === 0n ? 0n : LEFT_UNITS + worth / (price * GRAIN),
  );
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
