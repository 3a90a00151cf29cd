// Prices remembered: the last believed price of every five minutes for three hours, and of every hour for
// 120 days, per network asset and shared by all policies. From it come the prices of an hour ago and the
// hourly closes that forecasts are made of. A price that a policy's guard does not believe is not kept.

import { DAILY_DECAY, ewmaCovariance } from '../policy/forecast/ewma.ts';
import type { Forecast, Policy } from '../policy/types.ts';
import { present } from '../types/assert.ts';
import type { PolicyStore, PriceSample } from '../types/policyStore.ts';
import type { RiskKernel } from '../types/risk.ts';

const FINE_SECONDS = 300;
const FINE_KEPT_SECONDS = 3 * 3_600;
const HOUR_SECONDS = 3_600;
const CLOSES_KEPT_SECONDS = 120 * 86_400;

export async function recordPrices(
  store: Pick<PolicyStore, 'recordPrices'>,
  policy: Pick<Policy, 'universe'>,
  prices: Float64Array,
  now: number,
): Promise<void> {
  const samples = (seconds: number): readonly PriceSample[] =>
    // One sample per network asset: a universe may name one twice.
    [...new Map(policy.universe.map((asset, i) => [asset, prices[i]])).entries()].map(
      ([asset, price]) => ({
        asset,
        bucket: Math.floor(now / seconds) * seconds,
        price: present(price, 'a price per asset'),
      }),
    );
  await store.recordPrices(FINE_SECONDS, samples(FINE_SECONDS), now - FINE_KEPT_SECONDS);
  await store.recordPrices(HOUR_SECONDS, samples(HOUR_SECONDS), now - CLOSES_KEPT_SECONDS);
}

/**
 * Parallel to Policy.assets: the last price of the five minutes that ended an hour ago, or, where the
 * memory is shorter, the earliest within the hour. null: some asset was never seen in that time.
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

/**
 * Rows of one close per asset, oldest first: the longest run of hours without a gap that ends with the
 * last one that is over.
 */
export async function hourlyCloses(
  store: Pick<PolicyStore, 'prices'>,
  policy: Pick<Policy, 'universe'>,
  now: number,
): Promise<readonly Float64Array[]> {
  const since = now - CLOSES_KEPT_SECONDS;
  const samples = await store.prices(HOUR_SECONDS, policy.universe, since);
  const rows = new Map<number, Map<string, number>>();
  for (const { asset, bucket, price } of samples) {
    const row = rows.get(bucket) ?? new Map<string, number>();
    rows.set(bucket, row.set(asset, price));
  }
  const closes: Float64Array[] = [];
  // The running hour has no close yet.
  let hour = Math.floor(now / HOUR_SECONDS) * HOUR_SECONDS - HOUR_SECONDS;
  for (; hour >= since; hour -= HOUR_SECONDS) {
    const row = policy.universe.map((asset) => rows.get(hour)?.get(asset));
    if (row.some((price) => price === undefined)) break;
    closes.push(Float64Array.from(row, (price) => price ?? 0));
  }
  return closes.reverse();
}

/** Two weeks: EWMA at 0.94 a day has then seen more than half of its weight. */
const CLOSES_MIN = 14 * 24;

/** The EWMA covariance of the remembered closes, or the policy's prior while there are too few. */
export async function forecastOf(
  store: Pick<PolicyStore, 'prices'>,
  policy: Pick<Policy, 'universe' | 'prior'>,
  kernel: RiskKernel,
  now: number,
): Promise<Forecast> {
  const closes = await hourlyCloses(store, policy, now);
  if (closes.length < CLOSES_MIN) return { covariance: policy.prior.covariance, source: 'prior' };
  const n = policy.universe.length;
  const returns = new Float64Array((closes.length - 1) * n);
  for (let t = 1; t < closes.length; t += 1) {
    for (let i = 0; i < n; i += 1) {
      const [before, after] = [closes[t - 1]?.[i] ?? 1, closes[t]?.[i] ?? 1];
      returns[(t - 1) * n + i] = Math.log(after / before);
    }
  }
  const covariance = ewmaCovariance(kernel, returns, n, HOUR_SECONDS, DAILY_DECAY);
  return { covariance, source: `ewma of ${closes.length} hours` };
}
