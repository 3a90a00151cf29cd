// The minimiser: damped semi-smooth Newton on ĝ in log prices, inside a proximal-point loop over
// the centres z̄ of the kinked edges (Rockafellar 1976). Newton's matrix is a graph Laplacian; the
// damping adds |gradient| to its diagonal, which is what the exact Hessian in log prices holds, made
// positive: it vanishes at the optimum, so convergence stays quadratic, and it bounds the step of a
// node no active edge touches. Stops on residual + complementarity, the primal–dual gap itself.

import { BATCH, FACTOR_MAX, header } from '../layout';
import { FORWARD } from '../problem';
import { complementarity, evaluate, normalise } from './dual';
import { backSolve, factorise } from './factor';
import { conjugate } from './krylov';
import { crossPool, recentreHull } from './pools';
import { offeredWorth } from './recover';
import { betweenRounds, isBounded, watching } from './relaxation';
import {
  activate,
  activeAt,
  activeCount,
  DIAGONAL,
  Flow,
  flowAt,
  GRADIENT,
  ground,
  int,
  isHull,
  isPlain,
  isSmooth,
  listEdges,
  m,
  NET,
  NOTED,
  NU,
  n,
  num,
  OTHERS,
  otherCount,
  POOLS,
  poolCount,
  SAVED,
  STEP,
  SUPPLY,
  setInt,
  setNum,
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
/** Residual, as a share of the value, that recovery absorbs without a trace in the gap. */
export const LOOSE: f64 = 1e-6;
export const TIGHT: f64 = 1e-15;
/** From this many nodes on conjugate gradients come first, and all there is beyond FACTOR_MAX. */
const KRYLOV_MIN: i32 = 48;
const KRYLOV_ROUNDS: i32 = 60;
const KRYLOV_ROUNDS_LAST: i32 = 1000;

/** Dual value ĝ, and Σ|gradient|, where the last minimisation ended. */
export let dualValue: f64 = 0;
export let residual: f64 = 0;
/** Residual below which rounding rules: prices carry 2^-52, so flows carry that share of depth. */
let floor: f64 = 0;

/** Work at which the minimisation at hand gives up. */
let limit: i32 = 0;

/** Edges from which on sleepers make steps cheap, and how many times the awake ones all must be. */
const LONG: i32 = 256;
const ASLEEP_PART: i32 = 3;
/** 1 while half a unit of work is owed. */
let halves: i32 = 0;

/** Forgets what the last solve knew: the same bytes in give the same bytes out. */
export function resetMinimiser(): void {
  accepted = 1;
  halves = 0;
  floor = 0;
  residual = 0;
  dualValue = 0;
  smooth = true;
  byKrylov = false;
}
/** Every so many Newton steps a watched search asks whether its prices bound enough already. */
const BOUND_EVERY: i32 = 4;

/** Whether the problem minimised last had no kink: ĝ is then g itself. */
export let smooth: bool = true;

/** Whether conjugate gradients still do: a matrix they failed on once is factorised from then on. */
let byKrylov: bool = false;

/**
 * Minimises from the prices in NU, for at most `budget` of work; with `warm`, from the centres at
 * hand. A relaxation need not be exact: its prices only bound, its shares only suggest. Returns the
 * gap.
 */
export function minimise(warm: bool, relaxed: bool, budget: i32): f64 {
  listEdges();
  return minimiseListed(warm, relaxed, budget, TIGHT);
}

/** The same with the edge lists known to be fresh; smooth problems stop at `goal` of the value. */
export function minimiseListed(warm: bool, relaxed: bool, budget: i32, goal: f64): f64 {
  limit = min(header().workMax, header().work + budget);
  byKrylov = n >= KRYLOV_MIN;
  normalise();
  smooth = countKinked() == 0;
  if (smooth) {
    newton(goal);
    return residual;
  }
  let epsilon = warm ? EPSILON_WARM : EPSILON_FIRST;
  if (!warm) clearCenters();
  setSigmas(epsilon, roughScale());
  let last = Infinity;
  let gap = Infinity;
  for (let outer = 0; outer < OUTER_MAX; outer++) {
    newton(0);
    gap = residual + complementarity;
    const wanted = (relaxed ? RELAXED_GOAL : GAP_GOAL) * abs(dualValue);
    if (complementarity <= wanted && residual <= max(wanted, floor)) break;
    if (header().work++ >= limit) break;
    recentre();
    if (watching && (relaxed ? betweenRounds() : isBounded())) break;
    if (complementarity * 3.0 > last && epsilon > EPSILON_LAST) epsilon *= 0.1;
    last = complementarity;
    setSigmas(epsilon, max(abs(dualValue), header().objective == BATCH ? offeredWorth() : 0));
  }
  return gap;
}

function countKinked(): i32 {
  let count = 0;
  for (let k = 0; k < otherCount; k++) {
    if (!isPlain(flowAt(int(OTHERS, k)))) count++;
  }
  return count;
}

function clearCenters(): void {
  for (let k = 0; k < otherCount; k++) {
    const e = int(OTHERS, k);
    const flow = flowAt(e);
    flow.center = 0;
    if (isHull(flow)) recentreHull(venueAt(e), flow, true);
  }
}

function recentre(): void {
  for (let k = 0; k < otherCount; k++) {
    const e = int(OTHERS, k);
    const flow = flowAt(e);
    flow.center = flow.share;
    if (isHull(flow)) recentreHull(venueAt(e), flow, false);
  }
}

/** What the plan is about, in dollars, before any dual value is known. */
function roughScale(): f64 {
  let worth: f64 = header().objective == BATCH ? offeredWorth() : 0;
  for (let k = 0; k < n; k++) worth += abs(num(SUPPLY, k)) * num(NU, k);
  return worth;
}

/** σ in dollars for a share z: ε·c²ν² / min(cν, scale), from OPTIMIZER.md's σ per unit. */
function setSigmas(epsilon: f64, scale: f64): void {
  const floor = max(scale, 1e-300);
  for (let k = 0; k < otherCount; k++) {
    const e = int(OTHERS, k);
    const flow = flowAt(e);
    if (isPlain(flow)) continue;
    const v = venueAt(e);
    let full = floor;
    if (!isSmooth(flow.kind)) full = min(v.a, v.capFrom) * num(NU, v.from);
    flow.sigma = max((epsilon * full * full) / min(full, floor), 1e-300);
  }
}

/** The last step's length as a share of Newton's: short steps ask for damping. */
let accepted: f64 = 1;

/**
 * Newton until the residual is `share` of the value, or with 0 a hundredth of the kinks' own error;
 * leaves dualValue, residual and the edges' state at the prices found.
 */
function newton(share: f64): void {
  const h = header();
  let value = evaluate();
  let damping: f64 = 1;
  for (let round = 0; round < NEWTON_MAX; round++) {
    let norm: f64 = 0;
    for (let k = 0; k < n; k++) norm += abs(num(GRADIENT, k));
    residual = norm;
    dualValue = value;
    const goal = share > 0 ? share * abs(value) : max(1e-13 * abs(value), 0.01 * complementarity);
    if (norm <= goal || h.work >= limit) return;
    if (watching && round % BOUND_EVERY == BOUND_EVERY - 1 && isBounded()) return;
    h.work += stepWork();
    const slope = direction(damping, norm, abs(value));
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

/** A step of a relaxation most of whose edges sleep costs no more than half of one over all of them. */
function stepWork(): i32 {
  if (!watching || m < LONG || otherCount * ASLEEP_PART > m) return 1;
  halves ^= 1;
  return halves;
}

/**
 * Fills STEP and returns the slope of ĝ along it. The mean gradient in the damping keeps a node that
 * no active edge touches from running to the next kink for the sake of a gradient that hardly matters.
 */
function direction(damping: f64, norm: f64, value: f64): f64 {
  const mean = norm / <f64>n;
  for (let k = 0; k < n; k++) setNum(NET, k, damping * (abs(num(GRADIENT, k)) + mean));
  for (let k = 0; k < n; k++) setNum(STEP, k, -num(GRADIENT, k));
  // A step is worth its square root of exactness: far from the optimum a rough one does.
  solveFor(STEP, NET, min(0.1, max(0.1 * sqrt(norm / max(value, 1e-300)), 1e-5)));
  let slope: f64 = 0;
  for (let k = 0; k < n; k++) slope += num(GRADIENT, k) * num(STEP, k);
  return slope;
}

/** Newton's system with `right` as its right side, by conjugate gradients or by factorisation. */
function solveFor(right: usize, damping: usize, share: f64): void {
  if (byKrylov) {
    for (let k = 0; k < n; k++) setNum(SAVED, k, num(right, k));
    const rounds = n > FACTOR_MAX ? KRYLOV_ROUNDS_LAST : KRYLOV_ROUNDS;
    if (conjugate(right, damping, ground, share, rounds) || n > FACTOR_MAX) return;
    byKrylov = false;
    for (let k = 0; k < n; k++) setNum(right, k, num(SAVED, k));
  }
  factorise(damping, ground);
  backSolve(right);
}

/** Newton's system once more, undamped or with the last factor: for corrections of the flows. */
export function correct(right: usize): void {
  if (byKrylov) conjugate(right, 0, ground, 1e-6, KRYLOV_ROUNDS);
  else backSolve(right);
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
      setNum(NU, k, num(SAVED, k) * growth(t * num(STEP, k)));
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
      forgetNotes();
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
  forgetNotes();
  return Infinity;
}

/** eˣ; for small x its Padé approximant, which is as good a step and an eighth of the work. */
function growth(x: f64): f64 {
  if (abs(x) > 0.1) return Math.exp(x);
  const even = 1.0 + (x * x) / 12.0;
  return (even + 0.5 * x) / (even - 0.5 * x);
}

/** What an active edge moves at the current prices, dollars, positive from `from` to `to`. */
function moved(flow: Flow, tail: i32): f64 {
  const worth = flow.share * flow.input * num(NU, tail);
  return flow.direction == FORWARD ? worth : -worth;
}

/** Edges noted by the line search at hand: those active before it, then those it met on the way. */
let notedCount: i32 = 0;
let baseCount: i32 = 0;

/**
 * A rejected try shows how fast each edge's flow really changes along the step: one that opened, ran
 * into its capacity or met deeper liquidity on the way has a secant curvature that its Hessian, at
 * either end, may not show. The next direction counts it; without it semi-smooth Newton zigzags
 * between kinks (measured on random rebalances: 340 rounds against 40).
 */
function noteBase(): void {
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    const flow = flowAt(active.edge);
    flow.base = moved(flow, active.tail);
    setInt(NOTED, k, active.edge);
  }
  baseCount = activeCount;
  notedCount = baseCount;
}

/** Turns below `least` log price are left out: what changed there, the scaling changed. */
function noteSecants(t: f64, least: f64): void {
  for (let k = 0; k < notedCount; k++) flowAt(int(NOTED, k)).secant = 0;
  notedCount = baseCount;
  // Those that ceased: everything they moved before.
  for (let k = 0; k < baseCount; k++) {
    const e = int(NOTED, k);
    const flow = flowAt(e);
    if (flow.slot >= 0) continue;
    const v = venueAt(e);
    const turn = abs(t * (num(STEP, v.to) - num(STEP, v.from)));
    if (turn > least) flow.secant = abs(flow.base) / turn;
  }
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    const flow = flowAt(active.edge);
    const turn = abs(t * (num(STEP, active.head) - num(STEP, active.tail)));
    if (!(turn > least)) continue;
    flow.secant = abs(moved(flow, active.tail) - flow.base) / turn;
    // One that is of the base stands in the list already; twice does no harm but to its length.
    if (flow.base == 0 && flow.secant > 0) setInt(NOTED, notedCount++, active.edge);
  }
}

function applySecants(): void {
  for (let k = 0; k < notedCount; k++) {
    const e = int(NOTED, k);
    const flow = flowAt(e);
    if (!(flow.secant > abs(flow.hij))) continue;
    const v = venueAt(e);
    const forward = flow.direction == FORWARD;
    const tail = forward ? v.from : v.to;
    const head = forward ? v.to : v.from;
    setNum(DIAGONAL, tail, num(DIAGONAL, tail) + flow.secant - flow.hii);
    setNum(DIAGONAL, head, num(DIAGONAL, head) + flow.secant - flow.hjj);
    flow.hii = flow.secant;
    flow.hij = -flow.secant;
    flow.hjj = flow.secant;
    if (flow.slot < 0) activate(e, flow, tail, head);
    else activeAt(flow.slot).hij = flow.hij;
  }
}

function forgetNotes(): void {
  for (let k = 0; k < notedCount; k++) {
    const flow = flowAt(int(NOTED, k));
    flow.base = 0;
    flow.secant = 0;
  }
  notedCount = 0;
}

/** d²ĝ/dt² along STEP. */
function curvature(): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < n; k++) sum += num(DIAGONAL, k) * num(STEP, k) * num(STEP, k);
  for (let k = 0; k < activeCount; k++) {
    const active = activeAt(k);
    sum += 2.0 * active.hij * num(STEP, active.tail) * num(STEP, active.head);
  }
  for (let k = 0; k < poolCount; k++) {
    const e = int(POOLS, k);
    sum += crossPool(venueAt(e), flowAt(e), STEP);
  }
  return sum;
}
