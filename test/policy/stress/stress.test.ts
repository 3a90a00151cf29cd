// Stress replays on real hourly closes: March 2020, May 2021, May and November 2022, and March 2023
// with a reconstructed USDC path through its published low of 0.9128. What must hold at every hour: no
// trade on a stale, wrong or depegged price; health of every position at or above its floor; a stopped
// policy goes on exactly when it said it would, or still says what it waits for.

import { describe, expect, it } from 'vitest';
import type { BreakerPolicy } from '../../../solver/policy/guards/breakers.ts';
import { healthToSurvive, ratioAtHealth } from '../../../solver/policy/leverage/restore.ts';
import { newKernel } from '../../risk/support.ts';
import { replay } from './replay.ts';
import { replayDecide } from './replayDecide.ts';
import { ASSETS, BLACKOUTS, FAULTS, HOUR, largestFall, type Window, windows } from './scenarios.ts';
import { BREAKERS, ORACLES, OUTAGE_SETUPS, SETUPS, type Setup } from './setups.ts';
import type { Replay } from './world.ts';

const WINDOWS = windows();
const HOURLY_FALL = largestFall(1);
/** Largest fall over at most so many hours. */
const largestWithin = (hours: number): number =>
  Math.max(...Array.from({ length: hours }, (_, i) => largestFall(i + 1)));

/** No trade on a price that is off by more than the sources' own 1 %, and none the mode forbids. */
function tradesAreSound(done: Replay): void {
  const wrong = done.trades.filter((trade) => {
    const unpriced = done.seen[trade.hour]?.untradable ?? ASSETS;
    return (
      trade.believedOverTrue.some((ratio) => !(Math.abs(ratio - 1) < 0.01)) ||
      unpriced.some((asset) => asset === trade.asset || asset === 'USDC') ||
      trade.mode === 'halted' ||
      (trade.mode === 'reduceOnly' && trade.exposureUsd > 0)
    );
  });
  expect(wrong).toEqual([]);
}

function lowestHealth(done: Replay): number {
  return Math.min(...done.seen.map(({ health }) => health));
}

/** Recomputes from true worth and prices whether a condition of the breakers holds at that hour. */
function conditionHolds(
  window: Window,
  done: Replay,
  policy: BreakerPolicy,
  hour: number,
): boolean {
  const dark = (at: number): boolean => (done.seen[at]?.untradable.length ?? 0) > 0;
  if (policy.drawdown !== null) {
    let peak = 0;
    let latest = 0;
    const from = Math.max(0, hour - policy.drawdown.windowSeconds / HOUR);
    for (let at = from; at <= hour; at += 1) {
      if (dark(at)) continue;
      latest = done.seen[at]?.worth ?? 0;
      peak = Math.max(peak, latest);
    }
    if (peak > 0 && 1 - latest / peak > policy.drawdown.max) return true;
  }
  if (policy.maxMovePerHour === null || hour === 0 || dark(hour) || dark(hour - 1)) return false;
  const max = policy.maxMovePerHour;
  return Object.values(window.prices).some(
    (series) => Math.abs((series[hour] ?? 1) / (series[hour - 1] ?? 1) - 1) > max,
  );
}

/**
 * Every stop has a cause, and lasts until its time is over, every cause is, and prices are believed that
 * can say so.
 */
function stopsAreKept(window: Window, done: Replay, policy: BreakerPolicy): void {
  const waits = (policy.resumeAfterSeconds ?? Infinity) / HOUR;
  const wrong: number[] = [];
  let trippedAt: number | null = null;
  for (const { hour, tripped, mode } of done.seen) {
    const holds = conditionHolds(window, done, policy, hour);
    const dark = (done.seen[hour]?.untradable.length ?? 0) > 0;
    const goesOn = trippedAt !== null && hour - trippedAt >= waits && !holds && !dark;
    if (trippedAt === null && holds) trippedAt = hour;
    else if (goesOn) trippedAt = null;
    const kept = (tripped !== null) === (trippedAt !== null);
    if (!kept || (tripped !== null && mode === 'normal')) wrong.push(hour);
  }
  expect(wrong, `${window.name}: hours`).toEqual([]);
}

