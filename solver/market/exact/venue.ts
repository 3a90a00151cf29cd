// One door to the exact integer math of every venue kind: what goes in, what comes out, to the wei
// of the contracts. This is what "integers dispose" means: nothing is signed, scored or sent before
// its legs have passed here.

import type { ParsedConcentrated, ParsedVenue } from '../parsedProblem.ts';
import { concentratedIn, concentratedOut } from './concentrated.ts';
import { constantProductIn, constantProductOut } from './constantProduct.ts';
import { bridgeIn, bridgeOut, orderIn, orderOut } from './linear.ts';
import { refused, type TradeRefusal } from './refusals.ts';
import { stableIn, stableOut } from './stable.ts';
import { weightedIn, weightedOut } from './weighted.ts';

/**
 * Base units of `nodeOut` that the venue pays for exactly `amountIn` base units of `nodeIn`, all
 * of it consumed. Refuses, as a value, what the venue would not take: nodes it does not join in
 * this direction, zero amounts, too little liquidity or capacity, a zero output.
 */
export function exactOut(
  venue: ParsedVenue,
  nodeIn: number,
  nodeOut: number,
  amountIn: bigint,
): bigint | TradeRefusal {
  const from = venue.nodes.indexOf(nodeIn);
  const to = venue.nodes.indexOf(nodeOut);
  if (!trades(venue, from, to)) return wrongNodes(venue);
  if (amountIn <= 0n) return refused('zeroAmount', 'a trade takes in more than zero');
  const out = outOf(venue, from, to, amountIn);
  return out === 0n ? refused('zeroOutput', `${amountIn} is too little to buy one unit`) : out;
}

/**
 * Base units of `nodeIn` that buy at least `amountOut` of `nodeOut`: what the contract itself
 * charges for an exact output (pools), or the smallest input (orders, bridges). Selling that input
 * with exactOut yields at least `amountOut`, except on weighted and stable pools, whose contracts
 * round the two ways apart: there it may fall short by some 10^−14 of the pool's balance.
 */
export function exactIn(
  venue: ParsedVenue,
  nodeIn: number,
  nodeOut: number,
  amountOut: bigint,
): bigint | TradeRefusal {
  const from = venue.nodes.indexOf(nodeIn);
  const to = venue.nodes.indexOf(nodeOut);
  if (!trades(venue, from, to)) return wrongNodes(venue);
  if (amountOut <= 0n) return refused('zeroAmount', 'a trade pays out more than zero');
  switch (venue.kind) {
    case 'constantProduct': {
      const [a, b] = venue.reserves;
      return from === 0
        ? constantProductIn(a, b, venue.feePips, amountOut)
        : constantProductIn(b, a, venue.feePips, amountOut);
    }
    case 'concentrated': {
      const trade = concentratedIn(venue, from === 0, amountOut);
      return 'refused' in trade ? trade : trade.amountIn;
    }
    case 'weighted':
      return weightedIn(venue, from, to, amountOut);
    case 'stable':
      return stableIn(venue, from, to, amountOut);
    case 'order':
      return orderIn(venue, amountOut);
    case 'bridge':
      return bridgeIn(venue, amountOut);
  }
}

function outOf(
  venue: ParsedVenue,
  from: number,
  to: number,
  amountIn: bigint,
): bigint | TradeRefusal {
  switch (venue.kind) {
    case 'constantProduct': {
      const [a, b] = venue.reserves;
      return from === 0
        ? constantProductOut(a, b, venue.feePips, amountIn)
        : constantProductOut(b, a, venue.feePips, amountIn);
    }
    case 'concentrated':
      return walkedOut(venue, from, amountIn);
    case 'weighted':
      return weightedOut(venue, from, to, amountIn);
    case 'stable':
      return stableOut(venue, from, to, amountIn);
    case 'order':
      return orderOut(venue, amountIn);
    case 'bridge':
      return bridgeOut(venue, amountIn);
  }
}

interface Walked {
  readonly from: number;
  readonly amountIn: bigint;
  readonly out: bigint | TradeRefusal;
}
/**
 * What each pool was asked last: the engine's decoder and the certificate ask for the same trade one after
 * the other, and a walk over ticks is the dearest of exact trades. Pools never change; one answer each,
 * which goes when the pool goes.
 */
const lastWalks = new WeakMap<ParsedConcentrated, Walked>();

function walkedOut(
  pool: ParsedConcentrated,
  from: number,
  amountIn: bigint,
): bigint | TradeRefusal {
  const last = lastWalks.get(pool);
  if (last !== undefined && last.from === from && last.amountIn === amountIn) return last.out;
  const trade = concentratedOut(pool, from === 0, amountIn);
  const out = 'refused' in trade ? trade : trade.amountOut;
  lastWalks.set(pool, { from, amountIn, out });
  return out;
}

/** Whether the venue trades its node number `from` for number `to`, −1 being none of its own. */
function trades({ kind }: ParsedVenue, from: number, to: number): boolean {
  if (from < 0 || to < 0 || from === to) return false;
  // Orders and bridges run from their first node to their second.
  return (kind !== 'order' && kind !== 'bridge') || from === 0;
}

const wrongNodes = ({ id }: ParsedVenue): TradeRefusal =>
  refused('wrongNodes', `venue ${id} does not trade these nodes in this direction`);
