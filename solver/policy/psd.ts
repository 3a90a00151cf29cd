// Whether a matrix can be a covariance: symmetric and positive semidefinite, up to rounding. Owns
// the test; refuses nothing itself.

/** Rounding of n products, relative to the largest diagonal entry. */
const TOLERANCE = 1e-10;

/**
 * null if the n × n `matrix` is symmetric positive semidefinite; otherwise what is wrong, with the
 * remedy. Symmetric elimination with the largest remaining diagonal as pivot (LDLᵀ; Higham, Accuracy
 * and Stability of Numerical Algorithms, §10.3): semidefinite iff no pivot is negative and a row
 * whose pivot is zero is zero.
 */
export function notPositiveSemidefinite(matrix: Float64Array, n: number): string | null {
  const left = Float64Array.from(matrix);
  const at = (i: number, j: number) => left[i * n + j] ?? 0;
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(at(i, i)));
  const tolerance = TOLERANCE * n * largest;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(at(i, j) - at(j, i)) <= tolerance) continue;
      return `entries (${i},${j}) and (${j},${i}) differ; make it symmetric`;
    }
  }
  const open = new Set(Array.from({ length: n }, (_, i) => i));
  while (open.size > 0) {
    let pivot = -1;
    for (const i of open) if (pivot < 0 || at(i, i) > at(pivot, pivot)) pivot = i;
    for (const i of open) if (at(i, i) < -tolerance) return indefinite(i);
    open.delete(pivot);
    const d = at(pivot, pivot);
    if (d <= tolerance) {
      for (const i of open) {
        // |aᵢⱼ| ≤ √(aᵢᵢ aⱼⱼ), and both are within the tolerance here.
        for (const j of open)
          if (i !== j && Math.abs(at(i, j)) > 2 * tolerance) return indefinite(i);
        if (Math.abs(at(i, pivot)) > 2 * tolerance) return indefinite(i);
      }
      return null;
    }
    for (const i of open) {
      for (const j of open) left[i * n + j] = at(i, j) - (at(i, pivot) * at(pivot, j)) / d;
    }
  }
  return null;
}

const indefinite = (row: number): string =>
  `not positive semidefinite (some portfolio with asset ${row} would have negative variance); ` +
  'lower its correlations';
