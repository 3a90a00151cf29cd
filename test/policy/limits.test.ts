// Limits on a trade: budgets over 30 days, directions, chains, smallest trade. Each only ever scales a
// trade down or refuses it (a chain's floor or cap apart), and says so.

import { describe, expect, test } from 'vitest';
import { aimLimits } from '../../solver/policy/limits/aim.ts';
import {
  budgetLeft,
  refilledAt,
  turnoverLeft,
  turnoverWithin,
} from '../../solver/policy/limits/budgets.ts';
import { boundsOf, brokenLimits, withinBounds } from '../../solver/policy/limits/chains.ts';
import { balance } from '../../solver/policy/limits/direction.ts';
import type { Mode, PolicyState, Skipped } from '../../solver/policy/types.ts';
import { chainId } from '../../solver/types/ids.ts';
import { random } from '../engine/generate.ts';
import { weightsOf } from './draws.ts';
import { NOW, policyOf, seconds, stateOf, sum } from './support.ts';

const DAY = 86_400;
const past = (daysAgo: number, cost: number, turnover = 0) => ({
  at: seconds(Math.round(NOW - daysAgo * DAY)),
  cost,
  turnover,
});

describe('budgets', () => {
  test('default: what was spent comes back evenly over 30 days', () => {
    expect(budgetLeft(0.005, [past(0, 0.003)], NOW)).toBeCloseTo(0.002, 15);
    expect(budgetLeft(0.005, [past(15, 0.003)], NOW)).toBeCloseTo(0.0035, 15);
    expect(budgetLeft(0.005, [past(30, 0.003)], NOW)).toBe(0.005);
    expect(budgetLeft(0.005, [past(1, 0.006)], NOW)).toBe(0);
    expect(budgetLeft(Infinity, [past(1, 0.006)], NOW)).toBe(Infinity);
  });

  test('default: turnover counts whole until its 30 days are over', () => {
    const settlements = [past(40, 0, 1), past(29.9, 0, 0.4), past(1, 0, 0.5)];
    expect(turnoverLeft(1, settlements, NOW)).toBeCloseTo(0.1, 15);
    expect(turnoverLeft(0.5, settlements, NOW)).toBe(0);
  });

  test('default: the turnover a cost leaves', () => {
    expect(turnoverWithin(0.005, 0.003, 0.002)).toBeCloseTo(1, 12);
    expect(turnoverWithin(0.001, 0.003, 0.002)).toBe(0);
    expect(turnoverWithin(0.001, 0, 0.001)).toBe(Infinity);
  });

  test('property: refilledAt is the first second the budget suffices', () => {
    const seed = 20_261_211;
    const rng = random(seed);
    for (let round = 0; round < 300; round++) {
      const settlements = Array.from({ length: 1 + Math.floor(rng.next() * 6) }, () =>
        past(Math.floor(rng.between(0, 35 * DAY)) / DAY, rng.between(0, 0.003)),
      );
      const needed = rng.between(0, 0.005);
      const at = refilledAt(0.005, needed, settlements, NOW) ?? 0;
      const label = `seed ${seed}, round ${round}`;
      expect(budgetLeft(0.005, settlements, at), label).toBeGreaterThanOrEqual(needed - 1e-15);
      if (at > NOW + 1) {
        expect(budgetLeft(0.005, settlements, at - 2), label).toBeLessThan(needed);
      }
    }
    expect(refilledAt(0.005, 0.006, [], NOW)).toBeNull();
  });

  test('property: no month costs more than e budgets', () => {
    const seed = 20_261_212;
    const rng = random(seed);
    const budget = 0.005;
    const spent: { at: ReturnType<typeof seconds>; cost: number; turnover: number }[] = [];
    for (
      let now = NOW;
      now < NOW + 120 * DAY;
      now = seconds(now + Math.floor(rng.between(60, DAY)))
    ) {
      const left = budgetLeft(budget, spent, now);
      spent.push({ at: now, cost: left * rng.next(), turnover: 0 });
      const month = spent.filter(({ at }) => now - at < 30 * DAY);
      expect(sum(month.map(({ cost }) => cost)), `seed ${seed}`).toBeLessThan(Math.E * budget);
    }
  });
});

