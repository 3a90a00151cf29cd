// g(ν) in floats: for ANY prices it is at least the value of every plan that keeps to the venues'
// modes. It steers the search and picks the prices to publish; the published bound is the checker's,
// in integers.

import { isForced, respond } from './dual.ts';
import type { Network, Place } from './network.ts';
import { conjugate } from './tracking.ts';

/** g at the places' prices, which it first makes feasible. Needs supplies and charges set. */
export function dualBound(net: Network): number {
  const least = makeFeasible(net);
  let bound = net.tracking === null ? 0 : conjugate(net.tracking, least);
  for (const { nu, supply } of net.places.slice(0, net.nodeCount)) bound += nu * supply;
  const paid = new Set<unknown>();
  for (const venue of net.venues) {
    if (venue.mode === 'off' || (venue.index < 0 && venue.order < 0)) continue;
    let most = 0;
    for (const arc of venue.arcs) {
      respond(arc);
      most = Math.max(most, arc.surplus - (venue.mode === 'open' ? venue.charge : 0));
    }
    bound += isForced(venue) ? (venue.arcs[0]?.surplus ?? 0) : most;
    if (venue.mode === 'free') bound -= venue.fixedCost;
    if (venue.mode === 'free' && venue.decision) paid.add(venue);
  }
  for (const { cost, members } of net.groups)
    if (members.some((one) => paid.has(one))) bound -= cost;
  return bound;
}

/**
 * A target is worth what its cheapest place costs: those prices by target. Hard targets demand
 * Σ_g weight_g · min_{i∈g} ν_i = 1.
 */
function makeFeasible(net: Network): readonly number[] {
  const least = net.weights.map(() => Number.POSITIVE_INFINITY);
  for (const { target, nu } of net.places.slice(0, net.nodeCount)) {
    if (target >= 0) least[target] = Math.min(least[target] as number, nu);
  }
  if (net.goal !== null || net.tracking !== null) return least;
  const sum = net.weights.reduce((total, weight, g) => total + weight * (least[g] as number), 0);
  if (sum > 0)
    for (const place of net.places) place.nu = (ownPrice(net, place, least) ?? place.nu) / sum;
  return least;
}

function ownPrice(net: Network, { index, target }: Place, least: readonly number[]): number | null {
  return index < net.nodeCount ? null : (least[target] ?? null);
}
