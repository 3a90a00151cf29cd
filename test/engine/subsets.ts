// Fixed costs by enumeration: what the best of all subsets of venues is worth. For small problems.

import { evaluate } from '../../solver/certificate/evaluate.ts';
import type { Engine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { Problem } from '../../solver/types/problem.ts';

/** Dollars; each subset is solved without costs and then charged. */
export function bestOfSubsets(engine: Engine, file: Problem): number {
  const full = parseProblem(file);
  const prices = Object.fromEntries(file.nodes.map(({ id }) => [id, '1']));
  let best = Number.NEGATIVE_INFINITY;
  for (let mask = 0; mask < 1 << file.venues.length; mask++) {
    const venues = file.venues
      .filter((_, e) => (mask >> e) & 1)
      .map((venue) => ({ ...venue, fixedCost: '0' }));
    const { legs, status } = engine.solve(parseProblem({ ...file, venues, groups: [] }));
    best = Math.max(best, Number(evaluate(full, { legs, status, prices }, engine.hash).value));
  }
  return best;
}
