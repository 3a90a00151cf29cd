// The quadratic program inside a rebalance judged by its risk (flow/risk.ts): at the prices in NU,
//   max over m ≥ floor of c′δ − ½δ′(V + εI)δ,  δ = m − m̄,  c = 1 − ν − V(m̄ − w),
// strictly concave, so its answer is one (Boyd & Vandenberghe 4.4). Targets at their floor are taken out
// and the rest solved by Cholesky; the loop finds which those are. Owns m, m̄ and the factors, twice
// over. Knows neither dollars nor the other venues; refuses nothing.

import { int, NU, num, riskCount, setInt, setNum, targetAt } from './state';

/** Pivots are never smaller than this share of ε: rounding must not make V look indefinite. */
const PIVOT_SHARE: f64 = 0.5;
/** Shares below zero and margins above it by less than this are rounding. */
const TINY: f64 = 1e-15;
const FLIPS_MAX: i32 = 12;
const CLIMBS_PER_TARGET: i32 = 4;
/** ε of the certificate's own steps. */
const CERTIFY_EPSILON: f64 = 1e-6;
const CERTIFY_ROUNDS: i32 = 12;

// ╒═══════════ Context in RISK: 2G² + 7G numbers, 2G i32 (own) ════════════╕
// │ factor, inverse (G² each) │ share, centre, pull, margin, move, work,   │
// │ floor (G each) │ bound, flipped (G i32 each)                            │
// └─────────────────────────────────────────────────────────────────────────┘
// The minimiser's, and another for the certificate, which must not disturb it. V stands before both.
export let V: usize = 0;
let FACTOR: usize = 0;
export let INVERSE: usize = 0;
export let SHARE: usize = 0; // m
export let CENTRE: usize = 0; // m̄
export let PULL: usize = 0; // V(m̄ − w)
export let MARGIN: usize = 0; // c
export let MOVE: usize = 0; // m − m̄
export let WORK: usize = 0;
export let FLOOR: usize = 0; // what a target cannot get rid of, 0 until a plan shows it
export let BOUND: usize = 0; // i32: 1 where m = FLOOR binds
let FLIPPED: usize = 0; // i32

export let epsilon: f64 = 0;
/** Whether the factors belong to today's ε and free targets: the minimiser's, the certificate's. */
let factored: bool = false;
let certified: bool = false;
let certifying: bool = false;

/** Lays both contexts out behind V at `matrix`; the certificate's must not remember older problems. */
export function prepareProgram(matrix: usize): void {
  V = matrix;
  enter(true);
  memory.fill(FACTOR, 0, (<usize>((2 * riskCount + 8) * riskCount)) << 3);
  enter(false);
  factored = false;
  certified = false;
}

export function setRiskEpsilon(next: f64): void {
  if (riskCount == 0) return;
  if (next != epsilon) factored = false;
  epsilon = next;
}

/** The factor was made for other binding floors than today's. */
export function forgetFactor(): void {
  setFactored(false);
}

/** V(m̄ − w), after every change of m̄. */
export function pullBack(): void {
  for (let g = 0; g < riskCount; g++) setNum(WORK, g, num(CENTRE, g) - weightOf(g));
  multiply(WORK, PULL);
}

/** m̄ ← m. */
export function recentreRisk(): void {
  if (riskCount == 0) return;
  for (let g = 0; g < riskCount; g++) setNum(CENTRE, g, num(SHARE, g));
  pullBack();
}

/**
 * m without the smoothing, for the certificate: proximal steps from where the minimiser ended, in the
 * other context until leaveCertificate. PULL is V(m − w) then.
 */
export function solveUnsmoothed(): void {
  const found = SHARE;
  enter(true);
  memory.copy(CENTRE, found, (<usize>riskCount) << 3);
  pullBack();
  for (let round = 0; round < CERTIFY_ROUNDS; round++) {
    respond();
    let moved: f64 = 0;
    for (let g = 0; g < riskCount; g++) moved = max(moved, abs(num(MOVE, g)));
    recentreRisk();
    if (moved * CERTIFY_EPSILON <= TINY) break;
  }
}

