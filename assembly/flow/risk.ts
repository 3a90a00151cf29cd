// A rebalance judged by its risk: worth held less what tracking error costs (Grinold and Kahn 1999,
// chapter 4; Markowitz 1952). In shares m = q/W₀ of the worth before, with V = aversion·covariance,
//   U = W₀·[Σm − ½(m − w)′V(m − w)],  m ≥ 0;        Ū(ν) = sup U − W₀·ν·m  (Boyd & Vandenberghe 3.3).
// V may be singular (cash carries no risk), so Ū is made smooth as linear edges are: less
// ½W₀ε|m − m̄|², centre m̄ ← m from one minimisation to the next. Then (V + εI)(m − m̄) = c on the
// targets that hold something, c = 1 − ν − V(m̄ − w), and the Hessian in log prices is the dense block
// W₀·diag(ν)(V + εI)⁻¹diag(ν). Refuses nothing: index.ts checks the covariance's numbers.

import { header } from '../layout';
import {
  DIAGONAL,
  GRADIENT,
  int,
  NU,
  n,
  nodeAt,
  num,
  RISK,
  riskCount,
  setInt,
  setNum,
  targetAt,
} from './state';

/** Pivots are never smaller than this share of ε: rounding must not make V look indefinite. */
const PIVOT_SHARE: f64 = 0.5;
/** Shares below zero and margins above it by less than this are rounding. */
const TINY: f64 = 1e-15;
const FLIPS_MAX: i32 = 12;
const CLIMBS_PER_TARGET: i32 = 4;
/** Shares by which a plan must miss its dual before it counts as stuck. */
const STUCK: f64 = 1e-6;
const CERTIFY_EPSILON: f64 = 1e-6;
const CERTIFY_ROUNDS: i32 = 12;

/** W₀, dollars; 0 while the objective is another. */
export let riskWorth: f64 = 0;
/** What the smoothing still hides: the most Ū can exceed the value at m, dollars. */
export let riskLoss: f64 = 0;

// ╒═══════════ Context in RISK: 2G² + 7G numbers, 2G i32 (own) ════════════╕
// │ factor, inverse (G² each) │ share, centre, pull, margin, move, work,   │
// │ floor (G each) │ bound, flipped (G i32 each)                            │
// └─────────────────────────────────────────────────────────────────────────┘
// The minimiser's, and another for the certificate, which must not disturb it. V stands before both.
let V: usize = 0;
let FACTOR: usize = 0;
let INVERSE: usize = 0;
let SHARE: usize = 0; // m
let CENTRE: usize = 0; // m̄
let PULL: usize = 0; // V(m̄ − w)
let MARGIN: usize = 0; // c
let MOVE: usize = 0; // m − m̄
let WORK: usize = 0;
let FLOOR: usize = 0; // what a target cannot get rid of, 0 until a plan shows it
let BOUND: usize = 0; // i32: 1 where m = FLOOR binds
let FLIPPED: usize = 0; // i32

let epsilon: f64 = 0;
/** Whether the factors belong to today's ε and free targets: the minimiser's, the certificate's. */
let factored: bool = false;
let certified: bool = false;
let certifying: bool = false;

function row(matrix: usize, g: i32): usize {
  return matrix + ((<usize>(g * riskCount)) << 3);
}

function weightOf(g: i32): f64 {
  return targetAt(g).weight;
}

