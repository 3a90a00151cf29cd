// Waiting for cheaper gas, judged on simulated series: the true model's own, and one whose model had to
// be fitted. Foresight knows the whole series; acting at once knows nothing.

import { describe, expect, it } from 'vitest';
import {
  driftRiskUsd,
  fitGasModel,
  type GasModel,
  gasRule,
} from '../../../solver/policy/execution/gasTiming.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { type Random, random } from '../../engine/generate.ts';
import { normal } from '../../risk/support.ts';

const MODEL: GasModel = { mean: Math.log(20), persistence: 0.9, noise: 0.25 };
const SPREAD = MODEL.noise / Math.sqrt(1 - MODEL.persistence ** 2);
const STEPS = 24;
const RUNS = 4_000;

function series(rng: Random, length: number, model = MODEL): number[] {
  let x = model.mean + SPREAD * normal(rng);
  return Array.from({ length }, () => {
    const price = Math.exp(x);
    x = model.mean + model.persistence * (x - model.mean) + model.noise * normal(rng);
    return price;
  });
}

/** Mean dollars of acting by thresholds, at once, at the deadline, and with foresight. */
function compare(thresholds: Float64Array, usdPerGas: number, waitUsd: number, rng: Random) {
  const sums = { rule: 0, atOnce: 0, atEnd: 0, foresight: 0 };
  for (let run = 0; run < RUNS; run += 1) {
    const prices = series(rng, STEPS + 1);
    const costs = prices.map((price, t) => usdPerGas * price + waitUsd * t);
    const when = prices.findIndex((price, t) => price <= (thresholds[t] ?? Infinity));
    sums.rule += (costs[when] ?? Number.NaN) / RUNS;
    sums.atOnce += (costs[0] ?? Number.NaN) / RUNS;
    sums.atEnd += (costs[STEPS] ?? Number.NaN) / RUNS;
    sums.foresight += Math.min(...costs) / RUNS;
  }
  return sums;
}

