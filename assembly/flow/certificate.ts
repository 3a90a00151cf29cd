// The bound: for ANY prices ν, g(ν) = ν·supply + Σ max(0, f(ν) − q) is at least the value of every
// plan over these venues within their caps. A target's own prices are the least its nodes allow,
// then all prices are scaled until Σ weight·price = 1, so the bound needs no virtual capacity.

import { BATCH, header, SWAP } from '../layout';
import { BRIDGE } from '../problem';
import { respond } from './dual';
import { admitRisk } from './risk';
import {
  flowAt,
  m,
  NU,
  n,
  nodeAt,
  num,
  RELAXED,
  riskCount,
  setNum,
  targetAt,
  venueAt,
} from './state';

/** g at the prices in NU, which it first makes feasible. Leaves every edge relaxed and priced. */
export function certify(): f64 {
  const h = header();
  let bound = makeFeasible();
  for (let k = 0; k < h.nodeCount; k++) bound += num(NU, k) * nodeAt(k).supply;
  for (let e = 0; e < h.venueCount; e++) {
    const flow = flowAt(e);
    const mode = flow.mode;
    if (flow.kind == BRIDGE) flow.mode = RELAXED;
    respond(e, flow);
    flow.mode = mode;
    bound += max(flow.surplus - flow.cost, 0.0);
  }
  return bound;
}

/** Makes the prices admissible; returns Ū's part beyond ν·supply, which only risk has. */
function makeFeasible(): f64 {
  const h = header();
  if (h.objective == SWAP) return 0;
  if (riskCount > 0) return admitRisk();
  if (h.objective == BATCH) {
    for (let e = h.venueCount; e < m; e++) {
      const from = venueAt(e).from;
      setNum(NU, from, max(num(NU, from), 1.0));
    }
    return 0;
  }
  for (let k = h.nodeCount; k < n; k++) setNum(NU, k, Infinity);
  for (let k = 0; k < h.nodeCount; k++) {
    const g = nodeAt(k).target;
    if (g < 0) continue;
    const own = targetAt(g).node;
    if (own >= h.nodeCount) setNum(NU, own, min(num(NU, own), num(NU, k)));
  }
  let sum: f64 = 0;
  for (let k = 0; k < n; k++) {
    if (nodeAt(k).demand > 0) sum += nodeAt(k).demand * num(NU, k);
  }
  if (!(sum > 0)) return 0;
  for (let k = 0; k < n; k++) setNum(NU, k, num(NU, k) / sum);
  return 0;
}
