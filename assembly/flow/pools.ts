// Pools of n nodes in the network. A plan may use one ordered pair of a pool's nodes, so in the
// relaxation a pool is the convex hull of its pairs: shares z of every pair's best trade, z ≥ 0,
// Σz ≤ 1, proximal as for linear edges. The dual it minimises is then exactly the certificate's
// maximum over pairs. With σ the proximal weight and z̄ the centres, z is the projection of z̄ + F/σ
// onto that simplex (Held, Wolfe, Crowder 1974). Before a plan is made each pool is committed to one
// pair and is an ordinary edge from then on. Refuses nothing.

import { header } from '../layout';
import { FORWARD, REVERSE, Venue, WEIGHTED } from '../problem';
import { forwardStable, respondStablePair } from '../venues/stable';
import { forwardWeighted, respondWeightedPair } from '../venues/weighted';
import { Flow } from './records';
import { firstOf, isPromising, screen } from './screen';
import {
  ARCS,
  addToPools,
  BLOCKS,
  DIAGONAL,
  flowAt,
  GRADIENT,
  int,
  isPool,
  NU,
  num,
  POOLS,
  poolCount,
  poolNodeAt,
  setInt,
  setNum,
  venueAt,
} from './state';

// ╒══════════ Arc, 72 bytes (own): one pair of a pool's nodes ═════╕
// │  0 pair i32 : i | j << 8 │ 4 direction i32                     │
// │  8 share f64 : z │ 16 center f64 : z̄ │ 24 gain f64 : F         │
// │ 32 paid f64 │ 40 got f64 : dollars of the best trade           │
// │ 48 curvature f64 : w │ 56 wish f64 : z̄ + F/σ │ 64 reserved     │
// └────────────────────────────────────────────────────────────────┘
@unmanaged
export class Arc {
  pair: i32;
  direction: i32;
  share: f64;
  center: f64;
  gain: f64;
  paid: f64;
  got: f64;
  curvature: f64;
  wish: f64;
  reserved: f64;
}

/** Σ of the kept arcs' dollars by the pool's node. */
const SUMS: usize = memory.data(64);
/** A Flow that belongs to no edge, for one arc's response. */
const SPARE: usize = memory.data(256);

function spare(): Flow {
  return changetype<Flow>(SPARE);
}

/** Arcs a pool of `count` nodes has. */
export function arcsOf(count: i32): i32 {
  return (count * (count - 1)) >> 1;
}

export function arcAt(flow: Flow, k: i32): Arc {
  return changetype<Arc>(ARCS + <usize>(flow.arcs + k) * offsetof<Arc>());
}

function blockOf(flow: Flow): usize {
  return BLOCKS + ((<usize>flow.block) << 3);
}

/** A pool no arc of which can gain anything, nor did before. */
function rest(flow: Flow, arcs: i32): void {
  for (let k = 0; k < arcs; k++) arcAt(flow, k).share = 0;
  flow.share = 0;
  flow.surplus = 0;
  hullLost = 0;
}

/**
 * Fills every arc's best trade at the prices in NU; the best gain of all into flow.surplus. An arc that
 * trades nothing yet and surely gains no more than `least` counts as gaining nothing. Returns whether
 * any had to be looked at.
 */
