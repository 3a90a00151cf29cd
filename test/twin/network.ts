// The network the twin optimizes over, as plain objects: places hold balances, venues join them by
// arcs, an arc is one direction of trade with its curve. Everything a solve changes sits in the
// mutable fields; pack.ts makes a network, the other files read and write it.

import type { Curve, Trade } from './curves/curve.ts';

export interface Place {
  /** Node index of the problem, or beyond: a target's own place, a batch's purse. */
  readonly index: number;
  /** Dollars per unit: 1, or 0 on a node that only passes through. */
  readonly price: number;
  /** Units the plan may spend here. */
  readonly holding: number;
  /** Share of a hard-target portfolio that must end here; 0 elsewhere. */
  readonly demand: number;
  /** The target it belongs to, or −1. */
  readonly target: number;
  /** May a plan leave value here? */
  keeps: boolean;
  /** Row of Newton's matrix, −1 where the price is pinned. */
  row: number;
  /** Holding less fees already committed to. */
  supply: number;
  /** Dual price, dollars per unit. */
  nu: number;
  /** ∂ĝ/∂log ν: the worth that the venues' best trades leave here. */
  gradient: number;
  step: number;
  saved: number;
  left: number;
}

export interface Arc extends Trade {
  readonly venue: Venue;
  /** Position among the venue's arcs. */
  readonly side: number;
  readonly from: Place;
  readonly to: Place;
  readonly curve: Curve;
  /** A venue's constant-rate direction: its share, not its size, reacts to prices. */
  readonly linear: boolean;
  /** Closed for the solve at hand: it would close a cycle, or another side was chosen. */
  barred: boolean;
  /** How much of the best trade is taken, 0 … 1, and the proximal centre of that. */
  share: number;
  center: number;
  /** Curvature of log prices in dollars: tail, cross, head. */
  hii: number;
  hij: number;
  hjj: number;
  /** Of the plan being recovered: what goes in and comes out. */
  x: number;
  y: number;
}

/** free: use costs nothing (more); open: use is undecided, in shares; off: not used. */
export type Mode = 'free' | 'open' | 'off';

export interface Venue {
  /** Venue index of the problem, or −1: a target's own arc. */
  readonly index: number;
  /** Order of a batch this edge stands for, or −1: it takes what it is paid and gives what it sells. */
  readonly order: number;
  /** Once used, used whole: an order that is filled or killed. */
  readonly whole: boolean;
  readonly arcs: Arc[];
  /** Dollars, once if used. */
  readonly fixedCost: number;
  /** Units of the output, once if used (bridges). */
  readonly fixedFee: number;
  /** Curved venues of two nodes are used by at most one arc at any prices. */
  readonly exclusive: boolean;
  /** Two of its arcs may pay at once, a plan uses one: pools of more than two nodes. */
  readonly choosesArc: boolean;
  /** Has a cost or a choice, so that using it is a decision. */
  decision: boolean;
  mode: Mode;
  /** Dollars charged while open: its own cost and its parts of its groups'. */
  charge: number;
  /** Proximal weight σ of its shares, dollars. */
  sigma: number;
  /** Arcs whose shares are tied by Σ ≤ 1 at present. */
  tied: readonly Arc[];
}

export interface Group {
  readonly cost: number;
  readonly members: readonly Venue[];
  /** Dollars of `cost` each member is charged while open; Σ = cost. */
  readonly split: number[];
}

/** The tracking error's quadratic program over the targets; see tracking.ts. */
export interface Tracking {
  /** Where target g's worth is counted. */
  readonly ends: readonly Place[];
  readonly weights: readonly number[];
  /** (A/W₀)·Σ, per dollar. */
  readonly penalty: readonly (readonly number[])[];
  /** W₀, dollars. */
  readonly worth: number;
  rho: number;
  readonly center: number[];
  /** M at present prices, and −∂M/∂μ. */
  held: readonly number[];
  response: readonly (readonly number[])[];
}

export interface Network {
  readonly places: readonly Place[];
  /** The first of `places` that are nodes of the problem. */
  readonly nodeCount: number;
  readonly venues: readonly Venue[];
  readonly groups: readonly Group[];
  /** Where value is counted, price pinned to 1: the bought node, a batch's purse; null otherwise. */
  readonly goal: Place | null;
  /** The goal is a batch's purse: nothing must be sold, what is bought must be paid. */
  readonly batch: boolean;
  /** Weight by target of a rebalance; else empty. */
  readonly weights: readonly number[];
  /** Hard targets: the same network with a purse for what is left beyond balance; excess.ts. */
  readonly excess: Network | null;
  /** A rebalance's penalty for missing its targets; null where they are hard. */
  readonly tracking: Tracking | null;
  /** Dollars the gap is measured against. */
  readonly worth: number;
  readonly gapTarget: number;
  readonly workMax: number;
  readonly scales: readonly number[];
  /** ĝ, what the kinks still lose, and the work spent so far. */
  value: number;
  lost: number;
  /** Dollars of the portfolio in fixed shares that the present flows would make. */
  portfolio: number;
  work: number;
}

/** The best trade changes in place, so a venue's current one is an arc with a share. */
export function activeArc(venue: Venue): Arc | null {
  let best: Arc | null = null;
  for (const arc of venue.arcs) {
    if (arc.share > 0 && (best === null || arc.share > best.share)) best = arc;
  }
  return best;
}

/** Takes the fixed fees of bridges committed to from where they arrive. */
export function settleSupply(net: Network): void {
  for (const place of net.places) place.supply = place.holding;
  for (const { mode, fixedFee, arcs } of net.venues) {
    if (mode === 'free' && fixedFee > 0) (arcs[0] as Arc).to.supply -= fixedFee;
  }
}
