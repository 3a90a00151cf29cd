// The relaxation under the decisions at hand: every open edge takes a share z in [0, 1] of its best
// trade for that share of its costs, which is the concave hull of its use (Ceria, Soares 1999). Its
// prices give the bound, its shares say what to branch on and which sets to try. Between the proximal
// rounds the splits of shared costs move, the exact bound is taken, and the relaxation stops as soon
// as any prices show that nothing under these decisions is worth looking for.

import { boundPairs, certifyUnder, forgetWoken, gainOf, woken } from './certificate';
import { complementarity } from './dual';
import { ASLEEP, LEAF_NU, OPEN, relaxModes, STANDING, settleStanding } from './fixings';
import { charge, splitGroups } from './groups';
import { minimise, residual } from './minimise';
import { commitPairs, releasePairs } from './pools';
import {
  flowAt,
  int,
  listEdges,
  m,
  NU,
  n,
  num,
  setInt,
  setNum,
  settleSupply,
  venueAt,
} from './state';

/** The least bound seen; LEAF_NU holds its prices. */
export let leafBound: f64 = Infinity;
/** Part of what is missing to the target below which a relaxation's own gap does not matter. */
const SUFFICIENT: f64 = 0.02;
/** Edges from which on dust is looked for, and the part of its costs that it does not earn. */
const LONG: i32 = 256;
const IDLE: f64 = 0.5;
/** How often sleepers may wake in one relaxation. */
const WAKES_MAX: i32 = 8;

let enough: f64 = -Infinity;
/** Whether the minimiser is to ask for bounds on its way. */
export let watching: bool = false;

/** Called by the minimiser between proximal rounds: true if it may stop. */
export function betweenRounds(): bool {
  splitGroups();
  note();
  if (woken) wake();
  if (leafBound <= enough) return true;
  return enough > -Infinity && residual + complementarity <= SUFFICIENT * (leafBound - enough);
}

/** Called by the minimiser between its steps: true if the prices at hand bound enough already. */
export function isBounded(): bool {
  note();
  return leafBound <= enough;
}

/** Takes the bound at the prices in NU. */
function note(): void {
  const bound = certifyUnder();
  if (!(bound < leafBound)) return;
  leafBound = bound;
  for (let k = 0; k < n; k++) setNum(LEAF_NU, k, num(NU, k));
}

/** Brings edges that turned out profitable back into the relaxation. */
function wake(): void {
  forgetWoken();
  relaxModes();
  charge();
  listEdges();
}

/**
 * Minimises from the prices in NU (and, if `warm`, the shares in the flows' centres) until done, out
 * of `budget`, or bounded by `target`. Leaves the best prices in LEAF_NU, the shares in the flows.
 */
export function relax(warm: bool, budget: i32, target: f64): f64 {
  forgetWoken();
  releasePairs();
  settleStanding();
  relaxModes();
  charge();
  settleSupply();
  leafBound = Infinity;
  enough = target;
  note();
  if (woken) wake();
  if (leafBound <= enough) return 0;
  watching = true;
  let gap = minimise(warm, true, budget);
  note();
  for (let round = 0; woken && leafBound > enough && round < WAKES_MAX; round++) {
    wake();
    gap = minimise(true, true, budget);
    note();
  }
  watching = false;
  commitPairs();
  return gap;
}

/** From here on the minimiser stops once the decisions at hand are bounded by `target`. */
export function watch(target: f64): void {
  leafBound = Infinity;
  enough = target;
  watching = true;
  boundPairs(true);
}

/** Ends it; whether the target was reached. */
export function unwatch(): bool {
  watching = false;
  boundPairs(false);
  return leafBound <= enough;
}

/**
 * Reduced-cost fixing: an open edge whose costs exceed its gain at the prices in NU by more than
 * `margin`, what the root's bound has over the best plan, is in no better plan. In long lists one
 * that earns less than half its own costs is taken for dust as well. Either sleeps: relaxations
 * leave it out, every bound still looks at it and wakes it where it finds a gain.
 */
export function sleepBelow(margin: f64): void {
  const long = m >= LONG;
  for (let e = 0; e < m; e++) {
    if (int(STANDING, e) != OPEN || flowAt(e).share > 0) continue;
    const least = long ? min(margin, IDLE * venueAt(e).fixedCost) : margin;
    if (gainOf(e) < -least) setInt(ASLEEP, e, 1);
  }
}
