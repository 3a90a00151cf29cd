// One decision at a time: the order of guards and triggers, what is answered and what is left undone and
// why, no trade inside the bands, the same answer to the same question.

import { describe, expect, test } from 'vitest';
import { decide, prepare } from '../../solver/policy/decide.ts';
import { START_OF_LEVERAGE } from '../../solver/policy/leverage/types.ts';
import type { Decision, Policy, PolicyState } from '../../solver/policy/types.ts';
import { chainId } from '../../solver/types/ids.ts';
import { random } from '../engine/generate.ts';
import { covarianceOf, weightsOf } from './draws.ts';
import { kernel, NOW, policyOf, priced, seconds, stateOf, sum } from './support.ts';

const AT_TARGET = [0.5, 0.3, 0.2] as const;
const OUTSIDE = [0.7, 0.2, 0.1] as const;
const DAY = 86_400;
const BANDS = { objective: { bands: { width: '0.1', landing: 'edge' } } };

const ask = (policy: Policy, weights: readonly number[], rest: Partial<PolicyState> = {}) =>
  decide(policy, stateOf(policy, weights, rest), { kernel });
const codes = (list: readonly { readonly code: string }[]) => list.map(({ code }) => code);
const historyOf = (rest: Partial<PolicyState['history']>): Partial<PolicyState> => ({
  history: {
    armedAt: seconds(NOW - 100 * DAY),
    lastSettledAt: null,
    lastScheduledAt: null,
    settlements: [],
    ...rest,
  },
});

