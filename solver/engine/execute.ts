// "WASM proposes, integers dispose": turns the core's proposed amounts into exact legs. Every leg is
// re-executed with its venue's own integer arithmetic, node by node in topological order; a node a
// plan may not keep anything at hands its exact remainder to the leg that minds least. Refuses, as
// null, a proposal that cannot be executed as it stands.

import { exactOut } from '../market/exact/venue.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { inputCaps } from '../market/worth.ts';
import { present } from '../types/assert.ts';
import { supplyOf } from './encode.ts';

/** One proposed trade, base units as floats; legs of one node stand together, in order. */
export interface ProposedLeg {
  readonly venue: number;
  readonly from: number;
  readonly to: number;
  readonly amountIn: number;
  /** Dollars per log price: large = its marginal price barely moves. */
  readonly stiffness: number;
}

export interface ExactLeg {
  readonly venue: number;
  readonly from: number;
  readonly to: number;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
}

export interface ExactPlan {
  readonly legs: readonly ExactLeg[];
  /** Spendable base units left by node. */
  readonly left: readonly bigint[];
}

/** May a plan leave value at this node? */
export function keeps({ objective }: ParsedProblem, node: number): boolean {
  if (objective.kind === 'swap') return node === objective.buy;
  if (objective.kind === 'batch') return objective.orders.some(({ buy }) => buy === node);
  return objective.targetOfNode[node] !== -1;
}

/** The nearest integer; floats beyond 2^53 are integers already. */
export function toUnits(amount: number): bigint {
  return amount > 0 && Number.isFinite(amount) ? BigInt(Math.round(amount)) : 0n;
}

/** Executes the proposal in integers. */
export function executeProposal(
  problem: ParsedProblem,
  proposal: readonly ProposedLeg[],
): ExactPlan {
  const supply = problem.nodes.map((_, node) => supplyOf(problem, node));
  return executeLegs(problem, proposal, supply, []);
}

/**
 * Executes legs from `supply`, base units by node; `owed` (by node, absent is 0) must not be spent, as
 * far as it is there.
 */
export function executeLegs(
  problem: ParsedProblem,
  proposal: readonly ProposedLeg[],
  supply: readonly bigint[],
  owed: readonly bigint[],
): ExactPlan {
  const left = [...supply];
  const caps = inputCaps(problem);
  const legs: ExactLeg[] = [];
  for (let start = 0; start < proposal.length; ) {
    const node = present(proposal[start], 'leg').from;
    let end = start;
    while (end < proposal.length && proposal[end]?.from === node) end++;
    const group = proposal.slice(start, end).toSorted((a, b) => a.stiffness - b.stiffness);
    start = end;
    const source = { problem, cap: caps[node] ?? null };
    const spendable = present(left[node], 'balance') - (owed[node] ?? 0n);
    for (const leg of executeNode(source, group, spendable > 0n ? spendable : 0n)) {
      legs.push(leg);
      left[node] = present(left[node], 'balance') - leg.amountIn;
      left[leg.to] = present(left[leg.to], 'balance') + leg.amountOut;
    }
  }
  return { legs, left };
}

/** Where legs start: `cap` is the most a venue may take in there (settings.venueInputCap). */
interface Source {
  readonly problem: ParsedProblem;
  readonly cap: bigint | null;
}

/** All legs out of one node; the last ones take what the earlier ones could not. */
function executeNode(
  source: Source,
  group: readonly ProposedLeg[],
  available: bigint,
): readonly ExactLeg[] {
  const { problem, cap } = source;
  const legs: (ExactLeg | null)[] = [];
  const amounts = group.map(({ amountIn }) => toUnits(amountIn));
  let rest = available;
  group.forEach((leg, k) => {
    const last = k === group.length - 1 && !keeps(problem, leg.from);
    const free = last ? rest : min(present(amounts[k], 'amount'), rest);
    const wish = cap === null ? free : min(free, cap);
    const exact =
      executeLeg(source, leg, wish) ??
      executeLeg(source, leg, min(wish, present(amounts[k], 'amount')));
    legs.push(exact);
    rest -= exact?.amountIn ?? 0n;
  });
  if (rest > 0n && !keeps(problem, present(group[0], 'leg').from)) topUp(source, group, legs, rest);
  return legs.filter((leg) => leg !== null);
}

/** Offers a remainder that the last leg refused to the others, the least minding first. */
function topUp(
  source: Source,
  group: readonly ProposedLeg[],
  legs: (ExactLeg | null)[],
  rest: bigint,
): void {
  for (let k = group.length - 1; k >= 0; k--) {
    const leg = present(group[k], 'leg');
    const more = executeLeg(source, leg, (legs[k]?.amountIn ?? 0n) + rest);
    if (more === null) continue;
    legs[k] = more;
    return;
  }
}

/** A venue asked for all it has may be asked for a rounding too much: how far to give way. */
const RETREATS = [0n, 52n, 48n, 44n, 40n] as const;

function executeLeg({ problem, cap }: Source, leg: ProposedLeg, wish: bigint): ExactLeg | null {
  if (cap !== null && wish > cap) return null;
  const venue = present(problem.venues[leg.venue], 'venue');
  for (const shift of RETREATS) {
    const amountIn = shift === 0n ? wish : wish - (wish >> shift) - 1n;
    if (amountIn <= 0n) return null;
    const amountOut = exactOut(venue, leg.from, leg.to, amountIn);
    if (typeof amountOut === 'bigint') {
      return { venue: leg.venue, from: leg.from, to: leg.to, amountIn, amountOut };
    }
    if (amountOut.refused !== 'outOfLiquidity' && amountOut.refused !== 'overCapacity') return null;
  }
  return null;
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
