// A turnstile over processes: of all tasks under one name, on any number of machines that share the
// database, one runs at a time. An advisory lock of a transaction holds the place, so a process that
// is killed gives it up with its connection. Within the process tasks queue first: it waits on one
// connection however many tasks it has.
//
// The lock says who is first; it does not fence. A holder whose connection broke while its task still
// runs no longer excludes others, so a task must be short and its write must stand on its own feet.

import { sql } from 'kysely';
import { assert } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { Database } from './postgres.ts';

/** Tasks that wait in this process at most; the next one is a Fault, tried again later. */
const WAITING_MAX = 1_000;
/** No place is worth waiting longer for, milliseconds: far above any task, far below a lease. */
const LOCK_TIMEOUT_MS = 3_000;
/** A holder that says nothing for so long has lost its process or its network. */
const IDLE_TIMEOUT_MS = 5_000;

/** Throws Fault (retryable) when the place was not to be had in time; then nothing was run. */
export function createPostgresTurnstile(
  database: Database,
  name: string,
): <T>(task: () => Promise<T>) => Promise<T> {
  assert(/^[a-z0-9 :x]{1,80}$/.test(name), `turnstile name ${name}`);
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const pass = async <T>(task: () => Promise<T>): Promise<T> => {
    // Settled once: the transaction may be tried again, the task may not.
    let outcome: PromiseSettledResult<T> | null = null;
    try {
      await database.transaction(async (tx) => {
        if (outcome !== null) return;
        await database.rows(
          sql`SELECT set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true),
                set_config('idle_in_transaction_session_timeout', ${String(IDLE_TIMEOUT_MS)}, true)`,
          tx,
        );
        await database.rows(sql`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`, tx);
        [outcome] = await Promise.allSettled([task()]);
      });
    } catch (error) {
      // Where the task is over, its writes stand; only giving up the place has failed.
      if (outcome === null) throw tooLate(error) ? turnTimeout(name) : error;
    }
    const settled = outcome as PromiseSettledResult<T> | null;
    assert(settled !== null, 'a transaction that committed ran its task');
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  };

  return async (task) => {
    if (waiting >= WAITING_MAX)
      throw new Fault(`${waiting} wait for ${name}`, { code: 'turnBusy' });
    waiting += 1;
    const mine = last.then(
      () => pass(task),
      () => pass(task),
    );
    last = mine.catch(() => {});
    try {
      return await mine;
    } finally {
      waiting -= 1;
    }
  };
}

/** SQLSTATE lock_not_available: the lock timeout. */
const tooLate = (error: unknown) => error instanceof Fault && /\(55P03\)/.test(error.message);

const turnTimeout = (name: string) =>
  new Fault(`waited ${LOCK_TIMEOUT_MS} ms for ${name}`, { code: 'turnTimeout' });
