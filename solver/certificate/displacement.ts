// Where the risk bound is tight: s = m − w for the best shares m ≥ 0 at given margins a,
//   max over m ≥ 0 of a·m − ½A(m − w)′Σ(m − w).
// Any s gives a true bound (conjugate.ts), so nothing rests on this search but tightness. Σ may be
// singular, so each step maximises the same less ½Aε|s − s̄|² around the last s̄ (Rockafellar 1976):
// (Σ + εI)(s − s̄) = a/A − Σs̄ on the targets that hold something, chosen by principal pivoting. In
// integers alone: the same answer on every machine.

import { type Fixed36, ONE36 } from '../market/decimal.ts';
import { present } from '../types/assert.ts';

const DIGITS = 72n;
const ONE = 10n ** DIGITS;
/** From Fixed36. */
const UP = 10n ** (DIGITS - 36n);
/** ε is this share of the largest variance: a step then misses that share of the way, squared by two. */
const EPSILON_SHARE = 10n ** 14n;
const STEPS_MAX = 3;
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
  const epsilon = sigma.reduce((most, row, g) => larger(most, at(row, g)), 0n) / EPSILON_SHARE;
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
  return s.map((value, g) => larger(value / UP, -present(weights[g], 'weight')));
}

interface Answer {
  readonly s: Vector;
  /** Whether a target holds something: s above its least. */
  free: boolean[];
}

/**
 * One proximal step from `center`. Faulty targets change sides all at once while that leaves fewer of
 * them, else the last one alone, which ends because Σ + εI is positive definite (Murty 1974).
 */
function proximalStep(search: Search, center: Vector, start: readonly boolean[]): Answer {
  const pull = search.sigma.map((row) => dot(row, center));
  const right = search.wanted.map((value, g) => value - at(pull, g));
  const bottom = search.least.map((value, g) => value - at(center, g));
  const free = [...start];
  let fewest = free.length + 1;
  let moves: Vector = bottom;
  for (let round = 0; round < 4 * free.length + 16; round++) {
    moves = solveFree(search.shifted, free, right, bottom);
    const faults = free.flatMap((open, g) => {
      if (open) return at(moves, g) < at(bottom, g) - TINY ? [g] : [];
      return at(right, g) - dot(present(search.shifted[g], 'row'), moves) > TINY ? [g] : [];
    });
    if (faults.length === 0) break;
    for (const g of faults.length < fewest ? faults : faults.slice(-1)) free[g] = !free[g];
    fewest = Math.min(fewest, faults.length);
  }
  return { s: moves.map((move, g) => larger(move, at(bottom, g)) + at(center, g)), free };
}

/** x with x_g = bottom_g where not free, and (Mx)_g = right_g where free: LDLᵀ, then substitution. */
function solveFree(
  matrix: Matrix,
  free: readonly boolean[],
  right: Vector,
  bottom: Vector,
): Vector {
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
    pivots.push(larger(pivot, 1n));
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
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const magnitude = (a: bigint): bigint => (a < 0n ? -a : a);
