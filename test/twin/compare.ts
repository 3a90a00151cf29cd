// The differential test itself: core and twin solve the same problem, the checker judges both. What
// must hold whatever either did: neither's bound lies below the other's plan. What should hold: the
// same status, value and bound, within what was asked for (0.01 bp) and what base units cannot resolve.

import { evaluate } from '../../solver/certificate/evaluate.ts';
import type { Engine } from '../../solver/engine/engine.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { orderWorth } from '../../solver/market/worth.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { Problem, ProblemResult, Solution, SolveStatus } from '../../solver/types/problem.ts';
import { solveTwin } from './index.ts';

const TOLERANCE_BPS = 0.01;

export interface Case {
  readonly name: string;
  readonly problem: Problem;
  /** Dollars per base unit of the coarsest token: what no plan can avoid losing, per leg. */
  readonly grain: number;
}

export interface Tally {
  compared: number;
  /** By reason: what one of the two refuses, or what is no problem. */
  readonly skipped: Map<string, number>;
  /** By pair of statuses. */
  readonly statuses: Map<string, number>;
  /** A bound below a plan that someone found: never. */
  readonly falseBounds: string[];
  /** The core's plan or bound is worse, the twin's is, or only the statuses differ. */
  readonly coreWorse: string[];
  readonly twinWorse: string[];
  readonly statusDiffers: string[];
}

export function compare(engine: Engine, cases: Iterable<Case>): Tally {
  const tally: Tally = {
    compared: 0,
    skipped: new Map(),
    statuses: new Map(),
    falseBounds: [],
    coreWorse: [],
    twinWorse: [],
    statusDiffers: [],
  };
  for (const one of cases) {
    const problem = read(one.problem);
    if (problem === null) count(tally.skipped, 'not a problem');
    else compareOne(engine, problem, one, tally);
  }
  return tally;
}

/** A generator may draw a portfolio that holds nothing in any target: not a problem. */
function read(file: Problem): ParsedProblem | null {
  try {
    return parseProblem(file);
  } catch (error) {
    if (error instanceof InvalidInput) return null;
    throw error;
  }
}

function compareOne(engine: Engine, problem: ParsedProblem, one: Case, tally: Tally): void {
  let core: ProblemResult;
  let twin: ProblemResult;
  try {
    const proposed = proposedBy(engine, problem, tally);
    if (proposed === null) return;
    core = evaluate(problem, proposed, engine.hash);
    twin = evaluate(problem, solveTwin(problem), engine.hash);
  } catch (error) {
    throw new Error(`${one.name} failed: ${String(error)}`, { cause: error });
  }
  tally.compared++;
  count(tally.statuses, `${core.status}/${twin.status}`);
  const [coreValue, twinValue] = [Number(core.value), Number(twin.value)];
  const [coreBound, twinBound] = [Number(core.bound), Number(twin.bound)];
  const what =
    `${one.name}: core ${core.status} ${core.value} ≤ ${core.bound}, ` +
    `twin ${twin.status} ${twin.value} ≤ ${twin.bound}`;
  if (below(core.bound, twin.value) || below(twin.bound, core.value)) tally.falseBounds.push(what);
  const legs = Math.max(core.legs.length, twin.legs.length) + 1;
  const worth = Number(orderWorth(problem)) / 1e72;
  // Doubles carry 53 bits of values that may be far above the traded worth.
  const rounding = 2 * legs * one.grain + 1e-15 * Math.max(coreBound, twinBound);
  const tolerance = (TOLERANCE_BPS / 1e4) * worth + rounding;
  if (twinValue > coreValue + tolerance || coreBound > twinBound + tolerance) {
    tally.coreWorse.push(what);
  }
  if (coreValue > twinValue + tolerance || twinBound > coreBound + tolerance) {
    tally.twinWorse.push(what);
  }
  const close = Math.abs(coreValue - twinValue) <= tolerance;
  if (!sameStatus(core.status, twin.status) && !close) tally.statusDiffers.push(what);
}

/** The core's answer, or null with what it refuses counted. */
function proposedBy(engine: Engine, problem: ParsedProblem, tally: Tally): Solution | null {
  try {
    return engine.solve(problem);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    count(tally.skipped, `${error.code}: ${error.message}`);
    return null;
  }
}

/**
 * Equal, or different words for the same answer: `noRoute` and `infeasible` are both "no plan sells
 * it all" (the twin counts its own work, so `limit` may meet `solved`: then the values decide).
 */
function sameStatus(a: SolveStatus, b: SolveStatus): boolean {
  const word = (status: SolveStatus) => (status === 'noRoute' ? 'infeasible' : status);
  return word(a) === word(b);
}

/** Exact comparison of two decimals of 18 places. */
function below(a: string, b: string): boolean {
  const units = (text: string) => BigInt(text.replace('.', ''));
  return units(a) < units(b);
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** One line of what happened, then every disagreement. */
export function report(title: string, tally: Tally): string {
  const { coreWorse, twinWorse, statusDiffers, falseBounds } = tally;
  const list = (map: ReadonlyMap<string, number>) =>
    [...map].map(([key, times]) => `${key} ${times}`).join(', ') || 'none';
  const details = [
    ...falseBounds.map((line) => `  false bound: ${line}`),
    ...coreWorse.map((line) => `  core worse: ${line}`),
    ...twinWorse.map((line) => `  twin worse: ${line}`),
    ...statusDiffers.map((line) => `  status: ${line}`),
  ].slice(0, 24);
  return [
    `${title}: ${tally.compared} compared (${list(tally.statuses)}); skipped: ${list(tally.skipped)}; ` +
      `core worse ${coreWorse.length}, twin worse ${twinWorse.length}`,
    ...details,
  ].join('\n');
}
