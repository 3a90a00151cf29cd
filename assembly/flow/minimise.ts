// The minimiser: damped semi-smooth Newton on ĝ in log prices, inside a proximal-point loop over
// the centres z̄ of the kinked edges (Rockafellar 1976). Newton's matrix is a graph Laplacian; the
// damping adds |gradient| to its diagonal, which is what the exact Hessian in log prices holds, made
// positive: it vanishes at the optimum, so convergence stays quadratic, and it bounds the step of a
// node no active edge touches. Stops on residual + complementarity, the primal–dual gap itself.

import { header } from '../layout';
import { FORWARD, Venue } from '../problem';
import { complementarity, evaluate, normalise } from './dual';
import { backSolve, factorise } from './factor';
import { betweenRounds } from './relaxation';
import {
  DIAGONAL,
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
  SAVED,
  STEP,
  SUPPLY,
  setNum,
  tailOf,
  venueAt,
} from './state';

const NEWTON_MAX: i32 = 60;
const OUTER_MAX: i32 = 40;
const SEARCH_MAX: i32 = 24;
const STEP_MAX: f64 = 3;
const DAMPING_MIN: f64 = 1e-3;
const DAMPING_MAX: f64 = 1e6;
const EPSILON_FIRST: f64 = 1e-2;
const EPSILON_LAST: f64 = 1e-7;
const EPSILON_WARM: f64 = 1e-4;
/** Relative gap below which rounding rules. */
const GAP_GOAL: f64 = 1e-11;
const RELAXED_GOAL: f64 = 1e-7;
const NOISE: f64 = 4e-15;
const ROUNDING: f64 = 8.9e-16;
const ROUNDING_MAX: f64 = 1e-6;

/** Dual value ĝ, and Σ|gradient|, where the last minimisation ended. */
export let dualValue: f64 = 0;
export let residual: f64 = 0;
/** Residual below which rounding rules: prices carry 2^-52, so flows carry that share of depth. */
let floor: f64 = 0;

/** Work at which the minimisation at hand gives up. */
let limit: i32 = 0;

/**
 * Minimises from the prices in NU, for at most `budget` of work; with `warm`, from the centres at
 * hand. A relaxation need not be exact: its prices only bound, its shares only suggest. Returns the
 * gap.
 */
export function minimise(warm: bool, relaxed: bool, budget: i32): f64 {
  limit = min(header().workMax, header().work + budget);
  normalise();
  const kinked = countKinked();
  let epsilon = warm ? EPSILON_WARM : EPSILON_FIRST;
  if (!warm) clearCenters();
  setSigmas(epsilon, roughScale());
  let last = Infinity;
  let gap = Infinity;
  for (let outer = 0; outer < OUTER_MAX; outer++) {
    newton(kinked == 0);
    gap = residual + complementarity;
    const goal = (relaxed ? RELAXED_GOAL : GAP_GOAL) * abs(dualValue);
    if (kinked == 0 || (complementarity <= goal && residual <= max(goal, floor))) break;
    if (header().work++ >= limit) break;
    recentre();
    if (relaxed && betweenRounds()) break;
    if (complementarity * 3.0 > last && epsilon > EPSILON_LAST) epsilon *= 0.1;
    last = complementarity;
    setSigmas(epsilon, abs(dualValue));
  }
  return gap;
}

function countKinked(): i32 {
  let count = 0;
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.mode != OFF && !(flow.mode == FREE && isSmooth(flow.kind))) count++;
  }
  return count;
}

function clearCenters(): void {
  for (let e = 0; e < m; e++) flowAt(e).center = 0;
}

function recentre(): void {
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    flow.center = flow.mode == OFF ? 0 : flow.share;
  }
}

/** What the plan is about, in dollars, before any dual value is known. */
function roughScale(): f64 {
  let worth: f64 = 0;
  for (let k = 0; k < n; k++) worth += abs(num(SUPPLY, k)) * num(NU, k);
  return worth;
}

/** σ in dollars for a share z: ε·c²ν² / min(cν, scale), from OPTIMIZER.md's σ per unit. */
function setSigmas(epsilon: f64, scale: f64): void {
  const floor = max(scale, 1e-300);
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.mode == OFF || (flow.mode == FREE && isSmooth(flow.kind))) continue;
    const v = venueAt(e);
    let full = floor;
    if (!isSmooth(flow.kind)) full = min(v.a, v.capFrom) * num(NU, v.from);
    flow.sigma = max((epsilon * full * full) / min(full, floor), 1e-300);
  }
}

/** The last step's length as a share of Newton's: short steps ask for damping. */
let accepted: f64 = 1;

/** Newton to rounding; leaves dualValue, residual and the edges' state at the prices found. */
function newton(tight: bool): void {
  const h = header();
  let value = evaluate();
  let damping: f64 = 1;
  for (let round = 0; round < NEWTON_MAX; round++) {
    let norm: f64 = 0;
    for (let k = 0; k < n; k++) norm += abs(num(GRADIENT, k));
    residual = norm;
    dualValue = value;
    // Between recentrings the kinks' own error rules; a hundredth of it is exact enough.
    const goal = tight ? 1e-15 * abs(value) : max(1e-13 * abs(value), 0.01 * complementarity);
    if (norm <= goal || h.work >= limit) return;
    h.work++;
    const slope = direction(damping, norm / <f64>n);
    floor = 0;
    for (let k = 0; k < n; k++) floor += ROUNDING * num(DIAGONAL, k);
    floor = min(floor, ROUNDING_MAX * abs(value));
    if (norm <= floor) return;
    if (!(slope < -1e-26 * abs(value))) return;
    const next = search(value, slope, norm);
    if (next == Infinity) {
      if (damping >= DAMPING_MAX || -slope <= NOISE * abs(value)) {
        evaluate();
        return;
      }
      damping = max(damping * 16.0, 1.0);
      value = evaluate();
      continue;
    }
    if (accepted >= 0.7) damping = max(damping * 0.25, DAMPING_MIN);
    else if (accepted < 0.3)
      damping = min(damping * min(max(1.0 / accepted, 4.0), 1e3), DAMPING_MAX);
    value = next;
  }
  residual = 0;
  for (let k = 0; k < n; k++) residual += abs(num(GRADIENT, k));
  dualValue = value;
}

