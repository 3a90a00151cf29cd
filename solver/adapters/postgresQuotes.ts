// Quotes on PostgreSQL. What the quotes of a block share is written once; the rows of quotes that come at
// the same time go in one statement. A quote counts as stored only once its row and its snapshot are
// durable. Drops quotes nobody ordered, and snapshots no quote names.

import { type RawBuilder, sql } from 'kysely';
import { present } from '../types/assert.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { QuoteTerms, Store, StoredQuote } from '../types/store.ts';
import type { Database } from './postgres.ts';

/**
 * Quotes nobody ordered are dropped this long after they expired: with the first write of a process, then
 * with one write per so many quotes, up to this many for each of them. With every write it would take as
 * long as the write itself.
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
const GATHERED_MAX = 64;

type Quotes = Pick<Store, 'putQuote' | 'getQuote' | 'getQuoteTerms' | 'quoteOfOrder'>;

export function createPostgresQuotes(database: Database): Quotes {
  const snapshots = trustedSnapshots(database);
  let sinceDrop = QUOTES_PER_DROP;
  const put = gathering<StoredQuote>(async (quotes) => {
    sinceDrop += quotes.length;
    const drops = sinceDrop >= QUOTES_PER_DROP;
    if (drops) sinceDrop = 0;
    await database.rows(drops ? insertAndDrop(quotes) : insertQuotes(quotes));
  });
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

/** Calls that come while a write runs wait for it, and go together. */
function gathering<T>(write: (items: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  interface Waiting {
    readonly item: T;
    done(): void;
    failed(error: unknown): void;
  }
  const waiting: Waiting[] = [];
  let writing = false;
  const next = async (): Promise<void> => {
    if (writing || waiting.length === 0) return;
    const batch = waiting.splice(0, GATHERED_MAX);
    writing = true;
    try {
      await write(batch.map(({ item }) => item));
      for (const { done } of batch) done();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    } finally {
      writing = false;
      void next();
    }
  };
  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed });
      void next();
    });
}

const insertQuotes = (quotes: readonly StoredQuote[]): RawBuilder<unknown> => sql`
  INSERT INTO quotes (quote_id, created_at_ms, valid_until_ms, order_json, quoted_amounts,
                      problem, snapshot_id, objective, result, response)
  VALUES ${sql.join(quotes.map(rowOf))}
  ON CONFLICT (quote_id) DO NOTHING`;

const insertAndDrop = (quotes: readonly StoredQuote[]): RawBuilder<unknown> => sql`
  WITH dropped AS (
    DELETE FROM quotes WHERE quote_id IN (
      SELECT quote_id FROM quotes
      WHERE valid_until_ms < now_ms() - ${QUOTE_KEPT_MS}
        AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.quote_id = quotes.quote_id)
      ORDER BY valid_until_ms LIMIT ${DROPPED_PER_QUOTE * QUOTES_PER_DROP}
      FOR UPDATE SKIP LOCKED))
  ${insertQuotes(quotes)}`;

function rowOf(quote: StoredQuote): RawBuilder<unknown> {
  const { problemText } = quote;
  return sql`(${quote.quoteId}, ${quote.createdAtMs}, ${quote.validUntilMs},
    ${JSON.stringify(quote.order)}, ${JSON.stringify(quote.quotedAmounts)},
    ${problemText === undefined ? quote.problem : null}, ${problemText?.shared ?? null},
    ${problemText?.objective ?? null}, ${quote.result}, ${JSON.stringify(quote.response)})`;
}

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