describe('the buffers', () => {
  it('default: the largest hourly fall in the data is 20.9 %, inside the buffer of 25 %', () => {
    expect(HOURLY_FALL).toBeCloseTo(0.2087, 4);
    for (const { leverage } of SETUPS) {
      const needed = healthToSurvive(leverage.healthFloor, leverage.worstMove ?? 0);
      expect(leverage.worstMove).toBeGreaterThan(HOURLY_FALL);
      expect(leverage.emergency).toBeLessThanOrEqual(ratioAtHealth(needed, 0.8));
    }
  });

  it('default: six dark hours lie between looks seven hours apart, inside the buffer of 35 %', () => {
    for (const { leverage } of OUTAGE_SETUPS) {
      expect(leverage.worstMove).toBeGreaterThan(largestWithin(7));
    }
  });
});

const EACH = WINDOWS.flatMap((window) => SETUPS.map((setup) => ({ window, setup })));
describe.each(EACH)('$window.name, $setup.name', ({ window, setup }) => {
  it('behavior: holds its floor whatever one of three sources does', () => {
    for (const fault of FAULTS) {
      const done = replay(window, fault, setup);
      expect(lowestHealth(done), fault.name).toBeGreaterThanOrEqual(setup.leverage.healthFloor);
      tradesAreSound(done);
      stopsAreKept(window, done, setup.breakers);
      expect(done.trades.length).toBeGreaterThan(0);
    }
  });

  it('behavior: without a quorum nothing trades', () => {
    for (const fault of BLACKOUTS) {
      const done = replay(window, fault, setup);
      const until = window.worstHour + (fault.hours ?? 0);
      for (let hour = window.worstHour; hour < until; hour += 1) {
        expect(done.seen[hour]?.untradable.length, fault.name).toBeGreaterThan(0);
        expect(done.trades.filter((trade) => trade.hour === hour)).toEqual([]);
      }
      tradesAreSound(done);
      stopsAreKept(window, done, setup.breakers);
    }
  });

  it('behavior: trades that take an hour to settle keep the floor too', () => {
    const done = replay(window, NO_FAULT, setup, 1);
    expect(lowestHealth(done)).toBeGreaterThanOrEqual(setup.leverage.healthFloor);
  });
});

describe('decide', () => {
  const kernel = newKernel();
  const base = SETUPS[0] as Setup;
  const NAMES = ['one 6 h late, says now', 'all dark 6 h'];
  const SOME = [...FAULTS, ...BLACKOUTS].filter(({ name }) => NAMES.includes(name));

  it.each(EACH)('behavior: holds the floor of every account: $window.name, $setup.name', (each) => {
    const { window, setup } = each;
    for (const fault of SOME) {
      const done = replayDecide(window, fault, setup, kernel);
      expect(lowestHealth(done), fault.name).toBeGreaterThanOrEqual(setup.leverage.healthFloor);
      tradesAreSound(done);
      stopsAreKept(window, done, setup.breakers);
      expect(done.trades.some(({ cause }) => cause === 'emergency')).toBe(true);
    }
  });

  it('behavior: USDC below its floor: no trade; with no floor there are', () => {
    const march = WINDOWS.find(({ name }) => name === 'USDC March 2023') as Window;
    const below = (hour: number): boolean => (march.prices.USDC[hour] ?? 1) < 0.97;
    const guarded = replayDecide(march, NO_FAULT, base, kernel);
    const oracles = { ...ORACLES, depegFloors: {} };
    const naive = replayDecide(march, NO_FAULT, { ...base, oracles }, kernel);
    expect(guarded.trades.filter(({ hour }) => below(hour))).toEqual([]);
    expect(naive.trades.filter(({ hour }) => below(hour)).length).toBeGreaterThan(0);
  });
});

const NO_FAULT = FAULTS[0] ?? { name: 'none', hours: 0, tell: () => null };
const DARK6 = BLACKOUTS.find(({ name }) => name === 'all dark 6 h') ?? NO_FAULT;

/** Lowest health over outages that begin every six hours of the two days around the worst. */
function worstOutage(window: Window, setup: Setup): number {
  let lowest = Infinity;
  for (let shift = -21; shift < 24; shift += 6) {
    const moved = { ...window, worstHour: window.worstHour + shift };
    lowest = Math.min(lowest, lowestHealth(replay(moved, DARK6, setup)));
  }
  return lowest;
}

