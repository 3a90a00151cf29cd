// ParsedProblem → Network: the only place where the twin reads the problem's integers. A unit of a
// priced node is scaled to be worth one dollar, so that amounts of 10^0 … 10^30 base units become
// numbers near the order's worth. Refuses objectives it does not know.

import { largerOf, smallerOf } from '../../solver/market/decimal.ts';
import type {
  ParsedConcentrated,
  ParsedProblem,
  ParsedVenue,
} from '../../solver/market/parsedProblem.ts';
import { orderWorth } from '../../solver/market/worth.ts';
import { concentrated, type Stretch } from './curves/concentrated.ts';
import { constantProduct } from './curves/constantProduct.ts';
import type { Curve } from './curves/curve.ts';
import { linear } from './curves/linear.ts';
import { stable } from './curves/stable.ts';
import { weighted } from './curves/weighted.ts';
import type { Arc, Group, Network, Place, Tracking, Venue } from './network.ts';

const E36 = 1e36;
const WAD = 1e18;
const PIPS = 1e6;
const Q96 = 2 ** 96;

export function pack(problem: ParsedProblem): Network {
  const { objective, settings } = problem;
  const scales = problem.nodes.map(
    ({ price, decimals }) => (price === null ? 1 : Number(price) / E36) / 10 ** decimals,
  );
  const holding = (i: number) => spendable(problem, i) * (scales[i] as number);
  const places: Place[] = problem.nodes.map(({ price }, i) => {
    const target = objective.kind === 'rebalance' ? (objective.targetOfNode[i] as number) : -1;
    const keeps = mayKeep(objective, i);
    const facts = { price: price === null ? 0 : 1, holding: holding(i), target, keeps };
    return place(i, { ...facts, demand: loneDemand(problem, target) });
  });
  const worth = Number(orderWorth(problem)) / E36 / E36;
  const cap =
    settings.venueInputCap === null ? null : (worth * Number(settings.venueInputCap)) / E36;
  const capAt = (i: number) => (cap === null || places[i]?.price === 0 ? Infinity : cap);
  const venues = problem.venues.map((venue) => venueOf(venue, places, scales, capAt));
  const weights =
    objective.kind === 'rebalance'
      ? objective.targets.map(({ weight }) => Number(weight) / E36)
      : [];
  const nodeCount = places.length;
  addTargets(problem, places, venues, worth);
  const purse = addOrders(problem, places, venues, scales, worth);
  const groups = groupsOf(problem, venues);
  const net: Network = {
    places,
    nodeCount,
    venues,
    groups,
    goal: objective.kind === 'swap' ? (places[objective.buy] as Place) : purse,
    batch: objective.kind === 'batch',
    weights,
    tracking: trackingOf(problem, places, weights, worth),
    worth,
    gapTarget: Number(settings.gapBps) / E36 / 1e4,
    workMax: settings.workMax,
    scales,
    value: 0,
    lost: 0,
    portfolio: 0,
    work: 0,
    excess: null,
  };
  return net.goal === null && net.tracking === null ? { ...net, excess: withPurse(net) } : net;
}

/** The same places and venues, and a purse that every target's worth can flow to. */
function withPurse(net: Network): Network {
  const goal: PlaceFacts = { price: 1, holding: 0, target: -1, keeps: true, demand: 0 };
  const purse = place(net.places.length, goal);
  const exits = net.weights.map((_, g) => {
    const venue = emptyVenue(-1, 0, 0);
    const end = net.places.findLast(({ target }) => target === g) as Place;
    addArc(
      venue,
      end,
      purse,
      linear(1, 2 * net.worth, () => 0),
      true,
    );
    return venue;
  });
  return { ...net, places: [...net.places, purse], venues: [...net.venues, ...exits], goal: purse };
}

/** Base units a plan may spend: nodes in no target are left alone. */
function spendable({ objective }: ParsedProblem, i: number): number {
  if (objective.kind === 'swap') return i === objective.sell ? Number(objective.amount) : 0;
  if (objective.kind === 'batch') return 0;
  return objective.targetOfNode[i] === -1 ? 0 : Number(objective.holdings[i]);
}

type PlaceFacts = Pick<Place, 'price' | 'holding' | 'target' | 'keeps' | 'demand'>;

function place(index: number, { price, holding, target, keeps, demand }: PlaceFacts): Place {
  const solve = { row: -1, supply: 0, nu: 1, gradient: 0, step: 0, saved: 0, left: 0 };
  return { index, price, holding, target, keeps, demand, ...solve };
}

function mayKeep(objective: ParsedProblem['objective'], i: number): boolean {
  if (objective.kind === 'swap') return i === objective.buy;
  if (objective.kind === 'batch') return objective.orders.some(({ buy }) => buy === i);
  return objective.targetOfNode[i] !== -1;
}

/** Rounding that exact legs may lose and exact payments may add, per order: relative, and in units. */
const PAID_SLACK = 1e-11;
const PAID_UNITS = 4;

