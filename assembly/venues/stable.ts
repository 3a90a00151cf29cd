// StableSwap pools of n nodes (Egorov, "StableSwap: efficient mechanism for stablecoin liquidity",
// 2019; Balancer's composable stable pools): with Ann = A·n as the contracts multiply it, balances z
// in the pool's own units and over D, q = 1/(nⁿΠz),
//   F(z) = Ann·Σz − q − (Ann − 1) ≥ 0,   ∂F/∂zᵢ = Ann + q/zᵢ.
// Best response at prices ν: at one multiplier θ, Ann + q/zᵢ = θpᵢ with pᵢ = ν where the pool pays out and
// ν/γ where it takes in, zᵢ = Rᵢ between. In logs, ℓ = log(q/q₀), sᵢ = log(zᵢ/Rᵢ) = ℓ − log(Rᵢ(θpᵢ − Ann)/q₀):
//   inner root  ℓ + Σsᵢ = 0 at a given θ (pool.ts);
//   outer root  log(Ann·Σz) = log(q + Ann − 1), falling in T = θp_ref − Ann for the cheapest node, which
//   is never below 1: there q ≥ 1, T ≥ q/z_ref and Ann·Σz = q + Ann − 1. θpᵢ − Ann = (pᵢ/p_ref − 1)(Ann + T) + T
//   then cancels nothing that matters, however far from the peg.
// f = D(q/θ)(φ(ℓ) + Σφ(sᵢ)). Refuses nothing: index.ts checks.

import { Flow } from '../flow/state';
import { FORWARD, PoolNode, REVERSE, Venue } from '../problem';
import {
  ACTIVE,
  bend,
  CAPPED,
  clearResponse,
  findLevel,
  growthAtCap,
  growthOf,
  KINK,
  poolNodeAt,
  price,
  RESTING,
  Slot,
  slotAt,
} from './pool';

/** The contracts allow as many; far from balance D falls by n/(n + 1) a step at first. */
const INVARIANT_STEPS_MAX: i32 = 255;
/** Newton takes 3–8; bisection of 10³⁰⁰ to the last bit would take 64. */
const ROOT_STEPS_MAX: i32 = 80;
/** Longest step of log T upwards, where nothing bounds it. */
const STEP_MAX: f64 = 8;
/** A step whose square is this far below the widest growth is taken to first order. */
const LAST_SQUARE: f64 = 1e-16;
/** Larger ones are not corrected for: the search has failed to converge. */
const LAST_STEP: f64 = 1e-6;
/** Factor of digits a payer's θν − Ann may lose before the search is repeated around it. */
const LOST_MAX: f64 = 16;
/** A cap below this share of the balance is none: what it buys is lost in rounding. */
const TOP_LEAST: f64 = 1e-13;
/** Bounds of T computed with rounding are widened by this share. */
const SLACK: f64 = 1e-10;

/** The response in the making: what the steps below hand to each other. */
let count: i32 = 0;
let ann: f64 = 0;
/** q before the trade, over D. */
let rest: f64 = 0;
/** Σ s of the nodes held at their caps, and Σ of what they added to Ann·Σz. */
let heldGrowth: f64 = 0;
let held: f64 = 0;
/** θ = (ann + T)·unit. */
let unit: f64 = 0;
let theta: f64 = 0;
let level: f64 = 0;
/** At the last evaluation: the largest |s|, dℓ/d log T, Newton's step of log T, the residual. */
let widest: f64 = 0;
let rise: f64 = 0;
let step: f64 = 0;
let residual: f64 = 0;

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
  count = 0;
  for (let i = 0; i < v.nodeCount; i++) {
    if (!((allowed >> i) & 1)) continue;
    const node = poolNodeAt(first, i);
    admit(v, i, node, price(nu, node), node.cap);
  }
  const surplus = trade(v, first);
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
  count = 0;
  admit(v, i, from, nuI, flow.mask & FORWARD ? v.capFrom : 0);
  admit(v, j, to, nuJ, flow.mask & REVERSE ? v.capTo : 0);
  from.trade = 0;
  to.trade = 0;
  flow.surplus = trade(v, first);
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
  ann = v.a;
  rest = q;
}