export function respondHull(v: Venue, flow: Flow, least: f64): bool {
  const mine = spare();
  let best: f64 = 0;
  let k = 0;
  let any = false;
  const hopeless = !screen(v, least);
  for (let i = 0; i < v.nodeCount; i++) {
    const one = poolNodeAt(v, i);
    for (let j = i + 1; j < v.nodeCount; j++) {
      const other = poolNodeAt(v, j);
      const arc = arcAt(flow, k++);
      arc.pair = i | (j << 8);
      if (arc.center == 0 && (hopeless || !isPromising(v, i, j, least))) {
        arc.gain = 0;
        arc.paid = 0;
        arc.got = 0;
        arc.curvature = 0;
        continue;
      }
      any = true;
      mine.mask = FORWARD | REVERSE;
      v.capFrom = one.cap;
      v.capTo = other.cap;
      const nuI = num(NU, one.node);
      const nuJ = num(NU, other.node);
      respondTwo(v, i, j, mine, nuI, nuJ);
      const forward = mine.direction == FORWARD;
      arc.direction = mine.direction;
      arc.gain = mine.surplus;
      arc.paid = mine.input * (forward ? nuI : nuJ);
      arc.got = mine.output * (forward ? nuJ : nuI);
      arc.curvature = mine.curvature;
      best = max(best, mine.surplus);
    }
  }
  flow.surplus = best;
  flow.input = 0;
  flow.output = 0;
  flow.curvature = 0;
  return any;
}

/** z: the projection of the wishes onto z ≥ 0, Σz ≤ 1. Returns whether Σz = 1 binds. */
function project(flow: Flow, count: i32): bool {
  let sum: f64 = 0;
  for (let k = 0; k < count; k++) sum += max(arcAt(flow, k).wish, 0.0);
  let level: f64 = 0;
  const binding = sum > 1;
  // The level under which all is cut: raised by what the kept ones have too much, until none falls.
  for (let round = 0; binding && round < count; round++) {
    let kept = 0;
    let over: f64 = -1;
    for (let k = 0; k < count; k++) {
      const wish = arcAt(flow, k).wish;
      if (wish > level) {
        kept++;
        over += wish;
      }
    }
    const next = over / <f64>kept;
    if (next == level) break;
    level = next;
  }
  for (let k = 0; k < count; k++) {
    const arc = arcAt(flow, k);
    arc.share = max(arc.wish - level, 0.0);
  }
  return binding;
}

/** What a pool's hull is short of its best arc: Σ max(0, F) − z·F. Set by addHull. */
export let hullLost: f64 = 0;

/** Counts a pool's hull in gradient, diagonal and its block; returns its part of ĝ. */
export function addHull(e: i32, v: Venue, flow: Flow): f64 {
  const arcs = arcsOf(v.nodeCount);
  const count = v.nodeCount;
  const block = blockOf(flow);
  if (!respondHull(v, flow, flow.cost)) {
    rest(flow, arcs);
    return 0;
  }
  for (let k = 0; k < arcs; k++) {
    const arc = arcAt(flow, k);
    arc.gain -= flow.cost;
    arc.wish = arc.center + arc.gain / flow.sigma;
  }
  const binding = project(flow, arcs);
  memory.fill(block, 0, (<usize>(count * count)) << 3);
  for (let i = 0; i < count; i++) setNum(SUMS, i, 0);
  let total: f64 = 0;
  let taken: f64 = 0;
  let used: f64 = 0;
  let kept = 0;
  for (let k = 0; k < arcs; k++) {
    const arc = arcAt(flow, k);
    const off = arc.share - arc.center;
    total += arc.share * arc.gain - 0.5 * flow.sigma * off * off;
    taken += arc.share * arc.gain;
    used += arc.share;
    if (!(arc.share > 0)) continue;
    kept++;
    addArc(v, flow, arc, 1.0 / flow.sigma);
  }
  if (binding && kept > 0) {
    const tied = 1.0 / (flow.sigma * <f64>kept);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const at = i * count + j;
        setNum(block, at, num(block, at) - tied * num(SUMS, i) * num(SUMS, j));
      }
    }
  }
  for (let i = 0; i < count; i++) {
    const node = poolNodeAt(v, i).node;
    setNum(DIAGONAL, node, num(DIAGONAL, node) + num(block, i * count + i));
  }
  flow.share = min(used, 1.0);
  hullLost = max(flow.surplus - flow.cost, 0.0) - taken;
  if (kept > 0) addToPools(e);
  return total;
}

