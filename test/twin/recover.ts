// Primal recovery: from the dual's flows to a plan that executes. Flows are first corrected as flows
// (a residual spread over the same Laplacian, so that precision does not depend on depth), then pushed
// through the places in topological order until every unit is accounted for. A plan must execute, so
// its graph has no cycle: where the best flow has one (pure arbitrage) the caller gets the arc to bar.

import { type Arc, activeArc, type Network, type Place, settleSupply } from './network.ts';
import type { Newton } from './newton.ts';
import { gain } from './tracking.ts';

/** Flows worth less than this share of the plan at both ends are dropped. */
const DUST = 1e-13;
const REFINEMENTS = 3;

export interface Plan {
  /** Places in an order in which the plan can execute. */
  readonly order: readonly Place[];
  readonly arcsFrom: ReadonlyMap<Place, readonly Arc[]>;
  /** Dollars left where they are worth nothing. */
  readonly stranded: number;
  /** Dollars that some place lacks: orders there cannot be paid, or a bridge's fee. */
  readonly short: number;
}

/**
 * Fills x and y of arcs and `left` of places; a plan of about `scale` dollars, or a cycle's arc. The
 * flows are the optimum of `within`: `net` itself, or it and edges that are no part of a plan.
 */
export function recover(net: Network, newton: Newton, scale: number, within = net): Plan | Arc {
  const all = usedArcs(within);
  newton.factorise(within);
  for (let round = 0; round < REFINEMENTS; round++) refine(within, newton, all);
  settleSupply(net);
  const arcs = all.filter(({ to }) => to.index < net.places.length);
  const dust = DUST * scale;
  for (const arc of arcs) {
    const negligible = arc.x * worthAt(arc.from) <= dust && arc.y * worthAt(arc.to) <= dust;
    if (negligible || !(arc.y > 0)) arc.x = arc.y = 0;
  }
  // A batch's orders are no trades of the plan: they bring what they sell and take what they are paid.
  const flowing = arcs.filter(({ x, venue }) => x > 0 && venue.order < 0);
  const order = sorted(net, flowing);
  if (!Array.isArray(order)) return order;
  return push(net, order, flowing, dust);
}

/** At most one arc of a venue carries a plan; the others are cleared. */
function usedArcs(net: Network): Arc[] {
  const used: Arc[] = [];
  for (const venue of net.venues) {
    for (const arc of venue.arcs) arc.x = arc.y = 0;
    const arc = venue.mode === 'off' ? null : activeArc(venue);
    if (arc === null) continue;
    arc.x = arc.share * arc.input;
    arc.y = arc.curve.out(arc.x);
    if (arc.x > 0) used.push(arc);
  }
  return used;
}

/** Where supply is in excess the dual price is next to nothing, yet a target may need what is there. */
const worthAt = (place: Place): number => Math.max(place.nu, place.price);

/** One step of iterative refinement on the flows, with the curvatures at hand. */
function refine(net: Network, newton: Newton, arcs: readonly Arc[]): void {
  for (const place of net.places) place.left = place.supply;
  for (const { from, to, x, y } of arcs) {
    from.left -= x;
    to.left += y;
  }
  let portfolio = 0;
  const hard = net.goal === null && net.tracking === null;
  if (hard) for (const { left, nu } of net.places) portfolio += left * nu;
  const held = new Map(net.tracking?.ends.map((end, g) => [end, net.tracking?.held[g] ?? 0]));
  newton.solveFor((place) => {
    const { left, demand, nu } = place;
    return (held.get(place) ?? portfolio * demand) * nu - left * nu;
  });
  for (const arc of arcs) {
    const { from, to, curve } = arc;
    if (arc.hij === 0) continue;
    const potential = arc.hii * stepOf(from) + arc.hij * stepOf(to);
    arc.x = Math.min(Math.max(0, arc.x - potential / from.nu), curve.room);
    arc.y = curve.out(arc.x);
  }
}

const stepOf = (place: Place): number => (place.row < 0 ? 0 : place.step);

/** Topological order (Kahn 1962), or the least valuable arc of a cycle. */
function sorted(net: Network, arcs: readonly Arc[]): Place[] | Arc {
  const waiting = new Map(net.places.map((place) => [place, 0]));
  for (const { to } of arcs) waiting.set(to, (waiting.get(to) as number) + 1);
  const from = byTail(arcs);
  const order = net.places.filter((place) => waiting.get(place) === 0);
  for (const place of order) {
    for (const { to } of from.get(place) ?? []) {
      const rest = (waiting.get(to) as number) - 1;
      waiting.set(to, rest);
      if (rest === 0) order.push(to);
    }
  }
  if (order.length === net.places.length) return order;
  return leastOfCycle(
    arcs.filter((arc) => waiting.get(arc.from) !== 0 && waiting.get(arc.to) !== 0),
  );
}

