// What a branch of the search has decided: each venue's own cost, and each group's, is paid, refused
// or open. From these follows how an edge enters the relaxation: refused venues and the members of a
// refused group are off; an edge all of whose costs are paid trades freely; any other takes a share
// of its best trade for that share of the costs still open. Also holds the memory of the fixed-cost
// search, behind the workspace of flow/state.ts.

import { alignLine, header, POOL_NODES_MAX } from '../layout';
import { BRIDGE, Group } from '../problem';
import { Flow } from './records';
import {
  BLOCKS,
  FORCED,
  FREE,
  flowAt,
  int,
  isWhole,
  m,
  n,
  OFF,
  RELAXED,
  setInt,
  venueAt,
} from './state';

export const OPEN: i32 = 0;
export const PAID: i32 = 1;
export const REFUSED: i32 = 2;
/** An edge without any cost of its own or of a group. */
export const COSTLESS: i32 = 3;

/** Decisions by edge and by group, i32. */
export let VENUE_FIX: usize = 0;
export let GROUP_FIX: usize = 0;
/** Per edge i32: OPEN, PAID, REFUSED or COSTLESS, all its groups considered. */
export let STANDING: usize = 0;
/** Per edge i32: 1 while an open edge is left out of the relaxation because it cannot pay. */
export let ASLEEP: usize = 0;
/** Slots of the member list by edge: SLOT_START[m + 1], SLOTS[memberCount]; each slot's group. */
export let SLOT_START: usize = 0;
export let SLOTS: usize = 0;
export let SLOT_GROUP: usize = 0;
/** What flow/selection.ts works on. */
export let PROFIT: usize = 0; // m
export let CARRIED: usize = 0; // memberCount
export let RESIDUE: usize = 0; // groupCount
export let REACHED: usize = 0; // groupCount i32
export let VIA: usize = 0; // groupCount i32
export let BACK: usize = 0; // groupCount i32
export let QUEUE: usize = 0; // groupCount i32
/** Prices put aside while a bound is computed, and the best of a relaxation. */
export let ASIDE_NU: usize = 0;
export let LEAF_NU: usize = 0;
/** A Flow that belongs to no edge, for responses nobody else must see. */
export let SPARE: usize = 0;
/** Where such a response of a pool of n nodes may write its Hessian. */
let SPARE_BLOCK: usize = 0;

let cursor: usize = 0;

function take(bytes: usize): usize {
  const at = cursor;
  cursor = alignLine(cursor + bytes);
  return at;
}

/** Lays the arrays out from `at` on; returns where they end, or 0 if memory does. */
export function layFixings(at: usize): usize {
  const h = header();
  const edges = <usize>m;
  const nodes = <usize>n;
  const groups = <usize>h.groupCount;
  const members = <usize>h.memberCount;
  cursor = alignLine(at);
  VENUE_FIX = take(edges << 2);
  GROUP_FIX = take(groups << 2);
  STANDING = take(edges << 2);
  ASLEEP = take(edges << 2);
  SLOT_START = take((edges + 2) << 2);
  SLOTS = take(members << 2);
  SLOT_GROUP = take(members << 2);
  PROFIT = take(edges << 3);
  CARRIED = take(members << 3);
  RESIDUE = take(groups << 3);
  REACHED = take(groups << 2);
  VIA = take(groups << 2);
  BACK = take(groups << 2);
  QUEUE = take(groups << 2);
  ASIDE_NU = take(nodes << 3);
  LEAF_NU = take(nodes << 3);
  SPARE = take(offsetof<Flow>());
  SPARE_BLOCK = take(POOL_NODES_MAX * POOL_NODES_MAX * 8);
  if (cursor > (<usize>memory.size()) << 16) return 0;
  memory.fill(VENUE_FIX, 0, cursor - VENUE_FIX);
  indexMembers();
  spareFlow().block = <i32>((SPARE_BLOCK - BLOCKS) >> 3);
  return cursor;
}

