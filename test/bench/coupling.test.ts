// The coupling bench at its tiniest: it runs, costs are costs, and a second run finds the same.

import { describe, expect, test } from 'vitest';
import { benchCoupling } from './coupling.ts';

const tiny = () =>
  benchCoupling({ days: 20, hoursBetween: 24, worth: 100_000, log: () => undefined });

describe('npm run bench -- coupling', () => {
  test('behavior: more aversion never tracks worse by much, trades cost, and twice the same', () => {
    const report = tiny();
    for (const policy of ['joint', 'separate'] as const) {
      const points = report.points.filter((point) => point.policy === policy);
      expect(points.length).toBeGreaterThan(5);
      for (const { costBps, trades, te } of points) {
        expect(te).toBeGreaterThan(0);
        expect(costBps > 0).toBe(trades > 0);
      }
      const [loosest, tightest] = [points[0], points.at(-1)];
      expect(tightest?.te ?? 1).toBeLessThan((loosest?.te ?? 0) / 2);
      expect(tightest?.costBps ?? 0).toBeGreaterThan(loosest?.costBps ?? 0);
    }
    expect(report.points.filter(({ policy }) => policy === 'separate')).toSatisfy(
      (points: { bridged: number }[]) => points.every(({ bridged }) => bridged === 0),
    );
    expect(tiny()).toEqual(report);
  }, 60_000);
});
