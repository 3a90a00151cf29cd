// What nobody can beat: the least J = cost + ½κTE² of a trader who knows every price to come, in the
// linearised problem. There e = d + Y, d the drift nobody traded against, D·Σr, Y the trades so far, and
//   J = Σ_t ½c e_t′Σe_t + ε·½‖Y_t − Y_t−1‖₁,   c = κ/perYear:
// total-variation denoising of d in the norm of Σ (Rudin, Osher, Fatemi 1992; in one dimension the taut
// string of Davies, Kovac 2001). Its dual: potentials p_t, p = 0 after the end, no two assets' further
// apart than ε, for then p′u ≤ ε·½‖u‖₁ for whatever trade u that sums to 0; and with q_t = p_t − p_t+1
//   J ≥ −Σ_t q_t′Σ⁻¹q_t/(2c) + q_t′d_t        for ANY such p (weak duality).
// That inequality is the certificate: how p was found does not matter. It is sought among those linear
// between knots, which keeps it feasible at every step, by an interior-point method whose matrices are
// block-tridiagonal (tridiagonal.ts); a path of trades recovered from it shows how close the bound is.
// Refuses nothing: inputs come from a parsed history.

import { assert } from '../types/assert.ts';
import { type Blocks, createBlocks, factor, solve } from './tridiagonal.ts';

export interface ForesightProblem {
  readonly assets: number;
  /** D·Σr after each step, before any trade: steps × assets, the first row 0; each row sums to 0. */
  readonly drift: Float64Array;
  /** Annual, assets². */
  readonly covariance: Float64Array;
  readonly perYear: number;
  /** κ and ε. */
  readonly aversion: number;
  readonly proportional: number;
  /** Steps between knots. */
  readonly knotSteps: number;
}

export interface Foresight {
  /** Proved: no path of trades has a smaller J, over the whole history. */
  readonly bound: number;
  /** Iterations of the interior-point method. */
  readonly rounds: number;
  /** Potentials at the knots, knots × (assets − 1), of the assets but the reference. */
  readonly potentials: Float64Array;
  /** Indices of those assets. */
  readonly free: readonly number[];
}

const ROUNDS_MAX = 60;
/** The search ends when the complementarity left is below this share of J. */
const GAP = 1e-4;
/** Share of the way to the boundary a step may take. */
const DAMPING = 0.995;
/** Variance below this share of the largest counts as none: such assets' potentials stay 0. */
const NO_VARIANCE = 1e-9;

/** The drift in ForesightProblem's form, from returns (steps × assets). */
export function driftOf(prices: Float64Array, targets: Float64Array): Float64Array {
  const n = targets.length;
  const steps = prices.length / n - 1;
  const drift = new Float64Array(steps * n);
  const sum = new Float64Array(n);
  for (let t = 1; t < steps; t++) {
    let mean = 0;
    for (let i = 0; i < n; i++) {
      const r = (prices[t * n + i] as number) / (prices[(t - 1) * n + i] as number) - 1;
      sum[i] = (sum[i] as number) + r;
    }
    for (let i = 0; i < n; i++) mean += (targets[i] as number) * (sum[i] as number);
    for (let i = 0; i < n; i++) {
      drift[t * n + i] = (targets[i] as number) * ((sum[i] as number) - mean);
    }
  }
  return drift;
}

/** The asset all others are traded against (least variance) and those whose risk is then not zero. */
export function freeAssets(
  covariance: Float64Array,
  n: number,
): { reference: number; free: number[] } {
  let reference = 0;
  const own = (i: number) => covariance[i * n + i] as number;
  for (let i = 1; i < n; i++) if (own(i) < own(reference)) reference = i;
  const span = (i: number) =>
    own(i) + own(reference) - 2 * (covariance[i * n + reference] as number);
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, span(i));
  const free: number[] = [];
  for (let i = 0; i < n; i++) if (i !== reference && span(i) > NO_VARIANCE * largest) free.push(i);
  return { reference, free };
}

