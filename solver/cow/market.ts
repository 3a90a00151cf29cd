// An auction's tokens and liquidity as one parsed problem that every order of it is solved on: nodes
// are token addresses, the numeraire is the native token, a venue's gas is its fixed cost. A token
// without a reference price that an order trades gets the price that order implies; it only scales
// how that order's plan is valued.

import { ceilDiv, fixed36, formatFixed36 } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { NODES_MAX, parseProblem } from '../market/problemFile.ts';
import { readVenue } from '../market/venueReader.ts';
import { InvalidInput } from '../types/errors.ts';
import type { ProblemNode, ProblemVenue } from '../types/problem.ts';
import type { CowAuction, CowOrder } from './auction.ts';
import { venueOf } from './liquidity.ts';

export interface CowMarket {
  /** With the objective of some order; withObjective gives it another's. */
  readonly problem: ParsedProblem;
  /** Gas units per venue id. */
  readonly gasOf: ReadonlyMap<string, bigint>;
  /** Wei per 10^18 base units, implied prices included, by token. */
  readonly prices: ReadonlyMap<string, bigint>;
  /** Liquidity that is not used, by id, with the reason. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** Null when no order has a price for what it sells and what it buys. */
export function marketOf(auction: CowAuction): CowMarket | null {
  const prices = pricesOf(auction);
  const priced = auction.orders.find(
    ({ sellToken, buyToken }) =>
      prices.has(sellToken) && prices.has(buyToken) && sellToken !== buyToken,
  );
  if (priced === undefined) return null;
  const leftOut = new Map<string, string>();
  const found: ProblemVenue[] = [];
  for (const liquidity of auction.liquidity) {
    const venue = venueOf(liquidity, auction);
    if (typeof venue === 'string') leftOut.set(liquidity.id, venue);
    else found.push(venue);
  }
  const nodes = nodesOf(auction, found, prices);
  const venues = readable(found, nodes, leftOut);
  const problem = parseProblem({
    version: 1,
    nodes,
    venues,
    objective: {
      kind: 'swap',
      sell: { node: priced.sellToken, amount: priced.sellAmount.toString() },
      buy: priced.buyToken,
    },
  });
  const gasOf = new Map(auction.liquidity.map(({ id, gasEstimate }) => [id, gasEstimate]));
  return { problem, gasOf, prices, leftOut };
}

function pricesOf({ tokens, orders }: CowAuction): ReadonlyMap<string, bigint> {
  const prices = new Map<string, bigint>();
  for (const { address, referencePrice } of tokens.values()) {
    if (referencePrice !== null) prices.set(address, referencePrice);
  }
  for (const order of orders) {
    const { sellToken, buyToken, sellAmount, buyAmount } = order;
    const [sell, buy] = [prices.get(sellToken), prices.get(buyToken)];
    if (buyAmount === 0n) continue;
    if (sell !== undefined && buy === undefined) {
      prices.set(buyToken, ceilDiv(sell * sellAmount, buyAmount));
    } else if (sell === undefined && buy !== undefined) {
      prices.set(sellToken, ceilDiv(buy * buyAmount, sellAmount));
    }
  }
  return prices;
}

function nodesOf(
  { tokens, orders }: CowAuction,
  venues: readonly ProblemVenue[],
  prices: ReadonlyMap<string, bigint>,
): readonly ProblemNode[] {
  const addresses = new Set([
    ...orders.flatMap((order) => [order.sellToken, order.buyToken]),
    ...venues.flatMap(({ nodes }) => nodes),
  ]);
  return [...addresses].slice(0, NODES_MAX).map((address): ProblemNode => {
    const decimals = tokens.get(address)?.decimals ?? 18;
    const price = prices.get(address);
    // Wei per 10^18 base units · 10^decimals / 10^36: native tokens per whole token.
    const perWhole = price === undefined ? 0n : price * 10n ** BigInt(decimals);
    const fits = perWhole > 0n && perWhole < 10n ** 66n;
    return {
      ...{ id: address, asset: address, chain: 1, decimals },
      ...(fits ? { price: formatFixed36(fixed36(perWhole)) } : {}),
    };
  });
}

/** Venues the problem format takes: the driver's data has empty pools and odd weights. */
function readable(
  venues: readonly ProblemVenue[],
  nodes: readonly ProblemNode[],
  leftOut: Map<string, string>,
): readonly ProblemVenue[] {
  const index = new Map(nodes.map(({ id }, i) => [id, i]));
  const parsed = nodes.map((node) => ({ ...node, price: null }));
  const seen = new Set<string>();
  return venues.filter((venue, i) => {
    if (seen.has(venue.id)) return false;
    seen.add(venue.id);
    try {
      readVenue({ value: venue, pointer: '' }, i, parsed, index);
      return true;
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      leftOut.set(venue.id, `${error.pointer} ${error.message}`);
      return false;
    }
  });
}

/** Whether this order can be looked at in this market at all. */
export function isPriced({ problem }: CowMarket, order: CowOrder): boolean {
  const has = (token: string) => {
    const index = problem.nodeIndex.get(token);
    return index !== undefined && problem.nodes[index]?.price !== null;
  };
  return order.sellToken !== order.buyToken && has(order.sellToken) && has(order.buyToken);
}
