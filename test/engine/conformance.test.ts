// The optimum against methods that share nothing with the core: bisection on the common marginal
// price of parallel pools, and HiGHS's simplex on networks of orders alone.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { ConstantProductVenue, OrderVenue, Problem } from '../../solver/types/problem.ts';
import { random, units } from './generate.ts';

const engine = createEngine(readFileSync('.build/trimtab.wasm'));
interface Highs {
  solve(model: string): { readonly ObjectiveValue: number; readonly Status: string };
}
// A CommonJS module whose types describe an ES module: required, and typed by what is used here.
const loadHighs = createRequire(import.meta.url)('highs') as () => Promise<Highs>;

const node = (id: string) => ({ id, asset: id, chain: 1, decimals: 18, price: '1' });

/** Dollars; 0 when not everything can be sold. */
function soldFor(file: Problem): number {
  const problem = parseProblem(file);
  return Number(evaluate(problem, engine.solve(problem), engine.hash).value);
}

/** Largest output of splitting `amount` over pools, by bisection on the marginal price. */
function bisect(pools: readonly ConstantProductVenue[], amount: number): number {
  const inputs = (price: number) =>
    pools.map(({ reserves, feePips }) => {
      const [a, b] = reserves.map((reserve) => Number(reserve) / 1e18);
      const keep = 1 - feePips / 1e6;
      return Math.max(0, (Math.sqrt((keep * (a ?? 0) * (b ?? 0)) / price) - (a ?? 0)) / keep);
    });
  let [low, high] = [1e-9, 1e9];
  for (let k = 0; k < 200; k++) {
    const middle = Math.sqrt(low * high);
    const sum = inputs(middle).reduce((x, y) => x + y, 0);
    if (sum > amount) low = middle;
    else high = middle;
  }
  return inputs(high).reduce((out, x, e) => {
    const pool = pools[e];
    const [a, b] = (pool?.reserves ?? []).map((reserve) => Number(reserve) / 1e18);
    const kept = x * (1 - (pool?.feePips ?? 0) / 1e6);
    return out + ((b ?? 0) * kept) / ((a ?? 0) + kept);
  }, 0);
}

describe('conformance', () => {
  test('parallel pools: bisection on the marginal price', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const rng = random(seed);
      const venues = Array.from({ length: rng.integer(1, 8) }, (_, e): ConstantProductVenue => {
        const reserve = 10 ** rng.between(3, 6);
        const feePips = rng.pick([500, 3000, 10_000]);
        const off = Math.exp(rng.between(-0.4, 0.4) * (feePips / 1e6));
        return {
          id: `p${e}`,
          kind: 'constantProduct',
          nodes: ['A', 'B'],
          reserves: [units(reserve * 1e18).toString(), units(reserve * off * 1e18).toString()],
          feePips,
          fixedCost: '0',
        };
      });
      const amount = 10 ** rng.between(-1, 6);
      const value = soldFor({
        version: 1,
        nodes: [node('A'), node('B')],
        venues,
        objective: {
          kind: 'swap',
          sell: { node: 'A', amount: units(amount * 1e18).toString() },
          buy: 'B',
        },
      });
      expect(Math.abs(value / bisect(venues, amount) - 1), `seed ${seed}`).toBeLessThan(1e-9);
    }
  });

  test('orders alone: HiGHS', async () => {
    const highs = await loadHighs();
    let infeasible = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const rng = random(1000 + seed);
      const ids = ['A', 'B', 'C', 'D', 'E'];
      const venues = Array.from({ length: 18 }, (_, e): OrderVenue => {
        const from = rng.integer(0, 4);
        const to = (from + rng.integer(1, 4)) % 5;
        const amountIn = units(10 ** rng.between(1, 4) * 1e18);
        // Every rate is below 1, so no loop earns.
        const rate = BigInt(rng.integer(900_000, 999_000));
        return {
          id: `o${e}`,
          kind: 'order',
          nodes: [ids[from] ?? 'A', ids[to] ?? 'B'],
          amountIn: amountIn.toString(),
          amountOut: ((amountIn * rate) / 1_000_000n).toString(),
          fixedCost: '0',
        };
      });
      const amount = 10 ** rng.between(1, 3);
      const { objectiveValue, status } = solveLinear(highs, ids, venues, amount);
      const value = soldFor({
        version: 1,
        nodes: ids.map(node),
        venues,
        objective: {
          kind: 'swap',
          sell: { node: 'A', amount: units(amount * 1e18).toString() },
          buy: 'B',
        },
      });
      // HiGHS may burn an excess in loops, an executable plan cannot: then the engine sells nothing.
      if (value === 0) infeasible++;
      else {
        expect(status, `seed ${seed}`).toBe('Optimal');
        expect(Math.abs(value / objectiveValue - 1), `seed ${seed}`).toBeLessThan(1e-7);
      }
    }
    expect(infeasible).toBeLessThan(20);
  });
});

/** max what reaches B, selling exactly `amount` of A, nothing left in between. */
function solveLinear(
  highs: Highs,
  ids: readonly string[],
  venues: readonly OrderVenue[],
  amount: number,
): { objectiveValue: number; status: string } {
  const rate = (v: OrderVenue) => Number(v.amountOut) / Number(v.amountIn);
  const flow = (id: string) =>
    venues
      .flatMap((v, e) => [
        ...(v.nodes[1] === id ? [`+ ${rate(v)} x${e}`] : []),
        ...(v.nodes[0] === id ? [`- 1 x${e}`] : []),
      ])
      .join(' ');
  const rows = ids
    .filter((id) => id !== 'B' && flow(id) !== '')
    .map((id) => ` ${id}: ${flow(id)} = ${id === 'A' ? -amount : 0}`);
  const bounds = venues.map((v, e) => ` 0 <= x${e} <= ${Number(v.amountIn) / 1e18}`);
  const model = `Maximize\n obj: ${flow('B')}\nSubject To\n${rows.join('\n')}\nBounds\n${bounds.join('\n')}\nEnd`;
  const { ObjectiveValue, Status } = highs.solve(model);
  return { objectiveValue: ObjectiveValue, status: Status };
}
