// Idempotency keys in PostgreSQL, one statement each. The row is the lock: whoever inserts it works,
// everybody else sees a row. Times are the database's.

import { sql } from 'kysely';
import type { IdempotencyStore } from '../types/idempotency.ts';
import type { JsonObject } from '../types/json.ts';
import type { Database } from './postgres.ts';

const KEPT_MS = 24 * 3_600_000;
/** Dropped with every new key, so that the table needs no sweeper. */
const DROPPED_PER_WRITE = 4;

interface Row {
  readonly body: string;
  readonly answer: JsonObject | null;
}

export function createPostgresIdempotency(database: Database): IdempotencyStore {
  return {
    async begin(key, body, leaseMs) {
      const [taken] = await database.rows(sql<{ token: string }>`
        WITH dropped AS (
          DELETE FROM idempotency_keys WHERE key IN (
            SELECT key FROM idempotency_keys
            WHERE expires_at_ms <= now_ms() AND key <> ${key}
            ORDER BY expires_at_ms LIMIT ${DROPPED_PER_WRITE} FOR UPDATE SKIP LOCKED))
        INSERT INTO idempotency_keys AS old
          (key, body, token, lease_until_ms, expires_at_ms)
        VALUES (${key}, ${body}, nextval('idempotency_token'), now_ms() + ${leaseMs}::bigint,
                now_ms() + ${KEPT_MS}::bigint)
        ON CONFLICT (key) DO UPDATE SET
          body = excluded.body, token = excluded.token, answer = NULL,
          lease_until_ms = excluded.lease_until_ms, expires_at_ms = excluded.expires_at_ms
        WHERE old.expires_at_ms <= now_ms()
           OR (old.answer IS NULL AND old.lease_until_ms <= now_ms() AND old.body = excluded.body)
        RETURNING token`);
      if (taken !== undefined) return { state: 'yours', token: Number(taken.token) };
      const [row] = await database.rows(sql<Row>`
        SELECT body, answer FROM idempotency_keys WHERE key = ${key}`);
      // Freed between the two statements: it can be begun anew.
      if (row === undefined) return { state: 'running' };
      if (row.body !== body) return { state: 'otherBody' };
      return row.answer === null ? { state: 'running' } : { state: 'done', answer: row.answer };
    },
    async finish(key, token, answer) {
      await database.rows(sql`
        UPDATE idempotency_keys
        SET answer = ${JSON.stringify(answer)}, expires_at_ms = now_ms() + ${KEPT_MS}::bigint
        WHERE key = ${key} AND token = ${token}`);
    },
    async free(key, token) {
      await database.rows(sql`
        DELETE FROM idempotency_keys WHERE key = ${key} AND token = ${token} AND answer IS NULL`);
    },
  };
}