/**
 * Fills STEP and returns the slope of ĝ along it. The mean keeps a node that no active edge touches
 * from running to the next kink for the sake of a gradient that hardly matters.
 */
function direction(damping: f64, mean: f64): f64 {
  for (let k = 0; k < n; k++) setNum(STEP, k, damping * (abs(num(GRADIENT, k)) + mean));
  factorise(STEP, ground);
  for (let k = 0; k < n; k++) setNum(STEP, k, -num(GRADIENT, k));
  backSolve(STEP);
  let slope: f64 = 0;
  for (let k = 0; k < n; k++) slope += num(GRADIENT, k) * num(STEP, k);
  return slope;
}

/**
 * Searches along STEP; returns the new ĝ, or Infinity with the old prices restored. Where the slope
 * turned positive, the next try is Newton's in t with the curvature found there: beyond a kink the
 * slope is steep and straight, so one try lands where an edge 10^9 times deeper than the order has
 * just opened, which halving would need 30 for.
 */
function search(value: f64, slope: f64, norm: f64): f64 {
  let longest: f64 = 0;
  for (let k = 0; k < n; k++) {
    setNum(SAVED, k, num(NU, k));
    longest = max(longest, abs(num(STEP, k)));
  }
  let t = longest > STEP_MAX ? STEP_MAX / longest : 1.0;
  const noise = NOISE * abs(value);
  const attempts = -slope <= noise ? 2 : SEARCH_MAX;
  let low: f64 = 0;
  noteBase();
  for (let attempt = 0; attempt < attempts; attempt++) {
    for (let k = 0; k < n; k++) {
      // Also where the step is zero: the last try's scaling must not stay behind.
      setNum(NU, k, num(SAVED, k) * Math.exp(t * num(STEP, k)));
    }
    normalise();
    const next = evaluate();
    let after: f64 = 0;
    let size: f64 = 0;
    for (let k = 0; k < n; k++) {
      after += num(GRADIENT, k) * num(STEP, k);
      size += abs(num(GRADIENT, k));
    }
    if (
      next <= value + 1e-4 * t * slope ||
      // Below rounding the value says nothing: the slope, or the residual, must fall instead.
      (next <= value + noise && (abs(after) <= 0.9 * abs(slope) || size <= 0.9 * norm))
    ) {
      accepted = t;
      if (attempt > 0) applySecants();
      return next;
    }
    noteSecants(t, 1e-6 * t * longest);
    if (after > 0) {
      const newton = t - after / curvature();
      if (newton > low && newton < t) t = newton;
      else t = low + (t - low) * min(max(slope / (slope - after), 0.03), 0.6);
    } else {
      low = after < 0 && next < value ? t : low;
      t = low == t ? 2.0 * t : 0.4 * t;
    }
  }
  for (let k = 0; k < n; k++) setNum(NU, k, num(SAVED, k));
  return Infinity;
}

/** What an edge moves at the current prices, dollars, positive from `from` to `to`. */
function moved(flow: Flow, v: Venue): f64 {
  const worth = flow.share * flow.input * num(NU, tailOf(v, flow));
  return flow.direction == FORWARD ? worth : -worth;
}

/**
 * A rejected try shows how fast each edge's flow really changes along the step: one that opened, ran
 * into its capacity or met deeper liquidity on the way has a secant curvature that its Hessian, at
 * either end, may not show. The next direction counts it; without it semi-smooth Newton zigzags
 * between kinks (measured on random rebalances: 340 rounds against 40).
 */
function noteBase(): void {
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.mode != OFF) flow.base = moved(flow, venueAt(e));
  }
}

/** Turns below `least` log price are left out: what changed there, the scaling changed. */
function noteSecants(t: f64, least: f64): void {
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.mode == OFF) continue;
    const v = venueAt(e);
    const turn = abs(t * (num(STEP, v.to) - num(STEP, v.from)));
    flow.secant = turn > least ? abs(moved(flow, v) - flow.base) / turn : 0;
  }
}

function applySecants(): void {
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.mode == OFF || !(flow.secant > abs(flow.hij))) continue;
    flow.hii = flow.secant;
    flow.hij = -flow.secant;
    flow.hjj = flow.secant;
  }
}

/** d²ĝ/dt² along STEP, from the edges' Hessians. */
function curvature(): f64 {
  let sum: f64 = 0;
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.mode == OFF || flow.hij == 0) continue;
    const v = venueAt(e);
    const tail = num(STEP, tailOf(v, flow));
    const head = num(STEP, headOf(v, flow));
    sum += flow.hii * tail * tail + 2.0 * flow.hij * tail * head + flow.hjj * head * head;
  }
  return sum;
}
