// StableSwap pools of n nodes (Egorov, "StableSwap: efficient mechanism for stablecoin liquidity",
// 2019; Balancer's composable stable pools): with Ann = A·n as the contracts multiply it, balances z
// in the pool's own units and over D, q = 1/(nⁿΠz),
//   F(z) = Ann·Σz − q − (Ann − 1) ≥ 0,   ∂F/∂zᵢ = Ann + q/zᵢ.
// Best response at prices ν: at one multiplier θ, Ann + q/zᵢ = θpᵢ with pᵢ = ν where the pool pays out and
// ν/γ where it takes in, zᵢ = Rᵢ between. In logs, ℓ = log(q/q₀), sᵢ = log(zᵢ/Rᵢ) = ℓ − log(Rᵢ(θpᵢ − Ann)/q₀),
// with ℓ + Σsᵢ = 0 and F = 0: two nested scalar roots (stableRoot.ts).
// f = D(q/θ)(φ(ℓ) + Σφ(sᵢ)). Refuses nothing: index.ts checks.

import { Flow } from '../flow/records';
import { FORWARD, PoolNode, REVERSE, Venue } from '../problem';
import {
  ACTIVE,
  bend,
  CAPPED,
  clearResponse,
  growthAtCap,
  poolNodeAt,
  price,
  Slot,
  slotAt,
} from './pool';
import { admit, ann, begin, count, findRoot, level, rest, theta } from './stableRoot';

/** The contracts allow as many; far from balance D falls by n/(n + 1) a step at first. */
const INVARIANT_STEPS_MAX: i32 = 255;

/**
 * Best trade at the prices `nu` (by node index) over the pool nodes whose bit is set in `allowed`;
 * the others keep their balance. Writes each PoolNode's net trade (positive: paid out; negative:
 * taken in, fee included) and, unless `hessian` is 0, the price-scaled Hessian νᵢνⱼ·∂²f/∂νᵢ∂νⱼ there,
 * row-major nodeCount². Returns f = Σ ν·trade ≥ 0.
 */
export function respondStable(
  v: Venue,
  first: usize,
  nu: usize,
  allowed: u32,
  hessian: usize,
): f64 {
  clearResponse(v, first, hessian);
  measureRest(v, first);
  for (let i = 0; i < v.nodeCount; i++) {
    if (!((allowed >> i) & 1)) continue;
    const node = poolNodeAt(first, i);
    enter(v, i, node, price(nu, node), node.cap);
  }
  if (!findRoot(v.keep)) return 0;
  const surplus = settle(v, first);
  if (hessian) curve(v, hessian);
  return surplus;
}

/**
 * Output for input x from the pool's i-th node to its j-th. With z = Rⱼ − y the invariant is a quadratic,
 * z² + Bz = C, B = q₀/Ann − R + Δ, C = (1 − u)R·q₀/Ann, Δ = γx, u = Δ/(Rᵢ + Δ); solved for y directly:
 *   y = 2E/(R + q₀/Ann + Δ + √(B² + 4C)),  E = ΔR + uR·q₀/Ann: nothing cancels.
 */
export function forwardStable(v: Venue, first: usize, i: i32, j: i32, x: f64): f64 {
  measureRest(v, first);
  const from = poolNodeAt(first, i);
  const to = poolNodeAt(first, j);
  const share = rest / ann;
  const r = owned(to) / v.b;
  const own = owned(from) / v.b;
  const delta = (v.keep * x * from.rate) / v.b;
  const u = delta / (own + delta);
  const b = share - r + delta;
  const root = sqrt(b * b + 4.0 * r * share * (own / (own + delta)));
  const y = (2.0 * (delta + u * share)) / (r + share + delta + root);
  return to.balance * min(y, 1.0);
}

/** Writes the best trade between the i-th node (`from`) and the j-th (`to`) into `flow`. */
export function respondStablePair(
  v: Venue,
  first: usize,
  i: i32,
  j: i32,
  flow: Flow,
  nuI: f64,
  nuJ: f64,
): void {
  measureRest(v, first);
  const from = poolNodeAt(first, i);
  const to = poolNodeAt(first, j);
  enter(v, i, from, nuI, flow.mask & FORWARD ? v.capFrom : 0);
  enter(v, j, to, nuJ, flow.mask & REVERSE ? v.capTo : 0);
  from.trade = 0;
  to.trade = 0;
  flow.surplus = findRoot(v.keep) ? settle(v, first) : 0;
  const one = slotAt(0);
  const other = slotAt(1);
  // At the kink nothing trades yet: the node that would be taken in is the one with the higher θ.
  const forward = from.trade == to.trade ? one.depth > other.depth : to.trade > 0;
  flow.direction = forward ? FORWARD : REVERSE;
  flow.input = 0.0 - (forward ? from.trade : to.trade);
  flow.output = forward ? to.trade : from.trade;
  flow.curvature = 0;
  if (one.state != ACTIVE || other.state != ACTIVE) return;
  const norm = weigh();
  flow.curvature = v.b * curvature(one, other, 0, 1, norm);
}

