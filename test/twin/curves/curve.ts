// What one direction of trade through one venue is: a concave curve from input to output. The
// optimizer asks a curve two things only: the best trade at two prices, and the output of an input.
// Units are whatever network.ts scaled them to; fees are inside.

/** The best trade at two prices: sup over x of ν_out·y(x) − ν_in·x. Written in place. */
export interface Trade {
  input: number;
  output: number;
  /** Dollars; ≥ 0 for smooth curves, of either sign for linear ones (the full trade's). */
  surplus: number;
  /** Dollars per unit of log(ν_out/ν_in): the weight of this edge in the Laplacian. */
  curvature: number;
}

export interface Curve {
  /** Marginal output per input at nothing, fee included. */
  readonly spot: number;
  /** Input that moves the marginal rate by a factor of order one. */
  readonly depth: number;
  /** The most it takes in. */
  readonly room: number;
  best(nuIn: number, nuOut: number, trade: Trade): void;
  /** Output for an input of 0 … room. */
  out(input: number): number;
}

/** Edges this close to their kink count as active: Newton's matrix would lose them otherwise. */
export const KINK = 1e-12;

export function nothing(trade: Trade): void {
  trade.input = 0;
  trade.output = 0;
  trade.surplus = 0;
  trade.curvature = 0;
}

/** The trade at the curve's room, when the best one lies beyond: it no longer reacts to prices. */
export function allThereIs(curve: Curve, nuIn: number, nuOut: number, trade: Trade): void {
  trade.input = curve.room;
  trade.output = curve.out(curve.room);
  trade.surplus = Math.max(0, nuOut * trade.output - nuIn * trade.input);
  trade.curvature = 0;
}
