// Primal recovery: from the dual's flows to a plan that executes. Flows are first corrected as
// flows (a residual spread over the same Laplacian, so precision no longer depends on depth), then
// pushed through the nodes in topological order so that every unit is accounted for. A plan must
// execute, so its graph has no cycle: where the best flow has one (pure arbitrage), the caller gets
// the edge to bar and solves again.

import { BATCH, header } from '../layout';
import {
  BATCH_ORDER,
  BRIDGE,
  CONCENTRATED,
  CONSTANT_PRODUCT,
  FORWARD,
  ORDER as ORDER_KIND,
  REVERSE,
  Venue,
} from '../problem';
import { forwardBridge } from '../venues/bridge';
import { forwardConcentrated, roomConcentrated } from '../venues/concentrated';
import { forwardConstantProduct } from '../venues/constantProduct';
import { forwardOrder } from '../venues/order';
import { correct } from './minimise';
import { forwardPair } from './pools';
import { Flow } from './records';
import { forgetFloors, holdStuck, riskValue, riskWorth } from './risk';
import {
  activeAt,
  activeCount,
  DEGREE,
  DEMAND,
  EDGE_LIST,
  EDGE_START,
  FORCED,
  FREE,
  flowAt,
  GRADIENT,
  ground,
  HEAD,
  int,
  isPool,
  isSmooth,
  LEFT,
  m,
  NU,
  n,
  nodeAt,
  num,
  OFF,
  PLAN,
  planCount,
  riskCount,
  STEP,
  setInt,
  setNum,
  setPlanCount,
  TOPO,
  TOPO_PLACE,
  targetAt,
  UNLINKED,
  venueAt,
} from './state';

/** Flows worth less than this share of the plan at both ends are dropped. */
const DUST: f64 = 1e-13;
const REFINE_ROUNDS: i32 = 3;
/** A refinement may move this many times the plan's worth along one edge. */
const CORRECTION_MAX: f64 = 1e3;
/** Share of the plan by which the nodes may be out of balance before the exact push. */
const REFINED: f64 = 1e-7;

/** The edge whose flow closes a cycle, or −1. Set by `recover`. */
export let cycleEdge: i32 = -1;
/** Cycles met since the solve began. */
export let cyclesMet: i32 = 0;

export function forgetCycles(): void {
  cyclesMet = 0;
}

/** Dollars the plan leaves where they are worth nothing. */
export let stranded: f64 = 0;

/** Output of edge e for input x in the flow's direction. */
export function forward(e: i32, v: Venue, direction: i32, x: f64): f64 {
  if (v.kind == CONSTANT_PRODUCT) return forwardConstantProduct(v, direction, x);
  if (v.kind == CONCENTRATED) return forwardConcentrated(v, header().ticks, direction, x);
  if (v.kind == ORDER_KIND) return forwardOrder(v, x);
  if (v.kind == BRIDGE) return forwardBridge(v, x);
  if (isPool(v.kind)) return forwardPair(v, flowAt(e).pair, direction, x);
  return v.keep * x;
}

/** The most edge e may take in. */
export function roomOf(v: Venue, direction: i32): f64 {
  const cap = direction == FORWARD ? v.capFrom : v.capTo;
  if (v.kind == CONSTANT_PRODUCT || isPool(v.kind)) return cap;
  if (v.kind == CONCENTRATED) return min(cap, roomConcentrated(v, header().ticks, direction));
  return min(cap, v.a);
}

/**
 * Fills every flow's x and y and LEFT from the prices and responses at hand, for a
 * plan of `scale` dollars; `exact` spares no refinement. Returns false if there is a cycle: bar `cycleEdge` and solve again.
 */