/** Adds a node that may trade: its kink in θ is (Ann + q₀/R)/ν, times γ when taking in. */
function admit(v: Venue, i: i32, node: PoolNode, nu: f64, cap: f64): void {
  const slot = slotAt(count++);
  slot.node = i;
  slot.state = RESTING;
  slot.weight = 1;
  slot.balance = owned(node) / v.b;
  slot.price = nu / node.rate;
  slot.depth = (ann + rest / slot.balance) / slot.price;
  slot.cap = cap;
  slot.top = growthAtCap(v.keep, cap, node.balance);
  if (slot.top < TOP_LEAST) slot.top = 0;
  slot.growth = 0;
  slot.full = Infinity;
}

/** The best trade of the admitted nodes. */
function trade(v: Venue, first: usize): f64 {
  let least = Infinity;
  let most: f64 = 0;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    least = min(least, slot.depth);
    if (slot.top > 0) most = max(most, slot.depth);
  }
  if (!(v.keep * most > least * (1.0 - KINK))) return 0;
  heldGrowth = 0;
  held = 0;
  level = 0;
  theta = least;
  if (v.keep * most > least) {
    search(v, sqrt(least * v.keep * most));
  } else {
    for (let k = 0; k < count; k++) {
      const slot = slotAt(k);
      const takes = slot.top > 0 && v.keep * slot.depth >= theta * (1.0 - 2.0 * KINK);
      if (takes || slot.depth <= theta * (1.0 + 2.0 * KINK)) slot.state = ACTIVE;
    }
  }
  return settle(v, first);
}

/**
 * θ at the optimum. T ≥ 1 holds for a reference that is not held at its cap: where the residual at
 * T = 1 is already negative the reference is held, and the next cheapest takes its place.
 */
function search(v: Venue, guess: f64): void {
  let high = Infinity;
  for (let round = 0; round < count; round++) {
    const reference = choose();
    const slot = slotAt(reference);
    refer(slot.price, slot.top > 0 ? v.keep : 1, v.keep);
    const low: f64 = 1.0 - SLACK;
    if (slot.top > 0 && slot.top < Infinity) {
      evaluate(low);
      if (residual < 0) {
        slot.state = CAPPED;
        slot.growth = slot.top;
        heldGrowth += slot.top;
        held += ann * slot.balance * Math.expm1(slot.top);
        high = (ann + low) * unit;
        continue;
      }
    }
    let most = high / unit - ann;
    most += SLACK * (ann + most);
    let t = guess / unit - ann;
    if (!(t > low)) t = low + 1.0;
    if (!(t < most)) t = 0.5 * (low + most);
    solve(low, t, most);
    break;
  }
  refine(v.keep);
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.growth > 0 && slot.growth == slot.top) slot.state = CAPPED;
  }
}

/**
 * A payer cheaper than the reference (it may not take in, so it was not chosen) has its θν − Ann from
 * a difference. If that cost digits, solve once more around it as the reference; if it cost all of
 * them, nothing seems to pay, and the cheapest such node is the one that must.
 */
function refine(keep: f64): void {
  const whole = theta / unit;
  let paying = false;
  let cheapest = -1;
  let blocked = -1;
  let least: f64 = (whole - ann) / LOST_MAX;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED) continue;
    if (slot.top == 0 && (blocked < 0 || slot.price < slotAt(blocked).price)) blocked = k;
    if (slot.growth >= 0) continue;
    paying = true;
    const own = slot.paid * whole + (whole - ann);
    if (own >= least) continue;
    least = own;
    cheapest = k;
  }
  if (cheapest >= 0) {
    refer(slotAt(cheapest).price, 1, keep);
    solve(0.25 * least, least, 4.0 * least);
  } else if (!paying && blocked >= 0) {
    refer(slotAt(blocked).price, 1, keep);
    solve(1.0 - SLACK, 2, Infinity);
  }
}

/** The outer root: T from `least` through `start` to `most`. */
function solve(least: f64, start: f64, most: f64): void {
  let low = least;
  let high = most;
  let t = start;
  for (let k = 0; k < ROOT_STEPS_MAX; k++) {
    evaluate(t);
    if (residual > 0) low = t;
    else high = t;
    if (step * step < LAST_SQUARE * widest && clear()) break;
    let next =
      abs(step) < 1e-3 ? t + t * step * (1.0 + 0.5 * step) : t * Math.exp(min(step, STEP_MAX));
    if (!(next > low && next < high)) next = high < Infinity ? sqrt(low * high) : 64.0 * low;
    if (abs(next - t) <= 2e-16 * t || !(next > low && next < high)) break;
    t = next;
  }
  const last = abs(step) < LAST_STEP ? step : 0;
  correct(last);
  theta = (ann + t + t * last) * unit;
}

