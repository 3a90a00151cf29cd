// The core's working memory behind the problem's records: one Flow per edge and plain f64 / i32
// arrays per node. Lays them out, appends the targets' own nodes and edges, and sets which edges a
// search may use. Nothing here is part of the ABI. Refuses problems whose workspace does not fit.

import {
  alignLine,
  BATCH,
  FACTOR_MAX,
  Header,
  header,
  OK,
  POOL_NODES_MAX,
  REBALANCE,
  RISK_REBALANCE,
  SWAP,
  TOO_LARGE,
} from '../layout';
import {
  BATCH_ORDER,
  BRIDGE,
  CONCENTRATED,
  CONSTANT_PRODUCT,
  FORWARD,
  Node,
  PoolNode,
  STABLE,
  Target,
  Venue,
  WEIGHTED,
  WORTH,
} from '../problem';
import { sumTicks } from '../venues/concentrated';
import { Active, Curve, Flow } from './records';

/** Set in a Curve's mask where its liquidity lies in ranges. */
export const RANGED: i32 = 4;

/** How a search may use an edge. */
export const OFF: i32 = 0;
/** Its fixed costs are sunk: any amount up to its caps. */
export const FREE: i32 = 1;
/** A share z of its best trade for the share z of its fixed costs. */
export const RELAXED: i32 = 2;
/** Taken whole, whatever the prices: a fill-or-kill order decided on. */
export const FORCED: i32 = 3;

/** A pool of n nodes has n(n − 1)/2 pairs: at most so many a node. */
const ARCS_PER_NODE: i32 = (POOL_NODES_MAX - 1) / 2 + 1;
const ARC_BYTES: usize = 72;

/** Flow.next of an edge in no node's list. */
export const UNLINKED: i32 = -2;

/** Nodes and edges with the targets' own included. */
export let n: i32 = 0;
export let m: i32 = 0;
/** Node whose price stays put: the bought node of a swap, −1 for a rebalance. */
export let ground: i32 = -1;
/** With a rebalance's purse (flow/excess.ts), which all else leaves aside. */
let nodesAll: i32 = 0;
let edgesAll: i32 = 0;

// Addresses of the working arrays, each of n numbers unless said otherwise.
export let FLOWS: usize = 0; // m records
/** Constant-product edges in order, and everything else by edge index. */
export let CURVES: usize = 0;
export let curveCount: i32 = 0;
export let OTHERS: usize = 0; // i32
/** An edge's place among the curves, or −1. */
export let CURVE_OF: usize = 0; // i32
export let otherCount: i32 = 0;
/** Edges that trade at the prices evaluated last; n-node pools among them stand in POOLS instead. */
export let ACTIVE: usize = 0;
export let activeCount: i32 = 0;
export let POOLS: usize = 0; // i32, edges whose whole response is used
export let poolCount: i32 = 0;
/** Pairs of the n-node pools' nodes (flow/pools.ts). */
export let ARCS: usize = 0;
/** Dense price-scaled Hessians of the n-node pools. */
export let BLOCKS: usize = 0;
/** Edges of the recovered plan. */
export let PLAN: usize = 0; // m i32
export let planCount: i32 = 0;
/** Edges a line search keeps notes of. */
export let NOTED: usize = 0; // 2m i32
/** Conjugate gradients' four vectors. */
export let KRYLOV: usize = 0;
export let NU: usize = 0;
export let GRADIENT: usize = 0;
export let STEP: usize = 0;
export let SAVED: usize = 0;
export let SUPPLY: usize = 0;
export let DEMAND: usize = 0;
export let DIAGONAL: usize = 0;
export let SCALING: usize = 0;
export let NET: usize = 0;
/** Prices and supplies set aside while a rebalance's excess is spent. */
export let HELD: usize = 0; // 3n
/** What the recovered plan leaves at each node. */
export let LEFT: usize = 0;
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
/** Targets of a rebalance judged by its risk, 0 for every other objective; its matrices (flow/risk.ts). */
export let riskCount: i32 = 0;
export let RISK: usize = 0;
/** Saved answers of the fixed-cost search. */
export let ROOT_NU: usize = 0;
export let ROOT_SHARE: usize = 0; // m
export let BEST_NU: usize = 0;
export let BEST_SHARE: usize = 0; // m
export let SCORE: usize = 0; // m
export let BEST_USED: usize = 0; // m i32
/** Pairs of the best plan's pools. */
export let BEST_PAIR: usize = 0; // m i32
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