export function leaveCertificate(): void {
  enter(false);
}

/**
 * m at the prices in NU: all targets on the wrong side of their floor change it at once, warm from the
 * last answer, which mostly ends in a turn or two (Portugal, Júdice and Vicente 1994); where it does
 * not, an active set that climbs with every turn (Lawson and Hanson 1974, chapter 23).
 */
export function respond(): void {
  for (let g = 0; g < riskCount; g++) {
    setNum(MARGIN, g, 1.0 - num(NU, targetAt(g).node) - num(PULL, g));
  }
  let faults = 1;
  for (let turn = 0; turn < FLIPS_MAX && faults > 0; turn++) {
    solveMoves();
    faults = flipFaults();
  }
  if (faults > 0) climb();
  for (let g = 0; g < riskCount; g++) {
    setNum(SHARE, g, max(num(CENTRE, g) + num(MOVE, g), num(FLOOR, g)));
  }
}

/** Turns to the certificate's context or back to the minimiser's. */
function enter(certificate: bool): void {
  const count = riskCount;
  const square = (<usize>(count * count)) << 3;
  const line = (<usize>count) << 3;
  certifying = certificate;
  FACTOR = V + square + (certificate ? 2 * square + 8 * line : 0);
  INVERSE = FACTOR + square;
  SHARE = INVERSE + square;
  CENTRE = SHARE + line;
  PULL = CENTRE + line;
  MARGIN = PULL + line;
  MOVE = MARGIN + line;
  WORK = MOVE + line;
  FLOOR = WORK + line;
  BOUND = FLOOR + line;
  FLIPPED = BOUND + (line >> 1);
}

/** Changes the side of every target that is on the wrong one; returns how many. */
function flipFaults(): i32 {
  let faults = 0;
  for (let g = 0; g < riskCount; g++) {
    const bound = int(BOUND, g);
    const fault = bound ? slack(g) > TINY : num(CENTRE, g) + num(MOVE, g) < num(FLOOR, g) - TINY;
    setInt(FLIPPED, g, fault ? 1 : 0);
    if (fault) faults++;
  }
  if (faults == 0) return 0;
  for (let g = 0; g < riskCount; g++) if (int(FLIPPED, g)) setInt(BOUND, g, 1 - int(BOUND, g));
  forgetFactor();
  return faults;
}

/** From the floors up, in SHARE: frees what gains most, binds what the way there runs into. */
function climb(): void {
  for (let g = 0; g < riskCount; g++) {
    setInt(BOUND, g, 1);
    setNum(SHARE, g, num(FLOOR, g));
  }
  for (let turn = 0; turn < CLIMBS_PER_TARGET * riskCount; turn++) {
    forgetFactor();
    solveMoves();
    let part: f64 = 1;
    let first = -1;
    for (let g = 0; g < riskCount; g++) {
      const goal = num(CENTRE, g) + num(MOVE, g);
      if (int(BOUND, g) || !(goal < num(FLOOR, g) - TINY)) continue;
      const room = max(num(SHARE, g) - num(FLOOR, g), 0.0);
      const here = room / (room + num(FLOOR, g) - goal);
      if (here < part || first < 0) first = g;
      part = min(part, here);
    }
    for (let g = 0; g < riskCount; g++) {
      const goal = num(CENTRE, g) + num(MOVE, g);
      setNum(SHARE, g, num(SHARE, g) + part * (goal - num(SHARE, g)));
    }
    if (first >= 0) {
      setInt(BOUND, first, 1);
      setNum(SHARE, first, num(FLOOR, first));
      continue;
    }
    let best = -1;
    let most = TINY;
    for (let g = 0; g < riskCount; g++) {
      if (!int(BOUND, g) || !(slack(g) > most)) continue;
      most = slack(g);
      best = g;
    }
    if (best < 0) return;
    setInt(BOUND, best, 0);
  }
}

