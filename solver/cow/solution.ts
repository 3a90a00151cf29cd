// A solution in CoW's terms, made from an exact plan and checked by CoW's own rules before it leaves:
// uniform clearing prices, every limit kept, no token short in any base unit. An unsound solution
// would be this engine's defect, so it is an assertion, not an answer.

import type { ParsedProblem } from '../market/parsedProblem.ts';
import { mulDivUp } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import type { JsonObject } from '../types/json.ts';
import type { Leg } from '../types/problem.ts';
import type { CowOrder } from './auction.ts';
import type { CowMarket } from './market.ts';

/** Gas of a settlement besides its trades and interactions: what CoW's own baseline engine counts. */
const SETTLEMENT_GAS = 106_391n;
/** Of one trade: two transfers, the signature, the filled amount's slot; our estimate. */
const TRADE_GAS = 60_000n;

export interface CowTrade {
  readonly order: CowOrder;
  /** Sell orders: base units sold, the fee not counted. Buy orders: base units bought. */
  readonly executed: bigint;
  /** Base units of the sell token, besides what the prices take. */
  readonly fee: bigint;
}
export interface CowSolution {
  readonly trades: readonly CowTrade[];
  /** Uniform clearing prices: any unit, only their ratios count. */
  readonly prices: ReadonlyMap<string, bigint>;
  /** In execution order. */
  readonly legs: readonly Leg[];
  readonly gas: bigint;
}

/** What the order gives and gets at the prices, as CoW's settlement contract rounds. */
export function amountsOf(
  { order, executed }: CowTrade,
  prices: ReadonlyMap<string, bigint>,
): { readonly sold: bigint; readonly bought: bigint } {
  const sell = present(prices.get(order.sellToken), 'sell price');
  const buy = present(prices.get(order.buyToken), 'buy price');
  if (order.kind === 'sell') return { sold: executed, bought: mulDivUp(executed, sell, buy) };
  return { sold: (executed * buy) / sell, bought: executed };
}

export function gasOf(market: CowMarket, legs: readonly Leg[], trades: number): bigint {
  const venues = legs.reduce((sum, { venue }) => sum + (market.gasOf.get(venue) ?? 0n), 0n);
  return SETTLEMENT_GAS + TRADE_GAS * BigInt(trades) + venues;
}

/** Why the solution breaks CoW's rules, or null. */
export function fault({ trades, prices, legs }: CowSolution): string | null {
  const balances = new Map<string, bigint>();
  const add = (token: string, amount: bigint) =>
    balances.set(token, (balances.get(token) ?? 0n) + amount);
  for (const trade of trades) {
    const { order, fee, executed } = trade;
    const { sold, bought } = amountsOf(trade, prices);
    const given = sold + fee;
    if (executed <= 0n || given > order.sellAmount) return `${order.uid} sells more than it has`;
    if (order.kind === 'buy' && executed > order.buyAmount) return `${order.uid} buys too much`;
    if (!order.partiallyFillable) {
      const whole = order.kind === 'sell' ? given === order.sellAmount : bought === order.buyAmount;
      if (!whole) return `${order.uid} is filled in part`;
    }
    // bought / given ≥ buyAmount / sellAmount
    if (bought * order.sellAmount < order.buyAmount * given)
      return `${order.uid} is below its limit`;
    add(order.sellToken, sold);
    add(order.buyToken, -bought);
  }
  // What is bought is paid from the settlement once all legs have run.
  const running = new Map([...balances].filter(([, amount]) => amount > 0n));
  for (const leg of legs) {
    const held = running.get(leg.in.node) ?? 0n;
    const taken = BigInt(leg.in.amount);
    if (held < taken) return `${leg.venue} takes in more ${leg.in.node} than there is`;
    running.set(leg.in.node, held - taken);
    running.set(leg.out.node, (running.get(leg.out.node) ?? 0n) + BigInt(leg.out.amount));
    add(leg.in.node, -taken);
    add(leg.out.node, BigInt(leg.out.amount));
  }
  const short = [...balances].find(([, amount]) => amount < 0n);
  return short === undefined ? null : `${-short[1]} of ${short[0]} are missing`;
}

/** The solution as CoW's driver reads it. Throws Defect on an unsound one. */
export function solutionJson(
  id: number,
  solution: CowSolution,
  problem: ParsedProblem,
): JsonObject {
  const why = fault(solution);
  assert(why === null, `an unsound solution: ${why}`);
  assert(
    solution.legs.every(({ venue }) => problem.venueIndex.has(venue)),
    'every leg is on liquidity of the auction',
  );
  return {
    id,
    prices: Object.fromEntries([...solution.prices].map(([token, price]) => [token, `${price}`])),
    trades: solution.trades.map(({ order, executed, fee }) => ({
      kind: 'fulfillment',
      order: order.uid,
      executedAmount: executed.toString(),
      ...(order.class === 'limit' ? { fee: fee.toString() } : {}),
    })),
    preInteractions: [],
    interactions: solution.legs.map((leg) => ({
      kind: 'liquidity',
      internalize: false,
      id: leg.venue,
      inputToken: leg.in.node,
      outputToken: leg.out.node,
      inputAmount: leg.in.amount,
      outputAmount: leg.out.amount,
    })),
    postInteractions: [],
    gas: Number(solution.gas),
  };
}
