// One door to the exact integer math of every venue kind: what goes in, what comes out, to the wei
// of the contracts. This is what "integers dispose" means: nothing is signed, scored or sent before
// its legs have passed here.

import type { ParsedManyNodeVenue, ParsedPairVenue, ParsedVenue } from '../parsedProblem.ts';
import { concentratedIn, concentratedOut } from './concentrated.ts';
import { constantProductIn, constantProductOut } from './constantProduct.ts';
import { bridgeIn, bridgeOut, orderIn, orderOut } from './linear.ts';
import { refused, type TradeRefusal } from './refusals.ts';

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
  if (venue.kind === 'weighted' || venue.kind === 'stable') return manyNode(venue);
  const side = sideOf(venue, nodeIn, nodeOut);
  if (typeof side !== 'number') return side;
  if (amountIn <= 0n) return refused('zeroAmount', 'a trade takes in more than zero');
  const out = outOf(venue, side, amountIn);
  return out === 0n ? refused('zeroOutput', `${amountIn} is too little to buy one unit`) : out;
}

/**
 * Base units of `nodeIn` that buy at least `amountOut` of `nodeOut`: what the contract itself
 * charges for an exact output (pools), or the smallest input (orders, bridges). Selling that input
 * with exactOut yields at least `amountOut`.
 */
export function exactIn(
  venue: ParsedVenue,
  nodeIn: number,
  nodeOut: number,
  amountOut: bigint,
): bigint | TradeRefusal {
  if (venue.kind === 'weighted' || venue.kind === 'stable') return manyNode(venue);
  const side = sideOf(venue, nodeIn, nodeOut);
  if (typeof side !== 'number') return side;
  if (amountOut <= 0n) return refused('zeroAmount', 'a trade pays out more than zero');
  switch (venue.kind) {
    case 'constantProduct': {
      const [a, b] = venue.reserves;
      return side === 0
        ? constantProductIn(a, b, venue.feePips, amountOut)
        : constantProductIn(b, a, venue.feePips, amountOut);
    }
    case 'concentrated': {
      const trade = concentratedIn(venue, side === 0, amountOut);
      return 'refused' in trade ? trade : trade.amountIn;
    }
    case 'order':
      return orderIn(venue, amountOut);
    case 'bridge':
      return bridgeIn(venue, amountOut);
  }
}

const manyNode = ({ id, kind }: ParsedManyNodeVenue): TradeRefusal =>
  refused('wrongNodes', `venue ${id} is ${kind}: its exact math is not here yet`);

function outOf(venue: ParsedPairVenue, side: 0 | 1, amountIn: bigint): bigint | TradeRefusal {
  switch (venue.kind) {
    case 'constantProduct': {
      const [a, b] = venue.reserves;
      return side === 0
        ? constantProductOut(a, b, venue.feePips, amountIn)
        : constantProductOut(b, a, venue.feePips, amountIn);
    }
    case 'concentrated': {
      const trade = concentratedOut(venue, side === 0, amountIn);
      return 'refused' in trade ? trade : trade.amountOut;
    }
    case 'order':
      return orderOut(venue, amountIn);
    case 'bridge':
      return bridgeOut(venue, amountIn);
  }
}

/** 0 when the trade runs from nodes[0] to nodes[1], 1 the other way round. */
function sideOf(venue: ParsedPairVenue, nodeIn: number, nodeOut: number): 0 | 1 | TradeRefusal {
  const [first, second] = venue.nodes;
  if (nodeIn === first && nodeOut === second) return 0;
  const twoWay = venue.kind === 'constantProduct' || venue.kind === 'concentrated';
  if (twoWay && nodeIn === second && nodeOut === first) return 1;
  return refused('wrongNodes', `venue ${venue.id} does not trade these nodes in this direction`);
}
