// Orders open in one window, solved together as one network problem: opposite flows net before any
// venue or transfer is used, and all are paid at uniform prices per (chain, token). Compared with the
// very same orders settled one after the other on the same snapshot, each trade moving the pools for
// the next; where that is worth more, one by one is kept and the report says so. Pure: the core is a
// function given. "WASM proposes, integers dispose": legs are exact, payments are clearing.ts's.
//
// Limits, stated: orders that give and want one and the same (chain, token), or have a minimum of 0,
// are left out; a basket is found servable only if each of its pairs is at the prices it was split at
// (basket.ts), and whole baskets are dropped, the least generous first, until all that are left are.

import { venueAfter } from '../market/afterTrade.ts';
import { fixed36, formatFixed36, parseFixed36, unitPrice72 } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { parseProblem } from '../market/problemFile.ts';
import { assert, present } from '../types/assert.ts';
import type { OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type {
  Leg,
  Problem,
  ProblemGroup,
  ProblemNode,
  ProblemVenue,
  Solution,
} from '../types/problem.ts';
import { type BatchedOrder, pairsOf, type UnitPrices, unfitness, worthOf } from './basket.ts';
import { givenBy, PAR, payBaskets } from './clearing.ts';
import { reportOf } from './nettingReport.ts';
import { type Tally, tallyOf } from './tally.ts';

/** What orders are cleared on: one snapshot's nodes, venues and transfers, and what is paid once. */
export interface BatchMarket {
  /** Dollar prices on every node that orders name. */
  readonly nodes: readonly ProblemNode[];
  /** Pools, and `bridge` venues for transfers between chains. */
  readonly venues: readonly ProblemVenue[];
  /** Transactions paid once (gas). Not the messages that prove fills: those follow from the orders. */
  readonly groups?: readonly ProblemGroup[];
  /** Cost of one packet that proves fills on one chain to another, 18-decimal dollars; default 0. */
  readonly proofWad?: (fillChain: number, originChain: number) => bigint;
}

/** The core: engine.solve. */
export type SolveBatch = (problem: ParsedProblem) => Solution;

export interface Cleared {
  /** oneByOne: together is not worth more; amounts and legs are then empty. */
  readonly mode: 'batch' | 'oneByOne';
  /** Per served order, one per output of it; each at least its signed minimum. */
  readonly amounts: ReadonlyMap<OrderId, readonly bigint[]>;
  readonly legs: readonly Leg[];
  /** Decimal dollars per whole token, by node: what giving is worth, and what getting costs. */
  readonly prices: Readonly<Record<string, { readonly sold: string; readonly bought: string }>>;
  readonly together: Tally;
  readonly apart: Tally;
  /** For the record's `netting`. */
  readonly report: JsonObject;
}

/** Solves per set of baskets: at the feed's prices, at the prices found, and without the dropped. */
const ROUNDS_MAX = 10;
/** A pair counts as filled from here: the core's numbers are f64. */
const FULL_PPM = 999_999n;
const PPM = 1_000_000n;
/** Work of one solve; a batch is not worth waiting for its last hundredth of a basis point. */
const SETTINGS = { gapBps: '1', workMax: 2_000 } as const;
export const BATCH_ORDERS_MAX = 128;

export function clearBatch(
  market: BatchMarket,
  orders: readonly BatchedOrder[],
  solve: SolveBatch,
): Cleared {
  assert(orders.length <= BATCH_ORDERS_MAX, `at most ${BATCH_ORDERS_MAX} orders`);
  const priced = new Set(
    market.nodes.flatMap(({ id, price }) => (price === undefined ? [] : [id])),
  );
  const ascending = [...orders].sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
  const leftOut = new Map<OrderId, string>();
  for (const order of ascending) {
    const why = unfitness(order, priced);
    if (why !== null) leftOut.set(order.orderId, why);
  }
  const fit = ascending.filter(({ orderId }) => !leftOut.has(orderId));
  const plan = served(market, fit, solve);
  const together = tallyOf(market, plan === null ? [] : [plan]);
  const alone = oneAfterTheOther(market, fit, solve);
  const apart = tallyOf(market, alone);
  const isBatch = plan !== null && plan.orders.length > 1 && together.surplusWad > apart.surplusWad;
  const prices = plan === null ? {} : pricesOf(market, plan);
  const cleared = {
    mode: isBatch ? ('batch' as const) : ('oneByOne' as const),
    amounts: isBatch ? plan.amounts : new Map<OrderId, readonly bigint[]>(),
    legs: isBatch ? plan.legs : [],
    prices: isBatch ? prices : {},
    together,
    apart,
  };
  return { ...cleared, report: reportOf(cleared, plan, leftOut) };
}

/** Baskets served together, exactly. */
export interface ServedPlan {
  readonly orders: readonly BatchedOrder[];
  readonly legs: readonly Leg[];
  readonly problem: ParsedProblem;
  readonly amounts: ReadonlyMap<OrderId, readonly bigint[]>;
  /** ν, dollars × 10^72 per base unit. */
  readonly clearing: UnitPrices;
  /** R_j of clearing.ts. */
  readonly factors: ReadonlyMap<string, bigint>;
  readonly feeE9: bigint;
  readonly solves: number;
}

/** The baskets that can be served together, and how; null: none. */
function served(
  market: BatchMarket,
  all: readonly BatchedOrder[],
  solve: SolveBatch,
): ServedPlan | null {
  const feed = feedPrices(market);
  let orders = all;
  let prices = feed;
  for (let round = 1; round <= ROUNDS_MAX && orders.length > 0; round += 1) {
    const problem = batchProblem(market, orders, prices);
    const solution = solve(problem);
    const found = dualPrices(market, solution);
    const filled = new Map((solution.orders ?? []).map(({ id, in: sold }) => [id, BigInt(sold)]));
    const incomplete = orders.filter((order) => !isFull(order, prices, filled));
    if (incomplete.length === 0) {
      const plan = paid(market, orders, { problem, solution, clearing: found, worth: feed });
      if (plan !== null) return { ...plan, solves: round };
      orders = without(orders, leastGenerous(orders, found).slice(0, 1));
    } else if (orders.length === 1) {
      const plan = round === 1 ? null : forced(market, orders, found, solve);
      if (plan !== null || round > 1) return plan;
    } else if ((solution.orders ?? []).length === 0) {
      // The core's plan could not be paid in whole base units: fewer orders leave it more room.
      orders = without(orders, leastGenerous(orders, found).slice(0, Math.ceil(orders.length / 8)));
    } else if (round > 1) {
      // As much of them as found room stays, the most generous; later rounds are stricter.
      const room = (filledWorth(problem, incomplete, filled, found) * BigInt(12 - round)) / 10n;
      orders = without(orders, beyond(leastGenerous(incomplete, found).toReversed(), found, room));
    }
    prices = found;
  }
  return null;
}

/**
 * One order sold whole whatever its last unit brings: the limit holds for the whole, not for every unit
 * of it. Its minimums are what it is paid by, so null where they cannot be.
 */
function forced(
  market: BatchMarket,
  orders: readonly BatchedOrder[],
  prices: UnitPrices,
  solve: SolveBatch,
): ServedPlan | null {
  const eager = orders.map((order) => ({
    ...order,
    outputs: order.outputs.map(({ node, amount }) => ({ node, amount: (amount + 1n) / 2n })),
  }));
  const problem = batchProblem(market, eager, prices);
  const solution = solve(problem);
  const filled = new Map((solution.orders ?? []).map(({ id, in: sold }) => [id, BigInt(sold)]));
  if (!eager.every((order) => isFull(order, prices, filled))) return null;
  const clearing = dualPrices(market, solution);
  const worth = feedPrices(market);
  const plan = paid(market, orders, { problem, solution, clearing, worth });
  return plan === null ? null : { ...plan, solves: 3 };
}

const without = (orders: readonly BatchedOrder[], dropped: readonly BatchedOrder[]) =>
  orders.filter((order) => !dropped.includes(order));

/** Those that give least for what they want, at these prices, first; ties by order id. */
function leastGenerous(orders: readonly BatchedOrder[], prices: UnitPrices) {
  const generosity = ({ inputs, outputs }: BatchedOrder) =>
    (worthOf(inputs, prices) * PAR) / worthOf(outputs, prices);
  return orders
    .map((order) => ({ order, ratio: generosity(order) }))
    .sort((a, b) => (a.ratio < b.ratio ? -1 : a.ratio > b.ratio ? 1 : 0))
    .map(({ order }) => order);
}

/** Those of `orders` that no longer fit into `room` of worth given, taken in turn; at least one. */
function beyond(
  orders: readonly BatchedOrder[],
  prices: UnitPrices,
  room: bigint,
): readonly BatchedOrder[] {
  let left = room;
  const dropped = orders.filter(({ inputs }) => {
    const worth = worthOf(inputs, prices);
    if (worth > left) return true;
    left -= worth;
    return false;
  });
  return dropped.length > 0 ? dropped : orders.slice(-1);
}

/** Worth of what these orders' pairs sold. */
function filledWorth(
  { source }: ParsedProblem,
  orders: readonly BatchedOrder[],
  filled: ReadonlyMap<string, bigint>,
  prices: UnitPrices,
): bigint {
  const ids = new Set<string>(orders.map(({ orderId }) => orderId));
  const pairs = source.objective.kind === 'batch' ? source.objective.orders : [];
  return pairs.reduce((sum, { id, sell }) => {
    if (!ids.has(id.slice(0, id.indexOf(':')))) return sum;
    return sum + worthOf([{ node: sell.node, amount: filled.get(id) ?? 0n }], prices);
  }, 0n);
}

function isFull(
  order: BatchedOrder,
  prices: UnitPrices,
  filled: ReadonlyMap<string, bigint>,
): boolean {
  return pairsOf(order, prices, true).every(({ id, sell }) => {
    const amount = BigInt(sell.amount);
    // One base unit is what rounding may leave of a small part.
    return (filled.get(id) ?? 0n) * PPM >= (amount - 1n) * FULL_PPM;
  });
}

/**
 * Minimums are asked for with 2 ppm and two base units on top, so that what the core fills but for
 * FULL_PPM still pays the signed ones.
 */
function batchProblem(
  { nodes, venues, groups }: BatchMarket,
  orders: readonly BatchedOrder[],
  prices: UnitPrices,
): ParsedProblem {
  const pairs = orders.flatMap((order) => pairsOf(order, prices, true));
  const asked = pairs.map((pair) => {
    const minOut = BigInt(pair.minOut);
    return { ...pair, minOut: (minOut + (2n * minOut) / PPM + 2n).toString() };
  });
  const problem: Problem = {
    version: 1,
    nodes,
    venues,
    ...(groups === undefined ? {} : { groups }),
    objective: { kind: 'batch', orders: asked },
    settings: SETTINGS,
  };
  return parseProblem(problem);
}

interface Solved {
  readonly problem: ParsedProblem;
  readonly solution: Solution;
  readonly clearing: UnitPrices;
  readonly worth: UnitPrices;
}

/** Pays the baskets out of what all inputs and the exact legs leave; null: it does not suffice. */
function paid(
  market: BatchMarket,
  orders: readonly BatchedOrder[],
  { problem, solution, clearing, worth }: Solved,
): Omit<ServedPlan, 'solves'> | null {
  const proceeds = new Map(givenBy(orders));
  for (const leg of solution.legs) {
    move(proceeds, leg.in.node, -BigInt(leg.in.amount));
    move(proceeds, leg.out.node, BigInt(leg.out.amount));
  }
  for (const [node, amount] of proceeds) assert(amount >= 0n, `${node} would be overdrawn`);
  const { legs } = solution;
  const costs = tallyOf(market, [{ orders, legs, problem, amounts: new Map() }]).costWad;
  const pay = payBaskets(orders, proceeds, clearing, worth, costs);
  if (pay === null) return null;
  const { amounts, factors, feeE9, kept } = pay;
  assertConserved(orders, legs, amounts, kept);
  return { orders, legs, problem, amounts, clearing, factors, feeE9 };
}

/** Conservation, counted once more from the ends: given + bought = sold + paid + kept, by node. */
function assertConserved(
  orders: readonly BatchedOrder[],
  legs: readonly Leg[],
  amounts: ReadonlyMap<OrderId, readonly bigint[]>,
  kept: ReadonlyMap<string, bigint>,
): void {
  const balance = new Map<string, bigint>();
  for (const { orderId, inputs, outputs } of orders) {
    for (const { node, amount } of inputs) move(balance, node, amount);
    for (const [j, { node }] of outputs.entries()) {
      move(balance, node, -present(amounts.get(orderId)?.[j], 'payment'));
    }
  }
  for (const leg of legs) {
    move(balance, leg.in.node, -BigInt(leg.in.amount));
    move(balance, leg.out.node, BigInt(leg.out.amount));
  }
  for (const [node, amount] of kept) move(balance, node, -amount);
  for (const [node, amount] of balance) assert(amount === 0n, `${node} is off by ${amount}`);
}

/** Every order by itself, ascending by id, on the pools as the ones before it left them. */
function oneAfterTheOther(
  market: BatchMarket,
  orders: readonly BatchedOrder[],
  solve: SolveBatch,
): readonly ServedPlan[] {
  let venues = market.venues;
  const plans: ServedPlan[] = [];
  for (const order of orders) {
    const here = groupedBy(market, venues);
    const plan = served(here, [order], solve);
    if (plan === null) continue;
    plans.push(plan);
    const after = new Map(plan.legs.map((leg) => [leg.venue, venueAfter(plan.problem, leg)]));
    venues = venues.flatMap((venue) => {
      const left = after.get(venue.id);
      return left === undefined ? [venue] : left === null ? [] : [left];
    });
  }
  return plans;
}

/** The market with these venues; groups lose the venues that are gone. */
function groupedBy(market: BatchMarket, venues: readonly ProblemVenue[]): BatchMarket {
  if (market.groups === undefined) return { ...market, venues };
  const there = new Set(venues.map(({ id }) => id));
  const groups = market.groups
    .map((group) => ({ ...group, venues: group.venues.filter((id) => there.has(id)) }))
    .filter((group) => group.venues.length > 0);
  return { ...market, venues, groups };
}

/** 0 where a node has none: what is left there counts for nothing. */
function feedPrices({ nodes }: BatchMarket): UnitPrices {
  return new Map(
    nodes.map(({ id, price, decimals }) => [
      id,
      price === undefined ? 0n : unitPrice72(parseFixed36(price), decimals),
    ]),
  );
}

function dualPrices({ nodes }: BatchMarket, { prices }: Solution): UnitPrices {
  return new Map(
    nodes.map(({ id, decimals }) => {
      const price = unitPrice72(parseFixed36(present(prices[id], `price of ${id}`)), decimals);
      return [id, price > 0n ? price : 1n];
    }),
  );
}

function pricesOf({ nodes }: BatchMarket, plan: ServedPlan): Cleared['prices'] {
  const named = new Set(plan.orders.flatMap((o) => [...o.inputs, ...o.outputs].map((f) => f.node)));
  return Object.fromEntries(
    nodes
      .filter(({ id }) => named.has(id))
      .map(({ id, decimals }) => {
        const unit = present(plan.clearing.get(id), 'clearing price');
        const factor = plan.factors.get(id) ?? PAR;
        const text = (perUnit: bigint) =>
          formatFixed36(fixed36((perUnit * 10n ** BigInt(decimals)) / 10n ** 36n));
        const bought = factor === 0n ? unit : (unit * PAR) / factor;
        return [id, { sold: text(unit), bought: text(bought) }];
      }),
  );
}

function move(balances: Map<string, bigint>, node: string, amount: bigint): void {
  balances.set(node, (balances.get(node) ?? 0n) + amount);
}