function addArc(v: Venue, flow: Flow, arc: Arc, stiff: f64): void {
  const count = v.nodeCount;
  const block = blockOf(flow);
  const forward = arc.direction == FORWARD;
  const i = forward ? arc.pair & 0xff : arc.pair >> 8;
  const j = forward ? arc.pair >> 8 : arc.pair & 0xff;
  const tail = poolNodeAt(v, i).node;
  const head = poolNodeAt(v, j).node;
  setNum(GRADIENT, tail, num(GRADIENT, tail) - arc.share * arc.paid);
  setNum(GRADIENT, head, num(GRADIENT, head) + arc.share * arc.got);
  setNum(SUMS, i, num(SUMS, i) - arc.paid);
  setNum(SUMS, j, num(SUMS, j) + arc.got);
  const w = arc.share * arc.curvature;
  const ii = i * count + i;
  const jj = j * count + j;
  const ij = i * count + j;
  const ji = j * count + i;
  setNum(block, ii, num(block, ii) + w + stiff * arc.paid * arc.paid);
  setNum(block, jj, num(block, jj) + w + stiff * arc.got * arc.got);
  setNum(block, ij, num(block, ij) - w - stiff * arc.paid * arc.got);
  setNum(block, ji, num(block, ji) - w - stiff * arc.paid * arc.got);
}

/** Moves the proximal centres to where the hull is, or to nothing. */
export function recentreHull(v: Venue, flow: Flow, clear: bool): void {
  for (let k = 0; k < arcsOf(v.nodeCount); k++) {
    const arc = arcAt(flow, k);
    arc.center = clear ? 0 : arc.share;
  }
}

/** Commits a pool to the pair with the largest share; false if none has any. */
export function commitPair(v: Venue, flow: Flow): bool {
  let best = -1;
  for (let k = 0; k < arcsOf(v.nodeCount); k++) {
    const arc = arcAt(flow, k);
    if (!(arc.share > 0)) continue;
    if (best < 0 || arc.share > arcAt(flow, best).share) best = k;
  }
  if (best < 0) return false;
  const pair = arcAt(flow, best).pair;
  choosePair(v, flow, pair & 0xff, pair >> 8);
  return true;
}

/** Commits a pool to the pair that gains most at the prices in NU; false if none gains. */
export function commitGain(v: Venue, flow: Flow): bool {
  respondHull(v, flow, 0);
  let best = -1;
  for (let k = 0; k < arcsOf(v.nodeCount); k++) {
    const arc = arcAt(flow, k);
    if (arc.gain > 0 && (best < 0 || arc.gain > arcAt(flow, best).gain)) best = k;
  }
  if (best < 0) return false;
  const pair = arcAt(flow, best).pair;
  choosePair(v, flow, pair & 0xff, pair >> 8);
  return true;
}

/** Commits every pool that trades at the prices evaluated last; call before plans are made. */
export function commitPairs(): void {
  for (let k = 0; k < poolCount; k++) {
    const e = int(POOLS, k);
    const flow = flowAt(e);
    if (flow.pair < 0) commitPair(venueAt(e), flow);
  }
}

/** Notes every pool's pair in `pairs`, i32 by edge. */
export function notePairs(pairs: usize): void {
  for (let e = 0; e < header().venueCount; e++) setInt(pairs, e, flowAt(e).pair);
}

/** Commits every pool to the pair noted for it, if any. */
export function takePairs(pairs: usize): void {
  for (let e = 0; e < header().venueCount; e++) {
    const v = venueAt(e);
    const pair = int(pairs, e);
    if (isPool(v.kind) && pair >= 0) choosePair(v, flowAt(e), pair & 0xff, pair >> 8);
  }
}

/** Lets every pool trade all its nodes again; one of two nodes is an edge from the start. */
export function releasePairs(): void {
  for (let e = 0; e < header().venueCount; e++) {
    const v = venueAt(e);
    if (!isPool(v.kind)) continue;
    if (v.nodeCount == 2) choosePair(v, flowAt(e), 0, 1);
    else flowAt(e).pair = -1;
  }
}