export function groupAt(g: i32): Group {
  return changetype<Group>(header().groups + <usize>g * offsetof<Group>());
}

export function spareFlow(): Flow {
  return changetype<Flow>(SPARE);
}

/** Counting sort of the member slots by edge. */
function indexMembers(): void {
  const h = header();
  for (let g = 0; g < h.groupCount; g++) {
    const group = groupAt(g);
    for (let k = 0; k < group.memberCount; k++) {
      const e = int(h.members, group.members + k);
      setInt(SLOT_GROUP, group.members + k, g);
      setInt(SLOT_START, e + 2, int(SLOT_START, e + 2) + 1);
    }
  }
  for (let e = 0; e < m; e++) {
    setInt(SLOT_START, e + 1, int(SLOT_START, e + 1) + int(SLOT_START, e));
  }
  // SLOT_START[e + 1] is now where e's slots begin; filling them moves it to where they end.
  for (let g = 0; g < h.groupCount; g++) {
    const group = groupAt(g);
    for (let k = 0; k < group.memberCount; k++) {
      const e = int(h.members, group.members + k);
      const place = int(SLOT_START, e + 1);
      setInt(SLOTS, place, group.members + k);
      setInt(SLOT_START, e + 1, place + 1);
    }
  }
}

/**
 * Whether a venue has a cost of its own; a bridge's fixed fee is one, in units of its output. An order
 * filled whole or not at all costs nothing, but is decided on in the same way.
 */
export function hasOwnCost(e: i32): bool {
  if (e >= header().venueCount) return false;
  const v = venueAt(e);
  return v.fixedCost > 0 || (v.kind == BRIDGE && v.fixedFee > 0) || isWhole(e);
}

/** A group whose cost is still to be decided. */
export function isOpenGroup(g: i32): bool {
  return int(GROUP_FIX, g) == OPEN && groupAt(g).fixedCost > 0;
}

/** The first open group of an edge, or −1. */
export function openGroupOf(e: i32): i32 {
  for (let k = int(SLOT_START, e); k < int(SLOT_START, e + 1); k++) {
    const g = int(SLOT_GROUP, int(SLOTS, k));
    if (isOpenGroup(g)) return g;
  }
  return -1;
}

function standingOf(e: i32): i32 {
  if (flowAt(e).entry == FREE) return COSTLESS;
  if (int(VENUE_FIX, e) == REFUSED) return REFUSED;
  let open = hasOwnCost(e) && int(VENUE_FIX, e) == OPEN;
  for (let k = int(SLOT_START, e); k < int(SLOT_START, e + 1); k++) {
    const g = int(SLOT_GROUP, int(SLOTS, k));
    if (int(GROUP_FIX, g) == REFUSED) return REFUSED;
    if (isOpenGroup(g)) open = true;
  }
  return open ? OPEN : PAID;
}

/** Leaves open what a set of venues (i32 flags by edge) may use, and refuses every other venue. */
export function standFor(used: usize): void {
  for (let g = 0; g < header().groupCount; g++) setInt(GROUP_FIX, g, OPEN);
  for (let e = 0; e < m; e++) {
    setInt(VENUE_FIX, e, OPEN);
    const standing = flowAt(e).entry == FREE ? COSTLESS : int(used, e) ? OPEN : REFUSED;
    setInt(STANDING, e, standing);
  }
}

/** Brings STANDING up to date with VENUE_FIX and GROUP_FIX. */
export function settleStanding(): void {
  for (let e = 0; e < m; e++) setInt(STANDING, e, standingOf(e));
}

/** Sets every edge's mode for the relaxation under the decisions at hand. */
export function relaxModes(): void {
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    const standing = int(STANDING, e);
    flow.mask = venueAt(e).directions;
    if (standing == REFUSED) flow.mode = OFF;
    else if (standing == OPEN) flow.mode = int(ASLEEP, e) ? OFF : RELAXED;
    else flow.mode = standing == PAID && isWhole(e) ? FORCED : FREE;
  }
}
