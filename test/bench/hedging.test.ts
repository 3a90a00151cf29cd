// The hedging bench at its smallest: it runs, twice the same, and what it runs is what decisions are made
// of. The comparison itself is test/e2e/hedging.test.ts. Seed 7.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { hedgeDecision } from '../../solver/policy/hedging/decide.ts';
import type { HedgeBandModel } from '../../solver/policy/hedging/types.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { benchHedging, onEnvelope } from './hedging.ts';
import { drawPaths, normals, SETTING, yearsLeft } from './hedgingPaths.ts';
import { type Family, runRule } from './hedgingRules.ts';

const kernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));

describe('benchHedging', () => {
  const grids = {
    time: [2, 4, 8],
    fixed: [0.01, 0.03, 0.08],
    whalleyWilmott: [0.01],
    zakamouline: [0.01],
    discrete: [0.005, 0.02],
    optimum: [],
  };
  const report = () => benchHedging(kernel, { paths: 400, seed: 7, grids });

  test('default: rows and comparisons, twice the same', () => {
    const [first, second] = [report(), report()];
    expect(first).toEqual(second);
    expect(first.premium).toBeCloseTo(239.78127373850748, 9);
    expect(first.rows).toHaveLength(10);
    for (const row of first.rows) {
      // A martingale: without costs the result is 0 on average.
      const error = row.stdGross / Math.sqrt(400);
      expect(Math.abs(row.meanNet + row.meanCost)).toBeLessThan(4 * error);
      expect(row.meanEnds).toBeLessThan(row.meanCost);
    }
  });
});

describe('runRule', () => {
  const MODELS: readonly (readonly [Family, HedgeBandModel])[] = [
    ['fixed', { kind: 'fixed', width: 0.01 }],
    ['whalleyWilmott', { kind: 'whalleyWilmott', aversion: 0.01 }],
    ['zakamouline', { kind: 'zakamouline', aversion: 0.01 }],
    ['discrete', { kind: 'discrete', aversion: 0.01 }],
  ];
  test.each(MODELS)('behavior: %s is what hedgeDecision does, step by step', (family, band) => {
    const paths = drawPaths(kernel, 2, 7);
    const ours = runRule(kernel, paths, family, 0.01);
    const policy = {
      underlying: 'ETH',
      netDelta: 0,
      band,
      gammaBand: null,
      vegaBand: null,
      instruments: [],
      proportional: SETTING.proportional,
      checkSeconds: 7200,
    };
    const { strike, volatility, steps } = SETTING;
    let [underlying, cost] = [0, 0];
    for (let step = 0; step < steps; step++) {
      const price = paths.prices[step * 2] ?? Number.NaN;
      const years = yearsLeft(step);
      const option = {
        kind: 'call',
        spot: price,
        strike,
        years,
        rate: 0,
        carry: 0,
        volatility,
      } as const;
      const options = [{ instrument: 'call', quantity: -1, option }];
      const now = unixSeconds(1_800_000_000 + 7200 * step);
      const decision = hedgeDecision(
        policy,
        { options, underlying, tradable: [] },
        price,
        kernel,
        now,
      );
      underlying += decision.trades[0]?.quantity ?? 0;
      cost += decision.costUsd;
    }
    cost += SETTING.proportional * Math.abs(underlying) * (paths.prices[steps * 2] ?? 0);
    expect(Math.abs(cost / (ours.cost[0] ?? 0) - 1)).toBeLessThan(1e-9);
  });
});

describe('onEnvelope', () => {
  test('default: between neighbours in logarithms, what is dominated left out', () => {
    const points = [
      { error: 1, cost: 8 },
      { error: 2, cost: 9 },
      { error: 4, cost: 2 },
    ];
    expect(onEnvelope(points, 2)).toBeCloseTo(4, 12);
    expect(onEnvelope(points, 4)).toBeCloseTo(2, 12);
    expect(onEnvelope(points, 5)).toBeNull();
    expect(onEnvelope(points, 0.5)).toBeNull();
  });
});

describe('normals', () => {
  test('behavior: mean 0, variance 1, kurtosis 3, uncorrelated, within 4 errors', () => {
    const normal = normals(7);
    const count = 100_000;
    const drawn = Array.from({ length: count }, normal);
    const mean = (of: (z: number, k: number) => number): number =>
      drawn.reduce((sum, z, k) => sum + of(z, k), 0) / count;
    const error = 4 / Math.sqrt(count);
    expect(Math.abs(mean((z) => z))).toBeLessThan(error);
    expect(Math.abs(mean((z) => z * z) - 1)).toBeLessThan(error * Math.sqrt(2));
    expect(Math.abs(mean((z) => z ** 4) - 3)).toBeLessThan(error * Math.sqrt(96));
    expect(Math.abs(mean((z, k) => z * (drawn[k - 1] ?? 0)))).toBeLessThan(error);
  });
});
