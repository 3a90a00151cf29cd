// Problems in which nothing is paid once if used: one minimisation, one recovery. Prices are taken
// only as far as the recovered plan's own gap asks for (recovery absorbs what is left to second
// order), and to rounding where that was not enough. A cycle in the flow is barred edge by edge; what
// such loops are worth flow/loops.ts tells apart.

import { BATCH, header, INFEASIBLE, LIMIT, NO_ROUTE, OK, REBALANCE, SWAP } from '../layout';
import { certify } from './certificate';
import { cycleEdge } from './cycles';
import { complementarity } from './dual';
import { spendExcess } from './excess';
import { writeLegs } from './legs';
import { dualValue, LOOSE, minimiseListed, residual, sizeOf, smooth, TIGHT } from './minimise';
import { stranded } from './push';
import { recover } from './recover';
import { forgetFloors, riskHeld, riskWorth } from './risk';
import { startPrices, warmPrices } from './start';
import {
  FREE,
  flowAt,
  ground,
  listEdges,
  m,
  NU,
  n,
  nodeAt,
  num,
  OFF,
  ROOT_NU,
  riskCount,
  SUPPLY,
  setNum,
  venueAt,
} from './state';
import { isStuck, offeredWorth, planValue, tradedWorth } from './worth';

const CYCLES_MAX: i32 = 32;
/** How often targets may learn what they cannot sell. */
const FLOORS_MAX: i32 = 3;
/** A warm minimisation that ends wider than this is repeated cold. */
const WARM_GAP: f64 = 1e-8;
/** Share of the wanted gap that a plan from loose prices may have. */
const LOOSE_GAP: f64 = 1e-2;
/** Share of the plan that may be stranded by rounding. */
const STRANDED_MAX: f64 = 1e-9;

/** Share of its dual value that a plan may miss before its excess is looked at. */
const SHORT: f64 = 4e-9;

/** Whether an earlier solve of this load barred edges that must be allowed again. */
let barred: bool = false;

/** Bound, prices and plan, written to the problem's records. */
export function solveConvex(): i32 {
  const h = header();
  if (barred) allowAll();
  for (let k = 0; k < n; k++) setNum(SUPPLY, k, nodeAt(k).supply);
  const warm = h.warm != 0;
  if (warm) warmPrices();
  else startPrices();
  root = Infinity;
  rootWide = Infinity;
  forgetFloors();
  h.value = -Infinity;
  const value = proceed(warm);
  if (value > h.value) keep(value);
  if (riskCount > 0 && value > -Infinity) holdIfBetter();
  if (h.objective == REBALANCE) betterExcess();
  publish();
  return verdict();
}

function keep(value: f64): void {
  header().value = value;
  writeLegs();
}

/** The dual value of the problem as it stands, nothing barred and nothing decided. */
let root: f64 = Infinity;
let rootWide: f64 = Infinity;

/** Minimises and recovers with the edges at hand; the plan's value, −∞ if it does not execute. */
function proceed(warm: bool): f64 {
  const h = header();
  let goal = LOOSE;
  let relaxed = root == Infinity;
  let floors = 0;
  for (let round = 0; round < CYCLES_MAX; round++) {
    descend(warm || round > 0, goal);
    // With kinks ĝ is no bound: the smaller gap tells which prices are better.
    const wide = smooth ? dualValue : residual + complementarity;
    if (relaxed && wide < rootWide) {
      rootWide = wide;
      root = dualValue;
      for (let k = 0; k < n; k++) setNum(ROOT_NU, k, num(NU, k));
    }
    const scale =
      h.objective == BATCH ? max(dualValue, offeredWorth()) : max(abs(dualValue), riskWorth);
    if (!recover(scale, goal == TIGHT)) {
      relaxed = false;
      bar(cycleEdge);
      continue;
    }
    const value = planValue();
    h.residual = residual;
    h.complementarity = complementarity;
    const least = h.objective == BATCH ? -1e-12 * scale : 1e-300;
    const sold = ground < 0 || (stranded <= STRANDED_MAX * scale && value >= least);
    const enough = LOOSE_GAP * h.gapTarget * tradedWorth();
    if (goal == LOOSE && !(sold && dualValue - value <= enough)) {
      goal = TIGHT;
      continue;
    }
    if (floors++ < FLOORS_MAX && isStuck()) {
      // What is learnt holds for this plan, not for the bound.
      relaxed = false;
      if (value > h.value) keep(value);
      continue;
    }
    return sold ? value : -Infinity;
  }
  return -Infinity;
}

/** A plan short of its own dual value: its excess may need spending on purpose. */
function betterExcess(): void {
  const h = header();
  if (
    dualValue - max(h.value, 0.0) <=
    max(LOOSE_GAP * h.gapTarget * tradedWorth(), SHORT * dualValue)
  )
    return;
  barred = true;
  if (!spendExcess() || !(planValue() > h.value)) return;
  h.value = planValue();
  writeLegs();
}

/** Minimises; a warm start that ends wide is made good by a cold one. */
function descend(warm: bool, goal: f64): void {
  const workMax = header().workMax;
  const gap = minimiseListed(warm, false, workMax, goal);
  if (!warm || smooth || gap <= WARM_GAP * sizeOf(dualValue)) return;
  minimiseListed(false, false, workMax, goal);
}

/** Where nothing is worth trading no trace of rounding may be traded. */
function holdIfBetter(): void {
  const h = header();
  const held = riskHeld();
  if (h.value > held) return;
  h.value = held;
  h.legCount = 0;
  for (let k = 0; k < h.nodeCount; k++) nodeAt(k).left = nodeAt(k).supply;
}

/** Takes one direction of an edge away, so that the flow has one cycle less. */
function bar(e: i32): void {
  const flow = flowAt(e);
  flow.mask &= ~flow.direction;
  if (flow.mask == 0) flow.mode = OFF;
  barred = true;
  listEdges();
}

function allowAll(): void {
  for (let e = 0; e < m; e++) {
    const flow = flowAt(e);
    flow.mode = FREE;
    flow.mask = venueAt(e).directions;
  }
  barred = false;
  listEdges();
}

/** The bound at the root's prices: ĝ itself where it is g, else recomputed. */
function publish(): void {
  const h = header();
  for (let k = 0; k < n; k++) setNum(NU, k, num(ROOT_NU, k));
  h.bound = smooth && n == h.nodeCount ? root : certify();
  for (let k = 0; k < n; k++) nodeAt(k).dual = num(NU, k);
}

function verdict(): i32 {
  const h = header();
  const spent = h.work >= h.workMax;
  if (h.value == -Infinity) {
    if (spent) return LIMIT;
    return h.objective == SWAP && h.bound > 0 ? INFEASIBLE : NO_ROUTE;
  }
  // Work that ran out after the gap was reached has missed nothing that was asked for.
  return spent && h.bound - h.value > h.gapTarget * tradedWorth() ? LIMIT : OK;
}