export function recover(scale: f64, exact: bool): bool {
  const size = max(scale, riskWorth);
  // Loops may be worth more than the order: dust is what neither would miss.
  const traded = tradedWorth();
  const dust = DUST * (traded > 0 ? min(size, traded) : size);
  for (let k = 0; k < planCount; k++) {
    const flow = flowAt(int(PLAN, k));
    flow.x = 0;
    flow.y = 0;
    flow.next = UNLINKED;
  }
  setPlanCount(0);
  for (let k = 0; k < activeCount; k++) {
    const e = activeAt(k).edge;
    const flow = flowAt(e);
    flow.x = flow.share * flow.input;
    if (!(flow.x > 0)) continue;
    const v = venueAt(e);
    flow.room = roomOf(v, flow.direction);
    flow.y = isSmooth(flow.kind) ? flow.output : forward(e, v, flow.direction, flow.x);
    addToPlan(e);
  }
  if (header().objective == BATCH) addForced();
  const enough = exact ? 0 : REFINED * size;
  for (let round = 0; round < REFINE_ROUNDS; round++) if (!refine(enough, size)) break;
  let kept = 0;
  for (let k = 0; k < planCount; k++) {
    const e = int(PLAN, k);
    const flow = flowAt(e);
    const paid = flow.x * worthAt(flow.tail);
    const got = flow.y * worthAt(flow.head);
    if ((paid <= dust && got <= dust) || flow.y <= 0) {
      flow.x = 0;
      flow.y = 0;
    } else setInt(PLAN, kept++, e);
  }
  setPlanCount(kept);
  if (!sortNodes()) return false;
  push(dust);
  return true;
}

/**
 * Dollars per unit that decide what is dust: where supply is in excess the dual price is next to
 * nothing, yet a target may need what flows there.
 */
function worthAt(k: i32): f64 {
  return max(num(NU, k), nodeAt(k).price);
}

/**
 * One step of iterative refinement on the flows themselves, with Newton's last matrix; false if the
 * nodes balance to `enough` dollars as they are.
 */
function refine(enough: f64, scale: f64): bool {
  let size: f64 = 0;
  for (let k = 0; k < n; k++) setNum(STEP, k, nodeAt(k).supply);
  for (let k = 0; k < planCount; k++) {
    const flow = flowAt(int(PLAN, k));
    setNum(STEP, flow.tail, num(STEP, flow.tail) - flow.x);
    setNum(STEP, flow.head, num(STEP, flow.head) + flow.y);
  }
  for (let k = 0; k < n; k++) {
    setNum(STEP, k, num(STEP, k) * num(NU, k));
    size += num(STEP, k);
  }
  let off: f64 = 0;
  for (let k = 0; k < n; k++) {
    const goal = ground >= 0 ? 0 : size * num(DEMAND, k) * num(NU, k);
    // Judged by its risk a target has no amount to reach: its worth is what arrives.
    const free = k == ground || (riskCount > 0 && isTargetNode(k));
    const short = free ? 0 : goal - num(STEP, k);
    setNum(STEP, k, short);
    off += abs(short);
  }
  if (off <= enough) return false;
  correct(STEP);
  for (let k = 0; k < planCount; k++) {
    const e = int(PLAN, k);
    const flow = flowAt(e);
    if (!(flow.x > 0) || flow.hij == 0) continue;
    const potential = flow.hii * num(STEP, flow.tail) + flow.hij * num(STEP, flow.head);
    const x = flow.x - potential / num(NU, flow.tail);
    // Where a unit is worth next to nothing a correction may overshoot everything there is.
    const most = max(2.0 * flow.x, (CORRECTION_MAX * scale) / worthAt(flow.tail));
    flow.x = min(min(max(x, 0.0), flow.room), most);
    flow.y = forward(e, venueAt(e), flow.direction, flow.x);
  }
  return true;
}

/** Orders decided on are in the plan whole, and no correction moves them. */
function addForced(): void {
  for (let e = 0; e < header().venueCount; e++) {
    const flow = flowAt(e);
    if (flow.mode != FORCED) continue;
    const v = venueAt(e);
    flow.direction = FORWARD;
    flow.tail = v.from;
    flow.head = v.to;
    flow.x = v.a;
    flow.y = v.keep * v.a;
    flow.room = v.a;
    flow.hii = 0;
    flow.hij = 0;
    addToPlan(e);
  }
}

