// Local search from the best plan: drop one group, or drop or add one venue, most promising first.
// At a plan's own dual prices a venue is worth adding only if f > q and worth dropping only if f < q.

import { header } from '../layout';
import { attempt, bestNet } from './attempt';
import { respond } from './dual';
import { groupAt } from './fixings';
import { dropGroup } from './groups';
import { commitGain, takePairs } from './pools';
import {
  BEST_NU,
  BEST_PAIR,
  BEST_SHARE,
  BEST_USED,
  FREE,
  flowAt,
  int,
  isPool,
  isWhole,
  m,
  NU,
  n,
  num,
  RELAXED,
  SCORE,
  setInt,
  setNum,
  TRY_USED,
  venueAt,
} from './state';

const PASSES_MAX: i32 = 64;

/** Improves the best plan until nothing does or the work is spent. */
export function improve(scale: f64, workMax: i32): void {
  const h = header();
  for (let pass = 0; pass < PASSES_MAX && h.work < workMax && bestNet > -Infinity; pass++) {
    if (!step(scale, workMax)) return;
  }
}

/** One round of dropping and adding; true at the first improvement. */
function step(scale: f64, workMax: i32): bool {
  const h = header();
  takePairs(BEST_PAIR);
  for (let g = 0; g < h.groupCount; g++) {
    if (!(groupAt(g).fixedCost > 0)) continue;
    for (let e = 0; e < m; e++) setInt(TRY_USED, e, int(BEST_USED, e));
    if (dropGroup(TRY_USED, g) && attempt(scale, BEST_NU, BEST_SHARE)) return true;
    if (h.work >= workMax) return false;
  }
  score();
  for (let round = 0; round < m && h.work < workMax; round++) {
    let best = -1;
    for (let e = 0; e < h.venueCount; e++) {
      if (num(SCORE, e) > 0 && (best < 0 || num(SCORE, e) > num(SCORE, best))) best = e;
    }
    if (best < 0) break;
    setNum(SCORE, best, 0);
    for (let e = 0; e < m; e++) setInt(TRY_USED, e, int(BEST_USED, e));
    setInt(TRY_USED, best, 1 - int(BEST_USED, best));
    if (attempt(scale, BEST_NU, BEST_SHARE)) return true;
  }
  return false;
}

/** SCORE: dollars that dropping (if used) or adding (if not) each costly edge could gain at most. */
function score(): void {
  const h = header();
  for (let k = 0; k < n; k++) setNum(NU, k, num(BEST_NU, k));
  for (let e = 0; e < m; e++) setNum(SCORE, e, 0);
  for (let e = 0; e < h.venueCount; e++) {
    const flow = flowAt(e);
    if (flow.entry == FREE) continue;
    const v = venueAt(e);
    flow.mode = RELAXED;
    flow.mask = v.directions;
    const choosing = isPool(flow.kind) && v.nodeCount > 2 && !int(BEST_USED, e);
    if (choosing) flow.pair = -1;
    respond(e, flow);
    if (choosing) commitGain(v, flow);
    const gain = max(flow.surplus, 0.0) - v.fixedCost;
    if (isWhole(e)) setNum(SCORE, e, max(int(BEST_USED, e) ? -flow.surplus : flow.surplus, 0.0));
    else if (int(BEST_USED, e)) setNum(SCORE, e, max(savingOf(e) - max(flow.surplus, 0.0), 0.0));
    else setNum(SCORE, e, max(gain, 0.0));
  }
}

/** What dropping e alone would save: its own cost, and those of groups it alone makes due. */
function savingOf(e: i32): f64 {
  const h = header();
  const v = venueAt(e);
  let saving = v.fixedCost + v.fixedFee * num(NU, v.to);
  for (let g = 0; g < h.groupCount; g++) {
    const group = groupAt(g);
    let member = false;
    let others = false;
    for (let k = 0; k < group.memberCount; k++) {
      const other = int(h.members, group.members + k);
      if (other == e) member = true;
      else if (int(BEST_USED, other)) others = true;
    }
    if (member && !others) saving += group.fixedCost;
  }
  return saving;
}