describe('decide', () => {
  test('default: the plain policy trades what has left its band, and says the numbers', () => {
    const decision = ask(policyOf(), OUTSIDE);
    expect(decision).toMatchObject({ at: NOW, mode: 'normal', kind: 'act', cause: 'threshold' });
    expect(codes(decision.reasons)).toEqual(['outside', 'estimate']);
    expect(decision.reasons[0]?.message).toMatch(/BTC over CASH stands at \d+\.\d+ of its band/);
    expect(decision.reasons[1]?.data).toMatchObject({ turnover: decision.aim?.turnover });
    expect(decision.aim?.aversion).toBeGreaterThan(0);
    expect(sum(decision.aim?.landing ?? [])).toBeCloseTo(1, 12);
  });

  test('default: at its target it waits, and says when it looks again', () => {
    const decision = ask(policyOf(), AT_TARGET);
    expect(decision).toMatchObject({ kind: 'idle', cause: null, aim: null, nextAt: NOW + 3_600 });
    expect(decision.reasons[0]?.message).toMatch(/inside: .* tracking error now 0\.000 %/);
  });

  test('behavior: explicit bands land exactly, without aversion', () => {
    const decision = ask(policyOf(BANDS), OUTSIDE);
    expect(decision.aim?.aversion).toBeNull();
    expect(decision.aim?.landing[0]).toBeCloseTo(0.6, 12);
    expect(decision.reasons[0]?.data).toMatchObject({ asset: 'BTC', band: 0.1 });
    expect(ask(policyOf(BANDS), [0.59, 0.25, 0.16]).kind).toBe('idle');
  });

  test('behavior: a finer budget trades sooner', () => {
    const weights = [0.53, 0.29, 0.18];
    expect(ask(policyOf({ objective: { trackingErrorBps: 20 } }), weights).kind).toBe('act');
    expect(ask(policyOf({ objective: { trackingErrorBps: 500 } }), weights).kind).toBe('idle');
  });

  describe('guards, in their order', () => {
    test('behavior: expiry stands before everything', () => {
      const decision = ask(policyOf({ expires: NOW }), OUTSIDE);
      expect([decision.kind, decision.mode]).toEqual(['idle', 'halted']);
      expect(codes(decision.reasons)).toEqual(['expired']);
      expect(ask(policyOf({ expires: NOW + 60 }), AT_TARGET).nextAt).toBe(NOW + 60);
    });

    test.each([
      ['stale', [priced(1_000, NOW - 7_200), priced(1_000), priced(1)], 'stalePrice'],
      ['one source', [priced(1_000).slice(1), priced(1_000), priced(1)], 'quorum'],
      ['none', [[], priced(1_000), priced(1)], 'noPrice'],
      [
        'apart',
        [
          [...priced(1_000).slice(1), { source: 'c', price: 1_100, at: NOW }],
          priced(1_000),
          priced(1),
        ],
        'deviation',
      ],
    ] as const)('behavior: no trade on prices that are %s', (_, prices, code) => {
      const decision = ask(policyOf(), OUTSIDE, { prices });
      expect([decision.kind, decision.mode]).toEqual(['idle', 'halted']);
      expect(codes(decision.reasons)).toContain(code);
      const reducing = policyOf({ oracles: { onFailure: 'reduceOnly' } });
      const careful = ask(reducing, OUTSIDE, { prices });
      expect([careful.kind, careful.mode]).toEqual(['idle', 'reduceOnly']);
      expect(codes(careful.skipped)).toContain('unpriced');
    });

    test('behavior: USDC at 0.9128 stops a policy that holds it', () => {
      const policy = policyOf({ targets: { BTC: '0.5', USDC: '0.5' } });
      const prices = [priced(20_000), priced(0.9128)];
      const decision = ask(policy, [0.8, 0.2], { prices });
      expect(decision.kind).toBe('idle');
      expect(codes(decision.reasons)).toContain('depeg');
    });

    test('behavior: breakers halt, or let risk be reduced alone', () => {
      const breakers = {
        ...stateOf(policyOf(), AT_TARGET).breakers,
        consecutiveFailures: 3,
      };
      const halted = ask(policyOf(), OUTSIDE, { breakers });
      expect([halted.kind, halted.mode]).toEqual(['idle', 'halted']);
      expect(halted.nextAt).toBeGreaterThan(NOW);
      const reducing = policyOf({ breakers: { onTrip: 'reduceOnly' } });
      const sells = ask(reducing, OUTSIDE, { breakers });
      expect(sells.mode).toBe('reduceOnly');
      for (const [i, w] of [0.7, 0.2].entries()) {
        expect(sells.aim?.landing[i] ?? 0).toBeLessThanOrEqual(w);
      }
      const buys = ask(reducing, [0.3, 0.2, 0.5], { breakers });
      expect([buys.kind, buys.aim]).toEqual(['idle', null]);
      expect(codes(buys.skipped)).toContain('reduceOnly');
    });

    test('behavior: states that cannot be read are left alone', () => {
      const faults: Partial<PolicyState>[] = [
        { weights: Float64Array.from([0.5, 0.5]) },
        { weights: Float64Array.from([0.5, 0.3, Number.NaN]) },
        { weights: Float64Array.from([0.5, 0.3, 0.1]) },
        { worthUsd: 0 },
        { prices: [] },
        { gasUsd: Number.NaN },
      ];
      for (const fault of faults) {
        const decision = ask(policyOf(), AT_TARGET, fault);
        expect([decision.kind, codes(decision.reasons)]).toEqual(['idle', ['unreadableState']]);
      }
    });

    test('behavior: a portfolio of dust is decided on; a breaker’s junk time is no state', () => {
      expect(ask(policyOf(), OUTSIDE, { worthUsd: 1e-300, gasUsd: 1e6 }).kind).toBe('idle');
      const { breakers } = stateOf(policyOf(), AT_TARGET);
      const tripped = { at: -1e300 as typeof NOW, code: 'drawdown' };
      const junk = ask(policyOf(), OUTSIDE, { breakers: { ...breakers, tripped } });
      expect(codes(junk.reasons)).toEqual(['unreadableState']);
    });

    test('behavior: the cooldown and the blackout say until when', () => {
      const cooling = ask(policyOf(), OUTSIDE, historyOf({ lastSettledAt: seconds(NOW - 60) }));
      expect(cooling.skipped).toMatchObject([{ code: 'cooldown', data: { until: NOW + 3_540 } }]);
      expect(cooling.nextAt).toBe(NOW + 3_540);
      expect(
        ask(policyOf(), OUTSIDE, historyOf({ lastSettledAt: seconds(NOW - 3_600) })).kind,
      ).toBe('act');
      // NOW is 2025-06-15 15:06:40 UTC, a Sunday.
      const blackouts = [{ from: '15:00', until: '15:30', days: ['sun'] }];
      const dark = ask(policyOf({ schedule: { every: '7d', blackouts } }), OUTSIDE);
      expect(codes(dark.skipped)).toEqual(['blackout']);
      expect(dark.nextAt).toBe(NOW + 1_400);
    });
  });

  describe('the clock', () => {
    const weekly = { schedule: { every: '7d' } };
    // Armed 100 days ago: the last slot was 2 days ago.
    const pending = historyOf({ lastScheduledAt: seconds(NOW - 9 * DAY) });
    const answered = historyOf({ lastScheduledAt: seconds(NOW - 2 * DAY) });
    const inside = [0.51, 0.295, 0.195];

    test('behavior: any: a slot trades to the target, once', () => {
      const decision = ask(policyOf(weekly), inside, pending);
      expect(decision.cause).toBe('time');
      expect([...(decision.aim?.landing ?? [])]).toEqual([0.5, 0.3, 0.2]);
      expect(codes(decision.reasons)).toContain('slotAnswered');
      const after = ask(policyOf(weekly), inside, answered);
      expect(after.kind).toBe('idle');
      expect(codes(after.reasons)).not.toContain('slotAnswered');
    });

    test('behavior: any: the threshold comes first, at its own landing', () => {
      const decision = ask(policyOf({ ...weekly, ...BANDS }), OUTSIDE, pending);
      expect(decision.cause).toBe('threshold');
      expect(decision.aim?.landing[0]).toBeCloseTo(0.6, 12);
    });

    test('behavior: all: both, or nothing', () => {
      const both = policyOf({ ...weekly, ...BANDS, combine: 'all' });
      expect(ask(both, OUTSIDE, pending).cause).toBe('threshold');
      const early = ask(both, OUTSIDE, answered);
      expect([early.kind, codes(early.skipped)]).toEqual(['idle', ['waitsForClock']]);
      const calm = ask(both, inside, pending);
      expect(calm.kind).toBe('idle');
      expect(codes(calm.reasons)).toContain('slotAnswered');
    });

    test('behavior: the clock alone', () => {
      const policy = policyOf({ ...weekly, objective: { calendar: true } });
      expect(ask(policy, OUTSIDE, answered).kind).toBe('idle');
      expect(ask(policy, OUTSIDE, pending).cause).toBe('time');
    });

    test('behavior: a year of a calendar: one trade a slot', () => {
      for (const [schedule, trades] of [
        [{ every: '7d' }, 52],
        [{ cron: '0 9 1 * *', timeZone: 'Europe/Berlin' }, 12],
        [{ cron: '30 2 * * *', timeZone: 'Europe/Berlin' }, 365],
      ] as const) {
        const policy = policyOf({
          schedule,
          objective: { calendar: true },
          limits: { turnover30d: null },
        });
        const { decide: answer } = prepare(policy, kernel);
        const start = Date.UTC(2025, 0, 1) / 1000;
        let lastScheduledAt: ReturnType<typeof seconds> | null = null;
        let count = 0;
        for (let now = start; now < start + 365 * DAY; now += 3_600) {
          const state = stateOf(policy, [0.51, 0.295, 0.195], {
            ...historyOf({ armedAt: seconds(start), lastScheduledAt }),
            now: seconds(now),
          });
          const decision = answer(state);
          if (codes(decision.reasons).includes('slotAnswered')) lastScheduledAt = decision.at;
          if (decision.kind === 'act') count++;
        }
        expect(count).toBe(trades);
      }
    });
  });

  describe('targets that follow from risk', () => {
    test('behavior: a risk budget holds the document’s targets until there is a forecast', () => {
      const policy = policyOf({ riskBudget: { BTC: '0.5', ETH: '0.5' } });
      const prior = ask(policy, [0.6, 0.2, 0.2]);
      expect([...(prior.aim?.targets ?? [])]).toEqual([0.5, 0.3, 0.2]);
      const { covariance } = policy.prior;
      const forecast = { covariance, source: 'ewma' };
      const targets = ask(policy, [0.7, 0.1, 0.2], { forecast }).aim?.targets ?? new Float64Array();
      // Two assets, equal budgets: weights go as 1/σ whatever the correlation.
      expect((targets[0] ?? 0) / (targets[1] ?? 0)).toBeCloseTo(0.85 / 0.65, 9);
      expect(targets[2]).toBeCloseTo(0.2, 15);
      expect(sum(targets)).toBeCloseTo(1, 12);
    });

    test('behavior: a volatility target moves the rest into cash', () => {
      const policy = policyOf({ volatilityTarget: { annual: '0.2' } });
      const targets = ask(policy, AT_TARGET).aim?.targets ?? new Float64Array();
      const [b, e] = [(targets[0] ?? 0) * 0.65, (targets[1] ?? 0) * 0.85];
      expect(Math.sqrt(b * b + e * e + 1.6 * b * e)).toBeCloseTo(0.2, 12);
    });

    test('behavior: a forecast that is no covariance gives way to the prior', () => {
      for (const covariance of [
        new Float64Array(4),
        new Float64Array(9).fill(Number.NaN),
        Float64Array.from([1, 2, 0, 2, 1, 0, 0, 0, 0]),
      ]) {
        const decision = ask(policyOf(), OUTSIDE, { forecast: { covariance, source: 'ewma' } });
        expect(codes(decision.reasons)).toContain('forecastRefused');
        expect(decision.aim?.covariance).toEqual(policyOf().prior.covariance);
      }
    });
  });

  test('behavior: a chain beyond its limit is a cause of its own', () => {
    const policy = policyOf({ chains: [1, 10], chainLimits: [{ chain: 10, floor: '0.3' }] });
    const chainWeights = new Map([
      [chainId(1), Float64Array.from([0.4, 0.25, 0.15])],
      [chainId(10), Float64Array.from([0.1, 0.05, 0.05])],
    ]);
    const decision = ask(policy, AT_TARGET, { chainWeights });
    expect([decision.cause, decision.aim?.turnover, decision.aim?.aversion]).toEqual([
      'threshold',
      0,
      null,
    ]);
    expect(codes(decision.reasons)).toContain('chainLimit');
  });

  describe('leverage', () => {
    const policy = policyOf({ leverage: { target: 2 } });
    const account = (debtUsd: number) => ({
      account: 'aave:1',
      collateral: [{ asset: 'ETH', valueUsd: 10_000, liquidationThreshold: 0.8 }],
      debtUsd,
    });

    test('behavior: an emergency goes before cooldown and blackout, alone', () => {
      const dark = policyOf({
        leverage: { target: 2 },
        schedule: { every: '7d', blackouts: [{ from: '00:00', until: '23:59' }] },
      });
      const state = { accounts: [account(7_000)], ...historyOf({ lastSettledAt: NOW }) };
      for (const one of [policy, dark]) {
        const decision = ask(one, OUTSIDE, state);
        expect([decision.cause, decision.aim]).toEqual(['emergency', null]);
        expect(decision.leverage?.exposureUsd).toBeLessThan(0);
        expect(decision.leverageHistory?.lastTradeAt).toBe(NOW);
      }
    });

    test('behavior: out of range is a threshold; in range the portfolio’s turn comes', () => {
      expect(ask(policy, OUTSIDE, { accounts: [account(4_000)] })).toMatchObject({
        cause: 'threshold',
        leverage: { cause: 'min' },
      });
      const leverage = { ...START_OF_LEVERAGE, lastTradeAt: seconds(NOW - 60) };
      const calm = ask(policy, OUTSIDE, { accounts: [account(4_900)], ...historyOf({ leverage }) });
      expect([calm.cause, calm.leverage]).toEqual(['threshold', null]);
      expect(calm.aim).not.toBeNull();
    });

    test('behavior: a schedule in progress goes before the threshold', () => {
      const pending = { cause: 'max', to: 1.9, account: 'aave:1', down: true } as const;
      const leverage = { ...START_OF_LEVERAGE, lastTradeAt: seconds(NOW - 60), pending };
      const decision = ask(policy, OUTSIDE, {
        accounts: [account(4_950)],
        ...historyOf({ leverage }),
      });
      expect([decision.cause, decision.aim]).toEqual(['schedule', null]);
    });

    test('behavior: an account no formula holds for is left alone', () => {
      const decision = ask(policy, OUTSIDE, { accounts: [account(Number.NaN)] });
      expect(codes(decision.skipped)).toContain('unreadableAccount');
      expect(decision.cause).toBe('threshold');
    });
  });

  test('behavior: the hedge trades beside the portfolio', () => {
    const policy = policyOf({
      hedge: { underlying: 'ETH', band: { model: 'fixed', width: '0.05' } },
    });
    const option = {
      kind: 'call',
      spot: 1_000,
      strike: 1_000,
      years: 0.25,
      rate: 0,
      carry: 0,
      volatility: 0.8,
    } as const;
    const hedge = {
      options: [{ instrument: 'ETH-C', quantity: -10, option }],
      underlying: 0,
      tradable: [],
    };
    const decision = ask(policy, AT_TARGET, { hedge });
    expect([decision.kind, decision.cause]).toEqual(['act', 'hedge']);
    expect(decision.hedge).toMatchObject([{ instrument: 'ETH' }]);
    expect(decision.hedge?.[0]?.quantity).toBeGreaterThan(4);
    const both = ask(policy, OUTSIDE, { hedge });
    expect(both.cause).toBe('threshold');
    expect([both.aim === null, both.hedge === null]).toEqual([false, false]);
  });

  test('property: no trade inside the bands, a trade outside, over random portfolios', () => {
    const seed = 20_261_221;
    const rng = random(seed);
    const counts = { act: 0, idle: 0 };
    for (let round = 0; round < 400; round++) {
      const label = `seed ${seed}, round ${round}`;
      const policy = policyOf({
        limits: { turnover30d: null },
        costs: { minTradeUsd: 0, maxBps: 10_000, budgetBps30d: null, fixedUsd: round % 2 },
        objective: { trackingErrorBps: Math.floor(rng.between(20, 800)) },
      });
      const forecast = { covariance: covarianceOf(rng, 3), source: 'ewma' };
      const targets = Float64Array.from(policy.targets);
      const far = weightsOf(rng, 3);
      const mix = rng.next() ** 2;
      const weights = targets.map((t, i) => t + mix * ((far[i] ?? 0) - t));
      const decision = decide(policy, stateOf(policy, [...weights], { forecast }), { kernel });
      counts[decision.kind]++;
      if (decision.kind === 'idle') continue;
      // It lands inside: asked again there, it rests.
      const landing = decision.aim?.landing ?? new Float64Array();
      const again = decide(policy, stateOf(policy, [...landing], { forecast }), { kernel });
      expect(again.kind, label).toBe('idle');
      expect(Math.abs(sum(landing) - 1), label).toBeLessThan(1e-9);
    }
    expect(Math.min(counts.act, counts.idle)).toBeGreaterThan(50);
  });

  test('property: the same question has the same answer, in any order', () => {
    const seed = 20_261_222;
    const rng = random(seed);
    const policy = policyOf({ schedule: { cron: '0 * * * *' } });
    const states = Array.from({ length: 60 }, (_, i) =>
      stateOf(policy, [...weightsOf(rng, 3)], {
        now: seconds(NOW + Math.floor(rng.between(0, 30 * DAY))),
        worthUsd: 10 ** rng.between(3, 7),
        forecast: { covariance: covarianceOf(rng, 3), source: i % 2 === 0 ? 'ewma' : 'prior' },
        history: { ...historyOf({}).history, armedAt: NOW } as PolicyState['history'],
      }),
    );
    const once = prepare(policy, kernel);
    const forwards = states.map((state) => once.decide(state));
    const backwards = [...states]
      .reverse()
      .map((state) => once.decide(state))
      .reverse();
    const fresh = states.map((state): Decision => decide(policy, state, { kernel }));
    expect(backwards).toEqual(forwards);
    expect(fresh).toEqual(forwards);
  });
});
