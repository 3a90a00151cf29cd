// Concentrated liquidity (Uniswap v3 ticks): best response by binary search over prefix sums.
// s = √(price), `to` per `from`. In a range of liquidity L, moving s to s′ trades L(1/s′ − 1/s) of
// `from` for L(s − s′) of `to`. Selling `from` pays until s* = √(ν_from/(γν_to)), selling `to`
// until s* = √(γν_from/ν_to). Sums count from the current price outwards: small trades keep digits.

import { Flow } from '../flow/records';
import { FORWARD, REVERSE, Tick, Venue } from '../problem';

const KINK: f64 = 1e-12;

function tickAt(ticks: usize, index: i32): Tick {
  return changetype<Tick>(ticks + <usize>index * offsetof<Tick>());
}

/** Fills sumIn and sumOut of both of a venue's tick lists. */
export function sumTicks(v: Venue, ticks: usize): void {
  sumList(ticks, v.down, v.downCount, true);
  sumList(ticks, v.up, v.upCount, false);
}

function sumList(ticks: usize, first: i32, count: i32, falling: bool): void {
  let sumIn: f64 = 0;
  let sumOut: f64 = 0;
  for (let k = 0; k < count; k++) {
    const tick = tickAt(ticks, first + k);
    tick.sumIn = sumIn;
    tick.sumOut = sumOut;
    if (k + 1 == count) break;
    const far = tickAt(ticks, first + k + 1).near;
    const price = tick.liquidity * abs(tick.near - far);
    const inverse = price / (tick.near * far);
    sumIn += falling ? inverse : price;
    sumOut += falling ? price : inverse;
  }
}

/** The most the venue can take in one direction, fees included; 0 without liquidity. */
export function roomConcentrated(v: Venue, ticks: usize, direction: i32): f64 {
  const count = direction == FORWARD ? v.downCount : v.upCount;
  if (count == 0) return 0;
  const first = direction == FORWARD ? v.down : v.up;
  return tickAt(ticks, first + count - 1).sumIn / v.keep;
}

/** Writes the best trade at prices (nuFrom, nuTo) into `flow`. */
export function respondConcentrated(
  v: Venue,
  ticks: usize,
  flow: Flow,
  nuFrom: f64,
  nuTo: f64,
): void {
  const ratio = nuFrom / nuTo;
  flow.input = 0;
  flow.output = 0;
  flow.surplus = 0;
  flow.curvature = 0;
  if (flow.mask & FORWARD && v.downCount > 0) {
    const goal = sqrt(ratio / v.keep);
    if (goal < v.a * (1.0 + KINK)) {
      flow.direction = FORWARD;
      fall(v, ticks, flow, min(goal, v.a), nuFrom, nuTo);
      return;
    }
  }
  if (flow.mask & REVERSE && v.upCount > 0) {
    const goal = sqrt(ratio * v.keep);
    if (goal > v.a * (1.0 - KINK)) {
      flow.direction = REVERSE;
      rise(v, ticks, flow, max(goal, v.a), nuFrom, nuTo);
    }
  }
}

function fall(v: Venue, ticks: usize, flow: Flow, goal: f64, nuFrom: f64, nuTo: f64): void {
  // The last range that begins at or above the goal.
  let low = 0;
  let high = v.downCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tickAt(ticks, v.down + middle).near >= goal) low = middle;
    else high = middle - 1;
  }
  const tick = tickAt(ticks, v.down + low);
  const drop = tick.liquidity * (tick.near - goal);
  let x = tick.sumIn;
  let y = tick.sumOut;
  let w: f64 = 0;
  if (tick.liquidity > 0) {
    x += drop / (goal * tick.near);
    y += drop;
    w = (nuFrom * tick.liquidity) / (2.0 * v.keep * goal);
  }
  x /= v.keep;
  if (x > v.capFrom) {
    x = v.capFrom;
    y = forwardConcentrated(v, ticks, FORWARD, x);
    w = 0;
  }
  flow.input = x;
  flow.output = y;
  flow.surplus = max(nuTo * y - nuFrom * x, 0.0);
  flow.curvature = w;
}

function rise(v: Venue, ticks: usize, flow: Flow, goal: f64, nuFrom: f64, nuTo: f64): void {
  let low = 0;
  let high = v.upCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tickAt(ticks, v.up + middle).near <= goal) low = middle;
    else high = middle - 1;
  }
  const tick = tickAt(ticks, v.up + low);
  const climb = tick.liquidity * (goal - tick.near);
  let x = tick.sumIn;
  let y = tick.sumOut;
  let w: f64 = 0;
  if (tick.liquidity > 0) {
    x += climb;
    y += climb / (goal * tick.near);
    w = (nuTo * tick.liquidity * goal) / (2.0 * v.keep);
  }
  x /= v.keep;
  if (x > v.capTo) {
    x = v.capTo;
    y = forwardConcentrated(v, ticks, REVERSE, x);
    w = 0;
  }
  flow.input = x;
  flow.output = y;
  flow.surplus = max(nuFrom * y - nuTo * x, 0.0);
  flow.curvature = w;
}

/** Output for input x; whatever exceeds the list's liquidity earns nothing. */
export function forwardConcentrated(v: Venue, ticks: usize, direction: i32, x: f64): f64 {
  const forward = direction == FORWARD;
  const first = forward ? v.down : v.up;
  const count = forward ? v.downCount : v.upCount;
  if (count == 0) return 0;
  const kept = x * v.keep;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tickAt(ticks, first + middle).sumIn <= kept) low = middle;
    else high = middle - 1;
  }
  const tick = tickAt(ticks, first + low);
  if (!(tick.liquidity > 0)) return tick.sumOut;
  const move = (kept - tick.sumIn) / tick.liquidity;
  if (forward) {
    // 1/s′ = 1/s + move, so s − s′ = s·(move·s)/(1 + move·s).
    const relative = move * tick.near;
    return tick.sumOut + (tick.liquidity * tick.near * relative) / (1.0 + relative);
  }
  return tick.sumOut + (tick.liquidity * move) / (tick.near * (tick.near + move));
}
