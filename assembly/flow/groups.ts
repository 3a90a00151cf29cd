// Costs shared by several venues (a chain's transaction, a message), paid once if any is used. In
// the relaxation each open one is split among its members: max over sets S of Σ_S F − Σ_{groups met}
// q equals, by linear-programming duality, the least over splits λ ≥ 0, Σλ ≤ q, of Σ max(0, F − λ).
// At the best split all members that carry some of it are used to the same share, so multiplicative
// weights (Arora, Hazan, Kale 2012) move each split towards the members used most. Any split gives
// a valid bound; the one that is published is exact (flow/selection.ts).

import { header } from '../layout';
import { groupAt, isOpenGroup, OPEN, VENUE_FIX } from './fixings';
import { flowAt, GROUP_SPLIT, int, m, num, RELAXED, setInt, setNum, venueAt } from './state';

const PULL: f64 = 3;

/** Splits every group's cost equally and charges all edges their own. */
export function startGroups(): void {
  const h = header();
  for (let g = 0; g < h.groupCount; g++) {
    const group = groupAt(g);
    for (let k = 0; k < group.memberCount; k++) {
      setNum(GROUP_SPLIT, group.members + k, group.fixedCost / <f64>group.memberCount);
    }
  }
  charge();
}

/** Moves the open groups' splits towards the members used most. */
export function splitGroups(): void {
  const h = header();
  for (let g = 0; g < h.groupCount; g++) {
    if (!isOpenGroup(g)) continue;
    const group = groupAt(g);
    let sum: f64 = 0;
    for (let k = 0; k < group.memberCount; k++) {
      const at = group.members + k;
      const flow = flowAt(int(h.members, at));
      const share = flow.mode == RELAXED ? flow.share : 0;
      const floor = (1e-6 * group.fixedCost) / <f64>group.memberCount;
      const split = max(num(GROUP_SPLIT, at), floor) * Math.exp(PULL * (share - 1.0));
      setNum(GROUP_SPLIT, at, split);
      sum += split;
    }
    if (!(sum > 0)) continue;
    for (let k = 0; k < group.memberCount; k++) {
      const at = group.members + k;
      setNum(GROUP_SPLIT, at, (num(GROUP_SPLIT, at) * group.fixedCost) / sum);
    }
  }
  charge();
}

/** Each relaxed edge's cost: its own and its parts of the open groups'. What is paid is sunk. */
export function charge(): void {
  const h = header();
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    const open = flow.mode == RELAXED && int(VENUE_FIX, e) == OPEN;
    flow.cost = open ? venueAt(e).fixedCost : 0;
  }
  for (let g = 0; g < h.groupCount; g++) {
    if (!isOpenGroup(g)) continue;
    const group = groupAt(g);
    for (let k = 0; k < group.memberCount; k++) {
      const flow = flowAt(int(h.members, group.members + k));
      if (flow.mode == RELAXED) flow.cost += num(GROUP_SPLIT, group.members + k);
    }
  }
}

/** What a set of used venues (i32 flags by edge) pays, groups once. */
export function costOf(used: usize): f64 {
  const h = header();
  let cost: f64 = 0;
  for (let e = 0; e < h.venueCount; e++) if (int(used, e)) cost += venueAt(e).fixedCost;
  for (let g = 0; g < h.groupCount; g++) {
    const group = groupAt(g);
    for (let k = 0; k < group.memberCount; k++) {
      if (int(used, int(h.members, group.members + k))) {
        cost += group.fixedCost;
        break;
      }
    }
  }
  return cost;
}

/** Switches a whole group's members off in `used`; true if any had been on. */
export function dropGroup(used: usize, g: i32): bool {
  const h = header();
  const group = groupAt(g);
  let any = false;
  for (let k = 0; k < group.memberCount; k++) {
    const e = int(h.members, group.members + k);
    if (int(used, e)) any = true;
    setInt(used, e, 0);
  }
  return any;
}
