// What a filler's history means for its next bid: cooldowns and quotas.

import { describe, expect, it } from 'vitest';
import { BID_LIMITS, bidRefusal } from '../../solver/auction/quota.ts';
import {
  COOLDOWN_MAX_MS,
  COOLDOWN_MIN_MS,
  cooldownUntil,
  HISTORY_MS,
  type PastAward,
  STRIKE_MS,
  standingOf,
} from '../../solver/auction/standing.ts';
import { simRng } from '../settlement/sim/rng.ts';
import { address, shuffled } from './generate.ts';

const T = 1_700_000_000_000;
const at = (outcome: PastAward['outcome'], ms: number): PastAward => ({ outcome, atMs: T + ms });

describe('cooldownUntil', () => {
  it('default: none without a strike; a minute after the first', () => {
    expect(cooldownUntil([], T)).toBeNull();
    expect(cooldownUntil([at('filled', 0)], T)).toBeNull();
    expect(cooldownUntil([at('faded', 0)], T)).toBe(T + COOLDOWN_MIN_MS);
    expect(cooldownUntil([at('late', 0)], T)).toBe(T + COOLDOWN_MIN_MS);
    expect(cooldownUntil([at('faded', 0)], T + COOLDOWN_MIN_MS)).toBeNull();
  });

  it('behavior: every further strike doubles it, up to a day', () => {
    let previous = 0;
    for (let n = 1; n <= 40; n += 1) {
      const history = Array.from({ length: n }, () => at('faded', 0));
      const length = (cooldownUntil(history, T) ?? 0) - T;
      expect(length).toBe(Math.min(COOLDOWN_MIN_MS * 2 ** (n - 1), COOLDOWN_MAX_MS));
      expect(length).toBeGreaterThanOrEqual(previous);
      previous = length;
    }
  });

  it('behavior: a fill takes the latest strike away and cuts no cooldown short', () => {
    const history = [at('faded', 0), at('filled', 10), at('faded', 20)];
    expect(cooldownUntil(history.slice(0, 2), T + 10)).toBe(T + COOLDOWN_MIN_MS);
    expect(cooldownUntil(history, T + 20)).toBe(T + 20 + COOLDOWN_MIN_MS);
    const unhealed = [at('faded', 0), at('faded', 20)];
    expect(cooldownUntil(unhealed, T + 20)).toBe(T + 20 + 2 * COOLDOWN_MIN_MS);
    // Fills made beforehand are no credit.
    const before = [at('filled', 0), at('filled', 1), at('faded', 20)];
    expect(cooldownUntil(before, T + 20)).toBe(T + 20 + COOLDOWN_MIN_MS);
  });

  it('behavior: a strike counts for seven days', () => {
    const twice = (apart: number) => [at('faded', 0), at('faded', apart)];
    const lengthOf = (apart: number) => (cooldownUntil(twice(apart), T + apart) ?? 0) - T - apart;
    expect(lengthOf(STRIKE_MS - 1)).toBe(2 * COOLDOWN_MIN_MS);
    expect(lengthOf(STRIKE_MS)).toBe(COOLDOWN_MIN_MS);
  });

  it('property: listing order, the future and what is older than HISTORY_MS do not matter', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const rng = simRng(seed);
      const history = Array.from({ length: rng.int(0, 30) }, () =>
        at(rng.pick(['filled', 'faded', 'late'] as const), rng.int(0, 2 * STRIKE_MS)),
      );
      const now = T + 2 * STRIKE_MS;
      const until = cooldownUntil(history, now);
      expect(cooldownUntil(shuffled(rng, history), now), `seed ${seed}`).toBe(until);
      const future = [...history, at('faded', 3 * STRIKE_MS)];
      expect(cooldownUntil(future, now), `seed ${seed}`).toBe(until);
      const recent = history.filter(({ atMs }) => atMs > now - HISTORY_MS);
      expect(cooldownUntil(recent, now), `seed ${seed}`).toBe(until);
      // And nobody waits longer than a day.
      if (until !== null) expect(until - now).toBeLessThanOrEqual(COOLDOWN_MAX_MS);
    }
  });

  it('behavior: standing carries the totals', () => {
    const totals = { filler: address(1), won: 3, filled: 1, faded: 1, late: 1 };
    const standing = standingOf(totals, [at('faded', 0)], T);
    expect(standing).toEqual({ ...totals, cooldownUntilMs: T + COOLDOWN_MIN_MS });
  });
});

describe('bidRefusal', () => {
  const none = { ofAuction: 0, ofFiller: 0, unfilledAwards: 0, items: 1, orders: 3 };

  it('default: within every limit a bid is taken', () => {
    expect(bidRefusal(none, null, T)).toBeNull();
    expect(bidRefusal({ ...none, unfilledAwards: 31 }, T, T)).toBeNull();
  });

  it('error: cooldown, a full auction, too many bids or awards, each with its code', () => {
    const cooling = bidRefusal(none, T + 1, T);
    expect(cooling).toMatchObject({ refused: 'coolingDown', details: { untilMs: T + 1 } });
    for (const [counts, limit] of [
      [{ ofAuction: BID_LIMITS.perAuction }, 'perAuction'],
      [{ ofFiller: BID_LIMITS.perFiller + none.orders }, 'perFiller'],
      [{ unfilledAwards: BID_LIMITS.unfilledAwards }, 'unfilledAwards'],
      [{ unfilledAwards: 30, items: 3 }, 'unfilledAwards'],
    ] as const) {
      const refusal = bidRefusal({ ...none, ...counts }, null, T);
      expect(refusal).toMatchObject({ refused: 'bidQuota', details: { limit } });
    }
  });
});
