// The door of policies: what a plain document means, what every field becomes, and that every bad one is
// refused with its place and its remedy.

import { describe, expect, test } from 'vitest';
import {
  checkUniverse,
  parsePolicy,
  parsePolicyText,
  policyProblems,
  resolveUniverse,
} from '../../solver/policy/parse.ts';
import { notPositiveSemidefinite } from '../../solver/policy/psd.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import { BAD_DOCUMENTS } from './documentBad.ts';

const PLAIN = '{"targets":{"BTC":"0.5","ETH":"0.3","CASH":"0.2"}}';

function refusal(read: () => unknown): InvalidInput {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidInput) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('parsePolicy', () => {
  test('default: one line is a policy with careful defaults', () => {
    const policy = parsePolicyText(PLAIN);
    expect(policy.assets).toEqual(['BTC', 'ETH', 'CASH']);
    expect(policy.targets).toEqual([0.5, 0.3, 0.2]);
    expect(policy.universe).toEqual(policy.assets);
    expect(policy.objective).toEqual({ kind: 'trackingError', annual: 0.02 });
    expect(policy.combine).toBe('any');
    expect(policy.oracles).toMatchObject({ quorum: 2, maxAgeSeconds: 3_600, onFailure: 'halt' });
    expect(policy.breakers.onTrip).toBe('halt');
    expect(policy.cooldownSeconds).toBe(3_600);
    expect([policy.chains, policy.schedule, policy.hedge, policy.leverage]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  test('behavior: the prior of BTC, ETH and cash is POLICY.md’s', () => {
    const { volatilities, covariance } = parsePolicyText(PLAIN).prior;
    expect(volatilities).toEqual([0.65, 0.85, 0]);
    expect(covariance[1]).toBeCloseTo(0.8 * 0.65 * 0.85, 15);
    expect(covariance[8]).toBe(0);
  });

  test('behavior: every field says what it means', () => {
    const policy = parsePolicy({
      name: 'Family office',
      targets: { BTC: '0.4', ETH: '0.3', SOL: '0.1', USDC: '0.2' },
      universe: { BTC: 'wbtc', USDC: 'usdc' },
      chains: [1, 8453],
      chainLimits: [
        { chain: 8453, floor: '0.1', cap: '0.6' },
        { chain: 1, asset: 'USDC', target: '0.05' },
      ],
      riskBudget: { BTC: '0.5', ETH: '0.25', SOL: '0.25' },
      volatilityTarget: { annual: '0.3' },
      prior: { volatilities: { SOL: '1.2' }, correlations: { 'SOL/ETH': '0.75' } },
      objective: { bands: { width: '0.05', landing: 'edge' } },
      schedule: {
        cron: '0 9 * * mon-fri',
        timeZone: 'Europe/Berlin',
        blackouts: [{ from: '22:00', until: '06:30', days: ['sat', 'fri'] }],
      },
      combine: 'all',
      costs: { maxBps: 20, budgetBps30d: null, maxGasUsd: null, expectedBps: '12.5' },
      limits: { turnover30d: '0.5', buyOnly: ['BTC'] },
      execution: { slices: { over: '12h', urgency: '1.5' } },
      hedge: { underlying: 'ETH', band: { model: 'leland', every: '1d' } },
      leverage: { target: 2, max: '2.3' },
      oracles: { quorum: 3, maxTwapGapBps: 500, depegFloors: { USDC: '0.97' } },
      breakers: { drawdown: null, resumeAfter: null },
      cooldown: '30m',
      privacy: 'commitment',
      expires: '2027-01-01T00:00:00+01:00',
    });
    expect(policy).toMatchObject({
      name: 'Family office',
      universe: ['wbtc', 'ETH', 'SOL', 'usdc'],
      chains: [1, 8453],
      riskBudget: [0.5, 0.25, 0.25, 0],
      volatilityTarget: { annual: 0.3, cap: 1, cash: 'USDC' },
      objective: {
        kind: 'bands',
        measure: 'absolute',
        landing: 1,
        widths: [0.05, 0.05, 0.05, 0.05],
      },
      schedule: {
        trigger: { kind: 'cron', line: '0 9 * * mon-fri' },
        timeZone: 'Europe/Berlin',
        blackouts: [{ fromMinute: 1_320, untilMinute: 390, days: [5, 6] }],
      },
      costs: { maxBpsPerSettlement: 20, budgetBps30d: Infinity, proportional: 0.00125 },
      limits: { turnover30d: 0.5, buyOnly: ['BTC'] },
      execution: {
        gasTiming: null,
        slices: { overSeconds: 43_200, count: 6, urgency: 1.5 },
      },
      leverage: { target: 2, min: 1.8, max: 2.3, emergency: 2.4 },
      oracles: { quorum: 3, depegFloors: { USDC: 0.97 }, onFailure: 'reduceOnly' },
      breakers: { drawdown: null, resumeAfterSeconds: null, onTrip: 'reduceOnly' },
      cooldownSeconds: 1_800,
      privacy: 'commitment',
      expires: 1_798_758_000 - 0,
    });
    expect(policy.chainLimits).toEqual([
      { chain: 8453, asset: null, floor: 0.1, cap: 0.6 },
      { chain: 1, asset: 'USDC', floor: 0.05, cap: 0.05 },
    ]);
    expect(policy.prior.volatilities).toEqual([0.65, 0.85, 1.2, 0]);
    expect(policy.prior.covariance[6]).toBeCloseTo(0.75 * 0.85 * 1.2, 15);
  });

  test('behavior: a hedge’s band without a model is the discrete one; its looks and fees are said', () => {
    const { hedge } = parsePolicy({
      targets: { ETH: '1' },
      hedge: { underlying: 'ETH', band: { aversion: '0.01' }, fixedUsd: 2, check: '15m' },
    });
    expect(hedge).toMatchObject({
      band: { kind: 'discrete', aversion: 0.01 },
      fixedUsd: 2,
      checkSeconds: 900,
    });
  });

  test('behavior: with leverage, what fails reduces and health is held at 1.1', () => {
    const policy = parsePolicy({ targets: { ETH: '1' }, leverage: { target: 2 } });
    expect(policy.leverage?.healthFloor).toBe(1.1);
    expect([policy.oracles.onFailure, policy.breakers.onTrip]).toEqual([
      'reduceOnly',
      'reduceOnly',
    ]);
    const wanted = { account: 'a', worstMove: '0.35', chunkPause: '1m', target: '1.5' };
    const cost = { proportionalBps: 10, impactBpsPerMillion: 5, flashFeeBps: null };
    expect(
      parsePolicy({ targets: { ETH: '1' }, leverage: { ...wanted, cost } }).leverage,
    ).toMatchObject({
      account: 'a',
      worstMove: 0.35,
      chunkSeconds: 60,
      cost: { proportional: 0.001, impactPerUsd: 5e-10, flashFee: null },
    });
  });

  test('behavior: pointers start where the document stands', () => {
    const error = refusal(() => parsePolicy({ targets: 3 }, { pointer: '/document' }));
    expect(error.pointer).toBe('/document/targets');
  });

  test('behavior: sums are checked in integers', () => {
    const tenth = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`A${i}`, '0.1']));
    expect(parsePolicy({ targets: tenth }).targets).toHaveLength(10); // 0.1 × 10 ≠ 1 in doubles
    const third = `0.${'3'.repeat(36)}`;
    const targets = { A: third, B: third, C: `${third.slice(0, -1)}4` };
    expect(parsePolicy({ targets }).assets).toEqual(['A', 'B', 'C']);
  });

  test.each(BAD_DOCUMENTS.map((one) => [one.what, one] as const))('error: %s', (_, one) => {
    const error = refusal(() => parsePolicy(one.document));
    expect(error.pointer).toBe(one.pointer);
    expect(error.message).toMatch(one.remedy);
  });

  test('error: a key given twice, and nesting without end, in a text', () => {
    const twice = refusal(() => parsePolicyText('{"targets":{"BTC":"1","BTC":"0"}}'));
    expect(twice.pointer).toBe('/targets/BTC');
    expect(twice.message).toMatch(/keep one/);
    const deep = '['.repeat(100) + ']'.repeat(100);
    expect(refusal(() => parsePolicyText(`{"targets":${deep}}`)).message).toMatch(/nested deeper/);
  });

  test('error: all problems are found at once, in reading order', () => {
    const problems = policyProblems({
      targets: { BTC: '0.5', CASH: '0.5' },
      color: 'red',
      combine: 'some',
      cooldown: 5,
      oracles: { quorum: -1, maxAge: '1y' },
    });
    expect(problems.map(({ pointer }) => pointer)).toEqual([
      '/color',
      '/combine',
      '/oracles/quorum',
      '/oracles/maxAge',
      '/cooldown',
    ]);
    expect(policyProblems(JSON.parse(PLAIN))).toEqual([]);
  });

  test('behavior: bad targets hide nothing that needs none', () => {
    const problems = policyProblems({
      targets: { BTC: '0.5' },
      schedule: { cron: '0 0 30 2 *' },
      costs: { maxBps: -1 },
      breakers: { onTrip: 'sell' },
      cooldown: 'soon',
    });
    expect(problems.map(({ pointer }) => pointer)).toEqual([
      '/targets',
      '/schedule/cron',
      '/costs/maxBps',
      '/breakers/onTrip',
      '/cooldown',
    ]);
  });
});

