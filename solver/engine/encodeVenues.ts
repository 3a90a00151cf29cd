// Venues → the core's records, in core units (encode.ts says which). Pools of n nodes put their nodes,
// concentrated pools their ticks, into blocks of their own.

import type {
  ParsedBatchOrder,
  ParsedConcentrated,
  ParsedPairVenue,
  ParsedProblem,
  ParsedStable,
  ParsedVenue,
  ParsedWeighted,
} from '../market/parsedProblem.ts';
import { assert, present, unreachable } from '../types/assert.ts';
import { DIRECTION, HEADER, KIND, POOL_NODE, type Scales, SIZE, TICK, VENUE } from './abi.ts';

const PIPS = 1e6;
const WAD = 1e18;
const FIXED36 = 1e36;
const Q96 = 2 ** 96;
const UINT112_MAX = 2n ** 112n - 1n;

/** What must be known before the blocks can be laid out. */
export interface VenueLists {
  readonly ticks: readonly (TickLists | null)[];
  readonly tickCount: number;
  readonly poolNodeCount: number;
}

interface TickLists {
  readonly price: number;
  readonly down: readonly Tick[];
  readonly up: readonly Tick[];
}
interface Tick {
  readonly near: number;
  readonly liquidity: number;
}

export function listVenues({ venues }: ParsedProblem, scales: Scales): VenueLists {
  const ticks = venues.map((venue) =>
    venue.kind === 'concentrated' ? tickLists(venue, scales) : null,
  );
  return {
    ticks,
    tickCount: ticks.reduce((n, list) => n + (list ? list.down.length + list.up.length : 0), 0),
    poolNodeCount: venues.reduce((n, venue) => n + (isPool(venue) ? venue.nodes.length : 0), 0),
  };
}

function isPool(venue: ParsedVenue): venue is ParsedWeighted | ParsedStable {
  return venue.kind === 'weighted' || venue.kind === 'stable';
}

interface Source {
  readonly problem: ParsedProblem;
  readonly scales: Scales;
  readonly lists: VenueLists;
  /** Dollars any venue may take in, or ∞. */
  readonly cap: number;
}

/** Where the next ticks and pool nodes go. */
interface Cursor {
  tick: number;
  poolNode: number;
}

export function writeVenues(view: DataView, header: number, source: Source): void {
  const first = view.getUint32(header + HEADER.venues, true);
  const cursor: Cursor = { tick: 0, poolNode: 0 };
  source.problem.venues.forEach((venue, e) => {
    const at = first + e * SIZE.venue;
    view.setInt32(at + VENUE.kind, KIND[venue.kind], true);
    view.setInt32(at + VENUE.directions, directionsOf(venue), true);
    view.setFloat64(at + VENUE.fixedCost, Number(venue.fixedCost) / FIXED36, true);
    if (isPool(venue)) writePool(view, { header, at }, venue, source, cursor);
    else writePair(view, { header, at }, venue, source, cursor);
  });
  const { objective, venues } = source.problem;
  if (objective.kind !== 'batch') return;
  objective.orders.forEach((order, k) => {
    writeOrder(view, first + (venues.length + k) * SIZE.venue, order, source.scales);
  });
}

/** What no float can carry of a limit, as a share of it: asked for on top, shared out in the end. */
const LIMIT_MARGIN = 1e-9;
/** Base units that rounding down may cost on the way to an order. */
const LIMIT_UNITS = 4;

/** An order of a batch after the venues: from what it buys to what it sells. */
function writeOrder(view: DataView, at: number, order: ParsedBatchOrder, scales: Scales): void {
  const float = (offset: number, value: number) => view.setFloat64(at + offset, value, true);
  const asked = Number(order.minOut) * (1 + LIMIT_MARGIN) + LIMIT_UNITS;
  const takes = asked * present(scales[order.buy], 'scale');
  view.setInt32(at + VENUE.kind, KIND.batchOrder, true);
  view.setInt32(at + VENUE.from, order.buy, true);
  view.setInt32(at + VENUE.to, order.sell, true);
  view.setInt32(at + VENUE.directions, DIRECTION.forward, true);
  view.setInt32(at + VENUE.whole, order.partial ? 0 : 1, true);
  float(VENUE.a, takes);
  float(VENUE.keep, (Number(order.amount) * present(scales[order.sell], 'scale')) / takes);
  float(VENUE.capFrom, Number.POSITIVE_INFINITY);
  float(VENUE.capTo, Number.POSITIVE_INFINITY);
}

