// The no-trade region of many assets where a settlement costs a fixed amount and nothing else: an
// ellipsoid of displacements; on leaving it, trade to the target. Costs in proportion are the pair
// rule's (kernel.bandRule) and merton.ts's.

import { assert } from '../../types/assert.ts';
import { InvalidInput } from '../../types/errors.ts';
import {
  at,
  checkPositive,
  checkSymmetric,
  form,
  product,
  symmetricEigen,
  transpose,
} from '../risk/linear.ts';

export interface FixedCostInputs {
  /** K = κ·Cov of asset returns: what standing x off costs is ½x′Kx per year. */
  readonly tracking: Float64Array;
  /** S: covariance rate of the drifting weights, per year. */
  readonly drift: Float64Array;
  /** F: cost of one settlement, fraction of worth. */
  readonly fixed: number;
}

export interface NoTradeEllipsoid {
  /** No trade while x′Mx ≤ 1. */
  readonly matrix: Float64Array;
  /** Least long-run cost of settlements and risk together, per year: 2F·tr(SM). */
  readonly averageCost: number;
  /** x′Mx. */
  excess(displacement: Float64Array): number;
}

/** Newton on a convex decreasing function from below: a dozen steps in every case met. */
const STEPS_MAX = 100;
/** Eigenvalues of K below this share of the largest are rounding. */
const RANK = 1e-14;

/**
 * Solves K = 4F(tr(SM)M + 2MSM) for M ⪰ 0: the leading order for small F of the value function
 * V = F(1 − (1 − x′Mx)²) (after Atkinson & Wilmott, Portfolio Management with Transaction Costs,
 * 1995; Altarovici, Muhle-Karbe & Soner, Asymptotics for Fixed Transaction Costs, 2015). K = LL′
 * with M = LPL′ and G = L′SL leaves I = 4F(tr(GP)P + 2PGP), where P and G share eigenvectors:
 *   4F(tp + 2gp²) = 1 for each eigenvalue g of G, and t = Σgp: one equation in t = tr(SM).
 * S may be singular; K too, as long as weights drift somewhere it costs to stand.
 */
export function noTradeEllipsoid({ tracking, drift, fixed }: FixedCostInputs): NoTradeEllipsoid {
  const size = Math.round(Math.sqrt(tracking.length));
  checkSymmetric(tracking, size, 'tracking');
  checkSymmetric(drift, size, 'drift');
  checkPositive(fixed, 'fixed');
  const root = factor(tracking, size);
  const rank = root.length / size;
  const inner = product(product(transpose(root, rank), drift, size), root, size);
  const { values, vectors } = symmetricEigen(inner, rank);
  const spectrum = values.map((g) => Math.max(0, g));
  if (!(Math.max(0, ...spectrum) > 0)) {
    throw new InvalidInput('weights do not drift where standing off costs: no region is best', {
      pointer: '/drift',
    });
  }
  const trace = solveTrace(spectrum, fixed);
  const axes = product(root, vectors, rank);
  const scaled = axes.map((x, k) => x * eigenvalue(at(spectrum, k % rank), trace, fixed));
  const matrix = product(scaled, transpose(axes, rank), rank);
  return {
    matrix,
    averageCost: 2 * fixed * trace,
    excess: (displacement) => form(matrix, displacement),
  };
}

/** The positive p of 4F(tp + 2gp²) = 1, without a difference: good for g = 0. */
const eigenvalue = (g: number, trace: number, fixed: number) =>
  1 / (2 * fixed * (trace + Math.sqrt(trace * trace + (2 * g) / fixed)));

/** t with Σ g·p(t) = t: the left falls and bends upwards, so Newton climbs to the root from 0. */
function solveTrace(spectrum: Float64Array, fixed: number): number {
  let trace = 0;
  for (let step = 0; step < STEPS_MAX; step++) {
    let value = -trace;
    let slope = -1;
    for (const g of spectrum) {
      if (g === 0) continue;
      const part = g * eigenvalue(g, trace, fixed);
      value += part;
      slope -= part / Math.sqrt(trace * trace + (2 * g) / fixed);
    }
    const next = trace - value / slope;
    if (!(next > trace * (1 + Number.EPSILON))) return next;
    trace = next;
  }
  assert(false, 'the trace of the ellipsoid did not converge');
}

/** L, size × rank, with LL′ = K. */
function factor(tracking: Float64Array, size: number): Float64Array {
  const { values, vectors } = symmetricEigen(tracking, size);
  const largest = Math.max(...values);
  if (!(largest > 0) || Math.min(...values) < -1e-9 * largest) {
    throw new InvalidInput('tracking must be positive semidefinite and not all zero', {
      pointer: '/tracking',
    });
  }
  const kept = [...values.keys()].filter((k) => at(values, k) > RANK * largest);
  return Float64Array.from({ length: size * kept.length }, (_, cell) => {
    const k = kept[cell % kept.length];
    assert(k !== undefined, 'a kept eigenvalue');
    const row = Math.floor(cell / kept.length);
    return at(vectors, row * size + k) * Math.sqrt(at(values, k));
  });
}
