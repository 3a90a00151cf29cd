// Costs shared by several venues (a chain's transaction, a message), paid once if any is used. While
// use is undecided each is split among its members: by linear programming duality
//   max over sets S of Σ_S F − Σ_{groups met} q = min over splits λ ≥ 0, Σλ ≤ q, of Σ max(0, F − λ).
// At the best split all members that carry some of it are used to the same share, so multiplicative
// weights move every split towards its members used most. Any split gives a valid bound.

import type { Network, Venue } from './network.ts';

const PULL = 3;
const LEAST = 1e-6;

/** Equal splits, and every open venue's charge. */
export function startSplits(net: Network): void {
  for (const { cost, members, split } of net.groups) split.fill(cost / members.length);
  charge(net);
}

export function resplit(net: Network): void {
  for (const { cost, members, split } of net.groups) {
    if (members.some((member) => member.mode === 'free')) continue;
    const least = (LEAST * cost) / members.length;
    const weights = members.map(
      (member, k) => Math.max(split[k] as number, least) * Math.exp(PULL * (usedShare(member) - 1)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    weights.forEach((weight, k) => {
      split[k] = (cost * weight) / sum;
    });
  }
  charge(net);
}

/** Its own cost and its parts of groups that no venue committed to has paid already. */
export function charge(net: Network): void {
  for (const venue of net.venues) venue.charge = venue.fixedCost;
  for (const { members, split } of net.groups) {
    if (members.some((member) => member.mode === 'free' && member.decision)) continue;
    members.forEach((member, k) => {
      member.charge += split[k] as number;
    });
  }
}

/** What using exactly these venues costs, groups once. */
export function costOf(net: Network, used: (venue: Venue) => boolean): number {
  let cost = 0;
  for (const venue of net.venues) if (used(venue)) cost += venue.fixedCost;
  for (const group of net.groups) if (group.members.some(used)) cost += group.cost;
  return cost;
}

export function usedShare(venue: Venue): number {
  if (venue.mode === 'off') return 0;
  return Math.min(
    1,
    venue.arcs.reduce((sum, { share }) => sum + share, 0),
  );
}