/** The best bound found. */
export function foresight(problem: ForesightProblem): Foresight {
  const { assets: n, drift, covariance, proportional } = problem;
  const steps = drift.length / n;
  assert(Number.isInteger(steps) && steps >= 2, 'the drift is whole rows');
  const { reference, free } = freeAssets(covariance, n);
  const m = free.length;
  const knots = Math.ceil(steps / problem.knotSteps);
  if (m === 0 || proportional === 0) {
    return { bound: 0, rounds: 0, potentials: new Float64Array(knots * m), free };
  }
  const inverse = invert(reduced(covariance, n, free, reference), m);
  const c = problem.aversion / problem.perYear;
  const lengths = Float64Array.from({ length: knots }, (_, k) =>
    Math.min(problem.knotSteps, steps - k * problem.knotSteps),
  );
  const means = meansOf(drift, n, free, lengths, problem.knotSteps);
  // In units of ε: x = p/ε. Curvature of the term between knots k and k + 1 over ε: ε·Σ⁻¹/(c·length).
  const stiff = Float64Array.from(lengths, (length) => proportional / (c * length));
  const found = minimise(m, knots, inverse, stiff, means);
  return { bound: -proportional * found.value, rounds: found.rounds, potentials: found.x, free };
}

/** Σ of moving one unit from the reference into each free asset: what trades that sum to 0 span. */
function reduced(
  covariance: Float64Array,
  n: number,
  free: readonly number[],
  reference: number,
): Float64Array {
  const at = (i: number, j: number) => covariance[i * n + j] as number;
  return Float64Array.from(
    free.flatMap((i) =>
      free.map((j) => at(i, j) - at(i, reference) - at(reference, j) + at(reference, reference)),
    ),
  );
}

/** Inverse of a positive definite matrix, by Gauss and Jordan. */
function invert(matrix: Float64Array, m: number): Float64Array {
  const a = matrix.slice();
  const inverse = new Float64Array(m * m);
  for (let i = 0; i < m; i++) inverse[i * m + i] = 1;
  // A ridge far below any covariance that was measured, so that perfect correlation has an inverse:
  // it adds to J's running cost, and less than its share of the bound.
  for (let i = 0; i < m; i++) {
    let pivot = a[i * m + i] as number;
    assert(pivot > 0, 'the covariance is positive definite');
    pivot = 1 / pivot;
    for (let j = 0; j < m; j++) {
      a[i * m + j] = (a[i * m + j] as number) * pivot;
      inverse[i * m + j] = (inverse[i * m + j] as number) * pivot;
    }
    for (let k = 0; k < m; k++) {
      if (k === i) continue;
      const factorOf = a[k * m + i] as number;
      for (let j = 0; j < m; j++) {
        a[k * m + j] = (a[k * m + j] as number) - factorOf * (a[i * m + j] as number);
        inverse[k * m + j] =
          (inverse[k * m + j] as number) - factorOf * (inverse[i * m + j] as number);
      }
    }
  }
  return inverse;
}

/** Mean drift between knots, knots × free assets. */
function meansOf(
  drift: Float64Array,
  n: number,
  free: readonly number[],
  lengths: Float64Array,
  knotSteps: number,
): Float64Array {
  const m = free.length;
  const means = new Float64Array(lengths.length * m);
  for (let k = 0; k < lengths.length; k++) {
    const length = lengths[k] as number;
    for (let t = k * knotSteps; t < k * knotSteps + length; t++) {
      for (let i = 0; i < m; i++) {
        means[k * m + i] =
          (means[k * m + i] as number) + (drift[t * n + (free[i] as number)] as number) / length;
      }
    }
  }
  return means;
}

/** −J/ε at x, the sum over knots of ½Δ′(stiff·Σ⁻¹)Δ + Δ′mean, Δ = x_k − x_k+1; its gradient too. */
function value(
  m: number,
  knots: number,
  inverse: Float64Array,
  stiff: Float64Array,
  means: Float64Array,
  x: Float64Array,
  gradient: Float64Array,
): number {
  gradient.fill(0);
  let sum = 0;
  for (let k = 0; k < knots; k++) {
    const weight = stiff[k] as number;
    for (let i = 0; i < m; i++) {
      const next = k + 1 < knots ? (x[(k + 1) * m + i] as number) : 0;
      const step = (x[k * m + i] as number) - next;
      let pull = 0;
      for (let j = 0; j < m; j++) {
        const far = k + 1 < knots ? (x[(k + 1) * m + j] as number) : 0;
        pull += (inverse[i * m + j] as number) * ((x[k * m + j] as number) - far);
      }
      const mean = means[k * m + i] as number;
      sum += step * (0.5 * weight * pull + mean);
      const slope = weight * pull + mean;
      gradient[k * m + i] = (gradient[k * m + i] as number) + slope;
      if (k + 1 < knots) gradient[(k + 1) * m + i] = (gradient[(k + 1) * m + i] as number) - slope;
    }
  }
  return sum;
}

