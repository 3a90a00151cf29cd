// Executes a plan's legs once more in exact integers: what "integers dispose" rests on, and the
// checker's view of the plan. Refuses, as a list of failures, a leg whose output is not to the wei
// what its venue pays, a venue used twice or beyond its cap, any balance that would fall below what
// its node may spend at that moment, in the order given, and orders of a batch that are not paid.

import { exactOut } from '../market/exact/venue.ts';
import type { ParsedProblem, ParsedVenue } from '../market/parsedProblem.ts';
import { inputCaps } from '../market/worth.ts';
import { present } from '../types/assert.ts';
import type { Leg, OrderFill } from '../types/problem.ts';
import { amountOf, clip, type Failure } from './failure.ts';
import { type ExactFill, readFills, supply } from './fills.ts';

export interface ExactLeg {
  readonly venue: ParsedVenue;
  readonly nodeIn: number;
  readonly nodeOut: number;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
}

export interface Execution {
  readonly legs: readonly ExactLeg[];
  /** Executed orders of a batch; [] otherwise. */
  readonly fills: readonly ExactFill[];
  /** Base units per node index; of a batch, what its executed orders sell. */
  readonly before: readonly bigint[];
  /** Of a batch, what is left once its orders are paid. */
  readonly after: readonly bigint[];
}

/** What every node holds before the plan. */
function initialBalances(problem: ParsedProblem, fills: readonly ExactFill[]): readonly bigint[] {
  const { objective } = problem;
  if (objective.kind === 'rebalance') return objective.holdings;
  if (objective.kind === 'batch') return supply(fills, problem.nodes.length);
  return problem.nodes.map((_, i) => (i === objective.sell ? objective.amount : 0n));
}

/** What must stay untouched: the holdings of nodes in no target. */
function reserved(problem: ParsedProblem): readonly bigint[] {
  const { objective } = problem;
  if (objective.kind !== 'rebalance') return problem.nodes.map(() => 0n);
  return objective.holdings.map((amount, i) => (objective.targetOfNode[i] === -1 ? amount : 0n));
}

/**
 * Runs all legs, then pays a batch's orders. The execution is null when any failure makes it
 * meaningless.
 */
export function execute(
  problem: ParsedProblem,
  legs: readonly Leg[],
  orders?: readonly OrderFill[],
): { readonly execution: Execution | null; readonly failures: readonly Failure[] } {
  const { fills, failures: unread } = readFills(problem, orders);
  const failures: Failure[] = [...unread];
  const before = initialBalances(problem, fills);
  const balances = [...before];
  const kept = reserved(problem);
  const caps = inputCaps(problem);
  const used = new Set<number>();
  const exact: ExactLeg[] = [];
  legs.forEach((leg, i) => {
    const pointer = `/legs/${i}`;
    const read = readLeg(problem, leg, pointer);
    if ('code' in read) {
      failures.push(read);
      return;
    }
    const { venue, nodeIn, nodeOut, amountIn, amountOut } = read;
    if (used.has(venue.index)) {
      const message = `venue ${venue.id} is already used by an earlier leg`;
      failures.push({ code: 'venueUsedTwice', pointer: `${pointer}/venue`, message });
    }
    used.add(venue.index);
    const cap = caps[nodeIn] ?? null;
    if (cap !== null && amountIn > cap) {
      const message = `takes in ${amountIn}, more than settings.venueInputCap allows: ${cap}`;
      failures.push({ code: 'venueInputCap', pointer: `${pointer}/in/amount`, message });
    }
    const available = present(balances[nodeIn], 'balance') - present(kept[nodeIn], 'reserve');
    if (amountIn > available) {
      const message = `spends ${amountIn} of ${leg.in.node}, which can spend ${available} by then`;
      failures.push({ code: 'conservation', pointer: `${pointer}/in/amount`, message });
    }
    balances[nodeIn] = present(balances[nodeIn], 'balance') - amountIn;
    balances[nodeOut] = present(balances[nodeOut], 'balance') + amountOut;
    exact.push(read);
  });
  if (unread.length === 0) failures.push(...pay(problem, fills, balances));
  const whole = failures.length === 0;
  return { execution: whole ? { legs: exact, fills, before, after: balances } : null, failures };
}

/** Takes what the executed orders are paid out of the balances. */
function pay(
  problem: ParsedProblem,
  fills: readonly ExactFill[],
  balances: bigint[],
): readonly Failure[] {
  for (const { order, amountOut } of fills) {
    balances[order.buy] = present(balances[order.buy], 'balance') - amountOut;
  }
  return problem.nodes.flatMap(({ id }, node): readonly Failure[] => {
    const short = -present(balances[node], 'balance');
    if (short <= 0n || fills.length === 0) return [];
    const message = `the orders that buy ${id} are paid ${short} more than the plan leaves there`;
    return [{ code: 'conservation', pointer: '/orders', message }];
  });
}

/** Nothing traded, no order executed: always possible. */
export function still(problem: ParsedProblem): Execution {
  const before = initialBalances(problem, []);
  return { legs: [], fills: [], before, after: before };
}

/** Resolves one leg and re-executes it on its venue. */
function readLeg(problem: ParsedProblem, leg: Leg, pointer: string): ExactLeg | Failure {
  const index = problem.venueIndex.get(leg.venue);
  const venue = index === undefined ? undefined : problem.venues[index];
  if (venue === undefined) return wrong(pointer, '/venue', unknown('venue', leg.venue));
  const nodeIn = problem.nodeIndex.get(leg.in.node);
  if (nodeIn === undefined) return wrong(pointer, '/in/node', unknown('node', leg.in.node));
  const nodeOut = problem.nodeIndex.get(leg.out.node);
  if (nodeOut === undefined) return wrong(pointer, '/out/node', unknown('node', leg.out.node));
  const amountIn = amountOf(leg.in.amount);
  if (amountIn === null) return wrong(pointer, '/in/amount', NOT_BASE_UNITS);
  const amountOut = amountOf(leg.out.amount);
  if (amountOut === null) return wrong(pointer, '/out/amount', NOT_BASE_UNITS);
  const paid = exactOut(venue, nodeIn, nodeOut, amountIn);
  if (typeof paid !== 'bigint') {
    return wrong(pointer, '/in/amount', `${venue.id} refuses: ${paid.message}`);
  }
  if (paid !== amountOut) {
    const message = `${venue.id} pays exactly ${paid} for ${amountIn}, not ${amountOut}`;
    return wrong(pointer, '/out/amount', message);
  }
  return { venue, nodeIn, nodeOut, amountIn, amountOut };
}

const NOT_BASE_UNITS = 'not a decimal integer of base units';
const unknown = (what: string, id: string): string => `no ${what} has the id ${clip(id)}`;
const wrong = (pointer: string, at: string, message: string): Failure => ({
  code: 'leg',
  pointer: pointer + at,
  message,
});
