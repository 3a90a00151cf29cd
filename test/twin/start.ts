// Prices to start from: a spanning tree of greatest depth, each pool at its own spot price (Prim),
// then for a swap a few rounds of Bellman–Ford towards the goal (the best product of rates), capped
// 5 % above the tree, or a dead pool's price would win.

import type { Arc, Network, Place } from './network.ts';

const TREE_SLACK = 1.05;
const ROUNDS_MAX = 4;

export function startPrices(net: Network): void {
  for (const place of net.places) place.nu = 0;
  // A swap starts from its goal alone, a portfolio or a batch at its own prices.
  const isSwap = net.goal !== null && !net.batch;
  const known = isSwap ? [net.goal as Place] : net.places.filter(({ price }) => price > 0);
  for (const place of known) place.nu = place.price;
  growTree(net, new Set(known));
  for (const place of net.places) if (!(place.nu > 0)) place.nu = place.price > 0 ? place.price : 1;
  if (isSwap) improve(net, net.goal as Place);
}

function growTree(net: Network, tree: Set<Place>): void {
  const touching = adjacency(net);
  const offers = new Map<Place, { readonly price: number; readonly depth: number }>();
  const offer = (place: Place) => {
    for (const arc of touching.get(place) ?? []) {
      const other = arc.from === place ? arc.to : arc.from;
      if (tree.has(other)) continue;
      const rate = midRate(arc);
      if (!(rate > 0)) continue;
      const price = arc.from === other ? place.nu * rate : place.nu / rate;
      const depth = arc.curve.depth * (arc.from === other ? price : place.nu);
      if (depth > (offers.get(other)?.depth ?? 0)) offers.set(other, { price, depth });
    }
  };
  for (const place of tree) offer(place);
  for (;;) {
    let best: Place | null = null;
    for (const [place, { depth }] of offers) {
      if (best === null || depth > (offers.get(best)?.depth ?? 0)) best = place;
    }
    if (best === null) return;
    best.nu = offers.get(best)?.price as number;
    offers.delete(best);
    tree.add(best);
    offer(best);
  }
}

function adjacency(net: Network): Map<Place, Arc[]> {
  const touching = new Map<Place, Arc[]>(net.places.map((place) => [place, []]));
  for (const { arcs } of net.venues) {
    for (const arc of arcs) {
      touching.get(arc.from)?.push(arc);
      touching.get(arc.to)?.push(arc);
    }
  }
  return touching;
}

/** Output per input between both directions' spot rates; a one-way arc's own. */
function midRate(arc: Arc): number {
  const back = arc.venue.arcs.find(({ from, to }) => from === arc.to && to === arc.from);
  if (back === undefined || !(back.curve.spot > 0)) return arc.curve.spot;
  return arc.curve.spot > 0 ? Math.sqrt(arc.curve.spot / back.curve.spot) : 1 / back.curve.spot;
}

function improve(net: Network, goal: Place): void {
  const most = new Map(net.places.map((place) => [place, TREE_SLACK * place.nu]));
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let changed = false;
    for (const { arcs } of net.venues) {
      for (const { from, to, curve } of arcs) {
        if (from === goal) continue;
        const price = Math.min(curve.spot * to.nu, most.get(from) as number);
        if (!(price > from.nu * (1 + 1e-9))) continue;
        from.nu = price;
        changed = true;
      }
    }
    if (!changed) return;
  }
}
