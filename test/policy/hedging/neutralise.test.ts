// The cheapest options for gamma and vega: feasible, and proved cheapest by the dual programme
//   max Σᵣ (|yᵣ|·(±valueᵣ) − |yᵣ|·bandᵣ)  over y with |Σᵣ yᵣ aᵢᵣ| ≤ cᵢ for every instrument i,
// whose optimum (at a vertex as well) must cost the same. Seeds are printed by fast-check.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allCollinear,
  type Candidate,
  neutralise,
  type Row,
} from '../../../solver/policy/hedging/neutralise.ts';

const candidate = (instrument: string, gamma: number, vega: number, cost: number): Candidate => ({
  instrument,
  gamma,
  vega,
  cost,
});
const quantities = (found: ReturnType<typeof neutralise>) =>
  found?.trades.map(({ index, quantity }) => [index, quantity]);

describe('neutralise', () => {
  test('default: two instruments put gamma and vega at their edges', () => {
    const [near, far] = [candidate('near', 0.02, 5, 1), candidate('far', 0.01, 20, 2)];
    const found = neutralise([near, far], { value: -2, band: 0 }, { value: -1000, band: 0 });
    // 0.02a + 0.01b = 2, 5a + 20b = 1000.
    const [[, a = 0] = [], [, b = 0] = []] = quantities(found) ?? [];
    expect(a).toBeCloseTo((2 * 20 - 1000 * 0.01) / (0.02 * 20 - 0.01 * 5), 9);
    expect(0.02 * a + 0.01 * b).toBeCloseTo(2, 12);
    expect(5 * a + 20 * b).toBeCloseTo(1000, 9);
  });

  test('behavior: inside both bands nothing is traded', () => {
    const found = neutralise(
      [candidate('a', 1, 1, 0)],
      { value: -2, band: 2 },
      { value: 3, band: 4 },
    );
    expect(found).toEqual({ trades: [], cost: 0 });
  });

  test('behavior: one row is brought to the nearer edge by the cheapest per unit of it', () => {
    const list = [candidate('dear', 1, 0, 5), candidate('cheap', 0.5, 0, 1)];
    expect(quantities(neutralise(list, { value: 10, band: 4 }, null))).toEqual([[1, -12]]);
  });

  test('behavior: one instrument is enough where it brings both inside', () => {
    const list = [candidate('both', 1, 10, 1), candidate('vega', 0, 10, 1)];
    const found = neutralise(list, { value: -5, band: 1 }, { value: -50, band: 15 });
    expect(quantities(found)).toEqual([[0, 4]]);
  });

  test('behavior: proportional instruments cannot move two rows apart', () => {
    const list = [candidate('a', 1, 10, 1), candidate('b', 2, 20, 1), candidate('c', 0.1, 1, 1)];
    expect(neutralise(list, { value: -5, band: 0 }, { value: 50, band: 0 })).toBeNull();
    expect(allCollinear(list)).toBe(true);
    expect(allCollinear([...list, candidate('d', 1, 11, 1)])).toBe(false);
    expect(neutralise([], { value: -5, band: 0 }, null)).toBeNull();
  });

  test('behavior: a row at 0 with no band stays there up to the rounding of what cancels', () => {
    const list = [candidate('a', 2, 0.25, 0.25), candidate('b', 7.25, 2, 0.25)];
    const found = neutralise(list, { value: 0, band: 0 }, { value: 10.5, band: 0.5 });
    // b = −10/1.09375, a = −3.625·b: found by fast-check, seed −1875692870.
    expect(found?.cost).toBeCloseTo((0.25 * 4.625 * 10) / 1.09375, 9);
  });

  test('property: inside the bands, and no cheaper trade exists', () => {
    // Quarters: pairs are collinear exactly or by a margin.
    const greek = fc.integer({ min: 1, max: 40 }).map((n) => n / 4);
    const some = fc.array(fc.record({ gamma: greek, vega: greek, cost: greek }), {
      minLength: 1,
      maxLength: 6,
    });
    const row = fc.record({
      value: fc.integer({ min: -400, max: 400 }).map((n) => n / 4),
      band: fc.integer({ min: 0, max: 80 }).map((n) => n / 4),
    });
    fc.assert(
      fc.property(some, row, row, (list, gamma, vega) => {
        const candidates = list.map((each, k) => ({ instrument: `${k}`, ...each }));
        const found = neutralise(candidates, gamma, vega);
        if (found === null) return;
        const moved = (of: 'gamma' | 'vega'): number =>
          found.trades.reduce((sum, t) => sum + (candidates[t.index]?.[of] ?? 0) * t.quantity, 0);
        for (const [of, { value, band }] of [
          ['gamma', gamma],
          ['vega', vega],
        ] as const) {
          const sizes = found.trades.map((t) =>
            Math.abs((candidates[t.index]?.[of] ?? 0) * t.quantity),
          );
          const slack = 1e-8 * Math.max(band, Math.abs(value), ...sizes);
          expect(Math.abs(value + moved(of))).toBeLessThanOrEqual(band + slack);
        }
        const bound = dual(candidates, gamma, vega);
        expect(found.cost).toBeGreaterThanOrEqual(bound - 1e-7 * (1 + bound));
        expect(found.cost).toBeLessThanOrEqual(bound + 1e-6 * (1 + bound));
      }),
      { numRuns: 500 },
    );
  });
});

/** Best dual value over all vertices of |y·aᵢ| ≤ cᵢ and the axes; a lower bound on any trade's cost. */
function dual(candidates: readonly Candidate[], gamma: Row, vega: Row): number {
  const lines = candidates.flatMap(({ gamma: g, vega: v, cost }) => [
    [g, v, cost],
    [g, v, -cost],
  ]);
  lines.push([1, 0, 0], [0, 1, 0]);
  let best = 0;
  lines.forEach(([a = 0, b = 0, p = 0], i) => {
    for (const [c = 0, d = 0, q = 0] of lines.slice(i + 1)) {
      const det = a * d - b * c;
      if (Math.abs(det) < 1e-9 * (Math.abs(a * d) + Math.abs(b * c))) continue;
      const y = [(p * d - q * b) / det, (q * a - p * c) / det] as const;
      const allowed = candidates.every(
        ({ gamma: g, vega: v, cost }) => Math.abs(y[0] * g + y[1] * v) <= cost * (1 + 1e-9),
      );
      if (!allowed) continue;
      const value =
        y[0] * gamma.value -
        Math.abs(y[0]) * gamma.band +
        y[1] * vega.value -
        Math.abs(y[1]) * vega.band;
      best = Math.max(best, value);
    }
  });
  return best;
}
