// Weights whose shares of the risk are given: wᵢ(Σw)ᵢ = bᵢ·w′Σw, w > 0, Σw = 1 (Maillard, Roncalli,
// Teïletche 2010). They are the one minimum, up to scale, of the convex ½y′Σy − Σbᵢ·ln yᵢ (Spinu, An
// algorithm for computing risk parity weights, 2013), taken by Newton's method:
//   in correlations, y in units of volatility: wᵢ ∝ yᵢ/σᵢ; every step starts from y′Cy = 1, Σb = 1
//   in relative steps e = Δy/y, scaled by √b: (I + B^{−½}YCYB^{−½})u = −B^{−½}(y∘Cy − b), e = B^{−½}u
// whose matrix has no eigenvalue below 1, however near C is to singular. Steps are halved until
//   F(t) − F(0) = ½·ln(1 + 2tα + t²β) − Σbᵢ·ln(1 + teᵢ)     (the objective at its best scale)
// falls as Armijo (1966) asks; in log1p nothing cancels. An asset of budget 0 gets weight 0. Refuses
// what is no covariance (BAD_INPUT) and what has no answer (INFEASIBLE): a budget for an asset without
// variance, or a mix of the assets that carries no risk at all.

import { BAD_INPUT, INFEASIBLE, LIMIT, OK, TOO_LARGE } from '../layout';
import { AREA, ASSETS_MAX, cell, cellAt, claim, finite, setCell } from './area';
import { PIVOT_TOLERANCE, smallestPivot } from './covariance';

/** Newton's steps; the vectors need five to seven. */
const ROUNDS_MAX: i32 = 200;
const HALVINGS_MAX: i32 = 60;
/** Part of a budget missed from which convergence is quadratic, if no budget is below 10⁻¹¹. */
const SMALL: f64 = 1e-6;
/** Share of risk by which a budget may be missed. */
const RESIDUAL_MAX: f64 = 1e-10;
/** A mix whose variance cancels to this part of its terms carries no risk that doubles can tell. */
const RISKLESS: f64 = 1e-13;

/** Working memory of one call: blocks after the results, for the `m` assets of positive budget. */
let m: i32 = 0;
let ASSET: usize = 0;
let SHARE: usize = 0;
let C: usize = 0;
let MATRIX: usize = 0;
let Y: usize = 0;
let PULL: usize = 0;
let STEP: usize = 0;

/**
 * Reads covariance (n², symmetric) and budgets (n, ≥ 0) from cell 0; writes weights (n), residual (the
 * largest |share of risk − budget's share|) and rounds after them. OK; LIMIT if the residual stays
 * above 10⁻¹⁰; BAD_INPUT; INFEASIBLE; TOO_LARGE.
 */
export function riskParity(n: i32): i32 {
  if (n > ASSETS_MAX) return TOO_LARGE;
  if (n < 1) return BAD_INPUT;
  const square = n * n;
  if (!claim(3 * square + 7 * n + 2)) return TOO_LARGE;
  const budgets = cellAt(AREA, square);
  const weights = cellAt(budgets, n);
  C = cellAt(weights, n + 2);
  MATRIX = cellAt(C, square);
  ASSET = cellAt(MATRIX, square);
  SHARE = cellAt(ASSET, n);
  Y = cellAt(SHARE, n);
  PULL = cellAt(Y, n);
  STEP = cellAt(PULL, n);
  for (let k = 0; k < square; k++) if (!finite(cell(AREA, k))) return BAD_INPUT;
  if (smallestPivot(AREA, n, MATRIX) < -PIVOT_TOLERANCE) return BAD_INPUT;
  const status = select(budgets, n);
  if (status != OK) return status;
  const rounds = descend();
  if (rounds < 0) return INFEASIBLE;
  setCell(weights, n + 1, rounds);
  return publish(weights, budgets, n);
}

/** Lists the assets of positive budget with their shares of it, and their correlations. */
function select(budgets: usize, n: i32): i32 {
  let total: f64 = 0;
  for (let i = 0; i < n; i++) {
    if (!(cell(budgets, i) >= 0)) return BAD_INPUT;
    total += cell(budgets, i);
  }
  if (!(total > 0 && finite(total))) return BAD_INPUT;
  m = 0;
  for (let i = 0; i < n; i++) {
    const share = cell(budgets, i) / total;
    if (share == 0) continue;
    if (cell(AREA, i * n + i) == 0) return INFEASIBLE;
    setCell(ASSET, m, i);
    setCell(SHARE, m, share);
    m++;
  }
  for (let a = 0; a < m; a++) {
    const i = <i32>cell(ASSET, a);
    const deviation = Math.sqrt(cell(AREA, i * n + i));
    for (let b = 0; b < m; b++) {
      const j = <i32>cell(ASSET, b);
      const size = deviation * Math.sqrt(cell(AREA, j * n + j));
      setCell(C, a * m + b, a == b ? 1 : cell(AREA, i * n + j) / size);
    }
  }
  return OK;
}

/** Newton's method from yᵢ = √bᵢ, the answer where nothing correlates; rounds, or −1: no risk. */
function descend(): i32 {
  for (let i = 0; i < m; i++) setCell(Y, i, Math.sqrt(cell(SHARE, i)));
  let last = Infinity;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (!normalise()) return -1;
    let residual: f64 = 0;
    for (let i = 0; i < m; i++) {
      residual = max(residual, abs(cell(Y, i) * cell(PULL, i) - cell(SHARE, i)) / cell(SHARE, i));
    }
    // Newton's steps square what is missed once it is small; one that does not halve it met rounding.
    if (residual == 0 || (residual < SMALL && residual > 0.5 * last)) return round;
    last = residual;
    factorise();
    newton();
    if (!advance()) return round;
  }
  return ROUNDS_MAX;
}

