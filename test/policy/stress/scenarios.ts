// What the stress replays replay: windows of real hourly closes around a crash, a USDC path, and what
// may go wrong with the sources of prices. Deterministic; no randomness.

import type { PriceReading } from '../../../solver/policy/guards/oracle.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { hourlyCloses } from '../../data/marketData.ts';

export const HOUR = 3600;
export const ASSETS = ['BTC', 'ETH', 'USDC'] as const;
const DAYS_AROUND = 10;
const CLOSES = hourlyCloses();

export interface Window {
  readonly name: string;
  /** Unix seconds of each hour, and true dollars per whole token, hour by hour, per asset. */
  readonly ts: Float64Array;
  readonly prices: Readonly<Record<(typeof ASSETS)[number], Float64Array>>;
  /** Hour in the window at which faults of a limited length begin: the largest fall's. */
  readonly worstHour: number;
}

const WINDOWS: readonly { readonly name: string; readonly day: string }[] = [
  { name: 'March 2020', day: '2020-03-12T12:00:00Z' },
  { name: 'May 2021', day: '2021-05-19T12:00:00Z' },
  { name: 'May 2022', day: '2022-05-11T12:00:00Z' },
  { name: 'November 2022', day: '2022-11-09T12:00:00Z' },
  { name: 'USDC March 2023', day: '2023-03-11T12:00:00Z' },
];

/**
 * A reconstruction, not a record: hourly records of USDC were not at hand. It runs straight between
 * these points; only the low, 0.9128 on 11 March 2023, is published (POLICY.md). The days are those on
 * which it is known to have left and regained a dollar.
 */
const USDC_PATH: readonly (readonly [string, number])[] = [
  ['2023-03-10T20:00:00Z', 1],
  ['2023-03-11T00:00:00Z', 0.995],
  ['2023-03-11T03:00:00Z', 0.98],
  ['2023-03-11T07:00:00Z', 0.9128],
  ['2023-03-11T12:00:00Z', 0.93],
  ['2023-03-12T00:00:00Z', 0.945],
  ['2023-03-12T12:00:00Z', 0.965],
  ['2023-03-12T22:00:00Z', 0.985],
  ['2023-03-13T06:00:00Z', 0.997],
  ['2023-03-13T14:00:00Z', 1],
];

function usdcAt(ts: number): number {
  let before: readonly [number, number] = [0, 1];
  for (const [day, price] of USDC_PATH) {
    const at = Date.parse(day) / 1000;
    if (ts < at) {
      return before[1] + ((price - before[1]) * (ts - before[0])) / (at - before[0]);
    }
    before = [at, price];
  }
  return 1;
}

export function windows(): readonly Window[] {
  const { ts, btc, eth } = CLOSES;
  return WINDOWS.map(({ name, day }) => {
    const centre = ts.indexOf(Date.parse(day) / 1000);
    if (centre < 0) throw new Error(`no hour ${day} in the data`);
    const from = centre - DAYS_AROUND * 24;
    const to = centre + DAYS_AROUND * 24;
    const cut = (series: Float64Array): Float64Array => series.slice(from, to);
    const prices = { BTC: cut(btc), ETH: cut(eth), USDC: cut(ts).map(usdcAt) };
    const worstHour = Math.max(1, worstStep(prices.ETH));
    return { name, ts: cut(ts), prices, worstHour };
  });
}

/** Index whose step from the hour before is the largest fall. */
function worstStep(series: Float64Array): number {
  let worst = 0;
  let fall = Infinity;
  for (let i = 1; i < series.length; i += 1) {
    const step = (series[i] ?? 1) / (series[i - 1] ?? 1);
    if (step < fall) {
      fall = step;
      worst = i;
    }
  }
  return worst;
}

/** Largest fall over `hours` hours of BTC or ETH in all the data, fraction. */
export function largestFall(hours: number): number {
  const { btc, eth } = CLOSES;
  let fall = 0;
  for (const series of [btc, eth]) {
    for (let i = hours; i < series.length; i += 1) {
      fall = Math.max(fall, 1 - (series[i] ?? 1) / (series[i - hours] ?? 1));
    }
  }
  return fall;
}

/** What one of the three sources, 0 … 2, tells at hour `index`; null: nothing. */
export interface Fault {
  readonly name: string;
  /** Hours of the fault, counted from the window's worst hour; null: the whole window. */
  readonly hours: number | null;
  readonly tell: (source: number, price: (hoursAgo: number) => number) => Told | null;
}
interface Told {
  readonly price: number;
  readonly ageHours: number;
}

const now = (price: (hoursAgo: number) => number): Told => ({ price: price(0), ageHours: 0 });
const late = (hours: number, price: (hoursAgo: number) => number): Told => ({
  price: price(hours),
  ageHours: hours,
});

export const FAULTS: readonly Fault[] = [
  { name: 'none', hours: 0, tell: (_, price) => now(price) },
  { name: 'one source down', hours: null, tell: (s, price) => (s === 2 ? null : now(price)) },
  {
    name: 'one 1 h late',
    hours: null,
    tell: (s, price) => (s === 1 ? late(1, price) : now(price)),
  },
  {
    name: 'one 6 h late',
    hours: null,
    tell: (s, price) => (s === 1 ? late(6, price) : now(price)),
  },
  {
    // The worst kind of late: an old price under a new time stamp.
    name: 'one 6 h late, says now',
    hours: null,
    tell: (s, price) => (s === 1 ? { price: price(6), ageHours: 0 } : now(price)),
  },
  {
    name: 'one 10 % high',
    hours: null,
    tell: (s, price) => (s === 2 ? { price: price(0) * 1.1, ageHours: 0 } : now(price)),
  },
  {
    name: 'one 10 % low',
    hours: null,
    tell: (s, price) => (s === 0 ? { price: price(0) * 0.9, ageHours: 0 } : now(price)),
  },
];

/** Faults that leave no quorum for some hours: nothing may trade meanwhile. */
export const BLACKOUTS: readonly Fault[] = [
  { name: 'all dark 1 h', hours: 1, tell: () => null },
  { name: 'all dark 6 h', hours: 6, tell: () => null },
  {
    name: 'one down, one 10 % high, 6 h',
    hours: 6,
    tell: (s, price) =>
      s === 1 ? null : s === 2 ? { price: price(0) * 1.1, ageHours: 0 } : now(price),
  },
  {
    name: 'all 6 h late, 6 h',
    hours: 6,
    tell: (_, price) => late(6, price),
  },
];

/** Sources differ by a few basis points even when nothing is wrong. */
const OFFSETS = [0, 0.0002, -0.0003];

/** Every source's reading of one asset at hour `index` of the window. */
export function readingsAt(
  window: Window,
  asset: (typeof ASSETS)[number],
  index: number,
  fault: Fault,
): PriceReading[] {
  const active =
    fault.hours === null || (index >= window.worstHour && index < window.worstHour + fault.hours);
  const series = window.prices[asset];
  const price = (hoursAgo: number): number => series[Math.max(0, index - hoursAgo)] ?? 0;
  const readings: PriceReading[] = [];
  for (const [source, offset] of OFFSETS.entries()) {
    const told = active ? fault.tell(source, price) : now(price);
    if (told === null) continue;
    readings.push({
      source: `source${source}`,
      price: told.price * (1 + offset),
      at: unixSeconds((window.ts[index] ?? 0) - told.ageHours * HOUR - 15 * (source + 1)),
    });
  }
  return readings;
}
