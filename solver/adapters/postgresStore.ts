// The Store port on PostgreSQL. Every change is one statement, so that a state change, its events
// and its jobs commit together in one round trip; with a lease, the same statement locks the job's
// row and compares the fence, so nothing a stale worker sends can match. Refuses to interpret: which
// transitions exist is settlement's business.

import { type RawBuilder, sql } from 'kysely';
import { assert } from '../types/assert.ts';
import type { AwardOutcome } from '../types/auction.ts';
import { Fault } from '../types/errors.ts';
import type { OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import {
  type Applied,
  type JobLease,
  LeaseLost,
  type NewEvent,
  type NewJob,
  type OrderEvent,
  type OrderState,
  type Store,
  type Transition,
} from '../types/store.ts';
import type { Database } from './postgres.ts';
import { createPostgresAdmissions, type OrderRow, orderOf } from './postgresAdmission.ts';
import { createHints } from './postgresHints.ts';
import { createPostgresJobs, heldLease, insertJobs } from './postgresJobs.ts';
import { createPostgresQuotes } from './postgresQuotes.ts';

const LIST_MAX = 1_000;
const EVENTS_PER_WRITE_MAX = 100;
const JOBS_PER_WRITE_MAX = 100;

/**
 * A Store on a migrated database. `close` ends its listener and the database's pool. Every method
 * throws Fault `storeUnavailable` (retryable) when the server is gone; whether a write then happened
 * is unknown, and asking again is safe for all of them but appendEvents, which may repeat an event.
 */
export function createPostgresStore(database: Database, hints = createHints(database)): Store {
  const applyTransition: Store['applyTransition'] = async (transition, lease) => {
    checkSizes(transition.events, transition.jobs ?? []);
    const [row] = await database.rows(transitionStatement(transition, lease));
    if (row?.applied !== true) {
      return explainNotApplied(database, transition, lease, row?.held === true);
    }
    if (transition.events.length > 0) hints.eventsAdded(transition.orderId);
    if ((transition.jobs ?? []).length > 0) hints.jobsAdded();
    if (transition.outcome !== undefined) hints.marketAdded();
    return 'applied';
  };

  const admissions = createPostgresAdmissions(database);
  return {
    ...createPostgresQuotes(database),
    ...admissions,

    async admitOrder(order, events, jobs) {
      checkSizes(events, jobs);
      const admitted = await admissions.admitOrder(order, events, jobs);
      if (admitted.outcome === 'applied') {
        hints.eventsAdded(order.orderId);
        hints.jobsAdded();
      }
      return admitted;
    },
    async listOrders({ owner, states, before, limit }) {
      const rows = await database.rows(sql<OrderRow>`
        SELECT * FROM orders
        WHERE (${owner ?? null}::text IS NULL OR owner = ${owner ?? null})
          AND (${states ?? null}::text[] IS NULL OR state = ANY(${states ?? null}))
          AND (${before?.createdAtMs ?? null}::bigint IS NULL
            OR (created_at_ms, order_id) < (${before?.createdAtMs ?? null},
                                            ${before?.orderId ?? null}))
        ORDER BY created_at_ms DESC, order_id DESC LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(orderOf);
    },
    applyTransition,
    async appendEvents(orderId, events, lease, facts) {
      checkSizes(events, []);
      const [row] = await database.rows(appendStatement(orderId, events, lease, facts ?? {}));
      if (row?.held !== true) throw leaseLost(lease);
      assert(row.appended, `appendEvents: no order ${orderId}`);
      if (events.length > 0) hints.eventsAdded(orderId);
    },
    async events(orderId, afterSeq, limit) {
      const rows = await database.rows(sql<EventRow>`
        SELECT seq, order_id, at_ms, type, data FROM events
        WHERE order_id = ${orderId} AND seq > ${afterSeq}
        ORDER BY seq LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(eventOf);
    },
    onEvents: hints.onEvents,
    onJobs: hints.onJobs,
    ...createPostgresJobs(database),

    async ping() {
      await database.rows(sql`SELECT 1`);
    },
    async close() {
      await hints.close();
      await database.close();
    },
  };
}

function checkSizes(events: readonly NewEvent[], jobs: readonly NewJob[]) {
  assert(events.length <= EVENTS_PER_WRITE_MAX, `${events.length} events in one write`);
  assert(jobs.length <= JOBS_PER_WRITE_MAX, `${jobs.length} jobs in one write`);
}

/** Also what postgresAuctions.ts moves its orders with, inside its own transaction. */
export function transitionStatement(transition: Transition, lease: JobLease | null) {
  const { orderId, from, to, reason, award, facts, events, jobs, outcome } = transition;
  return sql<{ applied: boolean; held: boolean }>`
    WITH held AS MATERIALIZED (${heldLease(lease)}),
    moved AS (
      UPDATE orders SET
        state = ${to},
        reason = CASE WHEN ${reason === undefined}::boolean THEN reason
                      ELSE ${reason ?? null}::text END,
        award = CASE WHEN ${award === undefined}::boolean THEN award
                     ELSE ${award ? JSON.stringify(award) : null}::json END,
        facts = facts || ${JSON.stringify(facts ?? {})}::jsonb,
        version = version + 1,
        updated_at_ms = now_ms()
      WHERE order_id = ${orderId} AND state = ${from} AND EXISTS (SELECT 1 FROM held)
      RETURNING order_id),
    added_events AS (${insertEvents(events)}),
    added_jobs AS (${insertJobs(jobs ?? [])})
    ${outcome === undefined ? sql`` : awardOutcome(outcome)}
    SELECT EXISTS (SELECT 1 FROM moved) AS applied, EXISTS (SELECT 1 FROM held) AS held`;
}

/** Closes the order's open award, if it has one, and tells its filler. Reads `moved`. */
function awardOutcome(outcome: AwardOutcome): RawBuilder<unknown> {
  return sql`,
    judged AS (
      UPDATE awards SET outcome = ${outcome}, outcome_at_ms = now_ms() FROM moved
      WHERE awards.order_id = moved.order_id AND awards.outcome IS NULL
      RETURNING awards.order_id, awards.auction, awards.filler),
    told AS (
      INSERT INTO market_events (auction_id, to_filler, at_ms, type, data)
      SELECT auctions.auction_id, judged.filler, now_ms(), 'award.outcome',
             json_build_object('auctionId', auctions.auction_id, 'orderId', judged.order_id,
                               'outcome', ${outcome}::text)
      FROM judged JOIN auctions ON auctions.id = judged.auction)`;
}

/** The order's row is locked even without facts: its events' numbers then rise as they commit. */
function appendStatement(
  orderId: OrderId,
  events: readonly NewEvent[],
  lease: JobLease | null,
  facts: JsonObject,
) {
  return sql<{ appended: boolean; held: boolean }>`
    WITH held AS MATERIALIZED (${heldLease(lease)}),
    moved AS (
      UPDATE orders SET facts = facts || ${JSON.stringify(facts)}::jsonb, updated_at_ms = now_ms()
      WHERE order_id = ${orderId} AND EXISTS (SELECT 1 FROM held)
      RETURNING order_id),
    added_events AS (${insertEvents(events)})
    SELECT EXISTS (SELECT 1 FROM moved) AS appended, EXISTS (SELECT 1 FROM held) AS held`;
}

/** Reads `moved`, so that a row's lock is taken before its events get their numbers. */
function insertEvents(events: readonly NewEvent[]): RawBuilder<unknown> {
  const types = events.map((event) => event.type);
  const data = events.map((event) => JSON.stringify(event.data));
  return sql`
    INSERT INTO events (order_id, at_ms, type, data)
    SELECT moved.order_id, now_ms(), event.type, event.data::json
    FROM moved, unnest(${types}::text[], ${data}::text[]) WITH ORDINALITY AS event (type, data, at)
    ORDER BY event.at`;
}

async function explainNotApplied(
  database: Database,
  { orderId, from, to }: Transition,
  lease: JobLease | null,
  held: boolean,
): Promise<Applied> {
  if (!held) throw leaseLost(lease);
  const [row] = await database.rows(sql<{ state: OrderState }>`
    SELECT state FROM orders WHERE order_id = ${orderId}`);
  assert(row !== undefined, `transition ${from} → ${to}: no order ${orderId}`);
  if (row.state === to) return 'alreadyApplied';
  throw new Fault(`order ${orderId} is ${row.state}, so ${from} → ${to} does not apply`, {
    code: 'stateConflict',
  });
}

function leaseLost(lease: JobLease | null): Error {
  assert(lease !== null, 'a write without a lease cannot lose it');
  return new LeaseLost(`lease ${lease.fence} of job ${lease.kind}/${lease.key} was lost`);
}

// bigint columns arrive as decimal strings; times and sequence numbers are far below 2^53.

interface EventRow {
  readonly seq: string;
  readonly order_id: OrderId;
  readonly at_ms: string;
  readonly type: string;
  readonly data: JsonObject;
}

const eventOf = (row: EventRow): OrderEvent => ({
  seq: Number(row.seq),
  orderId: row.order_id,
  atMs: Number(row.at_ms),
  type: row.type,
  data: row.data,
});
