// Branch and bound on use, best bound first: a branch commits some venues (their costs are paid) and
// forbids others; its relaxation bounds every plan of it. Branches that cannot beat the best plan are
// dropped; the others split on the venue whose share is furthest from a decision, by cost.

import { attempt, type Search } from './attempt.ts';
import { dualBound } from './bound.ts';
import { keepPrices, type Prices, recallPrices, type Use } from './choice.ts';
import { charge, usedShare } from './groups.ts';
import { minimise } from './minimise.ts';
import { type Network, settleSupply, type Venue } from './network.ts';

const BRANCHES_MAX = 24;
/** Shares this close to 0 or 1 are decided. */
const DECIDED = 1e-3;
/** Relative to the plan: bounds closer than this to the best are not worth a branch. */
const CLOSE = 1e-7;

interface Branch {
  readonly fixed: ReadonlyMap<Venue, boolean>;
  readonly bound: number;
  readonly prices: Prices;
  readonly shares: ReadonlyMap<Venue, number>;
}

export function branch(search: Search, used: (venue: Venue) => Use): void {
  const { net, scale } = search;
  const open: Branch[] = [relax(search, new Map(), search.root)];
  for (let k = 0; k < BRANCHES_MAX && open.length > 0 && net.work < net.workMax; k++) {
    open.sort((a, b) => a.bound - b.bound);
    const top = open.pop() as Branch;
    if (search.best !== null && top.bound <= search.best.net + CLOSE * scale) return;
    attempt(search, (venue) => (isIn(top, venue) ? used(venue) : 'no'), top.prices);
    const venue = undecided(net, top);
    if (venue === null) continue;
    for (const use of [true, false]) {
      const child = relax(search, new Map([...top.fixed, [venue, use]]), top.prices);
      if (search.best === null || child.bound > search.best.net + CLOSE * scale) open.push(child);
    }
  }
}

const isIn = ({ fixed, shares }: Branch, venue: Venue): boolean =>
  fixed.get(venue) ?? (shares.get(venue) ?? 0) > 0.5;

/** The relaxation under some decisions: its bound, prices and shares. */
function relax({ net, newton }: Search, fixed: ReadonlyMap<Venue, boolean>, start: Prices): Branch {
  for (const venue of net.venues) {
    const use = fixed.get(venue);
    venue.mode = !venue.decision || use === true ? 'free' : use === false ? 'off' : 'open';
    for (const arc of venue.arcs) arc.barred = false;
  }
  for (const { cost, members, split } of net.groups) split.fill(cost / members.length);
  charge(net);
  settleSupply(net);
  recallPrices(net, start);
  minimise(net, newton, { warm: true, relaxed: true, budget: net.workMax >> 4 });
  const prices = keepPrices(net);
  const shares = new Map(net.venues.map((venue) => [venue, usedShare(venue)]));
  return { fixed, prices, shares, bound: dualBound(net) };
}

/** The undecided venue with the largest min(z, 1 − z)·cost, or null. */
function undecided(net: Network, { fixed, shares }: Branch): Venue | null {
  let best: Venue | null = null;
  let most = 0;
  for (const venue of net.venues) {
    if (!venue.decision || fixed.has(venue)) continue;
    const share = shares.get(venue) ?? 0;
    const doubt = Math.min(share, 1 - share);
    const weight = doubt > DECIDED ? doubt * (venue.charge + 1e-9) : 0;
    if (weight > most) {
      most = weight;
      best = venue;
    }
  }
  return best;
}
