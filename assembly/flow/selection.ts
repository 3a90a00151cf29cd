// Costs shared by several venues, exactly: the most that Σ profits of a set of venues − Σ costs of the
// groups it meets can be. That is project selection (Rhys 1970, Picard 1976): total profit minus the
// maximum flow from venues (profit) through their groups (cost). The flow is at the same time the best
// split of each cost among its members. Augmenting paths, in f64: a flow that ends early, or is
// short by a rounding, leaves more profit standing, so the answer never understates.

import { header } from '../layout';
import {
  BACK,
  CARRIED,
  groupAt,
  isOpenGroup,
  PROFIT,
  QUEUE,
  REACHED,
  RESIDUE,
  SLOT_GROUP,
  SLOT_START,
  SLOTS,
  VIA,
} from './fixings';
import { int, num, setInt, setNum } from './state';

/** Below this share of a cost or a profit nothing more is pushed. */
const CRUMB: f64 = 1e-12;
const ROUNDS_PER_SLOT: i32 = 8;

/** Marks a group from which no path leads on, for this selection. */
const DEAD: i32 = -1;

/** The best selection's worth over venues with PROFIT > 0, whose open groups are still to be paid. */
export function bestSelection(): f64 {
  const h = header();
  for (let g = 0; g < h.groupCount; g++) {
    setNum(RESIDUE, g, isOpenGroup(g) ? groupAt(g).fixedCost : 0);
    setInt(REACHED, g, isOpenGroup(g) ? 0 : DEAD);
  }
  for (let k = 0; k < h.memberCount; k++) setNum(CARRIED, k, 0);
  let rounds = ROUNDS_PER_SLOT * (h.memberCount + 8);
  let stamp = 0;
  let total: f64 = 0;
  for (let e = 0; e < h.venueCount; e++) {
    const profit = num(PROFIT, e);
    if (!(profit > 0)) continue;
    let left = profit;
    while (left > CRUMB * profit && rounds-- > 0) {
      const pushed = augment(e, left, ++stamp);
      if (!(pushed > 0)) break;
      left -= pushed;
    }
    total += max(left, 0.0);
  }
  return total;
}

/** Pushes up to `most` of e's profit along a shortest path to a group with cost left; what it pushed. */
function augment(e: i32, most: f64, stamp: i32): f64 {
  const h = header();
  let count = reach(e, -1, stamp, 0);
  for (let k = 0; k < count; k++) {
    const g = int(QUEUE, k);
    if (num(RESIDUE, g) > CRUMB * groupAt(g).fixedCost) return push(g, most);
    const group = groupAt(g);
    for (let j = 0; j < group.memberCount; j++) {
      const slot = group.members + j;
      if (num(CARRIED, slot) > 0) count = reach(int(h.members, slot), slot, stamp, count);
    }
  }
  // Nothing here leads anywhere, and no later path can come out of here either.
  for (let k = 0; k < count; k++) setInt(REACHED, int(QUEUE, k), DEAD);
  return 0;
}

/** Queues the groups of edge e not seen yet; `back` is the slot whose flow e would take back. */
function reach(e: i32, back: i32, stamp: i32, queued: i32): i32 {
  let count = queued;
  for (let k = int(SLOT_START, e); k < int(SLOT_START, e + 1); k++) {
    const slot = int(SLOTS, k);
    const g = int(SLOT_GROUP, slot);
    const seen = int(REACHED, g);
    if (seen == DEAD || seen == stamp) continue;
    setInt(REACHED, g, stamp);
    setInt(VIA, g, slot);
    setInt(BACK, g, back);
    setInt(QUEUE, count++, g);
  }
  return count;
}

function push(last: i32, most: f64): f64 {
  let amount = min(most, num(RESIDUE, last));
  for (let g = last; int(BACK, g) >= 0; g = int(SLOT_GROUP, int(BACK, g))) {
    amount = min(amount, num(CARRIED, int(BACK, g)));
  }
  setNum(RESIDUE, last, num(RESIDUE, last) - amount);
  for (let g = last; ; ) {
    const via = int(VIA, g);
    const back = int(BACK, g);
    setNum(CARRIED, via, num(CARRIED, via) + amount);
    if (back < 0) break;
    setNum(CARRIED, back, num(CARRIED, back) - amount);
    g = int(SLOT_GROUP, back);
  }
  return amount;
}
