// The wall clock behind the Clock port. Nothing else in the domain may ask what time it is.

import { setTimeout as timer } from 'node:timers/promises';
import { unixSeconds } from '../types/amounts.ts';
import type { Clock } from '../types/ports.ts';

/** Real time. `sleep` rejects with the signal's own reason, at once if it is already aborted. */
export const systemClock: Clock = {
  now: () => unixSeconds(Math.floor(Date.now() / 1000)),
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await timer(Math.max(0, ms), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
