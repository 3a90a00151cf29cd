// Covariances of returns, and what can be one. Exponentially weighted with mean zero (RiskMetrics
// technical document, 4th ed. 1996): Σ = perYear·Σ_t λ^{age}r_t r_t′/Σ_t λ^{age}, age 0 for the newest
// row; λ = 1 weighs all the same. Each row is scaled by λ^{age/2} first and the sum is of outer
// products of those rows with themselves, so it is semidefinite but for the rounding of the sums. One
// pass from the newest row, four rows at a time: each cell of the triangle is loaded once for four. A
// NaN or an infinity shows in the sums: 0·∞ is NaN.
//
// smallestPivot judges a matrix by the LDL′ of its correlations, taking the largest diagonal first
// (Higham, Accuracy and stability of numerical algorithms, 2nd ed. 2002, §10.3): of a semidefinite
// matrix what is left when the diagonal is down to rounding is rounding altogether. Refuses what is
// not finite.

import { BAD_INPUT, OK, TOO_LARGE } from '../layout';
import { AREA, ASSETS_MAX, cell, cellAt, claim, finite, setCell } from './area';

const ROWS_MAX: i32 = 1048576;
/** Weights below count for nothing: a row 10²⁹⁰ times lighter than the newest. */
const LEAST_WEIGHT: f64 = 1e-290;
/** A diagonal of correlations that small is rounding: 64 subtractions from 1, and room. */
const ROUNDING: f64 = 1e-12;
/** As solver/types/risk.ts: what rounding may take off a pivot of 0. */
export const PIVOT_TOLERANCE: f64 = 1e-10;
/** A diagonal below that settles it; going on would only let what is left grow. */
const NEGATIVE: f64 = -1e-6;

/**
 * Reads rows × assets returns from cell 0, oldest row first; writes assets² after them, row by row.
 * BAD_INPUT: λ, perYear or the counts out of range, a return is not finite, or the sums overflow.
 */
export function riskCovariance(rows: i32, assets: i32, decay: f64, perYear: f64): i32 {
  if (rows > ROWS_MAX || assets > ASSETS_MAX) return TOO_LARGE;
  if (rows < 1 || assets < 1 || !(decay > 0 && decay <= 1)) return BAD_INPUT;
  if (!(perYear > 0 && finite(perYear))) return BAD_INPUT;
  const inputs = rows * assets;
  const square = assets * assets;
  if (!claim(<i64>rows * assets + square + 4 * assets)) return TOO_LARGE;
  const sums = cellAt(AREA, inputs);
  const quad = cellAt(sums, square);
  memory.fill(sums, 0, (<usize>square) << 3);
  let weight: f64 = 1;
  let total: f64 = 0;
  let row = rows - 1;
  for (; row >= 0 && weight >= LEAST_WEIGHT; row -= 4) {
    for (let k = 0; k < 4; k++) {
      const used = row - k >= 0 ? weight : 0;
      const scale = Math.sqrt(used);
      const from = cellAt(AREA, max(row - k, 0) * assets);
      for (let i = 0; i < assets; i++) setCell(quad, 4 * i + k, scale * cell(from, i));
      total += used;
      weight *= decay;
    }
    addOuter(sums, quad, assets);
  }
  for (let k = 0; k < (row + 1) * assets; k++) if (!finite(cell(AREA, k))) return BAD_INPUT;
  const scale = perYear / total;
  for (let i = 0; i < assets; i++) {
    for (let j = 0; j <= i; j++) {
      const value = cell(sums, i * assets + j) * scale;
      if (!finite(value)) return BAD_INPUT;
      setCell(sums, i * assets + j, value);
      setCell(sums, j * assets + i, value);
    }
  }
  return OK;
}

