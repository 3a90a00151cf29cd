// GARCH fits: the likelihood is at its top, the law that made the data is found, and what cannot be
// fitted is said.

import { describe, expect, test } from 'vitest';
import {
  fitGarch,
  garchMean,
  longRunVariance,
  nextGarch,
} from '../../../solver/policy/forecast/garch.ts';
import { nelderMead } from '../../../solver/policy/forecast/nelderMead.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { normal } from '../../risk/support.ts';
import { forSeeds } from '../draws.ts';
import { near } from '../near.ts';

const TRUTH = { omega: 4e-5, alpha: 0.08, beta: 0.9 };

function drawn(seed: number, days: number): Float64Array {
  const rng = random(seed);
  let [variance, u] = [longRunVariance(TRUTH), 0];
  return Float64Array.from({ length: days }, (_, day) => {
    if (day > 0) variance = nextGarch(TRUTH, variance, u);
    u = Math.sqrt(variance) * normal(rng);
    return u;
  });
}

/** Σ ln σ² + u²/σ² from `seed`, written down once more. */
function loss(returns: Float64Array, omega: number, alpha: number, beta: number, seed: number) {
  let [variance, sum] = [seed, 0];
  for (const u of returns) {
    sum += Math.log(variance) + u ** 2 / variance;
    variance = nextGarch({ omega, alpha, beta }, variance, u);
  }
  return sum;
}

const sampleVariance = (x: Float64Array) => {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  return x.reduce((sum, r) => sum + (r - mean) ** 2, 0) / x.length;
};

describe('fitGarch', () => {
  test.each(['sampleVariance', 'likelihood'] as const)(
    'property: %s, no neighbour is likelier',
    (how) => {
      forSeeds(5, (_, seed) => {
        const returns = drawn(seed, 1500);
        const variance = sampleVariance(returns);
        const fit = fitGarch(returns, how);
        if (fit === null) throw new Error(`seed ${seed}: no fit`);
        const { omega, alpha, beta } = fit;
        near(loss(returns, omega, alpha, beta, variance), fit.loss, 1e-12);
        for (const [da, db, dw] of [
          [1, 0, 0],
          [-1, 0, 0],
          [0, 1, 0],
          [0, -1, 0],
          [0, 0, 1],
          [0, 0, -1],
        ]) {
          const [a, b] = [alpha + 1e-4 * (da ?? 0), beta + 1e-4 * (db ?? 0)];
          const targeted = variance * (1 - a - b);
          const w = how === 'likelihood' ? omega * (1 + 1e-2 * (dw ?? 0)) : targeted;
          expect(loss(returns, w, a, b, variance), `seed ${seed}`).toBeGreaterThan(fit.loss - 1e-9);
        }
        if (how === 'sampleVariance') near(fit.longRun, variance, 1e-9);
      });
    },
  );

  test('property: 20,000 days of a known law give it back', () => {
    const fit = fitGarch(drawn(3, 20_000), 'likelihood');
    near(fit?.alpha, TRUTH.alpha, 0.15);
    near(fit?.beta, TRUTH.beta, 0.03);
    near(fit?.longRun, longRunVariance(TRUTH), 0.15);
  });

  test('behavior: returns that do not move have no fit', () => {
    expect(fitGarch(new Float64Array(500))).toBeNull();
  });

  test('error: NaN, a process without a long run', () => {
    expect(() => fitGarch(Float64Array.of(0.1, Number.NaN))).toThrow(InvalidInput);
    expect(() => longRunVariance({ omega: 1, alpha: 0.5, beta: 0.5 })).toThrow(/below 1/);
  });
});

describe('garchMean', () => {
  test('behavior: the mean of the recursion in expectation', () => {
    let [variance, sum] = [9e-3, 0];
    for (let day = 0; day < 10; day++) {
      sum += variance;
      variance = TRUTH.omega + (TRUTH.alpha + TRUTH.beta) * variance;
    }
    near(garchMean(TRUTH, 9e-3, 10), sum / 10);
    near(garchMean(TRUTH, 9e-3, 1), 9e-3);
  });
});

describe('nelderMead', () => {
  test('default: Rosenbrock and a wall of Infinity', () => {
    const banana = (v: Float64Array) => {
      const [x = 0, y = 0] = v;
      return x > 2 ? Number.POSITIVE_INFINITY : (1 - x) ** 2 + 100 * (y - x * x) ** 2;
    };
    const { x } = nelderMead(banana, Float64Array.of(-1.2, 1), 0.5);
    near(x[0], 1, 1e-5);
    near(x[1], 1, 1e-5);
  });
});
