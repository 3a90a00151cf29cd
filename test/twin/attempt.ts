// What one solve knows, and one try of it: commit to a set of venues, solve, keep the plan if it is the
// best so far. The same set is never tried twice.

import { type Found, type Prices, solveCommitted, type Use } from './choice.ts';
import type { Network, Venue } from './network.ts';
import type { Newton } from './newton.ts';

/** What one solve knows: the relaxation's end point and the best plan so far. */
export interface Search {
  readonly net: Network;
  readonly newton: Newton;
  readonly root: Prices;
  readonly scale: number;
  /** Sets tried already. */
  readonly tried: Set<string>;
  best: Found | null;
}

/** Solves with `use`; true if the plan nets more than the best so far. Repeats are skipped. */
export function attempt(search: Search, use: (venue: Venue) => Use, start: Prices): boolean {
  const { net, newton, scale, tried } = search;
  const key = net.venues.map((venue) => keyOf(venue.decision ? use(venue) : 'yes')).join();
  if (tried.has(key) || (net.work >= net.workMax && search.best !== null)) return false;
  tried.add(key);
  net.work++;
  const found = solveCommitted(net, newton, use, start, scale);
  if (found === null) return false;
  if (search.best !== null && found.net <= search.best.net + 1e-12 * scale) return false;
  search.best = found;
  return true;
}

const keyOf = (use: Use): string => (typeof use === 'string' ? use : String(use.side));

/** The venues a found plan uses, in the way it does. */
export function useOf({ net }: Search, found: Found): (venue: Venue) => Use {
  const uses = new Map<Venue, Use>(
    net.venues.map((venue, e) => {
      const arc = found.arcs[e] ?? null;
      if (arc === null) return [venue, 'no'];
      return [venue, venue.choosesArc ? arc : 'yes'];
    }),
  );
  return (venue) => uses.get(venue) ?? 'no';
}