/**
 * A batch is a flow too: an order takes its limit at the bought node and gives what it sells, and what
 * is left at bought nodes flows at their prices into a purse. Its value is what the purse holds.
 */
function addOrders(
  { objective, nodes }: ParsedProblem,
  places: Place[],
  venues: Venue[],
  scales: readonly number[],
  worth: number,
): Place | null {
  if (objective.kind !== 'batch') return null;
  const goal: PlaceFacts = { price: 1, holding: 0, target: -1, keeps: true, demand: 0 };
  const purse = place(places.length, goal);
  for (const bought of new Set(objective.orders.map(({ buy }) => buy))) {
    const venue = emptyVenue(-1, 0, 0);
    addArc(
      venue,
      places[bought] as Place,
      purse,
      linear(1, 2 * worth, () => 0),
      true,
    );
    venues.push(venue);
  }
  objective.orders.forEach(({ sell, amount, buy, minOut, partial }, order) => {
    const gives = Number(amount) * (scales[sell] as number);
    const takes = (Number(minOut) * (1 + PAID_SLACK) + PAID_UNITS) * (scales[buy] as number);
    const venue: Venue = { ...emptyVenue(-1, 0, 0), order, whole: !partial, decision: !partial };
    addArc(
      venue,
      places[buy] as Place,
      places[sell] as Place,
      linear(gives / takes, takes, () => 0),
      true,
    );
    venues.push(venue);
  });
  if (nodes.length !== places.length) throw new Error('targets and orders do not meet');
  places.push(purse);
  return purse;
}

function trackingOf(
  { objective }: ParsedProblem,
  places: readonly Place[],
  weights: readonly number[],
  worth: number,
): Tracking | null {
  if (objective.kind !== 'rebalance' || objective.risk === null) return null;
  const aversion = Number(objective.risk.aversion) / E36;
  const covariance = objective.risk.covariance.map((row) => row.map((cell) => Number(cell) / E36));
  return {
    // A target of several nodes has a place of its own, after its nodes.
    ends: weights.map((_, g) => places.findLast(({ target }) => target === g) as Place),
    weights,
    penalty: covariance.map((row) => row.map((cell) => (aversion * cell) / worth)),
    worth,
    rho: 0,
    center: weights.map((weight) => weight * worth),
    held: weights.map((weight) => weight * worth),
    response: [],
  };
}

/** A target of one node has its demand there. */
function loneDemand({ objective }: ParsedProblem, target: number): number {
  if (objective.kind !== 'rebalance') return 0;
  const found = objective.targets[target];
  return found?.nodes.length === 1 ? Number(found.weight) / E36 : 0;
}

/**
 * Hard targets: what counts is min_g worth_g/weight_g, worth_g = Σ_{i∈g} p_i y_i. A target of several
 * nodes gets a place of its own, reached from each at its price.
 */
function addTargets(
  { nodes, objective }: ParsedProblem,
  places: Place[],
  venues: Venue[],
  worth: number,
): void {
  if (objective.kind !== 'rebalance') return;
  objective.targets.forEach((group, target) => {
    if (group.nodes.length === 1) return;
    const demand = Number(group.weight) / E36;
    const own = place(places.length, { price: 1, holding: 0, target, keeps: true, demand });
    for (const member of places.slice(0, nodes.length).filter((one) => one.target === target)) {
      const venue = emptyVenue(-1, 0, 0);
      // Nobody can hold more than the whole portfolio; twice it allows for prices that differ.
      addArc(
        venue,
        member,
        own,
        linear(1, 2 * worth, () => 0),
        true,
      );
      venues.push(venue);
    }
    places.push(own);
  });
}

function groupsOf(problem: ParsedProblem, venues: readonly Venue[]): Group[] {
  return problem.groups.flatMap((group) => {
    const cost = Number(group.fixedCost) / E36;
    if (cost === 0) return [];
    const members = group.venues.map((index) => venues[index] as Venue);
    for (const member of members) member.decision = true;
    return [{ cost, members, split: members.map(() => cost / members.length) }];
  });
}

function emptyVenue(index: number, fixedCost: number, fixedFee: number, nodes = 2): Venue {
  return {
    index,
    order: -1,
    whole: false,
    arcs: [],
    fixedCost,
    fixedFee,
    exclusive: nodes === 2,
    choosesArc: nodes > 2,
    decision: fixedCost > 0 || fixedFee > 0 || nodes > 2,
    mode: 'free',
    charge: 0,
    sigma: 1,
    tied: [],
  };
}

function addArc(venue: Venue, from: Place, to: Place, curve: Curve, isLinear: boolean): void {
  const arc: Arc = {
    venue,
    side: venue.arcs.length,
    from,
    to,
    curve,
    linear: isLinear,
    barred: false,
    input: 0,
    output: 0,
    surplus: 0,
    curvature: 0,
    share: 0,
    center: 0,
    hii: 0,
    hij: 0,
    hjj: 0,
    x: 0,
    y: 0,
  };
  venue.arcs.push(arc);
}

