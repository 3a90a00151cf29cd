// Rebalances whose balance one scarce target decides: all else is worth about 10⁻¹² in the dual, so that
// its flows there say nothing. Each seed was once far below its own bound.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { type Convex, convexCase } from '../twin/generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const GAP_BPS = 1e-4;

const SEEDS: readonly (readonly [Convex, number])[] = [
  ['linearPortfolio', 1000137],
  ['linearPortfolio', 1015029],
  ['linearPortfolio', 1015236],
  ['linearPortfolio', 1008381],
  ['linearPortfolio', 1013991],
  ['linearPortfolio', 1006350],
  ['linearPortfolio', 1006493],
  ['linearPortfolio', 1012819],
  ['linearPortfolio', 1021607],
  ['linearPortfolio', 1022286],
  ['smoothPortfolio', 1001066],
  ['smoothPortfolio', 1022285],
];

describe('a scarce target', () => {
  test.each(SEEDS)('behavior: %s %i reaches the balance its dual proves', (family, seed) => {
    const problem = parseProblem(convexCase(family, seed).problem);
    const result = evaluate(problem, engine.solve(problem), engine.hash);
    expect(result.status).toBe('solved');
    expect(Number(result.gapBps)).toBeLessThanOrEqual(GAP_BPS);
    expect(verify(problem, result)).toEqual({ ok: true });
  });

  test('behavior: what is spent on purpose leaves no trace in the next quote of a session', () => {
    const [scarce, plain] = [1015029, 1000138].map((seed) =>
      parseProblem(convexCase('linearPortfolio', seed).problem),
    ) as [ReturnType<typeof parseProblem>, ReturnType<typeof parseProblem>];
    const session = engine.open(scarce);
    const first = session.solve(scarce);
    expect(first).toEqual(engine.solve(scarce));
    expect(session.solve(plain)).toEqual(engine.solve(plain));
    expect(session.solve(scarce)).toEqual(first);
  });
});
