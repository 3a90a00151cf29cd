// What PostgreSQL knows about the whole service, for gauges: orders that are not over, the queue, the
// connection pool. One statement answers all of it, at most once per CACHE_MS however often somebody
// looks; orders that are over are never counted here, since they only ever grow in number.

import { sql } from 'kysely';
import type { Meter } from '../types/meter.ts';
import type { Clock } from '../types/ports.ts';
import type { OrderState } from '../types/store.ts';
import type { Database } from './postgres.ts';

const CACHE_MS = 2_000;

interface QueueRow {
  readonly kind: string;
  readonly waiting: number;
  readonly due: number;
  readonly running: number;
  readonly oldestDueMs: number;
}
interface Picture {
  readonly orders: Readonly<Record<string, number>>;
  readonly queue: readonly QueueRow[];
}

export interface PostgresGaugesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly meter: Meter;
  /** Always shown, also where there is none. */
  readonly openStates: readonly OrderState[];
  readonly jobKinds: readonly string[];
}

export function registerPostgresGauges(options: PostgresGaugesOptions): void {
  const { database, clock, meter, openStates, jobKinds } = options;
  let cached: { readonly untilMs: number; readonly picture: Promise<Picture> } | null = null;
  const look = (): Promise<Picture> => {
    if (cached === null || clock.nowMs() >= cached.untilMs) {
      cached = { untilMs: clock.nowMs() + CACHE_MS, picture: read(database, openStates) };
    }
    return cached.picture;
  };
  const queue = async () => {
    const { queue: rows } = await look();
    const none = { waiting: 0, due: 0, running: 0, oldestDueMs: 0 };
    return jobKinds.map((kind) => rows.find((row) => row.kind === kind) ?? { kind, ...none });
  };

  meter.gauge('trimtab_store_up', async () => {
    const up = await look().then(
      () => 1,
      () => 0,
    );
    return [{ labels: {}, value: up }];
  });
  meter.gauge('trimtab_orders', async () => {
    const { orders } = await look();
    return openStates.map((state) => ({ labels: { state }, value: orders[state] ?? 0 }));
  });
  meter.gauge('trimtab_jobs', async () =>
    (await queue()).flatMap((row) =>
      (['waiting', 'due', 'running'] as const).map((state) => ({
        labels: { kind: row.kind, state },
        value: row[state],
      })),
    ),
  );
  meter.gauge('trimtab_jobs_oldest_due_seconds', async () =>
    (await queue()).map(({ kind, oldestDueMs }) => ({
      labels: { kind },
      value: oldestDueMs / 1000,
    })),
  );
  meter.gauge('trimtab_db_connections', () => {
    const { total, idle, waiting } = database.connections();
    return [
      { labels: { state: 'busy' }, value: total - idle },
      { labels: { state: 'idle' }, value: idle },
      { labels: { state: 'waiting' }, value: waiting },
    ];
  });
}

/** A running job's due_at_ms is the end of its lease: once that is over it is due again. */
async function read(database: Database, openStates: readonly OrderState[]): Promise<Picture> {
  const [row] = await database.rows(sql<Picture>`
    SELECT
      (SELECT coalesce(json_object_agg(state, n), '{}') FROM (
        SELECT state, count(*) AS n FROM orders WHERE state = ANY(${openStates}) GROUP BY state
      ) AS states) AS orders,
      (SELECT coalesce(json_agg(lane), '[]') FROM (
        SELECT kind,
          count(*) FILTER (WHERE due_at_ms > at_ms AND NOT running) AS waiting,
          count(*) FILTER (WHERE due_at_ms <= at_ms) AS due,
          count(*) FILTER (WHERE due_at_ms > at_ms AND running) AS running,
          greatest(0, max(at_ms) - min(due_at_ms)) AS "oldestDueMs"
        FROM jobs, (SELECT now_ms() AS at_ms) AS clock GROUP BY kind
      ) AS lane) AS queue`);
  return row ?? { orders: {}, queue: [] };
}
