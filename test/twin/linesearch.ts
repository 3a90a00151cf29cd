// Line search along the places' `step`: Armijo's rule, or, where ĝ is down to rounding, a falling
// slope. A rejected try teaches twice. Where the slope turned positive, the next try is Newton's in t
// with the curvature found there: an arc far deeper than the order, just opened, is met in one try. And
// the secant of every venue's flow is kept where it exceeds the Hessian: an arc that opened, filled or
// met deeper liquidity on the way shows it at neither end, and Newton would zigzag between the kinks.

import { evaluate, normalise, residual, tiedDirection } from './dual.ts';
import type { Network, Venue } from './network.ts';
import { eachCurvature } from './tracking.ts';

const TRIES_MAX = 24;
/** Longest step of a log price. */
const STEP_MAX = 3;
/** Relative to ĝ: below it differences of ĝ are rounding. */
export const NOISE = 4e-15;
const ARMIJO = 1e-4;

/** Returns the accepted share of the step, or null with the prices restored. */
export function search(net: Network, slope: number): number | null {
  const start = net.value;
  const size = residual(net);
  let longest = 0;
  for (const place of net.places) {
    place.saved = place.nu;
    if (place.row < 0) place.step = 0;
    longest = Math.max(longest, Math.abs(place.step));
  }
  const noise = NOISE * Math.abs(start);
  const tries = -slope <= noise ? 2 : TRIES_MAX;
  const curved = net.venues.filter(({ mode, exclusive }) => mode !== 'off' && exclusive);
  const before = curved.map(moved);
  let secants: number[] = [];
  let t = longest > STEP_MAX ? STEP_MAX / longest : 1;
  let low = 0;
  for (let k = 0; k < tries; k++) {
    for (const place of net.places) place.nu = place.saved * Math.exp(t * place.step);
    normalise(net);
    evaluate(net);
    let after = 0;
    for (const { gradient, step } of net.places) after += gradient * step;
    const steady = Math.abs(after) <= 0.9 * Math.abs(slope) || residual(net) <= 0.9 * size;
    const falls = net.value <= start + ARMIJO * t * slope;
    if (falls || (net.value <= start + noise && steady)) {
      if (k > 0) raiseCurvatures(curved, secants);
      return t;
    }
    secants = curved.map((venue, e) => secant(venue, before[e] as number, t, 1e-6 * t * longest));
    if (after > 0) {
      const root = t - after / curvatureAlong(net);
      const chord = Math.min(Math.max(slope / (slope - after), 0.03), 0.6);
      t = root > low && root < t ? root : low + chord * (t - low);
    } else if (after < 0 && net.value < start) {
      low = t;
      t *= 2;
    } else {
      t *= 0.4;
    }
  }
  for (const place of net.places) place.nu = place.saved;
  return null;
}

/** What a venue of two nodes moves from its first arc's tail to its head, dollars. */
function moved({ arcs }: Venue): number {
  const tail = arcs[0]?.from;
  let sum = 0;
  for (const { share, input, from } of arcs) {
    sum += from === tail ? share * input * from.nu : -share * input * from.nu;
  }
  return sum;
}

/** Dollars per log price along the step; turns below `least` show only the prices' scaling. */
function secant(venue: Venue, before: number, t: number, least: number): number {
  const [arc] = venue.arcs;
  if (arc === undefined) return 0;
  const turn = Math.abs(t * (arc.to.step - arc.from.step));
  return turn > least ? Math.abs(moved(venue) - before) / turn : 0;
}

function raiseCurvatures(venues: readonly Venue[], secants: readonly number[]): void {
  venues.forEach(({ arcs }, e) => {
    const [arc] = arcs;
    const curvature = secants[e] as number;
    if (arc === undefined || arcs.some(({ hij }) => -hij >= curvature)) return;
    for (const one of arcs) one.hii = one.hij = one.hjj = 0;
    arc.hii = arc.hjj = curvature;
    arc.hij = -curvature;
  });
}

/** d²ĝ/dt² along `step`. */
function curvatureAlong(net: Network): number {
  let sum = 0;
  for (const venue of net.venues) {
    if (venue.mode === 'off') continue;
    for (const { from, to, hii, hij, hjj } of venue.arcs) {
      sum += hii * from.step ** 2 + 2 * hij * from.step * to.step + hjj * to.step ** 2;
    }
    if (venue.tied.length > 1) {
      let along = 0;
      for (const [place, p] of tiedDirection(venue)) along += p * place.step;
      sum -= along ** 2 / (venue.sigma * venue.tied.length);
    }
  }
  if (net.tracking !== null) {
    eachCurvature(net.tracking, (a, b, value) => {
      sum += (a === b ? 1 : 2) * value * a.step * b.step;
    });
  }
  return sum;
}
