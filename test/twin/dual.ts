// The dual objective at the places' prices, with its gradient in log prices:
//
//   ĝ(ν) = ν·supply + Σ_free f(ν) + Σ_shared max_z Σ_k z_k F_k(ν) − ½σ|z − z̄|²,  z ≥ 0, Σ z ≤ 1,
//
// F = f − charge over a venue's arcs. Shares make a kink (a linear edge, a fixed cost, a choice of
// arc) smooth: the proximal point method (Rockafellar 1976) moves the centres z̄ until nothing is
// lost by it. At the optimum the gradient is what is left nowhere: net flow, in dollars.

import type { Arc, Network, Place, Venue } from './network.ts';
import { track } from './tracking.ts';

/** Fills gradients, trades, shares and curvatures; writes net.value and net.lost. */
export function evaluate(net: Network): void {
  net.value = 0;
  net.lost = 0;
  for (const place of net.places) {
    place.gradient = place.nu * place.supply;
    net.value += place.gradient;
  }
  for (const venue of net.venues) {
    if (venue.mode === 'off') continue;
    for (const arc of venue.arcs) respond(arc);
    if (isSmooth(venue) || isForced(venue)) takeAll(net, venue);
    else takeShares(net, venue);
  }
  if (net.tracking !== null) track(net, net.tracking);
  else constrain(net);
}

/** One arc's best trade at present prices; barred arcs trade nothing. */
export function respond(arc: Arc): void {
  if (arc.barred) {
    arc.input = arc.output = arc.surplus = arc.curvature = 0;
  } else {
    arc.curve.best(arc.from.nu, arc.to.nu, arc);
  }
}

/** Whether the venue's best response is unique and continuous: no shares are needed. */
export function isSmooth(venue: Venue): boolean {
  if (venue.mode !== 'free') return false;
  if (venue.exclusive) return !(venue.arcs[0] as Arc).linear;
  return venue.arcs.filter(({ barred }) => !barred).length === 1;
}

const UNTIED: readonly Arc[] = [];

/** An order that must be filled whole: its trade does not react to prices. */
export const isForced = ({ mode, whole }: Venue): boolean => mode === 'free' && whole;

function takeAll(net: Network, venue: Venue): void {
  venue.tied = UNTIED;
  for (const arc of venue.arcs) {
    net.value += arc.surplus;
    arc.share = arc.input > 0 || arc.curvature > 0 ? 1 : 0;
    arc.hii = arc.hjj = arc.curvature;
    arc.hij = -arc.curvature;
    flow(arc, 1);
  }
}

function flow({ from, to, input, output }: Arc, share: number): void {
  if (share === 0) return;
  from.gradient -= share * from.nu * input;
  to.gradient += share * to.nu * output;
}

function takeShares(net: Network, venue: Venue): void {
  const { arcs, sigma } = venue;
  const charge = venue.mode === 'open' ? venue.charge : 0;
  const tight = project(venue, charge);
  let best = 0;
  const inside: Arc[] = [];
  for (const arc of arcs) {
    const gain = arc.surplus - charge;
    const off = arc.share - arc.center;
    net.value += arc.share * gain - 0.5 * sigma * off * off;
    net.lost -= arc.share * gain;
    best = Math.max(best, gain);
    flow(arc, arc.share);
    const w = arc.share * arc.curvature;
    arc.hii = arc.hjj = w;
    arc.hij = -w;
    if (arc.share > 0) inside.push(arc);
  }
  net.lost += best;
  // With Σ z = 1 a single arc inside is at its end: its share does not react to prices.
  const ended = tight && inside.length === 1;
  venue.tied = tight && !ended ? inside : UNTIED;
  if (ended) return;
  for (const arc of inside) {
    const paid = arc.from.nu * arc.input;
    const got = arc.to.nu * arc.output;
    arc.hii += (paid * paid) / sigma;
    arc.hij -= (paid * got) / sigma;
    arc.hjj += (got * got) / sigma;
  }
}

/** Shares = projection of z̄ + F/σ onto {z ≥ 0, Σ z ≤ 1}; true where the sum binds. */
function project(venue: Venue, charge: number): boolean {
  let sum = 0;
  const { sigma } = venue;
  for (const arc of venue.arcs) {
    arc.share = arc.barred ? 0 : Math.max(0, arc.center + (arc.surplus - charge) / sigma);
    sum += arc.share;
  }
  if (sum <= 1) return false;
  if (venue.arcs.length === 1) {
    (venue.arcs[0] as Arc).share = 1;
    return true;
  }
  // Subtract the level at which what is left sums to one (Held, Wolfe and Crowder 1974).
  const wishes = venue.arcs.map(({ share }) => share).sort((a, b) => b - a);
  let [level, total] = [0, 0];
  wishes.forEach((wish, k) => {
    total += wish;
    if (wish > (total - 1) / (k + 1)) level = (total - 1) / (k + 1);
  });
  for (const arc of venue.arcs) arc.share = Math.max(0, arc.share - level);
  return true;
}

/**
 * A swap's goal has its price pinned. A portfolio of T dollars in fixed shares must leave T·demand
 * at each place: with Σ demand·ν = 1 kept by scaling, T is the gradient's sum, and what the
 * Lagrangian has left is zero at the optimum.
 */
function constrain(net: Network): void {
  if (net.goal !== null) {
    net.goal.gradient = 0;
    return;
  }
  let portfolio = 0;
  for (const { gradient } of net.places) portfolio += gradient;
  net.portfolio = portfolio;
  for (const place of net.places) place.gradient -= portfolio * place.demand * place.nu;
}

/** Scales prices so that Σ demand·ν = 1. */
export function normalise(net: Network): void {
  if (net.goal !== null || net.tracking !== null) return;
  let sum = 0;
  for (const { demand, nu } of net.places) sum += demand * nu;
  if (!(sum > 0)) return;
  for (const place of net.places) place.nu /= sum;
}

/** Σ |what is left|, dollars. */
export function residual(net: Network): number {
  let sum = 0;
  for (const { gradient } of net.places) sum += Math.abs(gradient);
  return sum;
}

/** The projection's other half: with tied shares the price term is less one rank. */
export function tiedDirection(venue: Venue): ReadonlyMap<Place, number> {
  const sum = new Map<Place, number>();
  for (const arc of venue.tied) {
    sum.set(arc.from, (sum.get(arc.from) ?? 0) - arc.from.nu * arc.input);
    sum.set(arc.to, (sum.get(arc.to) ?? 0) + arc.to.nu * arc.output);
  }
  return sum;
}
