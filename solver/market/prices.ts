// Feed answers → dollar prices. A price that is too old, not positive or from a round that never
// completed is a Refusal that names the token, never a number: a stale price must not move money.

import type { UnixSeconds } from '../types/amounts.ts';
import type { Refusal } from '../types/errors.ts';
import type { ChainId } from '../types/ids.ts';
import type { TokenConfig } from '../types/network.ts';
import { FIXED36_DECIMALS, type Fixed36, fixed36 } from './decimal.ts';

/** latestRoundData of a Chainlink-type aggregator, with its decimals. */
export interface FeedReading {
  /** Dollars per whole token × 10^decimals; feeds may answer zero or less when broken. */
  readonly answer: bigint;
  readonly decimals: number;
  /** 0 while the first round has no answer. */
  readonly updatedAt: UnixSeconds;
}

export type PriceRefusal = Refusal<'stalePrice' | 'badPrice'>;

/**
 * Dollars per whole token, exact. Refuses `stalePrice` when the answer is older than the token's
 * feedHeartbeatSeconds at `now`, with token, chain, age and limit in the details.
 */
export function priceFromFeed(
  token: Pick<TokenConfig, 'symbol' | 'feed' | 'feedHeartbeatSeconds'>,
  chainId: ChainId,
  reading: FeedReading,
  now: UnixSeconds,
): Fixed36 | PriceRefusal {
  const name = `${token.symbol} on chain ${chainId}`;
  const place = { token: token.symbol, chainId, feed: token.feed };
  if (reading.answer <= 0n || reading.decimals > FIXED36_DECIMALS) {
    return {
      refused: 'badPrice',
      message: `the feed of ${name} answers ${reading.answer}: not a price`,
      details: { ...place, answer: reading.answer.toString() },
    };
  }
  const limitSeconds = token.feedHeartbeatSeconds;
  // A feed's clock is its chain's; one slightly ahead of ours is fresh, not from the future.
  const ageSeconds = Math.max(0, now - reading.updatedAt);
  if (reading.updatedAt === 0 || ageSeconds > limitSeconds) {
    return {
      refused: 'stalePrice',
      message:
        `the price of ${name} is ${ageSeconds} s old, the limit is ${limitSeconds} s; ` +
        'try again when its feed has published',
      details: { ...place, ageSeconds, limitSeconds },
    };
  }
  return fixed36(reading.answer * 10n ** BigInt(FIXED36_DECIMALS - reading.decimals));
}
