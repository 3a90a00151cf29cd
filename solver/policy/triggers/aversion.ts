// κ from a tracking-error budget, and κτ for the optimizer's single step. Owns both derivations; the
// bands themselves are the kernel's.
//
// One pair. Under F = 0 the displacement x of a pair with variance σ² is a Brownian motion kept in
// [−h, h]; its stationary law is uniform (Harrison, Brownian Motion and Stochastic Flow Systems,
// 1985, §5.3), so E x² = h²/3 and TE² = σ²h²/3. With F > 0 it jumps from ±H to ±h: its law is flat
// within h and falls linearly to 0 at H, so E x² = (H² + h²)/6, which is the first term of
// two_band_tracking_1d.json's average cost and becomes h²/3 at H = h.
//
// Many assets. The no-trade region is a polytope {e : |aᵢⱼ(e)| ≤ Hᵢⱼ}, star-shaped around 0. The law of e
// is taken as uniform in it: exact for two assets; for more, trades push obliquely and keep it nearer
// the middle, by OBLIQUE. With y = Lᵀe, so that e′Σe = y′y, directions θ
// uniform on the sphere in d = n − 1 dimensions and r(θ) the distance to the boundary,
//   TE² = E y′y = d/(d + 2) · Σ r(θ)^(d+2) / Σ r(θ)^d.
// r needs no knowledge of the pairs: excess = max |a|/H is linear along a ray, so one call of the
// rule from far outside tells r = R/excess. With F > 0 that measures H; along the ray's own pair h/H is
// what the landing leaves of its marginal gap over what its trigger allows, and r² is taken
// (1 + (h/H)²)/2 times, as in one dimension.
//
// F = 0: every h ∝ κ^(−1/3), so TE ∝ κ^(−1/3). F > 0: between that and κ^(−1/4). κ is found by secants in
// logarithms, where TE is almost straight: one measurement under F = 0, about four otherwise.

import type { RiskKernel } from '../../types/risk.ts';

export interface BudgetInputs {
  readonly targets: Float64Array;
  /** Annual, assets². */
  readonly covariance: Float64Array;
  readonly proportional: number;
  /** F, fraction of worth. */
  readonly fixed: number;
}

const DIRECTIONS_PER_DIMENSION = 16;
const DIRECTIONS_MAX = 256;
const SECANTS_MAX = 24;
const LOG_TOLERANCE = 1e-4;
/** As far from κ = 4 bands are no rounding yet, and one measurement is enough. */
const LOG_STRAIGHT = 20;
/** exp of these: any κ a budget of 1 to 5,000 bps can want, and still finite. */
const LOG_AVERSION_MAX = 40;
/**
 * TE of 3 to 20 assets over that of the uniform law: 0.90–0.97 on simulated Brownian paths of 23
 * years of hours, F from 0 to 10 bps (test/policy/triggers measures it again); 1 for two assets.
 */
const OBLIQUE = 0.93;
/** Pivots below this share of the largest variance carry no risk to budget. */
const FLAT = 1e-12;

/** κ per year at which the rule's tracking error is `budget`; null: nothing bears risk. */
export function aversionForBudget(
  kernel: Pick<RiskKernel, 'bandRule'>,
  inputs: BudgetInputs,
  budget: number,
): number | null {
  const rays = raysOf(inputs.covariance, inputs.targets.length);
  if (rays.count === 0) return null;
  const measureAt = (logAversion: number) => {
    const { expected, nearest } = meanSquare(kernel, inputs, rays, Math.exp(logAversion));
    return { error: 0.5 * Math.log(expected) - Math.log(budget), nearest };
  };
  const errorAt = (logAversion: number): number => measureAt(logAversion).error;
  let [x, slope] = [Math.log(4), -1 / 3];
  const first = measureAt(x);
  let { error } = first;
  if (inputs.fixed === 0 && Math.abs(error) > LOG_TOLERANCE) {
    // The slope is exact as long as no band holds a whole ray, here and there: no need to look again.
    const to = x - error / slope;
    const nearest = first.nearest * Math.min(1, Math.exp((to - x) / 3));
    if (nearest > 1 && Math.abs(to - x) < LOG_STRAIGHT) return Math.exp(to);
  }
  for (let round = 0; round < SECANTS_MAX && Math.abs(error) > LOG_TOLERANCE; round++) {
    const to = Math.min(LOG_AVERSION_MAX, Math.max(-LOG_AVERSION_MAX, x - error / slope));
    if (to === x) break;
    const next = errorAt(to);
    slope = Math.min(-0.2, Math.max(-0.4, (next - error) / (to - x)));
    [x, error] = [to, next];
  }
  return Math.exp(x);
}

