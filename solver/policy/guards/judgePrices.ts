// Which prices may be believed now. Readings are outside data: a reading that is no positive number,
// stale, from the future, or one of two that one source gave for the same second, is set aside with a
// reason; nothing is thrown and nothing is guessed. No asset is ever assumed to be worth a dollar.
//
// What quorum q buys, with b bad readings among n fresh ones:
//   b ≤ q − 1           the accepted price is within maxDeviation of an honest reading, because any q
//                       that agree hold an honest one and the median lies in their spread;
//   b < n/2 besides     it lies between the lowest and the highest honest reading.
// So quorum 2 wants three sources where one of them may lie.

import type { UnixSeconds } from '../../types/amounts.ts';
import type { Mode, Reason } from '../types.ts';
import type { OraclePolicy, PriceReading } from './oracle.ts';

export interface JudgedPrice {
  readonly asset: string;
  /** Median of the fresh readings, dollars; null where there is none to speak of. */
  readonly price: number | null;
  /** Whether a trade may touch the asset. */
  readonly ok: boolean;
  /** Distinct sources that agree. */
  readonly sources: number;
}

export interface PriceJudgement {
  readonly mode: Mode;
  /** Parallel to the assets; null unless every one is believed. */
  readonly prices: Float64Array | null;
  readonly assets: readonly JudgedPrice[];
  /** Assets no trade may touch. */
  readonly untradable: readonly string[];
  readonly reasons: readonly Reason[];
}

const MAX_FUTURE_SECONDS = 60;

/**
 * `readings` and `twap` run parallel to `assets`. The price is the median of one fresh reading per
 * source; it is believed when at least `quorum` sources, and more than half of the fresh ones, lie
 * with it in one spread of maxDeviationBps, when it is within maxTwapGapBps of its average (a policy
 * that asks for this and is given no average is refused), and at or above its depeg floor.
 */
export function judgePrices(
  policy: OraclePolicy,
  assets: readonly string[],
  readings: readonly (readonly PriceReading[])[],
  now: UnixSeconds,
  twap?: readonly (number | null)[],
): PriceJudgement {
  const reasons: Reason[] = [];
  const judged = assets.map((asset, index) =>
    judgeAsset(policy, asset, readings[index] ?? [], now, twap?.[index] ?? null, reasons),
  );
  const untradable = judged.filter(({ ok }) => !ok).map(({ asset }) => asset);
  const good = untradable.length === 0;
  const failed: Mode = policy.onFailure === 'halt' ? 'halted' : 'reduceOnly';
  return {
    mode: good ? 'normal' : failed,
    prices: good ? Float64Array.from(judged, ({ price }) => price ?? Number.NaN) : null,
    assets: judged,
    untradable,
    reasons,
  };
}

function judgeAsset(
  policy: OraclePolicy,
  asset: string,
  readings: readonly PriceReading[],
  now: UnixSeconds,
  average: number | null,
  reasons: Reason[],
): JudgedPrice {
  const about = { asset, reasons };
  const fresh = freshReadings(policy, readings, now, about);
  const price = median(fresh);
  if (price === null) {
    say(about, 'noPrice', `no fresh price from any of ${readings.length} readings`);
    return { asset, price: null, ok: false, sources: 0 };
  }
  const agreeing = agreement(fresh, price, policy.maxDeviationBps);
  const data = { priceUsd: price, agreeing, fresh: fresh.length };
  let ok = true;
  if (agreeing < policy.quorum || 2 * agreeing <= fresh.length) {
    ok = false;
    const code = fresh.length < policy.quorum ? 'quorum' : 'deviation';
    say(
      about,
      code,
      `${agreeing} of ${fresh.length} fresh sources agree within ${policy.maxDeviationBps} bps; ${policy.quorum} and a majority must`,
      data,
    );
  } else if (agreeing < fresh.length) {
    say(about, 'outlier', `${fresh.length - agreeing} sources stand apart and are outvoted`, data);
  }
  if (policy.maxTwapGapBps !== null) {
    const gap = average === null ? Infinity : Math.abs(price / average - 1) * 1e4;
    if (!(gap <= policy.maxTwapGapBps)) {
      ok = false;
      const told = average === null ? 'no time-weighted average is known' : `${gap.toFixed(1)} bps`;
      say(
        about,
        'twapGap',
        `gap to its average: ${told}; at most ${policy.maxTwapGapBps} bps`,
        data,
      );
    }
  }
  const floor = policy.depegFloors[asset];
  if (floor !== undefined && price < floor) {
    ok = false;
    say(about, 'depeg', `${price} dollars is below its depeg floor ${floor}`, { ...data, floor });
  }
  return { asset, price, ok, sources: agreeing };
}

