// Best single paths with gas: starts for small orders, whose relaxation spreads over venues that each
// cost more than they bring. By dynamic programming over hops: the best amount at every place after
// h trades of one undivided amount, judged by its worth at given prices less the fixed costs.

import type { Arc, Network, Place } from './network.ts';

const HOPS_MAX = 4;

interface Step {
  readonly amount: number;
  readonly gas: number;
  readonly arcs: readonly Arc[];
}

/** The arcs of the best path for `part` of what is sold; null if none arrives. */
export function bestPath(net: Network, part: number): readonly Arc[] | null {
  const { goal } = net;
  if (goal === null) return null;
  let steps = new Map<Place, Step>();
  for (const place of net.places) {
    if (place.holding > 0) steps.set(place, { amount: part * place.holding, gas: 0, arcs: [] });
  }
  let best: { readonly worth: number; readonly arcs: readonly Arc[] } | null = null;
  for (let hop = 0; hop < HOPS_MAX; hop++) {
    steps = nextHop(net, steps);
    const arrived = steps.get(goal);
    if (arrived === undefined) continue;
    const worth = worthOf(arrived, goal);
    if (best === null || worth > best.worth) best = { worth, arcs: arrived.arcs };
  }
  return best?.arcs ?? null;
}

const worthOf = ({ amount, gas }: Step, { nu }: Place): number => amount * nu - gas;

function nextHop(net: Network, steps: ReadonlyMap<Place, Step>): Map<Place, Step> {
  const next = new Map<Place, Step>();
  for (const { arcs, fixedCost, fixedFee } of net.venues) {
    for (const arc of arcs) {
      const before = steps.get(arc.from);
      if (before === undefined || before.arcs.some(({ venue }) => venue === arc.venue)) continue;
      const input = Math.min(before.amount, arc.curve.room);
      const amount = arc.curve.out(input) - fixedFee;
      if (!(amount > 0)) continue;
      const gas = before.gas + fixedCost;
      const step: Step = { amount, gas, arcs: [...before.arcs, arc] };
      const known = next.get(arc.to);
      if (known === undefined || worthOf(step, arc.to) > worthOf(known, arc.to)) {
        next.set(arc.to, step);
      }
    }
  }
  return next;
}
