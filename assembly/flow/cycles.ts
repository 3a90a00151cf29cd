// The plan's order: a plan must execute, so its graph has no cycle. Nodes are sorted topologically
// (Kahn 1962); where they cannot be, the least valuable edge of one cycle is named for the caller to
// bar. What a batch's orders bring and take stands outside. Refuses nothing.

import { BATCH_ORDER } from '../problem';
import {
  DEGREE,
  EDGE_LIST,
  EDGE_START,
  flowAt,
  HEAD,
  int,
  NU,
  n,
  num,
  PLAN,
  planCount,
  setInt,
  TOPO,
  TOPO_PLACE,
} from './state';

/** The edge whose flow closes a cycle, or −1. Set by `recover`. */
export let cycleEdge: i32 = -1;
/** Cycles met since the solve began. */
export let cyclesMet: i32 = 0;
export function forgetCycles(): void {
  cyclesMet = 0;
}

/** Topological order of all nodes into TOPO and TOPO_PLACE (Kahn). False leaves `cycleEdge`. */
export function sortNodes(): bool {
  cycleEdge = -1;
  for (let k = 0; k < n; k++) {
    setInt(DEGREE, k, 0);
    setInt(HEAD, k, -1);
    setInt(TOPO_PLACE, k, -1);
  }
  for (let k = planCount - 1; k >= 0; k--) {
    const e = int(PLAN, k);
    const flow = flowAt(e);
    // What orders bring and take stands outside: nettings are no cycles.
    if (flow.kind == BATCH_ORDER) continue;
    flow.next = int(HEAD, flow.tail);
    setInt(HEAD, flow.tail, e);
    setInt(DEGREE, flow.head, int(DEGREE, flow.head) + 1);
  }
  let ready = 0;
  for (let k = 0; k < n; k++) if (int(DEGREE, k) == 0) setInt(TOPO, ready++, k);
  for (let p = 0; p < ready; p++) {
    const node = int(TOPO, p);
    setInt(TOPO_PLACE, node, p);
    for (let e = int(HEAD, node); e >= 0; e = flowAt(e).next) {
      const head = flowAt(e).head;
      const left = int(DEGREE, head) - 1;
      setInt(DEGREE, head, left);
      if (left == 0) setInt(TOPO, ready++, head);
    }
  }
  if (ready == n) return true;
  cycleEdge = leastOfCycle();
  cyclesMet++;
  return false;
}

/** Walks back from any unsorted node until one repeats; the cycle's least valuable edge. */
function leastOfCycle(): i32 {
  let node = 0;
  while (int(TOPO_PLACE, node) >= 0) node++;
  // DEGREE doubles as the mark of visited nodes; STEP as the edge by which each was left backwards.
  for (let k = 0; k < n; k++) setInt(DEGREE, k, -1);
  while (int(DEGREE, node) < 0) {
    const edge = edgeInto(node);
    if (edge < 0) return anyFlow();
    setInt(DEGREE, node, edge);
    node = flowAt(edge).tail;
  }
  let least = -1;
  let worth = Infinity;
  const end = node;
  do {
    const edge = int(DEGREE, node);
    const flow = flowAt(edge);
    const value = flow.x * num(NU, flow.tail);
    if (value < worth) {
      worth = value;
      least = edge;
    }
    node = flow.tail;
  } while (node != end);
  return least;
}

/** Unreachable while amounts are numbers; with NaN among them any edge will do to make progress. */
function anyFlow(): i32 {
  return planCount > 0 ? int(PLAN, 0) : 0;
}

/** An edge that flows into an unsorted node from another unsorted node: there must be one. */
function edgeInto(node: i32): i32 {
  const end = int(EDGE_START, node + 1);
  for (let k = int(EDGE_START, node); k < end; k++) {
    const e = int(EDGE_LIST, k);
    const flow = flowAt(e);
    if (!(flow.x > 0)) continue;
    if (flow.head == node && int(TOPO_PLACE, flow.tail) < 0) return e;
  }
  return -1;
}
