// What a recovered plan is worth in its objective, and what its gap is measured against. Refuses nothing.

import { BATCH, header } from '../layout';
import { BATCH_ORDER } from '../problem';
import { holdStuck, riskValue } from './risk';
import {
  flowAt,
  ground,
  int,
  LEFT,
  n,
  nodeAt,
  num,
  PLAN,
  planCount,
  riskCount,
  STEP,
  setNum,
  targetAt,
  venueAt,
} from './state';

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
