// Any policy the parser lets through, on any state: decide answers, its answer is well formed, and nothing
// is ever traded on a price that is not believed. And any document at all: read, or refused with a
// pointer; never anything else.

import { describe, expect, test } from 'vitest';
import { prepare } from '../../solver/policy/decide.ts';
import { judgePrices } from '../../solver/policy/guards/judgePrices.ts';
import { parsePolicy, policyProblems } from '../../solver/policy/parse.ts';
import type { Decision, Policy, PolicyState } from '../../solver/policy/types.ts';
import { chainId } from '../../solver/types/ids.ts';
import { type Random, random } from '../engine/generate.ts';
import { covarianceOf, weightsOf } from './draws.ts';
import { kernel, NOW, normal, priced, seconds, stateOf, sum } from './support.ts';

const DAY = 86_400;
const NAMES = ['BTC', 'ETH', 'SOL', 'USDC', 'CASH'] as const;
const JUNK = [Number.NaN, -1, 0, 1e300, -1e300, Number.POSITIVE_INFINITY, 1e-300, 2 ** 53];

const maybe = (rng: Random, chance: number, rest: () => object): object =>
  rng.next() < chance ? rest() : {};

/** A document that mostly parses; those that do not are drawn again. */
function drawDocument(rng: Random): unknown {
  const n = rng.integer(2, 5);
  const names = NAMES.slice(5 - n);
  const parts = names.map(() => rng.integer(0, 20));
  const total = parts.reduce((a, b) => a + b, 0) || 1;
  const hundredths = parts.map((part) => Math.floor((100 * part) / total));
  hundredths[0] = (hundredths[0] ?? 0) + 100 - hundredths.reduce((a, b) => a + b, 0);
  const targets = Object.fromEntries(
    names.map((name, i) => [name, ((hundredths[i] ?? 0) / 100).toFixed(2)]),
  );
  const every = rng.pick(['1h', '12h', '7d']);
  const cron = rng.pick(['*/10 * * * *', '0 9 * * mon', '@monthly', '0 0 29 2 *']);
  const timeZone = rng.pick(['UTC', 'Europe/Berlin', 'Australia/Lord_Howe']);
  const blackouts = rng.next() < 0.3 ? [{ from: '22:00', until: '08:00' }] : [];
  const risky = names.filter((name) => name !== 'USDC' && name !== 'CASH');
  return {
    targets,
    ...maybe(rng, 0.7, () => ({
      objective: rng.pick<object>([
        { trackingErrorBps: rng.integer(1, 1_000) },
        { aversion: 10 ** rng.integer(-5, 8) },
        { bands: { width: '0.05', landing: rng.pick(['target', 'half', 'edge']) } },
        { bands: { width: '0.2', measure: 'relative' } },
        { calendar: true },
      ]),
    })),
    ...maybe(rng, 0.5, () => ({
      schedule: { ...(rng.next() < 0.5 ? { every } : { cron }), timeZone, blackouts },
    })),
    ...maybe(rng, 0.2, () => ({ combine: 'all' })),
    ...maybe(rng, 0.2, () => ({ riskBudget: { [risky[0] ?? 'BTC']: '1' } })),
    ...maybe(rng, 0.2, () => ({ volatilityTarget: { annual: '0.2', cash: 'CASH' } })),
    ...maybe(rng, 0.3, () => ({ chainLimits: [{ chain: 1, floor: '0.2', cap: '0.6' }] })),
    ...maybe(rng, 0.3, () => ({ limits: { reduceOnly: true, sellOnly: [rng.pick(names)] } })),
    ...maybe(rng, 0.3, () => ({ costs: { maxBps: 5, expectedBps: rng.integer(0, 100) } })),
    ...maybe(rng, 0.3, () => ({ leverage: { target: rng.pick([1.5, 2]) } })),
    ...maybe(rng, 0.3, () => ({
      hedge: { underlying: names[0], band: { model: 'whalleyWilmott', aversion: 0.01 } },
    })),
    ...maybe(rng, 0.3, () => ({ oracles: { onFailure: 'reduceOnly', quorum: rng.integer(1, 3) } })),
    ...maybe(rng, 0.3, () => ({ breakers: { onTrip: 'reduceOnly' } })),
    ...maybe(rng, 0.3, () => ({ cooldown: '30m' })),
    ...maybe(rng, 0.6, () => ({
      execution: {
        ...maybe(rng, 0.8, () => ({ gasTiming: { maxWait: rng.pick(['1h', '6h']) } })),
        ...maybe(rng, 0.6, () => ({ slices: { over: '6h', urgency: rng.integer(0, 20) } })),
      },
    })),
    ...maybe(rng, 0.1, () => ({ expires: NOW + rng.integer(-100, 100) })),
  };
}

function drawPolicy(rng: Random): Policy {
  for (let tries = 0; tries < 100; tries++) {
    const document = drawDocument(rng);
    if (policyProblems(document).length === 0) return parsePolicy(document);
  }
  throw new Error('no document parses');
}

