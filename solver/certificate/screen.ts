// What floats can tell of venues before the integers are asked: which add nothing to a bound (most of a
// snapshot's pools stand within their fees at a plan's own dual prices, and the exact support of each
// would only say 0 or less than its cost), and which take in less than their cap at their best, so
// that the cap need not be looked at. Refuses to decide what is close: a venue is marked where the numbers
// are apart by a margin ten thousand times wider than these floats can err, and everything else goes to the
// integers whole. So the bound is the same to the last digit with or without this file
// (test/certificate/screen.test.ts), and only who publishes uses it: verify.ts recomputes every venue in
// integers, so that nobody need believe it.
//
// Selling i for j on a curve whose price after the fee starts at p: with t = p·ν_j/ν_i − 1 and V the
// virtual reserve of i over γ, f = ν_i·V·(√(1 + t) − 1)² ≤ ν_i·V·t²/4, taking in V·(√(1 + t) − 1) ≤ V·t/2,
// and both 0 where t ≤ 0. A concentrated pool's liquidity is at most the largest of its ranges, and less
// liquidity takes in less and earns less on each. A cap on what goes in only lowers f. A bridge takes in
// at most what its capacity and its fixed fee ask for, V, and its fee only lowers f ≤ ν_i·V·t.

import { largerOf } from '../market/decimal.ts';
import type {
  ParsedConcentrated,
  ParsedConstantProduct,
  ParsedPairVenue,
  ParsedVenue,
} from '../market/parsedProblem.ts';

/** t of these floats is wrong by some 10^−15: four divisions and products of rounded numbers. */
const MARGIN = 1e-11;
/** Of what must outweigh an estimate (a cost, a cap): its own roundings are some 10^−15. */
const SAFE = 1 - 1e-6;
/** The exact integers round up by units of 10^−72 dollars; a cost above 0 is 10^−36 or more. */
const DOLLARS72 = 1e36;

/** Marks; 0 says nothing. Here no more than the fixed cost can be gained: sparing it changes no digit. */
export const NOTHING = 1;
/** At its best it takes in less than its cap: leaving the cap out changes no digit. */
export const UNCAPPED = 2;

/**
 * Marks venues. `nu` are dollars × 10^72 per base unit, `caps` base units by node. Who checks a
 * certificate gives no screen.
 */
export type Screen = (
  venues: readonly ParsedVenue[],
  nu: readonly bigint[],
  caps: readonly (bigint | null)[],
) => Uint8Array;

/** A direction of a venue: `price` is out per in after the fee, `depth` is V in base units of in. */
interface Side {
  readonly price: number;
  readonly depth: number;
}

interface Lines {
  /** Two a venue. */
  readonly nodes: Int32Array;
  /** STRIDE a venue. */
  readonly numbers: Float64Array;
}
/** Of a venue: price and depth of its two ways, its cost in dollars × 10^72, 1 if it is a curve. */
const STRIDE = 6;
const [PRICE, DEPTH, PRICE_UP, DEPTH_UP, COST, BENDS] = [0, 1, 2, 3, 4, 5] as const;

/**
 * A snapshot's venues are one array for all its problems: worked out once. They never change, and this
 * goes when they go.
 */
const known = new WeakMap<readonly ParsedVenue[], Lines>();

export const screenVenues: Screen = (venues, nu, caps) => {
  const { nodes, numbers } = known.get(venues) ?? linesOf(venues);
  const prices = new Float64Array(nu.length);
  const limits = new Float64Array(nu.length);
  for (let i = 0; i < nu.length; i++) {
    const cap = caps[i] ?? null;
    prices[i] = Number(nu[i]);
    limits[i] = cap === null ? Number.POSITIVE_INFINITY : Number(cap) * SAFE;
  }
  const marks = new Uint8Array(venues.length);
  for (let e = 0, at = 0; e < marks.length; e++, at += STRIDE) {
    const a = nodes[2 * e] as number;
    const b = nodes[2 * e + 1] as number;
    const first = prices[a] as number;
    const second = prices[b] as number;
    const down = aboveOne(((numbers[at + PRICE] as number) * second) / first);
    const up = aboveOne(((numbers[at + PRICE_UP] as number) * first) / second);
    // A curve takes in V·t/2 and keeps half of t on it; a line takes in V and keeps all.
    const bends = numbers[at + BENDS] as number;
    const intoDown = (numbers[at + DEPTH] as number) * (bends === 1 ? down / 2 : 1);
    const intoUp = (numbers[at + DEPTH_UP] as number) * (bends === 1 ? up / 2 : 1);
    const kept = bends === 1 ? 0.5 : 1;
    const most = Math.max(first * intoDown * down * kept, second * intoUp * up * kept);
    // A NaN passes none of these.
    if (most === 0 || most < (numbers[at + COST] as number) * SAFE) marks[e] = NOTHING;
    else if (intoDown < (limits[a] as number) && intoUp < (limits[b] as number))
      marks[e] = UNCAPPED;
  }
  return marks;
};

/** An upper estimate of t, at least 0; NaN of a NaN. */
function aboveOne(ratio: number): number {
  const t = ratio - 1 + MARGIN;
  return Math.max(t, 0);
}

function linesOf(venues: readonly ParsedVenue[]): Lines {
  const made: Lines = {
    nodes: new Int32Array(2 * venues.length),
    // NaN for venues that are not screened: no comparison with it holds.
    numbers: new Float64Array(STRIDE * venues.length).fill(Number.NaN),
  };
  venues.forEach((venue, e) => {
    if (venue.kind === 'weighted' || venue.kind === 'stable') return;
    const [down, up] = sidesOf(venue);
    made.nodes.set(venue.nodes, 2 * e);
    const bends = venue.kind === 'constantProduct' || venue.kind === 'concentrated' ? 1 : 0;
    const cost = Number(venue.fixedCost) * DOLLARS72;
    made.numbers.set([down.price, down.depth, up.price, up.depth, cost, bends], STRIDE * e);
  });
  known.set(venues, made);
  return made;
}

const CLOSED: Side = { price: 0, depth: 0 };

function sidesOf(venue: ParsedPairVenue): readonly [Side, Side] {
  switch (venue.kind) {
    case 'constantProduct':
      return constantProductSides(venue);
    case 'concentrated':
      return concentratedSides(venue);
    case 'order': {
      const [into, out] = [Number(venue.amountIn), Number(venue.amountOut)];
      return [{ price: out / into, depth: into }, CLOSED];
    }
    case 'bridge': {
      const rate = Number(venue.numerator) / Number(venue.denominator);
      return [{ price: rate, depth: Number(venue.capacity + venue.fixedFee) / rate }, CLOSED];
    }
  }
}

function constantProductSides({ reserves, feePips }: ParsedConstantProduct): readonly [Side, Side] {
  const [first, second] = [Number(reserves[0]), Number(reserves[1])];
  const kept = 1 - feePips / 1e6;
  return [
    { price: (kept * second) / first, depth: first / kept },
    { price: (kept * first) / second, depth: second / kept },
  ];
}

function concentratedSides(pool: ParsedConcentrated): readonly [Side, Side] {
  const kept = 1 - pool.feePips / 1e6;
  const root = Number(pool.sqrtPriceX96) / 2 ** 96;
  const most = pool.ranges.reduce((top, { liquidity }) => largerOf(top, liquidity), 0n);
  const liquidity = Number(most);
  // Prices from the root alone: without liquidity the reserves would be 0 / 0.
  const price = kept * root * root;
  return [
    { price, depth: liquidity / root / kept },
    { price: kept / (root * root), depth: (liquidity * root) / kept },
  ];
}
