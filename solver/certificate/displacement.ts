// Where the risk bound is tight: s = m − w for the best shares m ≥ 0 at given margins a,
//   max over m ≥ 0 of a·m − ½A(m − w)′Σ(m − w).
// Any s gives a true bound (conjugate.ts), so nothing rests on this search but tightness. Σ may be
// singular, so each step maximises the same less ½Aε|s − s̄|² around the last s̄ (Rockafellar 1976):
// (Σ + εI)(s − s̄) = a/A − Σs̄ on the targets that hold something. In integers alone: the same answer on every machine.

import { type Fixed36, largerOf, ONE36, smallerOf } from '../market/decimal.ts';
import { present } from '../types/assert.ts';

const DIGITS = 72n;
const ONE = 10n ** DIGITS;
/** From Fixed36. */
const UP = 10n ** (DIGITS - 36n);
/** ε is this share of the largest variance: a step then misses that share of the way, squared by two. */
const EPSILON_SHARE = 10n ** 14n;
const STEPS_MAX = 3;
const FLIPS_MAX = 12;
const CLIMBS_PER_TARGET = 4;
/** Rounding of a division each, with much to spare. */
const TINY = 10n ** 24n;

interface Search {
  /** Σ and Σ + εI, × 10^72. */
  readonly sigma: Matrix;
  readonly shifted: Matrix;
  /** −w and a/A, × 10^72. */
  readonly least: Vector;
  readonly wanted: Vector;
}
type Vector = readonly bigint[];
type Matrix = readonly Vector[];

/**
 * @param margin a by target, × 10^36
 * @param weights w by target, × 10^36
 * @returns s by target, × 10^36, not below −w
 */
export function displacement(
  covariance: readonly (readonly Fixed36[])[],
  aversion: Fixed36,
  margin: readonly bigint[],
  weights: readonly Fixed36[],
): readonly bigint[] {
  const sigma = covariance.map((row) => row.map((cell) => cell * UP));
  const epsilon = sigma.reduce((most, row, g) => largerOf(most, at(row, g)), 0n) / EPSILON_SHARE;
  const least = weights.map((weight) => -weight * UP);
  if (epsilon === 0n) return weights.map(() => 0n);
  const search: Search = {
    sigma,
    shifted: sigma.map((row, g) => row.map((cell, h) => (g === h ? cell + epsilon : cell))),
    least,
    wanted: margin.map((a) => (a * ONE36 * UP) / aversion),
  };
  let s: Vector = weights.map(() => 0n);
  let free = weights.map(() => true);
  for (let step = 0; step < STEPS_MAX; step++) {
    const next = proximalStep(search, s, free);
    const still = next.s.every((value, g) => magnitude(value - at(s, g)) <= TINY);
    s = next.s;
    free = next.free;
    if (still) break;
  }
  return s.map((value, g) => largerOf(value / UP, -present(weights[g], 'weight')));
}

interface Answer {
  readonly s: Vector;
  /** Whether a target holds something: s above its least. */
  free: boolean[];
}

/**
 * One proximal step from `center`: all targets on the wrong side change it at once, which mostly ends
 * in a few turns (Portugal, Júdice and Vicente 1994); where it does not, an active set that climbs
 * with every turn (Lawson and Hanson 1974, chapter 23).
 */
function proximalStep(search: Search, center: Vector, start: readonly boolean[]): Answer {
  const pull = search.sigma.map((row) => dot(row, center));
  const step: Step = {
    matrix: search.shifted,
    right: search.wanted.map((value, g) => value - at(pull, g)),
    bottom: search.least.map((value, g) => value - at(center, g)),
  };
  const free = [...start];
  const moves = flipFaults(step, free) ?? climb(step, free);
  return { s: moves.map((move, g) => largerOf(move, at(step.bottom, g)) + at(center, g)), free };
}

interface Step {
  readonly matrix: Matrix;
  readonly right: Vector;
  readonly bottom: Vector;
}