/** Reads aversion, covariance and holdings; once per solve, after state's setObjective. */
export function prepareRisk(): void {
  riskWorth = 0;
  riskLoss = 0;
  const h = header();
  const count = riskCount;
  if (count == 0) return;
  V = RISK;
  // The certificate's context remembers nothing: the same problem must give the same bound.
  enter(true);
  memory.fill(FACTOR, 0, (<usize>((2 * count + 8) * count)) << 3);
  enter(false);
  factored = false;
  certified = false;
  for (let at = 0; at < count * count; at++) setNum(V, at, h.aversion * num(h.covariance, at));
  for (let k = 0; k < h.nodeCount; k++) {
    if (nodeAt(k).target >= 0) riskWorth += nodeAt(k).supply;
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

/** Centres the smoothing on what is held: where a cold minimisation starts. */
export function centreOnHoldings(): void {
  if (riskCount == 0) return;
  const h = header();
  for (let g = 0; g < riskCount; g++) {
    setNum(CENTRE, g, 0);
    setInt(BOUND, g, 0);
  }
  for (let k = 0; k < h.nodeCount; k++) {
    const node = nodeAt(k);
    if (node.target < 0) continue;
    setNum(CENTRE, node.target, num(CENTRE, node.target) + node.supply / riskWorth);
  }
  factored = false;
  pullBack();
}

/** Every target may sell all it holds again. */
export function forgetFloors(): void {
  for (let g = 0; g < riskCount; g++) setNum(FLOOR, g, 0);
}

/**
 * Prices are positive, so the dual throws away what a target would pay to be rid of; a plan cannot.
 * Where the plan leaves a target more (`worths`, dollars) than its best response asked for, that is
 * the least it holds from here on. True if so: what the others want depends on it.
 */
export function holdStuck(worths: usize): bool {
  let stuck = false;
  for (let g = 0; g < riskCount; g++) {
    const share = num(worths, g) / riskWorth;
    if (!(share > num(SHARE, g) + STUCK)) continue;
    setNum(FLOOR, g, share);
    stuck = true;
  }
  return stuck;
}

/** m̄ ← m. */
export function recentreRisk(): void {
  if (riskCount == 0) return;
  for (let g = 0; g < riskCount; g++) setNum(CENTRE, g, num(SHARE, g));
  pullBack();
}

export function setRiskEpsilon(next: f64): void {
  if (riskCount == 0) return;
  if (next != epsilon) factored = false;
  epsilon = next;
}

function smoothing(): f64 {
  return certifying ? CERTIFY_EPSILON : epsilon;
}

function pullBack(): void {
  for (let g = 0; g < riskCount; g++) setNum(WORK, g, num(CENTRE, g) - weightOf(g));
  multiply(WORK, PULL);
}

/** y = Vx. */
function multiply(x: usize, y: usize): void {
  for (let g = 0; g < riskCount; g++) setNum(y, g, dot(row(V, g), x));
}

function dot(a: usize, b: usize): f64 {
  let sum: f64 = 0;
  for (let g = 0; g < riskCount; g++) sum += num(a, g) * num(b, g);
  return sum;
}

/** Counts the smoothed Ū in the gradient and the Hessian's diagonal; returns it, dollars. */
export function addRisk(): f64 {
  respond();
  let gain = 0.5 * dot(MARGIN, MOVE);
  riskLoss = 0;
  for (let g = 0; g < riskCount; g++) {
    const k = targetAt(g).node;
    const nu = num(NU, k);
    const share = num(SHARE, g);
    const move = num(MOVE, g);
    setNum(GRADIENT, k, num(GRADIENT, k) - nu * riskWorth * share);
    setNum(DIAGONAL, k, num(DIAGONAL, k) + entry(g, g));
    const centre = num(CENTRE, g);
    gain += (1.0 - nu) * centre - 0.5 * (centre - weightOf(g)) * num(PULL, g);
    // c·δ − ½δ′(V + ε)δ is ½c·δ where (V + ε)δ = c; a target at zero has a margin left over.
    if (int(BOUND, g)) gain += 0.5 * move * slack(g);
    // The true Ū's slope at m is off by this much: by concavity it gains at most slope × (m′ − m).
    const slope = epsilon * move;
    riskLoss += max(slope, 0.0) * (1.0 - share) - min(slope, 0.0) * (share - num(FLOOR, g));
  }
  riskLoss *= riskWorth;
  return riskWorth * gain;
}

/** c − (V + ε)δ: what more of target g would still bring; below zero where m = 0 binds. */
function slack(g: i32): f64 {
  return num(MARGIN, g) - dot(row(V, g), MOVE) - smoothing() * num(MOVE, g);
}

/** An entry of the price-scaled Hessian, dollars. */
function entry(g: i32, other: i32): f64 {
  const nus = num(NU, targetAt(g).node) * num(NU, targetAt(other).node);
  return riskWorth * nus * num(row(INVERSE, g), other);
}

/**
 * m at the prices in NU: all targets on the wrong side of their floor change it at once, warm from the
 * last answer, which mostly ends in a turn or two (Portugal, Júdice and Vicente 1994); where it does
 * not, an active set that climbs with every turn (Lawson and Hanson 1974, chapter 23).
 */
function respond(): void {
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
  setFactored(false);
  return faults;
}

/** From the floors up, in SHARE: frees what gains most, binds what the way there runs into. */
function climb(): void {
  for (let g = 0; g < riskCount; g++) {
    setInt(BOUND, g, 1);
    setNum(SHARE, g, num(FLOOR, g));
  }
  for (let turn = 0; turn < CLIMBS_PER_TARGET * riskCount; turn++) {
    setFactored(false);
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

/** y ← y + Hx off the diagonal, for the block of targets. */
export function multiplyRisk(x: usize, y: usize): void {
  for (let g = 0; g < riskCount; g++) {
    const k = targetAt(g).node;
    setNum(WORK, g, num(NU, k) * num(x, k));
  }
  for (let g = 0; g < riskCount; g++) {
    const k = targetAt(g).node;
    const rest = dot(row(INVERSE, g), WORK) - num(row(INVERSE, g), g) * num(WORK, g);
    setNum(y, k, num(y, k) + riskWorth * num(NU, k) * rest);
  }
}

/** Σ over g ≠ h of x_g H_gh x_h. */
export function crossRisk(x: usize): f64 {
  let sum: f64 = 0;
  for (let g = 0; g < riskCount; g++) {
    for (let other = 0; other < g; other++) {
      sum += entry(g, other) * num(x, targetAt(g).node) * num(x, targetAt(other).node);
    }
  }
  return 2.0 * sum;
}

/** An entry off the diagonal of the block of targets. */
export function riskEntry(g: i32, other: i32): f64 {
  return entry(g, other);
}

/** U of worths by target, dollars. */
export function riskValue(worths: usize): f64 {
  let total: f64 = 0;
  for (let g = 0; g < riskCount; g++) {
    const worth = num(worths, g);
    total += worth;
    setNum(WORK, g, worth / riskWorth - weightOf(g));
  }
  let penalty: f64 = 0;
  for (let g = 0; g < riskCount; g++) penalty += num(WORK, g) * dot(row(V, g), WORK);
  return total - 0.5 * riskWorth * penalty;
}

/** U of what is held before anything is traded, dollars. */
export function riskHeld(): f64 {
  for (let g = 0; g < riskCount; g++) setNum(MARGIN, g, 0);
  for (let k = 0; k < header().nodeCount; k++) {
    const node = nodeAt(k);
    if (node.target < 0) continue;
    setNum(MARGIN, node.target, num(MARGIN, node.target) + node.supply);
  }
  return riskValue(MARGIN);
}

/**
 * Makes the prices in NU admissible and returns Ū's part beyond ν·holdings there. For every s, V
 * being positive semidefinite, −½x′Vx ≤ ½s′Vs − s′Vx; so with 1 − ν_g ≤ (Vs)_g for every target
 *   sup over m ≥ 0 of Σ(1 − ν)m − ½(m − w)′V(m − w)  ≤  ½s′Vs + s′Vw.
 * Any s will do once ν is raised to 1 − Vs; the best is the maximiser's m − w, found by proximal steps.
 */
export function admitRisk(): f64 {
  const h = header();
  for (let k = h.nodeCount; k < n; k++) setNum(NU, k, Infinity);
  for (let k = 0; k < h.nodeCount; k++) {
    const g = nodeAt(k).target;
    if (g < 0) continue;
    const own = targetAt(g).node;
    if (own >= h.nodeCount) setNum(NU, own, min(num(NU, own), num(NU, k)));
  }
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
  // PULL is V(m − w) now: s = m − w.
  let tail: f64 = 0;
  for (let g = 0; g < riskCount; g++) {
    const pull = num(PULL, g);
    tail += (0.5 * (num(CENTRE, g) - weightOf(g)) + weightOf(g)) * pull;
    const k = targetAt(g).node;
    setNum(NU, k, max(num(NU, k), 1.0 - pull));
  }
  for (let k = 0; k < h.nodeCount; k++) {
    const g = nodeAt(k).target;
    if (g >= 0) setNum(NU, k, max(num(NU, k), num(NU, targetAt(g).node)));
  }
  enter(false);
  return riskWorth * tail;
}