/** Whether a target's worth is counted at this node: its own, or its only one. */
function isTargetNode(k: i32): bool {
  const g = nodeAt(k).target;
  return g >= 0 && targetAt(g).node == k;
}

function addToPlan(e: i32): void {
  setInt(PLAN, planCount, e);
  setPlanCount(planCount + 1);
}

/** Topological order of all nodes into TOPO and TOPO_PLACE (Kahn). False leaves `cycleEdge`. */
function sortNodes(): bool {
  cycleEdge = -1;
  for (let k = 0; k < n; k++) {
    setInt(DEGREE, k, 0);
    setInt(HEAD, k, -1);
    setInt(TOPO_PLACE, k, -1);
  }
  for (let k = planCount - 1; k >= 0; k--) {
    const e = int(PLAN, k);
    const flow = flowAt(e);
    // What orders bring and take stands outside: nettings are no cycles.
    if (flow.kind == BATCH_ORDER) continue;
    flow.next = int(HEAD, flow.tail);
    setInt(HEAD, flow.tail, e);
    setInt(DEGREE, flow.head, int(DEGREE, flow.head) + 1);
  }
  let ready = 0;
  for (let k = 0; k < n; k++) if (int(DEGREE, k) == 0) setInt(TOPO, ready++, k);
  for (let p = 0; p < ready; p++) {
    const node = int(TOPO, p);
    setInt(TOPO_PLACE, node, p);
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) {
      const head = flowAt(e).head;
      const left = int(DEGREE, head) - 1;
      setInt(DEGREE, head, left);
      if (left == 0) setInt(TOPO, ready++, head);
    }
  }
  if (ready == n) return true;
  cycleEdge = leastOfCycle();
  cyclesMet++;
  return false;
}

/** Walks back from any unsorted node until one repeats; the cycle's least valuable edge. */
function leastOfCycle(): i32 {
  let node = 0;
  while (int(TOPO_PLACE, node) >= 0) node++;
  // DEGREE doubles as the mark of visited nodes; STEP as the edge by which each was left backwards.
  for (let k = 0; k < n; k++) setInt(DEGREE, k, -1);
  while (int(DEGREE, node) < 0) {
    const edge = edgeInto(node);
    if (edge < 0) return anyFlow();
    setInt(DEGREE, node, edge);
    node = flowAt(edge).tail;
  }
  let least = -1;
  let worth = Infinity;
  const end = node;
  do {
    const edge = int(DEGREE, node);
    const flow = flowAt(edge);
    const value = flow.x * num(NU, flow.tail);
    if (value < worth) {
      worth = value;
      least = edge;
    }
    node = flow.tail;
  } while (node != end);
  return least;
}

/** Unreachable while amounts are numbers; with NaN among them any edge will do to make progress. */
function anyFlow(): i32 {
  return planCount > 0 ? int(PLAN, 0) : 0;
}

/** An edge that flows into an unsorted node from another unsorted node: there must be one. */
function edgeInto(node: i32): i32 {
  const end = int(EDGE_START, node + 1);
  for (let k = int(EDGE_START, node); k < end; k++) {
    const e = int(EDGE_LIST, k);
    const flow = flowAt(e);
    if (!(flow.x > 0)) continue;
    if (flow.head == node && int(TOPO_PLACE, flow.tail) < 0) return e;
  }
  return -1;
}

/** Whether a plan may leave something at this node. */
function keeps(k: i32): bool {
  return ground >= 0 ? k == ground : nodeAt(k).target >= 0;
}

