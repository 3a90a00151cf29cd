// Uniswap v2: y(x) = R_out·γx/(R_in + γx). With t = √(γ R_out ν_out/(R_in ν_in)) > 1 the best trade is
// x = R_in(t − 1)/γ, y = R_out(t − 1)/t, worth ν_in R_in (t − 1)²/γ, curvature ν_in R_in t/(2γ)
// (Angeris et al., "Optimal routing for constant function market makers", 2022).

import { allThereIs, type Curve, KINK, nothing } from './curve.ts';

/** @param kept γ, the share of the input left after the fee */
export function constantProduct(
  reserveIn: number,
  reserveOut: number,
  kept: number,
  room: number,
): Curve {
  const curve: Curve = {
    spot: (kept * reserveOut) / reserveIn,
    depth: reserveIn,
    room,
    best(nuIn, nuOut, trade) {
      const worthIn = nuIn * reserveIn;
      const ahead = kept * nuOut * reserveOut - worthIn;
      if (ahead <= -KINK * worthIn) return nothing(trade);
      // t² − 1 first: a small trade against a deep pool keeps its digits.
      const square = Math.max(0, ahead / worthIn);
      const t = Math.sqrt(1 + square);
      const rise = square / (t + 1);
      const input = (reserveIn * rise) / kept;
      if (input > room) return allThereIs(curve, nuIn, nuOut, trade);
      trade.input = input;
      trade.output = (reserveOut * rise) / t;
      trade.surplus = (worthIn * rise * rise) / kept;
      trade.curvature = (worthIn * t) / (2 * kept);
    },
    out: (input) => (reserveOut * kept * input) / (reserveIn + kept * input),
  };
  return curve;
}
