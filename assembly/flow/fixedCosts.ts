// Fixed costs: which venues to use at all. The relaxation (flow/dual.ts) gives the bound and shares
// z; plans come from committing to sets of venues and solving the convex problem that is left:
// sets by threshold of z, best single paths with gas and their unions, then dropping and adding one
// venue or one group at a time, pruned by bound: at a set's own dual prices a venue is worth adding
// only if f > q and worth dropping only if f < q. Stops when the work limit is spent.

import { header, INFEASIBLE, LIMIT, NO_ROUTE, OK } from '../layout';
import { BRIDGE, Group } from '../problem';
import { certify } from './certificate';
import { complementarity, respond } from './dual';
import { charge, costOf, dropGroup, startGroups } from './groups';
import { writeLegs } from './legs';
import { dualValue, minimise } from './minimise';
import { bestPath } from './paths';
import { commitGain, commitPairs, releasePairs } from './pools';
import { clearMasks, cycleEdge, markUsed, planValue, recover, stranded } from './recover';
import { startPrices } from './start';
import {
  BEST_NU,
  BEST_SHARE,
  BEST_USED,
  FREE,
  flowAt,
  ground,
  int,
  isPool,
  listEdges,
  m,
  NU,
  n,
  nodeAt,
  num,
  OFF,
  RELAXED,
  ROOT_NU,
  ROOT_SHARE,
  SCORE,
  setInt,
  setNum,
  settleSupply,
  TRY_USED,
  venueAt,
} from './state';

const CYCLES_MAX: i32 = 16;
const PASSES_MAX: i32 = 64;
/** A committed solve that ends wider than this is repeated cold. */
const WARM_GAP: f64 = 1e-8;
/** Share of the plan that may be stranded by rounding. */
const STRANDED_MAX: f64 = 1e-9;

let bestNet: f64 = -Infinity;

/** The whole solve: bound, prices and the best plan found, written to the problem's records. */
export function search(): i32 {
  const h = header();
  clearMasks();
  releasePairs();
  relaxAll();
  listEdges();
  startPrices();
  startGroups();
  settleSupply();
  h.residual = minimise(false, true, h.workMax >> 2);
  h.complementarity = complementarity;
  keepPrices(ROOT_NU, ROOT_SHARE);
  commitPairs();
  const scale = abs(dualValue);
  bestNet = -Infinity;
  h.legCount = 0;

  searchSets(scale);
  const spent = h.work >= h.workMax;
  publish();
  if (bestNet == -Infinity) return spent ? LIMIT : ground >= 0 && scale > 0 ? INFEASIBLE : NO_ROUTE;
  // Work that ran out after the gap was reached has missed nothing that was asked for.
  return spent && h.bound - bestNet > h.gapTarget * tradedWorth() ? LIMIT : OK;
}

/** Dollars the gap is measured against: the sold amount, or the portfolio, at node prices. */
function tradedWorth(): f64 {
  const h = header();
  let worth: f64 = 0;
  for (let k = 0; k < h.nodeCount; k++) worth += nodeAt(k).supply * nodeAt(k).price;
  return worth;
}

/** Relaxes what has a fixed cost, frees the rest; true if anything has one. Once per load too. */
export function relaxAll(): bool {
  const h = header();
  let costly = false;
  for (let e = 0; e < m; e++) {
    const priced = e < h.venueCount && (venueAt(e).fixedCost > 0 || venueAt(e).fixedFee > 0);
    flowAt(e).mode = priced ? RELAXED : FREE;
    if (priced) costly = true;
  }
  for (let g = 0; g < h.groupCount; g++) {
    const group = groupAt(g);
    if (!(group.fixedCost > 0)) continue;
    costly = true;
    for (let k = 0; k < group.memberCount; k++) {
      flowAt(int(h.members, group.members + k)).mode = RELAXED;
    }
  }
  // ROOT modes are needed again and again: remember which edges are costly.
  for (let e = 0; e < m; e++) flowAt(e).entry = flowAt(e).mode;
  return costly;
}

function groupAt(g: i32): Group {
  return changetype<Group>(header().groups + <usize>g * offsetof<Group>());
}

function keepPrices(prices: usize, shares: usize): void {
  for (let k = 0; k < n; k++) setNum(prices, k, num(NU, k));
  for (let e = 0; e < m; e++) setNum(shares, e, flowAt(e).mode == OFF ? 0 : flowAt(e).share);
}

