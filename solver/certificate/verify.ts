// The independent check of a published result: recomputes everything that follows from the problem,
// the legs and the dual prices, and compares. Never runs the solver and shares no code with it; the
// SDK and the browser use it too. A result stands when its digest, legs, balances, value, bound,
// gap and costs are all exactly what they should be; otherwise every failure found is listed.

import { parseFixed36 } from '../market/decimal.ts';
import { pointerTo } from '../market/jsonText.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { InvalidInput } from '../types/errors.ts';
import type { ProblemResult } from '../types/problem.ts';
import { parseDualPrices } from './bound.ts';
import { assess } from './evaluate.ts';
import { execute, type Failure } from './execution.ts';

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly failures: readonly Failure[] };

/** Checks `result` (from parseResult) against `problem`. Never throws on a false result. */
export function verify(problem: ParsedProblem, result: ProblemResult): Verdict {
  const failures: Failure[] = [];
  if (result.problem !== problem.digest) {
    failures.push({
      code: 'problemDigest',
      pointer: '/problem',
      message: `this result is for problem ${result.problem}; the file's digest is ${problem.digest}`,
    });
  }
  failures.push(...checkStatus(problem, result));
  const run = execute(problem, result.legs);
  failures.push(...run.failures);
  const priceFailure = checkPrices(problem, result);
  if (priceFailure !== null) failures.push(priceFailure);
  if (run.execution !== null && priceFailure === null) {
    const truth = assess(problem, run.execution, result.prices);
    failures.push(...compare(result, truth));
  }
  return failures.length === 0 ? { ok: true } : { ok: false, failures };
}

function checkStatus(problem: ParsedProblem, { status, legs }: ProblemResult): readonly Failure[] {
  const empty = status === 'noRoute' || status === 'infeasible';
  if (empty && legs.length > 0) {
    return [{ code: 'status', pointer: '/status', message: `${status} leaves no legs` }];
  }
  if (status === 'solved' && legs.length === 0 && problem.objective.kind === 'swap') {
    return [{ code: 'status', pointer: '/status', message: 'a solved swap has at least one leg' }];
  }
  return [];
}

function checkPrices(problem: ParsedProblem, result: ProblemResult): Failure | null {
  try {
    parseDualPrices(problem, result.prices);
    return null;
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return { code: 'prices', pointer: error.pointer, message: error.message };
  }
}

type Truth = ReturnType<typeof assess>;

function compare(result: ProblemResult, truth: Truth): readonly Failure[] {
  const failures: Failure[] = [];
  const number = (code: Failure['code'], pointer: string, claimed: string, correct: string) => {
    if (!sameNumber(claimed, correct)) {
      failures.push({ code, pointer, message: `says ${claimed}, recomputed ${correct}` });
    }
  };
  number('value', '/value', result.value, truth.value);
  number('bound', '/bound', result.bound, truth.bound);
  number('gap', '/gapBps', result.gapBps, truth.gapBps);
  number('costs', '/costs/fees', result.costs.fees, truth.costs.fees);
  number('costs', '/costs/impact', result.costs.impact, truth.costs.impact);
  number('costs', '/costs/fixed', result.costs.fixed, truth.costs.fixed);
  for (const id of new Set([...Object.keys(result.final), ...Object.keys(truth.final)])) {
    const claimed = Object.hasOwn(result.final, id) ? result.final[id] : undefined;
    const correct = Object.hasOwn(truth.final, id) ? truth.final[id] : undefined;
    if (claimed !== correct) {
      const message = `says ${claimed ?? 'nothing'}, recomputed ${correct ?? 'nothing'}`;
      failures.push({ code: 'final', pointer: pointerTo('/final', id), message });
    }
  }
  return failures;
}

function sameNumber(a: string, b: string): boolean {
  try {
    return parseFixed36(a, { signed: true }) === parseFixed36(b, { signed: true });
  } catch (error) {
    if (error instanceof InvalidInput) return false;
    throw error;
  }
}