describe('balance', () => {
  test('default: the larger side comes down to the smaller', () => {
    const change = Float64Array.from([0.3, -0.1, -0.05]);
    balance(change);
    expect(change[0]).toBeCloseTo(0.15, 15);
    expect(sum(change)).toBeCloseTo(0, 15);
    const alone = Float64Array.from([0.3, 0.1]);
    balance(alone);
    expect([...alone]).toEqual([0, 0]);
  });
});

describe('chains', () => {
  const policy = policyOf({
    chains: [1, 10],
    chainLimits: [
      { chain: 1, cap: '0.6' },
      { chain: 10, asset: 'CASH', floor: '0.1' },
      { chain: 1, asset: 'ETH', cap: '0.2' },
      { chain: 10, asset: 'ETH', cap: '0.15' },
    ],
  });

  test('default: bounds of an asset are the sums of its chains’', () => {
    const bounds = boundsOf(policy);
    expect([...(bounds?.floors ?? [])]).toEqual([0, 0, 0.1]);
    expect([...(bounds?.caps ?? [])]).toEqual([1, 0.35, 1]);
    expect(boundsOf(policyOf())).toBeNull();
  });

  test('behavior: a landing moves into its bounds, the others make room', () => {
    const skipped: Skipped[] = [];
    const bounds = boundsOf(policy);
    if (bounds === null) throw new Error('has bounds');
    const landing = withinBounds(
      Float64Array.from([0.45, 0.5, 0.05]),
      bounds,
      policy.assets,
      skipped,
    );
    expect(landing[1]).toBeCloseTo(0.35, 12);
    expect(landing[2]).toBeGreaterThanOrEqual(0.1);
    expect(sum(landing)).toBeCloseTo(1, 12);
    expect(skipped.map(({ code, asset }) => [code, asset])).toEqual([
      ['chainCap', 'ETH'],
      ['chainFloor', 'CASH'],
    ]);
  });

  test('behavior: what stands on a chain beyond its limit is named', () => {
    const on = new Map([
      [chainId(1), Float64Array.from([0.4, 0.25, 0.05])],
      [chainId(10), Float64Array.from([0.1, 0.05, 0.15])],
    ]);
    const codes = brokenLimits(policy, on, 0.001).map(({ data }) => [data?.chain, data?.bound]);
    expect(codes).toEqual([
      [1, 0.6],
      [1, 0.2],
    ]);
    expect(brokenLimits(policy, on, 0.2)).toEqual([]);
    expect(brokenLimits(policy, new Map(), 0.001).map(({ data }) => data?.chain)).toEqual([10]);
  });
});