describe('checkUniverse', () => {
  test('default', () => {
    const policy = parsePolicyText(PLAIN);
    checkUniverse(policy, ['CASH', 'ETH', 'BTC']);
    const error = refusal(() => checkUniverse(policy, ['btc', 'ETH', 'CASH']));
    expect(error.pointer).toBe('/targets/BTC');
    expect(error.message).toMatch(/known: btc, ETH, CASH; map it in \/universe/);
  });
});

describe('resolveUniverse', () => {
  const plain = parsePolicyText(PLAIN);

  test('default: CASH is the network’s dollar token, with its depeg floor', () => {
    const policy = resolveUniverse(plain, ['BTC', 'DAI', 'USDC', 'ETH']);
    expect(policy.universe).toEqual(['BTC', 'ETH', 'USDC']);
    expect(policy.oracles.depegFloors).toEqual({ CASH: 0.98 });
    expect(resolveUniverse(plain, ['BTC', 'DAI', 'ETH']).universe[2]).toBe('DAI');
    expect(resolveUniverse(plain, ['BTC', 'CASH', 'USDC', 'ETH']).universe[2]).toBe('CASH');
  });

  test('behavior: what the document says stands', () => {
    const oracles = { depegFloors: { CASH: '0' } };
    const said = parsePolicy({ ...JSON.parse(PLAIN), universe: { CASH: 'USDT' }, oracles });
    const policy = resolveUniverse(said, ['BTC', 'USDT', 'USDC', 'ETH']);
    expect(policy.universe[2]).toBe('USDT');
    expect(policy.oracles.depegFloors).toEqual({ CASH: 0 });
  });

  test('error: no dollar token, two of equal standing, or one that is a target already', () => {
    const none = refusal(() => resolveUniverse(plain, ['BTC', 'ETH']));
    expect(none.message).toMatch(/no dollar token is known; say which in \/universe/);
    expect(none.pointer).toBe('/targets/CASH');
    const two = refusal(() => resolveUniverse(plain, ['BTC', 'ETH', 'USDT', 'DAI']));
    expect(two.message).toMatch(/USDT and DAI are known; say which/);
    const both = parsePolicy({ targets: { USDC: '0.5', CASH: '0.5' } });
    expect(refusal(() => resolveUniverse(both, ['USDC'])).message).toMatch(/add them up/);
    expect(refusal(() => resolveUniverse(plain, ['BTC', 'USDC'])).pointer).toBe('/targets/ETH');
  });
});

describe('notPositiveSemidefinite', () => {
  test('default', () => {
    const gram = Float64Array.from([4, 2, 6, 2, 1, 3, 6, 3, 9]); // rank 1
    expect(notPositiveSemidefinite(gram, 3)).toBeNull();
    expect(notPositiveSemidefinite(new Float64Array(9), 3)).toBeNull();
    expect(notPositiveSemidefinite(Float64Array.from([0, 1, 1, 0]), 2)).toMatch(/not positive/);
    expect(notPositiveSemidefinite(Float64Array.from([1, 2, 2, 1]), 2)).toMatch(/not positive/);
    expect(notPositiveSemidefinite(Float64Array.from([-1]), 1)).toMatch(/not positive/);
  });
});
