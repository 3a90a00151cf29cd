// Branch and bound (Land, Doig 1960) over what is paid once: best bound first, on the venue or group
// whose share is most undecided in dollars, min(z, 1 − z)·q. A group is decided before its members. A
// child starts from its parent's prices and shares and stops as soon as any prices bound it by the
// best plan; the shares of every child are rounded to a set that is tried as a plan. The answer at
// any time is the best plan and the greatest bound among the leaves, both true.

import { header } from '../layout';
import { BY_GROUP, BY_VENUE } from '../plan';
import { BRIDGE } from '../problem';
import { attempt, bestNet } from './attempt';
import { gainOf } from './certificate';
import { groupAt, isOpenGroup, OPEN, openGroupOf, PAID, STANDING, settleStanding } from './fixings';
import { leafBound, relax } from './relaxation';
import { int, isWhole, m, NU, n, num, SCORE, setInt, setNum, TRY_USED, venueAt } from './state';
import {
  addCase,
  caseAt,
  DEPTH_MAX,
  decide,
  hasRoom,
  keepCase,
  pricesAt,
  shareOf,
  startFrom,
  widestLeaf,
} from './tree';

/** Part of the wanted gap at which a case counts as closed; the rest is for rounding. */
const CLOSED: f64 = 0.7;
/** Shares this close to 0 or 1, in dollars of cost relative to the plan, are decided. */
const DECIDED: f64 = 1e-10;

/** After so many splits the gap must have fallen to this part of what it was. */
const PATIENCE: i32 = 32;
const PROGRESS: f64 = 0.9;

let splitKind: i32 = 0;
let splitIndex: i32 = -1;

/** What a case's bound must fall to. `slack` is the wanted gap in dollars. */
function target(slack: f64): f64 {
  return bestNet + CLOSED * slack;
}

/**
 * Splits leaves until all are closed, the pool is full or `workMax` is spent. The root must be case 0.
 */
export function branch(scale: f64, slack: f64, workMax: i32): void {
  const h = header();
  let before = Infinity;
  for (let round = 0; h.work < workMax && hasRoom(); round++) {
    const id = widestLeaf();
    const c = caseAt(id);
    if (round % PATIENCE == 0) {
      // What no split moves are loops of pure arbitrage, or a plateau too wide for this tree.
      if (c.bound - bestNet > PROGRESS * before) return;
      before = c.bound - bestNet;
    }
    if (c.bound <= target(slack) || c.done || c.depth >= DEPTH_MAX) return;
    decide(id);
    settleStanding();
    choose(id, scale, c.bound - target(slack));
    if (splitIndex < 0) {
      c.done = 1;
      return;
    }
    split(id, scale, slack, workMax);
  }
}

function split(id: i32, scale: f64, slack: f64, workMax: i32): void {
  const h = header();
  const kind = splitKind;
  const index = splitIndex;
  const used = addCase(id, kind, index, true);
  addCase(id, kind, index, false);
  caseAt(id).first = used;
  for (let side = 0; side < 2; side++) {
    const child = used + side;
    decide(child);
    startFrom(id);
    const budget = max(min(h.workMax >> 3, workMax - h.work), 1);
    relax(true, budget, target(slack));
    if (leafBound < caseAt(child).bound) caseAt(child).bound = leafBound;
    keepCase(child);
    if (caseAt(child).bound > target(slack)) round(child, scale);
  }
}

/**
 * Tries the sets a case's shares round to. What is paid is used; of the open ones first those used by
 * more than half, then all with a share worth the name: a bridge far larger than the order never
 * comes near a half.
 */
function round(id: i32, scale: f64): void {
  for (let k = 0; k < 2; k++) {
    const least = k == 0 ? 0.5 : 0.02;
    decide(id);
    settleStanding();
    for (let e = 0; e < m; e++) {
      const standing = int(STANDING, e);
      const used = standing == PAID || (standing == OPEN && shareOf(id, e) > least);
      setInt(TRY_USED, e, used ? 1 : 0);
      setNum(SCORE, e, shareOf(id, e));
    }
    attempt(scale, pricesAt(id), SCORE);
  }
}

/** Picks what to split a case by, or −1: nothing open there could take `excess` off its bound. */
function choose(id: i32, scale: f64, excess: f64): void {
  const h = header();
  splitIndex = -1;
  let best: f64 = DECIDED * scale;
  for (let k = 0; k < n; k++) setNum(NU, k, num(pricesAt(id), k));
  for (let g = 0; g < h.groupCount; g++) {
    if (!isOpenGroup(g)) continue;
    const group = groupAt(g);
    let z: f64 = 0;
    for (let k = 0; k < group.memberCount; k++) {
      const e = int(h.members, group.members + k);
      if (int(STANDING, e) == OPEN) z = max(z, shareOf(id, e));
    }
    const score = min(z, 1.0 - z) * group.fixedCost;
    if (score > best) {
      best = score;
      splitKind = BY_GROUP;
      splitIndex = g;
    }
  }
  for (let e = 0; e < h.venueCount; e++) {
    if (int(STANDING, e) != OPEN) continue;
    const z = shareOf(id, e);
    const score = min(z, 1.0 - z) * costAt(e);
    if (score > best) {
      best = score;
      chooseVenue(e);
    }
  }
  if (splitIndex < 0) chooseOpen(excess);
}

/** With every share decided: the open edge nearest to indifference, while one could still matter. */
function chooseOpen(excess: f64): void {
  const h = header();
  let least = excess;
  for (let e = 0; e < h.venueCount; e++) {
    if (int(STANDING, e) != OPEN) continue;
    const gain = abs(gainOf(e));
    if (gain < least) {
      least = gain;
      chooseVenue(e);
    }
  }
}

/** A venue's group first: what it pays for itself means nothing before. */
function chooseVenue(e: i32): void {
  const g = openGroupOf(e);
  splitKind = g >= 0 ? BY_GROUP : BY_VENUE;
  splitIndex = g >= 0 ? g : e;
}

/** A venue's own fixed costs in dollars, a bridge's fee included. */
function costAt(e: i32): f64 {
  const v = venueAt(e);
  const fee = v.kind == BRIDGE ? v.fixedFee * num(NU, v.to) : 0.0;
  // An order taken in part is undecided by all it asks for.
  const order = isWhole(e) ? v.a : 0.0;
  return v.fixedCost + fee + order;
}
