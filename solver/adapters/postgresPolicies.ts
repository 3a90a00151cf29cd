// The PolicyStore port on PostgreSQL. As with orders every change is one statement: the row, its
// events, its proposal and its jobs commit together, the row only at the version that was read, and
// on behalf of a job only while its fence holds. Which steps exist is the keeper's business.

import { type RawBuilder, sql } from 'kysely';
import { assert } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { EvmAddress, Hash32, Hex, OrderId, PolicyId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type {
  PolicyEvent,
  PolicyStatus,
  PolicyStep,
  PolicyStore,
  PriceSample,
  ProposalOutcome,
  StoredPolicy,
  StoredProposal,
} from '../types/policyStore.ts';
import {
  type Applied,
  type JobLease,
  LeaseLost,
  type NewEvent,
  type Store,
} from '../types/store.ts';
import { type Database, violatedUnique } from './postgres.ts';
import { heldLease, insertJobs } from './postgresJobs.ts';

const LIST_MAX = 1_000;
/** 640 days of hours for 64 assets. */
const PRICES_MAX = 1_000_000;
const FLOW_MAX = 10_000;
const EVENTS_PER_STEP_MAX = 16;
const JOBS_PER_STEP_MAX = 4;
/** The job kind whose key is a policyId. */
const KEEP_JOB = 'keep';

/**
 * A PolicyStore on a migrated database, beside the Store whose tables it shares. Every method
 * throws Fault `storeUnavailable` (retryable) when the server is gone; whether a write then
 * happened is unknown, and sending the same one again is safe for all of them.
 */
export function createPostgresPolicies(
  database: Database,
  orders: Pick<Store, 'getOrder'>,
): PolicyStore {
  const listeners = new Set<(policyId: PolicyId) => void>();
  const tell = (policyId: PolicyId) => {
    // In a microtask each: what a listener throws is its own defect, never the committed write's.
    for (const listener of [...listeners]) queueMicrotask(() => listener(policyId));
  };
  return {
    async arm(policy, events, jobs) {
      checkSizes(events, jobs);
      const [row] = await database.rows(sql<{ armed: boolean }>`
        WITH moved AS (
          INSERT INTO policies (policy_id, owner, nonce, document, document_hash, expires,
                                signature, status, memory, version, event_count, created_at_ms, updated_at_ms)
          VALUES (${policy.policyId}, ${policy.owner}, ${policy.nonce},
                  ${JSON.stringify(policy.document)}, ${policy.documentHash}, ${policy.expires},
                  ${policy.signature}, ${policy.status}, ${JSON.stringify(policy.memory)}, 1,
                  ${events.length}, now_ms(), now_ms())
          ON CONFLICT DO NOTHING RETURNING policy_id, event_count),
        added_events AS (${insertEvents(events)}),
        added_jobs AS (${insertJobs(jobs)})
        SELECT EXISTS (SELECT 1 FROM moved) AS armed`);
      if (row?.armed === true) {
        tell(policy.policyId);
        return 'applied';
      }
      const [same] = await database.rows(sql`
        SELECT 1 FROM policies WHERE policy_id = ${policy.policyId}`);
      return same === undefined ? 'nonceUsed' : 'alreadyApplied';
    },
    async getPolicy(policyId) {
      const [row] = await database.rows(sql<PolicyRow>`
        SELECT * FROM policies WHERE policy_id = ${policyId}`);
      return row === undefined ? null : policyOf(row);
    },
    async listPolicies({ owner, statuses, limit }) {
      const rows = await database.rows(sql<PolicyRow>`
        SELECT * FROM policies
        WHERE (${owner ?? null}::text IS NULL OR owner = ${owner ?? null})
          AND (${statuses ?? null}::text[] IS NULL OR status = ANY(${statuses ?? null}))
        ORDER BY created_at_ms DESC, policy_id LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(policyOf);
    },
    async applyStep(step, lease) {
      checkSizes(step.events, step.jobs ?? []);
      const [row] = await database.rows(stepStatement(step, lease)).catch((error: unknown) => {
        if (violatedUnique(error) !== 'proposals_live_owner') throw error;
        const message = `another policy of the owner of ${step.policyId} has a live proposal`;
        throw new Fault(message, { code: 'stateConflict', cause: error });
      });
      if (row?.applied !== true)
        return explainNotApplied(database, step, lease, row?.held === true);
      if (step.events.length > 0) tell(step.policyId);
      return 'applied';
    },
    async policyEvents(policyId, afterSeq, limit) {
      const rows = await database.rows(sql<EventRow>`
        SELECT * FROM policy_events WHERE policy_id = ${policyId} AND seq > ${afterSeq}
        ORDER BY seq LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(eventOf);
    },
    onPolicyEvents(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async proposals(policyId, limit) {
      const rows = await database.rows(sql<ProposalRow>`
        SELECT * FROM proposals WHERE policy_id = ${policyId}
        ORDER BY (outcome IS NULL) DESC, created_at_ms DESC, quote_id
        LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(proposalOf);
    },
    async orderOfQuote(quoteId) {
      const [row] = await database.rows(sql<{ order_id: OrderId }>`
        SELECT order_id FROM orders WHERE quote_id = ${quoteId}
        ORDER BY created_at_ms LIMIT 1`);
      return row === undefined ? null : orders.getOrder(row.order_id);
    },
    async isPrivateQuote(quoteId) {
      const [row] = await database.rows(sql`
        SELECT 1 FROM proposals JOIN policies USING (policy_id)
        WHERE quote_id = ${quoteId} AND coalesce(document->>'privacy', 'public') <> 'public'`);
      return row !== undefined;
    },
    async privateQuotes(quoteIds) {
      if (quoteIds.length === 0) return new Set();
      const rows = await database.rows(sql<{ quote_id: string }>`
        SELECT quote_id FROM proposals JOIN policies USING (policy_id)
        WHERE quote_id = ANY(${quoteIds})
          AND coalesce(document->>'privacy', 'public') <> 'public'`);
      return new Set(rows.map(({ quote_id: id }) => id));
    },
    async recentProposals(sinceMs) {
      const rows = await database.rows(sql<Pick<ProposalRow, 'created_at_ms' | 'expected'>>`
        SELECT created_at_ms, expected FROM proposals
        WHERE created_at_ms >= ${sinceMs}::bigint AND (outcome IS NULL OR outcome = 'committed')
        ORDER BY created_at_ms DESC LIMIT ${FLOW_MAX}`);
      return rows.map(({ created_at_ms, expected }) => {
        return { createdAtMs: Number(created_at_ms), expected };
      });
    },
    async wakeOwner(owner) {
      await database.rows(sql`
        UPDATE jobs SET
          due_at_ms = CASE WHEN running THEN due_at_ms ELSE least(due_at_ms, now_ms()) END,
          again_at_ms = CASE WHEN running THEN least(again_at_ms, now_ms()) END
        WHERE kind = ${KEEP_JOB}
          AND key IN (SELECT policy_id FROM policies WHERE owner = ${owner})`);
    },
    async reviveJobs() {
      const revived = await database.rows(sql`
        INSERT INTO jobs (kind, key, due_at_ms)
        SELECT ${KEEP_JOB}, policy_id, now_ms() FROM policies
        WHERE status NOT IN ('revoked', 'expired')
        ON CONFLICT DO NOTHING
        RETURNING key`);
      return revived.length;
    },
    async recordPrices(periodSeconds, samples, keepFrom) {
      await database.rows(sql`
        WITH dropped AS (
          DELETE FROM price_samples
          WHERE period_seconds = ${periodSeconds} AND bucket < ${keepFrom}
            AND asset = ANY(${samples.map(({ asset }) => asset)}))
        INSERT INTO price_samples (period_seconds, asset, bucket, price)
        SELECT ${periodSeconds}, s.asset, s.bucket, s.price
        FROM unnest(${samples.map(({ asset }) => asset)}::text[],
                    ${samples.map(({ bucket }) => bucket)}::bigint[],
                    ${samples.map(({ price }) => price)}::double precision[])
          AS s (asset, bucket, price)
        WHERE s.bucket >= ${keepFrom}
        ON CONFLICT (period_seconds, asset, bucket) DO UPDATE SET price = excluded.price`);
    },
    async prices(periodSeconds, assets, since) {
      const rows = await database.rows(sql<PriceRow>`
        SELECT asset, bucket, price FROM price_samples
        WHERE period_seconds = ${periodSeconds} AND asset = ANY(${assets}) AND bucket >= ${since}
        ORDER BY bucket, asset LIMIT ${PRICES_MAX}`);
      return rows.map(({ asset, bucket, price }): PriceSample => {
        return { asset, bucket: Number(bucket), price };
      });
    },
  };
}

function checkSizes(events: readonly NewEvent[], jobs: readonly unknown[]) {
  assert(events.length <= EVENTS_PER_STEP_MAX, `${events.length} events in one step`);
  assert(jobs.length <= JOBS_PER_STEP_MAX, `${jobs.length} jobs in one step`);
}

/**
 * The live proposal is closed and the next one made in two parts of one statement, which see the
 * same snapshot: a step that did both would meet the unique index, so it is refused here.
 */
function stepStatement(step: PolicyStep, lease: JobLease | null) {
  const { policyId, version, from, to, memory, events, propose, close, jobs } = step;
  assert(
    propose === undefined || close === undefined,
    'a step closes or opens a proposal, not both',
  );
  return sql<{ applied: boolean; held: boolean }>`
    WITH held AS MATERIALIZED (${heldLease(lease)}),
    moved AS (
      UPDATE policies SET
        status = ${to},
        memory = coalesce(${memory === undefined ? null : JSON.stringify(memory)}::jsonb, memory),
        version = version + 1,
        event_count = event_count + ${events.length},
        updated_at_ms = now_ms()
      WHERE policy_id = ${policyId} AND status = ${from} AND version = ${version}
        AND EXISTS (SELECT 1 FROM held)
      RETURNING policy_id, owner, event_count),
    added_events AS (${insertEvents(events)}),
    proposed AS (${propose === undefined ? sql`SELECT 1` : insertProposal(propose)}),
    closed AS (${close === undefined ? sql`SELECT 1` : closeProposal(close)}),
    added_jobs AS (${insertJobs(jobs ?? [])})
    SELECT EXISTS (SELECT 1 FROM moved) AS applied, EXISTS (SELECT 1 FROM held) AS held`;
}

/** Reads `moved`, whose event_count already counts these events. */
function insertEvents(events: readonly NewEvent[]): RawBuilder<unknown> {
  const types = events.map((event) => event.type);
  const data = events.map((event) => JSON.stringify(event.data));
  return sql`
    INSERT INTO policy_events (policy_id, number, at_ms, type, data)
    SELECT moved.policy_id, moved.event_count - ${events.length} + event.at, now_ms(), event.type,
           event.data::json
    FROM moved, unnest(${types}::text[], ${data}::text[]) WITH ORDINALITY AS event (type, data, at)
    ORDER BY event.at`;
}

function insertProposal(propose: NonNullable<PolicyStep['propose']>): RawBuilder<unknown> {
  const { quoteId, validUntilMs, response, expected } = propose;
  return sql`
    INSERT INTO proposals (quote_id, policy_id, owner, created_at_ms, valid_until_ms, response, expected)
    SELECT ${quoteId}, moved.policy_id, moved.owner, now_ms(), ${validUntilMs},
           ${JSON.stringify(response)}::json, ${JSON.stringify(expected)}::json
    FROM moved`;
}

/** An expired proposal whose order came in late after all may still become `committed`. */
function closeProposal(close: NonNullable<PolicyStep['close']>): RawBuilder<unknown> {
  return sql`
    UPDATE proposals SET outcome = ${close.outcome}, order_id = ${close.orderId}
    FROM moved
    WHERE proposals.policy_id = moved.policy_id AND quote_id = ${close.quoteId}
      AND outcome IS DISTINCT FROM 'committed'`;
}

async function explainNotApplied(
  database: Database,
  { policyId, version, from, to }: PolicyStep,
  lease: JobLease | null,
  held: boolean,
): Promise<Applied> {
  if (!held) {
    assert(lease !== null, 'a write without a lease cannot lose it');
    throw new LeaseLost(`lease ${lease.fence} of job ${lease.kind}/${lease.key} was lost`);
  }
  const [row] = await database.rows(sql<{ status: PolicyStatus; version: number }>`
    SELECT status, version FROM policies WHERE policy_id = ${policyId}`);
  assert(row !== undefined, `step ${from} → ${to}: no policy ${policyId}`);
  if (row.status === to && row.version === version + 1) return 'alreadyApplied';
  throw new Fault(
    `policy ${policyId} is ${row.status} at version ${row.version}, ` +
      `so ${from} → ${to} at ${version} does not apply`,
    { code: 'stateConflict' },
  );
}

// bigint columns arrive as decimal strings; times and sequence numbers are far below 2^53.

interface PolicyRow {
  readonly policy_id: PolicyId;
  readonly owner: EvmAddress;
  readonly nonce: string;
  readonly document: JsonObject;
  readonly document_hash: Hash32;
  readonly expires: string;
  readonly signature: Hex;
  readonly status: PolicyStatus;
  readonly memory: JsonObject;
  readonly version: number;
  readonly event_count: number;
  readonly created_at_ms: string;
  readonly updated_at_ms: string;
}
interface EventRow {
  readonly seq: string;
  readonly policy_id: PolicyId;
  readonly number: number;
  readonly at_ms: string;
  readonly type: string;
  readonly data: JsonObject;
}
interface ProposalRow {
  readonly quote_id: string;
  readonly policy_id: PolicyId;
  readonly created_at_ms: string;
  readonly valid_until_ms: string;
  readonly response: JsonObject;
  readonly expected: JsonObject;
  readonly outcome: ProposalOutcome | null;
  readonly order_id: OrderId | null;
}
interface PriceRow {
  readonly asset: string;
  readonly bucket: string;
  readonly price: number;
}

const policyOf = (row: PolicyRow): StoredPolicy => ({
  policyId: row.policy_id,
  owner: row.owner,
  nonce: row.nonce,
  document: row.document,
  documentHash: row.document_hash,
  expires: Number(row.expires),
  signature: row.signature,
  status: row.status,
  memory: row.memory,
  version: row.version,
  eventCount: row.event_count,
  createdAtMs: Number(row.created_at_ms),
  updatedAtMs: Number(row.updated_at_ms),
});

const eventOf = (row: EventRow): PolicyEvent => ({
  seq: Number(row.seq),
  policyId: row.policy_id,
  number: row.number,
  atMs: Number(row.at_ms),
  type: row.type,
  data: row.data,
});

const proposalOf = (row: ProposalRow): StoredProposal => ({
  quoteId: row.quote_id,
  policyId: row.policy_id,
  createdAtMs: Number(row.created_at_ms),
  validUntilMs: Number(row.valid_until_ms),
  response: row.response,
  expected: row.expected,
  outcome: row.outcome,
  orderId: row.order_id,
});
