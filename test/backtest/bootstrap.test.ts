// Intervals: reproducible from their seed, every week drawn as often as the others, and covering what
// they should on histories whose law is known.

import { describe, expect, test } from 'vitest';
import { drawWeeks, intervalOf, redraw, runLength } from '../../solver/backtest/bootstrap.ts';
import { readEnvelope } from '../../solver/backtest/frontier.ts';
import { gaussian, mulberry } from './support.ts';

describe('drawWeeks', () => {
  test('default: every draw has as many weeks, in circular runs', () => {
    const weeks = 100;
    const { counts, orders } = drawWeeks(weeks, 7, 50);
    expect(runLength(weeks)).toBe(5);
    for (const [draw, order] of orders.entries()) {
      expect(order).toHaveLength(weeks);
      expect(counts[draw]?.reduce((a, b) => a + b, 0)).toBe(weeks);
      order.forEach((week, k) => {
        if (k % 5 !== 0) expect(week).toBe(((order[k - 1] as number) + 1) % weeks);
      });
    }
  });

  test('property: the seed alone decides, and no week is favoured', () => {
    const [one, again, other] = [drawWeeks(60, 3), drawWeeks(60, 3), drawWeeks(60, 4)];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    const totals = new Float64Array(60);
    for (const count of drawWeeks(60, 3, 4_000).counts) {
      count.forEach((times, week) => {
        totals[week] = (totals[week] as number) + times;
      });
    }
    for (const total of totals) expect(Math.abs(total / 4_000 - 1)).toBeLessThan(0.15);
  });
});

describe('intervalOf', () => {
  test('behavior: covers a known cost about as often as it says, weeks dependent or not', () => {
    for (const persistence of [0, 0.6]) {
      let covered = 0;
      const histories = 200;
      for (let seed = 1; seed <= histories; seed++) {
        const normal = gaussian(mulberry(seed));
        const weeks = 200;
        const blocks = new Float64Array(2 * weeks);
        let state = 0;
        for (let k = 0; k < weeks; k++) {
          state = persistence * state + Math.sqrt(1 - persistence ** 2) * normal();
          blocks[2 * k + 1] = 1 + 0.3 * state;
        }
        const years = weeks / 52;
        const { counts } = drawWeeks(weeks, seed, 200);
        const interval = intervalOf(
          counts.map((count) => redraw(blocks, count, years).cost),
          counts.length,
        );
        if (interval !== null && interval.low <= 52 && 52 <= interval.high) covered++;
      }
      console.log(`persistence ${persistence}: ${(100 * covered) / histories} % of 95 % covered`);
      expect(covered / histories).toBeGreaterThan(persistence === 0 ? 0.88 : 0.8);
      expect(covered / histories).toBeLessThan(0.995);
    }
  });

  test('behavior: none where too few draws reach the figure', () => {
    expect(intervalOf([1, 2, 3], 100)).toBeNull();
    expect(intervalOf([1, Number.NaN], 2)).toBeNull();
  });
});

describe('readEnvelope', () => {
  const read = (te: number, points: readonly (readonly [number, number])[]) =>
    readEnvelope(
      te,
      Float64Array.from(points, ([error]) => error),
      Float64Array.from(points, ([, cost]) => cost),
    );

  test('default: log-log between neighbours that nothing beats', () => {
    const points = [
      [0.01, 4e-3],
      [0.015, 5e-3],
      [0.04, 1e-3],
      [0.05, 1e-3],
    ] as const;
    expect(read(0.02, points)?.cost).toBeCloseTo(2e-3, 12);
    expect(read(0.01, points)?.cost).toBe(4e-3);
    expect(read(0.04, points)?.cost).toBe(1e-3);
  });

  test('behavior: null beyond its ends; points that cost nothing are no rule', () => {
    expect(read(0.005, [[0.01, 1]])).toBeNull();
    expect(read(0.02, [[0.01, 1]])).toBeNull();
    expect(
      read(0.02, [
        [0.01, 1],
        [0.03, 0],
      ]),
    ).toBeNull();
  });
});
