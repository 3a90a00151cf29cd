// Where the underlying may stand without a trade, for a book and a band model. Owns the translation from
// a book (several options, one underlying) to the one position the published formulas speak of.
//
// That position's gamma is the book's net gamma; its volatility and rate are means over the live options
// weighted by |quantity × gamma|; its expiry is the last one. For one option nothing is lost. A book with
// no live option has no gamma and no volatility: its band is the target itself, but for `fixed`.

import { type Exposure, leland, oneOff, whalleyWilmott, zakamouline } from './bands.ts';
import { discreteBand, discreteEdges } from './discrete.ts';
import { bookGreeks, expired, type HedgeKernel, unitGreeks } from './greeks.ts';
import type { HedgePolicy, OptionPosition } from './types.ts';

/** How often a policy that does not say looks at its book. */
export const CHECK_SECONDS = 3600;
/** 365 days of 24 hours, the year that volatilities are quoted in. */
const YEAR_SECONDS = 31_536_000;
/** A cost-adjusted variance is never less than this share of σ²: the formulas are small-cost limits. */
const VARIANCE_SHARE_MIN = 0.01;

/** Units of the underlying held: no trade within [low, high]; outside, to the nearer landing. */
export interface DeltaBand {
  /** What the model would hold if trading were free. */
  readonly wanted: number;
  readonly low: number;
  readonly high: number;
  readonly landLow: number;
  readonly landHigh: number;
}

export function deltaBand(
  policy: HedgePolicy,
  options: readonly OptionPosition[],
  price: number,
  kernel: HedgeKernel,
): DeltaBand {
  const net = bookGreeks(options, 0, price, kernel);
  const at = exposureOf(options, net.gamma, price, kernel);
  const model = policy.band;
  const written = net.gamma < 0 ? 1 : -1;
  const want = (variance: number): number => {
    const share = Math.max(VARIANCE_SHARE_MIN, variance);
    return policy.netDelta - bookGreeks(options, 0, price, kernel, share).delta;
  };
  const plain = policy.netDelta - net.delta;
  if (model.kind === 'fixed') return symmetric(plain, model.width);
  if (at === null) return symmetric(plain, 0);
  const cost = policy.proportional;
  switch (model.kind) {
    case 'whalleyWilmott':
      return symmetric(plain, whalleyWilmott(at, model.aversion, cost));
    case 'zakamouline': {
      if (at.gamma === 0) return symmetric(plain, oneOff(at, model.aversion, cost));
      const { h0, h1, k } = zakamouline(at, model.aversion, cost);
      return symmetric(want(1 - written * k), h0 + h1);
    }
    case 'leland': {
      const side = written > 0 ? 'written' : 'held';
      const years = model.everySeconds / YEAR_SECONDS;
      return symmetric(want(leland(at.volatility, cost, years, side)), 0);
    }
    case 'twoBand':
      return twoBand(plain, at, model.aversion, policy, kernel);
    case 'discrete':
      return discrete(at, model.aversion, policy, (adjustment) => want(1 + written * adjustment));
  }
}

const symmetric = (wanted: number, half: number): DeltaBand => ({
  wanted,
  low: wanted - half,
  high: wanted + half,
  landLow: wanted - half,
  landHigh: wanted + half,
});

/**
 * The kernel's two bands with κ = γσ²S², s² = Γ²σ²S², ε = λS and F: displacement in units. Never narrower
 * than what one correction until expiry pays for: landing H₀, trigger H₀ + √(2F/(γS²σ²τ)).
 */
function twoBand(
  wanted: number,
  at: Exposure,
  aversion: number,
  policy: HedgePolicy,
  kernel: HedgeKernel,
): DeltaBand {
  const fixed = policy.fixedUsd ?? 0;
  const rate = (at.volatility * at.price) ** 2;
  const once = oneOff(at, aversion, policy.proportional);
  const alone = once + Math.sqrt((2 * fixed) / (aversion * rate * at.years));
  const moving = rate * at.gamma ** 2;
  const bands =
    moving > 0
      ? kernel.twoBand(aversion * rate, moving, policy.proportional * at.price, fixed)
      : { trigger: 0, landing: 0 };
  const [trigger, landing] = [Math.max(bands.trigger, alone), Math.max(bands.landing, once)];
  return {
    wanted,
    low: wanted - trigger,
    high: wanted + trigger,
    landLow: wanted - landing,
    landHigh: wanted + landing,
  };
}

function discrete(
  at: Exposure,
  aversion: number,
  policy: HedgePolicy,
  want: (adjustment: number) => number,
): DeltaBand {
  const step = (policy.checkSeconds ?? CHECK_SECONDS) / YEAR_SECONDS;
  const { price, volatility, years } = at;
  const gamma = Math.abs(at.gamma);
  const cost = policy.proportional;
  const band = discreteBand(price, gamma, volatility, years, step, aversion, cost);
  const wanted = want(band.adjustment);
  const [below, above] = discreteEdges(wanted - policy.netDelta, band);
  const [low, high] = [policy.netDelta + below, policy.netDelta + above];
  return { wanted, low, high, landLow: low, landHigh: high };
}

/** The one position the formulas see; null: nothing alive. */
function exposureOf(
  options: readonly OptionPosition[],
  gamma: number,
  price: number,
  kernel: HedgeKernel,
): Exposure | null {
  const live = options.filter(({ option, quantity }) => !expired(option) && quantity !== 0);
  if (live.length === 0) return null;
  const gammas = live.map(
    ({ quantity, option }) => Math.abs(quantity) * unitGreeks(option, price, kernel).gamma,
  );
  const weights = gammas.some((weight) => weight > 0)
    ? gammas
    : live.map(({ quantity }) => Math.abs(quantity));
  let [total, volatility, rate, years] = [0, 0, 0, 0];
  live.forEach(({ option }, k) => {
    const weight = weights[k] ?? 0;
    total += weight;
    volatility += weight * option.volatility;
    rate += weight * option.rate;
    years = Math.max(years, option.years);
  });
  return { price, gamma, volatility: volatility / total, rate: rate / total, years };
}