export function curveAt(k: i32): Curve {
  return changetype<Curve>(CURVES + <usize>k * offsetof<Curve>());
}
export function activeAt(k: i32): Active {
  return changetype<Active>(ACTIVE + <usize>k * offsetof<Active>());
}

/** Appends an edge to the active ones; its Flow must be filled. */
export function activate(e: i32, flow: Flow, tail: i32, head: i32): void {
  const active = activeAt(activeCount);
  active.edge = e;
  active.tail = tail;
  active.head = head;
  active.hij = flow.hij;
  flow.tail = tail;
  flow.head = head;
  flow.slot = activeCount++;
}

/** Forgets which edges were active. */
export function deactivateAll(): void {
  for (let k = 0; k < activeCount; k++) {
    const flow = flowAt(activeAt(k).edge);
    flow.slot = -1;
    flow.input = 0;
    flow.output = 0;
    flow.surplus = 0;
    flow.curvature = 0;
    flow.hii = 0;
    flow.hij = 0;
    flow.hjj = 0;
  }
  activeCount = 0;
  poolCount = 0;
}

/** Notes a pool whose whole response counts at the prices at hand. */
export function addToPools(e: i32): void {
  setInt(POOLS, poolCount++, e);
}

export function setPlanCount(count: i32): void {
  planCount = count;
}

let cursor: usize = 0;

function take(bytes: usize): usize {
  const at = cursor;
  cursor = alignLine(cursor + bytes);
  return at;
}

