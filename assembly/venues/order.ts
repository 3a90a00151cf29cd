// Resting limit orders, taken pro rata: out = in·amountOut/amountIn, in ≤ amountIn. Linear, and
// without any fee beside the rate.

import { Flow } from '../flow/records';
import { Venue } from '../problem';
import { respondLinear } from './linear';

export function respondOrder(v: Venue, flow: Flow, nuFrom: f64, nuTo: f64): void {
  respondLinear(v, flow, nuFrom, nuTo, 0);
}

export function forwardOrder(v: Venue, x: f64): f64 {
  return v.keep * x;
}
