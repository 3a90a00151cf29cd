// Constant-product pools (Uniswap v2): the best response to two prices, and output for input.
// Angeris et al., "Optimal routing for constant function market makers" (2022): with reserves
// Rᵢ, Rⱼ and kept share γ, selling i for j at prices νᵢ, νⱼ is best at t = √(γRⱼνⱼ / (Rᵢνᵢ)) > 1:
//   xᵢ = Rᵢ(t − 1)/γ,  yⱼ = Rⱼ(t − 1)/t,  f = νᵢRᵢ(t − 1)²/γ,  w = νᵢRᵢt/(2γ).

import { Flow } from '../flow/records';
import { FORWARD, REVERSE, Venue } from '../problem';

/** Edges this close to their kink count as active, or Newton's matrix loses its only curvature. */
export const KINK: f64 = 1e-12;

/** Writes the best trade at prices (nuFrom, nuTo) into `flow`. */
export function respondConstantProduct(v: Venue, flow: Flow, nuFrom: f64, nuTo: f64): void {
  const from = nuFrom * v.a;
  const to = nuTo * v.b;
  if (flow.mask & FORWARD && v.keep * to > from * (1.0 - KINK)) {
    flow.direction = FORWARD;
    sell(flow, v.a, v.b, v.keep, 1.0 / v.keep, from, to, nuFrom, nuTo, v.capFrom);
  } else if (flow.mask & REVERSE && v.keep * from > to * (1.0 - KINK)) {
    flow.direction = REVERSE;
    sell(flow, v.b, v.a, v.keep, 1.0 / v.keep, to, from, nuTo, nuFrom, v.capTo);
  } else {
    flow.input = 0;
    flow.output = 0;
    flow.surplus = 0;
    flow.curvature = 0;
  }
}

/** Output for input x: y = Rⱼ·γx / (Rᵢ + γx); no cancellation however small x is. */
export function forwardConstantProduct(v: Venue, direction: i32, x: f64): f64 {
  const kept = v.keep * x;
  return direction == FORWARD ? (v.b * kept) / (v.a + kept) : (v.a * kept) / (v.b + kept);
}

/** One direction's best trade; `spread` is 1/keep. */
export function sell(
  flow: Flow,
  reserveIn: f64,
  reserveOut: f64,
  keep: f64,
  spread: f64,
  worthIn: f64,
  worthOut: f64,
  nuIn: f64,
  nuOut: f64,
  cap: f64,
): void {
  // t − 1 from (t² − 1)/(t + 1): small trades against deep pools keep their digits.
  const excess = max((keep * worthOut - worthIn) / worthIn, 0.0);
  const t = sqrt(1.0 + excess);
  const part = excess / (t * (t + 1.0));
  const gain = part * t;
  const x = reserveIn * gain * spread;
  if (x > cap) {
    const kept = keep * cap;
    const y = (reserveOut * kept) / (reserveIn + kept);
    flow.input = cap;
    flow.output = y;
    flow.surplus = nuOut * y - nuIn * cap;
    flow.curvature = 0;
    return;
  }
  flow.input = x;
  flow.output = reserveOut * part;
  flow.surplus = worthIn * gain * gain * spread;
  flow.curvature = 0.5 * worthIn * t * spread;
}
