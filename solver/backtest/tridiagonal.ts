// Symmetric positive definite block-tridiagonal systems, solved in one pass forth and one back: the
// blocks' Cholesky factors, L_k L_k′ = A_k − C_k−1′·(L L′)_k−1⁻¹·C_k−1. Assumes positive definite.

export interface Blocks {
  /** Rows of one block, and blocks. */
  readonly size: number;
  readonly count: number;
  /** A_k, size² each; overwritten by its factor's lower triangle. */
  readonly own: Float64Array;
  /** C_k, what couples block k with k + 1; overwritten by L_k⁻¹C_k. */
  readonly next: Float64Array;
}

export function createBlocks(size: number, count: number): Blocks {
  const cells = size * size * count;
  return { size, count, own: new Float64Array(cells), next: new Float64Array(cells) };
}

export function factor({ size: m, count, own, next }: Blocks): void {
  for (let k = 0; k < count; k++) {
    const base = k * m * m;
    if (k > 0) {
      const before = base - m * m;
      for (let i = 0; i < m; i++) {
        for (let j = 0; j <= i; j++) {
          let sum = own[base + i * m + j] as number;
          for (let l = 0; l < m; l++) {
            sum -= (next[before + l * m + i] as number) * (next[before + l * m + j] as number);
          }
          own[base + i * m + j] = sum;
        }
      }
    }
    for (let j = 0; j < m; j++) {
      let pivot = own[base + j * m + j] as number;
      for (let l = 0; l < j; l++) pivot -= (own[base + j * m + l] as number) ** 2;
      const root = Math.sqrt(pivot);
      own[base + j * m + j] = root;
      for (let i = j + 1; i < m; i++) {
        let sum = own[base + i * m + j] as number;
        for (let l = 0; l < j; l++) {
          sum -= (own[base + i * m + l] as number) * (own[base + j * m + l] as number);
        }
        own[base + i * m + j] = sum / root;
      }
    }
    if (k + 1 === count) break;
    for (let column = 0; column < m; column++) {
      for (let i = 0; i < m; i++) {
        let sum = next[base + i * m + column] as number;
        for (let l = 0; l < i; l++) {
          sum -= (own[base + i * m + l] as number) * (next[base + l * m + column] as number);
        }
        next[base + i * m + column] = sum / (own[base + i * m + i] as number);
      }
    }
  }
}

/** Solves with what `factor` left; `out` may not be `right`. */
export function solve(
  { size: m, count, own, next }: Blocks,
  right: Float64Array,
  out: Float64Array,
): void {
  for (let k = 0; k < count; k++) {
    const base = k * m * m;
    for (let i = 0; i < m; i++) {
      let sum = right[k * m + i] as number;
      if (k > 0) {
        for (let l = 0; l < m; l++) {
          sum -= (next[base - m * m + l * m + i] as number) * (out[(k - 1) * m + l] as number);
        }
      }
      for (let l = 0; l < i; l++)
        sum -= (own[base + i * m + l] as number) * (out[k * m + l] as number);
      out[k * m + i] = sum / (own[base + i * m + i] as number);
    }
  }
  for (let k = count - 1; k >= 0; k--) {
    const base = k * m * m;
    for (let i = m - 1; i >= 0; i--) {
      let sum = out[k * m + i] as number;
      if (k + 1 < count) {
        for (let l = 0; l < m; l++) {
          sum -= (next[base + i * m + l] as number) * (out[(k + 1) * m + l] as number);
        }
      }
      for (let l = i + 1; l < m; l++)
        sum -= (own[base + l * m + i] as number) * (out[k * m + l] as number);
      out[k * m + i] = sum / (own[base + i * m + i] as number);
    }
  }
}