/** Forgets what any earlier solve traded through pools of more than two nodes. */
export function clearHulls(): void {
  for (let e = 0; e < header().venueCount; e++) {
    const v = venueAt(e);
    if (!isPool(v.kind)) continue;
    for (let k = 0; k < arcsOf(v.nodeCount); k++) arcAt(flowAt(e), k).share = 0;
    recentreHull(v, flowAt(e), true);
  }
}

/** Whether any pool of more than two nodes is listed. */
export function hasPools(): bool {
  for (let e = 0; e < header().venueCount; e++) {
    if (isPool(venueAt(e).kind) && venueAt(e).nodeCount > 2) return true;
  }
  return false;
}

/** Makes a pool the edge between two of its nodes, by local index. */
export function choosePair(v: Venue, flow: Flow, i: i32, j: i32): void {
  const one = poolNodeAt(v, i);
  const other = poolNodeAt(v, j);
  flow.pair = i | (j << 8);
  v.from = one.node;
  v.to = other.node;
  v.capFrom = one.cap;
  v.capTo = other.cap;
}

export function respondPair(v: Venue, flow: Flow, nuFrom: f64, nuTo: f64): void {
  respondTwo(v, flow.pair & 0xff, flow.pair >> 8, flow, nuFrom, nuTo);
}

function respondTwo(v: Venue, i: i32, j: i32, flow: Flow, nuFrom: f64, nuTo: f64): void {
  if (v.kind == WEIGHTED) respondWeightedPair(v, firstOf(v), i, j, flow, nuFrom, nuTo);
  else respondStablePair(v, firstOf(v), i, j, flow, nuFrom, nuTo);
}

/** Spot rate of j per i, fees left out; a stable pool's near its peg. */
export function poolRate(v: Venue, i: i32, j: i32): f64 {
  const one = poolNodeAt(v, i);
  const other = poolNodeAt(v, j);
  if (v.kind == WEIGHTED) {
    return ((other.balance / other.weight) * one.weight) / one.balance;
  }
  return one.rate / other.rate;
}

export function poolDepth(v: Venue, k: i32): f64 {
  return poolNodeAt(v, k).balance;
}

/** Output of the committed pair for input x in the given direction. */
export function forwardPair(v: Venue, pair: i32, direction: i32, x: f64): f64 {
  const i = direction == FORWARD ? pair & 0xff : pair >> 8;
  const j = direction == FORWARD ? pair >> 8 : pair & 0xff;
  return v.kind == WEIGHTED
    ? forwardWeighted(v, firstOf(v), i, j, x)
    : forwardStable(v, firstOf(v), i, j, x);
}

/** y ← y + Hx for one pool's block. */
export function multiplyPool(v: Venue, flow: Flow, x: usize, y: usize): void {
  const count = v.nodeCount;
  const block = blockOf(flow);
  for (let i = 0; i < count; i++) {
    const row = poolNodeAt(v, i).node;
    let sum = num(y, row);
    for (let j = 0; j < count; j++) {
      if (j != i) sum += num(block, i * count + j) * num(x, poolNodeAt(v, j).node);
    }
    setNum(y, row, sum);
  }
}

/** Σ over i ≠ j of xᵢHᵢⱼxⱼ for one pool's block. */
export function crossPool(v: Venue, flow: Flow, x: usize): f64 {
  const count = v.nodeCount;
  const block = blockOf(flow);
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) {
    const one = num(x, poolNodeAt(v, i).node);
    for (let j = 0; j < count; j++) {
      if (j != i) sum += one * num(block, i * count + j) * num(x, poolNodeAt(v, j).node);
    }
  }
  return sum;
}

/** An entry off the diagonal of a pool's block. */
export function blockEntry(v: Venue, flow: Flow, i: i32, j: i32): f64 {
  return num(blockOf(flow), i * v.nodeCount + j);
}
