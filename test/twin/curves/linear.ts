// Orders, bridges and a target's own nodes: a constant rate up to a capacity. All or nothing by the
// sign of rate·ν_out − ν_in; dual.ts takes shares of it, so that the kink has curvature.

import type { Curve } from './curve.ts';

/** @param fee output units that using it costs once: charged here only while use is undecided */
export function linear(rate: number, capacity: number, fee: () => number): Curve {
  return {
    spot: rate,
    depth: capacity,
    room: capacity,
    best(nuIn, nuOut, trade) {
      trade.input = capacity;
      trade.output = rate * capacity - fee();
      trade.surplus = capacity * (rate * nuOut - nuIn) - fee() * nuOut;
      trade.curvature = 0;
    },
    out: (input) => rate * input,
  };
}
