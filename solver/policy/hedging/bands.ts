// Half-widths of hedging bands, as published. Scalars in, scalars out; nothing is checked here: a book
// passes check.ts first. γ is absolute risk aversion (1/numeraire), λ the one-way proportional cost, S the
// price, Γ the position's gamma, σ its volatility, τ the years left, r the rate.

/** Of one position at one moment. */
export interface Exposure {
  readonly price: number;
  /** Net gamma; its sign does not matter here. */
  readonly gamma: number;
  readonly volatility: number;
  readonly years: number;
  readonly rate: number;
}

/**
 * h = (3/2 · e^{−rτ} λ S Γ²/γ)^{1/3}, units of the underlying: the small-cost limit of exponential
 * utility (Whalley, Wilmott 1997), and of the two-band rule without fixed cost.
 */
export function whalleyWilmott(at: Exposure, aversion: number, proportional: number): number {
  const discount = Math.exp(-at.rate * at.years);
  return Math.cbrt((1.5 * discount * proportional * at.price * at.gamma ** 2) / aversion);
}

/**
 * H₀ = λ/(γSσ²τ): without gamma a displacement is corrected once or never, and no nearer than this
 * does the risk left until expiry pay for it. Infinite at expiry.
 */
export function oneOff(at: Exposure, aversion: number, proportional: number): number {
  return proportional / (aversion * at.price * at.volatility ** 2 * at.years);
}

/**
 * Zakamouline 2006 (Quantitative Finance 6): trade when the hedge is farther than H₀ + H₁ from the delta
 * at σ²(1 ∓ K), − for a written option (K < 0: a higher volatility), + for one held.
 *   H₁ = 1.12 λ^0.31 τ^0.05 (e^{−rτ}/σ)^0.25 √(|Γ|/γ)
 *   K = −4.76 λ^0.78 τ^−0.02 (e^{−rτ}/σ)^0.25 (γS²|Γ|)^0.15
 */
export function zakamouline(
  at: Exposure,
  aversion: number,
  proportional: number,
): { readonly h0: number; readonly h1: number; readonly k: number } {
  const gamma = Math.abs(at.gamma);
  const discounted = (Math.exp(-at.rate * at.years) / at.volatility) ** 0.25;
  const [spread, weight] = [Math.sqrt(gamma / aversion), aversion * at.price ** 2 * gamma];
  return {
    h0: oneOff(at, aversion, proportional),
    h1: 1.12 * proportional ** 0.31 * at.years ** 0.05 * discounted * spread,
    k: -4.76 * (proportional ** 0.78 / at.years ** 0.02) * discounted * weight ** 0.15,
  };
}

/**
 * Leland 1985: hedging every `years` costs as much as a variance larger (option written) or smaller (held)
 * by the factor 1 ± √(2/π)·2λ/(σ√Δt). Returns that factor.
 */
export function leland(
  volatility: number,
  proportional: number,
  years: number,
  side: 'written' | 'held',
): number {
  const number = (Math.sqrt(2 / Math.PI) * 2 * proportional) / (volatility * Math.sqrt(years));
  return side === 'written' ? 1 + number : 1 - number;
}
