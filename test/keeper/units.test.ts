// The keeper's pure parts: the table, worth remembered, prices remembered, second opinions on
// prices, own flow, and what a settlement is counted as.

import { describe, expect, test } from 'vitest';
import { requestOf } from '../../solver/keeper/evaluate.ts';
import { averages, forecastOf, pricesHourAgo, recordPrices } from '../../solver/keeper/history.ts';
import {
  isEnded,
  isRow,
  KEEPER_STATES,
  type KeeperState,
  STATUS_NOTES,
  step,
  TRANSITIONS,
} from '../../solver/keeper/lifecycle.ts';
import {
  freshMemory,
  memoryOf,
  memoryToJson,
  settled,
  withWorth,
} from '../../solver/keeper/memory.ts';
import { crowded, flowOf } from '../../solver/keeper/pacing.ts';
import { policyOf } from '../../solver/keeper/policyOf.ts';
import { deepestPoolPrice } from '../../solver/keeper/poolPrice.ts';
import { settlementOf } from '../../solver/keeper/settlementOf.ts';
import type { PoolState } from '../../solver/market/snapshot.ts';
import type { ChainMarket } from '../../solver/market/source.ts';
import type { Decision } from '../../solver/policy/types.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { Defect, present } from '../../solver/types/assert.ts';
import type { OrderId, PolicyId } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { StoredOrder } from '../../solver/types/store.ts';
import { simRng } from '../settlement/sim/rng.ts';
import { SimPolicyStore } from './sim/store.ts';
import { DOCUMENT, kernel, network, OWNER, START, tokenOf } from './sim/world.ts';

const at = (value: number) => unixSeconds(value);

describe('TRANSITIONS', () => {
  /** A second drawing of the machine: state → where it may go. */
  const drawn: Readonly<Record<KeeperState, string>> = {
    draft: 'armed',
    armed: 'evaluating committed revoked expired',
    evaluating: 'idle reduceOnly halted proposed repair',
    idle: 'evaluating committed revoked expired',
    reduceOnly: 'evaluating committed armed revoked expired',
    halted: 'evaluating committed armed revoked expired',
    proposed: 'committed armed halted reduceOnly revoked expired',
    committed: 'inFlight cooldown revoked expired',
    inFlight: 'settled partial revoked expired',
    settled: 'cooldown',
    partial: 'repair refund revoked expired',
    repair: 'evaluating committed revoked expired',
    refund: 'cooldown',
    cooldown: 'armed revoked expired',
    revoked: '',
    expired: '',
  };
  test('default: as drawn', () => {
    for (const state of KEEPER_STATES) {
      expect(Object.keys(TRANSITIONS[state]).join(' '), state).toBe(drawn[state]);
    }
    expect(Object.keys(STATUS_NOTES).sort()).toEqual(KEEPER_STATES.filter(isRow).sort());
  });
  test('property: every state is reached, and every row can end', () => {
    const reached = new Set<KeeperState>(['draft']);
    for (const state of reached) {
      for (const next of Object.keys(TRANSITIONS[state])) reached.add(next as KeeperState);
    }
    expect([...reached].sort()).toEqual([...KEEPER_STATES].sort());
    for (const state of KEEPER_STATES.filter(isRow).filter((one) => !isEnded(one))) {
      expect(TRANSITIONS[state].revoked, state).toBeDefined();
      expect(TRANSITIONS[state].expired, state).toBeDefined();
    }
  });
  test('error: no such edge, a path without a row at its end, an event without why', () => {
    const row = { policyId: '0x' as PolicyId, status: 'idle' as const, version: 1 };
    const because = { settled: { code: 'x', why: 'y' }, idle: { code: 'x', why: 'y' } };
    expect(() => step(row, ['inFlight'], { because })).toThrow(Defect);
    expect(() => step(row, ['evaluating'], { because })).toThrow(Defect);
    expect(() => step(row, ['evaluating', 'halted'], { because })).toThrow(Defect);
    expect(step(row, ['evaluating', 'idle'], { because })).toMatchObject({
      from: 'idle',
      to: 'idle',
      events: [{ type: 'policy.idle', data: { from: 'idle', to: 'idle', code: 'x' } }],
    });
  });
});

