// Covariance as its definition reads, and the smallest eigenvalue of the correlations by Jacobi's
// rotations: what the core says with pivots, said with eigenvalues.

export function covariance(
  returns: Float64Array,
  assets: number,
  decay: number,
  perYear: number,
): Float64Array {
  const rows = returns.length / assets;
  const result = new Float64Array(assets * assets);
  const weights = Array.from({ length: rows }, (_, row) => decay ** (rows - 1 - row));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < assets; i++) {
    for (let j = 0; j < assets; j++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        const product = at(returns, row * assets + i) * at(returns, row * assets + j);
        sum += at(weights, row) * product;
      }
      result[i * assets + j] = (perYear * sum) / total;
    }
  }
  return result;
}

const SWEEPS_MAX = 60;

/** Least eigenvalue of the correlations; every variance must be > 0. */
export function leastEigenvalue(matrix: Float64Array): number {
  const n = Math.round(Math.sqrt(matrix.length));
  const a = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => {
      const scale = Math.sqrt(at(matrix, i * n + i)) * Math.sqrt(at(matrix, j * n + j));
      return at(matrix, i * n + j) / scale;
    }),
  );
  const row = (i: number): number[] => a[i] as number[];
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = at(row(p), q);
        off += apq * apq;
        if (apq !== 0) rotate(a, n, p, q);
      }
    }
    if (off < 1e-30) break;
  }
  return Math.min(...a.map((_, i) => at(row(i), i)));
}

function rotate(a: number[][], n: number, p: number, q: number): void {
  const get = (i: number, j: number) => at(a[i] as number[], j);
  const set = (i: number, j: number, value: number) => {
    (a[i] as number[])[j] = value;
  };
  const theta = (get(q, q) - get(p, p)) / (2 * get(p, q));
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [kp, kq] = [get(k, p), get(k, q)];
    set(k, p, c * kp - s * kq);
    set(k, q, s * kp + c * kq);
  }
  for (let k = 0; k < n; k++) {
    const [pk, qk] = [get(p, k), get(q, k)];
    set(p, k, c * pk - s * qk);
    set(q, k, s * pk + c * qk);
  }
}

function at(values: ArrayLike<number>, k: number): number {
  return values[k] as number;
}