/** Adds the outer products of four rows, held asset by asset, to the lower triangle. */
function addOuter(sums: usize, quad: usize, assets: i32): void {
  for (let i = 0; i < assets; i++) {
    const one = cellAt(quad, 4 * i);
    const a = load<f64>(one);
    const b = load<f64>(one, 8);
    const c = load<f64>(one, 16);
    const d = load<f64>(one, 24);
    let to = cellAt(sums, i * assets);
    for (let other = quad; other <= one; other += 32) {
      const products =
        a * load<f64>(other) +
        b * load<f64>(other, 8) +
        (c * load<f64>(other, 16) + d * load<f64>(other, 24));
      store<f64>(to, load<f64>(to) + products);
      to += 8;
    }
  }
}

/** Reads assets² from cell 0; writes the smallest pivot after them. BAD_INPUT: not finite. */
export function riskPivot(assets: i32): i32 {
  if (assets > ASSETS_MAX) return TOO_LARGE;
  if (assets < 1) return BAD_INPUT;
  const square = assets * assets;
  if (!claim(2 * square + 1)) return TOO_LARGE;
  for (let k = 0; k < square; k++) if (!finite(cell(AREA, k))) return BAD_INPUT;
  const out = cellAt(AREA, square);
  setCell(out, 0, smallestPivot(AREA, assets, cellAt(out, 1)));
  return OK;
}

/** n² cells at `matrix`, of which it reads the lower triangle; n² cells of scratch. */
export function smallestPivot(matrix: usize, n: i32, scratch: usize): f64 {
  if (!correlate(matrix, n, scratch)) return -1;
  let least = Infinity;
  for (let k = 0; k < n; k++) {
    let top = k;
    for (let i = k + 1; i < n; i++) {
      if (cell(scratch, i * n + i) > cell(scratch, top * n + top)) top = i;
    }
    exchange(scratch, n, k, top);
    const pivot = cell(scratch, k * n + k);
    if (pivot <= ROUNDING) return min(least, leftOver(scratch, n, k));
    least = min(least, pivot);
    for (let i = k + 1; i < n; i++) {
      const factor = cell(scratch, i * n + k) / pivot;
      for (let j = k + 1; j <= i; j++) {
        const value = cell(scratch, i * n + j) - factor * cell(scratch, j * n + k);
        setCell(scratch, i * n + j, value);
      }
      if (cell(scratch, i * n + i) < NEGATIVE) return cell(scratch, i * n + i);
    }
  }
  return least;
}

/**
 * Writes the lower triangle of correlations; false where no covariance has such cells: a variance
 * below zero, or one of zero beside a covariance that is not, or a correlation beyond 1.
 */
function correlate(matrix: usize, n: i32, out: usize): bool {
  for (let i = 0; i < n; i++) {
    const own = cell(matrix, i * n + i);
    if (!(own >= 0)) return false;
    for (let j = 0; j <= i; j++) {
      const value = cell(matrix, i * n + j);
      const other = cell(matrix, j * n + j);
      const flat = own == 0 || other == 0;
      if (flat && value != 0) return false;
      const correlation = flat ? 0 : i == j ? 1 : value / (Math.sqrt(own) * Math.sqrt(other));
      if (!(abs(correlation) <= 1 + PIVOT_TOLERANCE)) return false;
      setCell(out, i * n + j, correlation);
    }
  }
  return true;
}

/** Exchanges rows and columns a < b of what is left of a symmetric matrix's lower triangle. */
function exchange(at: usize, n: i32, a: i32, b: i32): void {
  if (a == b) return;
  swap(at, a * n + a, b * n + b);
  for (let k = a + 1; k < b; k++) swap(at, k * n + a, b * n + k);
  for (let k = b + 1; k < n; k++) swap(at, k * n + a, k * n + b);
}

function swap(at: usize, a: i32, b: i32): void {
  const value = cell(at, a);
  setCell(at, a, cell(at, b));
  setCell(at, b, value);
}

/** Least diagonal of the block from k on, or less its largest other cell, whichever is lower. */
function leftOver(at: usize, n: i32, k: i32): f64 {
  let least = Infinity;
  for (let i = k; i < n; i++) {
    for (let j = k; j < i; j++) least = min(least, -abs(cell(at, i * n + j)));
    least = min(least, cell(at, i * n + i));
  }
  return least;
}
