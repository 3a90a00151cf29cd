// The bound: for ANY prices ν, g(ν) = ν·supply + Σ max(0, f(ν) − q) is at least the value of every
// plan over these venues within their caps. A target's own prices are the least its nodes allow,
// then all prices are scaled until Σ weight·price = 1, so the bound needs no virtual capacity.
// Under decisions (flow/fixings.ts) it bounds every plan that keeps to them: a refused venue adds
// nothing, a paid one adds f − q even if that is negative, a paid group costs q whatever it does.

import { BATCH, header, SWAP } from '../layout';
import { BRIDGE } from '../problem';
import { respond, rests } from './dual';
import {
  ASIDE_NU,
  ASLEEP,
  COSTLESS,
  GROUP_FIX,
  groupAt,
  OPEN,
  openGroupOf,
  PAID,
  PROFIT,
  REFUSED,
  STANDING,
  spareFlow,
  VENUE_FIX,
} from './fixings';
import { choosePair, respondHull } from './pools';
import { Flow } from './records';
import { admitRisk } from './risk';
import { bestSelection } from './selection';
import {
  FREE,
  flowAt,
  int,
  isPool,
  isWhole,
  m,
  NU,
  n,
  nodeAt,
  num,
  priceTargets,
  RELAXED,
  riskCount,
  setInt,
  setNum,
  targetAt,
  venueAt,
} from './state';

/** Share of all that a bound adds and subtracts which f64 may have lost. */
const ROUNDING: f64 = 1e-13;

/** Whether a bound found an edge profitable that had been put to sleep: it is to be relaxed again. */
export let woken: bool = false;

export function forgetWoken(): void {
  woken = false;
}

/** Whether bounds are of plans that use pools by the pairs they are committed to, and no other. */
let pairsOnly: bool = false;

export function boundPairs(only: bool): void {
  pairsOnly = only;
}

/** g at the prices in NU, which it first makes feasible, with every edge's cost as charged. */
export function certify(): f64 {
  const h = header();
  let bound = makeFeasible();
  for (let k = 0; k < h.nodeCount; k++) bound += num(NU, k) * nodeAt(k).supply;
  for (let e = 0; e < h.venueCount; e++) {
    const flow = flowAt(e);
    const mode = flow.mode;
    if (flow.kind == BRIDGE) flow.mode = RELAXED;
    respond(e, flow);
    flow.mode = mode;
    bound += max(flow.surplus - flow.cost, 0.0);
  }
  return bound;
}

/** g under the decisions at hand, at the prices in NU made feasible; NU is left as it was. */
export function certifyUnder(): f64 {
  for (let k = 0; k < n; k++) setNum(ASIDE_NU, k, num(NU, k));
  let bound = makeFeasible();
  const h = header();
  for (let k = 0; k < h.nodeCount; k++) bound += num(NU, k) * nodeAt(k).supply;
  let grouped = false;
  let rounding: f64 = 0;
  for (let e = 0; e < h.venueCount; e++) {
    setNum(PROFIT, e, 0);
    if (int(STANDING, e) == OPEN && rests(e)) continue;
    const gain = gainOf(e);
    rounding += abs(gain);
    if (int(STANDING, e) != OPEN) {
      bound += gain;
      continue;
    }
    if (!(gain > 0)) continue;
    if (int(ASLEEP, e)) {
      setInt(ASLEEP, e, 0);
      woken = true;
    }
    if (openGroupOf(e) < 0) bound += gain;
    else {
      setNum(PROFIT, e, gain);
      grouped = true;
    }
  }
  for (let g = 0; g < h.groupCount; g++) {
    if (int(GROUP_FIX, g) == PAID) bound += -groupAt(g).fixedCost;
  }
  if (grouped) bound += bestSelection();
  for (let k = 0; k < n; k++) setNum(NU, k, num(ASIDE_NU, k));
  // Orders decided on that nothing can pay drive prices up until only rounding is left of the sum.
  return h.objective == BATCH ? bound + ROUNDING * rounding : bound;
}

/** f − q of an edge at the prices in NU under the decisions at hand; its groups are not charged. */
export function gainOf(e: i32): f64 {
  const standing = int(STANDING, e);
  if (standing == REFUSED) return 0;
  const own = flowAt(e);
  const flow = spareFlow();
  flow.kind = own.kind;
  flow.mask = venueAt(e).directions;
  flow.mode = standing == OPEN && int(VENUE_FIX, e) == OPEN ? RELAXED : FREE;
  flow.surplus = 0;
  if (isPool(flow.kind)) respondPairs(e, flow);
  else respond(e, flow);
  if (standing == COSTLESS) return max(flow.surplus, 0.0);
  const v = venueAt(e);
  if (flow.mode == RELAXED || isWhole(e)) return flow.surplus - v.fixedCost;
  const fee = flow.kind == BRIDGE ? v.fixedFee * num(NU, v.to) : 0.0;
  return max(flow.surplus, 0.0) - fee - v.fixedCost;
}

/** A pool of n nodes trades one pair of them: its support is the largest of its pairs'. */
function respondPairs(e: i32, flow: Flow): void {
  const v = venueAt(e);
  const own = flowAt(e);
  flow.arcs = own.arcs;
  if (pairsOnly && own.pair >= 0) {
    flow.pair = own.pair;
    respond(e, flow);
    return;
  }
  respondHull(v, flow, int(STANDING, e) == OPEN ? v.fixedCost : 0.0);
  if (own.pair >= 0) choosePair(v, own, own.pair & 0xff, own.pair >> 8);
}

/** Raises NU to prices at which no target can be bettered: Σ weight · least price of its nodes = 1. */
export function makeFeasible(): f64 {
  const h = header();
  if (h.objective == SWAP) return 0;
  if (riskCount > 0) return admitRisk();
  if (h.objective == BATCH) {
    for (let e = h.venueCount; e < m; e++) {
      const from = venueAt(e).from;
      setNum(NU, from, max(num(NU, from), 1.0));
    }
    return 0;
  }
  priceTargets();
  let sum: f64 = 0;
  for (let k = 0; k < n; k++) {
    if (nodeAt(k).demand > 0) sum += nodeAt(k).demand * num(NU, k);
  }
  if (!(sum > 0)) return 0;
  for (let k = 0; k < n; k++) setNum(NU, k, num(NU, k) / sum);
  return 0;
}
