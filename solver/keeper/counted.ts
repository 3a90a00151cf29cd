// What weights are counted at must be believed itself. A portfolio is counted, and quoted, at the newest
// feed of each asset, while a guard believes the median of all sources: pools that agree among
// themselves say nothing of a feed that stopped hours ago, and the newest feed may be the one that the
// others outvote. Pure; decides only which readings a policy may judge by.

import { DEFAULT_ORACLES } from '../policy/defaults.ts';
import { judgePrices } from '../policy/guards/judgePrices.ts';
import type { OraclePolicy, PriceReading } from '../policy/guards/oracle.ts';
import type { Policy } from '../policy/types.ts';
import type { Observed } from './observe.ts';

type Seen = Pick<Observed, 'now' | 'prices' | 'usd' | 'usdAt'>;

/**
 * Per asset the readings as seen, where the price it is counted at is fresh and lies within the guard's
 * deviation of their median; else readings that no guard believes, and that say why.
 */
export function countedReadings(
  { assets, oracles }: Pick<Policy, 'assets' | 'oracles'>,
  { now, prices, usd, usdAt }: Seen,
): readonly (readonly PriceReading[])[] {
  const plain: OraclePolicy = { ...oracles, maxTwapGapBps: null, depegFloors: {} };
  const judged = judgePrices(plain, assets, prices, now).assets;
  return prices.map((readings, i) => {
    const counted = { source: 'counted', price: usd[i] ?? 0, at: usdAt[i] ?? now };
    if (now - counted.at > oracles.maxAgeSeconds) return [counted];
    const median = judged[i]?.price ?? null;
    if (median === null) return readings;
    const apart = Math.abs(counted.price - median) * 1e4;
    if (apart <= median * oracles.maxDeviationBps) return readings;
    return [counted, { source: 'median', price: median, at: now }];
  });
}

/**
 * Per asset the price that may be remembered for all policies, or null: by the careful guard every policy
 * has that names none, whatever this policy's own believes.
 */
export function memorablePrices(
  assets: readonly string[],
  readings: readonly (readonly PriceReading[])[],
  now: Seen['now'],
): readonly (number | null)[] {
  const judged = judgePrices({ ...DEFAULT_ORACLES, depegFloors: {} }, assets, readings, now);
  return judged.assets.map(({ ok, price }) => (ok ? price : null));
}
