// Why a plan is what it is, out of the published files alone: for every venue what its best trade
// could add at the result's dual prices, what it costs to use, and what the plan made of it. The
// numbers are the checker's own (support.ts, exactOut), so that an explanation cannot flatter a plan
// that the bound does not. Dollars are decimal strings; rates are bps against the dual prices.

import { formatDecimal } from '../market/decimal.ts';
import { exactOut } from '../market/exact/venue.ts';
import type { ParsedProblem, ParsedVenue } from '../market/parsedProblem.ts';
import { dollars72, floor18, inputCaps } from '../market/worth.ts';
import { present } from '../types/assert.ts';
import type { ProblemResult } from '../types/problem.ts';
import { coverage, unitDual } from './bound.ts';
import { conjugate } from './conjugate.ts';
import { parseDualPrices } from './dualPrices.ts';
import { type ExactLeg, execute } from './execution.ts';
import { support } from './support.ts';

export interface ExplainedTrade {
  readonly venue: string;
  readonly kind: ParsedVenue['kind'];
  readonly in: { readonly node: string; readonly amount: string };
  readonly out: { readonly node: string; readonly amount: string };
  /** What it is worth at the dual prices beyond what it takes, dollars, fixed cost not taken off. */
  readonly gainUsd: string;
  /** The most any trade of this venue could be worth so. */
  readonly bestGainUsd: string;
  readonly fixedCostUsd: string;
  /** Average rate against the dual prices, bps lost; negative: better than they ask. */
  readonly averageCostBps: number;
  /** The same of the next thousandth of the trade; null: the venue takes no more. */
  readonly marginalCostBps: number | null;
  readonly why: string;
}
export interface ExplainedSkip {
  readonly venue: string;
  readonly kind: ParsedVenue['kind'];
  readonly bestGainUsd: string;
  readonly fixedCostUsd: string;
  /** What its first ten dollars would lose against the dual prices, its better way; null: none fits. */
  readonly marginalCostBps: number | null;
  readonly why: string;
}
export interface Explanation {
  readonly made: readonly ExplainedTrade[];
  readonly skipped: readonly ExplainedSkip[];
  readonly bound: {
    readonly valueUsd: string;
    readonly boundUsd: string;
    readonly gapBps: string;
    readonly covers: string;
    /** Dollars per whole token by node. */
    readonly dualPrices: Readonly<Record<string, string>>;
    /** Set where the bound is proved by cases, each with prices of its own. */
    readonly byCases: boolean;
  };
}

/** Throws InvalidInput when the result's prices do not fit the problem; verify the result first. */
export function explain(problem: ParsedProblem, result: ProblemResult): Explanation {
  const dual = parseDualPrices(problem, result.prices);
  const { nu } = conjugate(problem, unitDual(problem, dual), new Map());
  const { execution } = execute(problem, result.legs, result.orders);
  const legs = execution?.legs ?? [];
  const used = new Set(legs.map(({ venue }) => venue.index));
  const caps = inputCaps(problem);
  const best = (venue: ParsedVenue) => support(venue, nu, caps);
  const { value, bound, gapBps, prices } = result;
  return {
    made: legs.map((leg) => made(problem, leg, nu, best(leg.venue))),
    skipped: problem.venues
      .filter(({ index }) => !used.has(index))
      .map((venue) => skipped(problem, venue, used, nu, best(venue))),
    bound: {
      valueUsd: value,
      boundUsd: bound,
      gapBps,
      covers: coverage(problem),
      dualPrices: prices,
      byCases: result.branches !== undefined,
    },
  };
}