/** Solves with the venues in TRY_USED committed to; keeps the plan if it nets more than the best. */
function attempt(scale: f64, prices: usize, shares: usize): bool {
  const h = header();
  h.solves++;
  // Every step counts, so that no input can keep the search busy for nothing.
  h.work++;
  clearMasks();
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    flow.mode = flow.entry == FREE || int(TRY_USED, e) ? FREE : OFF;
    // A pool that nothing asked of any pair yet has none to trade.
    if (isPool(flow.kind) && flow.pair < 0) flow.mode = OFF;
    flow.cost = 0;
    flow.center = num(shares, e);
  }
  for (let k = 0; k < n; k++) setNum(NU, k, num(prices, k));
  let warm = true;
  const budget = max(h.workMax >> 3, 50);
  for (let round = 0; round < CYCLES_MAX; round++) {
    settleSupply();
    if (minimise(warm, false, budget) > WARM_GAP * abs(dualValue) && warm) {
      minimise(false, false, budget);
    }
    warm = true;
    if (!recover(max(scale, abs(dualValue)), true)) {
      const flow = flowAt(cycleEdge);
      flow.mask &= ~flow.direction;
      if (flow.mask == 0) flow.mode = OFF;
    } else if (!closeIdleBridges()) {
      return judge(scale);
    }
    if (h.work >= h.workMax && bestNet > -Infinity) return false;
  }
  return false;
}

/** A bridge committed to but not used must not charge its fixed fee. */
function closeIdleBridges(): bool {
  let closed = false;
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.kind != BRIDGE || flow.mode != FREE || flow.x > 0) continue;
    if (!(venueAt(e).fixedFee > 0)) continue;
    flow.mode = OFF;
    closed = true;
  }
  return closed;
}

function judge(scale: f64): bool {
  if (ground >= 0 && stranded > STRANDED_MAX * scale) return false;
  markUsed(TRY_USED);
  const value = planValue();
  if (ground >= 0 && !(value > 0)) return false;
  const net = value - costOf(TRY_USED);
  if (!(net > bestNet + 1e-12 * abs(scale))) return false;
  bestNet = net;
  keepPrices(BEST_NU, BEST_SHARE);
  for (let e = 0; e < m; e++) setInt(BEST_USED, e, int(TRY_USED, e));
  writeLegs();
  return true;
}

function searchSets(scale: f64): void {
  const h = header();
  const thresholds = 4;
  for (let k = 0; k < thresholds; k++) {
    const least = k == 0 ? 0.5 : k == 1 ? 0.1 : k == 2 ? 0.01 : 1e-6;
    for (let e = 0; e < m; e++) setInt(TRY_USED, e, num(ROOT_SHARE, e) > least ? 1 : 0);
    attempt(scale, ROOT_NU, ROOT_SHARE);
  }
  if (ground < 0) {
    for (let e = 0; e < m; e++) setInt(TRY_USED, e, 0);
    attempt(scale, ROOT_NU, ROOT_SHARE);
  } else {
    for (let k = 0; k < 3; k++) {
      const part = k == 0 ? 1.0 : k == 1 ? 0.5 : 0.2;
      if (bestPath(part, TRY_USED)) attempt(scale, ROOT_NU, ROOT_SHARE);
      // The union with the best so far: splits that neither finds alone.
      if (bestNet > -Infinity && bestPath(part, TRY_USED)) {
        for (let e = 0; e < m; e++) if (int(BEST_USED, e)) setInt(TRY_USED, e, 1);
        attempt(scale, BEST_NU, BEST_SHARE);
      }
    }
  }
  if (bestNet == -Infinity) {
    for (let e = 0; e < m; e++) setInt(TRY_USED, e, 1);
    attempt(scale, ROOT_NU, ROOT_SHARE);
  }
  for (let pass = 0; pass < PASSES_MAX && h.work < h.workMax && bestNet > -Infinity; pass++) {
    if (!improve(scale)) break;
  }
}

/** One round of dropping and adding, most promising first; true at the first improvement. */
function improve(scale: f64): bool {
  const h = header();
  for (let g = 0; g < h.groupCount; g++) {
    if (!(groupAt(g).fixedCost > 0)) continue;
    for (let e = 0; e < m; e++) setInt(TRY_USED, e, int(BEST_USED, e));
    if (dropGroup(TRY_USED, g) && attempt(scale, BEST_NU, BEST_SHARE)) return true;
    if (h.work >= h.workMax) return false;
  }
  score();
  for (let round = 0; round < m && h.work < h.workMax; round++) {
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
    if (int(BEST_USED, e)) setNum(SCORE, e, max(savingOf(e) - max(flow.surplus, 0.0), 0.0));
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

/** Publishes the prices with the lower bound: the relaxation's or the best plan's own. */
function publish(): void {
  const h = header();
  for (let e = 0; e < m; e++) flowAt(e).mask = venueAt(e).directions;
  releasePairs();
  charge();
  for (let k = 0; k < n; k++) setNum(NU, k, num(ROOT_NU, k));
  h.bound = certify();
  for (let k = 0; k < n; k++) nodeAt(k).dual = num(NU, k);
  if (bestNet > -Infinity) {
    for (let k = 0; k < n; k++) setNum(NU, k, num(BEST_NU, k));
    const other = certify();
    if (other < h.bound) {
      h.bound = other;
      for (let k = 0; k < n; k++) nodeAt(k).dual = num(NU, k);
    }
  }
  h.value = bestNet;
}
