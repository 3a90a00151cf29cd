// The core's working memory behind the problem's records: one Flow per edge and plain f64 / i32
// arrays per node. Lays them out, appends the targets' own nodes and edges, and sets which edges a
// search may use. Nothing here is part of the ABI. Refuses problems whose workspace does not fit.

import { alignLine, Header, header, OK, RISK_REBALANCE, SWAP, TOO_LARGE } from '../layout';
import {
  BRIDGE,
  CONCENTRATED,
  CONSTANT_PRODUCT,
  FORWARD,
  Node,
  Target,
  Venue,
  WORTH,
} from '../problem';
import { sumTicks } from '../venues/concentrated';

/** How a search may use an edge. */
export const OFF: i32 = 0;
/** Its fixed costs are sunk: any amount up to its caps. */
export const FREE: i32 = 1;
/** A share z of its best trade for the share z of its fixed costs. */
export const RELAXED: i32 = 2;

// ╒═════════════════════ Flow, 160 bytes (own) ═══════════════════╕
// │  0 direction i32 │  4 mode i32 │  8 mask i32 │ 12 kind i32    │
// │ 16 input f64    24 output f64 : the venue's best trade, whole │
// │ 32 surplus f64 : what it is worth at the prices, before costs │
// │ 40 curvature f64 : w, of the smooth part                      │
// │ 48 share f64 : z    56 center f64 : z̄    64 sigma f64 : σ     │
// │ 72 hii f64   80 hij f64   88 hjj f64 : scaled Hessian (tail,  │
// │                                        head)                  │
// │ 96 cost f64 : q, fixed cost while relaxed                     │
// │ 104 x f64   112 y f64 : the recovered trade                   │
// │ 120 next i32 : next edge out of the same node                 │
// │ 124 entry i32 : mode in the root relaxation                   │
// │ 128 base f64 : dollars moved before a line search             │
// │ 136 secant f64 : curvature its last rejected try showed       │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Flow {
  direction: i32;
  mode: i32;
  mask: i32;
  kind: i32;
  input: f64;
  output: f64;
  surplus: f64;
  curvature: f64;
  share: f64;
  center: f64;
  sigma: f64;
  hii: f64;
  hij: f64;
  hjj: f64;
  cost: f64;
  x: f64;
  y: f64;
  next: i32;
  entry: i32;
  base: f64;
  secant: f64;
  reserved0: f64;
  reserved1: f64;
}

/** Nodes and edges with the targets' own included. */
export let n: i32 = 0;
export let m: i32 = 0;
/** Node whose price stays put: the bought node of a swap, −1 for a rebalance. */
export let ground: i32 = -1;

// Addresses of the working arrays, each of n numbers unless said otherwise.
export let FLOWS: usize = 0; // m records
export let NU: usize = 0;
export let GRADIENT: usize = 0;
export let STEP: usize = 0;
export let SAVED: usize = 0;
export let SUPPLY: usize = 0;
export let DEMAND: usize = 0;
export let DIAGONAL: usize = 0;
export let NET: usize = 0;
export let ORDER: usize = 0; // i32
export let PLACE: usize = 0; // i32
export let TOPO: usize = 0; // i32
export let TOPO_PLACE: usize = 0; // i32
export let HEAD: usize = 0; // i32
export let DEGREE: usize = 0; // i32
/** Adjacency by node: EDGE_START[n + 1], EDGE_LIST[2m]. */
export let EDGE_START: usize = 0;
export let EDGE_LIST: usize = 0;
/** The factor: bit rows of the pattern, the dense triangle, the rows' columns and multipliers. */
export let WORDS: i32 = 0;
export let PATTERN: usize = 0;
export let FILL: usize = 0;
export let MATRIX: usize = 0;
export let ROW_START: usize = 0;
export let COLUMNS: usize = 0;
export let MULTIPLIERS: usize = 0;
export let PIVOTS: usize = 0;
/** Saved answers of the fixed-cost search. */
export let ROOT_NU: usize = 0;
export let ROOT_SHARE: usize = 0; // m
export let BEST_NU: usize = 0;
export let BEST_SHARE: usize = 0; // m
export let SCORE: usize = 0; // m
export let BEST_USED: usize = 0; // m i32
export let TRY_USED: usize = 0; // m i32
export let GROUP_SPLIT: usize = 0; // memberCount
export let PATH: usize = 0;

