// The minimiser: damped semi-smooth Newton on ĝ in log prices, inside a proximal-point loop over
// the centres z̄ of the kinked edges (Rockafellar 1976). Newton's matrix is a graph Laplacian; the
// damping adds |gradient| to its diagonal, which is what the exact Hessian in log prices holds, made
// positive: it vanishes at the optimum, so convergence stays quadratic, and it bounds the step of a
// node no active edge touches. Stops on residual + complementarity, the primal–dual gap itself.

import { BATCH, FACTOR_MAX, header } from '../layout';
import { complementarity, evaluate, normalise } from './dual';
import { backSolve, factorise } from './factor';
import { conjugate } from './krylov';
import { recentreHull } from './pools';
import { betweenRounds, isBounded, watching } from './relaxation';
import { centreOnHoldings, riskWorth } from './risk';
import { recentreRisk, setRiskEpsilon } from './riskProgram';
import { applySecants, curvature, forgetNotes, noteBase, noteSecants } from './secants';
import {
  DEMAND,
  DIAGONAL,
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
  NU,
  n,
  num,
  OTHERS,
  otherCount,
  riskCount,
  SAVED,
  SCALING,
  STEP,
  SUPPLY,
  setNum,
  venueAt,
} from './state';
import { offeredWorth } from './worth';

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
/** The same as parts of the gap that is asked for: nobody wants to know what lies far below it. */
const RELAXED_PART: f64 = 0.005;
export const GAP_PART: f64 = 1e-3;
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

/** Dollars a batch's orders offer: what flows, and rounds, there, however little their surplus is. */
let offered: f64 = 0;

/** Dollars beside a value that is small against what flows: a portfolio's, while its excess is spent. */
let beside: f64 = 0;

export function setScale(dollars: f64): void {
  beside = dollars;
}

/** The gap that is asked for, dollars; 0 where only rounding ends a minimisation. */
export let wantedGap: f64 = 0;

export function setWantedGap(dollars: f64): void {
  wantedGap = dollars;
}

/** What a value's rounding and the goals are measured by: it may be next to nothing itself. */
export function sizeOf(value: f64): f64 {
  return max(abs(value), max(offered, riskWorth));
}

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
  beside = 0;
  wantedGap = 0;
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
  offered = header().objective == BATCH ? offeredWorth() : beside;
  byKrylov = n >= KRYLOV_MIN;
  normalise();
  smooth = countKinked() == 0 && riskCount == 0;
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
    const goal = (relaxed ? RELAXED_GOAL : GAP_GOAL) * sizeOf(dualValue);
    const wanted = max(goal, (relaxed ? RELAXED_PART : GAP_PART) * wantedGap);
    if (complementarity <= wanted && residual <= max(wanted, floor)) break;
    if (header().work++ >= limit) break;
    recentre();
    if (watching && (relaxed ? betweenRounds() : isBounded())) break;
    if (complementarity * 3.0 > last && epsilon > EPSILON_LAST) epsilon *= 0.1;
    last = complementarity;
    setSigmas(epsilon, sizeOf(dualValue));
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
  centreOnHoldings();
}

function recentre(): void {
  for (let k = 0; k < otherCount; k++) {
    const e = int(OTHERS, k);
    const flow = flowAt(e);
    flow.center = flow.share;
    if (isHull(flow)) recentreHull(venueAt(e), flow, false);
  }
  recentreRisk();
}

/** What the plan is about, in dollars, before any dual value is known. */
function roughScale(): f64 {
  let worth: f64 = offered;
  for (let k = 0; k < n; k++) worth += abs(num(SUPPLY, k)) * num(NU, k);
  return worth;
}

/** σ in dollars for a share z: ε·c²ν² / min(cν, scale), from OPTIMIZER.md's σ per unit. */
function setSigmas(epsilon: f64, scale: f64): void {
  const floor = max(scale, 1e-300);
  setRiskEpsilon(epsilon);
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
 * Newton until the residual is `share` of the value, or with 0 a tenth of the kinks' own error;
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
    const size = sizeOf(value);
    const goal = share > 0 ? share * size : max(1e-13 * size, 0.01 * complementarity);
    if (norm <= goal || h.work >= limit) return;
    if (watching && round % BOUND_EVERY == BOUND_EVERY - 1 && isBounded()) return;
    h.work += stepWork();
    const slope = direction(damping, norm, size);
    floor = 0;
    for (let k = 0; k < n; k++) floor += ROUNDING * num(DIAGONAL, k);
    floor = min(floor, ROUNDING_MAX * size);
    if (norm <= floor) return;
    if (!(slope < -1e-26 * size)) return;
    const next = search(value, slope, norm);
    if (next == Infinity) {
      if (damping >= DAMPING_MAX || -slope <= NOISE * size) {
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
  const share = min(0.1, max(0.1 * sqrt(norm / max(value, 1e-300)), 1e-5));
  solveFor(STEP, NET, share);
  if (!smooth && ground < 0 && riskCount == 0) holdScale(share);
  let slope: f64 = 0;
  for (let k = 0; k < n; k++) slope += num(GRADIENT, k) * num(STEP, k);
  return slope;
}

/**
 * Keeps STEP tangent to Σ demandᵢνᵢ = 1, as Newton's method under a constraint has it: s − λH⁻¹d. Smooth
 * edges leave the prices' scale free, and scaling afterwards does the same; kinked ones with costs do not,
 * and without this they make the last digits linear.
 */
function holdScale(share: f64): void {
  let off: f64 = 0;
  for (let k = 0; k < n; k++) {
    const weight = num(DEMAND, k) * num(NU, k);
    setNum(SCALING, k, weight);
    off += weight * num(STEP, k);
  }
  if (byKrylov) solveFor(SCALING, NET, share);
  else backSolve(SCALING);
  let own: f64 = 0;
  for (let k = 0; k < n; k++) own += num(DEMAND, k) * num(NU, k) * num(SCALING, k);
  if (!(own > 0)) return;
  for (let k = 0; k < n; k++) setNum(STEP, k, num(STEP, k) - (off / own) * num(SCALING, k));
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
  const noise = NOISE * sizeOf(value);
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
