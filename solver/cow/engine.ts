// CoW Protocol's solver engine over our core: an auction in, solutions out, before its deadline. Owns
// which orders are tried and how long. It answers what it can stand for: amounts are exact integers on
// the driver's own liquidity, and every solution keeps CoW's rules (solution.ts). Limits, stated in
// docs/cow.md: orders are tried by what they would gain at reference prices until time is over.

import type { JsonObject } from '../types/json.ts';
import type { Clock } from '../types/ports.ts';
import type { CowOrder } from './auction.ts';
import { readAuction } from './auction.ts';
import { solveBatch } from './batch.ts';
import { type CowMarket, isPriced, marketOf } from './market.ts';
import { headroom, type Solve, solveSingle } from './single.ts';
import { type CowSolution, solutionJson } from './solution.ts';

export interface CowEngine {
  /** The driver's request → `{ solutions }`. Throws InvalidInput with a pointer. */
  solve(auction: unknown): Promise<JsonObject>;
}

export interface CowEngineDeps {
  readonly solve: Solve;
  readonly clock: Clock;
}

/** Left to the driver for scoring and settling, milliseconds. */
const ANSWER_MS = 500;
/** One auction never holds the core longer, whatever its deadline, milliseconds. */
const TIME_MAX_MS = 20_000;
/** Orders tried one by one, and together. */
const TRIED_MAX = 200;
const BATCH_MAX = 24;
/** An order this far from reference prices is not tried: pools are near them, in hundredths of a percent. */
const OUT_OF_REACH_BPS = 300n;

export function createCowEngine({ solve, clock }: CowEngineDeps): CowEngine {
  return {
    async solve(json) {
      const auction = readAuction(json);
      const market = marketOf(auction);
      if (market === null) return { solutions: [] };
      const endMs = Math.min(auction.deadlineMs - ANSWER_MS, clock.nowMs() + TIME_MAX_MS);
      const { gasPrice } = auction;
      const singles: CowSolution[] = [];
      for (const order of candidates(market, auction.orders)) {
        if (clock.nowMs() >= endMs) break;
        const solution = await solveSingle({ market, order, gasPrice, solve });
        if (solution !== null) singles.push(solution);
      }
      const together = singles
        .slice(0, BATCH_MAX)
        .flatMap(({ trades }) => trades.map(({ order, fee }) => ({ order, fee })));
      const batch =
        together.length < 2 || clock.nowMs() >= endMs
          ? null
          : await solveBatch({ market, orders: together, solve });
      const solutions = batch === null ? singles : [batch, ...singles];
      return {
        solutions: solutions.map((solution, id) => solutionJson(id, solution, market.problem)),
      };
    },
  };
}

/** Most to gain first. */
function candidates(market: CowMarket, orders: readonly CowOrder[]): readonly CowOrder[] {
  return orders
    .filter((order) => isPriced(market, order))
    .map((order) => ({ order, gain: headroom(market, order) }))
    .filter(({ order, gain }) => gain >= -reach(market, order))
    .toSorted((a, b) => (a.gain === b.gain ? 0 : a.gain > b.gain ? -1 : 1))
    .slice(0, TRIED_MAX)
    .map(({ order }) => order);
}

function reach(market: CowMarket, { sellToken, sellAmount }: CowOrder): bigint {
  const worth = (sellAmount * (market.prices.get(sellToken) ?? 0n)) / 10n ** 18n;
  return (worth * OUT_OF_REACH_BPS) / 10_000n;
}