type CapAt = (node: number) => number;

function venueOf(
  parsed: ParsedVenue,
  places: readonly Place[],
  scales: readonly number[],
  capAt: CapAt,
): Venue {
  const { nodes } = parsed;
  const scale = (k: number) => scales[nodes[k] as number] as number;
  const fee = parsed.kind === 'bridge' ? Number(parsed.fixedFee) * scale(1) : 0;
  const venue = emptyVenue(parsed.index, Number(parsed.fixedCost) / E36, fee, nodes.length);
  const isLinear = parsed.kind === 'order' || parsed.kind === 'bridge';
  nodes.forEach((from, i) => {
    nodes.forEach((to, j) => {
      if (i === j || (isLinear && i === 1)) return;
      const curve = curveOf(parsed, i, j, { from: scale(i), to: scale(j) }, capAt(from), venue);
      addArc(venue, places[from] as Place, places[to] as Place, curve, isLinear);
    });
  });
  return venue;
}

function curveOf(
  parsed: ParsedVenue,
  i: number,
  j: number,
  scale: { readonly from: number; readonly to: number },
  cap: number,
  venue: Venue,
): Curve {
  switch (parsed.kind) {
    case 'constantProduct': {
      const [reserveIn, reserveOut] = [Number(parsed.reserves[i]), Number(parsed.reserves[j])];
      const kept = (PIPS - parsed.feePips) / PIPS;
      return constantProduct(reserveIn * scale.from, reserveOut * scale.to, kept, cap);
    }
    case 'concentrated':
      return concentrated(stretches(parsed, i === 0, scale), (PIPS - parsed.feePips) / PIPS, cap);
    case 'order': {
      const rate = (Number(parsed.amountOut) * scale.to) / (Number(parsed.amountIn) * scale.from);
      return linear(rate, Math.min(cap, Number(parsed.amountIn) * scale.from), () => 0);
    }
    case 'bridge': {
      const { numerator, denominator, capacity, fixedFee } = parsed;
      const rate = ((Number(numerator) / Number(denominator)) * scale.to) / scale.from;
      const room = Number(((capacity + fixedFee) * denominator) / numerator) * scale.from;
      return linear(rate, Math.min(cap, room), () => (venue.mode === 'open' ? venue.fixedFee : 0));
    }
    case 'weighted': {
      const balance = (k: number) => Number(parsed.balances[k]);
      const power = Number(parsed.weights[i]) / Number(parsed.weights[j]);
      const kept = 1 - Number(parsed.swapFee) / WAD;
      return weighted(balance(i) * scale.from, balance(j) * scale.to, power, kept, cap);
    }
    case 'stable': {
      const rates = parsed.scalingFactors.map((factor) => Number(factor) / WAD);
      const upscaled = parsed.balances.map((one, k) => Number(one) * (rates[k] as number));
      const ann =
        (Number(parsed.amplification) * upscaled.length) / Number(parsed.amplificationPrecision);
      // The curve lives in upscaled units; one of them is worth `unit` core units at either end.
      const unitIn = scale.from / (rates[i] as number);
      const unitOut = scale.to / (rates[j] as number);
      const kept = 1 - Number(parsed.swapFee) / WAD;
      return rescaled(stable(upscaled, i, j, ann, kept, cap / unitIn), unitIn, unitOut);
    }
  }
}

/** A curve in other units: `unitIn`, `unitOut` new units for one of the old. */
function rescaled(curve: Curve, unitIn: number, unitOut: number): Curve {
  return {
    spot: (curve.spot * unitOut) / unitIn,
    depth: curve.depth * unitIn,
    room: curve.room * unitIn,
    best(nuIn, nuOut, trade) {
      curve.best(nuIn * unitIn, nuOut * unitOut, trade);
      trade.input *= unitIn;
      trade.output *= unitOut;
    },
    out: (input) => curve.out(input / unitIn) * unitOut,
  };
}

/** A pool's ranges as seen when selling token0 (`falling`) or token1, from its price outwards. */
function stretches(
  pool: ParsedConcentrated,
  falling: boolean,
  scale: { readonly from: number; readonly to: number },
): Stretch[] {
  const root = Math.sqrt(scale.to / scale.from);
  const units = Math.sqrt(scale.from) * Math.sqrt(scale.to);
  const now = pool.sqrtPriceX96;
  // r = √(output per input): √price when token0 goes in, its inverse when token1 does.
  const r = (sqrtX96: bigint) => (falling ? Number(sqrtX96) / Q96 : Q96 / Number(sqrtX96)) * root;
  const out: Stretch[] = [];
  for (const { sqrtLowerX96: low, sqrtUpperX96: high, liquidity } of pool.ranges) {
    const near = falling ? smallerOf(high, now) : largerOf(low, now);
    const far = falling ? low : high;
    if (falling ? far >= near : far <= near) continue;
    out.push({ near: r(near), far: r(far), liquidity: Number(liquidity) * units });
  }
  return falling ? out.reverse() : out;
}
