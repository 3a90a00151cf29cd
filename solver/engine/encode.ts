// ParsedProblem → the core's memory. Each node's amounts are scaled so that one unit of a priced node
// is worth one dollar (an unpriced node's unit is one whole token): base units range over 10^30,
// the core's numbers stay near the order's worth. The only place amounts become floats, beside
// decode.ts. A snapshot is written once; a further quote on it writes its amounts alone. Refuses
// problems beyond the core's limits with InvalidInput.

import { parseFixed36 } from '../market/decimal.ts';
import type { ParsedProblem, ParsedRebalance, ParsedTarget } from '../market/parsedProblem.ts';
import { present } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import {
  type CoreExports,
  GROUP,
  HEADER,
  HEADER_BYTES,
  LEAVES_MAX,
  NODE,
  OBJECTIVE,
  POOL_NODE,
  type Scales,
  SIZE,
  STATUS,
  TARGET,
  VENUE,
} from './abi.ts';
import { listVenues, type VenueLists, writeVenues } from './encodeVenues.ts';

/** Dual prices to start from, in the core's units, by node index; 0 for none. */
export type Starts = readonly number[];

const FIXED36 = 1e36;

/** Writes the problem and returns the scales that decode.ts needs. */
export function encode(core: CoreExports, problem: ParsedProblem, starts: Starts = []): Scales {
  const scales = scalesOf(problem);
  const lists = listVenues(problem, scales);
  const view = new DataView(core.memory.buffer);
  const at = core.header();
  writeCounts(view, at, problem, lists);
  if (core.arrange() !== STATUS.ok) {
    throw new InvalidInput(
      'the problem is larger than the optimizer takes (4,096 nodes and targets, 131,072 venues, ' +
        '524,288 ticks, 128 MiB in all); leave out venues that cannot matter',
      { code: 'tooLarge' },
    );
  }
  writeNodes(view, at, { problem, scales, starts });
  writeVenues(view, at, { problem, scales, lists, cap: capWorth(problem, scales) });
  writeGroups(view, at, problem);
  if (problem.objective.kind === 'rebalance') {
    writeTargets(view, view.getUint32(at + HEADER.targets, true), problem.objective.targets);
    writeCovariance(view, at, problem.objective);
  }
  return scales;
}

/**
 * Whether `next` differs from the problem in the core only in what encodeQuote writes: same nodes,
 * venues, groups and targets (the very objects: a snapshot is shared, not copied), no cap, which
 * depends on the amounts.
 */
export function sharesSnapshot(last: ParsedProblem, next: ParsedProblem): boolean {
  if (last.nodes !== next.nodes || last.venues !== next.venues) return false;
  if (last.groups !== next.groups) return false;
  if (last.settings.venueInputCap !== null || next.settings.venueInputCap !== null) return false;
  const [one, other] = [last.objective, next.objective];
  if (one.kind === 'swap') return other.kind === 'swap';
  if (one.kind !== 'rebalance' || other.kind !== 'rebalance') return false;
  return sameTargets(one.targets, other.targets) && sameRisk(one.risk, other.risk);
}