/** The invariant D in the pool's own units; measured once a snapshot (Venue.b). */
export function invariantStable(v: Venue, first: usize): f64 {
  if (v.b > 0) return v.b;
  const n = <f64>v.nodeCount;
  let sum: f64 = 0;
  for (let i = 0; i < v.nodeCount; i++) sum += owned(poolNodeAt(first, i));
  // Newton from above, as the contracts do, with q/D kept apart so that nothing overflows.
  let d = sum;
  for (let k = 0; k < INVARIANT_STEPS_MAX; k++) {
    let q: f64 = 1;
    for (let i = 0; i < v.nodeCount; i++) q *= d / (n * owned(poolNodeAt(first, i)));
    const next = (v.a * sum + n * q * d) / (v.a - 1.0 + (n + 1.0) * q);
    const off = abs(next - d);
    d = next;
    if (off <= 2e-16 * d) break;
  }
  v.b = d;
  return d;
}

function owned(node: PoolNode): f64 {
  return node.balance * node.rate;
}

function measureRest(v: Venue, first: usize): void {
  const d = invariantStable(v, first);
  const n = <f64>v.nodeCount;
  let q: f64 = 1;
  for (let i = 0; i < v.nodeCount; i++) q *= d / (n * owned(poolNodeAt(first, i)));
  begin(v.a, q);
}

function enter(v: Venue, i: i32, node: PoolNode, nu: f64, cap: f64): void {
  const top = growthAtCap(v.keep, cap, node.balance);
  admit(i, owned(node) / v.b, nu / node.rate, cap, top);
}

/** Trades and surplus at the root. */
function settle(v: Venue, first: usize): f64 {
  const q = rest * Math.exp(level);
  let surplus = level == 0 ? 0 : bend(level);
  let extra: f64 = 0;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    const node = poolNodeAt(first, slot.node);
    const s = slot.growth;
    if (slot.state == CAPPED) {
      // The node is worth less to the pool than θ says: what it gains on top.
      const grown = slot.balance * Math.expm1(s);
      const margin = (ann + q / (slot.balance + grown)) / theta - slot.price / v.keep;
      extra += max(margin, 0.0) * grown;
      node.trade = -slot.cap;
    } else if (s < 0) {
      node.trade = -node.balance * Math.expm1(s);
      slot.state = ACTIVE;
    } else if (s > 0) {
      node.trade = (-node.balance * Math.expm1(s)) / v.keep;
      slot.state = ACTIVE;
    }
    if (s != 0) surplus += bend(s);
  }
  return v.b * ((q / theta) * surplus + extra);
}

/**
 * Curvature between two trading nodes, with cᵢ = Ann·zᵢ + q over the k nodes that trade:
 *   wᵢⱼ = D·cᵢcⱼ(cᵢcⱼ + Σ_{m≠i,j}(c_m − cᵢ)(c_m − cⱼ)) / (θq(Σc² + Σ_{i<j}(cᵢ − cⱼ)²));  Hᵢⱼ = −wᵢⱼ, rows sum to 0.
 * This is diag(p)[M⁻¹ − M⁻¹FF′M⁻¹/(F′M⁻¹F)]diag(p), M⁻¹ = (θ/q)(diag z² − zz′/(1 + k)), by Lagrange's identity:
 * the plain form loses the square of the pool's imbalance in digits.
 */
function curve(v: Venue, hessian: usize): void {
  const n = v.nodeCount;
  const norm = weigh();
  for (let k = 0; k < count; k++) {
    const one = slotAt(k);
    if (one.state != ACTIVE) continue;
    let sum: f64 = 0;
    for (let l = 0; l < count; l++) {
      const other = slotAt(l);
      if (l == k || other.state != ACTIVE) continue;
      const w = v.b * curvature(one, other, k, l, norm);
      store<f64>(hessian + ((<usize>(one.node * n + other.node)) << 3), -w);
      sum += w;
    }
    store<f64>(hessian + ((<usize>(one.node * n + one.node)) << 3), sum);
  }
}

/** Every trading slot's c, and Σc² + Σ_{i<j}(cᵢ − cⱼ)². */
function weigh(): f64 {
  const q = rest * Math.exp(level);
  let norm: f64 = 0;
  for (let k = 0; k < count; k++) {
    const one = slotAt(k);
    if (one.state != ACTIVE) continue;
    one.worth = ann * one.balance * Math.exp(one.growth) + q;
    norm += one.worth * one.worth;
    for (let l = 0; l < k; l++) {
      const other = slotAt(l);
      if (other.state != ACTIVE) continue;
      const apart = one.worth - other.worth;
      norm += apart * apart;
    }
  }
  return norm;
}

function curvature(one: Slot, other: Slot, k: i32, l: i32, norm: f64): f64 {
  const both = one.worth * other.worth;
  let sum = both;
  for (let m = 0; m < count; m++) {
    const third = slotAt(m);
    if (m == k || m == l || third.state != ACTIVE) continue;
    sum += (third.worth - one.worth) * (third.worth - other.worth);
  }
  return ((both / norm) * sum) / (theta * rest * Math.exp(level));
}
