// Replays levered positions hour by hour through the real price judgement, breakers and leverage
// decision. At each hour: prices are read and judged, the breakers judged, each position's policy asked
// once, its trade done at that hour's true prices. Health is what the true prices make it, whatever the
// sources say. Information is hourly: nothing happens between two closes.

import type { BreakerPolicy, BreakerState } from '../../../solver/policy/guards/breakers.ts';
import { judgeBreakers, stricter } from '../../../solver/policy/guards/judgeBreakers.ts';
import { judgePrices } from '../../../solver/policy/guards/judgePrices.ts';
import type { OraclePolicy } from '../../../solver/policy/guards/oracle.ts';
import {
  type AccountHealth,
  healthFactor,
  leverageRatio,
} from '../../../solver/policy/leverage/accounts.ts';
import { leverageDecision } from '../../../solver/policy/leverage/decide.ts';
import {
  type LeverageHistory,
  type LeveragePolicy,
  START_OF_LEVERAGE,
} from '../../../solver/policy/leverage/types.ts';
import type { Mode } from '../../../solver/policy/types.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { ASSETS, type Fault, HOUR, readingsAt, type Window } from './scenarios.ts';

const THRESHOLD = 0.8;
const COST = 0.003;
const EQUITY_USD = 1_000_000;

export interface Setup {
  readonly name: string;
  readonly leverage: LeveragePolicy;
  readonly oracles: OraclePolicy;
  readonly breakers: BreakerPolicy;
  /** Hours between a decision and its trade; 0: within the hour. */
  readonly delayHours: number;
}

export interface Traded {
  readonly hour: number;
  readonly asset: string;
  readonly cause: string;
  readonly exposureUsd: number;
  /** Price the trade was decided on over the true one, for the asset and for USDC. */
  readonly believedOverTrue: readonly [number, number];
  readonly mode: Mode;
}
export interface Seen {
  readonly hour: number;
  readonly mode: Mode;
  readonly oracleMode: Mode;
  readonly tripped: BreakerState['tripped'];
  readonly resumesAt: number | null;
  readonly holding: readonly string[];
  readonly untradable: readonly string[];
  /** By true prices, before this hour's trades, lowest over the positions. */
  readonly health: number;
  readonly leverage: number;
  /** Dollars of equity by true prices. */
  readonly worth: number;
}
export interface Replay {
  readonly seen: readonly Seen[];
  readonly trades: readonly Traded[];
  /** Dollars, both positions. */
  readonly costUsd: number;
  readonly startUsd: number;
  readonly endUsd: number;
}

interface Position {
  readonly asset: 'BTC' | 'ETH';
  readonly policy: LeveragePolicy;
  coins: number;
  debt: number;
  history: LeverageHistory;
}

const COLLATERAL = ['BTC', 'ETH'] as const;

