// Which way a rebalance may trade: buy-only, sell-only, reduce-only, smallest trade. Takes the change
// d = landing − weights, strikes what is not allowed and scales the larger side down to the smaller,
// so that what is sold still pays for what is bought: no trade grows, none turns round. Nothing is sold
// that is not held: a rule that thinks in risk alone may want an asset short against one it moves with.

import type { Skipped } from '../types.ts';

export interface DirectionLimits {
  readonly assets: readonly string[];
  /** Parallel to assets. */
  readonly mayBuy: readonly boolean[];
  readonly maySell: readonly boolean[];
  /** Fraction of worth; smaller changes of one asset are not made. */
  readonly smallest: number;
  /** Why an asset may not be bought: buy and sell lists, or reduce-only. */
  readonly why: (index: number, side: 'buy' | 'sell') => string;
}

/** Rounding of weights that sum to 1. */
const NOTHING = 1e-12;

/** The change that is allowed, summing to 0 (all zeros: nothing is left); notes what was struck. */
export function allowedChange(
  change: Float64Array,
  held: Float64Array,
  limits: DirectionLimits,
  worthUsd: number,
  skipped: Skipped[],
): Float64Array {
  const { assets, mayBuy, maySell, smallest } = limits;
  const left = change.slice();
  for (const [i, d] of change.entries()) {
    const asset = assets[i] ?? '';
    const side = d > 0 ? 'buy' : 'sell';
    if (Math.abs(d) <= NOTHING) left[i] = 0;
    else if ((d > 0 ? mayBuy : maySell)[i] === false) {
      left[i] = 0;
      const code = limits.why(i, side);
      const message = `${asset}: ${side} of ${percent(Math.abs(d))} not allowed (${code})`;
      skipped.push({ code, message, asset, data: { change: d } });
    } else if (-d > (held[i] ?? 0)) {
      const most = held[i] ?? 0;
      left[i] = -most;
      const message = `${asset}: sale of ${percent(-d)} cut to the ${percent(most)} held`;
      if (-d - most > NOTHING)
        skipped.push({ code: 'notHeld', message, asset, data: { held: most } });
    }
  }
  balance(left);
  // Striking one asset scales others down, below the smallest perhaps: at most one falls per round.
  for (let round = 0; round < left.length; round++) {
    const small = left.findIndex((d) => d !== 0 && Math.abs(d) < smallest);
    if (small < 0) break;
    const asset = assets[small] ?? '';
    const usd = Math.abs(left[small] ?? 0) * worthUsd;
    const message = `${asset}: ${usd.toFixed(2)} dollars are less than the smallest trade`;
    skipped.push({ code: 'minTrade', message, asset, data: { usd } });
    left[small] = 0;
    balance(left);
  }
  return left;
}

/** Scales the larger of buys and sells down to the smaller. */
export function balance(change: Float64Array): void {
  let [buys, sells] = [0, 0];
  for (const d of change) {
    if (d > 0) buys += d;
    else sells -= d;
  }
  const least = Math.min(buys, sells);
  if (least <= NOTHING) {
    change.fill(0);
    return;
  }
  for (const [i, d] of change.entries()) {
    const side = d > 0 ? buys : sells;
    if (side > least) change[i] = d * (least / side);
  }
}

export const percent = (fraction: number): string => `${(fraction * 100).toFixed(3)} %`;