/** Walks backwards along arcs between unsorted places until one repeats. */
function leastOfCycle(arcs: readonly Arc[]): Arc {
  const into = new Map(arcs.map((arc) => [arc.to, arc]));
  const seen = new Set<Place>();
  let place = (arcs[0] as Arc).to;
  while (!seen.has(place)) {
    seen.add(place);
    place = (into.get(place) as Arc).from;
  }
  const end = place;
  let least = into.get(place) as Arc;
  do {
    const arc = into.get(place) as Arc;
    if (arc.x * arc.from.nu < least.x * least.from.nu) least = arc;
    place = arc.from;
  } while (place !== end);
  return least;
}

function byTail(arcs: readonly Arc[]): Map<Place, Arc[]> {
  const from = new Map<Place, Arc[]>();
  for (const arc of arcs) {
    const list = from.get(arc.from);
    if (list === undefined) from.set(arc.from, [arc]);
    else list.push(arc);
  }
  return from;
}

/** Moves exact amounts from place to place; what cannot move on stays and is counted. */
function push(net: Network, order: readonly Place[], arcs: readonly Arc[], dust: number): Plan {
  const from = byTail(arcs);
  const position = new Map(order.map((place, k) => [place, k]));
  for (const place of net.places) place.left = place.supply;
  for (const { venue, arcs: sides } of net.venues.map((one) => ({ venue: one, arcs: one.arcs }))) {
    if (venue.order < 0) continue;
    for (const { from, to, x, y } of sides) {
      from.left -= x;
      to.left += y;
    }
  }
  let stranded = 0;
  let short = 0;
  for (const place of order) {
    const out = from.get(place) ?? [];
    let rest = place.left - out.reduce((sum, { x }) => sum + x, 0);
    if (rest < 0 || !place.keeps) rest = spread(out, rest);
    if (rest * worthAt(place) > dust && !place.keeps) {
      const detour = bestDetour(net, place, rest, position);
      if (detour !== null) {
        rest -= detour.x;
        out.push(detour);
        from.set(place, out);
      }
    }
    for (const arc of out) {
      arc.y = arc.x > 0 ? arc.curve.out(arc.x) : 0;
      arc.to.left += arc.y;
    }
    place.left = Math.max(0, rest);
    short = Math.max(short, -rest * worthAt(place));
    if (!place.keeps) stranded += place.left * worthAt(place);
  }
  return { order, arcsFrom: from, stranded, short };
}

/**
 * Spreads a surplus (or shortfall) over the arcs out of a place: first by curvature, the ones that
 * mind least taking most, then over whoever has room. Returns what nobody could take.
 */
function spread(out: readonly Arc[], difference: number): number {
  let rest = difference;
  for (let round = 0; round < 4 && rest !== 0; round++) {
    const weightOf = (arc: Arc): number => {
      const room = rest > 0 ? arc.curve.room - arc.x : arc.x;
      if (!(room > 0)) return 0;
      if (round < 2) return arc.hii;
      return rest > 0 && arc.linear ? Math.min(room, 1e300) : arc.x;
    };
    const weights = out.map(weightOf);
    const total = weights.reduce((a, b) => a + b, 0);
    if (!(total > 0)) continue;
    const part = rest / total;
    out.forEach((arc, k) => {
      const weight = weights[k] as number;
      if (weight === 0) return;
      const x = Math.min(Math.max(0, arc.x + part * weight), arc.curve.room);
      rest -= x - arc.x;
      arc.x = x;
    });
  }
  return rest;
}

/** An idle venue that takes what is left to a place further down the order, at the best price. */
function bestDetour(
  net: Network,
  place: Place,
  amount: number,
  position: ReadonlyMap<Place, number>,
): Arc | null {
  let best: Arc | null = null;
  let bestWorth = 0;
  const after = position.get(place) as number;
  for (const venue of net.venues) {
    if (venue.mode === 'off' || venue.arcs.some(({ x }) => x > 0)) continue;
    for (const arc of venue.arcs) {
      if (arc.from !== place || arc.barred || (position.get(arc.to) as number) <= after) continue;
      const worth = arc.curve.out(Math.min(amount, arc.curve.room)) * arc.to.nu;
      if (worth > bestWorth) {
        bestWorth = worth;
        best = arc;
      }
    }
  }
  if (best !== null) best.x = Math.min(amount, best.curve.room);
  return best;
}

/** What the recovered plan is worth before fixed costs: the goal's worth, or the balanced portfolio. */
export function planValue(net: Network): number {
  if (net.goal !== null && !net.batch) return net.goal.left * net.goal.price;
  if (net.batch) {
    return net.places.reduce(
      (sum, { keeps, left, price }) => (keeps ? sum + left * price : sum),
      0,
    );
  }
  const held = net.weights.map(() => 0);
  for (const { target, left } of net.places) {
    if (target >= 0) held[target] = (held[target] as number) + left;
  }
  if (net.tracking !== null) return gain(net.tracking, held);
  const ratios = net.weights.flatMap((weight, g) =>
    weight > 0 ? [(held[g] as number) / weight] : [],
  );
  return Math.min(...ratios);
}