/** Constraints of one knot: a′x ≤ 1 and −a′x ≤ 1 for a = δi (against the reference) and δi − δj. */
function rowsOf(m: number): readonly (readonly [number, number])[] {
  const rows: [number, number][] = [];
  for (let i = 0; i < m; i++) rows.push([i, -1]);
  for (let i = 0; i < m; i++) for (let j = 0; j < i; j++) rows.push([i, j]);
  return rows;
}

/**
 * Primal-dual interior-point method with Mehrotra's corrector (1992). x = 0 is inside, and every step
 * stays inside, so whatever it ends with is a certificate.
 */
function minimise(
  m: number,
  knots: number,
  inverse: Float64Array,
  stiff: Float64Array,
  means: Float64Array,
): { readonly x: Float64Array; readonly value: number; readonly rounds: number } {
  const rows = rowsOf(m);
  const first = Int32Array.from(rows, ([i]) => i);
  const second = Int32Array.from(rows, ([, j]) => j);
  const width = 2 * rows.length;
  const count = knots * width;
  const x = new Float64Array(knots * m);
  const gradient = new Float64Array(knots * m);
  const step = new Float64Array(knots * m);
  const right = new Float64Array(knots * m);
  const slack = new Float64Array(count).fill(1);
  const prices = new Float64Array(count);
  const target = new Float64Array(count);
  const moves = new Float64Array(count);
  const blocks = createBlocks(m, knots);
  let best = value(m, knots, inverse, stiff, means, x, gradient);
  let largest = 0;
  for (const g of gradient) largest = Math.max(largest, Math.abs(g));
  prices.fill(Math.max(largest, 1e-12));

  /** Solves for the step that brings slack·price to `target`, and the prices' moves with it. */
  const direction = (): void => {
    for (let k = 0; k < knots; k++) {
      for (let i = 0; i < m; i++) right[k * m + i] = -(gradient[k * m + i] as number);
      for (let r = 0; r < first.length; r++) {
        const at = k * width + 2 * r;
        // −G′(λ + r_c/s): both signs of the row at once.
        const up = (target[at] as number) / (slack[at] as number);
        const down = (target[at + 1] as number) / (slack[at + 1] as number);
        const push = up - down + (prices[at] as number) - (prices[at + 1] as number);
        const i = k * m + (first[r] as number);
        right[i] = (right[i] as number) - push;
        if ((second[r] as number) >= 0) {
          const j = k * m + (second[r] as number);
          right[j] = (right[j] as number) + push;
        }
      }
    }
    solve(blocks, right, step);
    for (let k = 0; k < knots; k++) {
      for (let r = 0; r < first.length; r++) {
        const at = k * width + 2 * r;
        const far = second[r] as number;
        const along =
          (step[k * m + (first[r] as number)] as number) -
          (far >= 0 ? (step[k * m + far] as number) : 0);
        moves[at] =
          ((target[at] as number) + (prices[at] as number) * along) / (slack[at] as number);
        moves[at + 1] =
          ((target[at + 1] as number) - (prices[at + 1] as number) * along) /
          (slack[at + 1] as number);
      }
    }
  };
  /** ds of a constraint under the current step. */
  const slip = (k: number, r: number): number => {
    const far = second[r] as number;
    return -(
      (step[k * m + (first[r] as number)] as number) -
      (far >= 0 ? (step[k * m + far] as number) : 0)
    );
  };
  const reach = (): number => {
    let most = 1;
    for (let k = 0; k < knots; k++) {
      for (let r = 0; r < first.length; r++) {
        const at = k * width + 2 * r;
        const ds = slip(k, r);
        if (ds < 0) most = Math.min(most, -(slack[at] as number) / ds);
        if (ds > 0) most = Math.min(most, (slack[at + 1] as number) / ds);
        if ((moves[at] as number) < 0)
          most = Math.min(most, -(prices[at] as number) / (moves[at] as number));
        if ((moves[at + 1] as number) < 0) {
          most = Math.min(most, -(prices[at + 1] as number) / (moves[at + 1] as number));
        }
      }
    }
    return most;
  };
  let rounds = 0;
  for (; rounds < ROUNDS_MAX; rounds++) {
    let left = 0;
    for (let c = 0; c < count; c++) left += (slack[c] as number) * (prices[c] as number);
    let infeasible = 0;
    for (const v of dualResidual(m, knots, first, second, width, gradient, prices)) {
      infeasible = Math.max(infeasible, Math.abs(v));
    }
    if (left <= GAP * Math.abs(best) && infeasible <= GAP * largest) break;
    assemble(blocks, inverse, stiff, first, second, slack, prices);
    factor(blocks);
    for (let c = 0; c < count; c++) target[c] = -(slack[c] as number) * (prices[c] as number);
    direction();
    const affine = reach();
    let after = 0;
    for (let k = 0; k < knots; k++) {
      for (let r = 0; r < first.length; r++) {
        const at = k * width + 2 * r;
        const ds = affine * slip(k, r);
        after +=
          ((slack[at] as number) + ds) * ((prices[at] as number) + affine * (moves[at] as number)) +
          ((slack[at + 1] as number) - ds) *
            ((prices[at + 1] as number) + affine * (moves[at + 1] as number));
      }
    }
    const mu = left / count;
    const centre = mu * (after / left) ** 3;
    for (let k = 0; k < knots; k++) {
      for (let r = 0; r < first.length; r++) {
        const at = k * width + 2 * r;
        const ds = slip(k, r);
        target[at] = (target[at] as number) + centre - ds * (moves[at] as number);
        target[at + 1] = (target[at + 1] as number) + centre + ds * (moves[at + 1] as number);
      }
    }
    direction();
    const length = Math.min(1, DAMPING * reach());
    for (let k = 0; k < knots; k++) {
      for (let r = 0; r < first.length; r++) {
        const at = k * width + 2 * r;
        const ds = length * slip(k, r);
        slack[at] = (slack[at] as number) + ds;
        slack[at + 1] = (slack[at + 1] as number) - ds;
        prices[at] = (prices[at] as number) + length * (moves[at] as number);
        prices[at + 1] = (prices[at + 1] as number) + length * (moves[at + 1] as number);
      }
    }
    for (let v = 0; v < x.length; v++) x[v] = (x[v] as number) + length * (step[v] as number);
    best = value(m, knots, inverse, stiff, means, x, gradient);
  }
  return { x, value: best, rounds };
}

