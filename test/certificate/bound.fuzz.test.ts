// The bound's one promise, attacked: on small random problems of every kind no plan found by any
// means (random search, short paths by brute force, hill climbing, the engine's own plan) is worth
// more than g(ν), for random ν, for ν improved by search, for the engine's ν, or by random cases.
//
// TRIMTAB_SEED repeats a run, TRIMTAB_BOUND_PROBLEMS makes it longer; a failure prints the seed of the
// one problem it needs.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { certifyBound } from '../../solver/certificate/bound.ts';
import { createEngine, type Engine } from '../../solver/engine/engine.ts';
import { largerOf } from '../../solver/market/decimal.ts';
import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import type { Solution } from '../../solver/types/problem.ts';
import { randomFrom, seeded } from '../market/helpers/random.ts';
import { bestPlan, emptyPlan, planWorth } from './helpers/plans.ts';
import { KINDS, type Kind, randomPrices, randomProblem } from './helpers/problems.ts';

const PROBLEMS = Number(process.env.TRIMTAB_BOUND_PROBLEMS ?? 2000);
const EFFORT = 14;
const engine = createEngine(readFileSync('.build/trimtab.wasm'));

/** Null where the engine says it does not solve such problems. */
function solved(solver: Engine, problem: ParsedProblem): Solution | null {
  try {
    return solver.solve(problem);
  } catch (error) {
    if (error instanceof InvalidInput) return null;
    throw error;
  }
}

interface Tally {
  problems: number;
  byEngine: number;
  readonly venues: Record<string, number>;
}

function attack(seed: number, kind: Kind, tally: Tally): void {
  const random = randomFrom(seed);
  const problem = randomProblem(random, kind);
  tally.problems++;
  for (const venue of problem.venues) {
    tally.venues[venue.kind] = (tally.venues[venue.kind] ?? 0) + 1;
  }
  let best = bestPlan(random, problem, EFFORT);
  const solution = solved(engine, problem);
  if (solution !== null) {
    tally.byEngine++;
    best = largerOf(best, planWorth(problem, { ...emptyPlan(problem), ...solution }));
  }
  const tried = [0.005, 0.1, 3].map((spread) => randomPrices(random, problem, spread));
  if (solution !== null) tried.push(solution.prices);
  for (const prices of tried) {
    const bound = certifyBound(problem, prices);
    const place = `seed ${seed}, ${kind}: a plan worth ${best} exceeds the bound of ${bound}`;
    expect(bound >= best, place).toBe(true);
  }
}

describe('certifyBound', () => {
  test(`property: ${PROBLEMS} problems of every kind, no plan exceeds it`, () => {
    const random = seeded('bound fuzz');
    const first = random.int(0, 2 ** 31);
    const tally: Tally = { problems: 0, byEngine: 0, venues: {} };
    for (let i = 0; i < PROBLEMS; i++) attack(first + i, KINDS[i % KINDS.length] ?? 'swap', tally);
    console.info(
      `${tally.problems} problems, ${tally.byEngine} of them solved by the engine too; venues: ` +
        `${JSON.stringify(tally.venues)}`,
    );
    expect(tally.problems).toBe(PROBLEMS);
  }, 300_000);
});
