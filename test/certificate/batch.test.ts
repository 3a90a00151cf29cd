// A batch through the checker: what its plans are worth, which orders it may fill and how, what is
// left where, and every way of bending a result.

import { describe, expect, test } from 'vitest';
import { evaluate } from '../../solver/certificate/evaluate.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { parseResult } from '../../solver/market/resultFile.ts';
import type { OrderFill, Problem, ProblemResult } from '../../solver/types/problem.ts';

const ENGINE = `0x${'00'.repeat(32)}`;
const node = (id: string, price: string) => ({ id, asset: id, chain: 1, decimals: 0, price });

/** Two orders the opposite way and one fill-or-kill behind a venue. */
const file: Problem = {
  version: 1,
  nodes: [node('a', '1'), node('b', '2'), node('c', '1')],
  venues: [
    {
      id: 'v',
      kind: 'order',
      nodes: ['a', 'c'],
      amountIn: '50',
      amountOut: '49',
      fixedCost: '0.5',
    },
  ],
  objective: {
    kind: 'batch',
    orders: [
      { id: 'x', sell: { node: 'a', amount: '100' }, buy: 'b', minOut: '40', partial: true },
      { id: 'y', sell: { node: 'b', amount: '50' }, buy: 'a', minOut: '90', partial: true },
      { id: 'z', sell: { node: 'a', amount: '50' }, buy: 'c', minOut: '45', partial: false },
    ],
  },
};
const problem = parseProblem(file);
const prices = { a: '1', b: '2', c: '1' };
const X: OrderFill = { id: 'x', in: '100', out: '49' };
const Y: OrderFill = { id: 'y', in: '50', out: '100' };
const Z: OrderFill = { id: 'z', in: '50', out: '49' };
const LEG = { venue: 'v', in: { node: 'a', amount: '50' }, out: { node: 'c', amount: '49' } };

const solved = (orders: readonly OrderFill[], legs = [LEG]) =>
  evaluate(problem, { status: 'solved', legs, prices, orders }, ENGINE);
const failuresOf = (result: ProblemResult) => {
  const verdict = verify(problem, result);
  return verdict.ok ? [] : verdict.failures.map(({ code, pointer }) => `${code} ${pointer}`);
};

describe('a batch', () => {
  test('default: value, bound, gap and final balances by hand', () => {
    const result = solved([X, Y, Z]);
    // (49 − 40)·2 + (100 − 90)·1 + (49 − 45)·1 − 0.5.
    expect(result.value).toBe('31.500000000000000000');
    // x: 100 − 80, y: 100 − 90, z: 50 − 45; the venue loses at these prices.
    expect(result.bound).toMatch(/^35\.000000000000/);
    // Σ executed sells: 100 + 100 + 50 dollars.
    expect(Number(result.gapBps)).toBeCloseTo((3.5 / 250) * 1e4, 6);
    // b was paid 49 of 50; c came and went.
    expect(result.final).toEqual({ a: '0', b: '1' });
    expect(verify(problem, parseResult(JSON.parse(JSON.stringify(result))))).toEqual({ ok: true });
  });

  test('behavior: opposite orders net without any venue; part of an order rounds its limit up', () => {
    const result = solved(
      [
        { id: 'x', in: '51', out: '21' },
        { id: 'y', in: '25', out: '51' },
      ],
      [],
    );
    // (21 − 20.4)·2 + (51 − 45)·1.
    expect(result.value).toBe('7.200000000000000000');
    expect(result.final).toEqual({ a: '0', b: '4' });
    expect(verify(problem, result)).toEqual({ ok: true });
    const below = [{ id: 'x', in: '51', out: '20' }, ...(result.orders ?? []).slice(1)];
    expect(failuresOf({ ...result, orders: below })).toEqual(['orders /orders/0/out']);
  });

  test('behavior: nothing executed is worth nothing, measured against what was offered', () => {
    const result = evaluate(problem, { status: 'noRoute', legs: [], prices }, ENGINE);
    expect(result.orders).toEqual([]);
    expect(result.value).toBe('0.000000000000000000');
    expect(result.final).toEqual({});
    expect(verify(problem, result)).toEqual({ ok: true });
    expect(failuresOf({ ...result, orders: [Y] })).toContain('status /status');
  });

  test('error: rejects every way of bending the orders', () => {
    const result = solved([X, Y, Z]);
    const bent = (orders: readonly OrderFill[] | undefined) => {
      const { orders: _, ...rest } = result;
      return failuresOf(orders === undefined ? rest : { ...rest, orders });
    };
    expect(bent(undefined)).toContain('orders /orders');
    expect(bent([X, Y, { ...Z, id: 'w' }])).toContain('orders /orders/2/id');
    expect(bent([X, Y, Z, X])).toContain('orders /orders/3/id');
    expect(bent([{ ...X, in: '101' }, Y, Z])).toContain('orders /orders/0/in');
    expect(bent([{ ...X, in: '0' }, Y, Z])).toContain('orders /orders/0/in');
    expect(bent([X, Y, { ...Z, in: '49' }])).toContain('orders /orders/2/in');
    expect(bent([{ ...X, out: '39' }, Y, Z])).toContain('orders /orders/0/out');
    // One more than the plan leaves there, one less, and an order left out.
    expect(bent([X, { ...Y, out: '101' }, Z])).toEqual(['conservation /orders']);
    expect(bent([X, { ...Y, out: '99' }, Z])).toEqual([
      'value /value',
      'gap /gapBps',
      'final /final/a',
    ]);
    expect(bent([X, Y])).toContain('conservation /orders');
  });

  test('error: objectives and results that are not batches have no orders', () => {
    const swap = parseProblem({
      ...file,
      objective: { kind: 'swap', sell: { node: 'a', amount: '10' }, buy: 'c' },
    });
    const plain = evaluate(swap, { status: 'noRoute', legs: [], prices }, ENGINE);
    expect(plain.orders).toBeUndefined();
    expect(verify(swap, { ...plain, orders: [] })).toMatchObject({ ok: false });
  });
});
