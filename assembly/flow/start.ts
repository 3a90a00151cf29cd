// Prices to start from. Unknown prices follow a spanning tree of greatest depth at each pool's own
// spot price; a swap's are then improved by a few rounds of Bellman–Ford (best product of rates
// towards the bought node), capped at 5 % above the tree, or a dead pool's price would win. What the
// host gives as a node's start price is kept. Refuses nothing: an unreachable node starts at 1.

import { header } from '../layout';
import { CONCENTRATED, CONSTANT_PRODUCT, FORWARD, REVERSE, Tick } from '../problem';
import {
  EDGE_LIST,
  EDGE_START,
  ground,
  int,
  m,
  NU,
  n,
  nodeAt,
  num,
  STEP,
  setNum,
  venueAt,
} from './state';

const TREE_SLACK: f64 = 1.05;
const ROUNDS_MAX: i32 = 4;

/** Fills NU. */
export function startPrices(): void {
  // STEP holds the depth by which a node would join the tree; −1 once it has.
  for (let k = 0; k < n; k++) {
    const node = nodeAt(k);
    setNum(STEP, k, 0);
    let known: f64 = 0;
    if (k == ground) known = node.price;
    else if (node.start > 0) known = node.start;
    else if (ground < 0) known = node.price;
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
    if (!(num(NU, k) > 0)) setNum(NU, k, nodeAt(k).price > 0 ? nodeAt(k).price : 1.0);
    nodeAt(k).tree = num(NU, k);
  }
  if (ground >= 0) improve();
}

/** Offers `node`'s neighbours a price through each of its edges, kept if deeper than before. */
function spread(node: i32): void {
  const nu = num(NU, node);
  const end = int(EDGE_START, node + 1);
  for (let k = int(EDGE_START, node); k < end; k++) {
    const e = int(EDGE_LIST, k);
    const v = venueAt(e);
    const forward = v.from == node;
    const other = forward ? v.to : v.from;
    const joined = num(STEP, other);
    if (joined < 0 || joined == Infinity) continue;
    const rate = spot(e);
    if (!(rate > 0)) continue;
    const price = forward ? nu / rate : nu * rate;
    const depth = depthOf(e, forward ? nu : price, forward ? price : nu);
    if (depth > joined) {
      setNum(STEP, other, depth);
      setNum(NU, other, price);
    }
  }
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

function improve(): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let changed = false;
    for (let e = 0; e < m; e++) {
      const v = venueAt(e);
      const rate = spot(e);
      if (!(rate > 0)) continue;
      const linear = v.kind != CONSTANT_PRODUCT && v.kind != CONCENTRATED;
      const keep = linear ? 1.0 : v.keep;
      if (v.directions & FORWARD) changed = raise(v.from, keep * rate * num(NU, v.to)) || changed;
      if (v.directions & REVERSE) changed = raise(v.to, (keep / rate) * num(NU, v.from)) || changed;
    }
    if (!changed) return;
  }
}

function raise(node: i32, offer: f64): bool {
  if (node == ground || nodeAt(node).start > 0) return false;
  const price = min(offer, TREE_SLACK * nodeAt(node).tree);
  if (!(price > num(NU, node) * (1.0 + 1e-9))) return false;
  setNum(NU, node, price);
  return true;
}