interface Place {
  readonly header: number;
  readonly at: number;
}

/** A node's cap in core units: dollars where it has a price. */
function capAt({ problem, cap }: Source, node: number): number {
  return problem.nodes[node]?.price === null ? Number.POSITIVE_INFINITY : cap;
}

function writePair(
  view: DataView,
  { header, at }: Place,
  venue: ParsedPairVenue,
  source: Source,
  cursor: Cursor,
): void {
  const [from, to] = venue.nodes;
  const float = (offset: number, value: number) => view.setFloat64(at + offset, value, true);
  const int = (offset: number, value: number) => view.setInt32(at + offset, value, true);
  int(VENUE.from, from);
  int(VENUE.to, to);
  float(VENUE.capFrom, capAt(source, from));
  float(VENUE.capTo, capAt(source, to));
  const { scales } = source;
  const numbers = numbersOf(venue, present(scales[from], 'scale'), present(scales[to], 'scale'));
  float(VENUE.a, numbers.a);
  float(VENUE.b, numbers.b);
  float(VENUE.keep, numbers.keep);
  float(VENUE.fixedFee, numbers.fixedFee);
  if (venue.kind === 'constantProduct') {
    // The pair keeps its reserves in 112 bits: what would not fit is refused.
    const room = venue.reserves.map((reserve) => Number(UINT112_MAX - reserve));
    float(
      VENUE.capFrom,
      Math.min(capAt(source, from), (room[0] ?? 0) * present(scales[from], 'scale')),
    );
    float(VENUE.capTo, Math.min(capAt(source, to), (room[1] ?? 0) * present(scales[to], 'scale')));
  }
  const list = source.lists.ticks[venue.index];
  if (list === null || list === undefined) return;
  const ticks = view.getUint32(header + HEADER.ticks, true);
  for (const [side, offset, count] of [
    [list.down, VENUE.down, VENUE.downCount],
    [list.up, VENUE.up, VENUE.upCount],
  ] as const) {
    int(offset, cursor.tick);
    int(count, side.length);
    for (const { near, liquidity } of side) {
      view.setFloat64(ticks + cursor.tick * SIZE.tick + TICK.near, near, true);
      view.setFloat64(ticks + cursor.tick * SIZE.tick + TICK.liquidity, liquidity, true);
      cursor.tick++;
    }
  }
  float(VENUE.a, list.price);
}

/** A pool's first two nodes stand for it until the core commits it to a pair. */
function writePool(
  view: DataView,
  { header, at }: Place,
  pool: ParsedWeighted | ParsedStable,
  source: Source,
  cursor: Cursor,
): void {
  const float = (offset: number, value: number) => view.setFloat64(at + offset, value, true);
  const int = (offset: number, value: number) => view.setInt32(at + offset, value, true);
  const [from, to] = [present(pool.nodes[0], 'node'), present(pool.nodes[1], 'node')];
  int(VENUE.from, from);
  int(VENUE.to, to);
  float(VENUE.capFrom, capAt(source, from));
  float(VENUE.capTo, capAt(source, to));
  float(VENUE.keep, (WAD - Number(pool.swapFee)) / WAD);
  const count = pool.nodes.length;
  float(VENUE.a, pool.kind === 'weighted' ? 1 : amplificationOf(pool) * count);
  int(VENUE.nodes, cursor.poolNode);
  int(VENUE.nodeCount, count);
  const block = view.getUint32(header + HEADER.poolNodes, true);
  pool.nodes.forEach((node, k) => {
    const place = block + cursor.poolNode * SIZE.poolNode;
    const scale = present(source.scales[node], 'scale');
    const set = (offset: number, value: number) => view.setFloat64(place + offset, value, true);
    view.setInt32(place + POOL_NODE.node, node, true);
    set(POOL_NODE.balance, Number(present(pool.balances[k], 'balance')) * scale);
    set(POOL_NODE.weight, pool.kind === 'weighted' ? Number(pool.weights[k]) / WAD : 1);
    // The pool's own units per core unit, whole tokens after its scaling factor.
    set(POOL_NODE.rate, Number(pool.scalingFactors[k]) / WAD / WAD / scale);
    set(POOL_NODE.cap, Math.min(capAt(source, node), ratioCap(pool, k) * scale));
    cursor.poolNode++;
  });
}