/** Lays the workspace out behind a new problem's records and prepares ticks, edges and adjacency. */
export function prepare(): i32 {
  const h = header();
  appendTargets(h);
  nodesAll = n;
  edgesAll = m;
  if (h.objective == REBALANCE && n != FACTOR_MAX) appendPurse(h);
  const nodes = <usize>nodesAll;
  const edges = <usize>edgesAll;
  // Beyond this size conjugate gradients solve alone: no dense triangle.
  const dense: usize = n <= FACTOR_MAX ? nodes : 0;
  WORDS = n <= FACTOR_MAX ? (nodesAll + 63) >> 6 : 0;
  cursor = h.scratch;
  FLOWS = take(edges * offsetof<Flow>());
  CURVES = take(edges * offsetof<Curve>());
  OTHERS = take(edges << 2);
  CURVE_OF = take(edges << 2);
  ACTIVE = take(edges * offsetof<Active>());
  POOLS = take(edges << 2);
  PLAN = take(edges << 2);
  NOTED = take(edges << 3);
  NU = take(nodes << 3);
  GRADIENT = take(nodes << 3);
  STEP = take(nodes << 3);
  SAVED = take(nodes << 3);
  SUPPLY = take(nodes << 3);
  DEMAND = take(nodes << 3);
  DIAGONAL = take(nodes << 3);
  NET = take(nodes << 3);
  SCALING = take(nodes << 3);
  HELD = take(nodes * 24);
  LEFT = take(nodes << 3);
  KRYLOV = take(nodes << 5);
  ORDER = take(nodes << 2);
  PLACE = take(nodes << 2);
  TOPO = take(nodes << 2);
  TOPO_PLACE = take(nodes << 2);
  HEAD = take(nodes << 2);
  DEGREE = take(nodes << 2);
  EDGE_START = take((nodes + 1) << 2);
  EDGE_LIST = take((edges << 3) + ((<usize>h.poolNodeCount) << 2));
  ROW_START = take((nodes + 1) << 2);
  PIVOTS = take(nodes << 3);
  ROOT_NU = take(nodes << 3);
  ROOT_SHARE = take(edges << 3);
  BEST_NU = take(nodes << 3);
  BEST_SHARE = take(edges << 3);
  SCORE = take(edges << 3);
  BEST_USED = take(edges << 2);
  BEST_PAIR = take(edges << 2);
  TRY_USED = take(edges << 2);
  GROUP_SPLIT = take((<usize>h.memberCount) << 3);
  PATH = take((nodes * 5) << 5);
  ARCS = take(<usize>(h.poolNodeCount * ARCS_PER_NODE) * ARC_BYTES);
  BLOCKS = take((<usize>h.poolNodeCount * POOL_NODES_MAX) << 3);
  riskCount = h.objective == RISK_REBALANCE ? h.targetCount : 0;
  RISK = take((<usize>((5 * riskCount + 16) * riskCount)) << 3);
  const cleared = cursor;
  PATTERN = take((nodes * <usize>WORDS) << 3);
  FILL = take((nodes * <usize>WORDS) << 3);
  MATRIX = take((dense * dense) << 3);
  COLUMNS = take(((dense * (dense + 1)) >> 1) << 2);
  MULTIPLIERS = take(((dense * (dense + 1)) >> 1) << 3);
  h.end = cursor;
  if (cursor > (<usize>memory.size()) << 16) return TOO_LARGE;
  // The factor writes its storage before it reads it; all else must not remember older problems.
  memory.fill(h.scratch, 0, cleared - h.scratch);

  setObjective();
  for (let k = 0; k < n; k++) setNum(DEMAND, k, nodeAt(k).demand);
  activeCount = 0;
  planCount = 0;
  poolCount = 0;
  let block = 0;
  let arcs = 0;
  for (let e = 0; e < edgesAll; e++) {
    const v = venueAt(e);
    const flow = flowAt(e);
    flow.kind = v.kind;
    flow.direction = FORWARD;
    flow.mask = v.directions;
    flow.slot = -1;
    flow.pair = -1;
    flow.next = UNLINKED;
    setInt(CURVE_OF, e, -1);
    if (v.kind == CONCENTRATED) sumTicks(v, h.ticks);
    if (isPool(v.kind)) {
      flow.block = block;
      block += v.nodeCount * v.nodeCount;
      flow.arcs = arcs;
      arcs += (v.nodeCount * (v.nodeCount - 1)) >> 1;
    }
  }
  listCurves();
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
  if (h.objective == BATCH) appendNumeraire(h);
  if (h.objective == SWAP || h.objective == BATCH) {
    h.edgeCount = m;
    return;
  }
  for (let g = 0; g < h.targetCount; g++) targetAt(g).nodeCount = 0;
  for (let k = 0; k < h.nodeCount; k++) {
    const node = nodeAt(k);
    if (node.target < 0) continue;
    const target = targetAt(node.target);
    target.nodeCount++;
    target.node = k;
  }
  for (let g = 0; g < h.targetCount; g++) {
    const target = targetAt(g);
    // A share of the whole is demanded where that is exact; judged by its risk, worth has a price.
    const demand = h.objective == RISK_REBALANCE ? 0 : target.weight;
    if (target.nodeCount == 1) {
      nodeAt(target.node).demand = demand;
      continue;
    }
    const own = nodeAt(n);
    memory.fill(changetype<usize>(own), 0, offsetof<Node>());
    own.price = 1;
    own.target = g;
    own.demand = demand;
    target.node = n++;
  }
  for (let k = 0; k < h.nodeCount; k++) {
    const g = nodeAt(k).target;
    if (g < 0 || targetAt(g).node < h.nodeCount) continue;
    worthEdge(m++, k, targetAt(g).node);
  }
  h.edgeCount = m;
}

/** A free edge of rate one, by which worth is passed on. */
function worthEdge(e: i32, from: i32, to: i32): void {
  const v = venueAt(e);
  memory.fill(changetype<usize>(v), 0, offsetof<Venue>());
  v.kind = WORTH;
  v.from = from;
  v.to = to;
  v.directions = FORWARD;
  v.keep = 1;
  v.capFrom = Infinity;
  v.capTo = Infinity;
}