export function nodeAt(i: i32): Node {
  return changetype<Node>(header().nodes + <usize>i * offsetof<Node>());
}
export function venueAt(e: i32): Venue {
  return changetype<Venue>(header().venues + <usize>e * offsetof<Venue>());
}
export function flowAt(e: i32): Flow {
  return changetype<Flow>(FLOWS + <usize>e * offsetof<Flow>());
}
export function targetAt(g: i32): Target {
  return changetype<Target>(header().targets + <usize>g * offsetof<Target>());
}
export function num(array: usize, i: i32): f64 {
  return load<f64>(array + ((<usize>i) << 3));
}
export function setNum(array: usize, i: i32, value: f64): void {
  store<f64>(array + ((<usize>i) << 3), value);
}
export function int(array: usize, k: i32): i32 {
  return load<i32>(array + ((<usize>k) << 2));
}
export function setInt(array: usize, k: i32, value: i32): void {
  store<i32>(array + ((<usize>k) << 2), value);
}
/** The node a flow leaves and the one it enters, in the direction it runs. */
export function tailOf(v: Venue, flow: Flow): i32 {
  return flow.direction == FORWARD ? v.from : v.to;
}
export function headOf(v: Venue, flow: Flow): i32 {
  return flow.direction == FORWARD ? v.to : v.from;
}

let cursor: usize = 0;

function take(bytes: usize): usize {
  const at = cursor;
  cursor = alignLine(cursor + bytes);
  return at;
}

/** Appends targets, lays the workspace out and prepares ticks and adjacency. */
export function prepare(): i32 {
  const h = header();
  appendTargets(h);
  const nodes = <usize>n;
  const edges = <usize>m;
  WORDS = (n + 63) >> 6;
  cursor = h.scratch;
  FLOWS = take(edges * offsetof<Flow>());
  NU = take(nodes << 3);
  GRADIENT = take(nodes << 3);
  STEP = take(nodes << 3);
  SAVED = take(nodes << 3);
  SUPPLY = take(nodes << 3);
  DEMAND = take(nodes << 3);
  DIAGONAL = take(nodes << 3);
  NET = take(nodes << 3);
  ORDER = take(nodes << 2);
  PLACE = take(nodes << 2);
  TOPO = take(nodes << 2);
  TOPO_PLACE = take(nodes << 2);
  HEAD = take(nodes << 2);
  DEGREE = take(nodes << 2);
  EDGE_START = take((nodes + 1) << 2);
  EDGE_LIST = take(edges << 3);
  PATTERN = take((nodes * <usize>WORDS) << 3);
  FILL = take((nodes * <usize>WORDS) << 3);
  MATRIX = take((nodes * nodes) << 3);
  ROW_START = take((nodes + 1) << 2);
  COLUMNS = take(((nodes * (nodes + 1)) >> 1) << 2);
  MULTIPLIERS = take(((nodes * (nodes + 1)) >> 1) << 3);
  PIVOTS = take(nodes << 3);
  ROOT_NU = take(nodes << 3);
  ROOT_SHARE = take(edges << 3);
  BEST_NU = take(nodes << 3);
  BEST_SHARE = take(edges << 3);
  SCORE = take(edges << 3);
  BEST_USED = take(edges << 2);
  TRY_USED = take(edges << 2);
  GROUP_SPLIT = take((<usize>h.memberCount) << 3);
  PATH = take((nodes * 5) << 5);
  h.end = cursor;
  if (cursor > (<usize>memory.size()) << 16) return TOO_LARGE;
  memory.fill(h.scratch, 0, cursor - h.scratch);

  ground = h.objective == SWAP ? h.buyNode : -1;
  for (let k = 0; k < n; k++) setNum(DEMAND, k, nodeAt(k).demand);
  for (let e = 0; e < m; e++) {
    const v = venueAt(e);
    const flow = flowAt(e);
    flow.kind = v.kind;
    flow.direction = FORWARD;
    flow.mask = v.directions;
    if (v.kind == CONCENTRATED) sumTicks(v, h.ticks);
  }
  indexEdges();
  return OK;
}

