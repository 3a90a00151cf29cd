// What amounts are worth, exactly: dollars × 10^72, so that any number of base units (tokens of up
// to 36 decimals) at any Fixed36 price is an integer and nothing is rounded before it must be.

import { present } from '../types/assert.ts';
import type { Brand } from '../types/brand.ts';
import { type Fixed36, unitPrice72 } from './decimal.ts';
import type { ParsedProblem } from './parsedProblem.ts';

/** Dollars × 10^72; may be negative. */
export type Dollars72 = Brand<bigint, 'Dollars72'>;
export const dollars72 = (value: bigint): Dollars72 => value as Dollars72;
/** 10^72 / 10^18. */
const PER_18 = 10n ** 54n;
const PER_36 = 10n ** 36n;

/** Exact: a Fixed36 amount of dollars, such as a fixed cost. */
export const fromFixed36 = (value: Fixed36): Dollars72 => dollars72(value * PER_36);

/** ⌊dollars · 10^18⌋. */
export function floor18(value: Dollars72): bigint {
  return value >= 0n ? value / PER_18 : -ceil18(dollars72(-value));
}

/** ⌈dollars · 10^18⌉. */
export function ceil18(value: Dollars72): bigint {
  return value > 0n ? (value - 1n) / PER_18 + 1n : -floor18(dollars72(-value));
}

type ByNode = readonly (bigint | null)[];

/** Nodes never change; problems that share them share their prices, which go when the nodes go. */
const knownPrices = new WeakMap<ParsedProblem['nodes'], ByNode>();

/** Dollars72 per base unit of every node at the file's prices; null where a node has none. */
export function unitPrices({ nodes }: ParsedProblem): ByNode {
  const known = knownPrices.get(nodes);
  if (known !== undefined) return known;
  const prices = nodes.map(({ price, decimals }) =>
    price === null ? null : unitPrice72(price, decimals),
  );
  knownPrices.set(nodes, prices);
  return prices;
}

/** Σ over targets of the worth of `balances` at the file's prices, one entry per target. */
export function targetWorths(
  problem: ParsedProblem,
  balances: readonly bigint[],
): readonly Dollars72[] {
  const { objective } = problem;
  if (objective.kind !== 'rebalance') return [];
  const prices = unitPrices(problem);
  return objective.targets.map((target) =>
    dollars72(
      target.nodes.reduce(
        (sum, node) =>
          sum + present(balances[node], 'balance') * present(prices[node], 'price of a target'),
        0n,
      ),
    ),
  );
}

/** The order's worth before any trade: what is offered for sale, all told, or W₀ over all targets. */
export function orderWorth(problem: ParsedProblem): Dollars72 {
  const { objective } = problem;
  if (objective.kind === 'swap') {
    const price = present(unitPrices(problem)[objective.sell], 'price of the sold node');
    return dollars72(objective.amount * price);
  }
  if (objective.kind === 'batch') {
    return soldWorth(
      problem,
      objective.orders.map(({ amount }) => amount),
    );
  }
  const worths = targetWorths(problem, objective.holdings);
  return dollars72(worths.reduce((sum, worth) => sum + worth, 0n));
}

/** What a batch's orders sell, at the file's prices; `sold` runs parallel to them. */
export function soldWorth(problem: ParsedProblem, sold: readonly bigint[]): Dollars72 {
  const { objective } = problem;
  if (objective.kind !== 'batch') return dollars72(0n);
  const prices = unitPrices(problem);
  const sum = objective.orders.reduce(
    (total, { sell }, k) =>
      total + present(sold[k], 'sold amount') * present(prices[sell], 'price of a sold node'),
    0n,
  );
  return dollars72(sum);
}

/** Asked for with every execution and every bound of a problem; it goes when the problem goes. */
const knownCaps = new WeakMap<ParsedProblem, ByNode>();

/**
 * The most a venue may take in of a node under settings.venueInputCap: ⌊cap · order worth / price⌋
 * base units. null: no cap is set, or the node has no price to measure it by.
 */
export function inputCaps(problem: ParsedProblem): ByNode {
  const known = knownCaps.get(problem);
  if (known !== undefined) return known;
  const caps = capsOf(problem);
  knownCaps.set(problem, caps);
  return caps;
}

function capsOf(problem: ParsedProblem): ByNode {
  const cap = problem.settings.venueInputCap;
  if (cap === null) return problem.nodes.map(() => null);
  const allowed = orderWorth(problem) * cap;
  return unitPrices(problem).map((price) => (price === null ? null : allowed / (price * PER_36)));
}
