// The jobs table: claims with SKIP LOCKED, leases with fences. A row's due_at_ms is when it may be
// claimed next, which while it runs is the end of its lease: a worker that dies needs nobody to
// notice. All times are the database's, so workers with wrong clocks cannot steal or hold leases.

import { type RawBuilder, sql } from 'kysely';
import { type JobLease, LeaseLost, type NewJob, type Store } from '../types/store.ts';
import type { Database } from './postgres.ts';

const ERROR_CHARS_MAX = 2_000;

type JobMethods = Pick<Store, 'claimJob' | 'heartbeat' | 'completeJob' | 'rescheduleJob'>;

export function createPostgresJobs(database: Database): JobMethods {
  /** Runs a write on the lease's row; no row means that the fence has moved on. */
  const fenced = async (lease: JobLease, statement: RawBuilder<unknown>) => {
    const [row] = await database.rows(statement);
    if (row !== undefined) return;
    throw new LeaseLost(`lease ${lease.fence} of job ${lease.kind}/${lease.key} was lost`);
  };
  return {
    async claimJob(kinds, leaseMs) {
      const [row] = await database.rows(claimStatement(kinds, leaseMs));
      return row === undefined ? null : { ...row, fence: Number(row.fence) };
    },
    heartbeat: (lease, leaseMs) =>
      fenced(
        lease,
        sql`UPDATE jobs SET due_at_ms = now_ms() + ${leaseMs}::bigint
            WHERE ${isLease(lease)} RETURNING 1`,
      ),
    // A job asked for again while it ran stays, due when it was asked for. The time is `held`'s, which
    // is the row as locked: this statement may have begun before the other one committed.
    completeJob: (lease) =>
      fenced(
        lease,
        sql`WITH held AS MATERIALIZED (SELECT again_at_ms FROM jobs WHERE ${isLease(lease)}
              FOR UPDATE),
            gone AS (DELETE FROM jobs WHERE ${isLease(lease)}
              AND EXISTS (SELECT 1 FROM held WHERE again_at_ms IS NULL)),
            kept AS (UPDATE jobs SET due_at_ms = (SELECT again_at_ms FROM held),
                again_at_ms = NULL, running = false, attempts = 0, last_error = NULL
              WHERE ${isLease(lease)} AND EXISTS (SELECT 1 FROM held WHERE again_at_ms IS NOT NULL))
            SELECT 1 FROM held`,
      ),
    rescheduleJob: (lease, runAtMs, error) =>
      fenced(
        lease,
        sql`UPDATE jobs SET
              due_at_ms = least(${Math.round(runAtMs)}::bigint, again_at_ms),
              again_at_ms = NULL,
              running = false,
              attempts = CASE WHEN ${error === undefined}::boolean THEN 0 ELSE attempts END,
              last_error = ${error?.slice(0, ERROR_CHARS_MAX) ?? null}
            WHERE ${isLease(lease)} RETURNING 1`,
      ),
  };
}

/** Of the jobs that are due the one that has waited longest; another worker's claim is skipped. */
function claimStatement(kinds: readonly string[], leaseMs: number) {
  return sql<{ kind: string; key: string; fence: string; attempts: number }>`
    UPDATE jobs SET due_at_ms = now_ms() + ${leaseMs}::bigint, running = true,
      fence = nextval('job_fence'), attempts = attempts + 1
    WHERE (kind, key) = (
      SELECT kind, key FROM jobs
      WHERE kind = ANY(${kinds}) AND due_at_ms <= now_ms()
      ORDER BY due_at_ms LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING kind, key, fence, attempts`;
}

/** A released job keeps its fence until the next claim, so `running` is compared as well. */
const isLease = (lease: JobLease) =>
  sql`kind = ${lease.kind} AND key = ${lease.key} AND fence = ${lease.fence} AND running`;

/**
 * One row if the lease still holds, and then locked to the end of the transaction, so that no other
 * worker can claim the job between this check and the commit. Without a lease: always one row.
 */
export function heldLease(lease: JobLease | null): RawBuilder<unknown> {
  if (lease === null) return sql`SELECT 1`;
  return sql`SELECT 1 FROM jobs WHERE ${isLease(lease)} FOR NO KEY UPDATE`;
}

/**
 * Adds jobs if `moved` has a row. A job of that name that waits becomes due no later than asked; one
 * that runs is noted to run again, since its worker may already have read what is now outdated.
 */
export function insertJobs(jobs: readonly NewJob[]): RawBuilder<unknown> {
  const kinds = jobs.map((job) => job.kind);
  const keys = jobs.map((job) => job.key);
  const times = jobs.map((job) => Math.round(job.runAtMs));
  return sql`
    INSERT INTO jobs AS old (kind, key, due_at_ms)
    SELECT job.kind, job.key, min(job.due) FROM moved,
      unnest(${kinds}::text[], ${keys}::text[], ${times}::bigint[]) AS job (kind, key, due)
    GROUP BY job.kind, job.key
    ${sql.raw(JOB_ASKED_AGAIN)}`;
}

/** Of an INSERT INTO jobs AS old. */
export const JOB_ASKED_AGAIN = `
  ON CONFLICT (kind, key) DO UPDATE SET
    due_at_ms = CASE WHEN old.running THEN old.due_at_ms
                     ELSE least(old.due_at_ms, excluded.due_at_ms) END,
    again_at_ms = CASE WHEN old.running THEN least(old.again_at_ms, excluded.due_at_ms) END`;
