// What may happen to a policy, and what may happen to the processes that keep it.

import { Fault } from '../../../solver/types/errors.ts';
import { simRng } from '../../settlement/sim/rng.ts';
import { Crash, DOCUMENT, type Fates, LEASE_MS, type Script } from './world.ts';

const MOVED = [[20, 2_600]] as const;
export const SCENARIOS: Readonly<Record<string, Script>> = {
  happy: { prices: MOVED },
  unsigned: { prices: MOVED, signs: ['never', 'never', 2] },
  lastMoment: { prices: MOVED, signs: ['lastMoment'] },
  signedAfterWithdrawal: { prices: MOVED, signs: [15], stale: [32, 70] },
  failedOrder: { prices: MOVED, fates: ['fail', 'settle'] },
  refunded: { prices: MOVED, fates: ['refundAll', 'settle'] },
  partly: { prices: MOVED, fates: ['refundPart', 'settle'] },
  stalePrices: { prices: MOVED, signs: ['never', 2], stale: [28, 60] },
  chainDown: { prices: MOVED, down: [15, 40] },
  faults: { prices: MOVED, quoteFaults: 2, quoteRefusals: 2 },
  tripped: { prices: MOVED, quoteFaults: 4, seconds: 260 },
  resumed: {
    prices: MOVED,
    quoteFaults: 3,
    resumeFrom: 60,
    document: { ...DOCUMENT, breakers: { ...(DOCUMENT.breakers as object), resumeAfter: null } },
  },
  reduceOnly: {
    prices: MOVED,
    quoteFaults: 3,
    document: { ...DOCUMENT, breakers: { ...(DOCUMENT.breakers as object), onTrip: 'reduceOnly' } },
  },
  revoked: { prices: MOVED, signs: ['never'], revokeAt: 35 },
  expired: { prices: MOVED, signs: ['never'], expires: 40 },
};

/** Deaths, lost answers and stalls at random while `until` has not come. */
export function chaos(seed: number, until: number): Fates {
  const rng = simRng(seed);
  let stalled = false;
  return {
    async effect(side, _name, world) {
      if (world.second > until || stalled) return;
      if (rng.chance(0.06)) throw new Crash();
      if (side === 'after' && rng.chance(0.05)) {
        throw new Fault('the answer was lost', { code: 'storeUnavailable' });
      }
      if (side === 'before' && rng.chance(0.08)) {
        // This process hangs for longer than its lease; the other one goes on meanwhile.
        stalled = true;
        world.nowMs += LEASE_MS + 1_000;
        await world.drain(rng.int(0, 1), 3);
        stalled = false;
      }
    },
  };
}
