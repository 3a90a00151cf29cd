// Primal recovery: from the dual's flows to a plan that executes. Flows are first corrected as
// flows (a residual spread over the same Laplacian, so precision no longer depends on depth), then
// pushed through the nodes in topological order so that every unit is accounted for. A plan must
// execute, so its graph has no cycle: where the best flow has one (pure arbitrage), the caller gets
// the edge to bar and solves again.

import { BATCH, header } from '../layout';
import { FORWARD } from '../problem';
import { sortNodes } from './cycles';
import { addToPlan, forward, roomOf, worthAt } from './edges';
import { correct } from './minimise';
import { push } from './push';
import { forgetFloors, riskWorth } from './risk';
import {
  activeAt,
  activeCount,
  DEMAND,
  FORCED,
  FREE,
  flowAt,
  ground,
  int,
  isSmooth,
  m,
  NU,
  n,
  nodeAt,
  num,
  PLAN,
  planCount,
  riskCount,
  STEP,
  setInt,
  setNum,
  setPlanCount,
  targetAt,
  UNLINKED,
  venueAt,
} from './state';
import { tradedWorth } from './worth';

/** Flows worth less than this share of the plan at both ends are dropped. */
const DUST: f64 = 1e-13;
const REFINE_ROUNDS: i32 = 3;
/** A refinement may move this many times the plan's worth along one edge. */
const CORRECTION_MAX: f64 = 1e3;
/** Share of the plan by which the nodes may be out of balance before the exact push. */
const REFINED: f64 = 1e-7;
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
