// The dual objective, its gradient and its Hessian at the current prices, in one pass over the edges:
//   ĝ(ν) = ν·supply + Σ_free f(ν) + Σ_proximal max_{0≤z≤1} z·F(ν) − σ(z − z̄)²/2,   F = f − q.
// A rebalance judged by its risk adds flow/risk.ts; for another Σ demandᵢνᵢ = 1 is kept by scaling
// and the gradient is the Lagrangian's. Gradient and Hessian are scaled by prices (derivatives in log ν). The Hessian's diagonal is summed here; off
// the diagonal it is the list of active edges, so that whatever follows costs what trades, not what
// is listed. Refuses no input.

import { header } from '../layout';
import {
  BATCH_ORDER,
  BRIDGE,
  CONCENTRATED,
  CONSTANT_PRODUCT,
  FORWARD,
  ORDER as ORDER_KIND,
  REVERSE,
  WORTH,
} from '../problem';
import { respondBridge } from '../venues/bridge';
import { respondConcentrated } from '../venues/concentrated';
import { KINK, respondConstantProduct, sell } from '../venues/constantProduct';
import { respondLinear } from '../venues/linear';
import { respondOrder } from '../venues/order';
import { addHull, hullLost, respondHull, respondPair } from './pools';
import { Flow } from './records';
import { addRisk, riskLoss } from './risk';
import {
  activate,
  CURVE_OF,
  curveAt,
  curveCount,
  DEMAND,
  DIAGONAL,
  deactivateAll,
  flowAt,
  GRADIENT,
  ground,
  headOf,
  int,
  isHull,
  isPlain,
  NU,
  n,
  num,
  OTHERS,
  otherCount,
  RANGED,
  riskCount,
  SUPPLY,
  setNum,
  tailOf,
  venueAt,
} from './state';

/** Half of it is the concentrated response's own; twice that far from its kink nothing trades. */
const RANGE_KINK: f64 = 4e-12;

/** What is still lost at the kinks: Σ max(0, F) − z·F, dollars. */
export let complementarity: f64 = 0;

/** Fills GRADIENT, DIAGONAL, the active edges and their flows; returns ĝ. */
export function evaluate(): f64 {
  let total: f64 = 0;
  for (let k = 0; k < n; k++) {
    const worth = num(NU, k) * num(SUPPLY, k);
    setNum(GRADIENT, k, worth);
    setNum(DIAGONAL, k, 0);
    total += worth;
  }
  deactivateAll();
  total += addCurves();
  complementarity = 0;
  for (let k = 0; k < otherCount; k++) {
    const e = int(OTHERS, k);
    const flow = flowAt(e);
    if (flow.center == 0 && rests(e)) flow.share = 0;
    else total += addEdge(e, flow);
  }
  if (riskCount > 0) {
    total += addRisk();
    complementarity += riskLoss;
  } else constrain();
  return total;
}

/** Whether an edge is a pool of two nodes that surely trades nothing at these prices: so are most. */
export function rests(e: i32): bool {
  const place = int(CURVE_OF, e);
  if (place < 0) return false;
  const curve = curveAt(place);
  const from = num(NU, curve.from) * curve.a;
  const to = num(NU, curve.to) * curve.b;
  const far = 1.0 - RANGE_KINK;
  return curve.keep * to <= from * far && curve.keep * from <= to * far;
}

/** All pools of two nodes that are free: the hot loop. Idle ones cost a compare and no store. */
function addCurves(): f64 {
  let total: f64 = 0;
  for (let k = 0; k < curveCount; k++) {
    const curve = curveAt(k);
    if (curve.mask == 0) continue;
    const nuFrom = num(NU, curve.from);
    const nuTo = num(NU, curve.to);
    const from = nuFrom * curve.a;
    const to = nuTo * curve.b;
    if (curve.mask & RANGED) {
      const near = from * (1.0 - RANGE_KINK);
      const idle = curve.keep * to <= near && curve.keep * from <= to * (1.0 - RANGE_KINK);
      if (!idle) total += addRange(curve.edge, nuFrom, nuTo);
    } else if (curve.mask & FORWARD && curve.keep * to > from * (1.0 - KINK)) {
      const flow = flowAt(curve.edge);
      flow.direction = FORWARD;
      sell(flow, curve.a, curve.b, curve.keep, curve.spread, from, to, nuFrom, nuTo, curve.capFrom);
      total += addSmooth(curve.edge, flow, curve.from, curve.to);
    } else if (curve.mask & REVERSE && curve.keep * from > to * (1.0 - KINK)) {
      const flow = flowAt(curve.edge);
      flow.direction = REVERSE;
      sell(flow, curve.b, curve.a, curve.keep, curve.spread, to, from, nuTo, nuFrom, curve.capTo);
      total += addSmooth(curve.edge, flow, curve.to, curve.from);
    }
  }
  return total;
}

