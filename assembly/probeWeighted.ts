// For tests alone: what a weighted pool would trade with all its nodes at once, the reference that the
// pairs of venues/weighted.ts are held to. Best response to prices of all nodes (Angeris & Chitra,
// "Improved price oracles: constant function market makers", 2020): at one multiplier λ
//   νᵢzᵢ = λwᵢ where the pool pays out, νᵢzᵢ = λγwᵢ where it takes in, zᵢ = Rᵢ between.
// In logs, with ℓ = log λ and qᵢ = νᵢRᵢ/wᵢ: low = log qᵢ, high = log(qᵢ/γ), Σ wᵢsᵢ(ℓ) = 0 (pool.ts).
//   f = λ·Σ wᵢφ(sᵢ);  H = λ(diag w − ww′/Σw) over the nodes that trade.

import { Venue } from './problem';
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
  slotAt,
} from './venues/pool';

/**
 * Best trade at the prices `nu` (by node index) over the pool nodes whose bit is set in `allowed`;
 * the others keep their balance. Writes each PoolNode's net trade (positive: paid out; negative:
 * taken in, fee included) and, unless `hessian` is 0, the price-scaled Hessian νᵢνⱼ·∂²f/∂νᵢ∂νⱼ there,
 * row-major nodeCount². Returns f = Σ ν·trade ≥ 0.
 */
export function respondWeighted(
  v: Venue,
  first: usize,
  nu: usize,
  allowed: u32,
  hessian: usize,
): f64 {
  clearResponse(v, first, hessian);
  const keep = v.keep;
  let count = 0;
  let dearest: f64 = 0;
  let cheapest = Infinity;
  for (let i = 0; i < v.nodeCount; i++) {
    if (!((allowed >> i) & 1)) continue;
    const node = poolNodeAt(first, i);
    const slot = slotAt(count++);
    slot.node = i;
    slot.state = RESTING;
    slot.balance = node.balance;
    slot.weight = node.weight;
    slot.depth = (price(nu, node) * node.balance) / node.weight;
    slot.cap = node.cap;
    slot.top = growthAtCap(keep, node.cap, node.balance);
    dearest = max(dearest, slot.depth);
    if (slot.top > 0) cheapest = min(cheapest, slot.depth);
  }
  if (!(keep * dearest > cheapest * (1.0 - KINK))) return 0;

  // Logs relative to the dearest node, which is paid out if anything is: ratios near 1 keep digits.
  const fee = Math.log(keep);
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    slot.low = Math.log(slot.depth / dearest);
    slot.high = slot.top > 0 ? slot.low - fee : Infinity;
    slot.full = slot.high + slot.top;
  }
  const lowest = Math.log(cheapest / dearest) - fee;
  const level = lowest < 0 ? findLevel(count, 0, 0, lowest, lowest) : 0;
  return settle(v, first, hessian, count, dearest, level);
}

/** Trades, surplus and Hessian at the root ℓ, relative to log `dearest`. */
function settle(v: Venue, first: usize, hessian: usize, count: i32, dearest: f64, level: f64): f64 {
  const keep = v.keep;
  const lambda = dearest * Math.exp(level);
  let surplus: f64 = 0;
  let active: f64 = 0;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    const node = poolNodeAt(first, slot.node);
    const s = growthOf(slot, level);
    if (s < 0) {
      node.trade = -slot.balance * Math.expm1(s);
      slot.state = ACTIVE;
    } else if (s > 0 && s == slot.top) {
      // Held at its cap, the node is worth less to the pool than λ says: what it gains on top.
      node.trade = -slot.cap;
      slot.state = CAPPED;
      surplus += (lambda * Math.exp(-s) - slot.depth / keep) * slot.weight * Math.expm1(s);
    } else if (s > 0) {
      node.trade = (-slot.balance * Math.expm1(s)) / keep;
      slot.state = ACTIVE;
    } else if (level < slot.low + KINK || level > slot.high - KINK) {
      slot.state = ACTIVE;
    }
    if (s != 0) surplus += lambda * slot.weight * bend(s);
    if (slot.state == ACTIVE) active += slot.weight;
  }
  if (hessian && active > 0) {
    const n = v.nodeCount;
    for (let k = 0; k < count; k++) {
      const one = slotAt(k);
      if (one.state != ACTIVE) continue;
      let sum: f64 = 0;
      for (let l = 0; l < count; l++) {
        const other = slotAt(l);
        if (l == k || other.state != ACTIVE) continue;
        const w = (lambda * one.weight * other.weight) / active;
        store<f64>(hessian + ((<usize>(one.node * n + other.node)) << 3), -w);
        sum += w;
      }
      store<f64>(hessian + ((<usize>(one.node * n + one.node)) << 3), sum);
    }
  }
  return max(surplus, 0.0);
}
