// Plans found by trying, never by the optimizer: a plan is a list of steps, each a share of what its
// node can spend by then, and a share of every order of a batch. All of them execute exactly, so any
// value found is a value the bound must not fall below.

import { planValue } from '../../../solver/certificate/accounts.ts';
import { type ExactLeg, type Execution, execute } from '../../../solver/certificate/execution.ts';
import { batchPayout } from '../../../solver/market/batchPayout.ts';
import { exactOut } from '../../../solver/market/exact/venue.ts';
import type { ParsedProblem } from '../../../solver/market/parsedProblem.ts';
import { inputCaps, unitPrices } from '../../../solver/market/worth.ts';
import type { Leg, OrderFill } from '../../../solver/types/problem.ts';
import type { Random } from '../../market/helpers/random.ts';

export interface Plan {
  readonly legs: readonly Leg[];
  readonly orders?: readonly OrderFill[];
}

/** A plan with what comes of it, so that a search need not execute it a second time. */
interface Tried extends Plan {
  readonly execution: Execution;
}

/** Shares are of 10^6. */
interface Draft {
  readonly steps: readonly {
    readonly venue: number;
    readonly from: number;
    readonly to: number;
    readonly share: number;
  }[];
  readonly sold: readonly number[];
}

const WHOLE = 1_000_000;

/** What plans may spend at the start, by node. */
function spendable({ nodes, objective }: ParsedProblem, sold: readonly bigint[]): bigint[] {
  const balances = nodes.map(() => 0n);
  const add = (node: number, amount: bigint) => {
    balances[node] = (balances[node] ?? 0n) + amount;
  };
  if (objective.kind === 'swap') add(objective.sell, objective.amount);
  else if (objective.kind === 'batch') {
    for (const [k, { sell }] of objective.orders.entries()) add(sell, sold[k] ?? 0n);
  } else {
    for (const [node, amount] of objective.holdings.entries()) {
      if (objective.targetOfNode[node] !== -1) add(node, amount);
    }
  }
  return balances;
}

/** The plan a draft describes; null when a batch's proceeds do not pay its orders. */
function planOf(problem: ParsedProblem, draft: Draft): Tried | null {
  const { objective } = problem;
  const orders = objective.kind === 'batch' ? objective.orders : [];
  const sold = orders.map(({ amount, partial }, k) => {
    const share = BigInt(draft.sold[k] ?? 0);
    const part = (amount * share) / BigInt(WHOLE);
    return partial || share === 0n ? part : amount;
  });
  const before = spendable(problem, sold);
  const balances = [...before];
  const caps = inputCaps(problem);
  const used = new Set<number>();
  const legs: Leg[] = [];
  const exact: ExactLeg[] = [];
  for (const { venue: index, from, to, share } of draft.steps) {
    const venue = problem.venues[index];
    if (venue === undefined || used.has(index)) continue;
    const available = balances[from] ?? 0n;
    const wish = (available * BigInt(share)) / BigInt(WHOLE);
    const cap = caps[from] ?? null;
    const amount = cap !== null && wish > cap ? cap : wish;
    const out = exactOut(venue, from, to, amount);
    if (typeof out !== 'bigint') continue;
    used.add(index);
    balances[from] = available - amount;
    balances[to] = (balances[to] ?? 0n) + out;
    exact.push({ venue, nodeIn: from, nodeOut: to, amountIn: amount, amountOut: out });
    legs.push({
      venue: venue.id,
      in: { node: problem.nodes[from]?.id ?? '', amount: amount.toString() },
      out: { node: problem.nodes[to]?.id ?? '', amount: out.toString() },
    });
  }
  if (objective.kind !== 'batch') {
    return { legs, execution: { legs: exact, fills: [], before, after: balances } };
  }
  const prices = unitPrices(problem).map((price) => price ?? 1n);
  const outs = batchPayout(orders, sold, balances, prices);
  if (outs === null) return null;
  const fills = orders.flatMap(({ id }, k): OrderFill[] =>
    sold[k] === 0n ? [] : [{ id, in: `${sold[k]}`, out: `${outs[k]}` }],
  );
  const paid = orders.flatMap((order, k) =>
    sold[k] === 0n ? [] : [{ order, amountIn: sold[k] ?? 0n, amountOut: outs[k] ?? 0n }],
  );
  for (const { order, amountOut } of paid) {
    balances[order.buy] = (balances[order.buy] ?? 0n) - amountOut;
  }
  const execution = { legs: exact, fills: paid, before, after: balances };
  return { legs, orders: fills, execution };
}

