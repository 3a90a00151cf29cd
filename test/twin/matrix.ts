// A symmetric positive definite matrix in envelope (skyline) storage and its LDLᵀ factors: each row
// from its first non-zero column to the diagonal. Fill stays inside the envelope (George and Liu,
// "Computer Solution of Large Sparse Positive Definite Systems", 1981).

/** Pivots below this share of their diagonal are lost to cancellation: the row is then held. */
const LOST = 1e-14;

export class Envelope {
  private readonly first: Int32Array;
  private readonly rows: Float64Array[];
  private readonly factors: Float64Array[];
  private readonly pivots: Float64Array;
  readonly size: number;

  /** @param pairs rows that some edge joins */
  constructor(size: number, pairs: Iterable<readonly [number, number]>) {
    this.size = size;
    this.first = Int32Array.from({ length: size }, (_, i) => i);
    for (const [a, b] of pairs) {
      const row = Math.max(a, b);
      this.first[row] = Math.min(this.first[row] as number, a, b);
    }
    const lengths = [...this.first].map((from, i) => i - from + 1);
    this.rows = lengths.map((length) => new Float64Array(length));
    this.factors = lengths.map((length) => new Float64Array(length));
    this.pivots = new Float64Array(size);
  }

  clear(): void {
    for (const row of this.rows) row.fill(0);
  }

  /** Adds to the entry at (a, b) and, as the matrix is symmetric, (b, a). */
  add(a: number, b: number, value: number): void {
    const row = Math.max(a, b);
    const column = Math.min(a, b) - (this.first[row] as number);
    const entries = this.rows[row] as Float64Array;
    entries[column] = (entries[column] as number) + value;
  }

  diagonal(i: number): number {
    return (this.rows[i] as Float64Array)[i - (this.first[i] as number)] as number;
  }

  factorise(): void {
    const { first, pivots } = this;
    for (let i = 0; i < this.size; i++) {
      const start = first[i] as number;
      const entries = this.rows[i] as Float64Array;
      const own = this.factors[i] as Float64Array;
      // own[j] is l_ij·d_j until the row is done.
      for (let j = start; j < i; j++) {
        const other = this.factors[j] as Float64Array;
        const otherStart = first[j] as number;
        const from = Math.max(otherStart, start);
        let sum = entries[j - start] as number;
        for (let k = from; k < j; k++) {
          sum -= (own[k - start] as number) * (other[k - otherStart] as number);
        }
        own[j - start] = sum;
      }
      const whole = entries[i - start] as number;
      let pivot = whole;
      for (let j = start; j < i; j++) {
        const scaled = own[j - start] as number;
        const entry = scaled / (pivots[j] as number);
        own[j - start] = entry;
        pivot -= scaled * entry;
      }
      // A row that depends on those before it (prices fixed up to scale) keeps its diagonal.
      pivots[i] = pivot > LOST * whole ? pivot : whole > 0 ? whole : 1;
    }
  }

  /** Overwrites b with the solution of LDLᵀ x = b. */
  solve(b: Float64Array): void {
    for (let i = 0; i < this.size; i++) {
      const start = this.first[i] as number;
      const own = this.factors[i] as Float64Array;
      let sum = b[i] as number;
      for (let k = start; k < i; k++) sum -= (own[k - start] as number) * (b[k] as number);
      b[i] = sum;
    }
    for (let i = 0; i < this.size; i++) b[i] = (b[i] as number) / (this.pivots[i] as number);
    for (let i = this.size - 1; i >= 0; i--) {
      const start = this.first[i] as number;
      const own = this.factors[i] as Float64Array;
      const value = b[i] as number;
      for (let k = start; k < i; k++) b[k] = (b[k] as number) - (own[k - start] as number) * value;
    }
  }
}
