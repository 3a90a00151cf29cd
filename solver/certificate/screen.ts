// Which venues add nothing to a bound, told in floats: most of a snapshot's pools stand within their
// fees at a plan's own dual prices, and the exact support of each would only say 0 or less than its cost.
// Refuses to decide what is close: a venue is left out where its profit is 0 by a margin ten thousand
// times wider than these floats can err, and everything else goes to the integers. So the bound is the same
// to the last digit with or without this file (test/certificate/screen.test.ts), and only who publishes uses
// it: verify.ts recomputes every venue in integers, so that nobody need believe it.
//
// Selling i for j on a curve whose price after the fee starts at p: with t = p·ν_j/ν_i − 1 and V the
// virtual reserve of i over γ, f = ν_i·V·(√(1 + t) − 1)² ≤ ν_i·V·t²/4, and 0 where t ≤ 0. A concentrated
// pool's liquidity is at most the largest of its ranges, and less liquidity earns less on each. A cap on
// what goes in only lowers f.

import { largerOf } from '../market/decimal.ts';
import type {
  ParsedConcentrated,
  ParsedConstantProduct,
  ParsedVenue,
} from '../market/parsedProblem.ts';

/** t of these floats is wrong by some 10^−15: four divisions and products of rounded numbers. */
const MARGIN = 1e-11;
/** Of a cost that must outweigh the estimate: its own roundings are some 10^−15. */
const SAFE = 1 - 1e-6;
/** The exact integers round up by units of 10^−72 dollars; a cost above 0 is 10^−36 or more. */
const DOLLARS72 = 1e36;

/** A direction of a pool: `price` is out per in after the fee, `depth` is V in base units of in. */
interface Side {
  readonly price: number;
  readonly depth: number;
}

interface Curves {
  readonly a: Int32Array;
  readonly b: Int32Array;
  /** NaN for venues that are not screened: no comparison with it holds. */
  readonly down: readonly [price: Float64Array, depth: Float64Array];
  readonly up: readonly [price: Float64Array, depth: Float64Array];
  /** Dollars × 10^72. */
  readonly cost: Float64Array;
}

/** A snapshot's venues are one array for all its problems: worked out once. */
const curves = new WeakMap<readonly ParsedVenue[], Curves>();

/**
 * Marks venues: 1 where nothing or less than the venue's own fixed cost can be gained,
 * 0 where the integers must say. `nu` are dollars × 10^72 per base unit.
 */
export function screenVenues(venues: readonly ParsedVenue[], nu: readonly bigint[]): Uint8Array {
  const known = curves.get(venues);
  const { a, b, down, up, cost } = known ?? curvesOf(venues);
  const prices = Float64Array.from(nu, Number);
  const marks = new Uint8Array(venues.length);
  for (let e = 0; e < marks.length; e++) {
    const first = prices[a[e] as number] as number;
    const second = prices[b[e] as number] as number;
    const one = gainBelow(
      ((down[0][e] as number) * second) / first,
      (down[1][e] as number) * first,
    );
    const other = gainBelow(((up[0][e] as number) * first) / second, (up[1][e] as number) * second);
    // A NaN passes neither.
    const most = Math.max(one, other);
    if (most === 0 || most < (cost[e] as number) * SAFE) marks[e] = 1;
  }
  return marks;
}

/** An upper estimate of ν·V·t²/4; NaN where t is. */
function gainBelow(ratio: number, worth: number): number {
  const t = ratio - 1 + MARGIN;
  return t < 0 ? 0 : (worth * t * t) / 4;
}

function curvesOf(venues: readonly ParsedVenue[]): Curves {
  const numbers = () => new Float64Array(venues.length).fill(Number.NaN);
  const made = {
    a: new Int32Array(venues.length),
    b: new Int32Array(venues.length),
    down: [numbers(), numbers()] as const,
    up: [numbers(), numbers()] as const,
    cost: Float64Array.from(venues, ({ fixedCost }) => Number(fixedCost) * DOLLARS72),
  };
  venues.forEach((venue, e) => {
    if (venue.kind !== 'constantProduct' && venue.kind !== 'concentrated') return;
    [made.a[e], made.b[e]] = venue.nodes;
    const [down, up] = sidesOf(venue);
    made.down[0][e] = down.price;
    made.down[1][e] = down.depth;
    made.up[0][e] = up.price;
    made.up[1][e] = up.depth;
  });
  curves.set(venues, made);
  return made;
}

function sidesOf(venue: ParsedConstantProduct | ParsedConcentrated): readonly [Side, Side] {
  const kept = 1 - venue.feePips / 1e6;
  const side = (into: number, out: number): Side => ({
    price: (kept * out) / into,
    depth: into / kept,
  });
  if (venue.kind === 'constantProduct') {
    const [first, second] = venue.reserves.map(Number) as [number, number];
    return [side(first, second), side(second, first)];
  }
  const root = Number(venue.sqrtPriceX96) / 2 ** 96;
  const most = venue.ranges.reduce((top, { liquidity }) => largerOf(top, liquidity), 0n);
  const liquidity = Number(most);
  // Prices from the root alone: without liquidity the reserves would be 0 / 0.
  const price = kept * root * root;
  return [
    { price, depth: liquidity / root / kept },
    { price: kept / (root * root), depth: (liquidity * root) / kept },
  ];
}
