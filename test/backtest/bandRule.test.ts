// The band rule's promises, on seeded markets: still inside, on the edge after a trade, never a weight
// made or lost, the same whatever the assets are called; and that the policy replayed hour by hour
// through `decide` is the kernel's replay.

import { describe, expect, test } from 'vitest';
import { replayPolicy } from '../../solver/backtest/policyReplay.ts';
import { forecastPlan } from '../../solver/policy/forecast/mixed.ts';
import { parsePolicy } from '../../solver/policy/parse.ts';
import type { Policy } from '../../solver/policy/types.ts';
import type { BandRuleInputs } from '../../solver/types/risk.ts';
import { closes, kernels, type Market, market, mulberry, path } from './support.ts';

const { risk, replay } = kernels();
const SEEDS = Array.from({ length: 40 }, (_, k) => k + 1);

function draw(seed: number, fixed = 0) {
  const random = mulberry(seed);
  const n = 2 + Math.floor(random() * 11);
  const one = market(n, random);
  const inputs: BandRuleInputs = {
    ...one,
    aversion: 10 ** (3 * random()),
    proportional: 0.003,
    fixed,
  };
  const spread = 0.3 * random();
  const raw = one.targets.map((w) => w * Math.exp(spread * (2 * random() - 1)));
  const sum = raw.reduce((a, b) => a + b, 0);
  return { n, one, inputs, weights: raw.map((w) => w / sum), random };
}

/** Displacement of selling i for j, and its variance: POLICY.md's a and σ². */
function displacement(
  { covariance, targets }: Market,
  weights: Float64Array,
  i: number,
  j: number,
) {
  const n = targets.length;
  const at = (r: number, c: number) => covariance[r * n + c] as number;
  const marginal = (r: number) =>
    weights.reduce((sum, w, c) => sum + at(r, c) * (w - (targets[c] as number)), 0);
  const variance = at(i, i) + at(j, j) - 2 * at(i, j);
  return { a: (marginal(i) - marginal(j)) / variance, variance };
}

