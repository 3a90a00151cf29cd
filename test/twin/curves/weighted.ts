// Balancer weighted pools, one ordered pair of tokens: y(x) = R_out(1 − (R_in/(R_in + γx))^κ) with
// κ = w_in/w_out. The best trade has 1 + γx/R_in = t = (γκ R_out ν_out/(R_in ν_in))^{1/(κ+1)};
// curvature ν_in R_in t/(γ(κ + 1)). The contract takes in at most 30 % of its balance, after the fee.

import { allThereIs, type Curve, KINK, nothing } from './curve.ts';

const IN_MAX = 0.3;

/** @param power κ */
export function weighted(
  reserveIn: number,
  reserveOut: number,
  power: number,
  kept: number,
  cap: number,
): Curve {
  const room = Math.min(cap, (IN_MAX * reserveIn) / kept);
  const curve: Curve = {
    spot: (kept * power * reserveOut) / reserveIn,
    depth: (2 * reserveIn) / (power + 1),
    room,
    best(nuIn, nuOut, trade) {
      const worthIn = nuIn * reserveIn;
      const ahead = kept * power * nuOut * reserveOut - worthIn;
      if (ahead <= -KINK * worthIn) return nothing(trade);
      const log = Math.log1p(Math.max(0, ahead / worthIn)) / (power + 1);
      const input = (reserveIn * Math.expm1(log)) / kept;
      if (input > room) return allThereIs(curve, nuIn, nuOut, trade);
      trade.input = input;
      trade.output = -reserveOut * Math.expm1(-power * log);
      trade.surplus = Math.max(0, nuOut * trade.output - nuIn * trade.input);
      trade.curvature = (worthIn * Math.exp(log)) / (kept * (power + 1));
    },
    out: (input) => -reserveOut * Math.expm1(-power * Math.log1p((kept * input) / reserveIn)),
  };
  return curve;
}
