// What recovery asks of one edge or node: its output for an input, the most it takes, what a unit is
// worth where it decides what is dust, and a place in the plan. Refuses nothing.

import { header } from '../layout';
import {
  BRIDGE,
  CONCENTRATED,
  CONSTANT_PRODUCT,
  FORWARD,
  ORDER as ORDER_KIND,
  Venue,
} from '../problem';
import { forwardBridge } from '../venues/bridge';
import { forwardConcentrated, roomConcentrated } from '../venues/concentrated';
import { forwardConstantProduct } from '../venues/constantProduct';
import { forwardOrder } from '../venues/order';
import { forwardPair } from './pools';
import { flowAt, isPool, NU, nodeAt, num, PLAN, planCount, setInt, setPlanCount } from './state';

/** Output of edge e for input x in the flow's direction. */
export function forward(e: i32, v: Venue, direction: i32, x: f64): f64 {
  if (v.kind == CONSTANT_PRODUCT) return forwardConstantProduct(v, direction, x);
  if (v.kind == CONCENTRATED) return forwardConcentrated(v, header().ticks, direction, x);
  if (v.kind == ORDER_KIND) return forwardOrder(v, x);
  if (v.kind == BRIDGE) return forwardBridge(v, x);
  if (isPool(v.kind)) return forwardPair(v, flowAt(e).pair, direction, x);
  return v.keep * x;
}

/** The most edge e may take in. */
export function roomOf(v: Venue, direction: i32): f64 {
  const cap = direction == FORWARD ? v.capFrom : v.capTo;
  if (v.kind == CONSTANT_PRODUCT || isPool(v.kind)) return cap;
  if (v.kind == CONCENTRATED) return min(cap, roomConcentrated(v, header().ticks, direction));
  return min(cap, v.a);
}

/**
 * Dollars per unit that decide what is dust: where supply is in excess the dual price is next to
 * nothing, yet a target may need what flows there.
 */
export function worthAt(k: i32): f64 {
  return max(num(NU, k), nodeAt(k).price);
}

export function addToPlan(e: i32): void {
  setInt(PLAN, planCount, e);
  setPlanCount(planCount + 1);
}
