// ParsedProblem → the core's memory. Each node's amounts are scaled so that one unit of a priced node
// is worth one dollar (an unpriced node's unit is one whole token): base units range over 10^30,
// the core's numbers stay near the order's worth. The only place amounts become floats, beside
// decode.ts. Refuses problems beyond the core's limits with InvalidInput.

import type {
  ParsedConcentrated,
  ParsedPairVenue,
  ParsedProblem,
} from '../market/parsedProblem.ts';
import { assert, present, unreachable } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import {
  type CoreExports,
  DIRECTION,
  GROUP,
  HEADER,
  KIND,
  LEAVES_MAX,
  NODE,
  OBJECTIVE,
  SIZE,
  STATUS,
  TARGET,
  TICK,
  VENUE,
} from './abi.ts';

/** Core units per base unit, by node index. */
export type Scales = readonly number[];

const PIPS = 1e6;
const FIXED36 = 1e36;
const Q96 = 2 ** 96;

/** Writes the problem and returns the scales that decode.ts needs. */
export function encode(core: CoreExports, problem: ParsedProblem): Scales {
  const scales = problem.nodes.map(
    ({ price, decimals }) => (price === null ? 1 : Number(price) / FIXED36) / 10 ** decimals,
  );
  const venues = pairVenues(problem);
  const lists = venues.map((venue) =>
    venue.kind === 'concentrated' ? tickLists(venue, scales) : null,
  );
  const view = new DataView(core.memory.buffer);
  const at = core.header();
  writeCounts(view, at, problem, lists);
  const status = core.arrange();
  if (status !== STATUS.ok) {
    throw new InvalidInput(
      'the problem is larger than the optimizer takes (1,024 nodes and targets, 131,072 venues, ' +
        '524,288 ticks, 64 MiB in all); leave out venues that cannot matter',
      { code: 'tooLarge' },
    );
  }
  writeNodes(view, view.getUint32(at + HEADER.nodes, true), problem, scales);
  writeVenues(view, at, { problem, venues }, scales, lists);
  writeGroups(view, at, problem);
  if (problem.objective.kind === 'rebalance') {
    const first = view.getUint32(at + HEADER.targets, true);
    problem.objective.targets.forEach(({ weight }, g) => {
      view.setFloat64(first + g * SIZE.target + TARGET.weight, Number(weight) / FIXED36, true);
    });
  }
  return scales;
}