describe('gasRule', () => {
  it('default: beats acting at once and at the deadline; foresight bounds it', () => {
    const seed = 20_261_161;
    const usdPerGas = 0.1;
    for (const waitUsd of [0, 0.01, 0.05]) {
      const { thresholds } = gasRule({ model: MODEL, steps: STEPS, usdPerGas, waitUsd });
      const mean = compare(thresholds, usdPerGas, waitUsd, random(seed));
      const ratio = mean.foresight / mean.rule;
      const saved = (mean.atOnce - mean.rule) / (mean.atOnce - mean.foresight);
      console.log(
        `gas timing, seed ${seed}, wait ${waitUsd} $/step: rule ${mean.rule.toFixed(4)}, ` +
          `at once ${mean.atOnce.toFixed(4)}, at the end ${mean.atEnd.toFixed(4)}, ` +
          `foresight ${mean.foresight.toFixed(4)}: ratio ${ratio.toFixed(3)}, ` +
          `${(saved * 100).toFixed(0)} % of its saving`,
      );
      expect(mean.rule).toBeLessThan(mean.atOnce);
      expect(mean.rule).toBeLessThan(mean.atEnd);
      expect(mean.rule).toBeGreaterThanOrEqual(mean.foresight);
      // That no rule without foresight does better is for the two tests below.
      expect(saved).toBeGreaterThan(0.5);
    }
  });

  it('behavior: its value is what acting by it costs, within three standard errors', () => {
    const seed = 20_261_162;
    const rng = random(seed);
    const problem = { model: MODEL, steps: STEPS, usdPerGas: 0.1, waitUsd: 0.02 };
    const rule = gasRule(problem);
    let sum = 0;
    let squares = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const prices = series(rng, STEPS + 1);
      const when = prices.findIndex((price, t) => price <= (rule.thresholds[t] ?? Infinity));
      const paid = 0.1 * (prices[when] ?? Number.NaN) + 0.02 * when;
      const error = paid - rule.cost(prices[0] ?? Number.NaN);
      sum += error / RUNS;
      squares += error ** 2 / RUNS;
    }
    const deviation = Math.sqrt((squares - sum ** 2) / RUNS);
    expect(Math.abs(sum), `seed ${seed}`).toBeLessThan(3 * deviation);
  });

  it('behavior: no nudge of the thresholds does better', () => {
    const problem = { model: MODEL, steps: STEPS, usdPerGas: 0.1, waitUsd: 0.02 };
    const { thresholds } = gasRule(problem);
    const at = (factor: number): number =>
      compare(
        thresholds.map((one) => one * factor),
        0.1,
        0.02,
        random(20_261_163),
      ).rule;
    const best = at(1);
    for (const factor of [0.7, 0.85, 1.2, 1.5]) expect(at(factor)).toBeGreaterThan(best);
  });

  it('behavior: thresholds rise towards the deadline and with the price of waiting', () => {
    const base = { model: MODEL, steps: STEPS, usdPerGas: 0.1 };
    let last = gasRule({ ...base, waitUsd: 0 }).thresholds;
    for (const waitUsd of [0.01, 0.1, 1]) {
      const { thresholds } = gasRule({ ...base, waitUsd });
      for (const [t, one] of thresholds.entries()) {
        expect(one).toBeGreaterThanOrEqual((last[t] ?? 0) * (1 - 1e-9));
        if (t > 0) expect(one).toBeGreaterThanOrEqual((thresholds[t - 1] ?? 0) * (1 - 1e-9));
      }
      last = thresholds;
    }
    expect(last[STEPS]).toBe(Infinity);
    // Waiting that costs more than all of gas is never worth it.
    const dear = gasRule({ ...base, waitUsd: 1e6 });
    expect(dear.thresholds.every((one) => one === Infinity)).toBe(true);
  });

  it('behavior: a due settlement, and gas that does not move', () => {
    const due = gasRule({ model: MODEL, steps: 0, usdPerGas: 2, waitUsd: 1 });
    expect([...due.thresholds]).toEqual([Infinity]);
    expect(due.cost(7)).toBe(14);
    const still = { ...MODEL, persistence: 0, noise: 0 };
    const rule = gasRule({ model: still, steps: 5, usdPerGas: 1, waitUsd: 0.1 });
    expect(rule.cost(20)).toBeCloseTo(20, 6);
    // Twice the mean now, the mean for certain in a step.
    expect(rule.cost(40)).toBeCloseTo(20.1, 2);
  });

  it('error: numbers out of range, by field', () => {
    const good = { model: MODEL, steps: 3, usdPerGas: 1, waitUsd: 0 };
    expect(() => gasRule({ ...good, steps: -1 })).toThrow(InvalidInput);
    expect(() => gasRule({ ...good, waitUsd: Number.NaN })).toThrow(InvalidInput);
    expect(() => gasRule({ ...good, model: { ...MODEL, persistence: 1 } })).toThrow(InvalidInput);
  });
});

describe('fitGasModel', () => {
  it('behavior: finds the model of a long series, and the fitted rule does as well', () => {
    const seed = 20_261_164;
    const fitted = fitGasModel(series(random(seed), 20_000));
    expect(Math.abs(fitted.persistence - MODEL.persistence)).toBeLessThan(0.015);
    expect(Math.abs(fitted.noise / MODEL.noise - 1)).toBeLessThan(0.02);
    expect(Math.abs(fitted.mean - MODEL.mean)).toBeLessThan(0.1);
    const problem = { steps: STEPS, usdPerGas: 0.1, waitUsd: 0.02 };
    const known = gasRule({ ...problem, model: MODEL });
    const week = gasRule({ ...problem, model: fitGasModel(series(random(seed + 1), 168)) });
    const paid = (rule: { thresholds: Float64Array }) =>
      compare(rule.thresholds, 0.1, 0.02, random(seed + 2)).rule;
    expect(paid(week)).toBeLessThan(paid(known) * 1.1);
  });

  it('error: too few prices, or one that is none', () => {
    expect(() => fitGasModel([1, 2, 3])).toThrow(InvalidInput);
    const bad = [...new Array<number>(10).fill(3), 0];
    expect(() => fitGasModel(bad)).toThrowError(expect.objectContaining({ pointer: '/10' }));
  });
});

describe('driftRiskUsd', () => {
  it('default: ½κ e′Σe · years · worth', () => {
    expect(driftRiskUsd(10, 4e-4, 1 / 8_760, 1e6)).toBeCloseTo(0.2283, 4);
  });
});
