// The exact push: amounts move from node to node in topological order so that every unit is accounted
// for. What a node has too much or too little of is spread over its flows by how little each minds;
// what cannot move on is counted. No flow spends what is not there. Refuses nothing.

import { BATCH, header } from '../layout';
import { BATCH_ORDER, FORWARD, REVERSE } from '../problem';
import { addToPlan, forward, roomOf, worthAt } from './edges';
import { Flow } from './records';
import {
  EDGE_LIST,
  EDGE_START,
  flowAt,
  GRADIENT,
  ground,
  HEAD,
  int,
  isPool,
  isSmooth,
  LEFT,
  NU,
  n,
  nodeAt,
  num,
  OFF,
  PLAN,
  planCount,
  setInt,
  setNum,
  TOPO,
  TOPO_PLACE,
  UNLINKED,
  venueAt,
} from './state';

/** Dollars the plan leaves where they are worth nothing. */
export let stranded: f64 = 0;
/** Whether a plan may leave something at this node. */
function keeps(k: i32): bool {
  return ground >= 0 ? k == ground : nodeAt(k).target >= 0;
}

/** Moves exact amounts from node to node; what cannot move on stays and is counted. */
export function push(dust: f64): void {
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
