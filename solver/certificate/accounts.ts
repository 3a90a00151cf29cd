// A plan's accounts: its value in the problem's objective, what was traded, and where the money
// went. Value rounds down, costs round up; dollars × 10^18.

import { type Fixed36, floorDiv, ONE36, smallerOf, unitPrice72 } from '../market/decimal.ts';
import type { ParsedProblem, ParsedRebalance } from '../market/parsedProblem.ts';
import {
  ceil18,
  type Dollars72,
  dollars72,
  floor18,
  fromFixed36,
  orderWorth,
  soldWorth,
  targetWorths,
  unitPrices,
} from '../market/worth.ts';
import { present } from '../types/assert.ts';
import type { ExactLeg, Execution } from './execution.ts';
import type { ExactFill } from './fills.ts';

const PIPS = 1_000_000n;

/** Dollars × 10^18. */
export interface Costs {
  /** Venue fees of all legs, at node prices. */
  readonly fees: bigint;
  /** What else the legs lost against node prices; below zero when venues paid better than them. */
  readonly impact: bigint;
  /** Fixed costs of the venues and groups used. */
  readonly fixed: bigint;
}

/** Exact: Σ fixed costs of used venues, and of groups once if any of their venues is used. */
export function fixedCosts(problem: ParsedProblem, legs: readonly ExactLeg[]): Dollars72 {
  const used = new Uint8Array(problem.venues.length);
  let sum = 0n;
  for (const { venue } of legs) {
    if (used[venue.index] === 0) sum += venue.fixedCost;
    used[venue.index] = 1;
  }
  if (legs.length === 0) return fromFixed36(sum as Fixed36);
  for (const { fixedCost, venues } of problem.groups) {
    if (venues.some((venue) => used[venue] === 1)) sum += fixedCost;
  }
  return fromFixed36(sum as Fixed36);
}

/** The objective's value of an executed plan, dollars × 10^18, rounded down. */
export function planValue(problem: ParsedProblem, execution: Execution): bigint {
  const fixed = fixedCosts(problem, execution.legs);
  const { objective } = problem;
  if (objective.kind === 'swap') {
    const price = present(unitPrices(problem)[objective.buy], 'price of the bought node');
    const bought = present(execution.after[objective.buy], 'balance');
    return floor18(dollars72(bought * price - fixed));
  }
  if (objective.kind === 'batch') {
    return floor18(dollars72(surplus(problem, execution.fills) - fixed));
  }
  const worths = targetWorths(problem, execution.after);
  const gross =
    objective.risk === null
      ? balancedWorth(objective, worths)
      : riskAdjustedWorth(problem, objective, objective.risk, worths);
  return floor18(dollars72(gross - fixed));
}

/** Σ over executed orders of (out − minOut·in/amount) at the bought node's price, rounded down. */
function surplus(problem: ParsedProblem, fills: readonly ExactFill[]): bigint {
  const prices = unitPrices(problem);
  return fills.reduce((sum, { order, amountIn, amountOut }) => {
    const price = present(prices[order.buy], 'price of the bought node');
    const beyond = amountOut * order.amount - order.minOut * amountIn;
    return sum + floorDiv(price * beyond, order.amount);
  }, 0n);
}

/** min over targets with a weight of worth/weight, rounded down. */
function balancedWorth(objective: ParsedRebalance, worths: readonly Dollars72[]): bigint {
  const ratios = objective.targets.flatMap(({ weight }, g) =>
    weight === 0n ? [] : [(present(worths[g], 'worth') * ONE36) / weight],
  );
  return ratios.reduce(smallerOf);
}

/** worth − ½A·W₀·e′Σe with e_g = worth_g/W₀ − weight_g, rounded down. */
function riskAdjustedWorth(
  problem: ParsedProblem,
  objective: ParsedRebalance,
  risk: NonNullable<ParsedRebalance['risk']>,
  worths: readonly Dollars72[],
): bigint {
  const before = orderWorth(problem);
  // W₀·e × 10^108.
  const off = objective.targets.map(
    ({ weight }, g) => present(worths[g], 'worth') * ONE36 - weight * before,
  );
  let quadratic = 0n;
  risk.covariance.forEach((row, g) => {
    row.forEach((cell, h) => {
      quadratic += cell * present(off[g], 'row') * present(off[h], 'row');
    });
  });
  const total = worths.reduce((sum, worth) => sum + worth, 0n);
  // ½A·(W₀e)′Σ(W₀e)/W₀: scales 36 + 36 + 2·108 over 72, brought to 72 by 2·10^144.
  const penalty = risk.aversion * quadratic;
  const scale = 2n * ONE36 ** 4n * before;
  return total - (penalty === 0n ? 0n : (penalty - 1n) / scale + 1n);
}

/**
 * Dollars × 10^72 the gap is measured against: what a swap or a batch sold at its nodes' prices (what it
 * offered when nothing was sold), or W₀ of a rebalance.
 */
export function tradedWorth(problem: ParsedProblem, execution: Execution): Dollars72 {
  const { objective } = problem;
  if (objective.kind === 'rebalance') return orderWorth(problem);
  if (objective.kind === 'batch') {
    const soldBy = new Map(execution.fills.map(({ order, amountIn }) => [order.id, amountIn]));
    const sold = soldWorth(
      problem,
      objective.orders.map(({ id }) => soldBy.get(id) ?? 0n),
    );
    return sold > 0n ? sold : orderWorth(problem);
  }
  const sold = objective.amount - present(execution.after[objective.sell], 'balance');
  if (sold <= 0n) return orderWorth(problem);
  return dollars72(sold * present(unitPrices(problem)[objective.sell], 'price'));
}

/** Fees up, fixed up, fees + impact = what the legs lost, up. Unpriced nodes count at `dual`. */
export function planCosts(
  problem: ParsedProblem,
  legs: readonly ExactLeg[],
  dual: readonly Fixed36[],
): Costs {
  const prices = problem.nodes.map((node, i) =>
    unitPrice72(node.price ?? present(dual[i], 'dual price'), node.decimals),
  );
  let fees = 0n;
  let lost = 0n;
  for (const leg of legs) {
    const priceIn = present(prices[leg.nodeIn], 'price');
    const priceOut = present(prices[leg.nodeOut], 'price');
    fees += feeOf(leg, priceIn, priceOut);
    lost += leg.amountIn * priceIn - leg.amountOut * priceOut;
  }
  const feesUp = ceil18(dollars72(fees));
  return {
    fees: feesUp,
    impact: ceil18(dollars72(lost)) - feesUp,
    fixed: ceil18(fixedCosts(problem, legs)),
  };
}

function feeOf({ venue, amountIn }: ExactLeg, priceIn: bigint, priceOut: bigint): bigint {
  if (venue.kind === 'order') return 0n;
  if (venue.kind === 'weighted' || venue.kind === 'stable') {
    return (amountIn * priceIn * venue.swapFee) / 10n ** 18n;
  }
  const proportional = (amountIn * priceIn * BigInt(venue.feePips)) / PIPS;
  return venue.kind === 'bridge' ? proportional + venue.fixedFee * priceOut : proportional;
}
