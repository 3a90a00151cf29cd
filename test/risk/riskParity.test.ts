// Risk parity held to its own conditions on random covariances, singular and hedged ones included; to
// scale; to the twin's coordinate descent; and what has no answer is refused.

import { describe, expect, test } from 'vitest';
import { type Random, random } from '../engine/generate.ts';
import { riskParity } from '../twin/risk/riskParity.ts';
import { apart, at, newKernel, randomCovariance, refusalOf } from './support.ts';

const kernel = newKernel();
const SEED = 20_261_121;
/** Shares of risk may miss their budgets by that; the kernel refuses to answer above. */
const KKT = 1e-10;

function randomBudgets(rng: Random, n: number, decades: number): Float64Array {
  return Float64Array.from({ length: n }, () => 10 ** rng.between(-decades, 0));
}

function residualOf(covariance: Float64Array, budgets: Float64Array, weights: Float64Array) {
  const n = budgets.length;
  const shares = Array.from(weights, (w, i) =>
    weights.reduce((sum, v, j) => sum + w * at(covariance, i * n + j) * v, 0),
  );
  const variance = shares.reduce((sum, share) => sum + share, 0);
  const total = budgets.reduce((sum, budget) => sum + budget, 0);
  return Math.max(...shares.map((share, i) => Math.abs(share / variance - at(budgets, i) / total)));
}