/** Whether Newton's last step leaves every node on its side of the kinks. */
function clear(): bool {
  const room = 4.0 * abs(step);
  if (room < 1e-15) return true;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED) continue;
    if (abs(level - slot.low) < room || abs(level - slot.high) < room) return false;
    if (abs(level - slot.full) < room) return false;
  }
  return true;
}

/**
 * Newton's last step taken on the growths themselves: T cannot hold it, and the residual of a small
 * trade is known to far more digits than log T.
 */
function correct(last: f64): void {
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED || slot.growth == 0 || level >= slot.full) continue;
    const grown = slot.growth + (rise - slot.worth) * last;
    slot.growth = slot.growth < 0 ? min(grown, 0.0) : max(grown, 0.0);
  }
  level += rise * last;
}

/**
 * The reference's slot: the cheapest node that may take in; when only payers are left, the dearest.
 */
function choose(): i32 {
  let chosen = -1;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED || slot.top == 0) continue;
    if (chosen < 0 || slot.price < slotAt(chosen).price) chosen = k;
  }
  if (chosen >= 0) return chosen;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED) continue;
    if (chosen < 0 || slot.price > slotAt(chosen).price) chosen = k;
  }
  return max(chosen, 0);
}

/**
 * With θ = (Ann + T)·factor/reference, factor γ where the reference takes in and 1 where it pays,
 * θp − Ann = x(Ann + T) + T; sets x of every node, `taken` for p = ν/γ and `paid` for p = ν.
 */
function refer(reference: f64, factor: f64, keep: f64): void {
  unit = factor / reference;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    const dearer = (slot.price - reference) / reference;
    slot.taken = factor < 1 ? dearer : (dearer + (1.0 - keep)) / keep;
    slot.paid = factor * dearer - (1.0 - factor);
  }
}

/** Inner root at T, then residual and Newton's step of log(Ann·Σz) − log(q + Ann − 1) in log T. */
function evaluate(t: f64): void {
  const whole = ann + t;
  let lowest = -heldGrowth;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED) continue;
    const scale = slot.balance / rest;
    const paid = slot.paid * whole + t;
    slot.low = paid > 0 ? Math.log(scale * paid) : -Infinity;
    if (slot.top > 0) {
      slot.high = Math.log(scale * (slot.taken * whole + t));
      slot.full = slot.high + slot.top;
      lowest = min(lowest, slot.high);
    } else {
      slot.high = Infinity;
    }
  }
  level = findLevel(count, 1, heldGrowth, lowest, level);
  widest = 0;
  let active: f64 = 1;
  let pull: f64 = 0;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED) continue;
    const side = level < slot.low ? slot.paid : slot.taken;
    slot.growth = growthOf(slot, level);
    slot.worth = 0;
    widest = max(widest, abs(slot.growth));
    if (slot.growth == 0 || level >= slot.full) continue;
    // d log(θp − Ann) / d log T.
    slot.worth = (t * (1.0 + side)) / (side * whole + t);
    pull += slot.worth;
    active += 1;
  }
  rise = pull / active;
  let sum = held;
  let sumSlope: f64 = 0;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    if (slot.state == CAPPED || slot.growth == 0) continue;
    const grown = Math.expm1(slot.growth);
    sum += ann * slot.balance * grown;
    if (level < slot.full) sumSlope += ann * slot.balance * (1.0 + grown) * (rise - slot.worth);
  }
  const more = rest * Math.expm1(level);
  const base = rest + more + ann - 1.0;
  residual = sum - more;
  const total = base + residual;
  step = -Math.log1p(residual / base) / (sumSlope / total - ((rest + more) * rise) / base);
}

/** Trades and surplus at the root. */
function settle(v: Venue, first: usize): f64 {
  const q = rest * Math.exp(level);
  let surplus = level == 0 ? 0 : bend(level);
  let held: f64 = 0;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    const node = poolNodeAt(first, slot.node);
    const s = slot.growth;
    if (slot.state == CAPPED) {
      // The node is worth less to the pool than θ says: what it gains on top.
      const grown = slot.balance * Math.expm1(s);
      const margin = (ann + q / (slot.balance + grown)) / theta - slot.price / v.keep;
      held += max(margin, 0.0) * grown;
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
  return v.b * ((q / theta) * surplus + held);
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