function addRange(e: i32, nuFrom: f64, nuTo: f64): f64 {
  const v = venueAt(e);
  const flow = flowAt(e);
  respondConcentrated(v, header().ticks, flow, nuFrom, nuTo);
  if (!(flow.input > 0) && flow.curvature == 0) return flow.surplus;
  return addSmooth(e, flow, tailOf(v, flow), headOf(v, flow));
}

/** Takes a smooth edge's whole response. */
function addSmooth(e: i32, flow: Flow, tail: i32, head: i32): f64 {
  const w = flow.curvature;
  flow.share = 1;
  flow.hii = w;
  flow.hij = -w;
  flow.hjj = w;
  activate(e, flow, tail, head);
  setNum(GRADIENT, tail, num(GRADIENT, tail) - num(NU, tail) * flow.input);
  setNum(GRADIENT, head, num(GRADIENT, head) + num(NU, head) * flow.output);
  setNum(DIAGONAL, tail, num(DIAGONAL, tail) + w);
  setNum(DIAGONAL, head, num(DIAGONAL, head) + w);
  return flow.surplus;
}

/** Any other edge: all of it, or the proximal share z of it. */
function addEdge(e: i32, flow: Flow): f64 {
  if (isHull(flow)) {
    const part = addHull(e, venueAt(e), flow);
    complementarity += hullLost;
    return part;
  }
  respond(e, flow);
  const whole = isPlain(flow);
  let z: f64 = 1;
  let stiff: f64 = 0;
  let total = flow.surplus;
  if (!whole) {
    const gain = flow.surplus - flow.cost;
    const wish = flow.center + gain / flow.sigma;
    z = min(max(wish, 0.0), 1.0);
    const off = z - flow.center;
    total = z * gain - 0.5 * flow.sigma * off * off;
    complementarity += max(gain, 0.0) - z * gain;
    if (wish > 0 && wish < 1) stiff = 1.0 / flow.sigma;
  }
  flow.share = z;
  const v = venueAt(e);
  const tail = tailOf(v, flow);
  const head = headOf(v, flow);
  const paid = num(NU, tail) * flow.input;
  const got = num(NU, head) * flow.output;
  const w = z * flow.curvature;
  flow.hii = w + stiff * paid * paid;
  flow.hij = -w - stiff * paid * got;
  flow.hjj = w + stiff * got * got;
  if (!(z * flow.input > 0) && flow.hij == 0) return total;
  activate(e, flow, tail, head);
  setNum(GRADIENT, tail, num(GRADIENT, tail) - z * paid);
  setNum(GRADIENT, head, num(GRADIENT, head) + z * got);
  setNum(DIAGONAL, tail, num(DIAGONAL, tail) + flow.hii);
  setNum(DIAGONAL, head, num(DIAGONAL, head) + flow.hjj);
  return total;
}

/** Subtracts T·demandᵢνᵢ, or pins the bought node: what is left is zero at the optimum. */
function constrain(): void {
  if (ground >= 0) {
    setNum(GRADIENT, ground, 0);
    return;
  }
  let size: f64 = 0;
  for (let k = 0; k < n; k++) size += num(GRADIENT, k);
  for (let k = 0; k < n; k++) {
    setNum(GRADIENT, k, num(GRADIENT, k) - size * num(DEMAND, k) * num(NU, k));
  }
}

/** Scales prices so that Σ demandᵢνᵢ = 1; a swap's are pinned already, risk fixes them by itself. */
export function normalise(): void {
  if (ground >= 0 || riskCount > 0) return;
  let sum: f64 = 0;
  for (let k = 0; k < n; k++) sum += num(DEMAND, k) * num(NU, k);
  if (!(sum > 0)) return;
  const scale = 1.0 / sum;
  for (let k = 0; k < n; k++) setNum(NU, k, num(NU, k) * scale);
}

/** One venue's best response at the current prices. */
export function respond(e: i32, flow: Flow): void {
  const v = venueAt(e);
  const nuFrom = num(NU, v.from);
  const nuTo = num(NU, v.to);
  const kind = flow.kind;
  if (kind == CONSTANT_PRODUCT) respondConstantProduct(v, flow, nuFrom, nuTo);
  else if (kind == CONCENTRATED) respondConcentrated(v, header().ticks, flow, nuFrom, nuTo);
  else if (kind == ORDER_KIND) respondOrder(v, flow, nuFrom, nuTo);
  else if (kind == BRIDGE) respondBridge(v, flow, nuFrom, nuTo);
  else if (kind == WORTH || kind == BATCH_ORDER) respondLinear(v, flow, nuFrom, nuTo, 0);
  else if (flow.pair >= 0) respondPair(v, flow, nuFrom, nuTo);
  else respondHull(v, flow, 0);
}