export function replay(window: Window, fault: Fault, setup: Setup): Replay {
  const { target } = setup.leverage;
  const positions = COLLATERAL.map((asset): Position => {
    const price = window.prices[asset][0] ?? 0;
    return {
      asset,
      policy: { ...setup.leverage, account: asset },
      coins: (EQUITY_USD * target) / price,
      debt: (EQUITY_USD * (target - 1)) / (window.prices.USDC[0] ?? 1),
      history: START_OF_LEVERAGE,
    };
  });
  const seen: Seen[] = [];
  const trades: Traded[] = [];
  const due: { hour: number; position: Position; coins: number }[] = [];
  let costUsd = 0;
  let breakers: BreakerState = {
    worth: [],
    pricesHourAgo: null,
    consecutiveFailures: 0,
    messagingDownSince: null,
    failedVenues: [],
    tripped: null,
  };
  for (let hour = 0; hour < window.ts.length; hour += 1) {
    const now = unixSeconds(window.ts[hour] ?? 0);
    const truth = ASSETS.map((asset) => window.prices[asset][hour] ?? 0);
    const settle = (position: Position, coins: number): void => {
      const price = truth[ASSETS.indexOf(position.asset)] ?? 0;
      const notional = Math.abs(coins) * price;
      position.coins += coins;
      position.debt = Math.max(
        0,
        position.debt + (coins * price + notional * COST) / (truth[2] ?? 1),
      );
      costUsd += notional * COST;
    };
    while (due[0] !== undefined && due[0].hour <= hour) {
      const one = due.shift();
      if (one !== undefined) settle(one.position, one.coins);
    }
    const real = positions.map((position) => accountOf(position, truth));
    const readings = ASSETS.map((asset) => readingsAt(window, asset, hour, fault));
    const judged = judgePrices(setup.oracles, ASSETS, readings, now);
    const believed = judged.assets.map(({ price }) => price);
    const worth = real.reduce(
      (sum, account) => sum + (account.collateral[0]?.valueUsd ?? 0) - account.debtUsd,
      0,
    );
    // Worth and the hour's move come from believed prices only; in the dark nothing is added.
    if (judged.prices !== null) {
      breakers = { ...breakers, worth: [...breakers.worth, { at: now, usd: worth }] };
    }
    const breaker = judgeBreakers(setup.breakers, breakers, now, judged.prices, ASSETS);
    breakers = { ...breaker.next, pricesHourAgo: judged.prices };
    const unpriced = judged.assets.some(({ price }) => price === null);
    const mode = stricter(unpriced ? 'halted' : judged.mode, breaker.mode);
    seen.push({
      hour,
      mode,
      oracleMode: judged.mode,
      tripped: breaker.tripped,
      resumesAt: breaker.resumesAt,
      holding: breaker.reasons.map(({ code }) => code),
      untradable: judged.untradable,
      health: Math.min(...real.map(healthFactor)),
      leverage: Math.max(...real.map(leverageRatio)),
      worth,
    });
    for (const position of positions) {
      // Accounts are valued at what is believed, the way the keeper would see them.
      const accounts = positions.map((one) =>
        accountOf(
          one,
          believed.map((price, i) => price ?? truth[i] ?? 0),
        ),
      );
      const limits = { mode, untradable: new Set(judged.untradable), minTradeUsd: 1_000 };
      const answer = leverageDecision(position.policy, accounts, now, position.history, limits);
      position.history = answer.history;
      if (answer.trade === null) continue;
      const acted = positions.find(({ asset }) => asset === answer.trade?.account) ?? position;
      const place = ASSETS.indexOf(acted.asset);
      const coins = answer.trade.exposureUsd / (believed[place] ?? 1);
      trades.push({
        hour,
        asset: acted.asset,
        cause: answer.trade.cause,
        exposureUsd: answer.trade.exposureUsd,
        believedOverTrue: [
          (believed[place] ?? 0) / (truth[place] ?? 1),
          (believed[2] ?? 0) / (truth[2] ?? 1),
        ],
        mode,
      });
      if (setup.delayHours === 0) settle(acted, coins);
      else due.push({ hour: hour + setup.delayHours, position: acted, coins });
    }
  }
  const last = ASSETS.map((asset) => window.prices[asset].at(-1) ?? 0);
  const endUsd = positions.reduce((sum, one) => {
    const account = accountOf(one, last);
    return sum + (account.collateral[0]?.valueUsd ?? 0) - account.debtUsd;
  }, 0);
  return { seen, trades, costUsd, startUsd: EQUITY_USD * positions.length, endUsd };
}

function accountOf(position: Position, prices: readonly number[]): AccountHealth {
  return {
    account: position.asset,
    collateral: [
      {
        asset: position.asset,
        valueUsd: position.coins * (prices[ASSETS.indexOf(position.asset)] ?? 0),
        liquidationThreshold: THRESHOLD,
      },
    ],
    debtUsd: position.debt * (prices[2] ?? 0),
    debtAsset: 'USDC',
  };
}

