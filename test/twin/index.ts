// The twin: the optimizer's algorithms as plain TypeScript, for differential tests against the core
// and as a column of the bench. Reads OPTIMIZER.md's method top to bottom: pack (ParsedProblem →
// network), dual (ĝ and its derivatives), newton and minimise, recover, choice and search (what costs
// something). Its float plan goes through the same exact re-execution as the engine's.

import { exact36 } from '../../solver/engine/decode.ts';
import { type ExactLeg, executeProposal } from '../../solver/engine/execute.ts';
import { fixed36, formatFixed36 } from '../../solver/market/decimal.ts';
import type { ParsedNode, ParsedProblem } from '../../solver/market/parsedProblem.ts';
import type { Leg, Solution } from '../../solver/types/problem.ts';
import { executeBatch } from './batch.ts';
import { pack } from './pack.ts';
import { type Outcome, solve } from './search.ts';

/** Packs once; every call solves cold and answers in floats. For timing. */
export function prepareTwin(problem: ParsedProblem): () => Outcome {
  const net = pack(problem);
  return () => solve(net);
}

/** The whole solve: legs exact and in execution order, prices in dollars per whole token. */
export function solveTwin(problem: ParsedProblem): Solution {
  return finish(problem, prepareTwin(problem)());
}

function finish(problem: ParsedProblem, { status, best, nu }: Outcome): Solution {
  const prices = decimalPrices(problem, nu);
  const { objective } = problem;
  const found = status === 'solved' || status === 'limit' ? best : null;
  const proposal = (found?.legs ?? []).map(({ venue, from, to, input, stiffness }) => {
    return { venue, from, to, amountIn: input / scaleOf(problem, from), stiffness };
  });
  if (objective.kind === 'batch') {
    const { legs, orders } = executeBatch(problem, objective, found?.fills ?? [], proposal);
    return { status, prices, legs: legs.map((leg) => named(problem, leg)), orders };
  }
  const { legs } = executeProposal(problem, proposal);
  return { status, prices, legs: legs.map((leg) => named(problem, leg)) };
}

function named({ nodes, venues }: ParsedProblem, leg: ExactLeg): Leg {
  const { venue, from, to, amountIn, amountOut } = leg;
  return {
    venue: venues[venue]?.id as string,
    in: { node: nodes[from]?.id as string, amount: amountIn.toString() },
    out: { node: nodes[to]?.id as string, amount: amountOut.toString() },
  };
}

/** Units per base unit; pack.ts uses the same. */
function scaleOf({ nodes }: ParsedProblem, i: number): number {
  const node = nodes[i] as ParsedNode;
  return (node.price === null ? 1 : Number(node.price) / 1e36) / 10 ** node.decimals;
}

/** A unit of a priced node is a dollar's worth at its price: dollars per token = ν × price. */
function decimalPrices(
  { nodes, objective }: ParsedProblem,
  nu: readonly number[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    nodes.map(({ id, price }, i) => {
      const dual = exact36(nu[i] as number);
      const own = objective.kind === 'swap' && i === objective.buy;
      const exact = price === null ? dual : own ? price : fixed36((dual * price) / 10n ** 36n);
      return [id, formatFixed36(exact > 0n ? exact : fixed36(1n))];
    }),
  );
}
