// What the line search learns from the tries it rejects: one secant an edge, as partitioned quasi-Newton
// methods keep them (Griewank and Toint 1982), counted in the next Newton direction; and the second
// derivative along the step, for the next try. Owns the notes alone; the search is minimise.ts.

import { FORWARD } from '../problem';
import { crossPool } from './pools';
import { Flow } from './records';
import { crossRisk } from './risk';
import {
  activate,
  activeAt,
  activeCount,
  DIAGONAL,
  flowAt,
  int,
  NOTED,
  NU,
  n,
  num,
  POOLS,
  poolCount,
  riskCount,
  STEP,
  setInt,
  setNum,
  venueAt,
} from './state';

/** Edges noted by the line search at hand: those active before it, then those it met on the way. */
let notedCount: i32 = 0;
let baseCount: i32 = 0;

/**
 * A rejected try shows how fast each edge's flow really changes along the step: one that opened, ran
 * into its capacity or met deeper liquidity on the way has a secant curvature that its Hessian, at
 * either end, may not show. The next direction counts it; without it semi-smooth Newton zigzags
 * between kinks (measured on random rebalances: 340 rounds against 40).
 */
export function noteBase(): void {
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    const flow = flowAt(active.edge);
    flow.base = moved(flow, active.tail);
    setInt(NOTED, k, active.edge);
  }
  baseCount = activeCount;
  notedCount = baseCount;
}

/** Turns below `least` log price are left out: what changed there, the scaling changed. */
export function noteSecants(t: f64, least: f64): void {
  for (let k = 0; k < notedCount; k++) flowAt(int(NOTED, k)).secant = 0;
  notedCount = baseCount;
  // Those that ceased: everything they moved before.
  for (let k = 0; k < baseCount; k++) {
    const e = int(NOTED, k);
    const flow = flowAt(e);
    if (flow.slot >= 0) continue;
    const v = venueAt(e);
    const turn = abs(t * (num(STEP, v.to) - num(STEP, v.from)));
    if (turn > least) flow.secant = abs(flow.base) / turn;
  }
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    const flow = flowAt(active.edge);
    const turn = abs(t * (num(STEP, active.head) - num(STEP, active.tail)));
    if (!(turn > least)) continue;
    flow.secant = abs(moved(flow, active.tail) - flow.base) / turn;
    // One that is of the base stands in the list already; twice does no harm but to its length.
    if (flow.base == 0 && flow.secant > 0) setInt(NOTED, notedCount++, active.edge);
  }
}

export function applySecants(): void {
  for (let k = 0; k < notedCount; k++) {
    const e = int(NOTED, k);
    const flow = flowAt(e);
    if (!(flow.secant > abs(flow.hij))) continue;
    const v = venueAt(e);
    const forward = flow.direction == FORWARD;
    const tail = forward ? v.from : v.to;
    const head = forward ? v.to : v.from;
    setNum(DIAGONAL, tail, num(DIAGONAL, tail) + flow.secant - flow.hii);
    setNum(DIAGONAL, head, num(DIAGONAL, head) + flow.secant - flow.hjj);
    flow.hii = flow.secant;
    flow.hij = -flow.secant;
    flow.hjj = flow.secant;
    if (flow.slot < 0) activate(e, flow, tail, head);
    else activeAt(flow.slot).hij = flow.hij;
  }
}

export function forgetNotes(): void {
  for (let k = 0; k < notedCount; k++) {
    const flow = flowAt(int(NOTED, k));
    flow.base = 0;
    flow.secant = 0;
  }
  notedCount = 0;
}

/** d²ĝ/dt² along STEP. */
export function curvature(): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < n; k++) sum += num(DIAGONAL, k) * num(STEP, k) * num(STEP, k);
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    sum += 2.0 * active.hij * num(STEP, active.tail) * num(STEP, active.head);
  }
  for (let k = 0; k < poolCount; k++) {
    const e = int(POOLS, k);
    sum += crossPool(venueAt(e), flowAt(e), STEP);
  }
  if (riskCount > 0) sum += crossRisk(STEP);
  return sum;
}

/** What an active edge moves at the current prices, dollars, positive from `from` to `to`. */
function moved(flow: Flow, tail: i32): f64 {
  const worth = flow.share * flow.input * num(NU, tail);
  return flow.direction == FORWARD ? worth : -worth;
}
