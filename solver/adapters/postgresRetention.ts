// What PostgreSQL forgets, a few rows at a time: entries of the solvers' feed after a week, decisions of
// policies that ended a quarter of a year ago. Never the newest entry of the feed, whose number says where
// it goes on, and never a policy's last event, which says how it ended.

import { sql } from 'kysely';
import type { Database } from './postgres.ts';

const DAY_MS = 24 * 3_600_000;
export const MARKET_EVENTS_KEPT_MS = 7 * DAY_MS;
export const DECISIONS_KEPT_MS = 90 * DAY_MS;
/** A new process has better things to do at first. */
const FIRST_AFTER_MS = 60_000;

/** As retention.ts asks for it; `kind` is its job's. */
export function createPostgresRetention(database: Database, kind: string) {
  return {
    async schedule(): Promise<void> {
      await database.rows(sql`
        INSERT INTO jobs (kind, key, due_at_ms) VALUES (${kind}, 'all', now_ms() + ${FIRST_AFTER_MS})
        ON CONFLICT DO NOTHING`);
    },
    async prune(limit: number): Promise<boolean> {
      // Numbers ascend with time, so only the lowest are looked at, however many there are. A policy that
      // ended is not written any more: its updated_at_ms is when it ended.
      const [row] = await database.rows(sql<{ market: string; decisions: string }>`
        WITH market AS (
          DELETE FROM market_events WHERE seq IN (
            SELECT seq FROM (SELECT seq, at_ms FROM market_events ORDER BY seq LIMIT ${limit}) AS old
            WHERE at_ms < now_ms() - ${MARKET_EVENTS_KEPT_MS})
            AND seq < (SELECT max(seq) FROM market_events)
          RETURNING 1),
        decisions AS (
          DELETE FROM policy_events WHERE seq IN (
            SELECT e.seq FROM policies AS p JOIN policy_events AS e USING (policy_id)
            WHERE p.status IN ('revoked', 'expired')
              AND p.updated_at_ms < now_ms() - ${DECISIONS_KEPT_MS} AND e.number < p.event_count
            LIMIT ${limit})
          RETURNING 1)
        SELECT (SELECT count(*) FROM market) AS market,
               (SELECT count(*) FROM decisions) AS decisions`);
      return Number(row?.market ?? 0) === limit || Number(row?.decisions ?? 0) === limit;
    },
  };
}
