// Fill-or-kill orders of a batch. The relaxation may fill them in part; here they are decided one at
// a time, the most filled first, each decision followed by a new solve, and then each is tried the
// other way round while work is left. The bound stays the relaxation's: it covers every decision.

import { header } from '../layout';
import { BATCH_ORDER } from '../problem';
import { proceed } from './convex';
import { writeLegs } from './legs';
import {
  BEST_USED,
  Flow,
  FORCED,
  FREE,
  flowAt,
  int,
  listEdges,
  NU,
  n,
  nodeAt,
  num,
  OFF,
  ROOT_NU,
  SUPPLY,
  setInt,
  setNum,
  venueAt,
} from './state';

/** Shares this close to nothing or to all are decided. */
const DECIDED: f64 = 1e-9;

function isWhole(e: i32): bool {
  const v = venueAt(e);
  return v.kind == BATCH_ORDER && v.whole != 0;
}

function isFractional(flow: Flow): bool {
  return flow.mode == FREE && flow.share > DECIDED && flow.share < 1.0 - DECIDED;
}

/** Whether the plan at hand fills an all-or-nothing order in part. */
export function isUndecided(): bool {
  for (let e = 0; e < header().venueCount; e++) {
    if (isWhole(e) && isFractional(flowAt(e))) return true;
  }
  return false;
}

/** Finds a plan that fills every such order whole or not at all; leaves the best one written. */
export function decideOrders(): void {
  const h = header();
  h.value = -Infinity;
  h.legCount = 0;
  for (let round = 0; round < h.venueCount && h.work < h.workMax; round++) {
    const e = mostFilled();
    if (e < 0) break;
    const flow = flowAt(e);
    flow.mode = flow.share >= 0.5 ? FORCED : OFF;
    let value = again();
    if (value == -Infinity && flow.mode == FORCED) {
      flow.mode = OFF;
      value = again();
    }
    if (value == -Infinity) break;
    if (!isUndecided()) keep(value);
  }
  if (h.value > -Infinity) improve();
  restore();
}

function mostFilled(): i32 {
  let best = -1;
  for (let e = 0; e < header().venueCount; e++) {
    if (!isWhole(e) || !isFractional(flowAt(e))) continue;
    if (best < 0 || flowAt(e).share > flowAt(best).share) best = e;
  }
  return best;
}

/** Solves with the modes at hand, from the relaxation's prices. */
function again(): f64 {
  listEdges();
  for (let k = 0; k < n; k++) {
    setNum(NU, k, num(ROOT_NU, k));
    setNum(SUPPLY, k, nodeAt(k).supply);
  }
  for (let e = 0; e < header().venueCount; e++) {
    if (flowAt(e).mode != FORCED) continue;
    const v = venueAt(e);
    setNum(SUPPLY, v.to, num(SUPPLY, v.to) + v.keep * v.a);
    setNum(SUPPLY, v.from, num(SUPPLY, v.from) - v.a);
  }
  return proceed(true);
}

/** Keeps a plan and how its orders were decided. */
function keep(value: f64): void {
  const h = header();
  h.value = value;
  writeLegs();
  for (let e = 0; e < h.venueCount; e++) {
    if (!isWhole(e)) continue;
    const flow = flowAt(e);
    setInt(BEST_USED, e, flow.mode == FORCED || (flow.mode == FREE && flow.x > 0) ? 1 : 0);
  }
}

/** Tries every order the other way round, until none helps or work is spent. */
function improve(): void {
  const h = header();
  for (let better = true; better && h.work < h.workMax; ) {
    better = false;
    for (let e = 0; e < h.venueCount && h.work < h.workMax; e++) {
      if (!isWhole(e)) continue;
      for (let k = 0; k < h.venueCount; k++) {
        if (isWhole(k)) flowAt(k).mode = int(BEST_USED, k) ? FORCED : OFF;
      }
      flowAt(e).mode = int(BEST_USED, e) ? OFF : FORCED;
      const value = again();
      if (value > h.value + 1e-12 * abs(h.value)) {
        keep(value);
        better = true;
      }
    }
  }
}

function restore(): void {
  for (let e = 0; e < header().venueCount; e++) if (isWhole(e)) flowAt(e).mode = FREE;
  listEdges();
}
