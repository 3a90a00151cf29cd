// Quotes on PostgreSQL. What the quotes of a block share is written once; the rows of quotes that come at
// the same time go in one statement. Drops quotes nobody ordered, and snapshots no quote names.
//
// A quote is answered once its row is committed, before that commit is on disk: PostgreSQL writes it
// there within three wal_writer_delay (0.6 s). A crash of our process loses nothing; one of the database
// itself may forget quotes of that last moment, and whoever submits one is told to ask again. The log is
// written in order, so whatever commits synchronously after it has read a quote (the order that names it,
// a policy's proposal, the answer kept under an idempotency key) takes the quote to disk with it: an
// admitted order never lacks its quote, on a standby neither. Snapshots are written synchronously: this
// process trusts one for an hour, and must not after a crash that forgot it.

import { sql } from 'kysely';
import { jsonTextOf } from '../market/jsonText.ts';
import { present } from '../types/assert.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { QuoteTerms, Store, StoredQuote } from '../types/store.ts';
import { gathering } from './gathering.ts';
import type { Database, Prepared } from './postgres.ts';

/**
 * Quotes nobody ordered are dropped this long after they expired: with the first write of a process, then,
 * where one is due, once per so many quotes, up to this many for each of them.
 */
const QUOTE_KEPT_MS = 24 * 3_600_000;
const QUOTES_PER_DROP = 64;
const DROPPED_PER_QUOTE = 4;
/** A snapshot this process wrote or touched is taken to be there for this long. */
const SNAPSHOT_TRUSTED_MS = 3_600_000;
/** Without a quote that names it a snapshot is dropped: long after anyone may still trust it. */
const SNAPSHOT_KEPT_MS = QUOTE_KEPT_MS + 6 * SNAPSHOT_TRUSTED_MS;
const SNAPSHOTS_TRUSTED_MAX = 256;
/** Quotes in one statement; the next waits for it, so that more go together under load. */
const GATHERED = { itemsMax: 16, runsMax: 1 };

type Quotes = Pick<Store, 'putQuote' | 'getQuote' | 'getQuoteTerms' | 'quoteOfOrder'>;

export function createPostgresQuotes(database: Database): Quotes {
  const snapshots = trustedSnapshots(database);
  const drop = dropping(database);
  const put = gathering(async (quotes: readonly StoredQuote[]) => {
    const [written] = await Promise.all([
      database.prepared(insertOf(quotes.length), quotes.flatMap(valuesOf)),
      drop(quotes),
    ]);
    return quotes.map(() => written);
  }, GATHERED);
  return {
    async putQuote(quote) {
      if (quote.problemText !== undefined) await snapshots(quote.problemText, quote.createdAtMs);
      await put(quote);
    },
    async getQuote(quoteId) {
      const [row] = await database.rows(sql<QuoteRow>`
        SELECT quote_id, created_at_ms, valid_until_ms, order_json, quoted_amounts, response, result,
               coalesce(problem, head || objective || tail) AS problem
        FROM quotes LEFT JOIN quote_snapshots USING (snapshot_id) WHERE quote_id = ${quoteId}`);
      return row === undefined ? null : quoteOf(row);
    },
    async getQuoteTerms(quoteId) {
      const [row] = await database.rows(sql<TermsRow>`
        SELECT quote_id, valid_until_ms, order_json, quoted_amounts FROM quotes
        WHERE quote_id = ${quoteId}`);
      return row === undefined ? null : termsOf(row);
    },
    async quoteOfOrder(owner: EvmAddress, nonce: string) {
      const [row] = await database.rows(sql<TermsRow>`
        SELECT quote_id, valid_until_ms, order_json, quoted_amounts FROM quotes
        WHERE order_json->>'owner' = ${owner} AND order_json->>'nonce' = ${nonce}
        ORDER BY created_at_ms DESC, quote_id LIMIT 1`);
      return row === undefined ? null : termsOf(row);
    },
  };
}

/** Writes a snapshot unless this process lately did; callers of one wait for the same write. */
function trustedSnapshots(database: Database) {
  const trusted = new Map<string, { readonly untilMs: number; readonly write: Promise<unknown> }>();
  return async (
    { shared, head, tail }: NonNullable<StoredQuote['problemText']>,
    nowMs: number,
  ): Promise<void> => {
    let known = trusted.get(shared);
    if (known === undefined || known.untilMs <= nowMs) {
      const entry = {
        untilMs: nowMs + SNAPSHOT_TRUSTED_MS,
        write: database.rows(insertSnapshot(shared, head, tail)),
      };
      known = entry;
      trusted.delete(shared);
      trusted.set(shared, entry);
      for (const oldest of trusted.keys()) {
        if (trusted.size <= SNAPSHOTS_TRUSTED_MAX) break;
        trusted.delete(oldest);
      }
      entry.write.catch(() => {
        if (trusted.get(shared) === entry) trusted.delete(shared);
      });
    }
    await known.write;
  };
}

