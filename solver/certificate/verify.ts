// The independent check of a published result: recomputes everything that follows from the problem,
// the legs, the orders and the dual prices, by cases or not, and compares. Never runs the solver and shares no code with it; the
// SDK and the browser use it too. A result stands when its digest, legs, balances, value, bound,
// gap and costs are all exactly what they should be; otherwise every failure found is listed.

import { parseFixed36 } from '../market/decimal.ts';
import { pointerTo } from '../market/jsonText.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { InvalidInput } from '../types/errors.ts';
import type { ProblemResult } from '../types/problem.ts';
import { leavesOf } from './branches.ts';
import { parseDualPrices } from './dualPrices.ts';
import { assess, loopsBound } from './evaluate.ts';
import { execute } from './execution.ts';
import type { Failure } from './failure.ts';

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
  const run = execute(problem, result.legs, result.orders);
  failures.push(...run.failures);
  const unreadable = checkProof(problem, result);
  failures.push(...unreadable);
  if (run.execution !== null && unreadable.length === 0) {
    const truth = assess(problem, run.execution, result);
    failures.push(...compare(result, truth));
  }
  failures.push(...checkLoops(problem, result));
  return failures.length === 0 ? { ok: true } : { ok: false, failures };
}

function checkStatus(problem: ParsedProblem, result: ProblemResult): readonly Failure[] {
  const { status, legs, orders = [] } = result;
  const empty = status === 'noRoute' || status === 'infeasible';
  if (empty && orders.length > 0) {
    return [{ code: 'status', pointer: '/status', message: `${status} executes no orders` }];
  }
  if (empty && legs.length > 0) {
    return [{ code: 'status', pointer: '/status', message: `${status} leaves no legs` }];
  }
  if (status === 'solved' && legs.length === 0 && problem.objective.kind === 'swap') {
    return [{ code: 'status', pointer: '/status', message: 'a solved swap has at least one leg' }];
  }
  return [];
}

/** Whether the dual prices and branches can be read against the problem at all. */
function checkProof(problem: ParsedProblem, result: ProblemResult): readonly Failure[] {
  const { prices, branches } = result;
  return [
    ...attempt('prices', () => parseDualPrices(problem, prices)),
    ...(branches === undefined ? [] : attempt('branches', () => leavesOf(problem, branches))),
  ];
}

/** What free money is said to be in the bound is what its own prices prove. */
function checkLoops(problem: ParsedProblem, { loops }: ProblemResult): readonly Failure[] {
  if (loops === undefined) return [];
  let correct = '';
  const failures = attempt('loops', () => {
    correct = loopsBound(problem, loops.prices);
  });
  if (failures.length > 0 || sameNumber(loops.bound, correct)) return failures;
  const message = `says ${loops.bound}, recomputed ${correct}`;
  return [{ code: 'loops', pointer: '/loops/bound', message }];
}

/** InvalidInput as a failure. */
function attempt(code: Failure['code'], read: () => unknown): readonly Failure[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return [{ code, pointer: error.pointer, message: error.message }];
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
  // What was recomputed is a number, even one too large for a file.
  if (a === b) return true;
  try {
    return parseFixed36(a, { signed: true }) === parseFixed36(b, { signed: true });
  } catch (error) {
    if (error instanceof InvalidInput) return false;
    throw error;
  }
}
