// Risk parity against risk_parity.json: weights, and the conditions they must meet, computed here.

import { describe, expect, test } from 'vitest';
import { at, newKernel, vectors } from './support.ts';

interface Case {
  readonly name: string;
  readonly vol?: readonly number[];
  readonly corr?: readonly (readonly number[])[];
  readonly Sigma?: readonly (readonly number[])[];
  readonly budget?: readonly number[] | null;
  readonly w: readonly number[];
  readonly printed?: readonly number[];
}

const { cases } = vectors<{ readonly cases: readonly Case[] }>('risk_parity');
const kernel = newKernel();

function covarianceOf({ vol, corr, Sigma, w }: Case): Float64Array {
  const rows =
    Sigma ?? corr?.map((row, i) => row.map((c, j) => c * at(vol ?? [], i) * at(vol ?? [], j)));
  if (rows === undefined) throw new Error('a case without a covariance');
  return Float64Array.from({ length: w.length ** 2 }, (_, k) =>
    at(rows[Math.floor(k / w.length)] ?? [], k % w.length),
  );
}

describe('riskParity', () => {
  test('behavior: shares of risk meet the budgets to 1e-10 on every vector', () => {
    for (const one of cases) {
      const n = one.w.length;
      const covariance = covarianceOf(one);
      const budgets = Float64Array.from(one.budget ?? one.w.map(() => 1 / n));
      const { weights, residual, rounds } = kernel.riskParity(covariance, budgets);
      const pull = Array.from(weights, (_, i) =>
        weights.reduce((sum, w, j) => sum + at(covariance, i * n + j) * w, 0),
      );
      const variance = weights.reduce((sum, w, i) => sum + w * at(pull, i), 0);
      const worst = Math.max(
        ...Array.from(weights, (w, i) => Math.abs((w * at(pull, i)) / variance - at(budgets, i))),
      );
      console.log(`${one.name}: residual ${worst.toExponential(1)} in ${rounds} rounds`);
      expect(worst, one.name).toBeLessThan(1e-14);
      expect(Math.abs(residual - worst), one.name).toBeLessThan(1e-15);
      expect(Math.abs(weights.reduce((sum, w) => sum + w, 0) - 1), one.name).toBeLessThan(1e-15);
    }
  });

  test('behavior: the weights are the vectors’ to 1e-12', () => {
    for (const one of cases) {
      const budgets = Float64Array.from(one.budget ?? one.w.map(() => 1));
      const { weights } = kernel.riskParity(covarianceOf(one), budgets);
      one.w.forEach((w, i) => {
        expect(Math.abs(at(weights, i) - w), one.name).toBeLessThan(1e-12);
      });
      one.printed?.forEach((w, i) => {
        expect(Math.abs(at(weights, i) - w), one.name).toBeLessThan(5e-4);
      });
    }
  });
});
