// What must hold of every answer to every problem, however strange: the engine answers or refuses by
// name, never traps; the checker, which shares nothing with it, accepts the published result: legs
// re-execute exactly, every node's balance adds up to the unit, value ≤ bound. Gaps wider than asked
// for, routes not found and work that ran out are no failures: they are counted and printed.

import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import type { Engine } from '../../solver/engine/engine.ts';
import { exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { Solution } from '../../solver/types/problem.ts';
import type { StrangeProblem } from './problems.ts';

const GAP_BPS = 0.01;

/** How one problem ended; `miss` says what is less than asked for, null if nothing. */
export interface Outcome {
  readonly status: Solution['status'] | 'refused';
  readonly miss: string | null;
}

/** Solves and checks; throws, with the whole problem in the message, if a promise is broken. */
export function examine(engine: Engine, strange: StrangeProblem): Outcome {
  try {
    return outcomeOf(engine, strange);
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const text = JSON.stringify(strange.problem);
    throw new Error(`${strange.category} ${strange.objective}: ${message}\n${text}`);
  }
}

function outcomeOf(engine: Engine, { problem: file, grain }: StrangeProblem): Outcome {
  let problem: ParsedProblem;
  let solution: Solution;
  try {
    problem = parseProblem(file);
    solution = engine.solve(problem);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return { status: 'refused', miss: error.code === 'unsupported' ? null : error.code };
  }
  const result = evaluate(problem, solution, engine.hash);
  const verdict = verify(problem, result);
  if (!verdict.ok) throw new Error(verdict.failures.map(({ message }) => message).join('; '));
  const { status } = solution;
  if (status === 'noRoute' || status === 'infeasible') {
    return { status, miss: directRoute(problem) ? 'route not found' : null };
  }
  if (status === 'limit') return { status, miss: 'limit' };
  const gap = Number(result.gapBps);
  const traded = ((Number(result.bound) - Number(result.value)) / gap) * 1e4;
  const rounding = ((solution.legs.length + 1) * 2 * grain * 1e4) / traded;
  const missed = gap - (Number.isFinite(rounding) ? rounding : 0) > GAP_BPS;
  return { status, miss: missed ? 'gap' : null };
}

/** Would one venue alone take the whole order? */
function directRoute(problem: ParsedProblem): boolean {
  const { objective, venues, settings } = problem;
  if (objective.kind !== 'swap' || settings.venueInputCap !== null) return false;
  const { sell, buy, amount } = objective;
  return venues.some(
    (venue) =>
      venue.nodes.includes(sell) &&
      venue.nodes.includes(buy) &&
      accepts(() => exactOut(venue, sell, buy, amount)),
  );
}

function accepts(quote: () => unknown): boolean {
  const out = quote();
  return typeof out === 'bigint' && out > 0n;
}

/** Outcomes by category and objective. */
export class Tally {
  readonly #rows = new Map<string, { count: number; misses: Map<string, number> }>();
  count = 0;

  add({ category, objective }: StrangeProblem, { status, miss }: Outcome): void {
    const row = this.#rows.get(`${category} ${objective}`) ?? { count: 0, misses: new Map() };
    this.#rows.set(`${category} ${objective}`, row);
    row.count++;
    this.count++;
    if (miss === null) return;
    const name = miss === status ? miss : `${status}: ${miss}`;
    row.misses.set(name, (row.misses.get(name) ?? 0) + 1);
  }

  /** One line per category that missed anything, then the sum. */
  report(): string {
    const lines = [...this.#rows]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, row]) => {
        if (row.misses.size === 0) return [];
        const misses = [...row.misses].map(([miss, count]) => `${count} × ${miss}`).join(', ');
        return [`  ${name}: ${misses}, of ${row.count}`];
      });
    return [`${this.count} strange problems, every promise kept; misses:`, ...lines].join('\n');
  }
}
