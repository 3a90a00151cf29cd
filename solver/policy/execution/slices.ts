// A rebalance in slices: the schedule of Almgren and Chriss (almgrenChriss.ts) in shares of the whole,
// and what of it is due. A slice is that share of what is left between the weights and the landing, so
// what a slice missed (unsigned, cut by a limit, refunded) is made up by the next, and what the
// market carried past the landing is not traded back.

import { balance } from '../limits/direction.ts';
import { executionSchedule } from './almgrenChriss.ts';
import type { SlicesInProgress, Slicing } from './types.ts';

/**
 * What is left of the whole after 0 … count slices: 1 … 0. With T = 1 and η̃ = σ = 1 the schedule decays
 * with cosh(κτ) = 1 + ½λτ², so λ = 2(cosh(κτ) − 1)/τ² gives κ = urgency.
 */
export function leftAfter({ count, urgency }: Slicing): Float64Array {
  const tau = 1 / count;
  // cosh(x) − 1 = 2 sinh²(x/2), which keeps its digits near 0.
  const aversion = (2 * Math.sinh((urgency * tau) / 2)) ** 2 / tau ** 2;
  return executionSchedule({
    quantity: 1,
    intervals: count,
    intervalLength: tau,
    volatility: 1,
    halfSpread: 0,
    permanentImpact: 0,
    temporaryImpact: 1,
    aversion,
  }).holdings;
}

/** How many slices should be done by `now`: the first at once, 1 … count. */
export function slicesDue({ overSeconds, count }: Slicing, since: number, now: number): number {
  const gone = Math.floor(((now - since) * count) / overSeconds);
  return Math.min(count, Math.max(0, gone) + 1);
}

/** When the slice after `done` is due, seconds. */
export const sliceAt = ({ overSeconds, count }: Slicing, since: number, done: number): number =>
  Math.ceil(since + (done * overSeconds) / count);

/** What is still to be traded towards the landing, in the direction it began with; sums to 0. */
export function stillToTrade(
  { from, landing }: Pick<SlicesInProgress, 'from' | 'landing'>,
  weights: Float64Array,
): Float64Array {
  const change = weights.map((w, i) => {
    const began = (landing[i] ?? 0) - (from[i] ?? 0);
    const left = (landing[i] ?? 0) - w;
    return began * left > 0 ? left : 0;
  });
  balance(change);
  return change;
}

/** Weights after trading up to slice `due` when `done` are done. */
export function sliceLanding(
  left: Float64Array,
  weights: Float64Array,
  change: Float64Array,
  done: number,
  due: number,
): Float64Array {
  const share = 1 - (left[due] ?? 0) / (left[done] ?? 1);
  return weights.map((w, i) => w + share * (change[i] ?? 0));
}