/** One more node, dollars, fed by every target: where what a balance does not need goes. */
function appendPurse(h: Header): void {
  const own = nodeAt(nodesAll);
  memory.fill(changetype<usize>(own), 0, offsetof<Node>());
  own.price = 1;
  own.target = -1;
  for (let g = 0; g < h.targetCount; g++) {
    const target = targetAt(g);
    if (target.nodeCount > 0) worthEdge(edgesAll++, target.node, nodesAll);
  }
  nodesAll++;
}

/** Until `closePurse` the purse is the ground and takes what targets have beyond their supply. */
export function openPurse(): bool {
  if (nodesAll == n) return false;
  ground = n;
  for (; m < edgesAll; m++) {
    flowAt(m).mode = FREE;
    flowAt(m).center = 0;
  }
  n = nodesAll;
  return true;
}

export function closePurse(): void {
  n = ground;
  ground = -1;
  m = header().edgeCount;
  for (let e = m; e < edgesAll; e++) flowAt(e).mode = OFF;
}

/** A batch's surplus is worth its node's price: one more node, dollars, fed by all that is bought. */
function appendNumeraire(h: Header): void {
  const own = nodeAt(n);
  memory.fill(changetype<usize>(own), 0, offsetof<Node>());
  own.price = 1;
  own.target = -1;
  own.demand = 0;
  for (let k = 0; k < n; k++) nodeAt(k).tree = 0;
  for (let e = 0; e < h.venueCount; e++) {
    const fill = venueAt(e);
    if (fill.kind == BATCH_ORDER) nodeAt(fill.from).tree = 1;
  }
  for (let k = 0; k < h.nodeCount; k++) {
    if (nodeAt(k).tree == 0) continue;
    worthEdge(m++, k, n);
  }
  n++;
}

/** What a quote may change of the objective. */
export function setObjective(): void {
  const h = header();
  ground = h.objective == SWAP ? h.buyNode : h.objective == BATCH ? h.nodeCount : -1;
  if (edgesAll == h.venueCount) return;
  let worth: f64 = 0;
  for (let k = 0; k < h.nodeCount; k++) if (nodeAt(k).target >= 0) worth += nodeAt(k).supply;
  for (let e = 0; e < h.venueCount; e++) {
    const fill = venueAt(e);
    if (fill.kind == BATCH_ORDER) worth += fill.a * fill.keep;
  }
  // Nobody can hold more than the whole portfolio; twice it leaves room for price differences.
  for (let e = h.venueCount; e < edgesAll; e++) venueAt(e).a = 2.0 * worth;
}

/** Copies what the hot loop reads of each constant-product edge. */
function listCurves(): void {
  curveCount = 0;
  for (let e = 0; e < m; e++) {
    const v = venueAt(e);
    if (v.kind != CONSTANT_PRODUCT && v.kind != CONCENTRATED) continue;
    setInt(CURVE_OF, e, curveCount);
    const curve = curveAt(curveCount++);
    curve.from = v.from;
    curve.to = v.to;
    curve.edge = e;
    const ranged = v.kind == CONCENTRATED;
    curve.a = ranged ? 1.0 : v.a;
    curve.b = ranged ? v.a * v.a : v.b;
    curve.keep = v.keep;
    curve.capFrom = v.capFrom;
    curve.capTo = v.capTo;
    curve.spread = 1.0 / v.keep;
  }
}

/** Brings the edge lists up to date after modes or masks have changed. */
export function listEdges(): void {
  deactivateAll();
  otherCount = 0;
  let next = 0;
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.kind == CONSTANT_PRODUCT || flow.kind == CONCENTRATED) {
      const free = flow.mode == FREE;
      const ranged = flow.kind == CONCENTRATED ? RANGED : 0;
      curveAt(next++).mask = free ? flow.mask | ranged : 0;
      if (free) continue;
    }
    if (flow.mode == FREE || flow.mode == RELAXED) setInt(OTHERS, otherCount++, e);
  }
}

