// A rebalance judged by its risk: worth held less what tracking error costs (Grinold and Kahn 1999,
// chapter 4; Markowitz 1952). In shares m = q/W₀ of the worth before, with V = aversion·covariance,
//   U = W₀·[Σm − ½(m − w)′V(m − w)],  m ≥ 0;        Ū(ν) = sup U − W₀·ν·m  (Boyd & Vandenberghe 3.3).
// V may be singular (cash carries no risk), so Ū is made smooth as linear edges are: less
// ½W₀ε|m − m̄|², centre m̄ ← m from one minimisation to the next. Then (V + εI)(m − m̄) = c on the
// targets that hold something, c = 1 − ν − V(m̄ − w), and the Hessian in log prices is the dense block
// W₀·diag(ν)(V + εI)⁻¹diag(ν). m itself is the
// quadratic program of flow/riskProgram.ts. Refuses nothing: index.ts checks the covariance's numbers.

import { header } from '../layout';
import {
  BOUND,
  CENTRE,
  dot,
  epsilon,
  FLOOR,
  forgetFactor,
  INVERSE,
  leaveCertificate,
  MARGIN,
  MOVE,
  PULL,
  prepareProgram,
  pullBack,
  respond,
  row,
  SHARE,
  slack,
  solveUnsmoothed,
  V,
  WORK,
  weightOf,
} from './riskProgram';
import {
  DIAGONAL,
  GRADIENT,
  int,
  NU,
  n,
  nodeAt,
  num,
  priceTargets,
  RISK,
  riskCount,
  setInt,
  setNum,
  targetAt,
} from './state';

/** Shares by which a plan must miss its dual before it counts as stuck. */
const STUCK: f64 = 1e-6;

/** W₀, dollars; 0 while the objective is another. */
export let riskWorth: f64 = 0;
/** What the smoothing still hides: the most Ū can exceed the value at m, dollars. */
export let riskLoss: f64 = 0;

/** Reads aversion, covariance and holdings; once per solve, after state's setObjective. */
export function prepareRisk(): void {
  riskWorth = 0;
  riskLoss = 0;
  const h = header();
  const count = riskCount;
  if (count == 0) return;
  prepareProgram(RISK);
  for (let at = 0; at < count * count; at++) setNum(V, at, h.aversion * num(h.covariance, at));
  for (let k = 0; k < h.nodeCount; k++) {
    if (nodeAt(k).target >= 0) riskWorth += nodeAt(k).supply;
  }
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
  forgetFactor();
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

/** An entry of the price-scaled Hessian, dollars. */
function entry(g: i32, other: i32): f64 {
  const nus = num(NU, targetAt(g).node) * num(NU, targetAt(other).node);
  return riskWorth * nus * num(row(INVERSE, g), other);
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
  priceTargets();
  solveUnsmoothed();
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
  leaveCertificate();
  return riskWorth * tail;
}