const insertSnapshot = (id: string, head: string, tail: string) => sql`
  WITH dropped AS (
    DELETE FROM quote_snapshots WHERE snapshot_id IN (
      SELECT snapshot_id FROM quote_snapshots
      WHERE used_at_ms < now_ms() - ${SNAPSHOT_KEPT_MS} AND snapshot_id <> ${id}
        AND NOT EXISTS (
          SELECT 1 FROM quotes WHERE quotes.snapshot_id = quote_snapshots.snapshot_id)
      ORDER BY used_at_ms LIMIT ${DROPPED_PER_QUOTE} FOR UPDATE SKIP LOCKED))
  INSERT INTO quote_snapshots (snapshot_id, head, tail, used_at_ms)
  VALUES (${id}, ${head}, ${tail}, now_ms())
  ON CONFLICT (snapshot_id) DO UPDATE SET used_at_ms = now_ms()`;

/** SET LOCAL, within the one statement that is the whole transaction. */
const LAZILY = "set_config('synchronous_commit', 'off', true)";

const COLUMNS = [
  ...['quote_id', 'created_at_ms', 'valid_until_ms', 'order_json', 'quoted_amounts'],
  ...['problem', 'snapshot_id', 'objective', 'result', 'response'],
];

/** One statement per number of rows, each parsed and planned once per connection. */
const inserts = new Map<number, Prepared>();
function insertOf(rows: number): Prepared {
  const known = inserts.get(rows);
  if (known !== undefined) return known;
  const row = (at: number) => `(${COLUMNS.map((_, i) => `$${at * COLUMNS.length + i + 1}`)})`;
  const made = {
    name: `trimtab-quotes-${rows}`,
    text: `
      INSERT INTO quotes (${COLUMNS}) VALUES ${Array.from({ length: rows }, (_, at) => row(at))}
      ON CONFLICT (quote_id) DO NOTHING RETURNING ${LAZILY}`,
  };
  inserts.set(rows, made);
  return made;
}

function valuesOf(quote: StoredQuote): readonly (string | number | null)[] {
  const { problemText } = quote;
  return [
    ...[quote.quoteId, quote.createdAtMs, quote.validUntilMs],
    ...[JSON.stringify(quote.order), JSON.stringify(quote.quotedAmounts)],
    problemText === undefined ? quote.problem : null,
    ...[problemText?.shared ?? null, problemText?.objective ?? null],
    ...[quote.result, jsonTextOf(quote.response)],
  ];
}

/**
 * Called with what is written. Asks the database only when a quote is due, and not again about those that
 * were ordered: a look that finds nothing reads all there are, and writes wait for it.
 */
function dropping(database: Database): (written: readonly StoredQuote[]) => Promise<void> {
  let since = QUOTES_PER_DROP;
  let [fromMs, dueMs] = [0, 0];
  return async (written) => {
    since += written.length;
    const nowMs = written.reduce((last, { createdAtMs }) => Math.max(last, createdAtMs), 0);
    if (since < QUOTES_PER_DROP || nowMs < dueMs) return;
    since = 0;
    const [row] = await database.prepared<DroppedRow>(DROP, [fromMs]);
    const { dropped, cutoff_ms, next_ms } = present(row, 'what was dropped');
    if (dropped === DROPPED_MAX) return;
    fromMs = Number(cutoff_ms);
    dueMs = QUOTE_KEPT_MS + Number(next_ms ?? cutoff_ms);
  };
}

interface DroppedRow {
  readonly dropped: number;
  /** Whatever expired before it is gone, or was ordered. */
  readonly cutoff_ms: string;
  /** When the next one after it expired or will. */
  readonly next_ms: string | null;
}

const DROPPED_MAX = DROPPED_PER_QUOTE * QUOTES_PER_DROP;

/** What a crash undoes is dropped by the next process. */
const DROP: Prepared = {
  name: 'trimtab-quotes-drop',
  text: `
    WITH bound AS MATERIALIZED (SELECT now_ms() - ${QUOTE_KEPT_MS} AS cutoff_ms),
    dropped AS (
      DELETE FROM quotes WHERE quote_id IN (
        SELECT quote_id FROM quotes
        WHERE valid_until_ms >= $1 AND valid_until_ms < (SELECT cutoff_ms FROM bound)
          AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.quote_id = quotes.quote_id)
        ORDER BY valid_until_ms LIMIT ${DROPPED_MAX}
        FOR UPDATE SKIP LOCKED)
      RETURNING 1)
    SELECT (SELECT count(*)::int FROM dropped) AS dropped, cutoff_ms, ${LAZILY},
           (SELECT min(valid_until_ms) FROM quotes WHERE valid_until_ms >= cutoff_ms) AS next_ms
    FROM bound`,
};

// bigint columns arrive as decimal strings; times are far below 2^53.

interface TermsRow {
  readonly quote_id: string;
  readonly valid_until_ms: string;
  readonly order_json: JsonObject;
  readonly quoted_amounts: readonly string[];
}
interface QuoteRow extends TermsRow {
  readonly created_at_ms: string;
  readonly problem: string | null;
  readonly result: string;
  readonly response: JsonObject;
}

const termsOf = (row: TermsRow): QuoteTerms => ({
  quoteId: row.quote_id,
  validUntilMs: Number(row.valid_until_ms),
  order: row.order_json,
  quotedAmounts: row.quoted_amounts,
});

const quoteOf = (row: QuoteRow): StoredQuote => ({
  ...termsOf(row),
  createdAtMs: Number(row.created_at_ms),
  problem: present(row.problem ?? undefined, `the snapshot of quote ${row.quote_id}`),
  result: row.result,
  response: row.response,
});