function countEdge(node: i32): void {
  setInt(EDGE_START, node + 1, int(EDGE_START, node + 1) + 1);
}

function listEdge(node: i32, e: i32): void {
  setInt(EDGE_LIST, int(DEGREE, node), e);
  setInt(DEGREE, node, int(DEGREE, node) + 1);
}

/** Edges by node; an n-node pool stands at each of its nodes. */
function indexEdges(): void {
  for (let e = 0; e < edgesAll; e++) {
    const v = venueAt(e);
    if (isPool(v.kind)) {
      for (let k = 0; k < v.nodeCount; k++) countEdge(poolNodeAt(v, k).node);
    } else {
      countEdge(v.from);
      countEdge(v.to);
    }
  }
  for (let k = 0; k < nodesAll; k++)
    setInt(EDGE_START, k + 1, int(EDGE_START, k + 1) + int(EDGE_START, k));
  for (let k = 0; k < nodesAll; k++) setInt(DEGREE, k, int(EDGE_START, k));
  for (let e = 0; e < edgesAll; e++) {
    const v = venueAt(e);
    if (isPool(v.kind)) {
      for (let k = 0; k < v.nodeCount; k++) listEdge(poolNodeAt(v, k).node, e);
    } else {
      listEdge(v.from, e);
      listEdge(v.to, e);
    }
  }
}

/** A target's own node costs what the least dear of its nodes does. */
export function priceTargets(): void {
  const h = header();
  for (let k = h.nodeCount; k < n; k++) setNum(NU, k, Infinity);
  for (let k = 0; k < h.nodeCount; k++) {
    const g = nodeAt(k).target;
    if (g < 0) continue;
    const own = targetAt(g).node;
    if (own >= h.nodeCount) setNum(NU, own, min(num(NU, own), num(NU, k)));
  }
}

/** An order of a batch that is filled whole or not at all: decided on as a venue's use is. */
export function isWhole(e: i32): bool {
  const v = venueAt(e);
  return v.kind == BATCH_ORDER && v.whole != 0;
}

/** Takes the fixed fees of bridges committed to from where they arrive, and settles forced orders. Call after setting modes. */
export function settleSupply(): void {
  for (let k = 0; k < n; k++) setNum(SUPPLY, k, nodeAt(k).supply);
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.kind != BRIDGE || flow.mode != FREE) continue;
    const v = venueAt(e);
    if (v.fixedFee > 0) setNum(SUPPLY, v.to, num(SUPPLY, v.to) - v.fixedFee);
  }
  if (header().objective != BATCH) return;
  for (let e = 0; e < header().venueCount; e++) {
    if (flowAt(e).mode != FORCED) continue;
    const v = venueAt(e);
    setNum(SUPPLY, v.to, num(SUPPLY, v.to) + v.keep * v.a);
    setNum(SUPPLY, v.from, num(SUPPLY, v.from) - v.a);
  }
}

/** Smooth kinds have curvature of their own; the rest get it from the proximal term. */
export function isSmooth(kind: i32): bool {
  return kind <= CONCENTRATED;
}

/** An edge of which the minimiser takes the whole response: free, with curvature of its own. */
export function isPlain(flow: Flow): bool {
  return flow.mode == FREE && isSmooth(flow.kind) && !isHull(flow);
}

/** A pool not committed to a pair. */
export function isHull(flow: Flow): bool {
  return flow.pair < 0 && isPool(flow.kind);
}

/** Pools of n nodes: a plan uses one ordered pair of them, the relaxation all nodes at once. */
export function isPool(kind: i32): bool {
  return kind == WEIGHTED || kind == STABLE;
}

export function poolNodeAt(v: Venue, k: i32): PoolNode {
  return changetype<PoolNode>(header().poolNodes + <usize>(v.nodes + k) * offsetof<PoolNode>());
}
