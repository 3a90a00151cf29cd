// A venue as an exact trade leaves it, in the problem's own form: what one-by-one settlement of several
// orders meets. Refuses (Defect) a trade the venue does not make to the unit.

import { assert } from '../types/assert.ts';
import type { Leg, ProblemVenue } from '../types/problem.ts';
import { concentratedOut } from './exact/concentrated.ts';
import { MAX_TICK, MIN_TICK, sqrtRatioAtTick } from './exact/tickMath.ts';
import { exactOut } from './exact/venue.ts';
import type { ParsedProblem, ParsedVenue } from './parsedProblem.ts';

/** null: nothing is left of it (an order taken whole, a bridge at its capacity). */
export function venueAfter(problem: ParsedProblem, leg: Leg): ProblemVenue | null {
  const index = problem.venueIndex.get(leg.venue) ?? -1;
  const [parsed, source] = [problem.venues[index], problem.source.venues[index]];
  const nodeIn = problem.nodeIndex.get(leg.in.node) ?? -1;
  const nodeOut = problem.nodeIndex.get(leg.out.node) ?? -1;
  assert(parsed !== undefined && source !== undefined, `no venue has the id ${leg.venue}`);
  const [paid, got] = [BigInt(leg.in.amount), BigInt(leg.out.amount)];
  assert(exactOut(parsed, nodeIn, nodeOut, paid) === got, `${leg.venue} does not pay ${got}`);
  const [from, to] = [parsed.nodes.indexOf(nodeIn), parsed.nodes.indexOf(nodeOut)];
  const moved = (balances: readonly string[]) =>
    balances.map((text, i) => {
      const change = i === from ? paid : i === to ? -got : 0n;
      return (BigInt(text) + change).toString();
    });
  switch (source.kind) {
    case 'constantProduct': {
      const [a = '', b = ''] = moved(source.reserves);
      return { ...source, reserves: [a, b] };
    }
    case 'weighted':
    case 'stable':
      return { ...source, balances: moved(source.balances) };
    case 'concentrated':
      return { ...source, ...concentratedAfter(parsed, from === 0, paid) };
    case 'order': {
      // What is left at the same rate, never better than it was.
      const amountIn = BigInt(source.amountIn) - paid;
      const amountOut = (BigInt(source.amountOut) * amountIn) / BigInt(source.amountIn);
      if (amountIn <= 0n || amountOut <= 0n) return null;
      return { ...source, amountIn: amountIn.toString(), amountOut: amountOut.toString() };
    }
    case 'bridge': {
      const capacity = BigInt(source.capacity) - got;
      return capacity <= 0n ? null : { ...source, capacity: capacity.toString() };
    }
  }
}

function concentratedAfter(pool: ParsedVenue, zeroForOne: boolean, amountIn: bigint) {
  assert(pool.kind === 'concentrated', 'a concentrated pool');
  const trade = concentratedOut(pool, zeroForOne, amountIn);
  assert('sqrtPriceX96After' in trade, 'the trade was made');
  const tick = tickAt(trade.sqrtPriceX96After);
  const liquidity = pool.ticks.reduce(
    (sum, own) => (own.tick <= tick ? sum + own.liquidityNet : sum),
    0n,
  );
  return {
    sqrtPriceX96: trade.sqrtPriceX96After.toString(),
    tick,
    liquidity: liquidity.toString(),
  };
}

/** The largest tick whose price is at most this one; 21 halvings. */
function tickAt(sqrtPriceX96: bigint): number {
  let [low, high] = [MIN_TICK, MAX_TICK - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sqrtRatioAtTick(middle) <= sqrtPriceX96) low = middle;
    else high = middle - 1;
  }
  return low;
}
