// A bound by cases: a tree whose branches split all plans in two, those that use a venue (any venue
// of a group, a fill-or-kill order) and those that do not, and whose leaves carry dual prices. Every
// plan belongs to one leaf, so the largest of the leaves' bounds, each under what is fixed above
// it, bounds every plan. Refuses unknown ids, a name fixed twice on one path, orders that may be
// filled in part (nothing about them is all or nothing), and trees beyond the limits.

import type { Fixed36 } from '../market/decimal.ts';
import { pointerTo } from '../market/jsonText.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { BRANCH_DEPTH_MAX, LEAVES_MAX } from '../market/resultFile.ts';
import { InvalidInput } from '../types/errors.ts';
import type { BoundTree } from '../types/problem.ts';
import { parseDualPrices } from './dualPrices.ts';

/** By index: true is used, false unused; what is absent may be either. */
export interface Fixings {
  readonly venues: ReadonlyMap<number, boolean>;
  readonly groups: ReadonlyMap<number, boolean>;
  readonly orders: ReadonlyMap<number, boolean>;
}

export const FREE: Fixings = { venues: new Map(), groups: new Map(), orders: new Map() };

export interface BoundLeaf {
  readonly prices: readonly Fixed36[];
  readonly fixings: Fixings;
  /** What is fixed, as it enters the checksum: ["venue", id, used]…, root first. */
  readonly path: readonly (readonly [string, string, boolean])[];
}

/** Every leaf, `used` before `unused`. Throws InvalidInput with a pointer below /branches. */
export function leavesOf(problem: ParsedProblem, tree: BoundTree): readonly BoundLeaf[] {
  const indexOf = indices(problem);
  const leaves: BoundLeaf[] = [];
  const visit = (at: BoundTree, fixings: Fixings, path: BoundLeaf['path'], pointer: string) => {
    if ('prices' in at) {
      if (leaves.length >= LEAVES_MAX) refuse(pointer, `at most ${LEAVES_MAX} leaves`);
      const prices = parseDualPrices(problem, at.prices, `${pointer}/prices`);
      leaves.push({ prices, fixings, path });
      return;
    }
    if (path.length >= BRANCH_DEPTH_MAX)
      refuse(pointer, `at most ${BRANCH_DEPTH_MAX} branches deep`);
    const [kind, id] = nameOf(at);
    const index = indexOf[kind](id);
    const place = pointerTo(pointer, kind);
    if (typeof index === 'string') refuse(place, index);
    const among = `${kind}s` as const;
    if (fixings[among].has(index)) refuse(place, `${kind} ${id} is already fixed on this path`);
    for (const used of [true, false]) {
      const fixed = { ...fixings, [among]: new Map(fixings[among]).set(index, used) };
      const side = used ? 'used' : 'unused';
      visit(at[side], fixed, [...path, [kind, id, used]], pointerTo(pointer, side));
    }
  };
  visit(tree, FREE, [], '/branches');
  return leaves;
}

type Kind = 'venue' | 'group' | 'order';

function nameOf(branch: Exclude<BoundTree, { prices: unknown }>): readonly [Kind, string] {
  if ('venue' in branch) return ['venue', branch.venue];
  if ('group' in branch) return ['group', branch.group];
  return ['order', branch.order];
}

/** Finds an id of each kind; a text is why there is none. */
function indices(problem: ParsedProblem): Record<Kind, (id: string) => number | string> {
  const { objective } = problem;
  const orders = objective.kind === 'batch' ? objective.orders : [];
  const groupIndex = new Map(problem.groups.map(({ id }, g) => [id, g]));
  const orderIndex = new Map(orders.map(({ id }, k) => [id, k]));
  return {
    venue: (id) => problem.venueIndex.get(id) ?? `no venue has the id ${id}`,
    group: (id) => groupIndex.get(id) ?? `no group has the id ${id}`,
    order: (id) => {
      const index = orderIndex.get(id);
      if (index === undefined) return `no order has the id ${id}`;
      return orders[index]?.partial ? `order ${id} may be filled in part` : index;
    },
  };
}

function refuse(pointer: string, message: string): never {
  throw new InvalidInput(message, { pointer });
}
