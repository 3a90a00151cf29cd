// The two bands from POLICY.md's own words: for an average cost g, V′ = ε has two positive roots h ≤ H;
// g is the one for which ∫_h^H (V′ − ε) = F. Three nested bisections, no algebra. And what a rule
// costs on average, by renewal and reward.

import type { TwoBand } from '../../../solver/types/risk.ts';

export interface Setting {
  readonly aversion: number;
  readonly varianceRate: number;
  readonly proportional: number;
  readonly fixed: number;
}

/** Average cost a year of trading from H back to h, from the cycle's cost over its length. */
export function averageCost(setting: Setting, { trigger: H, landing: h }: TwoBand): number {
  const { aversion, varianceRate, proportional, fixed } = setting;
  const held = ((aversion / 12) * (H ** 4 - h ** 4)) / varianceRate;
  return (held + fixed + proportional * (H - h)) / ((H ** 2 - h ** 2) / varianceRate);
}

export function twoBand(setting: Setting): TwoBand {
  const { aversion, varianceRate, proportional, fixed } = setting;
  const slope = (g: number, x: number) =>
    (2 / varianceRate) * (g * x - (aversion * x ** 3) / 6) - proportional;
  const area = (g: number, x: number) =>
    (2 / varianceRate) * ((g * x * x) / 2 - (aversion * x ** 4) / 24) - proportional * x;
  const bandsAt = (g: number): TwoBand | null => {
    const top = Math.sqrt((2 * g) / aversion);
    if (slope(g, top) < 0) return null;
    return {
      landing: bisect(0, top, (x) => slope(g, x) < 0),
      trigger: bisect(top, 2 * top, (x) => slope(g, x) >= 0),
    };
  };
  const falls = (g: number) => {
    const bands = bandsAt(g);
    return bands === null || area(g, bands.trigger) - area(g, bands.landing) < fixed;
  };
  let high = 1;
  while (falls(high)) high *= 2;
  while (!falls(high / 2)) high /= 2;
  return bandsAt(bisect(high / 2, high, falls)) ?? { trigger: Number.NaN, landing: Number.NaN };
}

/** Where `isBelow` turns false, between low and high. */
function bisect(low: number, high: number, isBelow: (x: number) => boolean): number {
  let [a, b] = [low, high];
  for (let k = 0; k < 64; k++) {
    const middle = (a + b) / 2;
    if (isBelow(middle)) a = middle;
    else b = middle;
  }
  return b;
}
