// Best single paths with gas: a start for small orders, whose relaxation spreads over venues that
// each cost more than they bring. Dynamic programme over hops: the best amount at every node after
// h trades of one undivided amount, judged by its worth at the root's prices less the fixed costs.

import { header, SWAP } from '../layout';
import { FORWARD, REVERSE } from '../problem';
import { forward, roomOf } from './edges';
import { flowAt, ground, isPool, m, n, nodeAt, num, PATH, ROOT_NU, setInt, venueAt } from './state';

const HOPS_MAX: i32 = 4;

// ╒════════════ Step, 32 bytes (own) ═════════════╕
// │  0 amount f64 │ 8 gas f64 │ 16 edge i32 (−1)  │
// │ 20 previous node i32                          │
// └───────────────────────────────────────────────┘
@unmanaged
class Step {
  amount: f64;
  gas: f64;
  edge: i32;
  previous: i32;
  reserved: f64;
}

function stepAt(hop: i32, node: i32): Step {
  return changetype<Step>(PATH + <usize>(hop * n + node) * offsetof<Step>());
}

/** Flags in `used` the best path for `part` of the sold amount; false if none arrives. */
export function bestPath(part: f64, used: usize): bool {
  if (header().objective != SWAP) return false;
  for (let hop = 0; hop <= HOPS_MAX; hop++) {
    for (let k = 0; k < n; k++) {
      const step = stepAt(hop, k);
      step.amount = hop == 0 ? part * nodeAt(k).supply : 0;
      step.gas = 0;
      step.edge = -1;
      step.previous = -1;
    }
    if (hop > 0) relax(hop);
  }
  let best = 0;
  let bestWorth: f64 = -Infinity;
  for (let hop = 1; hop <= HOPS_MAX; hop++) {
    const step = stepAt(hop, ground);
    if (step.edge >= 0 && worthOf(step, ground) > bestWorth) {
      bestWorth = worthOf(step, ground);
      best = hop;
    }
  }
  if (best == 0) return false;
  for (let e = 0; e < m; e++) setInt(used, e, 0);
  let node = ground;
  for (let hop = best; hop > 0; hop--) {
    const step = stepAt(hop, node);
    if (step.edge < 0) return false;
    setInt(used, step.edge, 1);
    node = step.previous;
  }
  return true;
}

function worthOf(step: Step, node: i32): f64 {
  return step.amount * num(ROOT_NU, node) - step.gas;
}

function relax(hop: i32): void {
  const h = header();
  for (let e = 0; e < h.venueCount; e++) {
    const v = venueAt(e);
    if (isPool(v.kind) && flowAt(e).pair < 0) continue;
    if (v.directions & FORWARD) offer(hop, e, FORWARD, v.from, v.to);
    if (v.directions & REVERSE) offer(hop, e, REVERSE, v.to, v.from);
  }
}

function offer(hop: i32, e: i32, direction: i32, tail: i32, head: i32): void {
  const before = stepAt(hop - 1, tail);
  if (!(before.amount > 0)) return;
  const v = venueAt(e);
  const amount = forward(e, v, direction, min(before.amount, roomOf(v, direction)));
  const gas = before.gas + v.fixedCost;
  const after = stepAt(hop, head);
  if (!(amount > 0)) return;
  if (after.edge >= 0 && amount * num(ROOT_NU, head) - gas <= worthOf(after, head)) return;
  after.amount = amount;
  after.gas = gas;
  after.edge = e;
  after.previous = tail;
}
