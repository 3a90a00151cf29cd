// Loops of pure arbitrage, separated: the bound counts what trading in circles would earn, a plan runs
// no circle. Where the flow had one, the same venues are solved once more with nothing to sell: what
// those prices prove is how much of the bound is free money, and no loss of the plan's.

import { header } from '../layout';
import { BATCH_ORDER } from '../problem';
import { certify } from './certificate';
import { minimiseListed, TIGHT } from './minimise';
import {
  flowAt,
  listEdges,
  m,
  NU,
  n,
  nodeAt,
  num,
  OFF,
  RELAXED,
  ROOT_NU,
  SUPPLY,
  setNum,
  venueAt,
} from './state';

/** Loops worth less than this share of the bound are rounding. */
const DUST: f64 = 1e-12;

/** Prices and worth of the loops, into the records; call after a plan was published. */
export function separateLoops(): void {
  const h = header();
  for (let k = 0; k < n; k++) {
    setNum(SUPPLY, k, 0);
    setNum(NU, k, num(ROOT_NU, k));
  }
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    // A batch's orders sell nothing here.
    flow.mode = flow.kind == BATCH_ORDER ? OFF : flow.entry;
    flow.cost = flow.mode == RELAXED ? venueAt(e).fixedCost : 0;
    flow.mask = venueAt(e).directions;
  }
  listEdges();
  const spent = h.work;
  minimiseListed(false, true, h.workMax >> 3, TIGHT);
  h.work = spent;
  let worth = certify();
  for (let k = 0; k < h.nodeCount; k++) worth -= num(NU, k) * nodeAt(k).supply;
  for (let e = 0; e < h.venueCount; e++) {
    const flow = flowAt(e);
    if (flow.kind == BATCH_ORDER) worth -= max(flow.surplus, 0.0);
    flow.mode = flow.entry;
  }
  h.loops = worth > DUST * abs(h.bound) ? worth : 0;
  for (let k = 0; k < h.nodeCount; k++) nodeAt(k).loop = num(NU, k);
}
