// Small dense linear algebra for portfolios of tens of assets: forms, a symmetric eigenvalue
// decomposition, least squares and the checks at the door. Matrices are Float64Array, row by row.
// What runs every block (covariance, risk parity, bands) is the kernel's; this is off the hot path.

import { assert } from '../../types/assert.ts';
import { InvalidInput } from '../../types/errors.ts';

/** Largest relative asymmetry a matrix may have from rounding. */
const ASYMMETRY_MAX = 1e-9;
/** Cyclic Jacobi converges quadratically: some six to ten sweeps for any size met here. */
const SWEEPS_MAX = 60;
/** A pivot of R below this share of its column's length says the columns are dependent. */
const DEPENDENT = 1e-12;

/** Refuses a vector of another length than `size` or with an entry that is no finite number. */
export function checkVector(values: ArrayLike<number>, size: number, name: string): void {
  if (values.length !== size) {
    throw new InvalidInput(`${name} has ${values.length} entries, not ${size}`, {
      pointer: `/${name}`,
    });
  }
  for (let i = 0; i < size; i++) {
    if (!Number.isFinite(values[i])) {
      const pointer = `/${name}/${i}`;
      throw new InvalidInput(`${name}[${i}] must be a finite number`, { pointer });
    }
  }
}

/** Refuses a number that is not finite or lies outside [low, high]. */
export function checkNumber(value: number, name: string, low: number, high = Infinity): void {
  if (Number.isFinite(value) && value >= low && value <= high) return;
  const range = high === Infinity ? `at least ${low}` : `from ${low} to ${high}`;
  throw new InvalidInput(`${name} is ${value}: it must be a number ${range}`, {
    pointer: `/${name}`,
  });
}

/** Refuses a number that is not finite and above 0. */
export function checkPositive(value: number, name: string): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new InvalidInput(`${name} is ${value}: it must be above 0`, { pointer: `/${name}` });
}

/** Refuses what is no symmetric size × size matrix of finite numbers with a diagonal ≥ 0. */
export function checkSymmetric(matrix: Float64Array, size: number, name: string): void {
  checkVector(matrix, size * size, name);
  for (let i = 0; i < size; i++) {
    if (at(matrix, i * size + i) < 0) {
      const pointer = `/${name}/${i * size + i}`;
      throw new InvalidInput(`${name}: the diagonal entry of row ${i} is below 0`, { pointer });
    }
    for (let j = 0; j < i; j++) {
      const [one, other] = [at(matrix, i * size + j), at(matrix, j * size + i)];
      if (Math.abs(one - other) > ASYMMETRY_MAX * (Math.abs(one) + Math.abs(other))) {
        const pointer = `/${name}/${i * size + j}`;
        throw new InvalidInput(`${name} is not symmetric at row ${i}, column ${j}`, { pointer });
      }
    }
  }
}

/** The entry, known to exist. No message is built unless it is needed: this is the inner loop. */
export function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) assert(false, `index ${index} outside ${values.length} entries`);
  return value;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i);
  return sum;
}

export const total = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0);

/** A·x for a square A. */
export function times(matrix: Float64Array, x: ArrayLike<number>): Float64Array {
  const size = x.length;
  return Float64Array.from({ length: size }, (_, i) =>
    dot(matrix.subarray(i * size, (i + 1) * size), x),
  );
}

/** x′Ax. */
export const form = (matrix: Float64Array, x: ArrayLike<number>): number =>
  dot(x, times(matrix, x));

/** A·B for A (rows × inner) and B (inner × columns). */
export function product(a: Float64Array, b: Float64Array, inner: number): Float64Array {
  const [rows, columns] = [a.length / inner, b.length / inner];
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const left = at(a, i * inner + k);
      for (let j = 0; j < columns; j++) {
        out[i * columns + j] = at(out, i * columns + j) + left * at(b, k * columns + j);
      }
    }
  }
  return out;
}

export function transpose(a: Float64Array, columns: number): Float64Array {
  const rows = a.length / columns;
  const out = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = at(a, i * columns + j);
  }
  return out;
}