/**
 * A target of one node takes its demand there. One of several nodes, all worth the same at its
 * prices, gets a node of its own, fed by a free linear edge from each.
 */
function appendTargets(h: Header): void {
  n = h.nodeCount;
  m = h.venueCount;
  for (let k = 0; k < n; k++) nodeAt(k).demand = 0;
  if (h.objective == SWAP) {
    h.edgeCount = m;
    return;
  }
  for (let g = 0; g < h.targetCount; g++) targetAt(g).nodeCount = 0;
  let worth: f64 = 0;
  for (let k = 0; k < h.nodeCount; k++) {
    const node = nodeAt(k);
    if (node.target < 0) continue;
    const target = targetAt(node.target);
    target.nodeCount++;
    target.node = k;
    worth += node.supply;
  }
  for (let g = 0; g < h.targetCount; g++) {
    const target = targetAt(g);
    if (target.nodeCount == 1 && h.objective != RISK_REBALANCE) {
      nodeAt(target.node).demand = target.weight;
      continue;
    }
    const own = nodeAt(n);
    memory.fill(changetype<usize>(own), 0, offsetof<Node>());
    own.price = 1;
    own.target = g;
    own.demand = target.weight;
    target.node = n++;
  }
  for (let k = 0; k < h.nodeCount; k++) {
    const g = nodeAt(k).target;
    if (g < 0 || targetAt(g).node < h.nodeCount) continue;
    const v = venueAt(m++);
    memory.fill(changetype<usize>(v), 0, offsetof<Venue>());
    v.kind = WORTH;
    v.from = k;
    v.to = targetAt(g).node;
    v.directions = FORWARD;
    // Nobody can hold more than the whole portfolio; twice it leaves room for price differences.
    v.a = 2.0 * worth;
    v.keep = 1;
    v.capFrom = Infinity;
    v.capTo = Infinity;
  }
  h.edgeCount = m;
}

function indexEdges(): void {
  for (let e = 0; e < m; e++) {
    const v = venueAt(e);
    setInt(EDGE_START, v.from + 1, int(EDGE_START, v.from + 1) + 1);
    setInt(EDGE_START, v.to + 1, int(EDGE_START, v.to + 1) + 1);
  }
  for (let k = 0; k < n; k++)
    setInt(EDGE_START, k + 1, int(EDGE_START, k + 1) + int(EDGE_START, k));
  for (let k = 0; k < n; k++) setInt(DEGREE, k, int(EDGE_START, k));
  for (let e = 0; e < m; e++) {
    const v = venueAt(e);
    setInt(EDGE_LIST, int(DEGREE, v.from), e);
    setInt(DEGREE, v.from, int(DEGREE, v.from) + 1);
    setInt(EDGE_LIST, int(DEGREE, v.to), e);
    setInt(DEGREE, v.to, int(DEGREE, v.to) + 1);
  }
}

/** Takes the fixed fees of bridges committed to from where they arrive. Call after setting modes. */
export function settleSupply(): void {
  for (let k = 0; k < n; k++) setNum(SUPPLY, k, nodeAt(k).supply);
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.kind != BRIDGE || flow.mode != FREE) continue;
    const v = venueAt(e);
    if (v.fixedFee > 0) setNum(SUPPLY, v.to, num(SUPPLY, v.to) - v.fixedFee);
  }
}

/** Smooth kinds have curvature of their own; the rest get it from the proximal term. */
export function isSmooth(kind: i32): bool {
  return kind == CONSTANT_PRODUCT || kind == CONCENTRATED;
}
