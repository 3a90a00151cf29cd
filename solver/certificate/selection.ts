// Fixed costs in the bound: the most that Σ (profit of used venues) − Σ (cost of groups touched) can
// be, over all sets of venues. Exactly a project selection problem, solved as a minimum cut in
// integers (Dinic), so venues may share groups in any pattern. No relaxation, no rounding.

import { smallerOf } from '../market/decimal.ts';
import { assert, present } from '../types/assert.ts';

export interface CostGroup {
  /** ≥ 0. */
  readonly cost: bigint;
  /** Indices into `profits`. */
  readonly members: readonly number[];
}

/** max over sets S of Σ_{e∈S} profits[e] − Σ_{groups meeting S} cost; ≥ 0, exact. */
export function bestSelection(profits: readonly bigint[], groups: readonly CostGroup[]): bigint {
  let total = 0n;
  const gains = new Uint8Array(profits.length);
  for (let venue = 0; venue < profits.length; venue++) {
    const profit = profits[venue] as bigint;
    if (profit <= 0n) continue;
    total += profit;
    gains[venue] = 1;
  }
  const open = groups.filter(({ cost }) => cost > 0n);
  /** Venues with a profit, and the groups they would have to pay. */
  const unsure = new Map<number, CostGroup[]>();
  for (const group of open) {
    for (const member of group.members) {
      if (gains[member] !== 1) continue;
      const pays = unsure.get(member);
      if (pays === undefined) unsure.set(member, [group]);
      else pays.push(group);
    }
  }
  const paid = payPlain(profits, open, unsure);
  for (const { cost } of paid) total -= cost;
  if (unsure.size === 0) return total;
  const left = open.filter((group) => !paid.has(group));
  return total - minimumCut(profits, left, [...unsure.keys()]);
}

/**
 * The groups that a best set surely pays, which leaves little or nothing to cut: those of a venue whose
 * profit outweighs all it would have to pay, and one whose venues that pay nothing else outweigh it
 * together. Adding such venues to any set raises its value, since what the set pays already only helps.
 * Venues that are sure leave `unsure`; the others lose the groups that are paid.
 */
function payPlain(
  profits: readonly bigint[],
  groups: readonly CostGroup[],
  unsure: Map<number, CostGroup[]>,
): ReadonlySet<CostGroup> {
  const paid = new Set<CostGroup>();
  const isOpen = (group: CostGroup) => !paid.has(group);
  // Each round pays for a group or is the last.
  for (let before = -1; before < paid.size; ) {
    before = paid.size;
    const ownProfit = new Map<CostGroup, bigint>();
    for (const [venue, pays] of unsure) {
      const profit = present(profits[venue], 'profit');
      const left = pays.filter(isOpen);
      let cost = 0n;
      for (const group of left) cost += group.cost;
      if (profit >= cost) {
        for (const group of left) paid.add(group);
        unsure.delete(venue);
        continue;
      }
      unsure.set(venue, left);
      const [only, other] = left;
      if (only === undefined || other !== undefined) continue;
      ownProfit.set(only, (ownProfit.get(only) ?? 0n) + profit);
    }
    for (const group of groups) {
      if (!paid.has(group) && (ownProfit.get(group) ?? 0n) >= group.cost) paid.add(group);
    }
  }
  return paid;
}

/** source → venue (profit) → group (unbounded) → sink (cost). */
function minimumCut(
  profits: readonly bigint[],
  groups: readonly CostGroup[],
  venues: readonly number[],
): bigint {
  const source = 0;
  const sink = 1;
  const vertexOf = new Map(venues.map((venue, i) => [venue, 2 + i]));
  const network = new FlowNetwork(2 + venues.length + groups.length);
  let unbounded = 1n;
  for (const venue of venues) {
    const profit = present(profits[venue], 'profit');
    unbounded += profit;
    network.connect(source, present(vertexOf.get(venue), 'vertex'), profit);
  }
  groups.forEach(({ cost, members }, i) => {
    const vertex = 2 + venues.length + i;
    network.connect(vertex, sink, cost);
    for (const member of members) {
      const from = vertexOf.get(member);
      if (from !== undefined) network.connect(from, vertex, unbounded);
    }
  });
  return network.maximumFlow(source, sink);
}

/** Dinic's algorithm over bigint capacities; edges in pairs, the residual of e is e ^ 1. */
class FlowNetwork {
  private readonly edgesOf: number[][];
  private readonly target: number[] = [];
  private readonly capacity: bigint[] = [];

  constructor(vertices: number) {
    this.edgesOf = Array.from({ length: vertices }, () => []);
  }

  connect(from: number, to: number, capacity: bigint): void {
    present(this.edgesOf[from], 'vertex').push(this.target.length);
    this.target.push(to);
    this.capacity.push(capacity);
    present(this.edgesOf[to], 'vertex').push(this.target.length);
    this.target.push(from);
    this.capacity.push(0n);
  }

  maximumFlow(source: number, sink: number): bigint {
    let flow = 0n;
    // Each phase lengthens the shortest path, so there are at most as many as vertices.
    for (let phase = 0; phase <= this.edgesOf.length; phase++) {
      const level = this.levels(source);
      if ((level[sink] ?? -1) < 0) return flow;
      flow += this.blockingFlow(source, sink, level);
    }
    assert(false, 'Dinic ends within as many phases as there are vertices');
  }

  private levels(source: number): number[] {
    const level = this.edgesOf.map(() => -1);
    level[source] = 0;
    const queue = [source];
    for (let head = 0; head < queue.length; head++) {
      const vertex = present(queue[head], 'queued vertex');
      for (const edge of present(this.edgesOf[vertex], 'vertex')) {
        const to = present(this.target[edge], 'edge');
        if (present(this.capacity[edge], 'edge') > 0n && level[to] === -1) {
          level[to] = present(level[vertex], 'level') + 1;
          queue.push(to);
        }
      }
    }
    return level;
  }

  private blockingFlow(source: number, sink: number, level: readonly number[]): bigint {
    const nextEdge = this.edgesOf.map(() => 0);
    const path: number[] = [];
    let flow = 0n;
    let vertex = source;
    for (;;) {
      if (vertex === sink) {
        flow += this.augment(path);
        path.length = 0;
        vertex = source;
        continue;
      }
      const edges = present(this.edgesOf[vertex], 'vertex');
      const edge = edges[present(nextEdge[vertex], 'cursor')];
      if (edge === undefined) {
        const back = path.pop();
        if (back === undefined) return flow;
        vertex = present(this.target[back ^ 1], 'edge');
        nextEdge[vertex] = present(nextEdge[vertex], 'cursor') + 1;
        continue;
      }
      const to = present(this.target[edge], 'edge');
      const descends = level[to] === present(level[vertex], 'level') + 1;
      if (descends && present(this.capacity[edge], 'edge') > 0n) {
        path.push(edge);
        vertex = to;
      } else {
        nextEdge[vertex] = present(nextEdge[vertex], 'cursor') + 1;
      }
    }
  }

  private augment(path: readonly number[]): bigint {
    const room = path.map((edge) => present(this.capacity[edge], 'edge'));
    const amount = room.reduce(smallerOf);
    for (const edge of path) {
      this.capacity[edge] = present(this.capacity[edge], 'edge') - amount;
      this.capacity[edge ^ 1] = present(this.capacity[edge ^ 1], 'edge') + amount;
    }
    return amount;
  }
}
