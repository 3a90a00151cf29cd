// Rebalancing against a tracking error: U = worth − ½(A/W₀)(M − W₀w)′Σ(M − W₀w), M_g ≥ 0 the worth held
// in target g. Its part of the dual, at each target's price μ_g (dollars of ν per dollar of worth), is
//
//   φ(μ) = max_{M ≥ 0} Σ (1 − μ_g)M_g − ½(A/W₀)(M − W₀w)′Σ(M − W₀w) − ½ρ|M − M̄|²,
//
// made proximal like every kink, because Σ may be singular. A small quadratic program over the targets,
// solved by Lawson and Hanson's active set ("Solving Least Squares Problems", 1974, chapter 23).

import type { Network, Place, Tracking } from './network.ts';

/** Adds φ to ĝ, and what it holds back to the ends' gradients. */
export function track(net: Network, tracking: Tracking): void {
  const { ends, worth, rho, center } = tracking;
  const quadratic = quadraticOf(tracking, rho);
  const linear = ends.map(({ nu }, g) => 1 - nu + pull(tracking, g) + rho * (center[g] as number));
  const { solution, free } = nonNegative(quadratic, linear);
  tracking.held = solution;
  tracking.response = inverseOn(quadratic, free);
  net.value += gain(tracking, solution);
  solution.forEach((held, g) => {
    const end = ends[g] as Place;
    const off = held - (center[g] as number);
    end.gradient -= end.nu * held;
    net.value -= end.nu * held + 0.5 * rho * off * off;
    // The true maximiser gains at most ρ|off| per dollar more, over no more than the portfolio.
    net.lost += rho * Math.abs(off) * worth;
  });
}

/** U of the worths held by target. */
export function gain({ weights, worth, penalty }: Tracking, held: readonly number[]): number {
  const off = held.map((one, g) => one - worth * (weights[g] as number));
  const total = held.reduce((a, b) => a + b, 0);
  return (
    total -
    0.5 *
      dot(
        off,
        penalty.map((row) => dot(row, off)),
      )
  );
}

/** φ without its proximal term; with next to none of it where Σ is singular. */
export function conjugate(tracking: Tracking, prices: readonly number[]): number {
  const tiny = 1e-9 / tracking.worth;
  const linear = prices.map((price, g) => 1 - price + pull(tracking, g));
  const { solution } = nonNegative(quadraticOf(tracking, tiny), linear);
  return gain(tracking, solution) - dot(prices, solution);
}

/** Calls `add` with the block's entries of Newton's matrix: diag(μ)·(−∂M/∂μ)·diag(μ). */
export function eachCurvature(
  { ends, response }: Tracking,
  add: (a: Place, b: Place, value: number) => void,
): void {
  ends.forEach((a, g) => {
    ends.slice(0, g + 1).forEach((b, h) => {
      const value = (response[g]?.[h] ?? 0) * a.nu * b.nu;
      if (value !== 0) add(a, b, value);
    });
  });
}

const quadraticOf = ({ penalty }: Tracking, rho: number): number[][] =>
  penalty.map((row, g) => row.map((entry, h) => entry + (g === h ? rho : 0)));

const pull = ({ penalty, weights, worth }: Tracking, g: number): number =>
  worth * dot(penalty[g] as readonly number[], weights);

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

interface Maximiser {
  readonly solution: number[];
  /** Indices that are not held at 0. */
  readonly free: readonly number[];
}

/** argmax of c·x − ½x′Qx over x ≥ 0, Q positive definite. */
function nonNegative(Q: readonly (readonly number[])[], c: readonly number[]): Maximiser {
  let x = c.map(() => 0);
  let free: number[] = [];
  for (let round = 0; round < 3 * c.length + 3; round++) {
    const slope = c.map((one, g) => one - dot(Q[g] as readonly number[], x));
    const scale = Math.max(...c.map(Math.abs));
    let next = -1;
    slope.forEach((one, g) => {
      const better = next < 0 || one > (slope[next] as number);
      if (!free.includes(g) && one > 1e-14 * scale && better) next = g;
    });
    if (next < 0) break;
    free = [...free, next];
    for (;;) {
      const wish = solveOn(Q, free, c);
      if (free.every((g) => (wish[g] as number) > 0)) {
        x = wish;
        break;
      }
      // Towards the wish until the first component reaches 0; that one is held there.
      let step = 1;
      for (const g of free) {
        const [from, to] = [x[g] as number, wish[g] as number];
        if (to <= 0) step = Math.min(step, from / (from - to || 1));
      }
      x = x.map((from, g) => (free.includes(g) ? from + step * ((wish[g] as number) - from) : 0));
      const kept = free.filter((g) => (x[g] as number) > 1e-300 && !atZero(x, wish, g));
      if (kept.length === free.length) kept.pop();
      free = kept;
      x = x.map((value, g) => (free.includes(g) ? value : 0));
      if (free.length === 0) break;
    }
  }
  return { solution: x, free };
}

const atZero = (x: readonly number[], wish: readonly number[], g: number): boolean =>
  (wish[g] as number) <= 0 && (x[g] as number) <= 1e-15 * Math.max(...x);

/** Q⁻¹c on the indices `on`, 0 elsewhere, by Cholesky. */
function solveOn(
  Q: readonly (readonly number[])[],
  on: readonly number[],
  c: readonly number[],
): number[] {
  const L = on.map(() => on.map(() => 0));
  const y: number[] = [];
  on.forEach((g, i) => {
    const row = L[i] as number[];
    on.slice(0, i + 1).forEach((h, j) => {
      const other = L[j] as number[];
      let sum = Q[g]?.[h] as number;
      for (let k = 0; k < j; k++) sum -= (row[k] as number) * (other[k] as number);
      row[j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / (other[j] as number);
    });
    let sum = c[g] as number;
    for (let k = 0; k < i; k++) sum -= (row[k] as number) * (y[k] as number);
    y.push(sum / (row[i] as number));
  });
  const x = c.map(() => 0);
  for (let i = on.length - 1; i >= 0; i--) {
    let sum = y[i] as number;
    for (let k = i + 1; k < on.length; k++)
      sum -= (L[k]?.[i] as number) * (x[on[k] as number] as number);
    x[on[i] as number] = sum / (L[i]?.[i] as number);
  }
  return x;
}

function inverseOn(Q: readonly (readonly number[])[], on: readonly number[]): number[][] {
  return Q.map((_, g) => {
    if (!on.includes(g)) return Q.map(() => 0);
    return solveOn(
      Q,
      on,
      Q.map((_row, h) => (h === g ? 1 : 0)),
    );
  });
}
