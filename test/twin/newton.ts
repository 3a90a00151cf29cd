// Damped semi-smooth Newton on ĝ in log prices. Newton's matrix is a weighted graph Laplacian plus
// the shares' rank-one terms; Levenberg's damping adds |gradient| to its diagonal, which vanishes at
// the optimum (quadratic convergence) and bounds the step of a place that no active arc touches.

import { evaluate, residual, tiedDirection } from './dual.ts';
import { NOISE, search } from './linesearch.ts';
import { Envelope } from './matrix.ts';
import type { Network, Place, Venue } from './network.ts';
import { eachCurvature } from './tracking.ts';

const ROUNDS_MAX = 60;
/** Rounds in a row that can gain no more than rounding. */
const QUIET_MAX = 5;
const DAMPING = { least: 1e-3, most: 1e6 } as const;
/** Prices below this share of a place's own are judged by the step they would still take. */
const CHEAP = 1e-6;
const SETTLED = 1e-8;
/** Relative to depth: below it a residual is the prices' own rounding. */
const ROUNDING = 8.9e-16;
const ROUNDING_MAX = 1e-6;

/** Newton's matrix for one set of places and arcs; `net` may leave some of them out. */
export class Newton {
  private readonly matrix: Envelope;
  private readonly rows: readonly Place[];
  private readonly solution: Float64Array;
  /** Residual below which rounding rules. */
  floor = 0;

  constructor(net: Network) {
    this.rows = orderRows(net);
    this.matrix = new Envelope(this.rows.length, joined(net));
    this.solution = new Float64Array(this.rows.length);
  }

  /** Minimises to `goal()` dollars of residual; prices, trades and ĝ are left at the end point. */
  run(net: Network, goal: () => number, workMax: number): void {
    evaluate(net);
    let damping = 1;
    let quiet = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const size = residual(net);
      if (net.work >= workMax) return;
      this.assemble(net);
      const settled = this.settled(net);
      if (size <= goal() && settled) return;
      net.work++;
      const slope = this.direction(net, damping, size);
      quiet = -slope <= NOISE * Math.abs(net.value) ? quiet + 1 : 0;
      if (quiet > QUIET_MAX) return;
      if (size <= this.floor && settled) return;
      if (!(slope < -1e-26 * Math.abs(net.value))) return;
      const taken = search(net, slope);
      if (taken === null) {
        evaluate(net);
        if (damping >= DAMPING.most || -slope <= NOISE * Math.abs(net.value)) return;
        damping = Math.max(16 * damping, 1);
      } else if (taken >= 0.7) {
        damping = Math.max(0.25 * damping, DAMPING.least);
      } else if (taken < 0.3) {
        damping = Math.min(damping * Math.min(Math.max(1 / taken, 4), 1e3), DAMPING.most);
      }
    }
  }

  /**
   * Where one scarce target takes all the worth, the others' prices are next to nothing: dollars at
   * those prices say little about units that the plan must balance all the same. There nothing may
   * be lacking, and the step Newton would still take must be small. Reads the assembled matrix.
   */
  private settled(net: Network): boolean {
    const { matrix, rows } = this;
    if (net.goal !== null || net.tracking !== null) return true;
    return rows.every(({ row, nu, price, gradient, demand }) => {
      if (nu > CHEAP * price) return true;
      const depth = matrix.diagonal(row);
      if (gradient < 0) return -gradient <= SETTLED * (depth + net.portfolio * demand * nu);
      return depth === 0 || gradient <= SETTLED * depth;
    });
  }

  /** Fills every place's step; returns ĝ's slope along it. */
  private direction(net: Network, damping: number, size: number): number {
    const { matrix, rows, solution } = this;
    let depth = 0;
    // The mean keeps a place that no active arc touches from running to the next kink for little.
    const mean = size / net.places.length;
    for (const { row, gradient } of rows) {
      depth += matrix.diagonal(row);
      matrix.add(row, row, damping * (Math.abs(gradient) + mean));
      solution[row] = -gradient;
    }
    this.floor = Math.min(ROUNDING * depth, ROUNDING_MAX * Math.abs(net.value));
    matrix.factorise();
    matrix.solve(solution);
    let slope = 0;
    for (const place of rows) {
      place.step = solution[place.row] as number;
      slope += place.gradient * place.step;
    }
    return slope;
  }

  /** Corrects potentials for what is left at each place, in `step`, with the last curvatures. */
  solveFor(leftOver: (place: Place) => number): void {
    for (const place of this.rows) this.solution[place.row] = leftOver(place);
    this.matrix.solve(this.solution);
    for (const place of this.rows) place.step = this.solution[place.row] as number;
  }

  /**
   * The curvatures at hand, undamped. A portfolio's potentials are free up to a constant: the place
   * that matters most is held, so that what rounding leaves over lands where it is least felt.
   */
  factorise(net: Network): void {
    this.assemble(net);
    const { matrix, rows } = this;
    if (net.goal === null && net.tracking === null) {
      const worth = ({ demand, nu }: Place) => demand * nu;
      const held = rows.reduce((best, one) => (worth(one) > worth(best) ? one : best));
      matrix.add(held.row, held.row, matrix.diagonal(held.row));
    }
    matrix.factorise();
  }

  private assemble(net: Network): void {
    const { matrix } = this;
    matrix.clear();
    for (const venue of net.venues) {
      if (venue.mode === 'off') continue;
      for (const { from, to, hii, hij, hjj } of venue.arcs) {
        if (hii === 0 && hjj === 0) continue;
        if (from.row >= 0) matrix.add(from.row, from.row, hii);
        if (to.row >= 0) matrix.add(to.row, to.row, hjj);
        if (from.row >= 0 && to.row >= 0) matrix.add(from.row, to.row, hij);
      }
      if (venue.tied.length > 1) untie(matrix, venue);
    }
    const { tracking } = net;
    if (tracking !== null)
      eachCurvature(tracking, (a, b, value) => matrix.add(a.row, b.row, value));
  }
}

/** −(1/σ|A|)·pp′, p = Σ_A of the tied arcs' worths. */
function untie(matrix: Envelope, venue: Venue): void {
  const entries = [...tiedDirection(venue)].filter(([{ row }]) => row >= 0);
  const scale = -1 / (venue.sigma * venue.tied.length);
  entries.forEach(([a, p], i) => {
    for (const [b, q] of entries.slice(i)) matrix.add(a.row, b.row, scale * p * q);
  });
}

/** Numbers the free places by ascending degree: leaves first cause no fill. */
function orderRows(net: Network): Place[] {
  const degree = new Map(net.places.map((place) => [place, 0]));
  for (const { arcs } of net.venues) {
    for (const { from, to } of arcs) {
      degree.set(from, (degree.get(from) ?? 0) + 1);
      degree.set(to, (degree.get(to) ?? 0) + 1);
    }
  }
  const rows = net.places
    .filter((place) => place !== net.goal)
    .sort((a, b) => (degree.get(a) as number) - (degree.get(b) as number));
  for (const place of net.places) place.row = -1;
  rows.forEach((place, row) => {
    place.row = row;
  });
  return rows;
}

function* joined({ venues, tracking }: Network): Iterable<readonly [number, number]> {
  for (const a of tracking?.ends ?? []) for (const b of tracking?.ends ?? []) yield [a.row, b.row];
  for (const { arcs } of venues) {
    for (const { from, to } of arcs) if (from.row >= 0 && to.row >= 0) yield [from.row, to.row];
  }
}