describe('riskParity', () => {
  test('default: uncorrelated assets are held by budget^½ over volatility', () => {
    const { weights } = kernel.riskParity(
      Float64Array.of(0.04, 0, 0, 0, 0.09, 0, 0, 0, 0.01),
      Float64Array.of(1, 4, 1),
    );
    const sum = 1 / 0.2 + 2 / 0.3 + 1 / 0.1;
    [1 / 0.2 / sum, 2 / 0.3 / sum, 1 / 0.1 / sum].forEach((w, i) => {
      expect(at(weights, i)).toBeCloseTo(w, 14);
    });
  });

  test('property: KKT at 1e-10 on random covariances of 1 to 64 assets, any signs', () => {
    const rng = random(SEED);
    let [worst, rounds] = [0, 0];
    for (let k = 0; k < 400; k++) {
      const n = k % 20 === 0 ? 64 : rng.integer(1, 20);
      // Few factors: far from full rank, so only the budgets keep the weights apart.
      const covariance = randomCovariance(rng, n, rng.integer(Math.ceil(n / 2) + 1, 2 * n + 1));
      const budgets = randomBudgets(rng, n, k % 2 === 0 ? 0 : 6);
      const label = `seed ${SEED}, case ${k}, n ${n}`;
      let answer: ReturnType<typeof kernel.riskParity>;
      try {
        answer = kernel.riskParity(covariance, budgets);
      } catch {
        // A long-only mix without risk needs a singular covariance.
        expect(kernel.smallestPivot(covariance), label).toBeLessThan(1e-12);
        continue;
      }
      const missed = residualOf(covariance, budgets, answer.weights);
      worst = Math.max(worst, missed);
      rounds = Math.max(rounds, answer.rounds);
      expect(missed, label).toBeLessThan(KKT);
      for (const w of answer.weights) expect(w, label).toBeGreaterThan(0);
    }
    console.log(`seed ${SEED}: worst residual ${worst.toExponential(1)}, most rounds ${rounds}`);
  });

  test('property: nearly perfect hedges and nearly equal assets', () => {
    for (const correlation of [-0.999, -0.999_999, 0.999, 0.999_999_999, 1]) {
      const covariance = Float64Array.of(1, correlation, correlation, 1);
      const budgets = Float64Array.of(0.7, 0.3);
      const { weights } = kernel.riskParity(covariance, budgets);
      expect(residualOf(covariance, budgets, weights), `${correlation}`).toBeLessThan(KKT);
    }
  });

  test('property: coordinate descent finds the same weights', () => {
    const rng = random(SEED + 1);
    let worst = 0;
    for (let k = 0; k < 1000; k++) {
      const n = rng.integer(2, 10);
      const covariance = randomCovariance(rng, n, 2 * n);
      const budgets = randomBudgets(rng, n, 2);
      const { weights } = kernel.riskParity(covariance, budgets);
      riskParity(covariance, budgets).forEach((w, i) => {
        worst = Math.max(worst, Math.abs(at(weights, i) - w));
        expect(Math.abs(at(weights, i) - w), `seed ${SEED + 1}, case ${k}`).toBeLessThan(1e-9);
      });
    }
    console.log(`seed ${SEED + 1}: twin, worst ${worst.toExponential(1)}`);
  });

  test('property: the scale of the covariance and of the budgets does not matter', () => {
    const rng = random(SEED + 2);
    for (let k = 0; k < 300; k++) {
      const n = rng.integer(1, 12);
      const covariance = randomCovariance(rng, n, 2 * n);
      const budgets = randomBudgets(rng, n, 1);
      const c = 10 ** rng.between(-20, 20);
      const one = kernel.riskParity(covariance, budgets);
      const other = kernel.riskParity(
        covariance.map((cell) => cell * c),
        budgets.map((budget) => budget / c),
      );
      one.weights.forEach((w, i) => {
        expect(apart(at(other.weights, i), w), `seed ${SEED + 2}, case ${k}`).toBeLessThan(1e-11);
      });
    }
  });

  test('property: an asset worth twice the volatility is held half', () => {
    const rng = random(SEED + 3);
    for (let k = 0; k < 300; k++) {
      const n = rng.integer(2, 12);
      const covariance = randomCovariance(rng, n, 2 * n);
      const budgets = randomBudgets(rng, n, 1);
      const units = Array.from({ length: n }, () => 10 ** rng.between(-3, 3));
      const one = kernel.riskParity(covariance, budgets).weights.map((w, i) => w / at(units, i));
      const sum = one.reduce((total, w) => total + w, 0);
      const other = kernel.riskParity(
        covariance.map((cell, at2) => cell * at(units, Math.floor(at2 / n)) * at(units, at2 % n)),
        budgets,
      );
      one.forEach((w, i) => {
        const label = `seed ${SEED + 3}, case ${k}`;
        expect(apart(at(other.weights, i), w / sum), label).toBeLessThan(1e-11);
      });
    }
  });

  test('behavior: an asset without a budget is not held, even one without risk', () => {
    const covariance = Float64Array.of(0.04, 0.01, 0, 0.01, 0.09, 0, 0, 0, 0);
    const { weights } = kernel.riskParity(covariance, Float64Array.of(1, 1, 0));
    expect(at(weights, 2)).toBe(0);
    const pair = kernel.riskParity(Float64Array.of(0.04, 0.01, 0.01, 0.09), Float64Array.of(1, 1));
    expect(weights.slice(0, 2)).toEqual(pair.weights);
  });

  test('error: what has no answer is refused', () => {
    const two = Float64Array.of(1, 1);
    // Cash with a budget of risk; a perfect hedge; both have mixes without any risk.
    expect(refusalOf(() => kernel.riskParity(Float64Array.of(1, 0, 0, 0), two))).toBe('/budgets');
    expect(refusalOf(() => kernel.riskParity(Float64Array.of(1, -1, -1, 1), two))).toBe('/budgets');
    expect(refusalOf(() => kernel.riskParity(Float64Array.of(1, -2, -2, 4), two))).toBe('/budgets');
    expect(
      refusalOf(() => kernel.riskParity(Float64Array.of(1, 0, 0, 1), Float64Array.of(0, 0))),
    ).toBe('/budgets');
  });

  test('error: hedges so close that rounding decides are answered within 1e-10 or refused', () => {
    const budgets = Float64Array.of(0.7, 0.3);
    const refused = Array.from({ length: 16 }, (_, k) => {
      const covariance = Float64Array.of(1, -1 + 10 ** -k, -1 + 10 ** -k, 1);
      try {
        const { weights } = kernel.riskParity(covariance, budgets);
        expect(residualOf(covariance, budgets, weights), `1e-${k}`).toBeLessThan(KKT);
        return false;
      } catch {
        expect(['/covariance', '/budgets']).toContain(
          refusalOf(() => kernel.riskParity(covariance, budgets)),
        );
        return true;
      }
    });
    expect(refused.slice(0, 6)).not.toContain(true);
    expect(refused.slice(14)).not.toContain(false);
  });

  test('error: what is no covariance or no budget is refused', () => {
    const parity = (cells: readonly number[], budgets: readonly number[]) =>
      refusalOf(() => kernel.riskParity(Float64Array.from(cells), Float64Array.from(budgets)));
    expect(parity([1, 2, 2, 1], [1, 1])).toBe('/covariance');
    expect(parity([-1, 0, 0, 1], [1, 1])).toBe('/covariance');
    expect(parity([1, 0.5, 0.4, 1], [1, 1])).toBe('/covariance');
    expect(parity([0, 0.1, 0.1, 1], [0, 1])).toBe('/covariance');
    expect(parity([1, 0, 0], [1, 1])).toBe('/covariance');
    expect(parity([], [])).toBe('/covariance');
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      expect(parity([1, 0, 0, value], [1, 1])).toBe('/covariance/3');
      expect(parity([1, 0, 0, 1], [1, value])).toBe('/budgets/1');
    }
    expect(parity([1, 0, 0, 1], [1, -1])).toBe('/budgets/1');
    const many = new Float64Array(65 * 65);
    for (let i = 0; i < 65; i++) many[i * 66] = 1;
    expect(refusalOf(() => kernel.riskParity(many, new Float64Array(65).fill(1)))).toBe(
      '/covariance',
    );
  });
});