export interface Eigen {
  /** Not sorted. */
  readonly values: Float64Array;
  /** Orthonormal eigenvectors as columns, row by row. */
  readonly vectors: Float64Array;
}

/**
 * A = V·diag(values)·V′ of a symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan, Matrix
 * Computations, §8.5): slower than others, accurate even for small eigenvalues.
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const a = Float64Array.from(matrix);
  const vectors = Float64Array.from({ length: size * size }, (_, k) =>
    k % (size + 1) === 0 ? 1 : 0,
  );
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let rotated = false;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const [app, aqq, apq] = [at(a, p * size + p), at(a, q * size + q), at(a, p * size + q)];
        if (Math.abs(apq) <= Number.EPSILON * 0.25 * Math.sqrt(Math.abs(app * aqq))) continue;
        if (apq === 0) continue;
        rotated = true;
        const theta = (aqq - app) / (2 * apq);
        const tan = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const cos = 1 / Math.hypot(tan, 1);
        rotate(a, vectors, size, p, q, cos, tan * cos);
      }
    }
    if (!rotated) break;
  }
  return { values: Float64Array.from({ length: size }, (_, i) => at(a, i * size + i)), vectors };
}

/** A ← J′AJ and V ← VJ for the rotation J in the plane of p and q. */
function rotate(
  a: Float64Array,
  vectors: Float64Array,
  size: number,
  p: number,
  q: number,
  cos: number,
  sin: number,
): void {
  const turn = (m: Float64Array, left: number, right: number) => {
    const [x, y] = [at(m, left), at(m, right)];
    m[left] = cos * x - sin * y;
    m[right] = sin * x + cos * y;
  };
  for (let k = 0; k < size; k++) turn(a, k * size + p, k * size + q);
  for (let k = 0; k < size; k++) turn(a, p * size + k, q * size + k);
  a[p * size + q] = 0;
  a[q * size + p] = 0;
  for (let k = 0; k < size; k++) turn(vectors, k * size + p, k * size + q);
}

/**
 * b minimising |Xb − y|² by Householder QR (Golub & Van Loan, §5.3), rows ≥ columns; null where the
 * columns of X are dependent.
 */
export function leastSquares(
  x: Float64Array,
  y: Float64Array,
  columns: number,
): Float64Array | null {
  const rows = y.length;
  assert(x.length === rows * columns && rows >= columns, 'least squares: shapes do not fit');
  const r = Float64Array.from(x);
  const rhs = Float64Array.from(y);
  for (let k = 0; k < columns; k++) {
    const full = columnNorm(r, columns, k, 0);
    const norm = columnNorm(r, columns, k, k);
    if (!(norm > DEPENDENT * full)) return null;
    // v = x ± |x|e₁ with the sign that adds; I − 2vv′/v′v sends x to ∓|x|e₁.
    const head = at(r, k * columns + k);
    const pivot = head > 0 ? -norm : norm;
    const v = Float64Array.from({ length: rows - k }, (_, i) => at(r, (k + i) * columns + k));
    v[0] = head - pivot;
    const scale = 2 / dot(v, v);
    for (let j = k; j < columns; j++) {
      reflect(v, scale, (i) => (k + i) * columns + j, r);
    }
    reflect(v, scale, (i) => k + i, rhs);
  }
  const b = new Float64Array(columns);
  for (let k = columns - 1; k >= 0; k--) {
    let sum = at(rhs, k);
    for (let j = k + 1; j < columns; j++) sum -= at(r, k * columns + j) * at(b, j);
    b[k] = sum / at(r, k * columns + k);
  }
  return b;
}

function reflect(
  v: Float64Array,
  scale: number,
  index: (i: number) => number,
  target: Float64Array,
): void {
  let along = 0;
  for (let i = 0; i < v.length; i++) along += at(v, i) * at(target, index(i));
  for (let i = 0; i < v.length; i++) {
    target[index(i)] = at(target, index(i)) - scale * along * at(v, i);
  }
}

function columnNorm(matrix: Float64Array, columns: number, column: number, from: number): number {
  let sum = 0;
  for (let i = from; i * columns < matrix.length; i++) sum += at(matrix, i * columns + column) ** 2;
  return Math.sqrt(sum);
}