const junkOr = (rng: Random, chance: number, value: number): number =>
  rng.next() < chance ? rng.pick(JUNK) : value;

/** A state; `dirt` is the chance of junk in each place. Times may be junk too: brands are but types. */
function drawState(rng: Random, policy: Policy, dirt: number): PolicyState {
  const n = policy.assets.length;
  const time = (back: number) => junkOr(rng, dirt, NOW - rng.integer(0, back)) as typeof NOW;
  const nullable = <T>(value: T): T | null => (rng.next() < 0.5 ? null : value);
  const usd = () => junkOr(rng, dirt, 10 ** rng.between(0, 8));
  // Half of all states pass the guards, so that what comes after them is reached.
  const calm = rng.next() < 0.5;
  const prices = policy.assets.map((_, i) => {
    const usual = i === n - 1 ? 1 : 1_000;
    if (calm) return [...priced(usual), { source: 'c', price: usual, at: NOW }];
    if (rng.next() < 0.03) return [];
    const [one, other] = priced(usual, rng.next() < 0.03 ? NOW - 2 * DAY : NOW);
    const noise = Math.exp(0.01 * normal(rng.next));
    const price = junkOr(rng, dirt, noise * usual);
    return [one, other, { source: 'c', price, at: time(7_200) }].slice(rng.integer(0, 1)) as never;
  });
  const option = {
    kind: 'call',
    spot: 1_000,
    strike: 1_000,
    years: junkOr(rng, dirt, 0.2),
    rate: 0,
    carry: 0,
    volatility: 0.8,
  } as const;
  const now = junkOr(rng, dirt, NOW) as typeof NOW;
  const stormy = (): PolicyState['breakers'] => ({
    worth: [{ at: time(DAY), usd: junkOr(rng, dirt, 1_000) }],
    pricesHourAgo: nullable(
      Float64Array.from({ length: n }, (_, i) => junkOr(rng, dirt, i === n - 1 ? 1 : 1_000)),
    ),
    consecutiveFailures: rng.next() < 0.1 ? 3 : 0,
    messagingDownSince: nullable(time(7_200)),
    failedVenues: [],
    tripped: rng.next() < 0.1 ? { at: time(DAY), code: 'drawdown' } : null,
  });
  const state = stateOf(policy, [], {
    weights: weightsOf(rng, rng.next() < dirt ? n + 1 : n).map((w) => junkOr(rng, dirt / 3, w)),
    chainWeights: new Map([[chainId(1), weightsOf(rng, n).map((w) => junkOr(rng, dirt, w / 2))]]),
    worthUsd: usd(),
    prices,
    forecast: {
      covariance: covarianceOf(rng, rng.next() < dirt ? n + 1 : n).map((x) =>
        junkOr(rng, dirt / 9, x),
      ),
      source: rng.pick(['prior', 'ewma']),
    },
    history: {
      armedAt: time(100 * DAY),
      lastSettledAt: nullable(time(20 * 3_600)),
      lastScheduledAt: nullable(time(10 * DAY)),
      settlements: Array.from({ length: rng.integer(0, 3) }, () => ({
        at: time(40 * DAY),
        cost: junkOr(rng, dirt, 0.001),
        turnover: junkOr(rng, dirt, 0.1),
      })),
      ...maybe(rng, 0.6 - 1.5 * dirt, () => ({
        execution: {
          gas: Array.from({ length: rng.integer(0, 60) }, (_, k) => ({
            at: seconds(Math.floor(NOW / 3_600 - k) * 3_600),
            usd: junkOr(rng, dirt / 40, 10 ** rng.between(-3, 2)),
          })).reverse(),
          waitingSince: nullable(time(7 * 3_600)),
          slices: nullable({
            since: time(13 * 3_600),
            from: [...weightsOf(rng, n)],
            landing: [...weightsOf(rng, rng.next() < dirt ? n + 1 : n)],
            done: rng.integer(1, 5),
          }),
        },
      })),
    },
    ...(calm ? {} : { breakers: stormy() }),
    accounts: [
      {
        account: 'a',
        collateral: [
          { asset: 'ETH', valueUsd: usd(), liquidationThreshold: junkOr(rng, dirt, 0.8) },
        ],
        debtUsd: usd(),
      },
    ],
    hedge: nullable({
      options: [{ instrument: 'o', quantity: junkOr(rng, dirt, -3), option }],
      underlying: junkOr(rng, dirt, 1),
      tradable: [],
    }),
    gasUsd: nullable(junkOr(rng, dirt, rng.between(0, 80))),
  });
  return { ...state, now };
}

