// One order by itself over all of the auction's liquidity. The core maximises what a sale brings; a
// purchase is the smallest sale that brings enough, found by a few sales. The gas a limit order causes
// is its fee, in its sell token at reference prices, and is taken before the sale is sized.

import { ceilDiv } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { withObjective } from '../market/problemFile.ts';
import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { Leg, Solution } from '../types/problem.ts';
import type { CowOrder } from './auction.ts';
import type { CowMarket } from './market.ts';
import { type CowSolution, fault, gasOf } from './solution.ts';

export type Solve = (problem: ParsedProblem) => Promise<Solution>;

export interface Wanted {
  readonly market: CowMarket;
  readonly order: CowOrder;
  /** Wei per gas. */
  readonly gasPrice: bigint;
  readonly solve: Solve;
}

/** Rounds in which a fee and the plan it pays for settle. */
const FEE_ROUNDS = 4;
/** Sales tried for a purchase. */
const BUY_ROUNDS = 8;
/** Near enough: an auction has a deadline, and many orders. */
export const COW_SETTINGS = { gapBps: '1' };

/** Null when the liquidity does not meet the order's limit after gas. */
export async function solveSingle(wanted: Wanted): Promise<CowSolution | null> {
  let gas = gasOf(wanted.market, [], 1);
  for (let round = 0; round < FEE_ROUNDS; round++) {
    const fee = feeOf(wanted, gas);
    if (fee === null || fee >= wanted.order.sellAmount) return null;
    const solution = await trade(wanted, fee);
    if (solution === null) return null;
    // The fee covers the plan that it left room for.
    if (solution.gas <= gas || wanted.order.class === 'market') {
      return fault(solution) === null ? solution : null;
    }
    gas = solution.gas;
  }
  return null;
}

/** Base units of the sell token worth `gas`; null where no price tells. */
function feeOf({ market, order, gasPrice }: Wanted, gas: bigint): bigint | null {
  if (order.class === 'market') return 0n;
  const price = market.prices.get(order.sellToken);
  if (price === undefined || price === 0n) return null;
  return ceilDiv(gas * gasPrice * 10n ** 18n, price);
}

function trade(wanted: Wanted, fee: bigint): Promise<CowSolution | null> {
  const { kind, partiallyFillable } = wanted.order;
  if (kind === 'buy') return buy(wanted, fee);
  return partiallyFillable ? sellPart(wanted, fee) : sellAll(wanted, fee);
}

async function sellAll({ market, order, solve }: Wanted, fee: bigint): Promise<CowSolution | null> {
  const sold = order.sellAmount - fee;
  const { legs, bought } = await sale({ market, order, solve }, sold);
  return bought === 0n ? null : solutionOf(market, order, { sold, bought, fee, legs });
}

/** As much as pays: the core's own batch of one order that may be filled in part. */
async function sellPart(
  { market, order, solve }: Wanted,
  fee: bigint,
): Promise<CowSolution | null> {
  const amount = order.sellAmount - fee;
  const minOut = mulDivUp(order.buyAmount, amount, order.sellAmount);
  const objective = {
    kind: 'batch',
    orders: [
      {
        id: 'order',
        sell: { node: order.sellToken, amount: amount.toString() },
        buy: order.buyToken,
        minOut: (minOut === 0n ? 1n : minOut).toString(),
        partial: true,
      },
    ],
  } as const;
  const { legs, orders = [] } = await solve(withObjective(market.problem, objective, COW_SETTINGS));
  const [fill] = orders;
  if (fill === undefined) return null;
  const [sold, bought] = [BigInt(fill.in), BigInt(fill.out)];
  return solutionOf(market, order, { sold, bought, fee, legs });
}

/**
 * Exactly buyAmount for as little as possible. Out is concave in in, so the sale that the last one's
 * average price calls for brings too much or just enough; each round sells less, until a round brings
 * too little: then the last enough is the answer.
 */
async function buy({ market, order, solve }: Wanted, fee: bigint): Promise<CowSolution | null> {
  let sold = order.sellAmount - fee;
  let best: CowSolution | null = null;
  let short = 0n;
  for (let round = 0; round < BUY_ROUNDS && sold > short; round++) {
    const { legs, bought } = await sale({ market, order, solve }, sold);
    if (bought < order.buyAmount) {
      if (best === null) return null;
      short = sold;
    } else {
      best = solutionOf(market, order, { sold, bought: order.buyAmount, fee, legs });
    }
    const enough = best === null ? sold : present(best.prices.get(order.buyToken), 'sold');
    const aimed = bought === 0n ? sold : mulDivUp(sold, order.buyAmount, bought);
    const next = aimed > short && aimed < enough ? aimed : (short + enough) / 2n;
    if (next === sold || enough - next <= enough / 1_000_000n) break;
    sold = next;
  }
  return best;
}

async function sale(
  { market, order, solve }: Pick<Wanted, 'market' | 'order' | 'solve'>,
  amount: bigint,
): Promise<{ readonly legs: readonly Leg[]; readonly bought: bigint }> {
  const objective = {
    kind: 'swap',
    sell: { node: order.sellToken, amount: amount.toString() },
    buy: order.buyToken,
  } as const;
  const { legs } = await solve(withObjective(market.problem, objective, COW_SETTINGS));
  const net = legs.reduce((sum, leg) => {
    const gained = leg.out.node === order.buyToken ? BigInt(leg.out.amount) : 0n;
    const spent = leg.in.node === order.buyToken ? BigInt(leg.in.amount) : 0n;
    return sum + gained - spent;
  }, 0n);
  return { legs, bought: net > 0n ? net : 0n };
}

/** Prices of a single trade are its own two amounts, crosswise. */
function solutionOf(
  market: CowMarket,
  order: CowOrder,
  exact: {
    readonly sold: bigint;
    readonly bought: bigint;
    readonly fee: bigint;
    readonly legs: readonly Leg[];
  },
): CowSolution {
  const { sold, bought, fee, legs } = exact;
  return {
    trades: [{ order, executed: order.kind === 'sell' ? sold : bought, fee }],
    prices: new Map([
      [order.sellToken, bought],
      [order.buyToken, sold],
    ]),
    legs,
    gas: gasOf(market, legs, 1),
  };
}

/** What the order would gain at reference prices, wei of the native token; may be negative. */
export function headroom(market: CowMarket, order: CowOrder): bigint {
  const worth = (token: string, amount: bigint) =>
    mulDivDown(amount, market.prices.get(token) ?? 0n, 10n ** 18n);
  return worth(order.sellToken, order.sellAmount) - worth(order.buyToken, order.buyAmount);
}
