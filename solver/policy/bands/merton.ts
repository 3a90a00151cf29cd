// The exact no-trade region of one risky asset held at its Merton weight with costs in proportion
// (Gerhold, Guasoni, Muhle-Karbe & Schachermayer, Transaction Costs, Trading Volume, and the
// Liquidity Premium, Finance & Stochastics 2014: the shadow price). A yardstick for bands built on
// a view of returns; the rule that runs policies has no such view (kernel.bandRule).

import { assert } from '../../types/assert.ts';
import { InvalidInput } from '../../types/errors.ts';
import { checkPositive } from '../risk/linear.ts';

export interface MertonInputs {
  /** μ: expected excess return, per year, above 0. */
  readonly drift: number;
  /** σ, per √year. */
  readonly sigma: number;
  /** γ: relative risk aversion. */
  readonly aversion: number;
  /** ε: what the bid lies below the ask, fraction, in (0, 1). */
  readonly spread: number;
}

export interface MertonRegion {
  /** π* = μ/γσ². */
  readonly target: number;
  /** λ of π± = (μ ± λ)/γσ². */
  readonly gap: number;
  /** Buy below `low` (valued at the ask), sell above `high` (valued at the bid). */
  readonly low: number;
  readonly high: number;
  /** ln(u/l): width of the region in the log of risky over safe worth. */
  readonly logWidth: number;
  /** β = (μ² − λ²)/2γσ², per year above the safe rate. */
  readonly equivalentSafeRate: number;
  /** μ − √(μ² − λ²): return one would give up to trade free of costs, per year. */
  readonly liquidityPremium: number;
  /** Shares bought and sold over shares held, per year. */
  readonly shareTurnover: number;
  readonly halfWidth: number;
  /** Leading order in ε: ((3/4γ)π*²(1 − π*)²ε)^⅓. */
  readonly halfWidthLeading: number;
  /** (μ/2π*²)·((3/4γ)π*²(1 − π*)²ε)^⅔. */
  readonly liquidityPremiumLeading: number;
}

const BISECTIONS_MAX = 200;
const PANELS_MAX = 1024;
/** Relative agreement of the integral with its halved panels. */
const AGREED = 1e-14;

/**
 * The region. Refuses π* = 1 (nobody trades there), a π* ≤ 0, and costs so large that no region
 * inside the solvent weights meets the smooth-pasting conditions.
 */
export function mertonRegion({ drift, sigma, aversion, spread }: MertonInputs): MertonRegion {
  checkPositive(drift, 'drift');
  checkPositive(sigma, 'sigma');
  checkPositive(aversion, 'aversion');
  checkPositive(spread, 'spread');
  if (spread >= 1) throw new InvalidInput('spread must be below 1', { pointer: '/spread' });
  const scale = aversion * sigma * sigma;
  const target = drift / scale;
  if (target === 1) {
    throw new InvalidInput('at a Merton weight of 1 there is nothing to rebalance', {
      pointer: '/drift',
    });
  }
  const half = solveHalfWidth(target, aversion, -Math.log1p(-spread));
  const gap = half * scale;
  const [low, high] = [target - half, target + half];
  const logit = (w: number) => Math.log(Math.abs(w / (1 - w)));
  const logWidth = logit(high) - logit(low) - Math.log1p(-spread);
  const leading = ((0.75 / aversion) * target ** 2 * (1 - target) ** 2 * spread) ** (1 / 3);
  return {
    target,
    gap,
    low,
    high,
    logWidth,
    equivalentSafeRate: ((drift - gap) * (drift + gap)) / (2 * scale),
    // μ − √(μ² − λ²) without the difference.
    liquidityPremium: gap ** 2 / (drift + Math.sqrt((drift - gap) * (drift + gap))),
    shareTurnover: shareTurnover(drift, sigma, low, high, logWidth),
    halfWidth: half,
    halfWidthLeading: leading,
    liquidityPremiumLeading: (drift / (2 * target ** 2)) * leading ** 2,
  };
}

