// One committed solve: given which venues to use (and by which arc), the best plan on them, its cost
// paid. What is left is convex: no relaxation, one dual solve and one recovery, repeated with an arc
// barred while the best flow has a cycle.

import { spendExcess } from './excess.ts';
import { charge, costOf } from './groups.ts';
import { minimise } from './minimise.ts';
import { type Arc, type Network, type Place, settleSupply, type Venue } from './network.ts';
import type { Newton } from './newton.ts';
import { type Plan, planValue, recover } from './recover.ts';

const CYCLES_MAX = 16;
/** A warm solve that ends wider than this, relative, is repeated cold. */
const WARM_GAP = 1e-8;
/** Share of the plan that may be left by rounding where it is worth nothing. */
const STRANDED_MAX = 1e-9;
/** Share of a batch's worth that may be missing where orders are paid: less than their slack. */
const SHORT_MAX = 1e-12;

/** Per venue: unused, used either way, or used by that arc. */
export type Use = 'no' | 'yes' | Arc;

/** A point of the dual to start from, or to return to. */
export interface Prices {
  readonly nu: readonly number[];
  /** By venue, by arc. */
  readonly shares: readonly (readonly number[])[];
}

export interface Found {
  /** Dollars, fixed costs paid. */
  readonly net: number;
  /** Dollars before fixed costs. */
  readonly value: number;
  readonly used: readonly boolean[];
  readonly arcs: readonly (Arc | null)[];
  readonly legs: readonly FloatLeg[];
  /** Orders of a batch and how much of them is executed. */
  readonly fills: readonly { readonly order: number; readonly share: number }[];
  readonly prices: Prices;
}

export interface FloatLeg {
  readonly venue: number;
  readonly from: number;
  readonly to: number;
  /** Scaled units. */
  readonly input: number;
  readonly stiffness: number;
}

export function keepPrices(net: Network): Prices {
  return {
    nu: net.places.map(({ nu }) => nu),
    shares: net.venues.map(({ mode, arcs }) =>
      arcs.map(({ share }) => (mode === 'off' ? 0 : share)),
    ),
  };
}

export function recallPrices(net: Network, { nu, shares }: Prices): void {
  net.places.forEach((place, k) => {
    place.nu = nu[k] as number;
  });
  net.venues.forEach(({ arcs }, e) => {
    arcs.forEach((arc, side) => {
      arc.center = shares[e]?.[side] as number;
    });
  });
}

function commit(net: Network, use: (venue: Venue) => Use): void {
  for (const venue of net.venues) {
    const wish = venue.decision ? use(venue) : 'yes';
    venue.mode = wish === 'no' ? 'off' : 'free';
    for (const arc of venue.arcs) arc.barred = typeof wish === 'object' && arc !== wish;
  }
  if (net.batch) openPurse(net);
  charge(net);
}

/**
 * Surplus counts where it can be paid to an order: one that is committed to, or one that may be filled
 * in part and can claim it with next to nothing. Elsewhere it has to be traded on.
 */
function openPurse(net: Network): void {
  const claimed = new Set<Place>();
  for (const { order, whole, mode, arcs } of net.venues) {
    if (order >= 0 && (!whole || mode === 'free')) claimed.add((arcs[0] as Arc).from);
  }
  for (const venue of net.venues) {
    const [arc] = venue.arcs;
    if (venue.index >= 0 || venue.order >= 0 || arc === undefined) continue;
    venue.mode = claimed.has(arc.from) ? 'free' : 'off';
    arc.from.keeps = claimed.has(arc.from);
  }
}

/** The best plan on the venues `use` names, or null if none sells everything. */
export function solveCommitted(
  net: Network,
  newton: Newton,
  use: (venue: Venue) => Use,
  start: Prices,
  scale: number,
): Found | null {
  commit(net, use);
  recallPrices(net, start);
  const budget = Math.max(net.workMax >> 3, 50);
  for (let cycle = 0; cycle < CYCLES_MAX; cycle++) {
    settleSupply(net);
    if (
      minimise(net, newton, { warm: true, relaxed: false, budget }) >
      WARM_GAP * Math.abs(net.value)
    ) {
      minimise(net, newton, { warm: false, relaxed: false, budget });
    }
    const plan = recover(net, newton, Math.max(scale, Math.abs(net.value)));
    if ('venue' in plan) {
      plan.barred = true;
      if (plan.venue.arcs.every(({ barred }) => barred)) plan.venue.mode = 'off';
    } else if (!closeIdleBridges(net)) {
      const prices = keepPrices(net);
      const found = judge(net, plan, prices, scale);
      const second = net.excess === null ? null : spendExcess(net, newton, found?.value ?? 0);
      if (second === null) return found;
      const other = judge(net, second, prices, scale);
      return other !== null && other.net > (found?.net ?? 0) ? other : found;
    }
  }
  return null;
}

/** A bridge committed to but not used must not charge its fixed fee. */
function closeIdleBridges(net: Network): boolean {
  let closed = false;
  for (const venue of net.venues) {
    if (venue.mode !== 'free' || venue.fixedFee === 0 || (venue.arcs[0] as Arc).x > 0) continue;
    venue.mode = 'off';
    closed = true;
  }
  return closed;
}

const lostMost = (net: Network, scale: number): number =>
  net.goal === null ? Number.POSITIVE_INFINITY : STRANDED_MAX * scale;

function judge(net: Network, plan: Plan, prices: Prices, scale: number): Found | null {
  // A swap sells everything; a batch that cannot pay its orders is none.
  if (net.batch ? plan.short > SHORT_MAX * net.worth : plan.stranded > lostMost(net, scale))
    return null;
  const value = planValue(net);
  if (net.goal !== null && !net.batch && !(value > 0)) return null;
  const arcs = net.venues.map((venue) => venue.arcs.find(({ x }) => x > 0) ?? null);
  const used = arcs.map((arc) => arc !== null);
  const users = new Set(net.venues.filter((_, e) => used[e]));
  const cost = costOf(net, (venue) => users.has(venue));
  const fills = net.venues.flatMap(({ order, arcs: [arc] }) =>
    order >= 0 && arc !== undefined && arc.x > 0 ? [{ order, share: arc.x / arc.curve.room }] : [],
  );
  return { net: value - cost, value, used, arcs, legs: legsOf(plan), fills, prices };
}

/** Legs in execution order, those out of one place together. */
function legsOf({ order, arcsFrom }: Plan): FloatLeg[] {
  return order.flatMap((place) =>
    (arcsFrom.get(place) ?? [])
      .filter(({ venue, x }) => venue.index >= 0 && x > 0)
      .map(({ venue, from, to, x, hii }) => ({
        venue: venue.index,
        from: from.index,
        to: to.index,
        input: x,
        stiffness: hii,
      })),
  );
}