/** Gradient plus G′λ. */
function dualResidual(
  m: number,
  knots: number,
  first: Int32Array,
  second: Int32Array,
  width: number,
  gradient: Float64Array,
  prices: Float64Array,
): Float64Array {
  const residual = gradient.slice();
  for (let k = 0; k < knots; k++) {
    for (let r = 0; r < first.length; r++) {
      const at = k * width + 2 * r;
      const push = (prices[at] as number) - (prices[at + 1] as number);
      const i = k * m + (first[r] as number);
      residual[i] = (residual[i] as number) + push;
      if ((second[r] as number) >= 0) {
        const j = k * m + (second[r] as number);
        residual[j] = (residual[j] as number) - push;
      }
    }
  }
  return residual;
}

/** H + G′(λ/s)G: knots' own blocks and what couples neighbours. */
function assemble(
  blocks: Blocks,
  inverse: Float64Array,
  stiff: Float64Array,
  first: Int32Array,
  second: Int32Array,
  slack: Float64Array,
  prices: Float64Array,
): void {
  const { size: m, count: knots, own, next } = blocks;
  const width = 2 * first.length;
  for (let k = 0; k < knots; k++) {
    const weight = (stiff[k] as number) + (k > 0 ? (stiff[k - 1] as number) : 0);
    for (let c = 0; c < m * m; c++) {
      own[k * m * m + c] = weight * (inverse[c] as number);
      next[k * m * m + c] = -(stiff[k] as number) * (inverse[c] as number);
    }
    const base = k * m * m;
    for (let r = 0; r < first.length; r++) {
      const at = k * width + 2 * r;
      const w =
        (prices[at] as number) / (slack[at] as number) +
        (prices[at + 1] as number) / (slack[at + 1] as number);
      const i = first[r] as number;
      const j = second[r] as number;
      own[base + i * m + i] = (own[base + i * m + i] as number) + w;
      if (j < 0) continue;
      own[base + j * m + j] = (own[base + j * m + j] as number) + w;
      own[base + i * m + j] = (own[base + i * m + j] as number) - w;
      own[base + j * m + i] = (own[base + j * m + i] as number) - w;
    }
  }
}