/** Moves exact amounts from node to node; what cannot move on stays and is counted. */
function push(dust: f64): void {
  stranded = 0;
  for (let k = 0; k < n; k++) setNum(GRADIENT, k, nodeAt(k).supply);
  if (header().objective == BATCH) settleFills();
  for (let p = 0; p < n; p++) {
    const node = int(TOPO, p);
    const available = max(num(GRADIENT, node), 0.0);
    // What orders must be paid and nothing brings.
    stranded += max(-num(GRADIENT, node), 0.0) * worthAt(node);
    let wanted: f64 = 0;
    let stiffness: f64 = 0;
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) {
      const flow = flowAt(e);
      wanted += flow.x;
      stiffness += flow.hii;
    }
    const keeping = keeps(node);
    let rest = available - wanted;
    if (rest < 0 || !keeping) {
      if (lean(node, rest, stiffness)) rest = 0;
      else rest = spreadRest(node, rest);
      // Rounding may have given back what is not there.
      if (rest <= 0 || wanted > available) rest = fit(node, available);
    }
    if (rest > 0 && !keeping && rest * worthAt(node) > dust) rest = detour(node, rest, p);
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) {
      const flow = flowAt(e);
      flow.y = flow.x > 0 ? forward(e, venueAt(e), flow.direction, flow.x) : 0;
      if (!(flow.y > 0)) {
        // A venue that pays nothing for it is not given it.
        rest = max(rest, 0.0) + flow.x;
        flow.x = 0;
        flow.y = 0;
      }
      setNum(GRADIENT, flow.head, num(GRADIENT, flow.head) + flow.y);
    }
    setNum(LEFT, node, max(rest, 0.0));
    if (!keeping) stranded += max(rest, 0.0) * worthAt(node);
  }
}

/** Orders bring what they sell and are owed what they ask for before anything else is traded. */
function settleFills(): void {
  for (let k = 0; k < planCount; k++) {
    const flow = flowAt(int(PLAN, k));
    if (flow.kind != BATCH_ORDER) continue;
    setNum(GRADIENT, flow.head, num(GRADIENT, flow.head) + flow.y);
    setNum(GRADIENT, flow.tail, num(GRADIENT, flow.tail) - flow.x);
  }
}

/** Dollars the gap is measured against: what the plan sells, or all there is to sell, at node prices. */
export function tradedWorth(): f64 {
  const h = header();
  let worth: f64 = 0;
  if (h.objective != BATCH) {
    for (let k = 0; k < h.nodeCount; k++) worth += nodeAt(k).supply * nodeAt(k).price;
    return worth;
  }
  for (let k = 0; k < planCount; k++) {
    const flow = flowAt(int(PLAN, k));
    if (flow.kind == BATCH_ORDER) worth += flow.y;
  }
  return worth > 0 ? worth : offeredWorth();
}

/** Dollars of all orders of a batch. */
export function offeredWorth(): f64 {
  const h = header();
  let worth: f64 = 0;
  for (let e = 0; e < h.venueCount; e++) {
    const v = venueAt(e);
    if (v.kind == BATCH_ORDER) worth += v.a * v.keep;
  }
  return worth;
}

/**
 * Spreads a node's surplus or shortfall over its flows in proportion to their curvature: who minds
 * least takes most, and the common marginal price stays common. False, and nothing moved, if that
 * would push a flow out of its range.
 */
function lean(node: i32, rest: f64, stiffness: f64): bool {
  if (!(stiffness > 0)) return rest == 0;
  const part = rest / stiffness;
  for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) {
    const flow = flowAt(e);
    const x = flow.x + part * flow.hii;
    if (!(x >= 0 && x <= flow.room)) return false;
  }
  for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) {
    const flow = flowAt(e);
    flow.x += part * flow.hii;
  }
  return true;
}

/**
 * Scales a node's flows down to what is there (sums of large corrections leave rounding behind);
 * returns what is left of it.
 */
function fit(node: i32, available: f64): f64 {
  let wanted: f64 = 0;
  for (let round = 0; round < 3; round++) {
    wanted = 0;
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) wanted += flowAt(e).x;
    if (wanted <= available) break;
    const part = available / wanted;
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) flowAt(e).x *= part;
  }
  return max(available - wanted, 0.0);
}

/** The same where some flows have no room or no curvature. */
function spreadRest(node: i32, difference: f64): f64 {
  let rest = difference;
  for (let round = 0; round < 4 && rest != 0; round++) {
    let total: f64 = 0;
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) total += give(flowAt(e), rest, round);
    if (!(total > 0)) continue;
    const part = rest / total;
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) {
      const flow = flowAt(e);
      const weight = give(flow, rest, round);
      if (weight == 0) continue;
      const x = min(max(flow.x + part * weight, 0.0), flow.room);
      rest -= x - flow.x;
      flow.x = x;
    }
  }
  return rest;
}

