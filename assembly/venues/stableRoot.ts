// The scalar roots behind stable.ts: θ, ℓ and every slot's growth for the nodes admitted.
//   inner root  ℓ + Σsᵢ = 0 at a given θ (pool.ts);
//   outer root  log(Ann·Σz) = log(q + Ann − 1), falling in T = θp_ref − Ann for the cheapest node, which
//   is never below 1: there q ≥ 1, T ≥ q/z_ref and Ann·Σz = q + Ann − 1. θpᵢ − Ann = (pᵢ/p_ref − 1)(Ann + T) + T
//   then cancels nothing that matters, however far from the peg.
// Newton in log T, kept between the signs seen so far. Owns the response in the making; what a pool's
// records mean, trades and curvature are stable.ts's.

import { ACTIVE, CAPPED, findLevel, growthOf, KINK, RESTING, slotAt } from './pool';

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

/** The response in the making: what the steps below hand to each other and to stable.ts. */
export let count: i32 = 0;
export let ann: f64 = 0;
/** q before the trade, over D. */
export let rest: f64 = 0;
/** Σ s of the nodes held at their caps, and Σ of what they added to Ann·Σz. */
let heldGrowth: f64 = 0;
let held: f64 = 0;
/** θ = (ann + T)·unit. */
let unit: f64 = 0;
export let theta: f64 = 0;
export let level: f64 = 0;
/** At the last evaluation: the largest |s|, dℓ/d log T, Newton's step of log T, the residual. */
let widest: f64 = 0;
let rise: f64 = 0;
let step: f64 = 0;
let residual: f64 = 0;

/** Forgets the last response: a pool of this Ann and q₀ over D, no node admitted. */
export function begin(annNow: f64, restNow: f64): void {
  count = 0;
  ann = annNow;
  rest = restNow;
  level = 0;
}

/**
 * Adds a node that may trade: `balance` over D, `nu` per own unit, `top` its log growth at `cap`. Its
 * kink in θ is (Ann + q₀/R)/ν, times γ when taking in.
 */
export function admit(node: i32, balance: f64, nu: f64, cap: f64, top: f64): void {
  const slot = slotAt(count++);
  slot.node = node;
  slot.state = RESTING;
  slot.weight = 1;
  slot.balance = balance;
  slot.price = nu;
  slot.depth = (ann + rest / balance) / nu;
  slot.cap = cap;
  slot.top = top < TOP_LEAST ? 0 : top;
  slot.growth = 0;
  slot.full = Infinity;
}

/** Finds the root for the nodes admitted; false where nothing trades and nothing is at its kink. */
export function findRoot(keep: f64): bool {
  let least = Infinity;
  let most: f64 = 0;
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    least = min(least, slot.depth);
    if (slot.top > 0) most = max(most, slot.depth);
  }
  if (!(keep * most > least * (1.0 - KINK))) return false;
  heldGrowth = 0;
  held = 0;
  theta = least;
  if (keep * most > least) {
    search(keep, sqrt(least * keep * most));
    return true;
  }
  for (let k = 0; k < count; k++) {
    const slot = slotAt(k);
    const takes = slot.top > 0 && keep * slot.depth >= theta * (1.0 - 2.0 * KINK);
    if (takes || slot.depth <= theta * (1.0 + 2.0 * KINK)) slot.state = ACTIVE;
  }
  return true;
}

/**
 * θ at the optimum. T ≥ 1 holds for a reference that is not held at its cap: where the residual at
 * T = 1 is already negative the reference is held, and the next cheapest takes its place.
 */
function search(keep: f64, guess: f64): void {
  let high = Infinity;
  for (let round = 0; round < count; round++) {
    const reference = choose();
    const slot = slotAt(reference);
    refer(slot.price, slot.top > 0 ? keep : 1, keep);
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
  refine(keep);
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
