import { describe, expect, it } from 'vitest';
import {
  type ExecutionProblem,
  executionSchedule,
} from '../../../solver/policy/execution/almgrenChriss.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { vectors } from '../../risk/support.ts';
import { allNear, near } from '../near.ts';

interface Case {
  readonly lam: number;
  readonly kappa: number;
  readonly holdings: readonly number[];
  readonly E_cost: number;
  readonly std: number;
}
const { cases } = vectors<{ readonly cases: readonly Case[] }>('almgren_chriss');
// Almgren and Chriss (2000), table 1.
const TABLE: ExecutionProblem = {
  quantity: 1e6,
  intervals: 5,
  intervalLength: 1,
  volatility: 0.95,
  halfSpread: 0.0625,
  permanentImpact: 2.5e-7,
  temporaryImpact: 2.5e-6,
  aversion: 0,
};

describe('executionSchedule', () => {
  it.each(cases)('default: λ = $lam', (row) => {
    const schedule = executionSchedule({ ...TABLE, aversion: row.lam });
    allNear(schedule.holdings, row.holdings);
    near(schedule.expectedCost, row.E_cost);
    near(schedule.deviation, row.std);
    near(schedule.decay, row.kappa);
  });

  it('property: stationary at every interior point: 2η̃/τ (2xₖ − xₖ₋₁ − xₖ₊₁) + 2λσ²τ xₖ = 0', () => {
    const seed = 20_261_141;
    const rng = random(seed);
    for (let round = 0; round < 300; round += 1) {
      const problem = {
        ...TABLE,
        quantity: 10 ** rng.between(-2, 7),
        intervals: rng.integer(1, 60),
        intervalLength: rng.between(0.01, 1),
        aversion: rng.pick([0, 10 ** rng.between(-12, -3)]),
      };
      const { holdings: x, trades } = executionSchedule(problem);
      const adjusted =
        problem.temporaryImpact - (problem.permanentImpact * problem.intervalLength) / 2;
      const tau = problem.intervalLength;
      const label = `seed ${seed}, round ${round}`;
      expect(x[0], label).toBe(problem.quantity);
      expect(x[problem.intervals], label).toBe(0);
      const sum = trades.reduce((a, b) => a + b, 0);
      expect(Math.abs(sum / problem.quantity - 1), label).toBeLessThan(1e-12);
      for (let k = 1; k < problem.intervals; k += 1) {
        const [before, here, after] = [x[k - 1] ?? 0, x[k] ?? 0, x[k + 1] ?? 0];
        const curve = (adjusted / tau) * (2 * here - before - after);
        const risk = problem.aversion * problem.volatility ** 2 * tau * here;
        const scale = (adjusted / tau) * before + risk;
        expect(Math.abs(curve + risk), label).toBeLessThanOrEqual(1e-9 * scale);
        expect(here, label).toBeLessThanOrEqual(before);
      }
    }
  });

  it('property: more aversion costs more and risks less', () => {
    let last = executionSchedule(TABLE);
    for (const aversion of [1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 1]) {
      const next = executionSchedule({ ...TABLE, aversion });
      expect(next.expectedCost).toBeGreaterThan(last.expectedCost);
      expect(next.deviation).toBeLessThan(last.deviation);
      last = next;
    }
    expect(
      Number.isFinite(executionSchedule({ ...TABLE, intervals: 1000, aversion: 1e9 }).deviation),
    ).toBe(true);
  });

  it.each([
    ['quantity', 0],
    ['intervals', 1.5],
    ['intervals', 0],
    ['intervalLength', 21],
    ['volatility', Number.NaN],
    ['aversion', -1],
    ['temporaryImpact', Infinity],
  ] as const)('error: %s of %s', (field, value) => {
    try {
      executionSchedule({ ...TABLE, [field]: value });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInput);
      expect((error as InvalidInput).pointer).toBe(`/${field}`);
    }
  });
});
