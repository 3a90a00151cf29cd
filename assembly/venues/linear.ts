// What orders, bridges and a target's own nodes share: a constant rate γ up to a capacity c. At
// prices ν the best response is all or nothing by the sign of r = γνⱼ − νᵢ; flow/dual.ts makes it
// proximal, taking z·c with z in [0, 1], so that the kink has curvature.

import { Flow } from '../flow/records';
import { FORWARD, Venue } from '../problem';

/** Writes the full trade and its signed surplus; `fee` units of the output go to the venue. */
export function respondLinear(v: Venue, flow: Flow, nuFrom: f64, nuTo: f64, fee: f64): void {
  const x = min(v.a, v.capFrom);
  const y = v.keep * x - fee;
  flow.direction = FORWARD;
  flow.input = x;
  flow.output = y;
  // One subtraction of near-equal numbers, then the capacity: not c·γ·νⱼ − c·νᵢ.
  flow.surplus = x * (v.keep * nuTo - nuFrom) - fee * nuTo;
  flow.curvature = 0;
}