/** Weight of a flow in a spread: curvature first, then whoever has room, by size. */
function give(flow: Flow, rest: f64, round: i32): f64 {
  const room = rest > 0 ? flow.room - flow.x : flow.x;
  if (!(room > 0)) return 0;
  if (round < 2) return flow.hii;
  return rest < 0 ? flow.x : isSmooth(flow.kind) ? flow.x : min(room, 1e300);
}

/** Sends what is left at a node through its best edge to a node not yet done. */
function detour(node: i32, amount: f64, place: i32): f64 {
  let best = -1;
  let bestWorth: f64 = 0;
  let bestDirection = FORWARD;
  const end = int(EDGE_START, node + 1);
  for (let k = int(EDGE_START, node); k < end; k++) {
    const e = int(EDGE_LIST, k);
    const flow = flowAt(e);
    if (flow.mode == OFF || flow.x > 0 || flow.kind == BATCH_ORDER) continue;
    const v = venueAt(e);
    if (isPool(v.kind) && (flow.pair < 0 || (v.from != node && v.to != node))) continue;
    const direction = v.from == node ? FORWARD : REVERSE;
    if (!(flow.mask & direction)) continue;
    const head = direction == FORWARD ? v.to : v.from;
    if (int(TOPO_PLACE, head) <= place) continue;
    // A flow spread down to nothing still stands in its node's list; linked twice it would be a ring.
    if (flow.next != UNLINKED && flow.tail != node) continue;
    const worth = forward(e, v, direction, min(amount, roomOf(v, direction))) * num(NU, head);
    if (worth > bestWorth) {
      bestWorth = worth;
      best = e;
      bestDirection = direction;
    }
  }
  if (best < 0) return amount;
  const flow = flowAt(best);
  const v = venueAt(best);
  flow.direction = bestDirection;
  flow.tail = node;
  flow.head = bestDirection == FORWARD ? v.to : v.from;
  flow.room = roomOf(v, bestDirection);
  flow.x = min(amount, flow.room);
  if (flow.next == UNLINKED) {
    flow.next = int(HEAD, node);
    setInt(HEAD, node, best);
    addToPlan(best);
  }
  return amount - flow.x;
}

/** What the recovered plan is worth before fixed costs: bought, or the balanced portfolio, or risk's U. */
export function planValue(): f64 {
  const h = header();
  if (ground >= 0) return num(LEFT, ground) * nodeAt(ground).price;
  sumWorths();
  if (riskCount > 0) return riskValue(STEP);
  let least = Infinity;
  for (let g = 0; g < h.targetCount; g++) {
    const weight = targetAt(g).weight;
    if (weight > 0) least = min(least, num(STEP, g) / weight);
  }
  return least == Infinity ? 0 : least;
}

/** STEP by target: what stays on its own nodes counts as much as what was passed on to its worth. */
function sumWorths(): void {
  for (let g = 0; g < header().targetCount; g++) setNum(STEP, g, 0);
  for (let k = 0; k < n; k++) {
    const node = nodeAt(k);
    if (node.target >= 0) setNum(STEP, node.target, num(STEP, node.target) + num(LEFT, k));
  }
}

/** Whether the plan leaves targets more than they wanted: solve again, they now know (flow/risk.ts). */
export function isStuck(): bool {
  if (riskCount == 0) return false;
  sumWorths();
  return holdStuck(STEP);
}

/** Sets used flags by edge from the recovered flows. */
export function markUsed(used: usize): void {
  memory.fill(used, 0, (<usize>m) << 2);
  for (let k = 0; k < planCount; k++) {
    const e = int(PLAN, k);
    if (flowAt(e).x > 0) setInt(used, e, 1);
  }
}

/** Allows everything on a committed plan again, and targets to sell all they hold. */
export function clearMasks(): void {
  forgetFloors();
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    flow.mask = venueAt(e).directions;
    if (flow.mode == FREE) flow.cost = 0;
  }
}
