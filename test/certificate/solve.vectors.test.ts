// The whole path solve → verify, on the shared problem files and on random problems: every result
// that solve produces is accepted, and the vectors' best outputs are reached.

import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../solver/certificate/verify.ts';
import { createEngine, type Engine } from '../../solver/engine/engine.ts';
import { formatFixed36, parseFixed36 } from '../../solver/market/decimal.ts';
import { parseProblemText } from '../../solver/market/problemFile.ts';
import { parseResultText } from '../../solver/market/resultFile.ts';
import { solveProblem } from '../../solver/quoting/solve.ts';
import { seeded } from '../market/helpers/random.ts';
import { type Kind, randomProblem } from './helpers/problems.ts';

const VECTORS = 'test/vectors/problems';
const WASM = '.build/trimtab.wasm';
/** "Within a few units of rounding" (shared vectors' README). */
const UNITS = 3n;

describe('solveProblem', () => {
  let engine: Engine;
  beforeAll(() => {
    if (!existsSync(WASM)) throw new Error(`${WASM} is missing: run npm run build`);
    engine = createEngine(readFileSync(WASM));
  });
  const problemOf = (name: string) =>
    parseProblemText(readFileSync(`${VECTORS}/${name}.json`, 'utf8'));

  for (const name of ['parallel-0', 'parallel-1', 'parallel-2', 'parallel-3']) {
    it(`behavior: ${name} reaches the largest exact output`, () => {
      const problem = problemOf(name);
      const expected = BigInt(readFileSync(`${VECTORS}/${name}.expected`, 'utf8').trim());
      const result = solveProblem(engine, problem);
      expect(BigInt(result.final['1:B'] ?? '0')).toBeGreaterThanOrEqual(expected - UNITS);
      expect(result.final['1:A'] ?? '0').toBe('0');
      expect(verify(problem, result)).toEqual({ ok: true });
    });
  }

  it('behavior: rebalance-three-chains is solved, certified and verified', () => {
    const problem = problemOf('rebalance-three-chains');
    const result = solveProblem(engine, problem);
    expect(result.status).toBe('solved');
    expect(Number(result.gapBps)).toBeLessThan(0.2);
    expect(verify(problem, parseResultText(JSON.stringify(result)))).toEqual({ ok: true });
    expect(JSON.stringify(solveProblem(engine, problem))).toBe(JSON.stringify(result));
  });

  it('behavior: a flow emptied on the way keeps its place (this once never returned)', () => {
    const problem = problemOf('emptied-flow');
    expect(verify(problem, solveProblem(engine, problem))).toEqual({ ok: true });
  });

  for (const kind of ['swap', 'balanced'] as const satisfies readonly Kind[]) {
    it(`property: verify accepts every result of a random ${kind} problem`, () => {
      const random = seeded(`solve ${kind}`);
      for (let i = 0; i < 60; i++) {
        const problem = randomProblem(random, kind);
        const result = solveProblem(engine, problem);
        const verdict = verify(problem, parseResultText(JSON.stringify(result)));
        expect(verdict, JSON.stringify(problem.source)).toEqual({ ok: true });
      }
    });
  }

  it('behavior: a plan worth less than its fixed costs is not published', () => {
    const source = JSON.parse(readFileSync(`${VECTORS}/parallel-0.json`, 'utf8'));
    for (const venue of source.venues) venue.fixedCost = '5000';
    const problem = parseProblemText(JSON.stringify(source));
    const result = solveProblem(engine, problem);
    expect(result).toMatchObject({ status: 'noRoute', legs: [], value: '0.000000000000000000' });
    expect(verify(problem, result)).toEqual({ ok: true });
  });

  it('behavior: prices in a result are decimals that survive a round trip', () => {
    const { prices } = solveProblem(engine, problemOf('parallel-1'));
    for (const price of Object.values(prices))
      expect(formatFixed36(parseFixed36(price))).toBe(price);
  });
});
