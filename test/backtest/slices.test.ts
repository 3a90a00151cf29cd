// A policy's slices in the replay, through the same decide as live.

import { describe, expect, test } from 'vitest';
import { replayPolicy } from '../../solver/backtest/policyReplay.ts';
import { forecastPlan } from '../../solver/policy/forecast/mixed.ts';
import { parsePolicy } from '../../solver/policy/parse.ts';
import { kernel } from '../policy/support.ts';
import { market, mulberry, path } from './support.ts';

describe('replayPolicy', () => {
  const rows = 4_000;
  const random = mulberry(29);
  const prices = path(market(3, random), rows, random);
  const times = Float64Array.from({ length: rows }, (_, k) => 1_600_000_000 + 3_600 * k);
  const run = (execution: object) =>
    replayPolicy(
      {
        policy: parsePolicy({
          targets: { A: '0.5', B: '0.3', CASH: '0.2' },
          objective: { bands: { width: '0.015', landing: 'target' } },
          limits: { turnover30d: null },
          costs: { budgetBps30d: null },
          breakers: { drawdown: null, maxMovePerHour: null },
          execution,
        }),
        prices,
        times,
        stepSeconds: 3_600,
        plan: forecastPlan(3_600),
        costs: { proportional: 0.003, fixed: 0 },
        blockSteps: 168,
      },
      kernel,
    );

  test('behavior: slices act as in life: cause schedule, about the same turnover in more trades', () => {
    const whole = run({});
    const sliced = run({ slices: { over: '6h', count: 3 } });
    expect(Object.keys(whole.causes)).toEqual(['threshold']);
    // The paths part after the first slice: counts and turnover are alike, not equal.
    const { threshold = 0, schedule = 0 } = sliced.causes;
    expect(threshold).toBeGreaterThan(20);
    // Two more for each; fewer only where the market has done a slice's work.
    expect(schedule).toBeGreaterThan(1.6 * threshold);
    expect(schedule).toBeLessThanOrEqual(2 * threshold);
    expect(Math.abs(sliced.turnover / whole.turnover - 1)).toBeLessThan(0.1);
    expect(sliced.trades).toBe(threshold + schedule);
    expect(sliced.cost / sliced.turnover).toBeCloseTo(0.003, 12);
  });

  test('behavior: without a price of gas nothing waits for it', () => {
    const rule = (execution: object) =>
      replayPolicy(
        {
          policy: parsePolicy({
            targets: { A: '0.5', B: '0.3', CASH: '0.2' },
            execution,
          }),
          prices,
          times,
          stepSeconds: 3_600,
          plan: forecastPlan(3_600),
          costs: { proportional: 0.003, fixed: 1e-5 },
          blockSteps: 168,
        },
        kernel,
      );
    const [plain, patient] = [rule({}), rule({ gasTiming: { maxWait: '6h' } })];
    expect(patient.trades).toBe(plain.trades);
    expect(patient.cost).toBe(plain.cost);
    expect(patient.skipped.waitsForGas).toBeUndefined();
  });
});