/**
 * Base units a weighted pool takes in at most: Balancer refuses more than 30 % of a balance after fees
 * (WeightedMath._MAX_IN_RATIO). A little less, for the rounding of floats.
 */
function ratioCap(pool: ParsedWeighted | ParsedStable, k: number): number {
  if (pool.kind === 'stable') return Number.POSITIVE_INFINITY;
  const kept = (WAD - Number(pool.swapFee)) / WAD;
  return ((0.3 * Number(present(pool.balances[k], 'balance'))) / kept) * (1 - 1e-12);
}

function amplificationOf(pool: ParsedStable): number {
  return Number(pool.amplification) / Number(pool.amplificationPrecision);
}

function directionsOf(venue: ParsedVenue): number {
  return venue.kind === 'order' || venue.kind === 'bridge' ? DIRECTION.forward : DIRECTION.both;
}

interface VenueNumbers {
  readonly a: number;
  readonly b: number;
  readonly keep: number;
  readonly fixedFee: number;
}

/** The venue's own numbers in core units; concentrated pools' ticks are written beside. */
function numbersOf(venue: ParsedPairVenue, from: number, to: number): VenueNumbers {
  switch (venue.kind) {
    case 'constantProduct':
      return {
        a: Number(venue.reserves[0]) * from,
        b: Number(venue.reserves[1]) * to,
        keep: (PIPS - venue.feePips) / PIPS,
        fixedFee: 0,
      };
    case 'concentrated':
      return { a: 1, b: 0, keep: (PIPS - venue.feePips) / PIPS, fixedFee: 0 };
    case 'order':
      return {
        a: Number(venue.amountIn) * from,
        b: 0,
        keep: (Number(venue.amountOut) * to) / (Number(venue.amountIn) * from),
        fixedFee: 0,
      };
    case 'bridge': {
      const { numerator, denominator, capacity, fixedFee } = venue;
      return {
        a: Number(((capacity + fixedFee) * denominator) / numerator) * from,
        b: 0,
        keep: ((Number(numerator) / Number(denominator)) * to) / from,
        fixedFee: Number(fixedFee) * to,
      };
    }
    default:
      return unreachable(venue);
  }
}

/** A pool's liquidity seen from its price, both ways, in core units. */
function tickLists(pool: ParsedConcentrated, scales: Scales): TickLists {
  const from = present(scales[pool.nodes[0]], 'scale');
  const to = present(scales[pool.nodes[1]], 'scale');
  const root = Math.sqrt(to / from);
  const price = (sqrt: bigint) => (Number(sqrt) / Q96) * root;
  const units = Math.sqrt(from) * Math.sqrt(to);
  const now = pool.sqrtPriceX96;
  const walk = (falling: boolean): Tick[] => {
    const out: Tick[] = [];
    const ranges = falling ? pool.ranges.toReversed() : pool.ranges;
    let far: bigint | null = null;
    for (const { sqrtLowerX96, sqrtUpperX96, liquidity } of ranges) {
      const begin = falling ? min(sqrtUpperX96, now) : max(sqrtLowerX96, now);
      const end = falling ? sqrtLowerX96 : sqrtUpperX96;
      // A range that is empty in floats is empty to the core: its prices must differ.
      if (falling ? price(end) >= price(begin) : price(end) <= price(begin)) continue;
      // A gap between the price and the first range carries no liquidity.
      if (far === null && price(begin) !== price(now)) out.push({ near: price(now), liquidity: 0 });
      out.push({ near: price(begin), liquidity: Number(liquidity) * units });
      far = end;
    }
    if (far !== null) out.push({ near: price(far), liquidity: 0 });
    return out;
  };
  const current = price(now);
  assert(Number.isFinite(current) && current > 0, 'a pool has a price');
  return { price: current, down: walk(true), up: walk(false) };
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
