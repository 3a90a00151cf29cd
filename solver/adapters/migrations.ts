// The schema as code, in order. A migration that has shipped is never edited: a change is a new one.
// Amounts and nonces are numeric or text, never float; times are milliseconds since 1970 by the
// database's clock, so that replicas agree; documents that were signed or served are kept as `json`,
// which preserves their text, and only what we merge ourselves (facts) is `jsonb`.

import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { Fault } from '../types/errors.ts';
import { asFault, type Database, type Tables } from './postgres.ts';
import { auctionsSchema } from './schema/auctions.ts';
import { cheaperChecksSchema } from './schema/cheaperChecks.ts';
import { idempotencySchema } from './schema/idempotency.ts';
import { orderSignaturesSchema } from './schema/orderSignatures.ts';
import { quoteSnapshotsSchema } from './schema/quoteSnapshots.ts';
import { webhooksSchema } from './schema/webhooks.ts';

const run = async (db: Kysely<Tables>, statements: readonly string[]) => {
  for (const statement of statements) await sql.raw(statement).execute(db);
};

const MIGRATIONS: Record<string, Migration> = {
  '001-orders-events-jobs': {
    up: (db: Kysely<Tables>) =>
      run(db, [
        // Milliseconds of the moment, not of the transaction's start.
        `CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
           RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
        `CREATE TABLE quotes (
           quote_id text PRIMARY KEY,
           created_at_ms bigint NOT NULL,
           valid_until_ms bigint NOT NULL,
           order_json json NOT NULL,
           quoted_amounts json NOT NULL,
           problem text NOT NULL,
           result text NOT NULL,
           response json NOT NULL)`,
        `CREATE INDEX quotes_valid_until ON quotes (valid_until_ms)`,
        `CREATE TABLE orders (
           order_id text PRIMARY KEY CHECK (order_id ~ '^0x[0-9a-f]{64}$'),
           quote_id text,
           owner text NOT NULL CHECK (owner ~ '^0x[0-9a-f]{40}$'),
           nonce text NOT NULL CHECK (nonce ~ '^(0|[1-9][0-9]{0,77})$'),
           state text NOT NULL,
           reason text,
           order_json json NOT NULL,
           owner_signature text NOT NULL,
           award json,
           facts jsonb NOT NULL,
           version integer NOT NULL,
           created_at_ms bigint NOT NULL,
           updated_at_ms bigint NOT NULL,
           CONSTRAINT orders_owner_nonce UNIQUE (owner, nonce))`,
        `CREATE INDEX orders_state ON orders (state, created_at_ms)`,
        `CREATE INDEX orders_owner ON orders (owner, created_at_ms)`,
        `CREATE INDEX orders_quote ON orders (quote_id)`,
        `CREATE TABLE events (
           seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           order_id text NOT NULL REFERENCES orders,
           at_ms bigint NOT NULL,
           type text NOT NULL,
           data json NOT NULL)`,
        `CREATE INDEX events_order ON events (order_id, seq)`,
        // One sequence for all jobs: a row that was deleted and made again must not meet an old fence.
        `CREATE SEQUENCE job_fence`,
        // due_at_ms is when the job may be claimed: its run time, or its lease's end while it runs.
        `CREATE TABLE jobs (
           kind text NOT NULL,
           key text NOT NULL,
           due_at_ms bigint NOT NULL,
           again_at_ms bigint,
           running boolean NOT NULL DEFAULT false,
           fence bigint NOT NULL DEFAULT 0,
           attempts integer NOT NULL DEFAULT 0,
           last_error text,
           PRIMARY KEY (kind, key))`,
        `CREATE INDEX jobs_due ON jobs (due_at_ms)`,
      ]),
  },
  '002-transactions': {
    up: (db: Kysely<Tables>) =>
      run(db, [
        // The row lock on (chain, sender) is the lease under which a nonce is given out.
        `CREATE TABLE chain_sender (
           chain_id bigint NOT NULL,
           sender text NOT NULL,
           nonce_floor numeric(20) NOT NULL,
           PRIMARY KEY (chain_id, sender))`,
        `CREATE TABLE chain_tx (
           id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           chain_id bigint NOT NULL,
           sender text NOT NULL,
           nonce numeric(20) NOT NULL,
           scope text NOT NULL,
           purpose text NOT NULL,
           to_address text NOT NULL,
           data text NOT NULL,
           value numeric(78) NOT NULL,
           gas numeric(20) NOT NULL,
           status text NOT NULL CHECK (status IN ('pending', 'final', 'reverted')),
           receipt json,
           created_at_ms bigint NOT NULL,
           CONSTRAINT chain_tx_nonce UNIQUE (chain_id, sender, nonce),
           CONSTRAINT chain_tx_purpose UNIQUE (scope, purpose))`,
        `CREATE INDEX chain_tx_pending ON chain_tx (chain_id, sender, nonce)
           WHERE status = 'pending'`,
        // Every signed form of a transaction: the first and its replacements. Any of them may be mined.
        `CREATE TABLE chain_tx_raw (
           hash text PRIMARY KEY,
           tx_id bigint NOT NULL REFERENCES chain_tx,
           raw text NOT NULL,
           max_fee numeric(78) NOT NULL,
           max_priority_fee numeric(78) NOT NULL,
           signed_at_block numeric(20) NOT NULL,
           version integer NOT NULL,
           CONSTRAINT chain_tx_raw_version UNIQUE (tx_id, version))`,
      ]),
  },
  '003-policies': {
    up: (db: Kysely<Tables>) =>
      run(db, [
        `CREATE TABLE policies (
           policy_id text PRIMARY KEY CHECK (policy_id ~ '^0x[0-9a-f]{64}$'),
           owner text NOT NULL CHECK (owner ~ '^0x[0-9a-f]{40}$'),
           nonce text NOT NULL CHECK (nonce ~ '^(0|[1-9][0-9]{0,77})$'),
           document json NOT NULL,
           document_hash text NOT NULL,
           expires bigint NOT NULL,
           signature text NOT NULL,
           status text NOT NULL,
           memory jsonb NOT NULL,
           version integer NOT NULL,
           event_count integer NOT NULL,
           created_at_ms bigint NOT NULL,
           updated_at_ms bigint NOT NULL,
           CONSTRAINT policies_owner_nonce UNIQUE (owner, nonce))`,
        `CREATE INDEX policies_owner ON policies (owner, created_at_ms)`,
        // `number` counts within a policy, so that a gap would show; seq is the readers' cursor.
        `CREATE TABLE policy_events (
           seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           policy_id text NOT NULL REFERENCES policies,
           number integer NOT NULL,
           at_ms bigint NOT NULL,
           type text NOT NULL,
           data json NOT NULL,
           CONSTRAINT policy_events_number UNIQUE (policy_id, number))`,
        `CREATE INDEX policy_events_policy ON policy_events (policy_id, seq)`,
        `CREATE TABLE proposals (
           quote_id text PRIMARY KEY,
           policy_id text NOT NULL REFERENCES policies,
           owner text NOT NULL,
           created_at_ms bigint NOT NULL,
           valid_until_ms bigint NOT NULL,
           response json NOT NULL,
           expected json NOT NULL,
           outcome text CHECK (outcome IN ('committed', 'expired', 'withdrawn')),
           order_id text,
           CONSTRAINT proposals_order
             CHECK ((order_id IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'committed')))`,
        // Never two proposals that wait for a signature, whatever the keeper believes.
        `CREATE UNIQUE INDEX proposals_live ON proposals (policy_id) WHERE outcome IS NULL`,
        // Nor two of one wallet: both would count on the same tokens.
        `CREATE UNIQUE INDEX proposals_live_owner ON proposals (owner) WHERE outcome IS NULL`,
        `CREATE INDEX proposals_created ON proposals (created_at_ms)`,
        `CREATE INDEX proposals_policy ON proposals (policy_id, created_at_ms)`,
        `CREATE TABLE price_samples (
           period_seconds integer NOT NULL,
           asset text NOT NULL,
           bucket bigint NOT NULL,
           price double precision NOT NULL CHECK (price > 0 AND price < 'Infinity'),
           PRIMARY KEY (period_seconds, asset, bucket))`,
        // An order that comes without its quote's id is still that quote's.
        `CREATE INDEX quotes_order ON quotes ((order_json->>'owner'), (order_json->>'nonce'))`,
      ]),
  },
  '004-auctions': { up: (db: Kysely<Tables>) => run(db, auctionsSchema) },
  '005-webhooks': { up: (db: Kysely<Tables>) => run(db, webhooksSchema) },
  '006-idempotency': { up: (db: Kysely<Tables>) => run(db, idempotencySchema) },
  '007-order-signatures': { up: (db: Kysely<Tables>) => run(db, orderSignaturesSchema) },
  '008-quote-snapshots': { up: (db: Kysely<Tables>) => run(db, quoteSnapshotsSchema) },
  '009-cheaper-checks': { up: (db: Kysely<Tables>) => run(db, cheaperChecksSchema) },
};

/** Brings the schema up to date. Safe to run from several processes at once: the Migrator locks. */
export async function migrate(database: Database): Promise<void> {
  const migrator = migratorOf(database);
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === 'Error')?.migrationName;
  const cause = asFault(error);
  throw new Fault(`migration ${failed ?? ''} failed: ${cause.message}`, {
    code: 'migrationFailed',
    retryable: cause instanceof Fault && cause.retryable,
    cause,
  });
}

/** Names of migrations that are not applied yet, and the server's clock. Writes nothing. */
export async function pendingMigrations(
  database: Database,
): Promise<{ readonly pending: readonly string[]; readonly nowMs: number }> {
  const [row] = await database.rows(sql<{ known: boolean; now: number }>`
    SELECT to_regclass('kysely_migration') IS NOT NULL AS known,
      (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`);
  const applied = row?.known
    ? await database.rows(sql<{ name: string }>`SELECT name FROM kysely_migration`)
    : [];
  const names = new Set(applied.map(({ name }) => name));
  const pending = Object.keys(MIGRATIONS).filter((name) => !names.has(name));
  return { pending, nowMs: row?.now ?? 0 };
}

const migratorOf = (database: Database) =>
  new Migrator({
    db: database.kysely,
    provider: { getMigrations: async () => MIGRATIONS },
  });