/** δ: down to the floor where that binds, elsewhere the solution of (V + ε)δ = c with those moved over. */
function solveMoves(): void {
  if (!(certifying ? certified : factored)) factorise();
  const count = riskCount;
  let binding = 0;
  for (let g = 0; g < count; g++) {
    const bound = int(BOUND, g);
    binding += bound;
    setNum(MOVE, g, bound ? num(FLOOR, g) - num(CENTRE, g) : 0);
  }
  for (let g = 0; g < count; g++) {
    if (int(BOUND, g)) continue;
    let right = num(MARGIN, g);
    if (binding > 0) right -= dot(row(V, g), MOVE);
    setNum(WORK, g, right);
  }
  for (let g = 0; g < count; g++) {
    if (int(BOUND, g)) setNum(WORK, g, 0);
  }
  substitute(WORK);
  for (let g = 0; g < count; g++) if (!int(BOUND, g)) setNum(MOVE, g, num(WORK, g));
}

/** Cholesky of (V + εI) on the free targets and its inverse; the others' rows are the identity's. */
function factorise(): void {
  const count = riskCount;
  for (let i = 0; i < count; i++) {
    const own = row(FACTOR, i);
    for (let j = 0; j <= i; j++) {
      const other = row(FACTOR, j);
      const open = !int(BOUND, i) && !int(BOUND, j);
      let sum = open ? num(row(V, i), j) : 0;
      if (i == j) sum += open ? smoothing() : 1.0;
      for (let k = 0; k < j; k++) sum -= num(own, k) * num(other, k);
      if (i == j) setNum(own, i, Math.sqrt(max(sum, PIVOT_SHARE * smoothing())));
      else setNum(own, j, sum / num(other, j));
    }
  }
  for (let i = 0; i < count; i++) {
    const column = row(INVERSE, i);
    for (let j = 0; j < count; j++) setNum(column, j, i == j && !int(BOUND, i) ? 1.0 : 0);
    if (!int(BOUND, i)) substitute(column);
  }
  setFactored(true);
}

function setFactored(yes: bool): void {
  if (certifying) certified = yes;
  else factored = yes;
}

/** Solves with the factor, in place. */
function substitute(x: usize): void {
  const count = riskCount;
  for (let i = 0; i < count; i++) {
    const own = row(FACTOR, i);
    let sum = num(x, i);
    for (let j = 0; j < i; j++) sum -= num(own, j) * num(x, j);
    setNum(x, i, sum / num(own, i));
  }
  for (let i = count - 1; i >= 0; i--) {
    const own = row(FACTOR, i);
    const value = num(x, i) / num(own, i);
    setNum(x, i, value);
    for (let j = 0; j < i; j++) setNum(x, j, num(x, j) - num(own, j) * value);
  }
}

/** c − (V + ε)δ: what more of target g would still bring; below zero where m = 0 binds. */
export function slack(g: i32): f64 {
  return num(MARGIN, g) - dot(row(V, g), MOVE) - smoothing() * num(MOVE, g);
}

function smoothing(): f64 {
  return certifying ? CERTIFY_EPSILON : epsilon;
}

/** y = Vx. */
function multiply(x: usize, y: usize): void {
  for (let g = 0; g < riskCount; g++) setNum(y, g, dot(row(V, g), x));
}

export function dot(a: usize, b: usize): f64 {
  let sum: f64 = 0;
  for (let g = 0; g < riskCount; g++) sum += num(a, g) * num(b, g);
  return sum;
}

export function row(matrix: usize, g: i32): usize {
  return matrix + ((<usize>(g * riskCount)) << 3);
}

export function weightOf(g: i32): f64 {
  return targetAt(g).weight;
}
