// Bridges: out = in·rate − fixedFee, up to a capacity. The fixed fee is a fixed cost in units of
// the output: charged once if used. A relaxed bridge is the chord from nothing to its capacity; a
// bridge committed to has paid the fee already (flow/state.ts takes it from the node's supply).

import { Flow } from '../flow/records';
import { RELAXED } from '../flow/state';
import { Venue } from '../problem';
import { respondLinear } from './linear';

export function respondBridge(v: Venue, flow: Flow, nuFrom: f64, nuTo: f64): void {
  respondLinear(v, flow, nuFrom, nuTo, flow.mode == RELAXED ? v.fixedFee : 0);
}

/** Output for input x with the fee taken; 0 if the fee eats it all. */
export function forwardBridge(v: Venue, x: f64): f64 {
  return max(v.keep * x - v.fixedFee, 0.0);
}