/** The venues, all of two nodes: the core's records hold no others yet. */
function pairVenues({ venues }: ParsedProblem): readonly ParsedPairVenue[] {
  return venues.map((venue) => {
    if (venue.kind !== 'weighted' && venue.kind !== 'stable') return venue;
    throw new InvalidInput(
      `venues of kind "${venue.kind}" are not solved by this version; leave them out`,
      { pointer: `/venues/${venue.index}/kind`, code: 'unsupported' },
    );
  });
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

function writeCounts(
  view: DataView,
  at: number,
  problem: ParsedProblem,
  lists: readonly (TickLists | null)[],
): void {
  const { objective } = problem;
  const targets = objective.kind === 'rebalance' ? objective.targets.length : 0;
  const counts: readonly (readonly [number, number])[] = [
    [HEADER.nodeCount, problem.nodes.length],
    [HEADER.venueCount, problem.venues.length],
    [HEADER.tickCount, lists.reduce((n, l) => n + (l ? l.down.length + l.up.length : 0), 0)],
    [HEADER.groupCount, problem.groups.length],
    [HEADER.memberCount, problem.groups.reduce((n, { venues }) => n + venues.length, 0)],
    [HEADER.targetCount, targets],
    [HEADER.objective, OBJECTIVE[objective.kind]],
    [HEADER.buyNode, objective.kind === 'swap' ? objective.buy : 0],
    [HEADER.workMax, problem.settings.workMax],
    [HEADER.leavesMax, hasFixedCosts(problem) ? LEAVES_MAX : 0],
  ];
  for (const [offset, value] of counts) view.setInt32(at + offset, value, true);
  view.setFloat64(at + HEADER.gapTarget, Number(problem.settings.gapBps) / FIXED36 / 1e4, true);
}

/** Only what is paid once if used makes cases to tell apart. */
function hasFixedCosts({ venues, groups }: ParsedProblem): boolean {
  return (
    groups.some(({ fixedCost }) => fixedCost > 0n) ||
    venues.some((venue) => venue.fixedCost > 0n || (venue.kind === 'bridge' && venue.fixedFee > 0n))
  );
}

function writeNodes(view: DataView, first: number, problem: ParsedProblem, scales: Scales): void {
  const { objective } = problem;
  problem.nodes.forEach((node, i) => {
    const at = first + i * SIZE.node;
    const scale = present(scales[i], 'scale');
    const target =
      objective.kind === 'rebalance' ? present(objective.targetOfNode[i], 'target') : -1;
    view.setFloat64(at + NODE.supply, Number(supplyOf(problem, i)) * scale, true);
    view.setFloat64(at + NODE.price, node.price === null ? 0 : 1, true);
    view.setInt32(at + NODE.target, target, true);
  });
}

/** What a plan may spend at a node: nodes in no target are left alone. */
export function supplyOf({ objective }: ParsedProblem, node: number): bigint {
  if (objective.kind === 'swap') return node === objective.sell ? objective.amount : 0n;
  if (objective.targetOfNode[node] === -1) return 0n;
  return present(objective.holdings[node], 'holding');
}

/** Dollars a venue may take in at node prices; Infinity without settings.venueInputCap. */
function capWorth(problem: ParsedProblem, scales: Scales): number {
  const { venueInputCap } = problem.settings;
  if (venueInputCap === null) return Number.POSITIVE_INFINITY;
  let worth = 0;
  for (const [i, scale] of scales.entries()) worth += Number(supplyOf(problem, i)) * scale;
  return (worth * Number(venueInputCap)) / FIXED36;
}

function writeVenues(
  view: DataView,
  header: number,
  { problem, venues }: { problem: ParsedProblem; venues: readonly ParsedPairVenue[] },
  scales: Scales,
  lists: readonly (TickLists | null)[],
): void {
  const first = view.getUint32(header + HEADER.venues, true);
  const ticks = view.getUint32(header + HEADER.ticks, true);
  const cap = capWorth(problem, scales);
  let tickIndex = 0;
  venues.forEach((venue, e) => {
    const at = first + e * SIZE.venue;
    const [from, to] = venue.nodes;
    const float = (offset: number, value: number) => view.setFloat64(at + offset, value, true);
    const int = (offset: number, value: number) => view.setInt32(at + offset, value, true);
    const capAt = (node: number) =>
      problem.nodes[node]?.price === null ? Number.POSITIVE_INFINITY : cap;
    int(VENUE.kind, KIND[venue.kind]);
    int(VENUE.from, from);
    int(VENUE.to, to);
    int(VENUE.directions, directionsOf(venue));
    float(VENUE.fixedCost, Number(venue.fixedCost) / FIXED36);
    float(VENUE.capFrom, capAt(from));
    float(VENUE.capTo, capAt(to));
    const numbers = numbersOf(venue, present(scales[from], 'scale'), present(scales[to], 'scale'));
    float(VENUE.a, numbers.a);
    float(VENUE.b, numbers.b);
    float(VENUE.keep, numbers.keep);
    float(VENUE.fixedFee, numbers.fixedFee);
    const list = lists[e];
    if (list === null || list === undefined) return;
    for (const [side, offset, count] of [
      [list.down, VENUE.down, VENUE.downCount],
      [list.up, VENUE.up, VENUE.upCount],
    ] as const) {
      int(offset, tickIndex);
      int(count, side.length);
      for (const { near, liquidity } of side) {
        view.setFloat64(ticks + tickIndex * SIZE.tick + TICK.near, near, true);
        view.setFloat64(ticks + tickIndex * SIZE.tick + TICK.liquidity, liquidity, true);
        tickIndex++;
      }
    }
    float(VENUE.a, list.price);
  });
}

function directionsOf(venue: ParsedPairVenue): number {
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
      if (falling ? end >= begin : end <= begin) continue;
      // A gap between the price and the first range carries no liquidity.
      if (far === null && begin !== now) out.push({ near: price(now), liquidity: 0 });
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

function writeGroups(view: DataView, header: number, problem: ParsedProblem): void {
  const first = view.getUint32(header + HEADER.groups, true);
  const members = view.getUint32(header + HEADER.members, true);
  let next = 0;
  problem.groups.forEach(({ fixedCost, venues }, g) => {
    const at = first + g * SIZE.group;
    view.setFloat64(at + GROUP.fixedCost, Number(fixedCost) / FIXED36, true);
    view.setInt32(at + GROUP.members, next, true);
    view.setInt32(at + GROUP.memberCount, venues.length, true);
    for (const venue of venues) view.setInt32(members + 4 * next++, venue, true);
  });
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
