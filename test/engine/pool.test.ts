// The engine's two doors answer alike; the pool survives a closed door and refuses afterwards.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../solver/engine/engine.ts';
import { createEnginePool } from '../../solver/engine/pool.ts';
import { parseProblem, withObjective } from '../../solver/market/problemFile.ts';
import { rebalanceProblem, swapProblem } from '../bench/problems.ts';
import { generate, random, SMOOTH } from './generate.ts';

const wasmBytes = new Uint8Array(readFileSync('.build/trimtab.wasm'));
const problems = Array.from({ length: 12 }, (_, k) =>
  parseProblem(generate(k + 1, { ...SMOOTH, linear: 0.3 }, k % 2 ? 'swap' : 'rebalance').problem),
);

describe('createEnginePool', () => {
  test('behavior: many at once, each as the engine itself answers', async () => {
    const engine = createEngine(wasmBytes);
    const pool = createEnginePool({ wasmBytes, size: 2 });
    expect(pool.hash).toBe(engine.hash);
    const answers = await Promise.all(problems.map((problem) => pool.solve(problem)));
    expect(answers).toEqual(problems.map((problem) => engine.solve(problem)));
    await pool.close();
    await expect(pool.solve(present(problems[0]))).rejects.toThrow('closed');
  });

  test('property: quotes on shared snapshots, in any order, each as the engine itself answers', async () => {
    const engine = createEngine(wasmBytes);
    const pool = createEnginePool({ wasmBytes, size: 2 });
    const kinds = ['smooth', 'mixed', 'fixedCost'] as const;
    const markets = kinds.map((kind, k) =>
      parseProblem(swapProblem(k + 1, kind, { pools: 30, tokens: 8 })),
    );
    const rng = random(7);
    const quotes = Array.from({ length: 40 }, () => {
      const market = rng.pick(markets);
      const swap = market.source.objective;
      if (swap.kind !== 'swap') throw new Error('a swap');
      const amount = (BigInt(swap.sell.amount) * BigInt(rng.integer(1, 300))) / 100n + 1n;
      const buys = market.nodes.map(({ id }) => id).filter((id) => id !== swap.sell.node);
      const buy = rng.next() < 0.5 ? swap.buy : rng.pick(buys);
      return withObjective(market, {
        ...swap,
        sell: { ...swap.sell, amount: amount.toString() },
        buy,
      });
    });
    const answers = await Promise.all(quotes.map((quote) => pool.solve(quote)));
    for (const [k, quote] of quotes.entries()) {
      expect(answers[k], `quote ${k}`).toEqual(engine.solve(quote));
    }
    await pool.close();
  });

  test('property: rebalances on one snapshot, with and without risk, as the engine itself answers', async () => {
    const engine = createEngine(wasmBytes);
    const pool = createEnginePool({ wasmBytes, size: 2 });
    const file = rebalanceProblem(2, 'linear', { pools: 30, tokens: 8 });
    const plain = file.objective;
    if (plain.kind !== 'rebalance') throw new Error('a rebalance');
    const covariance = plain.targets.map((_, g) =>
      plain.targets.map((__, h) => (g === h ? '0.3' : '0.1')),
    );
    const market = parseProblem(file);
    const rng = random(11);
    const quotes = Array.from({ length: 24 }, (_, k) => {
      const holdings = Object.fromEntries(
        Object.entries(plain.holdings).map(([id, amount]) => [
          id,
          ((BigInt(amount) * BigInt(rng.integer(10, 300))) / 100n).toString(),
        ]),
      );
      const risk = { aversion: '2', covariance };
      return withObjective(market, { ...plain, holdings, ...(k < 12 ? {} : { risk }) });
    });
    const answers = await Promise.all(quotes.map((quote) => pool.solve(quote)));
    for (const [k, quote] of quotes.entries()) {
      expect(answers[k], `quote ${k}`).toEqual(engine.solve(quote));
    }
    await pool.close();
  });

  test('property: other targets and caps on one market with costs, as the engine itself answers', async () => {
    const engine = createEngine(wasmBytes);
    const pool = createEnginePool({ wasmBytes, size: 2 });
    const rng = random(13);
    const quotes = (['fixedCost', 'mixed'] as const).flatMap((kind, seed) => {
      const file = rebalanceProblem(seed + 3, kind, { pools: 30, tokens: 8 });
      const market = parseProblem(file);
      const { objective } = file;
      if (objective.kind !== 'rebalance') throw new Error('a rebalance');
      const nodes = objective.targets.flatMap((target) => target.nodes);
      return Array.from({ length: 16 }, (_, k) => {
        const count = rng.integer(2, 3);
        const first = rng.integer(1, 9);
        const weights = count === 2 ? [first, 10 - first] : [first, 0, 10 - first];
        const targets = weights.map((weight, g) => ({
          nodes: nodes.filter((__, i) => i % count === (g + k) % count),
          weight: `0.${String(weight * 10).padStart(2, '0')}`,
        }));
        const cap = `${rng.integer(1, 9) / 5}`;
        const settings = { ...file.settings, ...(k % 4 === 0 ? {} : { venueInputCap: cap }) };
        return withObjective(market, { ...objective, targets }, settings);
      });
    });
    const answers = await Promise.all(quotes.map((quote) => pool.solve(quote)));
    for (const [k, quote] of quotes.entries()) {
      expect(answers[k], `quote ${k}`).toEqual(engine.solve(quote));
    }
    await pool.close();
  });

  test('error: closing rejects what still waits', async () => {
    const pool = createEnginePool({ wasmBytes, size: 1 });
    const waiting = problems.map((problem) => pool.solve(problem));
    const settled = Promise.allSettled(waiting);
    await pool.close();
    const outcomes = await settled;
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
  });

  test('error: bytes that are not the core are refused', () => {
    const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    expect(() => createEngine(empty)).toThrow('exports');
  });
});

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}
