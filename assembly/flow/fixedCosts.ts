// Fixed costs: which venues to use at all. The root relaxation gives a first bound and shares z; first
// plans come from sets by threshold of z and from the best single paths with gas and their unions,
// so that small orders lose nothing; then branch and bound closes the gap, and local search spends
// what work is left if it could not. Publishes the bound by one price vector, or by cases where
// those prove meaningfully more.

import { BATCH, header, INFEASIBLE, LIMIT, NO_ROUTE, OK, SWAP, TOO_LARGE } from '../layout';
import { LEAF } from '../plan';
import { attempt, bestNet, keepPrices, resetAttempts } from './attempt';
import { branch } from './branch';
import { certifyUnder, makeFeasible } from './certificate';
import { complementarity } from './dual';
import { groupAt, layFixings, relaxModes, settleStanding } from './fixings';
import { charge, startGroups } from './groups';
import { improve } from './improve';
import { dualValue, residual, setWantedGap } from './minimise';
import { climbPairs } from './pairs';
import { bestPath } from './paths';
import { clearHulls, hasPools, releasePairs } from './pools';
import { clearMasks } from './recover';
import { leafBound, relax, sleepBelow } from './relaxation';
import { startPrices } from './start';
import {
  BEST_NU,
  BEST_SHARE,
  BEST_USED,
  FREE,
  flowAt,
  ground,
  int,
  isWhole,
  listEdges,
  m,
  NU,
  n,
  nodeAt,
  num,
  RELAXED,
  ROOT_NU,
  ROOT_SHARE,
  setInt,
  setNum,
  TRY_USED,
  venueAt,
} from './state';
import {
  addCase,
  caseAt,
  decide,
  keepCase,
  layCases,
  pricesAt,
  widestLeaf,
  writeTree,
} from './tree';
import { offeredWorth, tradedWorth } from './worth';

/** A tree is published if it takes at least this part of the single vector's gap away. */
const MEANINGFUL: f64 = 0.05;
/** Times the root's gap by which an edge must lose at its prices to be left out. */
const SURE: f64 = 4;

/** Edges up to which pairs are climbed over before branching, not only after. */
const SHORT: i32 = 256;

/** The whole solve: bound, prices and the best plan found, written to the problem's records. */
export function search(): i32 {
  const h = header();
  const laid = layFixings(h.end);
  if (laid == 0) return TOO_LARGE;
  layCases(laid);
  clearMasks();
  releasePairs();
  clearHulls();
  relaxAll();
  listEdges();
  startPrices();
  resetAttempts();
  startGroups();
  setWantedGap(h.gapTarget * tradedWorth());
  relax(false, h.workMax >> 2, -Infinity);
  h.residual = residual;
  h.complementarity = complementarity;
  keepPrices(ROOT_NU, ROOT_SHARE);
  searchSets(h.objective == BATCH ? offeredWorth() : abs(dualValue));
  publish();
  const spent = h.work >= h.workMax;
  if (bestNet == -Infinity) {
    return spent ? LIMIT : h.objective == SWAP && h.bound > 0 ? INFEASIBLE : NO_ROUTE;
  }
  // Proved, or all that was found: nothing is gained by selling at a loss.
  if (h.objective == SWAP && bestNet <= 0 && (h.bound <= 0 || !spent)) return NO_ROUTE;
  // Work that ran out after the gap was reached has missed nothing that was asked for.
  const wide = h.bound - bestNet > h.gapTarget * tradedWorth();
  const unproved = h.branchCount > 1;
  return wide && (spent || unproved) ? LIMIT : OK;
}

/** Marks what has a fixed cost, frees the rest; true if anything has one. Once per load too. */
export function relaxAll(): bool {
  const h = header();
  let costly = false;
  for (let e = 0; e < m; e++) {
    const v = venueAt(e);
    const priced = e < h.venueCount && (v.fixedCost > 0 || v.fixedFee > 0 || isWhole(e));
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
  // These modes are needed again and again: remember which edges are costly.
  for (let e = 0; e < m; e++) flowAt(e).entry = flowAt(e).mode;
  return costly;
}

function searchSets(scale: f64): void {
  const h = header();
  const root = addCase(-1, LEAF, -1, false);
  caseAt(root).bound = leafBound;
  keepCase(root);
  const slack = h.gapTarget * tradedWorth();
  firstSets(scale);
  // In short lists trying other pairs is cheap, and a better plan closes cases earlier.
  if (m < SHORT && hasPools() && bestNet > -Infinity) climbPairs(scale, h.workMax >> 1);
  if (bestNet > -Infinity) {
    for (let k = 0; k < n; k++) setNum(NU, k, num(ROOT_NU, k));
    decide(root);
    settleStanding();
    sleepBelow(SURE * (caseAt(root).bound - bestNet));
    improveRoot();
  }
  branch(scale, slack, h.workMax - (h.workMax >> 2));
  if (caseAt(widestLeaf()).bound - bestNet <= slack) return;
  if (hasPools() && bestNet > -Infinity) climbPairs(scale, h.workMax - (h.workMax >> 3));
  improve(scale, h.workMax);
}

/** The best plan's own prices bound too: with all its costs paid they are often the better ones. */
function improveRoot(): void {
  for (let k = 0; k < n; k++) setNum(NU, k, num(BEST_NU, k));
  const bound = certifyUnder();
  if (!(bound < caseAt(0).bound)) return;
  caseAt(0).bound = bound;
  for (let k = 0; k < n; k++) setNum(pricesAt(0), k, num(BEST_NU, k));
}

/** Sets by threshold of the root's shares, then paths with gas and their unions with the best. */
function firstSets(scale: f64): void {
  const thresholds = 4;
  for (let k = 0; k < thresholds; k++) {
    const least = k == 0 ? 0.5 : k == 1 ? 0.1 : k == 2 ? 0.01 : 1e-6;
    for (let e = 0; e < m; e++) setInt(TRY_USED, e, num(ROOT_SHARE, e) > least ? 1 : 0);
    attempt(scale, ROOT_NU, ROOT_SHARE);
  }
  if (ground < 0 || header().objective == BATCH) {
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
}

/** Publishes prices, value and bound: the root's, or the cases' where they prove more. */
function publish(): void {
  const h = header();
  h.value = bestNet;
  h.bound = caseAt(0).bound;
  const widest = widestLeaf();
  const byCases = caseAt(widest).bound;
  if (widest > 0 && h.bound - byCases > MEANINGFUL * (h.bound - bestNet)) {
    h.bound = byCases;
    writeTree(byCases);
  }
  for (let k = 0; k < n; k++) setNum(NU, k, num(pricesAt(0), k));
  makeFeasible();
  for (let k = 0; k < n; k++) nodeAt(k).dual = num(NU, k);
  // Whoever asks more of this load finds every edge relaxed and charged, as at the root.
  decide(0);
  settleStanding();
  relaxModes();
  releasePairs();
  charge();
}
