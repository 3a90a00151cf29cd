// Prices remembered: the last believed price of every five minutes for three hours, and of every
// hour for 640 days, per network asset and shared by all policies. From it come the prices of an
// hour ago and the hourly closes that forecasts are made of. What is kept every policy reads, so
// counted.ts says what may be.

import { barsOf } from '../policy/forecast/daily.ts';
import { gatedForecast } from '../policy/forecast/gate.ts';
import { timeWeightedAverage } from '../policy/guards/judgePrices.ts';
import type { Forecast, Policy } from '../policy/types.ts';
import { type UnixSeconds, unixSeconds } from '../types/amounts.ts';
import type { PolicyStore, PriceSample } from '../types/policyStore.ts';
import type { KeeperDeps } from './ports.ts';

const FINE_SECONDS = 300;
const FINE_KEPT_SECONDS = 3 * 3_600;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** The gate compares models from 621 days on. */
const CLOSES_KEPT_SECONDS = 640 * DAY_SECONDS;

export async function recordPrices(
  store: Pick<PolicyStore, 'recordPrices'>,
  policy: Pick<Policy, 'universe'>,
  prices: ArrayLike<number | null>,
  now: number,
): Promise<void> {
  // One sample per network asset: a universe may name one twice.
  const byAsset = new Map(policy.universe.map((asset, i) => [asset, prices[i] ?? null]));
  const samples = (seconds: number): readonly PriceSample[] =>
    [...byAsset].flatMap(([asset, price]) =>
      price === null ? [] : [{ asset, bucket: Math.floor(now / seconds) * seconds, price }],
    );
  if (samples(FINE_SECONDS).length === 0) return;
  await store.recordPrices(FINE_SECONDS, samples(FINE_SECONDS), now - FINE_KEPT_SECONDS);
  await store.recordPrices(HOUR_SECONDS, samples(HOUR_SECONDS), now - CLOSES_KEPT_SECONDS);
}

/**
 * Parallel to Policy.assets: the last price of the five minutes that ended an hour ago, or, where
 * the memory is shorter, the earliest within the hour. null: some asset was never seen in that
 * time.
 */
export async function pricesHourAgo(
  store: Pick<PolicyStore, 'prices'>,
  policy: Pick<Policy, 'universe'>,
  now: number,
): Promise<Float64Array | null> {
  const samples = await store.prices(FINE_SECONDS, policy.universe, now - 2 * HOUR_SECONDS);
  const found = policy.universe.map((asset) => {
    const own = samples.filter((sample) => sample.asset === asset && sample.bucket < now);
    const old = own.filter(({ bucket }) => bucket + FINE_SECONDS <= now - HOUR_SECONDS);
    return (old.at(-1) ?? own[0])?.price ?? null;
  });
  if (found.some((price) => price === null)) return null;
  return Float64Array.from(found, (price) => price ?? 0);
}

/** Closes of every hour that all assets have one for and that is over, as columns per asset. */
async function hourlyCloses(
  store: Pick<PolicyStore, 'prices'>,
  universe: readonly string[],
  now: number,
): Promise<{ readonly ts: Float64Array; readonly columns: readonly Float64Array[] }> {
  const samples = await store.prices(HOUR_SECONDS, universe, now - CLOSES_KEPT_SECONDS);
  const rows = new Map<number, Map<string, number>>();
  for (const { asset, bucket, price } of samples) {
    const row = rows.get(bucket) ?? new Map<string, number>();
    rows.set(bucket, row.set(asset, price));
  }
  // The running hour has no close yet. A bucket's close is at its end.
  const whole = [...rows].filter(
    ([bucket, row]) => row.size === universe.length && bucket + HOUR_SECONDS <= now,
  );
  return {
    ts: Float64Array.from(whole, ([bucket]) => bucket + HOUR_SECONDS),
    columns: universe.map((asset) => Float64Array.from(whole, ([, row]) => row.get(asset) ?? 1)),
  };
}

/**
 * Forecasts made today, by universe and prior: one a day is enough, and the gate takes its time.
 */
const FORECASTS_MAX = 256;

/**
 * What the forecasts' gate makes of the remembered closes: the policy's prior for the first 30
 * days. The answer of one UTC day is kept in `cache`.
 */
export async function forecastOf(
  { store, forecasts }: Pick<KeeperDeps, 'store' | 'forecasts'>,
  { universe, prior }: Pick<Policy, 'universe' | 'prior'>,
  now: number,
): Promise<Forecast> {
  const key = `${Math.floor(now / DAY_SECONDS)}/${universe.join()}/${prior.covariance.join()}`;
  const known = forecasts.get(key);
  if (known !== undefined) return known;
  const { ts, columns } = await hourlyCloses(store, universe, now);
  const forecast =
    ts.length < 2
      ? { covariance: prior.covariance, source: 'prior' }
      : gatedForecast(barsOf(universe, ts, columns, HOUR_SECONDS), prior.covariance).forecast;
  const [oldest] = forecasts.keys();
  if (forecasts.size >= FORECASTS_MAX && oldest !== undefined) forecasts.delete(oldest);
  forecasts.set(key, forecast);
  return forecast;
}

/** Averages for the gap between a price and its own recent past. */
const TWAP_SECONDS = 1_800;

/** Parallel to Policy.assets; null where the memory does not reach back over the half hour. */
export async function averages(
  store: Pick<PolicyStore, 'prices'>,
  { universe }: Pick<Policy, 'universe'>,
  now: UnixSeconds,
): Promise<readonly (number | null)[]> {
  const samples = await store.prices(FINE_SECONDS, universe, now - 2 * TWAP_SECONDS);
  return universe.map((asset) => {
    const own = samples.filter((sample) => sample.asset === asset);
    const seen = own.map(({ bucket, price }) => ({ at: unixSeconds(bucket), price }));
    return timeWeightedAverage(seen, now, TWAP_SECONDS);
  });
}
