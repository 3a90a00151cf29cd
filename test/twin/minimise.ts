// The proximal point loop around Newton: minimise ĝ, move the centres to the shares found, sharpen
// the kinks only where moving centres no longer helps. Ends on the true primal–dual gap: what is left
// at places and what is lost at kinks.

import { isForced, normalise, residual } from './dual.ts';
import { resplit } from './groups.ts';
import type { Network } from './network.ts';
import type { Newton } from './newton.ts';

const OUTER_MAX = 40;
const STALLS_MAX = 2;
const EPSILON = { first: 1e-2, last: 1e-7, warm: 1e-4 } as const;
/** Relative gap below which rounding rules; a relaxation's prices only bound and suggest. */
const GAP = { exact: 1e-11, relaxed: 1e-7 } as const;

export interface Effort {
  /** From the centres at hand, not from none. */
  readonly warm: boolean;
  readonly relaxed: boolean;
  /** Rounds it may spend. */
  readonly budget: number;
}

/** Minimises ĝ from the places' prices; returns the gap in dollars. */
export function minimise(net: Network, newton: Newton, effort: Effort): number {
  const workMax = Math.min(net.workMax, net.work + effort.budget);
  normalise(net);
  const shared = net.venues.filter(isShared);
  let epsilon: number = effort.warm ? EPSILON.warm : EPSILON.first;
  if (!effort.warm) for (const { arcs } of net.venues) for (const arc of arcs) arc.center = 0;
  setSigmas(net, epsilon, net.batch ? net.worth : roughWorth(net));
  if (shared.length === 0 && net.tracking === null) {
    newton.run(net, () => 1e-15 * scaleOf(net), workMax);
    return residual(net);
  }
  let last = Number.POSITIVE_INFINITY;
  let lastLeft = Number.POSITIVE_INFINITY;
  let stalls = 0;
  for (let outer = 0; outer < OUTER_MAX; outer++) {
    // Between recentrings the kinks' own error rules; a hundredth of it is exact enough.
    newton.run(net, () => Math.max(1e-13 * scaleOf(net), 0.01 * net.lost), workMax);
    const goal = (effort.relaxed ? GAP.relaxed : GAP.exact) * scaleOf(net);
    const left = residual(net);
    if (net.lost <= goal && left <= Math.max(goal, newton.floor)) break;
    // What neither Newton nor moved centres make smaller is the rounding of prices against depth.
    stalls = net.lost <= goal && left > 0.5 * lastLeft ? stalls + 1 : 0;
    lastLeft = left;
    if (stalls === STALLS_MAX) break;
    if (net.work++ >= workMax) break;
    for (const { arcs } of shared) for (const arc of arcs) arc.center = arc.share;
    net.tracking?.center.splice(0, net.tracking.center.length, ...net.tracking.held);
    if (effort.relaxed) resplit(net);
    if (3 * net.lost > last && epsilon > EPSILON.last) epsilon *= 0.1;
    last = net.lost;
    setSigmas(net, epsilon, scaleOf(net));
  }
  return residual(net) + net.lost;
}

const isShared = (venue: Network['venues'][number]): boolean =>
  venue.mode !== 'off' &&
  !isForced(venue) &&
  (venue.mode === 'open' || venue.choosesArc || venue.arcs.some(({ linear }) => linear));

/** What gaps are measured against: a batch's surplus may be nothing beside what it trades. */
const scaleOf = (net: Network): number => (net.batch ? net.worth : Math.abs(net.value));

/** What the plan is about, dollars, before a dual value is known. */
function roughWorth(net: Network): number {
  let worth = 0;
  for (const { nu, supply } of net.places) worth += Math.abs(nu * supply);
  return worth;
}

/** σ of a share: ε·F²/min(F, scale), F the dollars of the full trade; for curves F is the scale. */
function setSigmas(net: Network, epsilon: number, scale: number): void {
  const least = Math.max(scale, 1e-300);
  if (net.tracking !== null) net.tracking.rho = epsilon / net.tracking.worth;
  for (const venue of net.venues) {
    const [arc] = venue.arcs;
    const full = arc?.linear ? arc.curve.room * arc.from.nu : least;
    venue.sigma = Math.max((epsilon * full * full) / Math.min(full, least), 1e-300);
  }
}