/** The rule's tracking error at κ by the derivation above, fraction per √year; 0: none to bear. */
export function expectedTrackingError(
  kernel: Pick<RiskKernel, 'bandRule'>,
  inputs: BudgetInputs,
  aversion: number,
): number {
  const rays = raysOf(inputs.covariance, inputs.targets.length);
  return rays.count === 0 ? 0 : Math.sqrt(meanSquare(kernel, inputs, rays, aversion).expected);
}

interface Rays {
  readonly dimensions: number;
  readonly count: number;
  /** Displacements e with Σe = 0 and e′Σe = 1, spread evenly as Σ measures; count × assets. */
  readonly points: Float64Array;
}

/** E e′Σe, and how far out, in units of its band, the nearest ray's end stands. */
function meanSquare(
  kernel: Pick<RiskKernel, 'bandRule'>,
  { targets, covariance, proportional, fixed }: BudgetInputs,
  { dimensions, count, points }: Rays,
  aversion: number,
): { readonly expected: number; readonly nearest: number } {
  const n = targets.length;
  const rule = kernel.bandRule({ targets, covariance, aversion, proportional, fixed });
  const far = new Float64Array(n);
  let nearest = Infinity;
  const reach: number[] = [];
  const pairs: number[] = [];
  /** Pair → largest h/H seen: trades of other pairs may carry a pair further in than h. */
  const jumps = new Map<number, number>();
  for (let ray = 0; ray < count; ray++) {
    for (let i = 0; i < n; i++) far[i] = (targets[i] as number) + (points[ray * n + i] as number);
    if (fixed === 0) {
      // Where it lands does not matter then, and finding out from so far takes many trades.
      const excess = rule.excess(far);
      nearest = Math.min(nearest, excess);
      reach.push(1 / Math.max(1, excess));
      pairs.push(0);
      continue;
    }
    const trade = rule.land(far);
    // e′Σe = 1 is a tracking error of 100 %: a band that holds even that counts as just so wide.
    reach.push(1 / (trade?.excess ?? 1));
    const [sold, bought] = trade?.pair ?? [0, 0];
    const pair = sold < bought ? sold * n + bought : bought * n + sold;
    pairs.push(pair);
    if (trade === null) continue;
    const trigger = marginalGap(covariance, targets, far, sold, bought) / trade.excess;
    const landed = marginalGap(covariance, targets, trade.landing, sold, bought) / trigger;
    jumps.set(pair, Math.max(jumps.get(pair) ?? 0, Math.min(1, Math.max(0, landed))));
  }
  // Relative to the largest, or r^(d+2) underflows in many dimensions.
  const most = Math.max(...reach);
  let [above, below] = [0, 0];
  for (const [index, r] of reach.entries()) {
    const volume = (r / most) ** dimensions;
    const jump = fixed === 0 ? 1 : (jumps.get(pairs[index] ?? 0) ?? 1);
    below += volume;
    above += volume * r * r * ((1 + jump * jump) / 2);
  }
  const oblique = dimensions === 1 ? 1 : OBLIQUE * OBLIQUE;
  return { expected: (oblique * (dimensions / (dimensions + 2)) * above) / below, nearest };
}

/** (Σe)ᵢ − (Σe)ⱼ with e = w − w*: σ²ᵢⱼ times the displacement of the pair. */
export function marginalGap(
  covariance: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
  i: number,
  j: number,
): number {
  const n = targets.length;
  let gap = 0;
  for (let k = 0; k < n; k++) {
    const row = (covariance[i * n + k] ?? 0) - (covariance[j * n + k] ?? 0);
    gap += row * ((weights[k] ?? 0) - (targets[k] ?? 0));
  }
  return gap;
}

