// The job kind `prune`: drops, once an hour and over all processes, what nobody will ask for again. How
// long what is kept is the store's (adapters/postgresRetention.ts); quotes, deliveries, idempotency keys
// and price samples are dropped by what writes them. Orders, auctions' records and policies are for ever.

import type { Clock } from './types/ports.ts';
import type { JobLease } from './types/store.ts';

export const PRUNE_JOB = 'prune';

const EVERY_MS = 3_600_000;
/** Rows of one statement: it holds their locks for some milliseconds. */
const ROWS_PER_STATEMENT = 2_000;
/** Of one run; what is left comes with the next, at once. */
const STATEMENTS_MAX = 50;

/** Both methods throw Fault when the store is down. */
export interface Retention {
  /** Gives the job its row, where there is none. */
  schedule(): Promise<void>;
  /** Drops at most about `limit` rows of each sort. False: nothing is left to drop now. */
  prune(limit: number): Promise<boolean>;
}

export function createPruning(retention: Pick<Retention, 'prune'>, clock: Clock) {
  return async (_: JobLease, signal: AbortSignal): Promise<{ readonly runAtMs: number }> => {
    for (let n = 0; n < STATEMENTS_MAX; n += 1) {
      signal.throwIfAborted();
      if (!(await retention.prune(ROWS_PER_STATEMENT))) {
        return { runAtMs: clock.nowMs() + EVERY_MS };
      }
    }
    return { runAtMs: clock.nowMs() };
  };
}
