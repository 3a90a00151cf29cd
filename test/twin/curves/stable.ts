// Balancer (Curve) stable pools, one ordered pair of tokens, all other balances as they are. The
// invariant Ann·Σz + D = Ann·D + D^{n+1}/(nⁿ Πz) is a quadratic in the output balance. Written for the
// output d itself, after an input of u beyond the fee,
//   d² − B·d + C = 0,  B = 2R + b − D + u,  C = R·u + c·u/(Z + u),
// R, Z: balances of output and input, b: the other balances and D/Ann, c = R(R + b − D): no digit is
// lost however small the trade. Curve Finance, "StableSwap" (2019).

import { allThereIs, type Curve, KINK, nothing } from './curve.ts';

const ROUNDS_MAX = 100;
const EXACT = 1e-15;

/** @param balances of all tokens, in units worth the same to the pool @param ann A·n as contracts have it */
export function stable(
  balances: readonly number[],
  from: number,
  to: number,
  ann: number,
  kept: number,
  cap: number,
): Curve {
  const invariant = invariantOf(balances, ann);
  const Z = balances[from] as number;
  const R = balances[to] as number;
  const others = balances.reduce((sum, one) => sum + one, 0) - R;
  const excess = others + invariant / ann - invariant;
  const c = R * (R + excess);

  const paid = (u: number) => {
    const B = 2 * R + excess + u;
    const C = R * u + (c * u) / (Z + u);
    return (2 * C) / (B + Math.sqrt(Math.max(0, B * B - 4 * C)));
  };
  /** Output per input at u, and how it changes. */
  const slopes = (u: number) => {
    const d = paid(u);
    const root = 2 * R + excess + u - 2 * d;
    const first = (R + (c * Z) / (Z + u) ** 2 - d) / root;
    const second = ((-2 * c * Z) / (Z + u) ** 3 - 2 * first + 2 * first * first) / root;
    return { first, second };
  };

  const curve: Curve = {
    spot: kept * slopes(0).first,
    depth: Z,
    room: cap,
    best(nuIn, nuOut, trade) {
      const goal = nuIn / (kept * nuOut);
      const ahead = slopes(0).first - goal;
      if (ahead <= -KINK * goal) return nothing(trade);
      const u = ahead <= 0 ? 0 : inputFor(goal, slopes, Z, kept * cap);
      if (u > kept * cap) return allThereIs(curve, nuIn, nuOut, trade);
      const { first, second } = slopes(u);
      trade.input = u / kept;
      trade.output = paid(u);
      trade.surplus = Math.max(0, nuOut * trade.output - nuIn * trade.input);
      trade.curvature = (nuIn * first) / (kept * -second);
    },
    out: (input) => paid(kept * input),
  };
  return curve;
}

/**
 * Where the marginal rate has fallen to `goal`: Newton on rate^(−1/2), which is a straight line for a
 * constant product, kept inside a bracket that starts open above. More than `most` is as good as it.
 */
function inputFor(
  goal: number,
  slopes: (u: number) => { readonly first: number; readonly second: number },
  scale: number,
  most: number,
): number {
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let u = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { first, second } = slopes(u);
    if (first > goal) low = u;
    else high = u;
    if (low > most) return low;
    const off = 1 / Math.sqrt(goal) - 1 / Math.sqrt(first);
    let next = u + off / (-0.5 * second * first ** -1.5);
    if (!(next > low && next < high))
      next = high < Number.POSITIVE_INFINITY ? (low + high) / 2 : 4 * low + 1e-3 * scale;
    if (Math.abs(next - u) <= EXACT * next) return next;
    u = next;
  }
  return u;
}

/** D by Newton from above; converges quadratically, the limit is never met. */
function invariantOf(balances: readonly number[], ann: number): number {
  const n = balances.length;
  const sum = balances.reduce((total, one) => total + one, 0);
  let D = sum;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const product = balances.reduce((part, one) => (part * D) / (n * one), D);
    const next = ((ann * sum + n * product) * D) / ((ann - 1) * D + (n + 1) * product);
    if (Math.abs(next - D) <= EXACT * D) return next;
    D = next;
  }
  return D;
}
