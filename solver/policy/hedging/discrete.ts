// The band of a hedge that is looked at every Δt, for the least cost at a given variance of the error.
// Owns two functions of one number, and the band built of them. Derived here; docs/hedging.md measures it
// against the numerical optimum.
//
// Between two looks the displacement y = held − wanted takes a step of standard deviation
// s = |Γ|Sσ√Δt and costs ½γS²σ²Δt·y² of risk; trading costs λS a unit. In units of s, only
//   ρ = λ/(γSσ²Δt·s)
// is left, and the optimum is: hold while |y| ≤ s·b(ρ), else trade to that edge. Its marginal cost of
// displacement u solves the stopping game
//   g(u) = u/ρ + E clip(g(u + Z), −1, 1),  Z normal,  g(b) = 1.
// For frequent looks b → (3ρ/2)^{1/3} − β, Whalley and Wilmott's width less the overshoot of a walk seen at
// its steps only, β = −ζ(½)/√(2π) (Chernoff 1965; Broadie, Glasserman, Kou 1997); for rare ones b → ρ.

/** −ζ(½)/√(2π): mean overshoot of a normal walk over a far boundary, in steps. */
const OVERSHOOT = 0.5825971579390106;
const NEWTON_ROUNDS = 40;
/** Above this Newton's answer and the limit agree to the last digit of b. */
const FREQUENT = 1e6;

/**
 * b(ρ): inverse of ρ(b) = ⅔[(b + β)³ − β³] + 0.0765 tanh(4.2b), exact in both limits. The tanh is fitted to
 * the stopping game's solution over ρ = 0.01 … 3000: within 1 % of b for ρ ≥ 0.3, 3 % below.
 */
export function discreteWidth(rho: number): number {
  if (rho > FREQUENT) return Math.cbrt(1.5 * rho) - OVERSHOOT;
  let b = Math.cbrt(1.5 * rho + OVERSHOOT ** 3) - OVERSHOOT;
  for (let round = 0; round < NEWTON_ROUNDS; round++) {
    const tanh = Math.tanh(4.2 * b);
    const value = ((b + OVERSHOOT) ** 3 - OVERSHOOT ** 3) / 1.5 + 0.0765 * tanh - rho;
    const slope = 2 * (b + OVERSHOOT) ** 2 + 0.3213 * (1 - tanh * tanh);
    const step = value / slope;
    b = Math.max(b - step, 0);
    if (Math.abs(step) <= 1e-14 * b) break;
  }
  return b;
}

/**
 * c(b): mean trade per look, units of s, of the walk held within ±b: 1/(2(b + β)) as for a reflected
 * Brownian motion, √(2/π) at b = 0. Within 1 % of the chain's stationary mean.
 */
export function discreteTurnover(b: number): number {
  return 0.5 / (b + OVERSHOOT) - 0.0603 * Math.exp(-8.5 * b);
}

export interface DiscreteBand {
  /** Half-width while gamma moves the target; units of the underlying. */
  readonly half: number;
  /**
   * K ≥ 0: hedging costs as much as a variance of σ²(1 + K) on a written book, σ²(1 − K) on one held:
   * Leland's argument with this band's turnover, K = 2λc(b)/(σ√Δt). The wanted hedge is that delta.
   */
  readonly adjustment: number;
  /**
   * Share of the band that belongs to the end: the chance that a displacement does not leave the band
   * any more before expiry, (4/π)·exp(−π²R/8), R the variance left over half²; at most 1.
   */
  readonly end: number;
  /** H₀: see `oneOff`. */
  readonly oneOff: number;
}

/** All arguments > 0 but gamma, ≥ 0; `step` is Δt in years. */
export function discreteBand(
  price: number,
  gamma: number,
  volatility: number,
  years: number,
  step: number,
  aversion: number,
  proportional: number,
): DiscreteBand {
  const once = proportional / (aversion * price * volatility ** 2 * years);
  const move = gamma * price * volatility * Math.sqrt(step);
  const limit = Math.cbrt((1.5 * proportional * price * gamma ** 2) / aversion);
  if (!(move > 0 && limit > 0)) return { half: 0, adjustment: 0, end: 1, oneOff: once };
  const b = discreteWidth((limit / move) ** 3 / 1.5);
  const left = ((move / limit) ** 2 * years) / step;
  return {
    half: b * move,
    adjustment: (2 * proportional * discreteTurnover(b)) / (volatility * Math.sqrt(step)),
    end: Math.min(1, (4 / Math.PI) * Math.exp(-((Math.PI ** 2 / 8) * left))),
    oneOff: once,
  };
}

/**
 * The edges around `wanted`, both counted from where the hedge stands once the options are gone (0, or
 * the net delta asked for). Near the end what is held will be sold anyway: the last sale is paid in
 * either case, so selling early is free and buying pays twice; the band there reaches from 2H₀ on the
 * inner side to the target itself.
 */
export function discreteEdges(
  wanted: number,
  { half, end, oneOff }: DiscreteBand,
): readonly [low: number, high: number] {
  const near = (1 - end) * half;
  const far = near + (end > 0 ? 2 * end * oneOff : 0);
  if (wanted >= 0) {
    const high = wanted + near;
    return [Math.max(wanted - far, Math.min(0, wanted - near)), high];
  }
  const low = wanted - near;
  return [low, Math.min(wanted + far, Math.max(0, wanted + near))];
}