/**
 * Half the width δ = λ/γσ². The shadow weight w runs from π− to π+ by the Riccati equation
 *   w′ = γπ−π+ − (2μ/σ² − 1)w + (γ − 1)w²,
 * the weight at one fixed price by w′ = w(1 − w); the first takes ln 1/(1 − ε) longer.
 * With 2μ/σ² = γ(π− + π+) the first right side is w(1 − w) − γ(w − π−)(π+ − w), so that
 *   ∫ γ(w − π−)(π+ − w) / {w(1 − w)[w(1 − w) − γ(w − π−)(π+ − w)]} dw = −ln(1 − ε)
 * from π− to π+: no differences, whatever ε. The integral grows with δ: bisection.
 */
function solveHalfWidth(target: number, aversion: number, wanted: number): number {
  let low = 0;
  let high = Math.min(target, Math.abs(1 - target));
  if (!(delay(target, high * (1 - 1e-9), aversion) > wanted)) {
    throw new InvalidInput('costs are too large for a region around this weight', {
      pointer: '/spread',
    });
  }
  for (let step = 0; step < BISECTIONS_MAX; step++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (delay(target, middle, aversion) > wanted) high = middle;
    else low = middle;
  }
  assert(false, 'the bisection of the region did not end');
}

/** The integral above; Infinity where the shadow weight never arrives. */
function delay(target: number, half: number, aversion: number): number {
  const shadow = (x: number) => {
    const w = target + half * x;
    const plain = w * (1 - w);
    const bulge = aversion * half * half * (1 - x) * (1 + x);
    return { plain, bulge, left: Math.sign(plain) * (plain - bulge) };
  };
  // For π* > 1, w(1 − w) is negative throughout and the bulge only adds to it.
  if (target < 1 && arrivesNever(target, half, aversion)) return Number.POSITIVE_INFINITY;
  const integrand = (x: number) => {
    const { plain, bulge, left } = shadow(x);
    return (half * bulge) / (Math.abs(plain) * left);
  };
  let last = Number.NaN;
  for (let panels = 1; panels <= PANELS_MAX; panels *= 2) {
    const value = gauss(integrand, panels);
    if (Math.abs(value - last) <= AGREED * value) return value;
    last = value;
  }
  return last;
}

/** Whether w(1 − w) − γ(w − π−)(π+ − w), a parabola, touches 0 between π− and π+. */
function arrivesNever(target: number, half: number, aversion: number): boolean {
  const square = aversion - 1;
  const linear = 1 - 2 * aversion * target;
  const at = (w: number) =>
    square * w * w + linear * w + aversion * (target - half) * (target + half);
  const vertex = square > 0 ? -linear / (2 * square) : target;
  return at(Math.min(Math.max(vertex, target - half), target + half)) <= 0;
}

/** Nodes in (0, 1) and weights of Gauss–Legendre quadrature with eight points. */
const NODES = [0.1834346424956498, 0.525532409916329, 0.7966664774136267, 0.9602898564975363];
const WEIGHTS = [0.362683783378362, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763];

/** ∫ from −1 to 1 over equal panels. */
function gauss(f: (x: number) => number, panels: number): number {
  let sum = 0;
  const half = 1 / panels;
  for (let panel = 0; panel < panels; panel++) {
    const middle = -1 + (2 * panel + 1) * half;
    for (const [k, node] of NODES.entries()) {
      sum += (WEIGHTS[k] ?? 0) * (f(middle - half * node) + f(middle + half * node));
    }
  }
  return sum * half;
}

/**
 * ShTu = ½σ²y[(1 − π−)/((u/l)^y − 1) − (1 − π+)/((u/l)^−y − 1)], y = 2μ/σ² − 1, and its limit at
 * y = 0.
 */
function shareTurnover(
  drift: number,
  sigma: number,
  low: number,
  high: number,
  logWidth: number,
): number {
  const y = (2 * drift) / (sigma * sigma) - 1;
  const over = (power: number) => (power === 0 ? 1 : power / Math.expm1(power));
  const parts = (1 - low) * over(y * logWidth) + (1 - high) * over(-y * logWidth);
  return (sigma * sigma * parts) / (2 * logWidth);
}
