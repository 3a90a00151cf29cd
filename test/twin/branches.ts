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

/** The branches taken, as what proves a bound: at every leaf prices under the decisions above it. */
export interface Tree {
  /** Dual prices by place. */
  readonly nu: readonly number[];
  split: null | { readonly venue: Venue; readonly used: Tree; readonly unused: Tree };
}

interface Branch {
  readonly tree: Tree;
  readonly fixed: ReadonlyMap<Venue, boolean>;
  readonly bound: number;
  readonly prices: Prices;
  readonly shares: ReadonlyMap<Venue, number>;
}

/** Improves the best plan where it can; returns what proves a bound. */
export function branch(search: Search, used: (venue: Venue) => Use): Tree {
  const { net, scale } = search;
  const root = relax(search, new Map(), search.root);
  const open: Branch[] = [root];
  for (let k = 0; k < BRANCHES_MAX && open.length > 0 && net.work < net.workMax; k++) {
    open.sort((a, b) => a.bound - b.bound);
    const top = open.pop() as Branch;
    if (search.best !== null && top.bound <= search.best.net + CLOSE * scale) break;
    attempt(search, (venue) => (isIn(top, venue) ? used(venue) : 'no'), top.prices);
    const venue = undecided(net, top);
    if (venue === null) continue;
    const [inside, outside] = [true, false].map((use) =>
      relax(search, new Map([...top.fixed, [venue, use]]), top.prices),
    ) as [Branch, Branch];
    top.tree.split = { venue, used: inside.tree, unused: outside.tree };
    for (const child of [inside, outside]) {
      if (search.best === null || child.bound > search.best.net + CLOSE * scale) open.push(child);
    }
  }
  return root.tree;
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
  // The bound's prices are the feasible ones that dualBound leaves.
  const bound = dualBound(net);
  return {
    fixed,
    prices,
    shares,
    bound,
    tree: { nu: net.places.map(({ nu }) => nu), split: null },
  };
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