describe('bandRule', () => {
  test('property: a landing sums to 1 and is left alone afterwards', () => {
    let traded = 0;
    for (const seed of SEEDS) {
      for (const fixed of [0, 1e-5]) {
        const { inputs, weights } = draw(seed, fixed);
        const rule = risk.bandRule(inputs);
        const found = rule.land(weights);
        if (found === null) continue;
        traded++;
        const sum = found.landing.reduce((a, b) => a + b, 0);
        const before = weights.reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - before), `seed ${seed}`).toBeLessThan(1e-14 * weights.length * 8);
        expect(found.excess, `seed ${seed}`).toBeGreaterThan(1);
        expect(rule.land(found.landing), `seed ${seed}: trades again`).toBeNull();
      }
    }
    expect(traded).toBeGreaterThan(SEEDS.length / 2);
  });

  test('property: F = 0 lands on the edge: a little farther out is outside again', () => {
    for (const seed of SEEDS) {
      const { inputs, weights } = draw(seed);
      const rule = risk.bandRule(inputs);
      const found = rule.land(weights);
      if (found === null) continue;
      const out = found.landing.map((w, i) => w + 1e-6 * ((weights[i] as number) - w));
      const again = rule.land(out);
      expect(again, `seed ${seed}: not on the edge`).not.toBeNull();
      expect(again?.excess ?? 2, `seed ${seed}`).toBeLessThan(1.001);
    }
  });

  test('property: two assets have the closed form h = (3εs²/2κσ²)^⅓', () => {
    for (const seed of SEEDS) {
      const random = mulberry(seed);
      const one = market(2, random);
      const aversion = 10 ** (3 * random());
      const rule = risk.bandRule({ ...one, aversion, proportional: 0.003, fixed: 0 });
      const [t = 0] = one.targets;
      const variance = one.covariance[0] as number;
      const spread = (t * (1 - t)) ** 2 * variance;
      const h = ((1.5 * 0.003 * spread) / (aversion * variance)) ** (1 / 3);
      const at = (x: number) => Float64Array.of(t + x, 1 - t - x);
      expect(rule.land(at(h * (1 - 1e-9)))).toBeNull();
      const found = rule.land(at(h * 1.5));
      expect(Math.abs((found?.landing[0] ?? 0) - t - h), `seed ${seed}`).toBeLessThan(1e-12);
      expect(found?.pair).toEqual([0, 1]);
      expect(Math.abs((found?.excess ?? 0) - 1.5)).toBeLessThan(1e-9);
    }
  });

  test('property: every pair stands where its price of risk no longer pays for its trade', () => {
    for (const seed of SEEDS) {
      const { inputs, one, weights, n } = draw(seed);
      const found = risk.bandRule(inputs).land(weights);
      if (found === null) continue;
      // What was sold had too much: its displacement fell, and no pair crossed to the other side.
      const [i, j] = found.pair;
      const before = displacement(one, weights, i, j).a;
      const after = displacement(one, found.landing, i, j).a;
      expect(before, `seed ${seed}`).toBeGreaterThan(after);
      expect(after, `seed ${seed}`).toBeGreaterThan(0);
      expect(n).toBeGreaterThan(1);
    }
  });

  test('property: renaming the assets renames the landing', () => {
    for (const seed of SEEDS) {
      const { inputs, weights, n, random } = draw(seed);
      const order = Array.from({ length: n }, (_, i) => i).toSorted(() => random() - 0.5);
      const moved: BandRuleInputs = {
        ...inputs,
        targets: Float64Array.from(order, (i) => inputs.targets[i] as number),
        covariance: Float64Array.from(
          order.flatMap((i) => order.map((j) => inputs.covariance[i * n + j] as number)),
        ),
      };
      const one = risk.bandRule(inputs).land(weights);
      const other = risk
        .bandRule(moved)
        .land(Float64Array.from(order, (i) => weights[i] as number));
      expect(other === null, `seed ${seed}`).toBe(one === null);
      if (one === null || other === null) continue;
      order.forEach((i, k) => {
        const gap = (other.landing[k] as number) - (one.landing[i] as number);
        expect(Math.abs(gap), `seed ${seed}`).toBeLessThan(1e-11);
      });
      expect(other.pair.map((k) => order[k])).toEqual([...one.pair]);
    }
  });

  test('property: the same input gives the same bytes, in any instance', () => {
    const other = kernels().risk;
    for (const seed of SEEDS) {
      const { inputs, weights } = draw(seed);
      const [a, b] = [risk.bandRule(inputs).land(weights), other.bandRule(inputs).land(weights)];
      expect(b).toEqual(a);
    }
  });

  test('behavior: ε = 0 lands on the targets; assets without risk are never traded', () => {
    const { inputs } = draw(7, 1e-5);
    const free = { ...inputs, proportional: 0 };
    const far = inputs.targets.map((w, i) =>
      i === 0 ? w + 0.2 : w - 0.2 / (inputs.targets.length - 1),
    );
    expect(risk.bandRule(free).land(far)?.landing).toEqual(inputs.targets);
    const two = { ...free, targets: Float64Array.of(0.5, 0.5), covariance: new Float64Array(4) };
    expect(risk.bandRule(two).land(Float64Array.of(0.9, 0.1))).toBeNull();
  });

  test('error: what is not finite or does not fit is refused by name', () => {
    const { inputs, weights } = draw(3);
    const bad: readonly (readonly [Partial<BandRuleInputs>, string])[] = [
      [{ targets: new Float64Array(0) }, '/targets'],
      [{ covariance: inputs.covariance.slice(1) }, '/covariance'],
      [{ covariance: inputs.covariance.map(() => Number.NaN) }, '/covariance'],
      [{ aversion: 0 }, '/aversion'],
      [{ proportional: -1 }, '/proportional'],
      [{ fixed: Number.POSITIVE_INFINITY }, '/fixed'],
    ];
    for (const [change, pointer] of bad) {
      expect(() => risk.bandRule({ ...inputs, ...change })).toThrow(
        expect.objectContaining({ pointer }),
      );
    }
    expect(() => risk.bandRule(inputs).land(weights.map(() => Number.NaN))).toThrow(
      expect.objectContaining({ pointer: '/weights' }),
    );
  });
});

