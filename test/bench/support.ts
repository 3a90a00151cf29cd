// What today's core takes of a problem: kinds it refuses by name are left out of the venues, so that
// every column solves the very same problem. Which kinds those are is found by trying.

import type { Core } from '../../solver/engine/engine.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { Problem, ProblemVenue } from '../../solver/types/problem.ts';

export interface Admitted {
  readonly problem: ParsedProblem;
  readonly leftOut: readonly ProblemVenue['kind'][];
}

/** The problem without the kinds this core cannot take; null, with the reason, if it is too large. */
export function admit(
  core: Pick<Core, 'encode' | 'solve'>,
  file: Problem,
): Admitted | { readonly refused: string } {
  const leftOut: ProblemVenue['kind'][] = [];
  for (;;) {
    const venues = file.venues.filter(({ kind }) => !leftOut.includes(kind));
    try {
      const problem = parseProblem({ ...file, venues });
      core.encode(problem);
      core.solve(problem);
      return { problem, leftOut };
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      const at = /^\/venues\/(\d+)\/kind$/.exec(error.pointer)?.[1];
      const kind = at === undefined ? undefined : venues[Number(at)]?.kind;
      if (kind === undefined || leftOut.includes(kind)) return { refused: error.message };
      leftOut.push(kind);
    }
  }
}