function sameTargets(one: readonly ParsedTarget[], other: readonly ParsedTarget[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((target, g) => sameTarget(target, other[g]));
}

/** The core reads a covariance at every solve, and the holdings it is measured against. */
function sameRisk(one: ParsedRebalance['risk'], other: ParsedRebalance['risk']): boolean {
  if (one === other) return true;
  if (one?.aversion !== other?.aversion) return false;
  const cells = other?.covariance.flat();
  return one?.covariance.flat().every((cell, k) => cell === cells?.[k]) ?? false;
}

function sameTarget(one: ParsedTarget, other: ParsedTarget | undefined): boolean {
  if (one.weight !== other?.weight || one.nodes.length !== other.nodes.length) return false;
  return one.nodes.every((node, k) => node === other.nodes[k]);
}

/**
 * Whether `next` is the snapshot of `last` with another quote: what quoteBytes and capOf say of it, written
 * over the records of `last`, makes the records of `next`. Targets may differ, not their number: the
 * blocks' places follow from counts.
 */
export function sharesRecords(last: ParsedProblem, next: ParsedProblem): boolean {
  if (last.nodes !== next.nodes || last.venues !== next.venues) return false;
  if (last.groups !== next.groups) return false;
  const [one, other] = [last.objective, next.objective];
  if (one.kind === 'swap') return other.kind === 'swap';
  if (one.kind !== 'rebalance' || other.kind !== 'rebalance') return false;
  return one.targets.length === other.targets.length && sameRisk(one.risk, other.risk);
}

/** The same problem without settings.venueInputCap: its caps are the venues' own limits. */
export const uncapped = (problem: ParsedProblem): ParsedProblem => ({
  ...problem,
  settings: { ...problem.settings, venueInputCap: null },
});

/** Where, from the header's address on, a cap in dollars lowers what a venue takes in. */
export function capPlaces(view: DataView, { nodes, venues }: ParsedProblem): readonly number[] {
  const first = view.getUint32(HEADER.venues, true) - view.getUint32(HEADER.nodes, true);
  const block = view.getUint32(HEADER.poolNodes, true) - view.getUint32(HEADER.nodes, true);
  const places: number[] = [];
  let poolNode = 0;
  const add = (node: number | undefined, at: number) => {
    if (node !== undefined && nodes[node]?.price !== null) places.push(HEADER_BYTES + at);
  };
  venues.forEach((venue, e) => {
    add(venue.nodes[0], first + e * SIZE.venue + VENUE.capFrom);
    add(venue.nodes[1], first + e * SIZE.venue + VENUE.capTo);
    if (venue.kind !== 'weighted' && venue.kind !== 'stable') return;
    for (const node of venue.nodes) {
      add(node, block + poolNode * SIZE.poolNode + POOL_NODE.cap);
      poolNode++;
    }
  });
  return places;
}

/** Dollars a venue may take in under settings.venueInputCap, for the places of capPlaces. */
export const capOf = capWorth;

/** Writes a quote on the snapshot already loaded: amounts, the bought node and the settings. */
export function encodeQuote(core: CoreExports, problem: ParsedProblem, scales: Scales): void {
  const view = new DataView(core.memory.buffer);
  writeSettings(view, core.header(), problem);
  writeNodes(view, core.header(), { problem, scales, starts: [] });
}

/**
 * The header, the nodes and the targets of a quote, elsewhere than in a core: what the ranges abi.ts
 * lists in QUOTE hold, and the targets, are to be copied over those of the snapshot.
 */
export function quoteBytes(problem: ParsedProblem, scales: Scales): ArrayBuffer {
  const { nodes, objective } = problem;
  const targets = objective.kind === 'rebalance' ? objective.targets : [];
  const end = HEADER_BYTES + nodes.length * SIZE.node;
  const bytes = new ArrayBuffer(end + targets.length * SIZE.target);
  const view = new DataView(bytes);
  view.setUint32(HEADER.nodes, HEADER_BYTES, true);
  writeSettings(view, 0, problem);
  writeNodes(view, 0, { problem, scales, starts: [] });
  writeTargets(view, end, targets);
  return bytes;
}

function writeTargets(view: DataView, first: number, targets: readonly ParsedTarget[]): void {
  targets.forEach(({ weight }, g) => {
    view.setFloat64(first + g * SIZE.target + TARGET.weight, Number(weight) / FIXED36, true);
  });
}

/**
 * Dollars per whole token by node id → the core's units. Ids that no node has are passed over: a
 * market seen earlier may have had other nodes. Throws InvalidInput unless each is a decimal > 0.
 */
export function startsOf(
  { nodes }: ParsedProblem,
  prices: Readonly<Record<string, string>>,
): Starts {
  return nodes.map(({ id, price }) => {
    const text = Object.hasOwn(prices, id) ? prices[id] : undefined;
    if (text === undefined) return 0;
    const start = parseFixed36(text);
    if (start === 0n) throw new InvalidInput(`the start price of ${id} must be above 0`);
    return Number(start) / (price === null ? FIXED36 : Number(price));
  });
}

function scalesOf(problem: ParsedProblem): Scales {
  return problem.nodes.map(
    ({ price, decimals }) => (price === null ? 1 : Number(price) / FIXED36) / 10 ** decimals,
  );
}

function writeCounts(view: DataView, at: number, problem: ParsedProblem, lists: VenueLists): void {
  const { objective } = problem;
  const counts: readonly (readonly [number, number])[] = [
    [HEADER.nodeCount, problem.nodes.length],
    [
      HEADER.venueCount,
      problem.venues.length + (objective.kind === 'batch' ? objective.orders.length : 0),
    ],
    [HEADER.tickCount, lists.tickCount],
    [HEADER.poolNodeCount, lists.poolNodeCount],
    [HEADER.groupCount, problem.groups.length],
    [HEADER.memberCount, problem.groups.reduce((n, { venues }) => n + venues.length, 0)],
    [HEADER.targetCount, objective.kind === 'rebalance' ? objective.targets.length : 0],
    [HEADER.objective, objectiveCode(problem)],
    [HEADER.leavesMax, hasCases(problem) ? LEAVES_MAX : 0],
  ];
  for (const [offset, value] of counts) view.setInt32(at + offset, value, true);
  writeSettings(view, at, problem);
}

/** What is paid once if used, or filled whole or not at all, makes cases to tell apart. */
function hasCases({ venues, groups, objective }: ParsedProblem): boolean {
  return (
    (objective.kind === 'batch' && objective.orders.some(({ partial }) => !partial)) ||
    groups.some(({ fixedCost }) => fixedCost > 0n) ||
    venues.some((venue) => venue.fixedCost > 0n || (venue.kind === 'bridge' && venue.fixedFee > 0n))
  );
}

function writeSettings(view: DataView, at: number, { objective, settings }: ParsedProblem): void {
  view.setInt32(at + HEADER.buyNode, objective.kind === 'swap' ? objective.buy : 0, true);
  view.setInt32(at + HEADER.workMax, settings.workMax, true);
  const risk = objective.kind === 'rebalance' ? objective.risk : null;
  view.setFloat64(at + HEADER.aversion, risk === null ? 0 : Number(risk.aversion) / FIXED36, true);
  view.setFloat64(at + HEADER.gapTarget, Number(settings.gapBps) / FIXED36 / 1e4, true);
  view.setInt32(at + HEADER.warm, 0, true);
}

function objectiveCode({ objective }: ParsedProblem): number {
  if (objective.kind !== 'rebalance') return OBJECTIVE[objective.kind];
  return objective.risk === null ? OBJECTIVE.rebalance : OBJECTIVE.riskRebalance;
}

/** Row by row; W₀ is no field: it follows from the supplies. */
function writeCovariance(view: DataView, header: number, { risk }: ParsedRebalance): void {
  const first = view.getUint32(header + HEADER.covariance, true);
  risk?.covariance.flat().forEach((cell, k) => {
    view.setFloat64(first + 8 * k, Number(cell) / FIXED36, true);
  });
}

interface Nodes {
  readonly problem: ParsedProblem;
  readonly scales: Scales;
  readonly starts: Starts;
}

function writeNodes(view: DataView, header: number, { problem, scales, starts }: Nodes): void {
  const { objective } = problem;
  const first = view.getUint32(header + HEADER.nodes, true);
  problem.nodes.forEach((node, i) => {
    const at = first + i * SIZE.node;
    const scale = present(scales[i], 'scale');
    const target =
      objective.kind === 'rebalance' ? present(objective.targetOfNode[i], 'target') : -1;
    view.setFloat64(at + NODE.supply, Number(supplyOf(problem, i)) * scale, true);
    view.setFloat64(at + NODE.price, node.price === null ? 0 : 1, true);
    view.setFloat64(at + NODE.start, starts[i] ?? 0, true);
    view.setInt32(at + NODE.target, target, true);
  });
}

/** What a plan may spend at a node: nodes in no target are left alone. */
export function supplyOf({ objective }: ParsedProblem, node: number): bigint {
  if (objective.kind === 'swap') return node === objective.sell ? objective.amount : 0n;
  // What a batch's orders offer is no supply that must be spent: they are edges (encodeVenues.ts).
  if (objective.kind === 'batch' || objective.targetOfNode[node] === -1) return 0n;
  return present(objective.holdings[node], 'holding');
}

/** Dollars a venue may take in at node prices; Infinity without settings.venueInputCap. */
function capWorth(problem: ParsedProblem, scales: Scales): number {
  const { venueInputCap } = problem.settings;
  if (venueInputCap === null) return Number.POSITIVE_INFINITY;
  let worth = 0;
  if (problem.objective.kind === 'batch') {
    for (const { sell, amount } of problem.objective.orders) {
      worth += Number(amount) * present(scales[sell], 'scale');
    }
  }
  for (const [i, scale] of scales.entries()) worth += Number(supplyOf(problem, i)) * scale;
  return (worth * Number(venueInputCap)) / FIXED36;
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