describe('aimLimits', () => {
  const wish = (landing: readonly number[], policy = policyOf()) => ({
    landing: Float64Array.from(landing),
    targets: Float64Array.from(policy.targets),
    covariance: policy.prior.covariance,
    aversion: null,
    chainsOnly: false,
  });
  function ask(
    rest: object,
    weights: readonly number[],
    landing: readonly number[],
    state: Partial<PolicyState> = {},
    mode: Mode = 'normal',
  ) {
    const policy = policyOf(rest);
    const skipped: Skipped[] = [];
    const fixed = policy.costs.fixedUsd / (state.worthUsd ?? 100_000);
    const limit = aimLimits(policy);
    const allowed = limit(stateOf(policy, weights, state), mode, fixed, wish(landing), skipped);
    return { ...allowed, codes: skipped.map(({ code }) => code), skipped };
  }
  const history = (...settlements: ReturnType<typeof past>[]) => ({
    history: {
      armedAt: seconds(NOW - 100 * DAY),
      lastSettledAt: null,
      lastScheduledAt: null,
      settlements,
    },
  });
  const [from, to] = [
    [0.6, 0.25, 0.15],
    [0.5, 0.3, 0.2],
  ] as const;

  test('default: nothing binds', () => {
    const { aim, codes, cost } = ask({}, from, to);
    expect(aim?.turnover).toBeCloseTo(0.1, 12);
    expect(cost).toBeCloseTo(0.1 * 0.003 + 1e-5, 15);
    expect(codes).toEqual([]);
    expect(aim?.maxTurnover).toBe(2);
  });

  test('behavior: turnover over 30 days scales, then refuses', () => {
    const limit = { limits: { turnover30d: '0.5' } };
    const scaled = ask(limit, from, to, history(past(3, 0.001, 0.45)));
    expect(scaled.aim?.turnover).toBeCloseTo(0.05, 12);
    expect(scaled.aim?.landing[0]).toBeCloseTo(0.55, 12);
    expect(scaled.codes).toEqual(['turnoverLimit']);
    const refused = ask(limit, from, to, history(past(3, 0.001, 0.5)));
    expect(refused.aim).toBeNull();
    expect(refused.codes).toEqual(['turnoverLimit']);
  });

  test('behavior: the cost budget scales, refuses, and says when it has come back', () => {
    const costs = { costs: { budgetBps30d: 10 } };
    const scaled = ask(costs, from, to, history(past(0, 0.0008)));
    expect(scaled.aim?.turnover).toBeCloseTo((0.0002 - 1e-5) / 0.003, 9);
    expect(scaled.aim?.maxCostBps).toBeCloseTo(2, 9);
    const refused = ask(costs, from, to, history(past(0, 0.001)));
    expect(refused.aim).toBeNull();
    expect(refused.codes).toEqual(['costBudget']);
    expect(refused.retryAt).toBeGreaterThan(NOW);
  });

  test('behavior: one settlement’s cost, gas, and the smallest trade', () => {
    expect(ask({ costs: { maxBps: 1 } }, from, to).codes).toEqual(['costLimit']);
    const gas = ask({}, from, to, { gasUsd: 60 });
    expect([gas.aim, gas.codes]).toEqual([null, ['maxGas']]);
    const small = ask({}, [0.50005, 0.3, 0.19995], to);
    expect(small.aim).toBeNull();
    expect(small.codes).toEqual(['minTrade']);
    // ETH's 5 dollars are left out; BTC for cash still goes.
    const part = ask({}, [0.55, 0.30005, 0.14995], to);
    expect(part.codes).toEqual(['minTrade']);
    expect(part.aim?.landing[1]).toBe(0.30005);
    expect(sum(part.aim?.landing ?? [])).toBeCloseTo(1, 12);
  });

  test('behavior: buy-only, sell-only, reduce-only', () => {
    const buyOnly = ask({ limits: { buyOnly: ['BTC'] } }, from, to);
    expect([buyOnly.aim, buyOnly.codes]).toEqual([null, ['buyOnly']]);
    const sellOnly = ask({ limits: { sellOnly: ['ETH'] } }, from, to);
    expect(sellOnly.aim?.landing[1]).toBe(0.25);
    expect(sellOnly.aim?.landing[0]).toBeCloseTo(0.55, 12); // only what cash takes
    const reducing = ask({}, from, to, {}, 'reduceOnly');
    expect(reducing.codes).toEqual(['reduceOnly']);
    expect(reducing.aim?.landing[1]).toBe(0.25);
    expect(reducing.aim?.sellOnly).toEqual(['BTC', 'ETH']);
  });

  test('property: never more than asked, never across, sum 1, limits kept', () => {
    const seed = 20_261_213;
    const rng = random(seed);
    for (let round = 0; round < 2_000; round++) {
      const label = `seed ${seed}, round ${round}`;
      const [weights, landing] = [weightsOf(rng, 3), weightsOf(rng, 3)];
      const names = ['BTC', 'ETH', 'CASH'];
      const buyOnly = rng.next() < 0.3 ? [rng.pick(names)] : [];
      const sellOnly = names.filter((name) => !buyOnly.includes(name) && rng.next() < 0.2);
      const reduceOnly = rng.next() < 0.3;
      const limits = {
        buyOnly,
        sellOnly: sellOnly.slice(0, 2),
        reduceOnly,
        turnover30d: rng.between(0.05, 2),
      };
      const { aim } = ask({ limits }, [...weights], [...landing]);
      if (aim === null) continue;
      expect(Math.abs(sum(aim.landing) - 1), label).toBeLessThan(1e-9);
      expect(aim.turnover, label).toBeLessThanOrEqual(limits.turnover30d + 1e-12);
      for (const [i, name] of names.entries()) {
        const d = (aim.landing[i] ?? 0) - (weights[i] ?? 0);
        const asked = (landing[i] ?? 0) - (weights[i] ?? 0);
        expect(d * asked >= 0 && Math.abs(d) <= Math.abs(asked) + 1e-12, label).toBe(true);
        if (buyOnly.includes(name)) expect(d, label).toBeGreaterThanOrEqual(-1e-12);
        if (limits.sellOnly.includes(name)) expect(d, label).toBeLessThanOrEqual(1e-12);
        if (reduceOnly && name !== 'CASH') expect(d, label).toBeLessThanOrEqual(1e-12);
      }
    }
  });
});
