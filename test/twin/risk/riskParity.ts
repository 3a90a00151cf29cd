// Risk parity by cyclical coordinate descent (Griveau-Billion, Richard, Roncalli 2013) on Spinu's convex
// ½x′Σx − Σbᵢ·ln xᵢ: each coordinate's minimum is the positive root of a quadratic.

const SWEEPS_MAX = 20_000;

export function riskParity(covariance: Float64Array, budgets: Float64Array): Float64Array {
  const n = budgets.length;
  const at = (i: number, j: number) => covariance[i * n + j] as number;
  const total = budgets.reduce((sum, budget) => sum + budget, 0);
  const b = Array.from(budgets, (budget) => budget / total);
  const x = b.map((share, i) => Math.sqrt(share / at(i, i)));
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let moved = 0;
    for (let i = 0; i < n; i++) {
      let pull = 0;
      for (let j = 0; j < n; j++) if (j !== i) pull += at(i, j) * (x[j] as number);
      const root = Math.sqrt(pull * pull + 4 * at(i, i) * (b[i] as number));
      // The larger root, written so that nothing cancels when the others pull up.
      const next = pull > 0 ? (2 * (b[i] as number)) / (pull + root) : (root - pull) / 2 / at(i, i);
      moved = Math.max(moved, Math.abs(next / (x[i] as number) - 1));
      x[i] = next;
    }
    if (moved < 1e-15) break;
  }
  const sum = x.reduce((all, value) => all + value, 0);
  return Float64Array.from(x, (value) => value / sum);
}