/** Scales y to y′Cy = 1 with PULL = Cy; false if its variance is rounding. */
function normalise(): bool {
  let variance: f64 = 0;
  let terms: f64 = 0;
  for (let i = 0; i < m; i++) {
    let pull: f64 = 0;
    let size: f64 = 0;
    for (let j = 0; j < m; j++) {
      const term = cell(C, i * m + j) * cell(Y, j);
      pull += term;
      size += abs(term);
    }
    setCell(PULL, i, pull);
    variance += cell(Y, i) * pull;
    terms += cell(Y, i) * size;
  }
  if (!(variance > RISKLESS * terms)) return false;
  const scale = 1 / Math.sqrt(variance);
  for (let i = 0; i < m; i++) {
    setCell(Y, i, cell(Y, i) * scale);
    setCell(PULL, i, cell(PULL, i) * scale);
  }
  return true;
}

/** Cholesky of I + B^{−½}YCYB^{−½} into the lower triangle of MATRIX. */
function factorise(): void {
  for (let i = 0; i < m; i++) {
    const si = cell(Y, i) / Math.sqrt(cell(SHARE, i));
    for (let j = 0; j <= i; j++) {
      const sj = cell(Y, j) / Math.sqrt(cell(SHARE, j));
      let value = si * sj * cell(C, i * m + j) + (i == j ? 1.0 : 0.0);
      for (let k = 0; k < j; k++) value -= cell(MATRIX, i * m + k) * cell(MATRIX, j * m + k);
      // At least 1 but for rounding, which may take all of it where y runs off.
      if (i == j) setCell(MATRIX, i * m + i, Math.sqrt(max(value, f64.EPSILON)));
      else setCell(MATRIX, i * m + j, value / cell(MATRIX, j * m + j));
    }
  }
}

/** The relative step e into STEP. */
function newton(): void {
  for (let i = 0; i < m; i++) {
    const share = cell(SHARE, i);
    let value = (share - cell(Y, i) * cell(PULL, i)) / Math.sqrt(share);
    for (let k = 0; k < i; k++) value -= cell(MATRIX, i * m + k) * cell(STEP, k);
    setCell(STEP, i, value / cell(MATRIX, i * m + i));
  }
  for (let i = m - 1; i >= 0; i--) {
    let value = cell(STEP, i);
    for (let k = i + 1; k < m; k++) value -= cell(MATRIX, k * m + i) * cell(STEP, k);
    setCell(STEP, i, value / cell(MATRIX, i * m + i));
  }
  for (let i = 0; i < m; i++) setCell(STEP, i, cell(STEP, i) / Math.sqrt(cell(SHARE, i)));
}

/** Steps as far as the objective falls; false if it falls nowhere. */
function advance(): bool {
  let alpha: f64 = 0;
  let beta: f64 = 0;
  let slope: f64 = 0;
  let least: f64 = 0;
  for (let i = 0; i < m; i++) {
    const e = cell(STEP, i);
    const move = cell(Y, i) * e;
    let pull: f64 = 0;
    for (let j = 0; j < m; j++) pull += cell(C, i * m + j) * cell(Y, j) * cell(STEP, j);
    alpha += move * cell(PULL, i);
    beta += move * pull;
    slope += e * (cell(Y, i) * cell(PULL, i) - cell(SHARE, i));
    least = min(least, e);
  }
  // Positive weights stay positive: at most 99 % of the way to zero.
  let t: f64 = least < -0.99 ? -0.99 / least : 1;
  for (let k = 0; k < HALVINGS_MAX; k++) {
    let change = 0.5 * Math.log1p(t * (2 * alpha + t * beta));
    for (let i = 0; i < m; i++) change -= cell(SHARE, i) * Math.log1p(t * cell(STEP, i));
    if (change <= 1e-4 * t * slope) {
      for (let i = 0; i < m; i++) setCell(Y, i, cell(Y, i) * (1 + t * cell(STEP, i)));
      return true;
    }
    t *= 0.5;
  }
  return false;
}

/** Writes the weights, and what the covariance itself says they miss. */
function publish(weights: usize, budgets: usize, n: i32): i32 {
  for (let i = 0; i < n; i++) setCell(weights, i, 0);
  let total: f64 = 0;
  for (let a = 0; a < m; a++) {
    const i = <i32>cell(ASSET, a);
    setCell(weights, i, cell(Y, a) / Math.sqrt(cell(AREA, i * n + i)));
    total += cell(weights, i);
  }
  let variance: f64 = 0;
  let budget: f64 = 0;
  for (let i = 0; i < n; i++) setCell(weights, i, cell(weights, i) / total);
  for (let i = 0; i < n; i++) {
    let pull: f64 = 0;
    for (let j = 0; j < n; j++) pull += cell(AREA, i * n + j) * cell(weights, j);
    setCell(STEP, i, cell(weights, i) * pull);
    variance += cell(STEP, i);
    budget += cell(budgets, i);
  }
  let residual: f64 = 0;
  for (let i = 0; i < n; i++) {
    const missed = abs(cell(STEP, i) / variance - cell(budgets, i) / budget);
    // NaN, where volatilities are too far apart for one variance, is the largest of all.
    if (!(missed <= residual)) residual = missed;
  }
  if (!finite(residual)) return BAD_INPUT;
  setCell(weights, n, residual);
  return residual <= RESIDUAL_MAX ? OK : LIMIT;
}
