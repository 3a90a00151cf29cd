// The WebhookStore port on PostgreSQL. Deliveries are made from events that have none, among all behind
// a mark: numbers are given before commit, so the mark stays OVERLAP_MS behind the clock, longer than
// any statement may last, and what commits late is still found. Refuses to send (deliver.ts does).

import { sql } from 'kysely';
import type { EvmAddress, OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Delivery, DueDelivery, StoredWebhook, WebhookStore } from '../types/webhooks.ts';
import type { Database } from './postgres.ts';
import { insertJobs } from './postgresJobs.ts';

const OVERLAP_MS = 20_000;
/** Deliveries are kept this long, then dropped a few with every look. */
const KEPT_MS = 7 * 24 * 3_600_000;
const DROPPED_PER_LOOK = 100;
const ERROR_CHARS_MAX = 300;
const LIST_MAX = 1_000;

/** The names of deliver.ts's jobs; adapters do not enter its room. */
export interface WebhookJobs {
  readonly kind: string;
  readonly dispatchKey: string;
}

/** Adds jobs without a hint: workers look for what is due anyway. */
export function createPostgresWebhooks(database: Database, jobs: WebhookJobs): WebhookStore {
  const dispatchJob = { kind: jobs.kind, key: jobs.dispatchKey, runAtMs: 0 };
  return {
    async create(webhook, max) {
      const [row] = await database.rows(sql<{ made: boolean }>`
        WITH moved AS (
          INSERT INTO webhooks (webhook_id, secret, url, owner, events, state, since_seq,
                                created_at_ms)
          SELECT ${webhook.webhookId}, ${webhook.secret}, ${webhook.url}, ${webhook.owner},
                 ${webhook.events}::text[], 'active',
                 (SELECT coalesce(max(seq), 0) FROM events), now_ms()
          WHERE (SELECT count(*) FROM webhooks) < ${max}
          RETURNING webhook_id),
        orders_of AS (
          INSERT INTO webhook_orders (webhook_id, order_id)
          SELECT webhook_id, unnest(${webhook.orderIds}::text[]) FROM moved),
        added_jobs AS (${insertJobs([dispatchJob])})
        SELECT EXISTS (SELECT 1 FROM moved) AS made`);
      return row?.made === true;
    },
    async get(webhookId) {
      const [row] = await database.rows(sql<WebhookRow>`
        SELECT *, ARRAY(SELECT order_id FROM webhook_orders AS o
                        WHERE o.webhook_id = w.webhook_id ORDER BY 1) AS order_ids
        FROM webhooks AS w WHERE webhook_id = ${webhookId}`);
      return row === undefined ? null : webhookOf(row);
    },
    async remove(webhookId) {
      await database.rows(sql`DELETE FROM webhooks WHERE webhook_id = ${webhookId}`);
    },
    async ping(webhookId, deliveryId) {
      await database.rows(sql`
        WITH moved AS (
          INSERT INTO webhook_deliveries (delivery_id, webhook_id, type, state, next_at_ms,
                                          created_at_ms)
          VALUES (${deliveryId}, ${webhookId}, 'webhook.ping', 'pending', now_ms(), now_ms())
          RETURNING webhook_id)
        ${insertJobs([{ kind: jobs.kind, key: webhookId, runAtMs: 0 }])}`);
    },
    async deliveries(webhookId, before, limit) {
      const rows = await database.rows(sql<DeliveryRow>`
        SELECT * FROM webhook_deliveries
        WHERE webhook_id = ${webhookId} AND (${before}::bigint IS NULL OR id < ${before})
        ORDER BY id DESC LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(deliveryOf);
    },

    async dispatch(limit) {
      const [row] = await database.rows(dispatchStatement(jobs.kind, limit));
      return { made: Number(row?.made ?? 0), active: row?.active === true };
    },
    async due(webhookId, limit) {
      const rows = await database.rows(sql<DueRow>`
        WITH first AS (
          SELECT DISTINCT ON (coalesce(order_id, delivery_id)) *
          FROM webhook_deliveries WHERE webhook_id = ${webhookId} AND state = 'pending'
          ORDER BY coalesce(order_id, delivery_id), seq)
        SELECT first.*, events.at_ms, events.data, now_ms() AS now_ms FROM first
        LEFT JOIN events ON events.seq = first.seq
        ORDER BY next_at_ms LIMIT ${limit}`);
      const due = rows.filter((row) => Number(row.next_at_ms) <= Number(row.now_ms));
      const [next] = rows;
      return {
        deliveries: due.map(dueOf),
        nextAtMs: next === undefined ? null : Number(next.next_at_ms),
      };
    },
    async arrived(webhookId, id, status) {
      // A ping that arrived wakes a disabled webhook, for what happens from now on.
      await database.rows(sql`
        WITH done AS (
          UPDATE webhook_deliveries SET state = 'delivered', attempts = attempts + 1,
            last_at_ms = now_ms(), last_status = ${status}, last_error = NULL
          WHERE id = ${id} AND state = 'pending' RETURNING type),
        moved AS (
          UPDATE webhooks SET failures = 0, state = 'active', reason = NULL,
            since_seq = CASE WHEN state = 'active' THEN since_seq
                             ELSE (SELECT coalesce(max(seq), 0) FROM events) END
          WHERE webhook_id = ${webhookId}
            AND (state = 'active' OR EXISTS (SELECT 1 FROM done WHERE type = 'webhook.ping'))
          RETURNING webhook_id)
        ${insertJobs([dispatchJob])}`);
    },
    async missed({ webhookId, id, status, error, retryMs, failuresMax }) {
      const reason = `${failuresMax} attempts in a row failed`;
      await database.rows(sql`
        WITH counted AS (
          UPDATE webhooks SET failures = failures + 1,
            state = CASE WHEN failures + 1 >= ${failuresMax} THEN 'disabled' ELSE state END,
            reason = CASE WHEN failures + 1 >= ${failuresMax} THEN ${reason} ELSE reason END
          WHERE webhook_id = ${webhookId} RETURNING webhook_id, state)
        UPDATE webhook_deliveries AS d SET
          attempts = d.attempts + CASE WHEN d.id = ${id} THEN 1 ELSE 0 END,
          state = CASE WHEN d.id = ${id} AND ${retryMs === null} THEN 'failed'
                       WHEN counted.state = 'disabled' THEN 'dropped' ELSE d.state END,
          next_at_ms = CASE WHEN d.id = ${id} THEN now_ms() + ${retryMs ?? 0}::bigint
                            ELSE d.next_at_ms END,
          last_at_ms = CASE WHEN d.id = ${id} THEN now_ms() ELSE d.last_at_ms END,
          last_status = CASE WHEN d.id = ${id} THEN ${status}::integer ELSE d.last_status END,
          last_error = CASE WHEN d.id = ${id} THEN ${error.slice(0, ERROR_CHARS_MAX)}::text
                            ELSE d.last_error END
        FROM counted
        WHERE d.webhook_id = counted.webhook_id AND d.state = 'pending'
          AND (d.id = ${id} OR counted.state = 'disabled')`);
    },
  };
}

/** The delivery's id follows from webhook and event: made twice, it would be the same one. */
function dispatchStatement(kind: string, limit: number) {
  return sql<{ made: string; active: boolean }>`
    WITH mark AS (
      SELECT greatest(safe_seq, (SELECT min(since_seq) FROM webhooks WHERE state = 'active')) AS seq
      FROM webhook_dispatch),
    recent AS (
      SELECT e.seq, e.order_id, e.type, o.owner FROM events AS e JOIN orders AS o USING (order_id)
      WHERE e.seq > (SELECT seq FROM mark)),
    wanted AS (
      SELECT w.webhook_id, r.seq, r.order_id, r.type FROM recent AS r
      JOIN webhooks AS w ON w.owner = r.owner
      WHERE w.state = 'active' AND r.seq > w.since_seq AND (w.events IS NULL OR r.type = ANY(w.events))
      UNION
      SELECT w.webhook_id, r.seq, r.order_id, r.type FROM recent AS r
      JOIN webhook_orders AS o USING (order_id) JOIN webhooks AS w USING (webhook_id)
      WHERE w.state = 'active' AND r.seq > w.since_seq AND (w.events IS NULL OR r.type = ANY(w.events))),
    made AS (
      INSERT INTO webhook_deliveries (delivery_id, webhook_id, seq, order_id, type, state,
                                      next_at_ms, created_at_ms)
      SELECT 'd-' || substr(encode(sha256(convert_to(webhook_id || ':' || seq, 'UTF8')), 'hex'), 1, 32),
             webhook_id, seq, order_id, type, 'pending', now_ms(), now_ms()
      FROM wanted WHERE NOT EXISTS (
        SELECT 1 FROM webhook_deliveries AS d
        WHERE d.webhook_id = wanted.webhook_id AND d.seq = wanted.seq)
      ORDER BY seq, webhook_id LIMIT ${limit}
      ON CONFLICT DO NOTHING
      RETURNING webhook_id),
    added_jobs AS (
      INSERT INTO jobs AS old (kind, key, due_at_ms)
      SELECT ${kind}, webhook_id, now_ms() FROM made GROUP BY webhook_id
      ON CONFLICT (kind, key) DO UPDATE SET
        due_at_ms = CASE WHEN old.running THEN old.due_at_ms
                         ELSE least(old.due_at_ms, excluded.due_at_ms) END,
        again_at_ms = CASE WHEN old.running THEN least(old.again_at_ms, excluded.due_at_ms) END),
    moved AS (
      UPDATE webhook_dispatch SET safe_seq = greatest(safe_seq, coalesce(
        (SELECT max(e.seq) FROM events AS e
         WHERE e.seq > (SELECT seq FROM mark) AND e.at_ms < now_ms() - ${OVERLAP_MS}),
        (SELECT seq FROM mark), safe_seq))
      WHERE (SELECT count(*) FROM made) < ${limit}),
    dropped AS (
      DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id FROM webhook_deliveries WHERE created_at_ms < now_ms() - ${KEPT_MS}
        ORDER BY created_at_ms LIMIT ${DROPPED_PER_LOOK} FOR UPDATE SKIP LOCKED))
    SELECT (SELECT count(*) FROM made) AS made,
           EXISTS (SELECT 1 FROM webhooks WHERE state = 'active') AS active`;
}

interface WebhookRow {
  readonly webhook_id: string;
  readonly secret: string;
  readonly url: string;
  readonly owner: EvmAddress | null;
  readonly order_ids: readonly OrderId[];
  readonly events: readonly string[] | null;
  readonly state: StoredWebhook['state'];
  readonly reason: string | null;
  readonly failures: number;
  readonly created_at_ms: string;
}
interface DeliveryRow {
  readonly id: string;
  readonly delivery_id: string;
  readonly seq: string | null;
  readonly order_id: OrderId | null;
  readonly type: string;
  readonly state: Delivery['state'];
  readonly attempts: number;
  readonly next_at_ms: string;
  readonly last_at_ms: string | null;
  readonly last_status: number | null;
  readonly last_error: string | null;
  readonly created_at_ms: string;
}
interface DueRow extends DeliveryRow {
  readonly at_ms: string | null;
  readonly data: JsonObject | null;
  readonly now_ms: string;
}

const webhookOf = (row: WebhookRow): StoredWebhook => ({
  webhookId: row.webhook_id,
  secret: row.secret,
  url: row.url,
  owner: row.owner,
  orderIds: row.order_ids,
  events: row.events,
  state: row.state,
  reason: row.reason,
  failures: row.failures,
  createdAtMs: Number(row.created_at_ms),
});

const deliveryOf = (row: DeliveryRow): Delivery => ({
  id: Number(row.id),
  deliveryId: row.delivery_id,
  seq: row.seq === null ? null : Number(row.seq),
  orderId: row.order_id,
  type: row.type,
  state: row.state,
  attempts: row.attempts,
  nextAtMs: Number(row.next_at_ms),
  lastAtMs: row.last_at_ms === null ? null : Number(row.last_at_ms),
  lastStatus: row.last_status,
  lastError: row.last_error,
  createdAtMs: Number(row.created_at_ms),
});

const dueOf = (row: DueRow): DueDelivery => ({
  ...deliveryOf(row),
  event:
    row.at_ms === null || row.data === null ? null : { atMs: Number(row.at_ms), data: row.data },
});
