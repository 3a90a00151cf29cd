// What weighted and stable pools of n nodes share. Both best responses reduce to one number ℓ, the
// log of a multiplier, and per node the log growth of its balance s = log(z/R):
//   s(ℓ) = ℓ − low < 0 (paid out),  0 between low and high,  ℓ − high > 0 (taken in), at most top.
// With weights w the invariant reads inertia·ℓ + offset + Σ w·s(ℓ) = 0: piecewise linear and rising,
// so walking its pieces finds the root exactly. Owns the scratch slots; refuses nothing.

import { PoolNode, Venue } from '../problem';

/** Nodes this close to their kink count as active, or Newton's matrix loses its only curvature. */
export const KINK: f64 = 1e-12;
/** Most nodes a pool may have. */
export const POOL_NODES_MAX: i32 = 8;
/** Three kinks a node, the start, and once more from the left end. */
const PIECES_MAX: i32 = 2 * (3 * POOL_NODES_MAX + 2);

// ╒════════════════ Slot, 112 bytes (own): a node that may trade ═╕
// │  0 node i32 : index within the pool │ 4 state i32             │
// │  8 balance f64 : R, stable: over D │ 16 price f64 : ν per own unit │
// │ 24 weight f64   32 depth f64 : ν·R/w, or the kink's θ         │
// │ 40 top f64 : log growth at its cap, 0 if it may not take in   │
// │ 48 low f64   56 high f64 : the kinks of s(ℓ)                  │
// │ 64 growth f64 : s   72 taken f64 : stable: θν/γ − Ann, scaled │
// │ 80 paid f64 : the same when paid out, θν − Ann                │
// │ 88 worth f64 : z·∂F/∂z of the Hessian                         │
// │ 96 full f64 : the ℓ from which it is held at its cap          │
// │ 104 cap f64 : the most it may take in, core units             │
// └───────────────────────────────────────────────────────────────┘
@unmanaged
export class Slot {
  node: i32;
  state: i32;
  balance: f64;
  price: f64;
  weight: f64;
  depth: f64;
  top: f64;
  low: f64;
  high: f64;
  growth: f64;
  taken: f64;
  paid: f64;
  worth: f64;
  full: f64;
  cap: f64;
}

/** States of a slot after a response. */
export const RESTING: i32 = 0;
export const ACTIVE: i32 = 1;
export const CAPPED: i32 = 2;

const SLOTS: usize = memory.data(112 * 8, 64);

export function slotAt(k: i32): Slot {
  return changetype<Slot>(SLOTS + <usize>k * offsetof<Slot>());
}

export function poolNodeAt(first: usize, i: i32): PoolNode {
  return changetype<PoolNode>(first + <usize>i * offsetof<PoolNode>());
}

export function price(nu: usize, node: PoolNode): f64 {
  return load<f64>(nu + ((<usize>node.node) << 3));
}

/** No trade and no curvature, to be filled where there is some. */
export function clearResponse(v: Venue, first: usize, hessian: usize): void {
  const n = v.nodeCount;
  for (let i = 0; i < n; i++) poolNodeAt(first, i).trade = 0;
  if (hessian) memory.fill(hessian, 0, (<usize>(n * n)) << 3);
}

/** Log growth of a balance that has taken in all it may: log(1 + γ·cap/R). */
export function growthAtCap(keep: f64, cap: f64, balance: f64): f64 {
  if (cap == Infinity) return Infinity;
  return cap > 0 ? Math.log1p((keep * cap) / balance) : 0;
}

/** s(ℓ) of one slot. */
export function growthOf(slot: Slot, level: f64): f64 {
  if (level < slot.low) return level - slot.low;
  if (level >= slot.full) return slot.top;
  return level > slot.high ? level - slot.high : 0;
}

/**
 * The ℓ in [lowest, …] at which inertia·ℓ + offset + Σ w·s(ℓ) = 0; the sum must not be positive at
 * `lowest`. Starts at `start` when that is left of the root, walks right one linear piece a step.
 */
export function findLevel(count: i32, inertia: f64, offset: f64, lowest: f64, start: f64): f64 {
  let level = start > lowest ? start : lowest;
  let walked = false;
  let found = false;
  for (let step = 0; step < PIECES_MAX; step++) {
    let sum = inertia * level + offset;
    let slope = inertia;
    let end = Infinity;
    for (let k = 0; k < count; k++) {
      const slot = slotAt(k);
      if (slot.state == CAPPED) continue;
      const w = slot.weight;
      if (level < slot.low) {
        sum += w * (level - slot.low);
        slope += w;
        end = min(end, slot.low);
      } else if (level < slot.high) {
        end = min(end, slot.high);
      } else if (level < slot.full) {
        sum += w * (level - slot.high);
        slope += w;
        end = min(end, slot.full);
      } else {
        sum += w * slot.top;
      }
    }
    if (sum == 0) return level;
    const next = slope > 0 ? level - sum / slope : level;
    if (found) {
      if (abs(next) > 0.1 * abs(level)) return next;
      level = next;
    } else if (sum > 0) {
      if (walked) {
        // Rounding stepped over a root at the end of the piece before: take it from just inside.
        level -= max(abs(level) * 2.3e-16, 1e-300);
        found = true;
      } else if (level > lowest) {
        level = lowest;
      } else {
        return level;
      }
    } else if (next <= end) {
      // A root much nearer 0 than the step that found it lacks digits: again from there.
      if (abs(next) > 0.1 * abs(level)) return next;
      found = true;
      level = next < end ? next : end - max(abs(end) * 2.3e-16, 1e-300);
    } else {
      walked = true;
      level = end;
    }
  }
  return level;
}

/**
 * φ(s) = e^(−s) − 1 + s ≥ 0, to full relative precision: a pool's surplus is a sum of these, so
 * small trades against deep pools keep their digits.
 */
export function bend(s: f64): f64 {
  if (abs(s) > 0.1) return Math.expm1(-s) + s;
  // Taylor's series; the first term left out is below 1e−17 of the sum.
  const x = -s;
  let sum: f64 = 1.0 / 479001600.0;
  sum = sum * x + 1.0 / 39916800.0;
  sum = sum * x + 1.0 / 3628800.0;
  sum = sum * x + 1.0 / 362880.0;
  sum = sum * x + 1.0 / 40320.0;
  sum = sum * x + 1.0 / 5040.0;
  sum = sum * x + 1.0 / 720.0;
  sum = sum * x + 1.0 / 120.0;
  sum = sum * x + 1.0 / 24.0;
  sum = sum * x + 1.0 / 6.0;
  sum = sum * x + 0.5;
  return sum * x * x;
}
