// The door to PostgreSQL: a bounded pool under kysely, and what every error of it means. Owns
// connecting (with patience while the server starts or recovers), transactions that PostgreSQL
// rolled back by itself, and the mapping to Fault. Refuses to repeat anything whose outcome is
// unknown: whoever asked must look before asking again.

import { Kysely, PostgresDialect, type RawBuilder, type Transaction } from 'kysely';
import pg from 'pg';
import { Fault } from '../types/errors.ts';
import type { Clock } from '../types/ports.ts';

/** Tables are reached by `sql` templates with named row types, so the schema map stays open. */
export type Tables = Record<string, Record<string, unknown>>;
/** Either the pool or one transaction: what a statement can run on. */
export type Executor = Kysely<Tables> | Transaction<Tables>;

export interface Database {
  readonly url: string;
  readonly kysely: Kysely<Tables>;
  /** Rows of one statement. Throws Fault. */
  rows<Row>(statement: RawBuilder<Row>, on?: Executor): Promise<readonly Row[]>;
  /**
   * Rows of a statement of constant text, which each connection parses and plans once. Names no `*`:
   * a prepared statement's columns must outlive migrations. Throws Fault.
   */
  prepared<Row>(statement: Prepared, values: readonly unknown[]): Promise<readonly Row[]>;
  /**
   * Runs `work` in one READ COMMITTED transaction. `work` may run up to three times: again only
   * after PostgreSQL itself rolled it back (deadlock, serialisation), so it must have no other effects.
   */
  transaction<T>(work: (tx: Executor) => Promise<T>): Promise<T>;
  /** The pool now: connections, those of them nobody uses, and requests that wait for one. */
  connections(): { readonly total: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

/** One text per name, for ever. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Connections at most; default 10. */
  readonly poolMax?: number;
  /** How long a statement waits for a server that refuses connections; default 3,000. */
  readonly connectPatienceMs?: number;
  /** What went wrong on a connection that nobody was using. */
  readonly onIdleError?: (error: Error) => void;
}

const ROLLED_BACK_RETRIES = 2;
const CONNECT_PAUSE_MS = 50;
const CONNECT_ATTEMPTS_MAX = 1_000;

/** Opens nothing yet: the first statement connects. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolMax ?? 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    // A statement that outlives these is a defect or a dead peer; no lock is worth waiting longer.
    statement_timeout: 15_000,
    query_timeout: 20_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: 'trimtab',
  });
  // Without a listener an idle connection's death would end the process. The pool drops it itself.
  pool.on('error', (error) => options.onIdleError?.(error));
  // The same for one in use: its statement rejects with the error, this only keeps it handled.
  pool.on('connect', (client) => client.on('error', () => {}));

  const kysely = new Kysely<Tables>({
    dialect: new PostgresDialect({
      pool: { connect: () => connectPatiently(pool, options), end: () => pool.end() } as pg.Pool,
    }),
  });

  const rows: Database['rows'] = async (statement, on = kysely) => {
    try {
      return (await statement.execute(on)).rows;
    } catch (error) {
      throw asFault(error);
    }
  };

  const prepared: Database['prepared'] = async (statement, values) => {
    const client = await connectPatiently(pool, options);
    let lost = false;
    try {
      return (await client.query({ ...statement, values: [...values] })).rows;
    } catch (error) {
      const fault = asFault(error);
      lost = !(fault instanceof Fault) || fault.code === 'storeUnavailable';
      throw fault;
    } finally {
      client.release(lost);
    }
  };

  let closing: Promise<void> | null = null;
  return {
    url: options.url,
    kysely,
    rows,
    prepared,
    async transaction(work) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await kysely.transaction().execute(work);
        } catch (error) {
          const fault = asFault(error);
          if (!isRolledBack(fault) || attempt >= ROLLED_BACK_RETRIES) throw fault;
        }
      }
    },
    connections: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => (closing ??= kysely.destroy()),
  };
}

/**
 * A connection, waiting out a server that is starting, recovering or being restarted. Nothing has
 * been sent yet at this point, so trying again is safe whatever the statement is.
 */
async function connectPatiently(pool: pg.Pool, options: DatabaseOptions): Promise<pg.PoolClient> {
  const { clock, connectPatienceMs = 3_000 } = options;
  const deadline = clock.nowMs() + connectPatienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.connect();
    } catch (error) {
      const late = clock.nowMs() >= deadline || attempt >= CONNECT_ATTEMPTS_MAX;
      if (late || !isUnreachable(error)) throw asFault(error);
      await clock.sleep(CONNECT_PAUSE_MS);
    }
  }
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** No connection came about: the server is not there (yet), or is starting or shutting down. */
export function isUnreachable(error: unknown): boolean {
  const code = codeOf(error);
  if (UNREACHABLE.has(code)) return true;
  const message = error instanceof Error ? error.message : '';
  return NO_CONNECTION.test(message);
}

/** What pg says without a code. "Not queryable" hides the loss itself when a rollback was next. */
const NO_CONNECTION =
  /connection terminated|not queryable|client was closed|connection timeout|timeout exceeded when/i;
const UNREACHABLE = new Set([
  ...['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['57P01', '57P02', '57P03', '53300', '08000', '08001', '08003', '08004', '08006'],
]);
/** serialization_failure, deadlock_detected: certain to have changed nothing. */
const ROLLED_BACK = new Set(['40001', '40P01']);

const isRolledBack = (fault: Error) => fault instanceof Fault && fault.code === 'storeConflict';

/** SQLSTATE unique_violation, or null. Answers the violated constraint's name. */
export function violatedUnique(error: unknown): string | null {
  const cause = error instanceof Fault ? error.cause : error;
  if (codeOf(cause) !== '23505') return null;
  const constraint = (cause as { constraint?: unknown }).constraint;
  return typeof constraint === 'string' ? constraint : '';
}

/**
 * What came out of pg as this project's errors: Faults for the connection (`storeUnavailable`,
 * retryable) and for statements (`storeFailed`, not retryable). Anything that is not pg's passes.
 */
export function asFault(error: unknown): Error {
  if (error instanceof Fault) return error;
  const code = codeOf(error);
  if (isUnreachable(error) || /^Query read timeout|57014/.test(`${messageOf(error)}${code}`)) {
    const message = `the database does not answer: ${messageOf(error)}`;
    return new Fault(message, { code: 'storeUnavailable', cause: error });
  }
  if (ROLLED_BACK.has(code)) {
    const message = `the database rolled back: ${messageOf(error)}`;
    return new Fault(message, { code: 'storeConflict', cause: error });
  }
  if (/^[0-9A-Z]{5}$/.test(code)) {
    const message = `the database refused (${code}): ${messageOf(error)}`;
    return new Fault(message, { code: 'storeFailed', retryable: false, cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
