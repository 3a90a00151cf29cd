// Problem → published result: the optimizer proposes, the checker judges. Pure; the same problem and
// engine give the same result, byte for byte. Never publishes a plan that is worth less than doing
// nothing: fixed costs can exceed what trading brings.

import { planValue } from '../certificate/accounts.ts';
import { evaluate, evaluateExecuted, executed } from '../certificate/evaluate.ts';
import { still } from '../certificate/execution.ts';
import type { Engine } from '../engine/engine.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import type { ProblemResult, Solution } from '../types/problem.ts';

/**
 * Solves and certifies. Throws InvalidInput for problems beyond the engine's limits and Defect when
 * the engine's plan does not execute in exact integers.
 */
export function solveProblem(engine: Engine, problem: ParsedProblem): ProblemResult {
  return judge(problem, engine.solve(problem), engine.hash);
}

/** The judging half, for a solution found elsewhere: a worker's, say. */
export function judge(
  problem: ParsedProblem,
  solution: Solution,
  engineHash: string,
): ProblemResult {
  const execution = executed(problem, solution);
  // Opposite orders of a batch net without a single leg.
  const trades = execution.legs.length > 0 || execution.fills.length > 0;
  const value = trades ? planValue(problem, execution) : null;
  if (value !== null && value > planValue(problem, still(problem))) {
    return evaluateExecuted(problem, solution, execution, engineHash, value);
  }
  return evaluate(problem, idle(problem, solution), engineHash);
}

/** The same dual prices, no trade: a swap then has no route worth its costs. */
function idle(problem: ParsedProblem, { status, prices }: Solution): Solution {
  const noTrade = problem.objective.kind === 'swap' ? 'noRoute' : 'solved';
  return { status: status === 'solved' ? noTrade : status, legs: [], prices };
}
