// Prices to start from. A spanning tree of greatest depth at each pool's own spot price is grown once
// per snapshot; a quote scales it to its own numeraire, and a swap improves it by a few rounds of
// Bellman–Ford (best product of rates towards the bought node), capped at 5 % above the tree, or a
// dead pool's price would win. What the host gives as a node's start price is kept. Refuses
// nothing: an unreachable node starts at its own price, or 1.

import { header } from '../layout';
import { CONCENTRATED, CONSTANT_PRODUCT, FORWARD, REVERSE, Tick, Venue } from '../problem';
import { poolDepth, poolRate } from './pools';
import {
  curveAt,
  curveCount,
  EDGE_LIST,
  EDGE_START,
  flowAt,
  ground,
  int,
  isPool,
  NU,
  n,
  nodeAt,
  num,
  OTHERS,
  otherCount,
  poolNodeAt,
  STEP,
  setNum,
  venueAt,
} from './state';

const TREE_SLACK: f64 = 1.05;
const ROUNDS_MAX: i32 = 4;

/** Fills every node's `tree` price; once per load. */
export function growTree(): void {
  // STEP holds the depth by which a node would join the tree; −1 once it has.
  for (let k = 0; k < n; k++) {
    const node = nodeAt(k);
    setNum(STEP, k, 0);
    let known: f64 = 0;
    if (k == ground || ground < 0) known = node.price;
    setNum(NU, k, known);
    if (known > 0) setNum(STEP, k, Infinity);
  }
  for (let round = 0; round < n; round++) {
    let best = -1;
    let depth: f64 = 0;
    for (let k = 0; k < n; k++) {
      if (num(STEP, k) > depth) {
        depth = num(STEP, k);
        best = k;
      }
    }
    if (best < 0) break;
    setNum(STEP, best, -1);
    spread(best);
  }
  for (let k = 0; k < n; k++) {
    const node = nodeAt(k);
    node.tree = num(NU, k);
    if (!(node.tree > 0)) node.tree = node.price > 0 ? node.price : 1.0;
  }
}

/** Fills NU. */
export function startPrices(): void {
  let scale: f64 = 1;
  if (ground >= 0 && nodeAt(ground).tree > 0) scale = nodeAt(ground).price / nodeAt(ground).tree;
  for (let k = 0; k < n; k++) {
    const node = nodeAt(k);
    setNum(NU, k, node.start > 0 && k != ground ? node.start : scale * node.tree);
  }
  if (ground >= 0) improve(scale);
}

/** Prices left behind by the last solve, for one that differs little. */
export function warmPrices(): void {
  for (let k = 0; k < n; k++) {
    const node = nodeAt(k);
    const dual = node.dual;
    setNum(NU, k, dual > 0 ? dual : node.tree);
  }
  if (ground < 0) return;
  const pinned = num(NU, ground);
  const scale = nodeAt(ground).price / pinned;
  if (scale != 1.0) for (let k = 0; k < n; k++) setNum(NU, k, num(NU, k) * scale);
}

/** Offers `node`'s neighbours a price through each of its edges, kept if deeper than before. */
function spread(node: i32): void {
  const end = int(EDGE_START, node + 1);
  for (let k = int(EDGE_START, node); k < end; k++) {
    const e = int(EDGE_LIST, k);
    const v = venueAt(e);
    if (isPool(v.kind)) spreadPool(v, node);
    else {
      const rate = spot(e);
      if (!(rate > 0)) continue;
      const forward = v.from == node;
      const other = forward ? v.to : v.from;
      const nu = num(NU, node);
      const price = forward ? nu / rate : nu * rate;
      offerTree(other, price, depthOf(e, forward ? nu : price, forward ? price : nu));
    }
  }
}

function spreadPool(v: Venue, node: i32): void {
  let own = 0;
  while (poolNodeAt(v, own).node != node) own++;
  for (let k = 0; k < v.nodeCount; k++) {
    if (k == own) continue;
    const price = num(NU, node) / poolRate(v, own, k);
    const depth = min(poolDepth(v, own) * num(NU, node), poolDepth(v, k) * price);
    offerTree(poolNodeAt(v, k).node, price, depth);
  }
}

function offerTree(node: i32, price: f64, depth: f64): void {
  const joined = num(STEP, node);
  if (joined < 0 || joined == Infinity || !(depth > joined)) return;
  setNum(STEP, node, depth);
  setNum(NU, node, price);
}

/** `to` per `from`, fees left out for pools. */
function spot(e: i32): f64 {
  const v = venueAt(e);
  if (v.kind == CONSTANT_PRODUCT) return v.b / v.a;
  if (v.kind == CONCENTRATED) return v.a * v.a;
  return v.keep;
}

/** Dollars of depth on the thinner side. */
function depthOf(e: i32, nuFrom: f64, nuTo: f64): f64 {
  const v = venueAt(e);
  if (v.kind == CONSTANT_PRODUCT) return min(v.a * nuFrom, v.b * nuTo);
  if (v.kind == CONCENTRATED) {
    const first = v.downCount > 0 ? v.down : v.up;
    if (v.downCount + v.upCount == 0) return 0;
    const tick = changetype<Tick>(header().ticks + <usize>first * offsetof<Tick>());
    return max(tick.liquidity * v.a * nuTo, 1e-300);
  }
  return v.a * nuFrom;
}

function improve(scale: f64): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let changed = false;
    for (let k = 0; k < curveCount; k++) {
      const curve = curveAt(k);
      const from = num(NU, curve.from) * curve.a;
      const to = num(NU, curve.to) * curve.b;
      // At most one way pays, and then only beyond the fee.
      if (curve.keep * to > from) {
        const offer = (curve.keep * to) / curve.a;
        if (curve.mask & FORWARD) changed = raise(curve.from, offer, scale) || changed;
      } else if (curve.keep * from > to && curve.mask & REVERSE) {
        changed = raise(curve.to, (curve.keep * from) / curve.b, scale) || changed;
      }
    }
    for (let k = 0; k < otherCount; k++) {
      const e = int(OTHERS, k);
      const v = venueAt(e);
      if (isPool(v.kind)) continue;
      const rate = spot(e);
      if (!(rate > 0)) continue;
      const keep = v.kind == CONSTANT_PRODUCT || v.kind == CONCENTRATED ? v.keep : 1.0;
      const mask = flowAt(e).mask;
      if (mask & FORWARD) changed = raise(v.from, keep * rate * num(NU, v.to), scale) || changed;
      if (mask & REVERSE) changed = raise(v.to, (keep / rate) * num(NU, v.from), scale) || changed;
    }
    if (!changed) return;
  }
}

function raise(node: i32, offer: f64, scale: f64): bool {
  if (node == ground || nodeAt(node).start > 0) return false;
  const price = min(offer, TREE_SLACK * scale * nodeAt(node).tree);
  if (!(price > num(NU, node) * (1.0 + 1e-9))) return false;
  setNum(NU, node, price);
  return true;
}