/** Changes `free`; null if some targets keep changing sides. */
function flipFaults(step: Step, free: boolean[]): Vector | null {
  for (let turn = 0; turn < FLIPS_MAX; turn++) {
    const moves = solveFree(step, free);
    const faults = free.flatMap((open, g) => {
      const fault = open
        ? at(moves, g) < at(step.bottom, g) - TINY
        : marginLeft(step, moves, g) > TINY;
      return fault ? [g] : [];
    });
    if (faults.length === 0) return moves;
    for (const g of faults) free[g] = !free[g];
  }
  return null;
}

/** From the bottom up: frees the target with most to gain, binds those the way there runs into. */
function climb(step: Step, free: boolean[]): Vector {
  free.fill(false);
  let moves: Vector = step.bottom;
  for (let turn = 0; turn < CLIMBS_PER_TARGET * free.length; turn++) {
    const goal = solveFree(step, free);
    const short = goal.map((value, g) => (free[g] ? at(step.bottom, g) - value : 0n));
    if (short.every((value) => value <= TINY)) {
      moves = goal;
      const gains = free.map((open, g) => (open ? 0n : marginLeft(step, moves, g)));
      const most = gains.reduce(largerOf, TINY);
      if (most === TINY) break;
      free[gains.indexOf(most)] = true;
      continue;
    }
    // The largest part of the way, × 10^72, that keeps every target above its bottom.
    const parts = short.map((value, g) => {
      const room = at(moves, g) - at(step.bottom, g);
      return value > TINY ? (room * ONE) / (room + value) : ONE;
    });
    const part = parts.reduce(smallerOf, ONE);
    moves = moves.map((move, g) => move + ((at(goal, g) - move) * part) / ONE);
    for (const [g, one] of parts.entries()) if (one === part && part < ONE) free[g] = false;
    moves = moves.map((move, g) => (free[g] ? move : at(step.bottom, g)));
  }
  return moves;
}

/** What more of target g would still bring. */
function marginLeft({ matrix, right }: Step, moves: Vector, g: number): bigint {
  return at(right, g) - dot(present(matrix[g], 'row'), moves);
}

/** x with x_g = bottom_g where not free, and (Mx)_g = right_g where free: LDLᵀ, then substitution. */
function solveFree({ matrix, right, bottom }: Step, free: readonly boolean[]): Vector {
  const open = free.flatMap((isFree, g) => (isFree ? [g] : []));
  const fixed = bottom.map((value, g) => (free[g] ? 0n : value));
  const x = open.map((g) => at(right, g) - dot(present(matrix[g], 'row'), fixed));
  // Row i of the factor up to i: D_i L_ij for j < i stands in `scaled`, L_ij in `lower`.
  const lower: bigint[][] = [];
  const pivots: bigint[] = [];
  open.forEach((g, i) => {
    const scaled: bigint[] = [];
    const own: bigint[] = [];
    const row = present(matrix[g], 'row');
    let pivot = at(row, g);
    for (let j = 0; j < i; j++) {
      const other = present(lower[j], 'row');
      let sum = at(row, present(open[j], 'target')) * ONE;
      for (let k = 0; k < j; k++) sum -= at(scaled, k) * at(other, k);
      const entry = sum / ONE;
      scaled.push(entry);
      own.push((entry * ONE) / at(pivots, j));
      pivot -= (entry * at(own, j)) / ONE;
    }
    lower.push(own);
    pivots.push(largerOf(pivot, 1n));
    x[i] = at(x, i) - dot(own, x.slice(0, i));
  });
  const solved = x.map((value, i) => (value * ONE) / at(pivots, i));
  for (let i = solved.length - 1; i >= 0; i--) {
    const own = present(lower[i], 'row');
    for (let j = 0; j < i; j++) solved[j] = at(solved, j) - (at(own, j) * at(solved, i)) / ONE;
  }
  const answer = [...fixed];
  open.forEach((g, i) => {
    answer[g] = at(solved, i);
  });
  return answer;
}

/** Σ aᵢbᵢ, both and the result × 10^72. */
function dot(a: Vector, b: Vector): bigint {
  return a.reduce((sum, value, i) => sum + value * at(b, i), 0n) / ONE;
}

const at = (vector: Vector, index: number): bigint => present(vector[index], 'component');
const magnitude = (a: bigint): bigint => (a < 0n ? -a : a);
