// Several orders at once as one network problem: opposite flows net, and every trade of the solution
// executes at uniform clearing prices. Two solves: the first finds who trades and the dual prices;
// the second, asking for all but a sliver of what the duals pay, a plan that holds enough of every token
// to pay them. The prices are then what that plan can pay exactly:
//
//   p_t · N_t = Σ over trades that buy t of sold · p_sell        N_t: what the plan leaves of token t
//
// Only sell orders: the core's batch sizes sales.

import { ceilDiv, largerOf, parseFixed36, unitPrice72 } from '../market/decimal.ts';
import { withObjective } from '../market/problemFile.ts';
import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { Leg, Solution } from '../types/problem.ts';
import type { CowOrder } from './auction.ts';
import type { CowMarket } from './market.ts';
import { COW_SETTINGS, type Solve } from './single.ts';
import { amountsOf, type CowSolution, type CowTrade, fault, gasOf } from './solution.ts';

export interface BatchWanted {
  readonly market: CowMarket;
  /** With the fee each paid alone: no more than what it causes in company. */
  readonly orders: readonly Priced[];
  readonly solve: Solve;
}
interface Priced {
  readonly order: CowOrder;
  readonly fee: bigint;
}
interface Filled {
  readonly trades: readonly CowTrade[];
  readonly legs: readonly Leg[];
  readonly duals: Solution['prices'];
}

/** What the second plan may fall short of the duals' payments: room for what its pools cost. */
const SLIVER_BPS = 30n;
/** Rounds in which the prices settle; each is a linear step towards them. */
const PRICE_ROUNDS = 200;

/** Null where fewer than two orders trade together soundly. */
export async function solveBatch(wanted: BatchWanted): Promise<CowSolution | null> {
  const { market } = wanted;
  const open = wanted.orders.filter(({ order, fee }) => {
    return order.kind === 'sell' && fee < order.sellAmount;
  });
  const first = await clear(wanted, open, (_, limit) => limit);
  if (first === null) return null;
  const duals = unitPrices(market, first);
  const again = first.trades.map(({ order, fee }) => ({ order, fee }));
  const { legs, trades } =
    (await clear(wanted, again, ({ order, fee }, limit) => {
      const executed = order.sellAmount - fee;
      const { bought } = amountsOf({ order, executed, fee }, duals);
      const asked = mulDivDown(bought, 10_000n - SLIVER_BPS, 10_000n);
      return largerOf(asked, limit);
    })) ?? first;
  const prices = payablePrices(trades, legs, duals);
  if (prices === null) return null;
  const solution = { trades, prices, legs, gas: gasOf(market, legs, trades.length) };
  return fault(solution) === null ? solution : null;
}

/** The core's batch at the given least payments for whole orders; null with fewer than two filled. */
async function clear(
  { market, solve }: BatchWanted,
  open: readonly Priced[],
  least: (priced: Priced, limit: bigint) => bigint,
): Promise<Filled | null> {
  if (open.length < 2) return null;
  const orders = open.map((priced, k) => {
    const { order, fee } = priced;
    const amount = order.sellAmount - fee;
    // A part bears its share of the limit, a whole order the whole of it: its fee comes out of it.
    const limit = order.partiallyFillable
      ? mulDivUp(order.buyAmount, amount, order.sellAmount)
      : order.buyAmount;
    const minOut = least(priced, limit);
    return {
      id: String(k),
      sell: { node: order.sellToken, amount: amount.toString() },
      buy: order.buyToken,
      minOut: (minOut === 0n ? 1n : minOut).toString(),
      partial: order.partiallyFillable,
    };
  });
  const objective = { kind: 'batch', orders } as const;
  const found = await solve(withObjective(market.problem, objective, COW_SETTINGS));
  const fills = found.orders ?? [];
  if (fills.length < 2) return null;
  const trades = fills.map((fill): CowTrade => {
    const { order, fee } = present(open[Number(fill.id)], 'a filled order of the batch');
    return { order, executed: BigInt(fill.in), fee };
  });
  return { trades, legs: found.legs, duals: found.prices };
}

/** The duals per base unit, as integers of 54 decimals, of the tokens that are traded. */
function unitPrices({ problem }: CowMarket, { trades, duals }: Filled): Map<string, bigint> {
  const tokens = new Set(trades.flatMap(({ order }) => [order.sellToken, order.buyToken]));
  return new Map(
    [...tokens].map((token) => {
      const { decimals } = present(problem.nodes[problem.nodeIndex.get(token) ?? -1], token);
      const price = unitPrice72(parseFixed36(present(duals[token], 'dual price')), decimals);
      return [token, price / 10n ** 18n + 1n];
    }),
  );
}

/**
 * Prices at which what the plan leaves of every bought token just pays its buyers, from the duals on.
 * The token that is sold most keeps its price; whether its own buyers are paid is for `fault` to say.
 * Null when the plan leaves nothing of a bought token.
 */
function payablePrices(
  trades: readonly CowTrade[],
  legs: readonly Leg[],
  duals: ReadonlyMap<string, bigint>,
): ReadonlyMap<string, bigint> | null {
  const left = leftOf(trades, legs);
  const prices = new Map(duals);
  const price = (token: string) => present(prices.get(token), 'price');
  const soldWorth = new Map<string, bigint>();
  for (const { order, executed } of trades) {
    const worth = (soldWorth.get(order.sellToken) ?? 0n) + executed * price(order.sellToken);
    soldWorth.set(order.sellToken, worth);
  }
  const [anchor] = [...soldWorth].reduce((most, next) => (next[1] > most[1] ? next : most));
  const bought = new Set(trades.map(({ order }) => order.buyToken));
  bought.delete(anchor);
  for (let round = 0; round < PRICE_ROUNDS; round++) {
    let moved = false;
    for (const token of bought) {
      const buyers = trades.filter(({ order }) => order.buyToken === token);
      // Each payment rounds up by less than one unit.
      const payable = (left.get(token) ?? 0n) - BigInt(buyers.length);
      if (payable <= 0n) return null;
      const owed = buyers.reduce((sum, b) => sum + b.executed * price(b.order.sellToken), 0n);
      const next = ceilDiv(owed, payable);
      moved ||= next !== price(token);
      prices.set(token, next);
    }
    if (!moved) break;
  }
  return prices;
}

/** What there is of each token once the legs have run and before anybody is paid. */
function leftOf(trades: readonly CowTrade[], legs: readonly Leg[]): ReadonlyMap<string, bigint> {
  const left = new Map<string, bigint>();
  const add = (token: string, amount: bigint) => left.set(token, (left.get(token) ?? 0n) + amount);
  for (const { order, executed } of trades) add(order.sellToken, executed);
  for (const leg of legs) {
    add(leg.in.node, -BigInt(leg.in.amount));
    add(leg.out.node, BigInt(leg.out.amount));
  }
  return left;
}
