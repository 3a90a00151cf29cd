// One try at a plan: commit to a set of venues, their costs sunk, solve the convex problem that is
// left, recover a plan that executes, and keep it if it nets more than the best so far. Given up as
// soon as any prices prove that no part of the set can; a set tried before is not tried again.

import { BATCH, header, REBALANCE } from '../layout';
import { BATCH_ORDER, BRIDGE } from '../problem';
import { cycleEdge } from './cycles';
import { spendExcess } from './excess';
import { standFor } from './fixings';
import { costOf } from './groups';
import { writeLegs } from './legs';
import { dualValue, GAP_PART, minimise, sizeOf, wantedGap } from './minimise';
import { notePairs } from './pools';
import { stranded } from './push';
import { clearMasks, markUsed, recover } from './recover';
import { unwatch, watch } from './relaxation';
import { startPrices } from './start';
import {
  BEST_NU,
  BEST_PAIR,
  BEST_SHARE,
  BEST_USED,
  FORCED,
  FREE,
  flowAt,
  ground,
  int,
  isPool,
  isWhole,
  m,
  NU,
  n,
  num,
  OFF,
  riskCount,
  setInt,
  setNum,
  settleSupply,
  TRY_USED,
  venueAt,
} from './state';
import { planValue } from './worth';

const CYCLES_MAX: i32 = 16;
/** A committed solve that ends wider than this is repeated cold. */
const WARM_GAP: f64 = 1e-8;
/** A plan short of its own dual value by this share is recovered again from other prices. */
const SHORT: f64 = 1e-7;
/** Share of the plan that may be stranded by rounding. */
const STRANDED_MAX: f64 = 1e-9;
/** Sets remembered; a power of two. */
const SEEN_MAX: i32 = 1024;

const SEEN: usize = memory.data(8192);
let seenCount: i32 = 0;

/** Net value of the best plan, −∞ before there is one. */
export let bestNet: f64 = -Infinity;

/** Forgets all plans and sets. */
export function resetAttempts(): void {
  bestNet = -Infinity;
  seenCount = 0;
  memory.fill(SEEN, 0, (<usize>SEEN_MAX) << 3);
}

export function keepPrices(prices: usize, shares: usize): void {
  for (let k = 0; k < n; k++) setNum(prices, k, num(NU, k));
  for (let e = 0; e < m; e++) setNum(shares, e, flowAt(e).mode == OFF ? 0 : flowAt(e).share);
}

/** True the first time this set of costly venues in TRY_USED is seen. */
function isNew(): bool {
  let hash: u64 = 0xcbf29ce484222325;
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    const used = flow.entry != FREE && int(TRY_USED, e);
    if (used) hash = (hash ^ <u64>(e + 1)) * 0x100000001b3;
    // A pool with another pair of its nodes is another venue.
    if (isPool(flow.kind) && (used || flow.entry == FREE)) {
      hash = (hash ^ <u64>(flow.pair + 2 + ((e + 1) << 12))) * 0x100000001b3;
    }
  }
  hash |= 1;
  let place = <i32>((hash >> 20) & (SEEN_MAX - 1));
  for (let step = 0; step < SEEN_MAX; step++) {
    const at = SEEN + ((<usize>place) << 3);
    const held = load<u64>(at);
    if (held == hash) return false;
    if (held == 0) {
      if (seenCount < SEEN_MAX / 2) {
        store<u64>(at, hash);
        seenCount++;
      }
      return true;
    }
    place = (place + 1) & (SEEN_MAX - 1);
  }
  return true;
}

/** Solves with the venues in TRY_USED committed to; keeps the plan if it nets more than the best. */
export function attempt(scale: f64, prices: usize, shares: usize): bool {
  if (!isNew()) return false;
  const h = header();
  h.solves++;
  // Every step counts, so that no input can keep the search busy for nothing.
  h.work++;
  clearMasks();
  standFor(TRY_USED);
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    flow.mode = flow.entry == FREE || int(TRY_USED, e) ? FREE : OFF;
    // A pool that nothing asked of any pair yet has none to trade.
    if (isPool(flow.kind) && flow.pair < 0) flow.mode = OFF;
    if (isWhole(e)) flow.mode = int(TRY_USED, e) ? FORCED : OFF;
    flow.cost = 0;
    flow.center = num(shares, e);
  }
  if (h.objective == BATCH) closePurses();
  for (let k = 0; k < n; k++) setNum(NU, k, num(prices, k));
  // Judged by its risk a set's optimum lies far from the relaxation's: cold is quicker, measured.
  let cold = riskCount > 0;
  let warm = !cold;
  const budget = max(h.workMax >> 3, 50);
  for (let round = 0; round < CYCLES_MAX; round++) {
    settleSupply();
    watch(bestNet);
    const gap = minimise(warm, false, budget);
    if (warm && gap > max(WARM_GAP * sizeOf(dualValue), 2 * GAP_PART * wantedGap)) {
      minimise(false, false, budget);
    }
    if (unwatch()) return false;
    warm = true;
    if (!recover(max(scale, abs(dualValue)), true)) {
      const flow = flowAt(cycleEdge);
      flow.mask &= ~flow.direction;
      if (flow.mask == 0) flow.mode = OFF;
    } else if (!cold && isShort(scale)) {
      // Where a source is in excess its price is next to nothing and says little: start afresh.
      cold = true;
      warm = false;
      startPrices();
    } else if (!closeIdleBridges()) {
      const better = judge(scale);
      if (h.objective != REBALANCE || !isShort(scale) || !spendExcess()) return better;
      return judge(scale) || better;
    }
    if (h.work >= h.workMax && bestNet > -Infinity) return false;
  }
  return false;
}

/** Whether the plan at hand is short of what these venues could do, and that would be the best. */
function isShort(scale: f64): bool {
  const missing = dualValue - planValue();
  return missing > SHORT * scale && dualValue - costOf(TRY_USED) > bestNet;
}

/** Surplus counts only where an order that may be executed buys: elsewhere it is traded on. */
function closePurses(): void {
  const h = header();
  for (let e = h.venueCount; e < m; e++) flowAt(e).mode = OFF;
  for (let e = 0; e < h.venueCount; e++) {
    const v = venueAt(e);
    if (v.kind != BATCH_ORDER || flowAt(e).mode == OFF) continue;
    for (let k = h.venueCount; k < m; k++) if (venueAt(k).from == v.from) flowAt(k).mode = FREE;
  }
}

/** A bridge committed to but not used must not charge its fixed fee. */
function closeIdleBridges(): bool {
  let closed = false;
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    if (flow.kind != BRIDGE || flow.mode != FREE || flow.x > 0) continue;
    if (!(venueAt(e).fixedFee > 0)) continue;
    flow.mode = OFF;
    closed = true;
  }
  return closed;
}

function judge(scale: f64): bool {
  // Not a number either: prices that ran off leave nothing to execute.
  if (ground >= 0 && !(stranded <= STRANDED_MAX * scale)) return false;
  markUsed(TRY_USED);
  const value = planValue();
  if (ground >= 0 && !(value > (header().objective == BATCH ? -1e-12 * scale : 0))) return false;
  const net = value - costOf(TRY_USED);
  if (!(net > bestNet + 1e-12 * abs(scale))) return false;
  bestNet = net;
  keepPrices(BEST_NU, BEST_SHARE);
  for (let e = 0; e < m; e++) setInt(BEST_USED, e, int(TRY_USED, e));
  notePairs(BEST_PAIR);
  writeLegs();
  return true;
}
