// A plan as transactions: fillBatch straight from inventory, or RouteExecutor's execute with its
// routes and exact minimums, and the approvals either lacks. Encodes only.
//
// Approvals are standing but bounded: each is for the account's balance of the token at that moment,
// so an allowance never exceeds what the account held when it was given, and most fills need none.
// Both spenders are our own immutable contracts, which pull from nobody but their caller; exact
// approvals would add a transaction and a block to every fill and protect nothing more.

import { encodeFunctionData, erc20Abi } from 'viem';
import {
  encodeExecute,
  encodeFillBatch,
  type FillItem,
  type Route,
  type RouteHop,
} from '../../contracts-abi/calls.ts';
import type { DeskCall } from '../settlement/ports.ts';
import { mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import { type EvmAddress, type Hex, toBytes32Address } from '../types/ids.ts';
import type { Leg } from '../types/problem.ts';
import { type DeskMarket, tokenOfNode } from './deskMarket.ts';
import type { Trade } from './trade.ts';
import type { Amounts } from './value.ts';

/** A desk transaction does not wait in the pool for longer than this, seconds. */
const CALL_LIFE_SECONDS = 120;

export interface Spending {
  readonly spender: EvmAddress;
  /** Per token address, base units. */
  readonly needs: ReadonlyMap<EvmAddress, bigint>;
}

export interface EncodedPlan {
  readonly to: EvmAddress;
  readonly data: Hex;
  readonly spending: Spending;
}

/** `uses` is what inventory the transaction spends, per node: payments and deliveries. */
export function encodePlan(
  market: DeskMarket,
  filler: EvmAddress,
  plan: { readonly trades: readonly Trade[]; readonly uses: Amounts },
  items: readonly FillItem[],
  deadline: number,
): EncodedPlan {
  const { outputSettler, routeExecutor } = market.config.contracts;
  const needs = new Map(
    [...plan.uses].map(([node, amount]) => [tokenOfNode(market, node), amount] as const),
  );
  const fillerData = items.length === 0 ? '0x' : toBytes32Address(filler);
  if (plan.trades.length === 0) {
    const data = encodeFillBatch(items, fillerData);
    return { to: outputSettler, data, spending: { spender: outputSettler, needs } };
  }
  const data = encodeExecute({
    pulls: [...needs].map(([token, amount]) => ({ token, amount })),
    routes: plan.trades.flatMap((trade) => routesOf(market, trade)),
    items,
    fillerData,
    deadline: Math.min(deadline, market.block.timestamp + CALL_LIFE_SECONDS),
  });
  return { to: routeExecutor, data, spending: { spender: routeExecutor, needs } };
}

/**
 * Routes of a trade: legs that hand on their whole output become one multi-hop route, so that its
 * amounts follow the pools; the rest are routes of one hop. Each final route's minimum is its share
 * of the trade's, rounded up.
 */
export function routesOf(market: DeskMarket, trade: Trade): readonly Route[] {
  const used = new Set<Leg>();
  const routes: Route[] = [];
  for (const leg of trade.legs) {
    if (used.has(leg)) continue;
    const chain = [leg];
    used.add(leg);
    for (let next = heir(trade.legs, leg); next !== null; next = heir(trade.legs, next)) {
      chain.push(next);
      used.add(next);
    }
    routes.push(routeOf(market, trade, chain));
  }
  return routes;
}

/** The one leg that takes all of what `leg` gives, where nobody else gives or takes that token. */
function heir(legs: readonly Leg[], leg: Leg): Leg | null {
  const givers = legs.filter((other) => other.out.node === leg.out.node);
  const takers = legs.filter((other) => other.in.node === leg.out.node);
  const [taker] = takers;
  if (givers.length !== 1 || takers.length !== 1 || taker === undefined) return null;
  return taker.in.amount === leg.out.amount ? taker : null;
}

function routeOf(market: DeskMarket, trade: Trade, legs: readonly Leg[]): Route {
  const first = present(legs[0], 'first leg');
  const last = present(legs[legs.length - 1], 'last leg');
  const out = BigInt(last.out.amount);
  const final = last.out.node === trade.buy.id;
  return {
    tokenIn: tokenOfNode(market, first.in.node),
    amountIn: BigInt(first.in.amount),
    // What a later route spends must all be there; what is ours at the end may be a little less.
    amountOutMin: final ? mulDivUp(out, trade.minOut, trade.amountOut) : out,
    hops: legs.map((leg): RouteHop => {
      const { kind, feePips } = present(market.pools.get(leg.venue), `pool ${leg.venue}`);
      return {
        tokenOut: tokenOfNode(market, leg.out.node),
        feePips: kind === 'uniswapV2' ? 0 : feePips,
      };
    }),
  };
}

/** An approval of `amount`; `reset` marks the zero that some tokens demand before a new amount. */
export function approvalCall(
  token: EvmAddress,
  symbol: string,
  spender: EvmAddress,
  amount: bigint,
): DeskCall {
  const reset = amount === 0n ? ':reset' : '';
  return {
    key: `${symbol}:${spender.slice(2, 10)}${reset}`,
    to: token,
    data: encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [spender, amount] }),
    value: 0n,
    summary: { token, spender, amount: amount.toString() },
  };
}
