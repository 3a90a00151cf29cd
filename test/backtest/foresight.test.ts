// The foresight bound: weak duality holds against any trades whatever, the bound is the optimum where
// that is known in closed form or by brute force, and coarser knots only weaken it.

import { describe, expect, test } from 'vitest';
import { driftOf, type ForesightProblem, foresight } from '../../solver/backtest/foresight.ts';
import { foresightShare } from '../../solver/backtest/regret.ts';
import { parsePolicy } from '../../solver/policy/parse.ts';
import { gaussian, HOURLY, kernels, type Market, market, mulberry, path } from './support.ts';

/** J of positions e (steps × n) in the problem; e starts from the drift by whatever trade. */
function costOf(problem: ForesightProblem, positions: Float64Array): number {
  const { assets: n, drift, covariance, perYear, aversion, proportional } = problem;
  const c = aversion / perYear;
  let total = 0;
  for (let t = 0; t < positions.length / n; t++) {
    for (let i = 0; i < n; i++) {
      const own = positions[t * n + i] as number;
      const traded = own - (drift[t * n + i] as number);
      const before =
        t === 0 ? 0 : (positions[(t - 1) * n + i] as number) - (drift[(t - 1) * n + i] as number);
      total += 0.5 * proportional * Math.abs(traded - before);
      for (let j = 0; j < n; j++) {
        const other = positions[t * n + j] as number;
        total += 0.5 * c * own * (covariance[i * n + j] as number) * other;
      }
    }
  }
  return total;
}

function problemOf(
  one: Market,
  prices: Float64Array,
  aversion: number,
  knotSteps: number,
): ForesightProblem {
  return {
    assets: one.targets.length,
    drift: driftOf(prices, one.targets),
    covariance: one.covariance,
    perYear: 8760,
    aversion,
    proportional: 0.003,
    knotSteps,
  };
}

/**
 * The optimum by brute force: the primal by coordinate descent over two-asset positions on a line of
 * fine levels, exactly, by dynamic programming.
 */
function byDynamicProgramming(problem: ForesightProblem, levels: number): number {
  const { drift, covariance, perYear, aversion, proportional } = problem;
  const steps = drift.length / 2;
  let reach = 0;
  for (let t = 0; t < steps; t++) reach = Math.max(reach, Math.abs(drift[2 * t] as number));
  // Trades so far stand on a grid of [−reach, reach].
  const level = (k: number) => reach * ((2 * k) / (levels - 1) - 1);
  const variance = covariance[0] as number;
  const c = aversion / perYear;
  const width = (2 * reach) / (levels - 1);
  let best = Float64Array.from({ length: levels }, (_, k) => proportional * Math.abs(level(k)));
  for (let t = 0; t < steps; t++) {
    const d = drift[2 * t] as number;
    const next = best.map((cost, k) => cost + 0.5 * c * variance * (d + level(k)) ** 2);
    // Moving costs ε a unit: the least over all predecessors, in two passes.
    for (let k = 1; k < levels; k++) {
      next[k] = Math.min(next[k] as number, (next[k - 1] as number) + proportional * width);
    }
    for (let k = levels - 2; k >= 0; k--) {
      next[k] = Math.min(next[k] as number, (next[k + 1] as number) + proportional * width);
    }
    best = next;
  }
  return Math.min(...best);
}

describe('foresight', () => {
  test('property: no path of trades is cheaper than the bound (weak duality)', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = mulberry(seed);
      const normal = gaussian(random);
      const n = 2 + (seed % 4);
      const one = market(n, random);
      const prices = path(one, 300, random);
      const problem = problemOf(one, prices, 10 ** (1 + 3 * random()), 1 + (seed % 5));
      const { bound, rounds } = foresight(problem);
      expect(bound, `seed ${seed}`).toBeGreaterThan(0);
      expect(rounds).toBeLessThan(60);
      const { drift } = problem;
      const free = costOf(problem, drift);
      expect(bound, `seed ${seed}: doing nothing`).toBeLessThanOrEqual(free);
      for (let trial = 0; trial < 20; trial++) {
        // Pull towards the target at a random rate, with noise that sums to 0.
        const rate = random();
        const positions = drift.slice();
        for (let t = 1; t < positions.length / n; t++) {
          const noise = Array.from({ length: n }, () => 1e-3 * rate * normal());
          const mean = noise.reduce((a, b) => a + b, 0) / n;
          for (let i = 0; i < n; i++) {
            const moved = (drift[t * n + i] as number) - (drift[(t - 1) * n + i] as number);
            positions[t * n + i] =
              (1 - rate) * (positions[(t - 1) * n + i] as number) +
              moved +
              (trial % 2) * ((noise[i] as number) - mean);
          }
        }
        expect(bound, `seed ${seed}`).toBeLessThanOrEqual(costOf(problem, positions));
      }
    }
  });

  test('property: potentials found are within their limits, so the bound is a certificate', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = mulberry(seed);
      const one = market(3 + (seed % 3), random);
      const problem = problemOf(one, path(one, 400, random), 300, 2);
      const { potentials, free } = foresight(problem);
      const m = free.length;
      for (let k = 0; k < potentials.length / m; k++) {
        const row = [0, ...potentials.subarray(k * m, (k + 1) * m)];
        expect(Math.max(...row) - Math.min(...row), `seed ${seed}`).toBeLessThanOrEqual(1);
      }
    }
  });

  test('behavior: in one dimension it is the optimum, found by dynamic programming', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = mulberry(seed);
      const one = market(2, random);
      const problem = problemOf(one, path(one, 500, random), 400, 1);
      const { bound } = foresight(problem);
      const optimum = byDynamicProgramming(problem, 4001);
      expect(bound, `seed ${seed}`).toBeLessThanOrEqual(optimum * (1 + 1e-12));
      expect(bound / optimum, `seed ${seed}`).toBeGreaterThan(0.998);
    }
  });

  test('behavior: coarser knots bound from further below', () => {
    const random = mulberry(5);
    const one = market(4, random);
    const prices = path(one, 2_000, random);
    const bounds = [1, 4, 16].map((steps) => foresight(problemOf(one, prices, 100, steps)).bound);
    expect(bounds[1]).toBeLessThanOrEqual((bounds[0] ?? 0) * (1 + 1e-3));
    expect(bounds[2]).toBeLessThanOrEqual((bounds[1] ?? 0) * (1 + 1e-3));
    expect((bounds[2] ?? 0) / (bounds[0] ?? 1)).toBeGreaterThan(0.9);
  });

  test('behavior: the rule pays more than the bound, and less than twice it', () => {
    const random = mulberry(9);
    const policy = parsePolicy({ targets: { BTC: '0.5', ETH: '0.3', CASH: '0.2' } });
    const one = {
      targets: Float64Array.from(policy.targets),
      covariance: policy.prior.covariance,
    };
    const prices = path(one, 8_000, random);
    const { replay } = kernels();
    const loaded = replay.load({ ...HOURLY, ...one, prior: one.covariance, prices });
    const share = foresightShare(loaded, policy, prices, 3600, { proportional: 0.003, fixed: 0 });
    for (const aversion of [3, 30, 300]) {
      const ratio = share(aversion) ?? Number.NaN;
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(0.8);
    }
    const free = foresightShare(loaded, policy, prices, 3600, { proportional: 0, fixed: 0 });
    expect(free(30)).toBeNull();
  });
});
