// The shared vectors: parallel pools, whose largest exact output is known, and a rebalance over three
// chains with fixed costs, whose value the certificate bounds.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblemText } from '../../solver/market/problemFile.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
const text = (name: string) => readFileSync(`test/vectors/problems/${name}`, 'utf8');

/** Each venue's output is rounded down once; the split cannot do better than lose that. */
const ROUNDING_UNITS = 5n;

describe('vectors', () => {
  test.each([0, 1, 2, 3])('parallel-%i: the largest exact output', (k) => {
    const problem = parseProblemText(text(`parallel-${k}.json`));
    const result = evaluate(problem, engine.solve(problem), engine.hash);
    const expected = BigInt(text(`parallel-${k}.expected`).trim());
    const bought = BigInt(result.final['1:B'] ?? '0');
    expect(bought).toBeGreaterThanOrEqual(expected - ROUNDING_UNITS);
    expect(bought).toBeLessThanOrEqual(expected + ROUNDING_UNITS);
    expect(result.final['1:A']).toBe('0');
    expect(verify(problem, result)).toEqual({ ok: true });
  });

  test('rebalance-three-chains: within its fixed costs of the bound, weights exact', () => {
    const problem = parseProblemText(text('rebalance-three-chains.json'));
    const result = evaluate(problem, engine.solve(problem), engine.hash);
    console.log(`rebalance-three-chains: value ${result.value}, gap ${result.gapBps} bp`);
    expect(result.status).toBe('solved');
    expect(Number(result.gapBps)).toBeLessThan(0.1);
    expect(verify(problem, result)).toEqual({ ok: true });
    const worth = (id: string, price: number, decimals: number) =>
      (Number(result.final[id] ?? 0) * price) / 10 ** decimals;
    const parts = [
      worth('31338:WETH', 3000, 18) + worth('31339:WETH', 3000, 18),
      ['31338', '31339', '31340'].reduce((sum, chain) => sum + worth(`${chain}:USDC`, 1, 6), 0),
      worth('31340:WBTC', 60_000, 8),
    ];
    const total = parts.reduce((a, b) => a + b);
    // One satoshi is 6e-4 dollars: 1e-8 of this portfolio's WBTC.
    [0.5, 0.2, 0.3].forEach((weight, g) => {
      expect(Math.abs((parts[g] ?? 0) / total / weight - 1)).toBeLessThan(2e-8);
    });
  });
});
