// Which venues to use at all. The relaxation gives the bound and shares; plans come from committing to
// sets of venues and solving the convex problem that is left: sets by threshold of share, best single
// paths with gas and their unions, then dropping and adding one venue or group at a time. What that
// leaves open, branches.ts decides where it can.

import type { SolveStatus } from '../../solver/types/problem.ts';
import { attempt, type Search, useOf } from './attempt.ts';
import { dualBound } from './bound.ts';
import { branch } from './branches.ts';
import { type Found, keepPrices, recallPrices, type Use } from './choice.ts';
import { respond } from './dual.ts';
import { charge, startSplits, usedShare } from './groups.ts';
import { minimise } from './minimise.ts';
import { type Arc, activeArc, type Network, settleSupply, type Venue } from './network.ts';
import { Newton } from './newton.ts';
import { bestPath } from './paths.ts';
import { startPrices } from './start.ts';

const PASSES_MAX = 64;
/** A plan this far below the relaxation, relative, may be missing venues altogether. */
const FAR = 0.01;
const THRESHOLDS = [0.5, 0.1, 0.01, 1e-6] as const;
const PARTS = [1, 0.5, 0.2] as const;

export interface Outcome {
  readonly status: SolveStatus;
  readonly best: Found | null;
  /** Dual prices by place, and g there. */
  readonly nu: readonly number[];
  readonly bound: number;
}

export function solve(net: Network): Outcome {
  net.work = 0;
  const newton = new Newton(net);
  startPrices(net);
  const decisions = net.venues.some(({ decision }) => decision);
  relaxAll(net);
  const budget = decisions ? net.workMax >> 2 : net.workMax;
  minimise(net, newton, { warm: false, relaxed: decisions, budget });
  const root = keepPrices(net);
  const search: Search = {
    net,
    newton,
    root,
    scale: net.batch ? net.worth : Math.abs(net.value),
    tried: new Set(),
    best: null,
  };
  const rootSplits = net.groups.map(({ split }) => [...split]);
  if (decisions) searchSets(search);
  else attempt(search, () => 'yes', root);
  return conclude(search, rootSplits);
}

/** Everything undecided that costs something, everything else free. */
function relaxAll(net: Network): void {
  for (const venue of net.venues) {
    venue.mode = venue.decision ? 'open' : 'free';
    for (const arc of venue.arcs) arc.barred = false;
  }
  startSplits(net);
  settleSupply(net);
}

/** Publishes the prices with the lower bound: the relaxation's or the best plan's own. */
function conclude(
  { net, root, scale, best }: Search,
  splits: readonly (readonly number[])[],
): Outcome {
  relaxAll(net);
  net.groups.forEach(({ split }, g) => {
    split.splice(0, split.length, ...(splits[g] as readonly number[]));
  });
  charge(net);
  let bound = Number.POSITIVE_INFINITY;
  let nu: readonly number[] = root.nu;
  for (const prices of [root, best?.prices]) {
    if (prices === undefined) continue;
    recallPrices(net, prices);
    const proved = dualBound(net);
    if (proved >= bound) continue;
    bound = proved;
    nu = net.places.map((place) => place.nu);
  }
  const spent = net.work >= net.workMax;
  return { status: statusOf(), best, nu, bound };

  function statusOf(): SolveStatus {
    if (best === null)
      return spent ? 'limit' : net.goal !== null && scale > 0 ? 'infeasible' : 'noRoute';
    return spent && bound - best.net > net.gapTarget * net.worth ? 'limit' : 'solved';
  }
}

function searchSets(search: Search): void {
  const { net, root } = search;
  const shares = new Map(net.venues.map((venue) => [venue, usedShare(venue)]));
  const likely = new Map(net.venues.map((venue) => [venue, likelyArc(venue)]));
  /** How a venue named by a set is used: by the arc the relaxation likes where it must choose. */
  const used = (venue: Venue): Use => likely.get(venue) ?? 'yes';
  for (const least of THRESHOLDS) {
    attempt(search, (venue) => ((shares.get(venue) ?? 0) > least ? used(venue) : 'no'), root);
  }
  if (net.goal === null) attempt(search, () => 'no', root);
  for (const part of net.goal === null ? [] : PARTS) {
    recallPrices(net, root);
    const path = bestPath(net, part);
    if (path === null) continue;
    attempt(search, (venue) => alongPath(path, venue), root);
    const { best } = search;
    if (best === null) continue;
    // The union with the best so far: splits that neither finds alone.
    const bestUse = useOf(search, best);
    attempt(
      search,
      (venue) => (bestUse(venue) === 'no' ? alongPath(path, venue) : bestUse(venue)),
      best.prices,
    );
  }
  // Where prices are next to nothing shares say little: then everything, and climb by dropping.
  const short = search.best === null || search.best.net < search.scale * (1 - FAR);
  if (short) attempt(search, used, root);
  climb(search, used);
  branch(search, used);
  climb(search, used);
}