/** A plan's value in the checker's eyes; throws when it does not execute. */
export function planWorth(problem: ParsedProblem, { legs, orders }: Plan): bigint {
  const { execution, failures } = execute(problem, legs, orders);
  if (execution === null) throw new Error(failures.map(({ message }) => message).join('; '));
  return planValue(problem, execution);
}

export const emptyPlan = ({ objective }: ParsedProblem): Plan =>
  objective.kind === 'batch' ? { legs: [], orders: [] } : { legs: [] };

function randomDraft(random: Random, problem: ParsedProblem): Draft {
  const { objective, venues } = problem;
  const share = () => (random.chance(0.35) ? WHOLE : random.int(0, WHOLE));
  const steps = Array.from({ length: random.int(0, venues.length * 2) }, () => {
    const index = random.int(0, venues.length - 1);
    const nodes = venues[index]?.nodes ?? [];
    const from = random.pick(nodes);
    const to = random.pick(nodes.filter((node) => node !== from));
    return { venue: index, from, to, share: share() };
  });
  const orders = objective.kind === 'batch' ? objective.orders : [];
  return { steps, sold: orders.map(() => (random.chance(0.4) ? 0 : share())) };
}

export function randomPlan(random: Random, problem: ParsedProblem): Plan {
  const tried = planOf(problem, randomDraft(random, problem));
  if (tried === null) return emptyPlan(problem);
  const { execution: _, ...plan } = tried;
  return plan;
}

interface Found {
  readonly draft: Draft;
  readonly value: bigint;
}

/** Random drafts, every short path at a few shares, then hill climbing on the shares of the best. */
export function bestPlan(random: Random, problem: ParsedProblem, effort: number): bigint {
  const none: Draft = { steps: [], sold: [] };
  let best: Found = { draft: none, value: planWorth(problem, emptyPlan(problem)) };
  const take = (draft: Draft): boolean => {
    const plan = planOf(problem, draft);
    if (plan === null) return false;
    const value = planValue(problem, plan.execution);
    if (value <= best.value) return false;
    best = { draft, value };
    return true;
  };
  for (let i = 0; i < effort; i++) take(randomDraft(random, problem));
  for (const draft of shortPaths(random, problem, effort)) take(draft);
  for (let stride = WHOLE / 4; stride >= 1; stride = Math.floor(stride / 6)) {
    for (const draft of neighbours(best.draft, stride)) take(draft);
  }
  // What the search believed is what the checker says of the plan it found.
  const found = planOf(problem, best.draft);
  if (found === null || planWorth(problem, found) !== best.value) {
    throw new Error('the plan found executes as it was tried');
  }
  return best.value;
}

/** One venue, or two in a row or side by side, at half and whole shares: all, or `most` of them. */
function shortPaths(random: Random, problem: ParsedProblem, most: number): readonly Draft[] {
  const pairs = problem.venues.flatMap(({ nodes }, venue) =>
    nodes.flatMap((from) => nodes.flatMap((to) => (from === to ? [] : [{ venue, from, to }]))),
  );
  // Path number: share of the first, first, second (none where it is the same venue's).
  const count = 2 * pairs.length * pairs.length;
  const start = count <= most ? 0 : random.int(0, count - 1);
  const stride = count <= most ? 1 : 2 * random.int(0, count) + 1;
  const sold = [WHOLE, WHOLE, WHOLE, WHOLE, WHOLE];
  return Array.from({ length: Math.min(count, most) }, (_, i): Draft => {
    const number = (start + i * stride) % count;
    const share = number % 2 === 0 ? WHOLE : WHOLE / 2;
    const rest = (number - (number % 2)) / 2;
    const first = pairs[Math.floor(rest / pairs.length)];
    const second = pairs[rest % pairs.length];
    if (first === undefined || second === undefined) return { steps: [], sold };
    const then = second.venue === first.venue ? [] : [{ ...second, share: WHOLE }];
    return { sold, steps: [{ ...first, share }, ...then] };
  });
}

function neighbours({ steps, sold }: Draft, stride: number): readonly Draft[] {
  const moved = (share: number, by: number) => Math.max(0, Math.min(WHOLE, share + by));
  return [stride, -stride].flatMap((by) => [
    ...steps.map((_, at) => ({
      sold,
      steps: steps.map((step, i) => (i === at ? { ...step, share: moved(step.share, by) } : step)),
    })),
    ...sold.map((_, at) => ({
      steps,
      sold: sold.map((share, k) => (k === at ? moved(share, by) : share)),
    })),
  ]);
}
