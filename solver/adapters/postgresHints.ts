// Hints between processes: "events of this order may have been added", "a job may be due", "the
// solvers' feed may have grown". They make
// things quick and nothing correct: every reader polls as well. NOTIFY therefore goes out after the
// commit, not in it (inside, PostgreSQL would serialise all commits on one lock), gathered over a few
// milliseconds; listeners in this process hear at once. After the listening connection was lost,
// everything is announced again, and of orders those with recent events.

import pg from 'pg';
import type { OrderId } from '../types/ids.ts';
import type { Database } from './postgres.ts';

const CHANNEL = 'trimtab';
const JOBS = 'jobs';
const MARKET = 'market';
const GATHER_MS = 5;
const NOTIFY = { name: 'trimtab-notify', text: 'SELECT pg_notify($1, $2)' };
/** A NOTIFY payload is limited to 7,999 bytes; an order id takes 67 with its comma. */
const IDS_PER_NOTICE = 100;
/** Beyond this many waiting orders the oldest notices are dropped: they are only hints. */
const WAITING_MAX = 10_000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 5_000;
/** Numbers are given before commit, so an event slightly below the last one seen may still appear. */
const CATCH_UP_OVERLAP = 1_000;
const CATCH_UP_MAX = 1_000;

export interface Hints {
  eventsAdded(orderId: OrderId): void;
  jobsAdded(): void;
  marketAdded(): void;
  onEvents(listener: (orderId: OrderId) => void): () => void;
  onJobs(listener: () => void): () => void;
  onMarket(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Connects when the first listener subscribes; never throws for a lost connection. */
export function createHints(database: Database): Hints {
  const eventListeners = new Set<(orderId: OrderId) => void>();
  const jobListeners = new Set<() => void>();
  const marketListeners = new Set<() => void>();
  const waiting = new Set<string>();
  let gathering: NodeJS.Timeout | null = null;
  let listener: Listening | null = null;
  let closed = false;

  const tell = (word: string) => {
    const calls =
      word === JOBS
        ? [...jobListeners]
        : word === MARKET
          ? [...marketListeners]
          : [...eventListeners].map((heard) => () => heard(word as OrderId));
    // In a microtask each: what a listener throws is its own defect, never the committed write's.
    for (const call of calls) queueMicrotask(call);
  };
  const flush = async () => {
    gathering = null;
    const words = [...waiting];
    waiting.clear();
    for (let from = 0; from < words.length; from += IDS_PER_NOTICE) {
      const payload = words.slice(from, from + IDS_PER_NOTICE).join(',');
      await database.prepared(NOTIFY, [CHANNEL, payload]);
    }
  };
  const add = (word: string) => {
    tell(word);
    if (closed || waiting.size >= WAITING_MAX) return;
    waiting.add(word);
    // A lost hint costs the other process one polling interval, so a failure needs no reaction.
    gathering ??= setTimeout(() => flush().catch(() => {}), GATHER_MS);
  };
  const subscribe = <T>(listeners: Set<T>, heard: T) => {
    listeners.add(heard);
    if (!closed) listener ??= listen(database, tell);
    return () => void listeners.delete(heard);
  };
  return {
    eventsAdded: add,
    jobsAdded: () => add(JOBS),
    marketAdded: () => add(MARKET),
    onEvents: (heard) => subscribe(eventListeners, heard),
    onJobs: (heard) => subscribe(jobListeners, heard),
    onMarket: (heard) => subscribe(marketListeners, heard),
    async close() {
      closed = true;
      if (gathering !== null) clearTimeout(gathering);
      await listener?.close();
    },
  };
}

interface Listening {
  close(): Promise<void>;
}

/** A connection of its own that LISTENs and comes back by itself, with growing pauses. */
function listen(database: Database, tell: (word: string) => void): Listening {
  let client: pg.Client | null = null;
  let retry: NodeJS.Timeout | null = null;
  let pauseMs = RECONNECT_MIN_MS;
  let lastSeq: number | null = null;
  let closed = false;

  const lost = (dead: pg.Client) => {
    if (client !== dead) return;
    client = null;
    dead.end().catch(() => {});
    if (closed) return;
    retry = setTimeout(connect, pauseMs);
    pauseMs = Math.min(pauseMs * 2, RECONNECT_MAX_MS);
  };
  const connect = async () => {
    const fresh = new pg.Client({
      connectionString: database.url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: 'trimtab hints',
    });
    client = fresh;
    fresh.on('error', () => lost(fresh));
    fresh.on('end', () => lost(fresh));
    fresh.on('notification', ({ payload }) => {
      for (const word of (payload ?? '').split(',')) if (word !== '') tell(word);
    });
    try {
      await fresh.connect();
      await fresh.query(`LISTEN ${CHANNEL}`);
      pauseMs = RECONNECT_MIN_MS;
      await catchUp(fresh);
    } catch {
      lost(fresh);
    }
  };
  const catchUp = async (on: pg.Client) => {
    const from = lastSeq === null ? null : lastSeq - CATCH_UP_OVERLAP;
    const head = await on.query<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM events');
    lastSeq = Number(head.rows[0]?.seq ?? 0);
    tell(JOBS);
    tell(MARKET);
    if (from === null) return;
    const missed = await on.query<{ order_id: string }>(
      'SELECT DISTINCT order_id FROM events WHERE seq > $1 LIMIT $2',
      [from, CATCH_UP_MAX],
    );
    for (const row of missed.rows) tell(row.order_id);
  };
  void connect();
  return {
    async close() {
      closed = true;
      if (retry !== null) clearTimeout(retry);
      const last = client;
      client = null;
      await last?.end().catch(() => {});
    },
  };
}