describe('six dark hours', () => {
  it.each(WINDOWS)('behavior: buffers of 35 % hold the floor in $name', (window) => {
    for (const setup of OUTAGE_SETUPS) {
      expect(worstOutage(window, setup)).toBeGreaterThanOrEqual(setup.leverage.healthFloor);
    }
  });

  it('behavior: buffers of 25 % do not in March 2020, and fall no lower than the bound', () => {
    // Nothing may be done in the dark, so the floor can only be kept by what was set aside before.
    for (const setup of SETUPS) {
      const { healthFloor: floor, worstMove = 0 } = setup.leverage;
      const bound = healthToSurvive(floor, worstMove) * (1 - largestWithin(7));
      const march = WINDOWS.find(({ name }) => name === 'March 2020') ?? WINDOWS[0];
      const lowest = march === undefined ? Number.NaN : worstOutage(march, setup);
      expect(lowest).toBeLessThan(floor);
      expect(lowest).toBeGreaterThanOrEqual(bound);
      expect(bound).toBeGreaterThan(1);
    }
  });
});

describe('what the rules are for', () => {
  const base = SETUPS[0] as Setup;

  it('behavior: without emergency deleveraging March 2020 goes through the floor', () => {
    const march = WINDOWS[0] as Window;
    const careless = { ...base.leverage, max: 9, emergency: 10, worstMove: 0, healthFloor: 1 };
    const done = replay(march, NO_FAULT, { ...base, leverage: careless });
    expect(lowestHealth(done)).toBeLessThan(base.leverage.healthFloor);
  });

  it('behavior: USDC at 0.9128: no trade while it is below its floor; without one there are', () => {
    const march = WINDOWS.find(({ name }) => name === 'USDC March 2023') as Window;
    expect(Math.min(...march.prices.USDC)).toBe(0.9128);
    const below = (hour: number): boolean => (march.prices.USDC[hour] ?? 1) < 0.97;
    // Small bands, so that the repricing of the debt alone asks for trades.
    const leverage = { ...base.leverage, min: 1.98, max: 2.02, emergency: 2.18 };
    const guarded = replay(march, NO_FAULT, { ...base, leverage });
    const naive = replay(march, NO_FAULT, {
      ...base,
      leverage,
      oracles: { ...ORACLES, depegFloors: {} },
    });
    expect(guarded.trades.filter(({ hour }) => below(hour))).toEqual([]);
    expect(naive.trades.filter(({ hour }) => below(hour)).length).toBeGreaterThan(0);
    expect(guarded.trades.some(({ hour }) => !below(hour))).toBe(true);
    expect(lowestHealth(guarded)).toBeGreaterThanOrEqual(leverage.healthFloor);
  });

  it('behavior: a feed stuck at one dollar is outvoted, and the depeg still seen', () => {
    const march = WINDOWS.find(({ name }) => name === 'USDC March 2023') as Window;
    const stuck = {
      name: 'one says a dollar',
      hours: null,
      tell: (source: number, price: (hoursAgo: number) => number) => {
        const value = price(0);
        return { price: source === 1 && value < 2 ? 1 : value, ageHours: 0 };
      },
    };
    const done = replay(march, stuck, base);
    for (const { hour } of done.trades) {
      expect(march.prices.USDC[hour]).toBeGreaterThanOrEqual(0.9699);
    }
  });

  it('behavior: trusting one source, the same replay trades on prices ten per cent off', () => {
    const march = WINDOWS[0] as Window;
    const wrong = FAULTS.find(({ name }) => name === 'one 10 % high') ?? NO_FAULT;
    const lonely = {
      ...wrong,
      tell: (source: number, price: (hoursAgo: number) => number) =>
        source === 2 ? wrong.tell(source, price) : null,
    };
    const trusting = { ...ORACLES, quorum: 1 };
    const done = replay(march, lonely, { ...base, oracles: trusting });
    const off = done.trades.filter(({ believedOverTrue: [ratio] }) => Math.abs(ratio - 1) > 0.05);
    expect(off.length).toBeGreaterThan(0);
    expect(replay(march, lonely, base).trades).toEqual([]);
  });

  it('behavior: a halt until the owner resumes makes no trade after it', () => {
    const march = WINDOWS[0] as Window;
    const breakers: BreakerPolicy = { ...BREAKERS, resumeAfterSeconds: null, onTrip: 'halt' };
    const done = replay(march, NO_FAULT, { ...base, breakers });
    const first = done.seen.findIndex(({ tripped }) => tripped !== null);
    expect(first).toBeGreaterThan(0);
    expect(done.trades.filter(({ hour }) => hour >= first)).toEqual([]);
    expect(done.seen.at(-1)?.tripped).not.toBeNull();
    stopsAreKept(march, done, breakers);
  });
});
