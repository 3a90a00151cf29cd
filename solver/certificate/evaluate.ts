// A proposed solution → the published result: its legs executed once more, its value, its bound and
// its gap. Shares nothing with the optimizer; what it writes is what verify.ts recomputes.

import { type Fixed36, formatDecimal } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import type { Dollars72 } from '../market/worth.ts';
import { assert } from '../types/assert.ts';
import type { BoundTree, ProblemResult, Solution } from '../types/problem.ts';
import { planCosts, planValue, tradedWorth } from './accounts.ts';
import { certifyAt, certifyBound, certifyLoops } from './bound.ts';
import { parseDualPrices } from './dualPrices.ts';
import { type Execution, execute } from './execution.ts';
import { type Screen, screenVenues } from './screen.ts';

const VALUE_DECIMALS = 18;
const GAP_DECIMALS = 9;

/**
 * The result to publish. Value rounds down, bound and gap up. Branches are published only where they
 * prove a smaller bound than `prices` alone; a batch's orders are listed even if none was
 * executed. A solution whose legs do not execute
 * exactly as it says is a Defect: the engine re-executes before it answers, so this cannot happen.
 * Throws InvalidInput when its prices are not one positive decimal per node.
 */
export function evaluate(
  problem: ParsedProblem,
  solution: Solution,
  engineHash: string,
): ProblemResult {
  return evaluateExecuted(problem, solution, executed(problem, solution), engineHash);
}

/** The solution's legs and orders in exact integers. A Defect when they do not execute as they say. */
export function executed(problem: ParsedProblem, { legs, orders }: Solution): Execution {
  const ordered = problem.objective.kind === 'batch' ? (orders ?? []) : undefined;
  const { execution, failures } = execute(problem, legs, ordered);
  assert(
    execution !== null,
    `a proposed plan does not execute: ${failures.map((f) => `${f.pointer} ${f.message}`).join('; ')}`,
  );
  return execution;
}

/** evaluate for who has executed the solution already, by `executed`, and knows its planValue. */
export function evaluateExecuted(
  problem: ParsedProblem,
  solution: Solution,
  execution: Execution,
  engineHash: string,
  value = planValue(problem, execution),
): ProblemResult {
  const orders = problem.objective.kind === 'batch' ? (solution.orders ?? []) : undefined;
  const { prices, branches, loopPrices, legs, status } = solution;
  const dual = parseDualPrices(problem, prices);
  const { bound, ...published } = tighter(problem, dual, { prices, branches });
  return {
    version: 1,
    problem: problem.digest,
    engine: engineHash,
    status,
    ...accountOf(problem, execution, { value, bound, dual }),
    prices,
    ...(published.branches === undefined ? {} : { branches: published.branches }),
    ...(loopPrices === undefined
      ? {}
      : {
          loops: { bound: loopsBound(problem, loopPrices, screenVenues), prices: loopPrices },
        }),
    legs,
    ...(orders === undefined ? {} : { orders }),
  };
}

/** What proves a bound: branches where there are any, else the prices. */
export interface Proof {
  readonly prices: ProblemResult['prices'];
  readonly branches?: BoundTree | undefined;
}

/** Without the branches unless they prove less than the prices alone; `bound` is certifyBound's. */
function tighter(
  problem: ParsedProblem,
  dual: readonly Fixed36[],
  { prices, branches }: Proof,
): Proof & { readonly bound: bigint } {
  const alone = certifyAt(problem, dual, undefined, screenVenues);
  if (branches === undefined) return { prices, bound: alone };
  const byCases = certifyAt(problem, dual, branches, screenVenues);
  // Below 10^−12 dollars stand the checksums.
  const dollars12 = (bound: bigint) => bound / 10n ** 6n;
  return dollars12(byCases) < dollars12(alone)
    ? { prices, branches, bound: byCases }
    : { prices, bound: alone };
}

/** certifyLoops as it is published. */
export const loopsBound = (
  problem: ParsedProblem,
  prices: ProblemResult['prices'],
  screen?: Screen,
): string => dollarText(certifyLoops(problem, prices, screen));

type Account = Pick<ProblemResult, 'value' | 'bound' | 'gapBps' | 'final' | 'costs'>;

/** Everything in a result that follows from problem, legs, orders and what proves the bound. */
export function assess(
  problem: ParsedProblem,
  execution: Execution,
  { prices, branches }: Proof,
): Account {
  return accountOf(problem, execution, {
    value: planValue(problem, execution),
    bound: certifyBound(problem, prices, branches),
    dual: parseDualPrices(problem, prices),
  });
}

interface Judged {
  readonly value: bigint;
  readonly bound: bigint;
  /** The prices, read. */
  readonly dual: readonly Fixed36[];
}

function accountOf(
  problem: ParsedProblem,
  execution: Execution,
  { value, bound, dual }: Judged,
): Account {
  const costs = planCosts(problem, execution.legs, dual);
  return {
    value: dollarText(value),
    bound: dollarText(bound),
    gapBps: formatDecimal(gap(bound - value, tradedWorth(problem, execution)), GAP_DECIMALS),
    final: finalBalances(problem, execution),
    costs: {
      fees: dollarText(costs.fees),
      impact: dollarText(costs.impact),
      fixed: dollarText(costs.fixed),
    },
  };
}

/** (bound − value)/traded in bps × 10^9, rounded up. `difference` is dollars × 10^18. */
function gap(difference: bigint, traded: Dollars72): bigint {
  assert(difference >= 0n, `a plan is worth more than its bound by ${-difference}e-18 dollars`);
  assert(traded > 0n, 'a problem trades something of worth');
  const numerator = difference * 10_000n * 10n ** BigInt(GAP_DECIMALS) * 10n ** 54n;
  return numerator === 0n ? 0n : (numerator - 1n) / traded + 1n;
}

/** Every node that is non-zero before or after. */
function finalBalances(
  problem: ParsedProblem,
  { before, after }: Execution,
): Readonly<Record<string, string>> {
  const listed: [string, string][] = [];
  problem.nodes.forEach(({ id }, i) => {
    const balance = after[i] ?? 0n;
    if (balance !== 0n || before[i] !== 0n) listed.push([id, balance.toString()]);
  });
  return Object.fromEntries(listed);
}

/** Always 18 decimals: "12.500000000000000000". */
function dollarText(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(VALUE_DECIMALS + 1, '0');
  const point = digits.length - VALUE_DECIMALS;
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}