describe('memory', () => {
  test('default: JSON there and back; a settlement ends a row of failures', () => {
    const memory = { ...freshMemory(at(5)), consecutiveFailures: 2 };
    expect(memoryOf(memoryToJson(memory))).toEqual(memory);
    const past = { at: at(START), cost: 0.001, turnover: 0.1 };
    const after = settled(memory, past);
    expect(after).toMatchObject({ lastSettledAt: START, consecutiveFailures: 0 });
    const later = settled(after, { ...past, at: at(START + 40 * 86_400) });
    expect(later.settlements).toHaveLength(1);
  });
  test('property: worth keeps its peak and its last, and stays small', () => {
    const rng = simRng(7);
    let worth = withWorth([], at(START), 1_000, 86_400);
    const all = [{ at: START, usd: 1_000 }];
    for (let i = 1; i < 3_000; i += 1) {
      const now = START + i * 60;
      const usd = 500 + 1_000 * rng.next();
      all.push({ at: now, usd });
      worth = withWorth(worth, at(now), usd, 86_400);
      expect(worth.length).toBeLessThanOrEqual(259);
      expect(worth.at(-1)).toEqual({ at: now, usd });
    }
    const now = START + 2_999 * 60;
    // A sample may leave with the last one of its cell of 1/256 of the window: compare inside of
    // it.
    const inside = all.filter((one) => one.at >= now - 86_400 + 400);
    const peak = Math.max(...inside.map(({ usd }) => usd));
    expect(Math.max(...worth.map(({ usd }) => usd))).toBeGreaterThanOrEqual(peak);
  });
});

describe('prices remembered', () => {
  const policy = {
    universe: ['WETH', 'USDC'],
    prior: { volatilities: [], covariance: new Float64Array([0.5, 0, 0, 0]) },
  };
  test('behavior: an hour ago, then the earliest within the hour, then nothing', async () => {
    const store = new SimPolicyStore(() => 0);
    expect(await pricesHourAgo(store, policy, START)).toBeNull();
    for (let t = 0; t <= 7_200; t += 60) {
      await recordPrices(store, policy, Float64Array.of(1_000 + t, 1), START + t);
    }
    // The five minutes that ended an hour before: their last price.
    const old = present(await pricesHourAgo(store, policy, START + 7_200), 'prices');
    expect(old[0]).toBeGreaterThanOrEqual(1_000 + 3_240);
    expect(old[0]).toBeLessThanOrEqual(1_000 + 3_600);
    const young = present(await pricesHourAgo(store, policy, START + 600), 'prices');
    expect(young[0]).toBe(1_240);
    const twap = await averages(store, policy, at(START + 7_200));
    expect(twap[1]).toBe(1);
    expect(twap[0]).toBeGreaterThan(1_000 + 5_400);
    expect(await averages(store, policy, at(START + 60))).toEqual([null, null]);
  });
  test('behavior: the prior for a month, then the closes speak, once a day', async () => {
    const store = new SimPolicyStore(() => 0);
    const rng = simRng(11);
    let price = 1_000;
    const day = Math.floor(START / 86_400) * 86_400;
    const deps = { store, kernel, forecasts: new Map() };
    for (let hour = 0; hour < 40 * 24; hour += 1) {
      price *= Math.exp((rng.next() - 0.5) * 0.02);
      await store.recordPrices(
        3_600,
        [
          { asset: 'WETH', bucket: day + hour * 3_600, price },
          { asset: 'USDC', bucket: day + hour * 3_600, price: 1 },
        ],
        0,
      );
    }
    expect((await forecastOf(deps, policy, day + 10 * 86_400)).source).toBe('prior');
    const forecast = await forecastOf(deps, policy, day + 40 * 86_400);
    expect(forecast.source).not.toBe('prior');
    // Uniform ±1 % an hour: standard deviation 0.02/√12, over 8,760 hours.
    const volatility = Math.sqrt(forecast.covariance[0] ?? 0);
    expect(volatility).toBeGreaterThan(0.35);
    expect(volatility).toBeLessThan(0.75);
    expect(await forecastOf(deps, policy, day + 40 * 86_400 + 60)).toBe(forecast);
  });
});

describe('deepestPoolPrice', () => {
  const chain = present(network.chains[0], 'chain');
  const pool = present(chain.pools[0], 'pool');
  const weth = tokenOf(chain.chainId, 'WETH');
  const usdc = tokenOf(chain.chainId, 'USDC');
  const market = (pools: readonly PoolState[]) => ({ pools }) as unknown as ChainMarket;
  const v2 = (eth: bigint, usd: bigint): PoolState => ({
    kind: 'uniswapV2',
    pool,
    reserves: [eth * 10n ** 18n, usd * 10n ** 6n],
  });
  test('default: the mid of the deepest pool, both ways', () => {
    const pools = market([v2(1n, 1_900n), v2(100n, 200_000n)]);
    expect(deepestPoolPrice(chain, pools, weth, () => 1)?.price).toBeCloseTo(2_000, 9);
    expect(deepestPoolPrice(chain, pools, usdc, () => 2_000)?.price).toBeCloseTo(1, 12);
    expect(deepestPoolPrice(chain, pools, weth, () => null)).toBeNull();
    expect(deepestPoolPrice(chain, market([]), weth, () => 1)).toBeNull();
  });
  test('behavior: concentrated liquidity by its price', () => {
    // 2,000 dollars of 6 decimals per 10^18: √(2000·10^−12)·2^96.
    const sqrtPriceX96 = BigInt(Math.round(Math.sqrt(2_000e-12) * 2 ** 96));
    const state: PoolState = {
      kind: 'uniswapV3',
      pool: { ...pool, kind: 'uniswapV3' },
      sqrtPriceX96,
      tick: 0,
      liquidity: 10n ** 18n,
      ticks: [],
    };
    const found = deepestPoolPrice(chain, market([state]), weth, () => 1);
    expect(found?.price).toBeCloseTo(2_000, 6);
  });
});

