// Trades on one chain's pools: the WASM core proposes a route, exact integer math disposes. It buys
// at least a wanted amount, or sells an exact one. Every leg of the answer has been re-executed with
// the contracts' own arithmetic against the market's block; nothing here sends anything.

import type { Engine } from '../engine/engine.ts';
import { exactOut } from '../market/exact/venue.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { parseProblem } from '../market/problemFile.ts';
import { assert, present } from '../types/assert.ts';
import type { Leg, Problem, ProblemNode } from '../types/problem.ts';
import type { DeskMarket } from './deskMarket.ts';
import { amountWorth, worthUp } from './value.ts';

/** Exact trades in execution order and what they come to. */
export interface Trade {
  readonly sell: ProblemNode;
  readonly buy: ProblemNode;
  /** Base units of `sell` that leave us. */
  readonly amountIn: bigint;
  /** Base units of `buy` that come out at the market's block, to the wei. */
  readonly amountOut: bigint;
  /** What the transaction insists on, at most amountOut. */
  readonly minOut: bigint;
  readonly legs: readonly Leg[];
}

export interface TradeLimits {
  /** Pools that an earlier trade of the same transaction has moved. */
  readonly exclude: ReadonlySet<string>;
}

/**
 * Bought beyond what is wanted, so that a pool that moves a little between plan and block still
 * yields the minimum: 10 bp. What is left over stays ours.
 */
const MARGIN_NUM = 1_001n;
const MARGIN_DEN = 1_000n;
/** Accepted overshoot of the search: another 10 bp. */
const OVERSHOOT_NUM = 1_002n;
const SEARCH_STEPS_MAX = 10;
const ROUTE_LEGS_MAX = 8;

/** Sells exactly `amountIn`, or as much of it as the pools take. Null: no route. */
export function sellExactly(
  engine: Engine,
  market: DeskMarket,
  sell: ProblemNode,
  buy: ProblemNode,
  amountIn: bigint,
  limits: TradeLimits,
): Trade | null {
  if (amountIn <= 0n || sell.id === buy.id) return null;
  const venues = market.venues.filter((venue) => !limits.exclude.has(venue.id));
  if (venues.length === 0) return null;
  const problem: Problem = {
    version: 1,
    nodes: market.nodes,
    venues,
    objective: {
      kind: 'swap',
      sell: { node: sell.id, amount: amountIn.toString() },
      buy: buy.id,
    },
  };
  const parsed = parseProblem(problem);
  const solution = engine.solve(parsed);
  if (solution.legs.length === 0 || solution.legs.length > ROUTE_LEGS_MAX) return null;
  return checkedTrade(parsed, solution.legs, sell, buy, amountIn);
}

/**
 * Buys at least `wanted` (plus MARGIN) for at most `maxIn`, by a secant search on the input of an
 * exact sale: output grows with input and is concave, so each step lands closer. Null: no route, or
 * it costs more than `maxIn`.
 */
export function buyAtLeast(
  engine: Engine,
  market: DeskMarket,
  sell: ProblemNode,
  buy: ProblemNode,
  wanted: bigint,
  maxIn: bigint,
  limits: TradeLimits,
): Trade | null {
  const target = (wanted * MARGIN_NUM) / MARGIN_DEN + 1n;
  const enough = (wanted * OVERSHOOT_NUM) / MARGIN_DEN + 2n;
  let input = min(amountWorth(worthUp(target, buy), sell) + 1n, maxIn);
  let best: Trade | null = null;
  for (let step = 0; step < SEARCH_STEPS_MAX && input > 0n; step += 1) {
    const sold = sellExactly(engine, market, sell, buy, input, limits);
    if (sold === null) return best;
    const trade = { ...sold, minOut: wanted };
    if (trade.amountOut >= target && (best === null || trade.amountIn < best.amountIn)) {
      best = trade;
    }
    if (trade.amountOut >= target && trade.amountOut <= enough) return best;
    // Aim at the middle of the accepted band.
    const next = min((input * (target + enough)) / (2n * trade.amountOut) + 1n, maxIn);
    if (next === input) return best;
    input = next;
  }
  return best;
}

/** Re-executes the legs, checks that only `sell` is spent, and sums them up. */
function checkedTrade(
  problem: ParsedProblem,
  legs: readonly Leg[],
  sell: ProblemNode,
  buy: ProblemNode,
  amountIn: bigint,
): Trade | null {
  const held = new Map<string, bigint>([[sell.id, amountIn]]);
  for (const leg of legs) {
    const venue = present(problem.venues[index(problem.venueIndex, leg.venue)], leg.venue);
    const give = BigInt(leg.in.amount);
    const left = (held.get(leg.in.node) ?? 0n) - give;
    if (left < 0n) return null;
    const nodeIn = index(problem.nodeIndex, leg.in.node);
    const nodeOut = index(problem.nodeIndex, leg.out.node);
    const out = exactOut(venue, nodeIn, nodeOut, give);
    if (typeof out !== 'bigint') return null;
    held.set(leg.in.node, left);
    held.set(leg.out.node, (held.get(leg.out.node) ?? 0n) + out);
    assert(out === BigInt(leg.out.amount), `leg on ${leg.venue} does not re-execute`);
  }
  const amountOut = held.get(buy.id) ?? 0n;
  if (amountOut === 0n) return null;
  const spent = amountIn - (held.get(sell.id) ?? 0n);
  return { sell, buy, amountIn: spent, amountOut, minOut: amountOut, legs };
}

const index = (of: ReadonlyMap<string, number>, id: string): number => present(of.get(id), id);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