export const ORACLES: OraclePolicy = {
  quorum: 2,
  maxAgeSeconds: 1_800,
  maxDeviationBps: 100,
  maxTwapGapBps: null,
  depegFloors: { USDC: 0.97 },
  onFailure: 'reduceOnly',
};
export const BREAKERS: BreakerPolicy = {
  drawdown: { windowSeconds: 24 * HOUR, max: 0.3 },
  maxMovePerHour: 0.1,
  maxConsecutiveFailures: 3,
  maxMessagingOutageSeconds: 2 * HOUR,
  resumeAfterSeconds: 6 * HOUR,
  onTrip: 'reduceOnly',
};
const BASE: LeveragePolicy = {
  target: 2,
  min: 1.8,
  max: 2.1,
  recenteringSpeed: 0.05,
  intervalSeconds: 24 * HOUR,
  emergency: 2.18,
  emergencyCooldownSeconds: HOUR,
  maxChunkUsd: 800_000,
  healthFloor: 1.1,
  worstMove: 0.25,
  cost: { proportional: COST, impactPerUsd: 0, flashFee: null },
};

const BASE_SETUP = { oracles: ORACLES, breakers: BREAKERS, delayHours: 0 };

/**
 * 2× over a floor of 1.1 and 1.75× over a floor of 1.3, both with hourly buffers of 25 %. With a
 * threshold of 0.8 the rule gives 2.2 and 1.857 as the highest ratios that keep these floors.
 */
export const SETUPS: readonly Setup[] = [
  { ...BASE_SETUP, name: '2× floor 1.1', leverage: BASE },
  {
    ...BASE_SETUP,
    name: '1.75× floor 1.3',
    leverage: { ...BASE, target: 1.75, min: 1.6, max: 1.82, emergency: 1.85, healthFloor: 1.3 },
  },
];

/** The same floors with buffers of 35 %: six dark hours may pass in between (7 h: at most 31.0 %). */
export const OUTAGE_SETUPS: readonly Setup[] = [
  {
    ...BASE_SETUP,
    name: '1.85× floor 1.1, buffer 35 %',
    leverage: { ...BASE, target: 1.85, min: 1.6, max: 1.88, emergency: 1.89, worstMove: 0.35 },
  },
  {
    ...BASE_SETUP,
    name: '1.6× floor 1.3, buffer 35 %',
    leverage: {
      ...BASE,
      target: 1.6,
      min: 1.45,
      max: 1.64,
      emergency: 1.66,
      healthFloor: 1.3,
      worstMove: 0.35,
    },
  },
];

export interface StressRow {
  readonly window: string;
  readonly setup: string;
  readonly fault: string;
  readonly hours: number;
  readonly trades: number;
  readonly emergencies: number;
  /** Hours in which some price was not believed. */
  readonly darkHours: number;
  readonly trips: number;
  readonly resumes: number;
  readonly minHealth: number;
  readonly floor: number;
  readonly maxLeverage: number;
  /** Fraction of the equity at the start. */
  readonly cost: number;
}

export function rowOf(window: Window, fault: Fault, setup: Setup, done: Replay): StressRow {
  const changes = done.seen.map((one, i) => {
    const before = i === 0 ? null : (done.seen[i - 1]?.tripped ?? null);
    return before === null
      ? one.tripped === null
        ? 'none'
        : 'trip'
      : one.tripped === null
        ? 'resume'
        : 'none';
  });
  return {
    window: window.name,
    setup: setup.name,
    fault: fault.name,
    hours: done.seen.length,
    trades: done.trades.length,
    emergencies: done.trades.filter(({ cause }) => cause === 'emergency').length,
    darkHours: done.seen.filter(({ untradable }) => untradable.length > 0).length,
    trips: changes.filter((change) => change === 'trip').length,
    resumes: changes.filter((change) => change === 'resume').length,
    minHealth: Math.min(...done.seen.map(({ health }) => health)),
    floor: setup.leverage.healthFloor,
    maxLeverage: Math.max(...done.seen.map(({ leverage }) => leverage)),
    cost: done.costUsd / done.startUsd,
  };
}
