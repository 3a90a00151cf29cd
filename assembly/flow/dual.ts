// The dual objective, its gradient and its Hessian at the current prices, in one pass over the edges:
//   ĝ(ν) = ν·supply + Σ_free f(ν) + Σ_proximal max_{0≤z≤1} z·F(ν) − σ(z − z̄)²/2,   F = f − q.
// For a rebalance Σ demandᵢνᵢ = 1 is kept by scaling and the gradient is the Lagrangian's. Gradient
// and Hessian are scaled by prices (derivatives in log ν). Refuses no input.

import { header } from '../layout';
import { BRIDGE, CONCENTRATED, CONSTANT_PRODUCT, ORDER as ORDER_KIND, WORTH } from '../problem';
import { respondBridge } from '../venues/bridge';
import { respondConcentrated } from '../venues/concentrated';
import { respondConstantProduct } from '../venues/constantProduct';
import { respondLinear } from '../venues/linear';
import { respondOrder } from '../venues/order';
import {
  DEMAND,
  Flow,
  FREE,
  flowAt,
  GRADIENT,
  ground,
  headOf,
  isSmooth,
  m,
  NU,
  n,
  num,
  OFF,
  SUPPLY,
  setNum,
  tailOf,
  venueAt,
} from './state';

/** What is still lost at the kinks: Σ max(0, F) − z·F, dollars. */
export let complementarity: f64 = 0;
/** Σ of the gradient before the constraint: the portfolio's size T, or 0 for a swap. */
export let portfolio: f64 = 0;

/** Fills GRADIENT and every flow; returns ĝ. */
export function evaluate(): f64 {
  let total: f64 = 0;
  let lost: f64 = 0;
  for (let k = 0; k < n; k++) {
    const worth = num(NU, k) * num(SUPPLY, k);
    setNum(GRADIENT, k, worth);
    total += worth;
  }
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.mode == OFF) continue;
    respond(e, flow);
    const v = venueAt(e);
    const tail = tailOf(v, flow);
    const head = headOf(v, flow);
    const paid = num(NU, tail) * flow.input;
    const got = num(NU, head) * flow.output;
    let z: f64 = 1;
    if (flow.mode == FREE && isSmooth(flow.kind)) {
      total += flow.surplus;
      flow.hii = flow.curvature;
      flow.hij = -flow.curvature;
      flow.hjj = flow.curvature;
      flow.share = 1;
      if (flow.surplus == 0) continue;
    } else {
      const gain = flow.surplus - flow.cost;
      const wish = flow.center + gain / flow.sigma;
      z = min(max(wish, 0.0), 1.0);
      const off = z - flow.center;
      total += z * gain - 0.5 * flow.sigma * off * off;
      lost += max(gain, 0.0) - z * gain;
      const w = z * flow.curvature;
      flow.hii = w;
      flow.hij = -w;
      flow.hjj = w;
      if (wish > 0 && wish < 1) {
        const stiff = 1.0 / flow.sigma;
        flow.hii += stiff * paid * paid;
        flow.hij -= stiff * paid * got;
        flow.hjj += stiff * got * got;
      }
      if (z == 0) {
        flow.share = 0;
        continue;
      }
    }
    flow.share = z;
    setNum(GRADIENT, tail, num(GRADIENT, tail) - z * paid);
    setNum(GRADIENT, head, num(GRADIENT, head) + z * got);
  }
  complementarity = lost;
  constrain();
  return total;
}

/** Subtracts T·demandᵢνᵢ, or pins the bought node: what is left is zero at the optimum. */
function constrain(): void {
  if (ground >= 0) {
    portfolio = num(GRADIENT, ground);
    setNum(GRADIENT, ground, 0);
    return;
  }
  let size: f64 = 0;
  for (let k = 0; k < n; k++) size += num(GRADIENT, k);
  portfolio = size;
  for (let k = 0; k < n; k++) {
    setNum(GRADIENT, k, num(GRADIENT, k) - size * num(DEMAND, k) * num(NU, k));
  }
}

/** Scales prices so that Σ demandᵢνᵢ = 1; a swap's are pinned already. */
export function normalise(): void {
  if (ground >= 0) return;
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
  else if (kind == WORTH) respondLinear(v, flow, nuFrom, nuTo, 0);
}
