// The memory of the search by cases: a bounded pool of nodes, each a decision on top of its parent's,
// with the best prices and the shares of its relaxation; and the tree that is published. Branching
// stops when the pool is full: what is open then stays a leaf, with its true bound.

import { alignLine, header } from '../layout';
import { Branch, BY_GROUP, BY_VENUE, LEAF } from '../plan';
import { GROUP_FIX, LEAF_NU, PAID, REFUSED, VENUE_FIX } from './fixings';
import { flowAt, m, NU, n, num, OFF, setInt, setNum } from './state';

// ╒══════════════ Case, 48 bytes (own): a node of the tree ═══════╕
// │  0 parent i32 : −1 at the root │ 4 first i32 : its two children│
// │                                  first, first + 1; −1 a leaf  │
// │  8 kind i32 │ 12 index i32 : what it was split by             │
// │ 16 paid i32 : which side of its parent's split it is          │
// │ 20 depth i32 │ 24 done i32 : nothing left to split            │
// │ 28 row i32 (of the published prices)                          │
// │ 32 bound f64 │ 40 reserved f64                                │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Case {
  parent: i32;
  first: i32;
  kind: i32;
  index: i32;
  paid: i32;
  depth: i32;
  done: i32;
  row: i32;
  bound: f64;
  reserved: f64;
}

/** Deepest case a checker accepts. */
export const DEPTH_MAX: i32 = 64;

export let caseCount: i32 = 0;
let casesMax: i32 = 0;
let CASES: usize = 0;
let CASE_NU: usize = 0;
let CASE_SHARE: usize = 0;

export function caseAt(k: i32): Case {
  return changetype<Case>(CASES + <usize>k * offsetof<Case>());
}

/** Lays the pool out from `at` on, as large as memory and the host's limit allow. */
export function layCases(at: usize): void {
  const wanted = max(2 * header().leavesMax - 1, 1);
  const each = offsetof<Case>() + ((<usize>n) << 3) + ((<usize>m) << 2);
  const room = (<usize>memory.size()) << 16;
  const start = alignLine(at);
  const fits = room > start + 256 ? <i32>min((room - start - 256) / each, 4096) : 0;
  casesMax = min(wanted, fits);
  CASES = start;
  CASE_NU = alignLine(CASES + <usize>casesMax * offsetof<Case>());
  CASE_SHARE = alignLine(CASE_NU + ((<usize>casesMax * <usize>n) << 3));
  caseCount = 0;
}

/** Whether a leaf can still be split. */
export function hasRoom(): bool {
  return caseCount + 2 <= casesMax;
}

export function addCase(parent: i32, kind: i32, index: i32, paid: bool): i32 {
  const id = caseCount++;
  const c = caseAt(id);
  c.parent = parent;
  c.first = -1;
  c.kind = kind;
  c.index = index;
  c.paid = paid ? 1 : 0;
  c.depth = parent < 0 ? 0 : caseAt(parent).depth + 1;
  c.done = 0;
  c.bound = parent < 0 ? Infinity : caseAt(parent).bound;
  return id;
}

/** Sets the decisions on the way from the root to a case. */
export function decide(id: i32): void {
  const h = header();
  for (let e = 0; e < m; e++) setInt(VENUE_FIX, e, 0);
  for (let g = 0; g < h.groupCount; g++) setInt(GROUP_FIX, g, 0);
  for (let k = id; caseAt(k).parent >= 0; k = caseAt(k).parent) {
    const c = caseAt(k);
    setInt(c.kind == BY_VENUE ? VENUE_FIX : GROUP_FIX, c.index, c.paid ? PAID : REFUSED);
  }
}

function pricesOf(id: i32): usize {
  return CASE_NU + ((<usize>id * <usize>n) << 3);
}
function sharesOf(id: i32): usize {
  return CASE_SHARE + ((<usize>id * <usize>m) << 2);
}

export function shareOf(id: i32, e: i32): f64 {
  return <f64>load<f32>(sharesOf(id) + ((<usize>e) << 2));
}

/** Keeps LEAF_NU's prices and the flows' shares with a case. */
export function keepCase(id: i32): void {
  memory.copy(pricesOf(id), LEAF_NU, (<usize>n) << 3);
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    store<f32>(sharesOf(id) + ((<usize>e) << 2), <f32>(flow.mode == OFF ? 0 : flow.share));
  }
}

/** Lets a relaxation start where a case's ended. */
export function startFrom(id: i32): void {
  for (let k = 0; k < n; k++) setNum(NU, k, num(pricesOf(id), k));
  for (let e = 0; e < m; e++) {
    flowAt(e).center = shareOf(id, e);
    flowAt(e).share = flowAt(e).center;
  }
}

export function pricesAt(id: i32): usize {
  return pricesOf(id);
}

/** The case no split has been made of with the greatest bound, or −1. */
export function widestLeaf(): i32 {
  let widest = -1;
  for (let k = 0; k < caseCount; k++) {
    if (caseAt(k).first >= 0) continue;
    if (widest < 0 || caseAt(k).bound > caseAt(widest).bound) widest = k;
  }
  return widest;
}

/** Writes the tree, cut where a case's own prices already give `bound`; its number of leaves. */
export function writeTree(bound: f64): void {
  const h = header();
  let branches = 0;
  let rows = 0;
  // Breadth first: QUEUE is the records themselves, `index` holding the case until it is written.
  const root = changetype<Branch>(h.branches);
  root.index = 0;
  let count = 1;
  while (branches < count) {
    const branch = changetype<Branch>(h.branches + <usize>branches * offsetof<Branch>());
    branches++;
    const id = branch.index;
    const c = caseAt(id);
    if (c.first < 0 || c.bound <= bound) {
      branch.kind = LEAF;
      branch.index = rows;
      branch.used = -1;
      branch.unused = -1;
      const row = h.leafPrices + ((<usize>rows * <usize>h.nodeCount) << 3);
      memory.copy(row, pricesOf(id), (<usize>h.nodeCount) << 3);
      rows++;
      continue;
    }
    const split = caseAt(c.first);
    branch.kind = split.kind == BY_GROUP ? BY_GROUP : BY_VENUE;
    branch.index = split.index;
    branch.used = count;
    branch.unused = count + 1;
    for (let side = 0; side < 2; side++) {
      const child = changetype<Branch>(h.branches + <usize>count * offsetof<Branch>());
      child.index = c.first + side;
      count++;
    }
  }
  h.branchCount = count;
}