function alongPath(path: readonly Arc[], venue: Venue): Use {
  const arc = path.find((one) => one.venue === venue);
  if (arc === undefined) return 'no';
  return venue.choosesArc ? arc : 'yes';
}

/** The arc of a many-node pool with the largest share; null where both directions may stay open. */
function likelyArc(venue: Venue): Arc | null {
  if (!venue.choosesArc) return null;
  return activeArc(venue) ?? (venue.arcs[0] as Arc);
}

/** Drops and adds until nothing improves. */
function climb(search: Search, used: (venue: Venue) => Use): void {
  for (let pass = 0; pass < PASSES_MAX && search.net.work < search.net.workMax; pass++) {
    if (search.best === null || !improve(search, search.best, used)) return;
  }
}

/** One round of moves from `best`, most promising first; true at the first improvement. */
function improve(search: Search, best: Found, used: (venue: Venue) => Use): boolean {
  const { net } = search;
  const now = useOf(search, best);
  for (const { members } of net.groups) {
    if (members.every((member) => now(member) === 'no')) continue;
    const without = (venue: Venue): Use => (members.includes(venue) ? 'no' : now(venue));
    if (attempt(search, without, best.prices)) return true;
  }
  const moves = net.venues.flatMap((venue) => movesOf(search, best, venue, now, used));
  moves.sort((a, b) => b.gain - a.gain);
  for (const { venue, use } of moves) {
    if (net.work >= net.workMax) return false;
    if (attempt(search, (one) => (one === venue ? use : now(one)), best.prices)) return true;
  }
  return false;
}

interface Move {
  readonly venue: Venue;
  readonly use: Use;
  /** Dollars it could bring at most, at the best plan's own dual prices. */
  readonly gain: number;
}

function movesOf(
  search: Search,
  best: Found,
  venue: Venue,
  now: (venue: Venue) => Use,
  used: (venue: Venue) => Use,
): Move[] {
  if (!venue.decision) return [];
  recallPrices(search.net, best.prices);
  venue.mode = 'open';
  for (const arc of venue.arcs) {
    arc.barred = false;
    respond(arc);
  }
  const most = Math.max(0, ...venue.arcs.map(({ surplus }) => surplus));
  const current = now(venue);
  if (venue.order >= 0) {
    const surplus = venue.arcs[0]?.surplus ?? 0;
    const flipped =
      current === 'no'
        ? { use: used(venue), gain: surplus }
        : { use: 'no' as const, gain: -surplus };
    return flipped.gain > 0 ? [{ venue, ...flipped }] : [];
  }
  if (current === 'no') {
    const offered = venue.choosesArc ? venue.arcs : [null];
    return offered
      .map((arc) => ({
        venue,
        use: arc ?? used(venue),
        gain: (arc?.surplus ?? most) - venue.fixedCost,
      }))
      .filter(({ gain }) => gain > 0);
  }
  const moves: Move[] = [{ venue, use: 'no' as const, gain: savingOf(search, venue, now) - most }];
  if (venue.choosesArc) {
    for (const arc of venue.arcs)
      if (arc !== current) moves.push({ venue, use: arc, gain: arc.surplus });
  }
  return moves.filter(({ gain }) => gain > 0);
}

/** What dropping it alone would save: its own cost, and those of groups it alone makes due. */
function savingOf({ net }: Search, venue: Venue, now: (venue: Venue) => Use): number {
  const fee = venue.fixedFee * (venue.arcs[0] as Arc).to.nu;
  let saving = venue.fixedCost + fee;
  for (const { cost, members } of net.groups) {
    const others = members.some((member) => member !== venue && now(member) !== 'no');
    if (members.includes(venue) && !others) saving += cost;
  }
  return saving;
}