function made(
  problem: ParsedProblem,
  leg: ExactLeg,
  nu: readonly bigint[],
  best: bigint,
): ExplainedTrade {
  const { venue, nodeIn, nodeOut, amountIn, amountOut } = leg;
  const priceIn = present(nu[nodeIn], 'dual price');
  const priceOut = present(nu[nodeOut], 'dual price');
  const spent = priceIn * amountIn;
  const gain = priceOut * amountOut - spent;
  const fixed = venue.fixedCost * 10n ** 36n;
  const more = (amountIn + 999n) / 1000n;
  const next = exactOut(venue, nodeIn, nodeOut, amountIn + more);
  const marginal =
    typeof next === 'bigint'
      ? bps(priceIn * more - priceOut * (next - amountOut), priceIn * more)
      : null;
  const nodeId = (index: number) => present(problem.nodes[index], 'node').id;
  return {
    venue: venue.id,
    kind: venue.kind,
    in: { node: nodeId(nodeIn), amount: amountIn.toString() },
    out: { node: nodeId(nodeOut), amount: amountOut.toString() },
    gainUsd: dollars(gain),
    bestGainUsd: dollars(best),
    fixedCostUsd: dollars(fixed),
    averageCostBps: bps(-gain, spent),
    marginalCostBps: marginal,
    why: whyMade(gain, best, fixed, marginal),
  };
}

function whyMade(gain: bigint, best: bigint, fixed: bigint, marginal: number | null): string {
  const worth =
    gain >= fixed
      ? `gains $${dollars(gain)} at the dual prices, more than the $${dollars(fixed)} it costs to use`
      : `gains $${dollars(gain)} at the dual prices, less than the $${dollars(fixed)} it costs to use: ` +
        'the plan needs what it delivers';
  const edge =
    marginal === null
      ? 'the venue takes no more'
      : marginal >= 0
        ? `a little more of it would lose ${marginal} bps`
        : `a little more of it would still gain ${-marginal} bps at these prices`;
  const left = best - gain;
  return `${worth}; ${edge}; ${left > 0n ? `$${dollars(left)} short of its best` : 'it is its best'}`;
}

function skipped(
  problem: ParsedProblem,
  venue: ParsedVenue,
  used: ReadonlySet<number>,
  nu: readonly bigint[],
  best: bigint,
): ExplainedSkip {
  const fixed = venue.fixedCost * 10n ** 36n;
  // Groups of which nothing is used: the venue alone would have to pay for them.
  const opening = problem.groups
    .filter(({ venues }) => venues.includes(venue.index) && !venues.some((one) => used.has(one)))
    .reduce((sum, { fixedCost }) => sum + fixedCost * 10n ** 36n, 0n);
  const cost = fixed + opening;
  const marginal = firstCost(venue, nu);
  const why =
    best <= 0n
      ? `no trade of it pays at the dual prices: ${
          marginal === null ? 'it trades too little' : `the first one would lose ${marginal} bps`
        }`
      : best <= cost
        ? `its best trade gains $${dollars(best)}, not more than the $${dollars(cost)} that using it costs`
        : `its best trade would gain $${dollars(best)} after $${dollars(cost)} of costs at these ` +
          'prices: part of the gap between plan and bound';
  return {
    venue: venue.id,
    kind: venue.kind,
    bestGainUsd: dollars(best),
    fixedCostUsd: dollars(cost),
    marginalCostBps: marginal,
    why,
  };
}

/** Dollars × 10^72. */
const FIRST_TRADE = 10n * 10n ** 72n;

/** The least that a first small trade loses, over the venue's ordered pairs. */
function firstCost(venue: ParsedVenue, nu: readonly bigint[]): number | null {
  const costs = venue.nodes.flatMap((from) =>
    venue.nodes.flatMap((to) => {
      const price = present(nu[from], 'dual price');
      const amount = FIRST_TRADE / price + 1n;
      const out = from === to ? null : exactOut(venue, from, to, amount);
      if (typeof out !== 'bigint') return [];
      return [bps(price * amount - present(nu[to], 'dual price') * out, price * amount)];
    }),
  );
  return costs.length === 0 ? null : Math.min(...costs);
}

/** Rounded down to a millionth. */
const dollars = (value: bigint): string => formatDecimal(floor18(dollars72(value)) / 10n ** 12n, 6);

/** Two decimals; 0 of nothing. */
const bps = (part: bigint, whole: bigint): number =>
  whole === 0n ? 0 : Number((part * 1_000_000n) / whole) / 100;
