// One committed solve: given which venues to use (and by which arc), the best plan on them, its cost
// paid. What is left is convex: no relaxation, one dual solve and one recovery, repeated with an arc
// barred while the best flow has a cycle.

import { charge, costOf } from './groups.ts';
import { minimise } from './minimise.ts';
import type { Arc, Network, Venue } from './network.ts';
import type { Newton } from './newton.ts';
import { type Plan, planValue, recover } from './recover.ts';

const CYCLES_MAX = 16;
/** A warm solve that ends wider than this, relative, is repeated cold. */
const WARM_GAP = 1e-8;
/** Share of the plan that may be left by rounding where it is worth nothing. */
const STRANDED_MAX = 1e-9;

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
  readonly used: readonly boolean[];
  readonly arcs: readonly (Arc | null)[];
  readonly legs: readonly FloatLeg[];
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

/** Takes the fixed fees of bridges committed to from where they arrive. */
export function settleSupply(net: Network): void {
  for (const place of net.places) place.supply = place.holding;
  for (const { mode, fixedFee, arcs } of net.venues) {
    if (mode === 'free' && fixedFee > 0) (arcs[0] as Arc).to.supply -= fixedFee;
  }
}

function commit(net: Network, use: (venue: Venue) => Use): void {
  for (const venue of net.venues) {
    const wish = venue.decision ? use(venue) : 'yes';
    venue.mode = wish === 'no' ? 'off' : 'free';
    for (const arc of venue.arcs) arc.barred = typeof wish === 'object' && arc !== wish;
  }
  charge(net);
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
      return judge(net, plan, scale);
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

function judge(net: Network, plan: Plan, scale: number): Found | null {
  if (net.goal !== null && plan.stranded > STRANDED_MAX * scale) return null;
  const value = planValue(net);
  if (net.goal !== null && !(value > 0)) return null;
  const arcs = net.venues.map((venue) => venue.arcs.find(({ x }) => x > 0) ?? null);
  const used = arcs.map((arc) => arc !== null);
  const users = new Set(net.venues.filter((_, e) => used[e]));
  const cost = costOf(net, (venue) => users.has(venue));
  return { net: value - cost, used, arcs, legs: legsOf(plan), prices: keepPrices(net) };
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