/** Where what is to be said of an asset goes. */
interface About {
  readonly asset: string;
  readonly reasons: Reason[];
}

function say({ asset, reasons }: About, code: string, message: string, data: Reason['data'] = {}) {
  reasons.push({ code, message: `${asset}: ${message}`, data: { asset, ...data } });
}

/** One price per source, ascending: its newest that is neither stale, future, nor no number. */
function freshReadings(
  policy: OraclePolicy,
  readings: readonly PriceReading[],
  now: UnixSeconds,
  about: About,
): number[] {
  const latest = now + (policy.maxFutureSeconds ?? MAX_FUTURE_SECONDS);
  // Sources are few: a list is searched faster than a map is made, 20 assets an hour in a replay.
  const sources: string[] = [];
  const newest: (PriceReading | null)[] = [];
  for (const reading of readings) {
    const { source, price, at } = reading;
    if (!(Number.isFinite(price) && price > 0 && Number.isFinite(at))) {
      say(about, 'badReading', `${source} gave no positive number`);
      continue;
    }
    if (at > latest) {
      say(about, 'futurePrice', `${source} speaks of ${at}, ahead of now ${now}`);
      continue;
    }
    if (now - at > policy.maxAgeSeconds) {
      say(about, 'stalePrice', `${source} is ${now - at} s old, at most ${policy.maxAgeSeconds}`);
      continue;
    }
    const index = sources.indexOf(source);
    const known = index < 0 ? undefined : newest[index];
    if (known === undefined) {
      sources.push(source);
      newest.push(reading);
    } else if (known !== null && at > known.at) newest[index] = reading;
    else if (known?.at === at && known.price !== price) {
      say(about, 'equivocation', `${source} gave two prices for ${at}`);
      newest[index] = null;
    }
  }
  const prices: number[] = [];
  for (const reading of newest) if (reading !== null) prices.push(reading.price);
  return prices.length > 1 ? prices.sort((a, b) => a - b) : prices;
}

/** Middle of an ascending list, mean of the middle two; null when empty. */
function median(sorted: readonly number[]): number | null {
  const low = sorted[(sorted.length - 1) >> 1];
  const high = sorted[sorted.length >> 1];
  return low === undefined || high === undefined ? null : low + (high - low) / 2;
}

/** Most readings in one window around `middle` no wider than `bps` of it. */
function agreement(sorted: readonly number[], middle: number, bps: number): number {
  const width = (middle * bps) / 1e4;
  let most = 0;
  let first = 0;
  for (let last = 0; last < sorted.length; last++) {
    const high = sorted[last] ?? middle;
    while (high - (sorted[first] ?? high) > width) first += 1;
    const low = sorted[first] ?? high;
    if (low <= middle && middle <= high) most = Math.max(most, last - first + 1);
  }
  return most;
}

/** One observation of a price. */
export interface Observation {
  readonly at: UnixSeconds;
  readonly price: number;
}

/**
 * Time-weighted average over the last `windowSeconds`: each price holds until the next observation.
 * null where the observations, ascending, do not reach back over the whole window.
 */
export function timeWeightedAverage(
  observations: readonly Observation[],
  now: UnixSeconds,
  windowSeconds: number,
): number | null {
  const from = now - windowSeconds;
  let sum = 0;
  let covered = 0;
  for (let index = observations.length - 1; index >= 0; index -= 1) {
    const one = observations[index];
    if (one === undefined || one.at > now) continue;
    const until = Math.min(now, observations[index + 1]?.at ?? now);
    const seconds = until - Math.max(from, one.at);
    if (seconds > 0) {
      sum += one.price * seconds;
      covered += seconds;
    }
    if (one.at <= from) break;
  }
  return covered === windowSeconds && covered > 0 ? sum / covered : null;
}