/** The policy without what acts beside its bands. */
function plain(policy: Policy): Policy {
  return {
    ...policy,
    costs: {
      ...policy.costs,
      minTradeUsd: 0,
      maxBpsPerSettlement: 10_000,
      budgetBps30d: Number.POSITIVE_INFINITY,
    },
    limits: { ...policy.limits, turnover30d: Number.POSITIVE_INFINITY },
    breakers: { ...policy.breakers, drawdown: null, maxMovePerHour: null },
    cooldownSeconds: 0,
  };
}

describe('replayPolicy', () => {
  const costs = { proportional: 0.003, fixed: 0 };

  test('behavior: a plain band policy gives what the kernel’s replay gives', () => {
    const policy = plain(
      parsePolicy({
        targets: { BTC: '0.5', ETH: '0.3', CASH: '0.2' },
        objective: { aversion: '33.76' },
      }),
    );
    const rows = 12_000;
    const prices = closes(3)
      .subarray(0, 3 * rows)
      .slice();
    const times = Float64Array.from({ length: rows }, (_, k) => 1_502_942_400 + 3600 * k);
    const plan = forecastPlan(3600);
    const own = replayPolicy(
      { policy, prices, times, stepSeconds: 3600, plan, costs, blockSteps: 168 },
      risk,
    );
    const core = replay
      .load({
        targets: Float64Array.from(policy.targets),
        prices,
        perYear: 8760,
        prior: policy.prior.covariance,
        forecast: plan,
        blockSteps: 168,
      })
      .run({ kind: 'rule' }, 33.76, costs);
    expect(own.trades).toBe(core.trades);
    expect(own.trades).toBeGreaterThan(100);
    for (const key of ['cost', 'te', 'turnover', 'maxDrawdown'] as const) {
      expect(Math.abs(own[key] / core[key] - 1), key).toBeLessThan(1e-12);
    }
    own.blocks.forEach((sum, k) => {
      expect(Math.abs(sum - (core.blocks[k] as number))).toBeLessThan(1e-12);
    });
  });

  test('behavior: crons, cooldowns and budgets act as in life, and are counted', () => {
    const random = mulberry(11);
    const rows = 2_000;
    const prices = path(market(3, random), rows, random);
    const times = Float64Array.from({ length: rows }, (_, k) => 1_600_000_000 + 3600 * k);
    const input = { prices, times, stepSeconds: 3600, plan: forecastPlan(3600), costs };
    const targets = { A: '0.5', B: '0.3', CASH: '0.2' };
    const run = (document: object) =>
      replayPolicy(
        { ...input, policy: parsePolicy({ targets, ...document }), blockSteps: 168 },
        risk,
      );
    const daily = run({ objective: { calendar: true }, schedule: { every: '1d' } });
    expect(Object.keys(daily.causes)).toEqual(['time']);
    expect(daily.trades).toBeGreaterThan(rows / 24 - 3);
    expect(daily.trades).toBeLessThanOrEqual(Math.ceil(rows / 24));
    const eager = run({ objective: { aversion: '1000' }, cooldown: '0s' });
    const patient = run({ objective: { aversion: '1000' }, cooldown: '2d' });
    expect(patient.trades).toBeLessThan(eager.trades);
    expect(patient.skipped.cooldown).toBeGreaterThan(0);
  });

  test('error: leverage and options need more than prices', () => {
    const policy = parsePolicy({ targets: { BTC: '0.5', CASH: '0.5' } });
    const rows = 10;
    const input = {
      policy: { ...policy, leverage: {} as NonNullable<Policy['leverage']> },
      prices: new Float64Array(2 * rows).fill(1),
      times: Float64Array.from({ length: rows }, (_, k) => 3600 * k),
      stepSeconds: 3600,
      plan: forecastPlan(3600),
      costs,
      blockSteps: 168,
    };
    expect(() => replayPolicy(input, risk)).toThrow(
      expect.objectContaining({ pointer: '/leverage' }),
    );
  });
});
