// Admission on PostgreSQL: what is asked of a quote, and the write that makes orders of it. Orders that
// come at the same time are rows of one statement and one commit; each has its own outcome. The invariant,
// held by orders_owner_nonce: one row per (owner, nonce). An order counts as admitted only once it is
// durable, and its quote with it: the statement reads the quote it names, and the log is written in order
// (postgresQuotes.ts). Judges no order.

import { assert, present } from '../types/assert.ts';
import type { EvmAddress, Hex, OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type {
  Admitted,
  NewEvent,
  NewJob,
  NewOrder,
  OrderState,
  QuoteToAdmit,
  SignatureKind,
  Store,
  StoredOrder,
} from '../types/store.ts';
import { gathering } from './gathering.ts';
import type { Database, Prepared } from './postgres.ts';
import { JOB_ASKED_AGAIN } from './postgresJobs.ts';

/** Orders in one statement, and statements of a kind at one time. */
const GATHERED = { itemsMax: 32, runsMax: 2 };

interface Admission {
  readonly order: NewOrder;
  readonly events: readonly NewEvent[];
  readonly jobs: readonly NewJob[];
}

export type Admissions = Pick<Store, 'quoteToAdmit' | 'getOrder' | 'admitOrder'>;

export function createPostgresAdmissions(database: Database): Admissions {
  const find = async (ids: readonly OrderId[]) => {
    const rows = await database.prepared<OrderRow>(ORDERS, [JSON.stringify(ids)]);
    return new Map(rows.map((row) => [row.order_id, orderOf(row)]));
  };
  const getOrder = gathering(async (ids: readonly OrderId[]) => {
    const found = await find(ids);
    return ids.map((id) => found.get(id) ?? null);
  }, GATHERED);
  const quoteToAdmit = gathering(async (ids: readonly string[]) => {
    const rows = await database.prepared<QuoteRow>(QUOTES, [JSON.stringify(ids)]);
    const found = new Map(rows.map((row) => [row.asked, quoteOf(row)]));
    return ids.map((id) => found.get(id) ?? null);
  }, GATHERED);
  const admit = gathering(
    (admissions: readonly Admission[]) => admitAll(database, find, admissions),
    GATHERED,
  );
  return {
    quoteToAdmit,
    getOrder,
    admitOrder: (order, events, jobs) => admit({ order, events, jobs }),
  };
}

/** Of the same order several times at once the first is the one that may be applied. */
async function admitAll(
  database: Database,
  find: (ids: readonly OrderId[]) => Promise<ReadonlyMap<OrderId, StoredOrder>>,
  admissions: readonly Admission[],
): Promise<readonly Admitted[]> {
  const firsts = new Map<OrderId, Admission>();
  for (const one of admissions) {
    if (!firsts.has(one.order.orderId)) firsts.set(one.order.orderId, one);
  }
  const rows = await database.prepared<AdmittedRow>(ADMIT, [textOf([...firsts.values()])]);
  const made = new Map(rows.flatMap((row) => (row.owner === null ? [] : [[row.order_id, row]])));
  const quoted = new Map(rows.map((row) => [row.order_id, row.quoted]));
  // ON CONFLICT waited for the other's commit, so a statement that begins now sees its row.
  const others = [...firsts.keys()].filter((id) => !made.has(id));
  const found = others.length === 0 ? null : await find(others);
  return admissions.map((one): Admitted => {
    const { order } = one;
    const row = made.get(order.orderId);
    if (row === undefined) {
      const same = found?.get(order.orderId);
      if (same !== undefined) return { outcome: 'alreadyApplied', order: same };
      return { outcome: quoted.get(order.orderId) === true ? 'nonceUsed' : 'quoteGone' };
    }
    const first = present(firsts.get(order.orderId), 'the order that was written');
    assert(row.owner === order.owner && row.nonce === order.nonce, 'an order has one nonce');
    return {
      outcome: first === one ? 'applied' : 'alreadyApplied',
      order: {
        ...first.order,
        version: 1,
        createdAtMs: Number(row.created_at_ms),
        updatedAtMs: Number(row.updated_at_ms),
      },
    };
  });
}

/** The rows as one JSON text, which PostgreSQL takes apart; documents keep their own text. */
const textOf = (admissions: readonly Admission[]): string =>
  JSON.stringify(
    admissions.map(({ order, events, jobs }, at) => ({
      at,
      order_id: order.orderId,
      quote_id: order.quoteId,
      owner: order.owner,
      nonce: order.nonce,
      state: order.state,
      reason: order.reason,
      order_json: order.order,
      owner_signature: order.ownerSignature,
      signature_kind: order.signatureKind,
      award: order.award,
      facts: order.facts,
      events,
      jobs: jobs.map(({ kind, key, runAtMs }) => ({ kind, key, due: Math.round(runAtMs) })),
    })),
  );

/**
 * In the order of (owner, nonce), and jobs by name: of two statements that meet in the same rows one
 * waits for the other, and never both. Of rivals for a nonce the first that came is taken. Events are
 * numbered after all rows are locked. An order whose quote is gone is not written: the server may have
 * been killed, and the quote forgotten, since admission read it. OFFSET 0 keeps that a look-up.
 */
const ADMIT: Prepared = {
  name: 'trimtab-admit',
  text: `
    WITH given AS MATERIALIZED (
      SELECT given.*, quote_id IS NULL OR EXISTS (
        SELECT FROM quotes WHERE quotes.quote_id = given.quote_id OFFSET 0) AS quoted
      FROM json_to_recordset($1::json) AS given (
        at integer, order_id text, quote_id text, owner text, nonce text, state text, reason text,
        order_json json, owner_signature text, signature_kind text, award json, facts jsonb,
        events json, jobs json)),
    moved AS (
      INSERT INTO orders (order_id, quote_id, owner, nonce, state, reason, order_json,
                          owner_signature, signature_kind, award, facts, version, created_at_ms,
                          updated_at_ms)
      SELECT order_id, quote_id, owner, nonce, state, reason, order_json, owner_signature,
             signature_kind, award, facts, 1, now_ms(), now_ms()
      FROM given WHERE quoted ORDER BY owner, nonce, at
      ON CONFLICT DO NOTHING RETURNING order_id, owner, nonce, created_at_ms, updated_at_ms),
    added_events AS (
      INSERT INTO events (order_id, at_ms, type, data)
      SELECT order_id, now_ms(), event.value->>'type', event.value->'data'
      FROM moved JOIN given USING (order_id),
        json_array_elements(given.events) WITH ORDINALITY AS event (value, at)
      ORDER BY order_id, event.at),
    added_jobs AS (
      INSERT INTO jobs AS old (kind, key, due_at_ms)
      SELECT job.kind, job.key, min(job.due) FROM moved JOIN given USING (order_id),
        json_to_recordset(given.jobs) AS job (kind text, key text, due bigint)
      GROUP BY job.kind, job.key ORDER BY job.kind, job.key
      ${JOB_ASKED_AGAIN})
    SELECT order_id, quoted, moved.owner, moved.nonce, created_at_ms, updated_at_ms
    FROM given LEFT JOIN moved USING (order_id)`,
};

const COLUMNS = [
  ...['order_id', 'quote_id', 'owner', 'nonce', 'state', 'reason', 'order_json'],
  ...['owner_signature', 'signature_kind', 'award', 'facts', 'version', 'created_at_ms'],
  'updated_at_ms',
]
  .map((name) => `orders.${name}`)
  .join(', ');

// Lists come as JSON and rows are looked up one by one, by LIMIT: a list as an array is planned anew with
// each statement, since its length would make a better plan, and a join may be planned as a scan while
// the table is small, and stay one while it grows.

const ORDERS: Prepared = {
  name: 'trimtab-orders-by-id',
  text: `
    SELECT ${COLUMNS} FROM json_array_elements_text($1::json) AS asked (id) CROSS JOIN LATERAL (
      SELECT * FROM orders WHERE order_id = asked.id LIMIT 1) AS orders`,
};

/**
 * A quoted order's id is a hash of it; its owner and nonce find the same row. Of the indexes that have the
 * owner only orders_owner_nonce gives the order asked for, so it is taken in an empty database too.
 */
const QUOTES: Prepared = {
  name: 'trimtab-quotes-by-id',
  text: `
    SELECT asked.id AS asked, valid_until_ms, quotes.order_json AS offered, quoted_amounts, ${COLUMNS}
    FROM json_array_elements_text($1::json) AS asked (id) CROSS JOIN LATERAL (
      SELECT valid_until_ms, order_json, quoted_amounts,
             lower(order_json->>'owner') AS by, order_json->>'nonce' AS once
      FROM quotes WHERE quote_id = asked.id LIMIT 1) AS quotes
    LEFT JOIN LATERAL (
      SELECT * FROM orders WHERE owner = quotes.by AND nonce BETWEEN quotes.once AND quotes.once
      ORDER BY nonce LIMIT 1) AS orders ON true`,
};

// bigint columns arrive as decimal strings; times are far below 2^53.

interface AdmittedRow {
  readonly order_id: OrderId;
  /** Its quote is there, or it names none. */
  readonly quoted: boolean;
  /** Null: no row was made. */
  readonly owner: EvmAddress | null;
  readonly nonce: string;
  readonly created_at_ms: string;
  readonly updated_at_ms: string;
}
export interface OrderRow {
  readonly order_id: OrderId;
  readonly owner: EvmAddress;
  readonly nonce: string;
  readonly created_at_ms: string;
  readonly updated_at_ms: string;
  readonly quote_id: string | null;
  readonly state: OrderState;
  readonly reason: string | null;
  readonly order_json: JsonObject;
  readonly owner_signature: Hex;
  readonly signature_kind: SignatureKind;
  readonly award: JsonObject | null;
  readonly facts: JsonObject;
  readonly version: number;
}
interface QuoteRow extends Omit<OrderRow, 'order_id'> {
  readonly asked: string;
  readonly valid_until_ms: string;
  readonly offered: JsonObject;
  readonly quoted_amounts: readonly string[];
  /** Null: nothing was admitted yet. */
  readonly order_id: OrderId | null;
}

const quoteOf = ({ order_id, ...row }: QuoteRow): QuoteToAdmit => ({
  terms: {
    quoteId: row.asked,
    validUntilMs: Number(row.valid_until_ms),
    order: row.offered,
    quotedAmounts: row.quoted_amounts,
  },
  order: order_id === null ? null : orderOf({ ...row, order_id }),
});

export const orderOf = (row: OrderRow): StoredOrder => ({
  orderId: row.order_id,
  quoteId: row.quote_id,
  owner: row.owner,
  nonce: row.nonce,
  state: row.state,
  reason: row.reason,
  order: row.order_json,
  ownerSignature: row.owner_signature,
  signatureKind: row.signature_kind,
  award: row.award,
  facts: row.facts,
  version: row.version,
  createdAtMs: Number(row.created_at_ms),
  updatedAtMs: Number(row.updated_at_ms),
});
