// Which pair of a pool's nodes a plan uses. The relaxation may mix pairs; a plan has the one with the
// largest share, which need not be the best of them. From the best plan, each pool is tried with every
// other pair that gains at the plan's own prices, until none helps or work is spent.

import { header } from '../layout';
import { Venue } from '../problem';
import { attempt } from './attempt';
import { Arc, arcAt, arcsOf, choosePair, respondHull, takePairs } from './pools';
import { Flow } from './records';
import {
  BEST_NU,
  BEST_PAIR,
  BEST_SHARE,
  BEST_USED,
  flowAt,
  int,
  isPool,
  m,
  NU,
  n,
  num,
  setInt,
  setNum,
  TRY_USED,
  venueAt,
} from './state';

const PASSES_MAX: i32 = 8;
/** A gain below this share of the plan is rounding. */
const DUST: f64 = 1e-12;

/** Improves the best plan by other pairs of its pools. */
export function climbPairs(scale: f64, workMax: i32): void {
  const h = header();
  takePairs(BEST_PAIR);
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    let better = false;
    for (let e = 0; e < h.venueCount; e++) {
      const v = venueAt(e);
      if (!isPool(v.kind) || v.nodeCount == 2) continue;
      if (tryPairs(e, v, flowAt(e), scale, workMax)) better = true;
      if (h.work >= workMax) return;
    }
    if (!better) return;
  }
}

function tryPairs(e: i32, v: Venue, flow: Flow, scale: f64, workMax: i32): bool {
  const arcs = arcsOf(v.nodeCount);
  let better = false;
  for (let k = 0; k < arcs && header().work < workMax; k++) {
    // Prices move with every better plan.
    for (let i = 0; i < n; i++) setNum(NU, i, num(BEST_NU, i));
    respondHull(v, flow, 0);
    const arc: Arc = arcAt(flow, k);
    const own = flow.pair;
    if (own >= 0) choosePair(v, flow, own & 0xff, own >> 8);
    if (arc.pair == own || !(arc.gain > DUST * scale)) continue;
    choosePair(v, flow, arc.pair & 0xff, arc.pair >> 8);
    for (let i = 0; i < m; i++) setInt(TRY_USED, i, int(BEST_USED, i));
    setInt(TRY_USED, e, 1);
    if (attempt(scale, BEST_NU, BEST_SHARE)) {
      better = true;
      continue;
    }
    flow.pair = own;
    if (own >= 0) choosePair(v, flow, own & 0xff, own >> 8);
  }
  return better;
}