function wellFormed(policy: Policy, state: PolicyState, decision: Decision, label: string): void {
  expect(decision.kind === 'act', label).toBe(decision.cause !== null);
  const what = [decision.aim, decision.leverage, decision.hedge].filter((one) => one !== null);
  expect(what.length > 0, label).toBe(decision.kind === 'act');
  expect(Number.isInteger(decision.nextAt), label).toBe(true);
  if (decision.mode === 'halted') expect(decision.kind, label).toBe('idle');
  expect(decision.reasons.length + decision.skipped.length, label).toBeGreaterThan(0);
  for (const { code, message } of [...decision.reasons, ...decision.skipped]) {
    expect(code.length > 0 && message.length > 0, label).toBe(true);
  }
  const { aim } = decision;
  if (aim === null) return;
  expect(Math.abs(sum(aim.landing) - 1), label).toBeLessThan(3e-6);
  for (const w of aim.landing) expect(w >= -1e-9 && w <= 1 + 1e-5, label).toBe(true);
  expect(aim.aversion === null || (aim.aversion > 0 && Number.isFinite(aim.aversion)), label).toBe(
    true,
  );
  expect(aim.turnover >= 0 && aim.turnover <= policy.limits.turnover30d, label).toBe(true);
  expect(aim.maxCostBps, label).toBeLessThanOrEqual(policy.costs.maxBpsPerSettlement);
  if (!policy.limits.reduceOnly && decision.mode !== 'reduceOnly') return;
  for (const [i, w] of aim.landing.entries()) {
    if ((policy.prior.volatilities[i] ?? 0) === 0) continue;
    expect(w, label).toBeLessThanOrEqual((state.weights[i] ?? 0) + 1e-9);
  }
}

describe('decide', () => {
  test.each([
    ['clean states', 0, 20_261_231],
    ['states with junk', 0.03, 20_261_232],
    ['states of junk', 0.3, 20_261_233],
  ])('property: answers, and trades on believed prices alone: %s', (_, dirt, seed) => {
    const rng = random(seed);
    let acted = 0;
    for (let round = 0; round < 120; round++) {
      const policy = drawPolicy(rng);
      const decider = prepare(policy, kernel);
      for (let turn = 0; turn < 6; turn++) {
        const label = `seed ${seed}, round ${round}, turn ${turn}`;
        const state = drawState(rng, policy, dirt);
        const decision = decider.decide(state);
        wellFormed(policy, state, decision, label);
        if (decision.kind === 'idle') continue;
        acted++;
        const judged = judgePrices(policy.oracles, policy.assets, state.prices, state.now);
        if (decision.aim !== null || decision.hedge !== null) {
          expect(judged.prices, label).not.toBeNull();
          // And without asking the guard: enough fresh positive readings of every asset.
          for (const readings of state.prices) {
            const fresh = readings.filter(
              ({ price, at }) => price > 0 && state.now - at <= policy.oracles.maxAgeSeconds,
            );
            expect(fresh.length, label).toBeGreaterThanOrEqual(policy.oracles.quorum);
          }
        }
        if (decision.leverage !== null) {
          expect(judged.untradable, label).not.toContain(decision.leverage.asset);
        }
      }
    }
    expect(acted, `seed ${seed}`).toBeGreaterThan(dirt === 0 ? 50 : 0);
  });
});

describe('parsePolicy', () => {
  /** Any JSON, with the words of documents mixed in. */
  function drawAny(rng: Random, depth: number): unknown {
    const words = [
      'targets',
      'BTC',
      'every',
      '7d',
      '0.5',
      'bands',
      '__proto__',
      'cron',
      '* * * * *',
      '🙂',
    ];
    const leaf = (): unknown =>
      rng.pick<unknown>([
        null,
        true,
        '',
        rng.pick(JUNK),
        rng.pick(words),
        'x'.repeat(200),
        rng.next(),
      ]);
    if (depth === 0 || rng.next() < 0.3) return leaf();
    const size = rng.integer(0, 4);
    if (rng.next() < 0.3) return Array.from({ length: size }, () => drawAny(rng, depth - 1));
    return Object.fromEntries(
      Array.from({ length: size }, () => [rng.pick(words), drawAny(rng, depth - 1)]),
    );
  }

  test('property: anything is read or refused with a pointer', () => {
    const seed = 20_261_234;
    const rng = random(seed);
    for (let round = 0; round < 1_000; round++) {
      const good = drawDocument(rng) as Record<string, unknown>;
      // A good document with some fields replaced by anything.
      const spoilt = Object.fromEntries(
        Object.entries(good).map(([key, value]) => [
          key,
          rng.next() < 0.3 ? drawAny(rng, 3) : value,
        ]),
      );
      for (const document of [spoilt, drawAny(rng, 4)]) {
        const problems = policyProblems(document, { pointer: '/document' });
        for (const { name, pointer, message } of problems) {
          const label = `seed ${seed}, round ${round}`;
          expect(name, label).toBe('InvalidInput');
          expect(pointer.startsWith('/document') && message.length < 600, label).toBe(true);
        }
        if (problems.length === 0) parsePolicy(document);
      }
    }
  });
});
