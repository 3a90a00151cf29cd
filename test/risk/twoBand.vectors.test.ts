// The two-band rule against two_band_tracking_1d.json: bands, and the average cost they lead to.

import { describe, expect, test } from 'vitest';
import { averageCost } from '../twin/risk/twoBand.ts';
import { apart, newKernel, vectors } from './support.ts';

interface Case {
  readonly kappa: number;
  readonly s2: number;
  readonly eps: number;
  readonly F: number;
  readonly H: number;
  readonly h: number;
  readonly avg_cost: number;
}

const { cases } = vectors<{ readonly cases: readonly Case[] }>('two_band_tracking_1d');
const kernel = newKernel();

describe('twoBand', () => {
  test('behavior: triggers and landings of every vector to 1e-12 relative', () => {
    let worst = 0;
    for (const { kappa, s2, eps, F, H, h } of cases) {
      const { trigger, landing } = kernel.twoBand(kappa, s2, eps, F);
      worst = Math.max(worst, apart(trigger, H), apart(landing, h));
      expect(apart(trigger, H)).toBeLessThan(1e-12);
      expect(apart(landing, h)).toBeLessThan(1e-12);
    }
    console.log(`two_band: ${cases.length} cases, worst ${worst.toExponential(1)} relative`);
  });

  test('behavior: the average cost is the vector’s where a cycle has a length', () => {
    for (const { kappa, s2, eps, F, avg_cost } of cases.filter((one) => one.F > 0)) {
      const setting = { aversion: kappa, varianceRate: s2, proportional: eps, fixed: F };
      const cost = averageCost(setting, kernel.twoBand(kappa, s2, eps, F));
      expect(apart(cost, avg_cost)).toBeLessThan(1e-12);
    }
  });
});