describe('own flow', () => {
  const cap = { windowSeconds: 600, capUsd: 1_000 };
  const flow = flowOf(
    ['WETH', 'USDC'],
    Float64Array.of(0.6, 0.4),
    Float64Array.of(0.5, 0.5),
    9_000,
  );
  const past = (usd: number, ago: number) => ({
    createdAtMs: (START - ago) * 1_000,
    expected: { flowUsd: { 'sell:WETH': usd } },
  });
  test('default: by asset and direction, within the window', () => {
    expect(flow['sell:WETH']).toBeCloseTo(900, 9);
    expect(flow['buy:USDC']).toBeCloseTo(900, 9);
    expect(crowded([], flow, cap, at(START))).toBeNull();
    expect(crowded([past(100, 10)], flow, cap, at(START))).toBeNull();
    expect(crowded([past(101, 10)], flow, cap, at(START))).toBe('sell:WETH');
    expect(crowded([past(500, 700)], flow, cap, at(START))).toBeNull();
  });
  test('behavior: what is larger than the cap goes alone', () => {
    const large = { 'sell:WETH': 5_000 };
    expect(crowded([], large, cap, at(START))).toBeNull();
    expect(crowded([past(1, 10)], large, cap, at(START))).toBe('sell:WETH');
  });
});

describe('requestOf', () => {
  const aim = {
    landing: Float64Array.of(0.5, 0.5),
    targets: Float64Array.of(0.5, 0.5),
    aversion: null,
    covariance: Float64Array.of(0.4, 0, 0, 0),
    buyOnly: [],
    sellOnly: [],
    maxCostBps: 43.7,
    maxSlippageBps: 12.5,
    maxGasUsd: Number.POSITIVE_INFINITY,
    turnover: 0.1,
  };
  const ask = (document: JsonObject) =>
    requestOf({ policy: policyOf(document, network), row: { owner: OWNER } }, {
      aim,
    } as unknown as Decision);
  test('default: to the landing, limits in whole bps, rounded down', () => {
    expect(ask(DOCUMENT)).toEqual({
      intentType: 'rebalance',
      owner: OWNER,
      scope: { assets: ['WETH', 'USDC'] },
      targets: [
        { asset: 'WETH', weightBps: 5_000 },
        { asset: 'USDC', weightBps: 5_000 },
      ],
      maxCostBps: 43,
      maxSlippageBps: 12,
    });
  });
  test('behavior: what may only be bought goes with tracking, so that no rounding sells it', () => {
    const policy = policyOf(DOCUMENT, network);
    const of = (change: object) =>
      requestOf({ policy, row: { owner: OWNER } }, {
        aim: { ...aim, ...change },
      } as unknown as Decision);
    expect(of({ buyOnly: ['WETH'] })).toMatchObject({
      tracking: { aversion: 10 },
      buyOnly: ['WETH'],
    });
    // Of two dollars tracking would move neither.
    const still = { buyOnly: ['USDC'], covariance: new Float64Array(4) };
    expect(of(still)).not.toHaveProperty('tracking');
  });
  test('behavior: limits per chain go with tracking, which holds and mends them', () => {
    const limits = [{ chain: 31338, asset: 'CASH', floor: '0.1' }];
    const request = ask({ targets: { WETH: '0.5', CASH: '0.5' }, chainLimits: limits });
    expect(request).toMatchObject({
      tracking: { aversion: 10, assets: ['WETH', 'USDC'] },
      chainLimits: [{ chain: 31338, asset: 'USDC', floor: 0.1 }],
    });
  });
});

describe('settlementOf', () => {
  test('default: inputs against awarded amounts at the proposal’s prices', () => {
    const [a, b] = network.chains.map(({ chainId }) => chainId);
    const order = {
      orderId: '0x' as OrderId,
      owner: OWNER,
      order: {
        origins: [
          {
            chainId: String(a),
            inputs: [{ token: tokenOf(present(a, 'a'), 'WETH'), amount: `${10n ** 18n}` }],
          },
        ],
        outputs: [
          {
            chainId: String(b),
            token: `0x${'0'.repeat(24)}${tokenOf(present(b, 'b'), 'USDC').slice(2)}`,
            amount: `${1_900n * 10n ** 6n}`,
          },
        ],
      },
      award: { amounts: [`${1_990n * 10n ** 6n}`] },
    } as unknown as StoredOrder;
    const expected = { worthUsd: 20_000, priceUsd: { WETH: 2_000, USDC: 1 } };
    const past = settlementOf(order, expected, network, at(START));
    expect(past.at).toBe(START);
    expect(past.cost).toBeCloseTo(10 / 20_000, 12);
    expect(past.turnover).toBeCloseTo((2_000 + 1_990) / 2 / 20_000, 12);
  });
});