/**
 * κτ of the optimizer's step min ½κτ‖e + Bf‖²_Σ + ε|f|. Its first-order condition for a pair i → j that is
 * traded is κτ[(Σe′)ᵢ − (Σe′)ⱼ] = ε; at the two-band landing the bracket is σ²h. So
 *   κτ = ε/(σ²h),
 * read off the landing itself for the pair that stood farthest out: the step then stops where the
 * rule does. null where the landing leaves no gap (ε = 0: to the target).
 */
export function stepAversion(
  proportional: number,
  covariance: Float64Array,
  targets: Float64Array,
  landing: Float64Array,
  [sold, bought]: readonly [number, number],
): number | null {
  const gap = marginalGap(covariance, targets, landing, sold, bought);
  const aversion = proportional / gap;
  return gap > 0 && aversion > 0 && Number.isFinite(aversion) ? aversion : null;
}

/**
 * e = Bz with z = L⁻ᵀθ, LLᵀ = BᵀΣB, the columns of B being δᵢ − δₙ. Coordinates whose pivot is flat are
 * left at 0: among themselves they bear no risk.
 */
function raysOf(covariance: Float64Array, n: number): Rays {
  const c = (i: number, j: number) => covariance[i * n + j] ?? 0;
  const last = n - 1;
  const m = (i: number, j: number) => c(i, j) - c(i, last) - c(last, j) + c(last, last);
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, c(i, i));
  const kept: number[] = [];
  const rows: number[][] = [];
  for (let i = 0; i < last; i++) {
    const row: number[] = [];
    for (const [k, j] of kept.entries()) {
      let value = m(i, j);
      for (let l = 0; l < k; l++) value -= (row[l] ?? 0) * (rows[k]?.[l] ?? 0);
      row.push(value / (rows[k]?.[k] ?? 1));
    }
    const pivot = row.reduce((left, x) => left - x * x, m(i, i));
    if (!(pivot > FLAT * largest)) continue;
    row.push(Math.sqrt(pivot));
    kept.push(i);
    rows.push(row);
  }
  const dimensions = kept.length;
  return { dimensions, ...displacements(rows, kept, n) };
}

/** z = L⁻ᵀθ and e = Bz for every direction. A replay does this for every day: flat, and by columns. */
function displacements(
  rows: readonly (readonly number[])[],
  kept: readonly number[],
  n: number,
): Pick<Rays, 'count' | 'points'> {
  const d = rows.length;
  const upper = new Float64Array(d * d);
  for (let l = 0; l < d; l++) for (let k = 0; k <= l; k++) upper[k * d + l] = rows[l]?.[k] ?? 0;
  const thetas = directionsOf(d);
  const count = thetas.length / Math.max(1, d);
  const points = new Float64Array(count * n);
  const z = new Float64Array(d);
  for (let ray = 0; ray < count; ray++) {
    for (let k = d - 1; k >= 0; k--) {
      let value = thetas[ray * d + k] as number;
      for (let l = k + 1; l < d; l++) value -= (upper[k * d + l] as number) * (z[l] as number);
      z[k] = value / (upper[k * d + k] as number);
    }
    let rest = 0;
    for (let k = 0; k < d; k++) {
      points[ray * n + (kept[k] as number)] = z[k] as number;
      rest -= z[k] as number;
    }
    points[ray * n + n - 1] = rest;
  }
  return { count, points };
}

/** Directions of each dimension, once drawn: they are the same every time. */
const drawn = new Map<number, Float64Array>();

/** One after the other, d numbers each. */
function directionsOf(d: number): Float64Array {
  const known = drawn.get(d) ?? Float64Array.from(directions(d).flat());
  drawn.set(d, known);
  return known;
}

/** Points of the unit sphere, one of each opposite pair: bands look the same both ways. */
function directions(d: number): readonly (readonly number[])[] {
  if (d === 0) return [];
  if (d === 1) return [[1]];
  const count = Math.min(DIRECTIONS_MAX, DIRECTIONS_PER_DIMENSION * d);
  if (d === 2) {
    return Array.from({ length: count }, (_, k) => {
      const angle = (Math.PI * (k + 0.5)) / count;
      return [Math.cos(angle), Math.sin(angle)];
    });
  }
  // A fixed sequence (Marsaglia's xorshift), so that the same policy has the same κ everywhere.
  let state = 0x9e3779b9;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return Array.from({ length: count }, () => {
    const point = Array.from({ length: d }, normal);
    const length = Math.hypot(...point);
    return point.map((x) => x / length);
  });
}
