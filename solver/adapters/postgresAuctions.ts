// The AuctionStore port on PostgreSQL: what writes. A change of an auction is one transaction that
// holds the auction's row; bids are stored under that row's lock and only while the database's own
// clock, read in the statement that stores them, is not past the end. What only reads is in
// postgresMarket.ts. Rows are locked in one order everywhere: lease, serve jobs, auction, orders by
// id, and the feed's lock last, because orders' own workflows lock their job before their order.

import { type RawBuilder, sql } from 'kysely';
import { assert, present } from '../types/assert.ts';
import type { SignedBid } from '../types/auction.ts';
import type {
  AuctionStore,
  AuctionWrite,
  BidLimits,
  Closing,
  NewMarketEvent,
  Opening,
  OrderNote,
  PlacedBid,
  StoredBid,
} from '../types/auctionStore.ts';
import type { EvmAddress, Hash32, Hex, OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import { type JobLease, LeaseLost, type NewEvent, type NewJob } from '../types/store.ts';
import type { Database, Executor } from './postgres.ts';
import type { Hints } from './postgresHints.ts';
import { heldLease, insertJobs } from './postgresJobs.ts';
import { createMarketReader } from './postgresMarket.ts';
import { transitionStatement } from './postgresStore.ts';
import { AUCTION_JOIN_LOCK } from './schema/auctions.ts';

/** The job that leads an auction through its life. */
const AUCTION_JOB = 'auction';
const EVENTS_PER_WRITE_MAX = 4_096;
const REASON_CHARS_MAX = 500;

/** An AuctionStore on a migrated database. Every method throws Fault when the server is gone. */
export function createPostgresAuctions(database: Database, hints: Hints): AuctionStore {
  const announced = (write: AuctionWrite, jobs: readonly NewJob[], orders: readonly OrderId[]) => {
    if (write !== 'applied') return write;
    hints.marketAdded();
    if (jobs.length > 0) hints.jobsAdded();
    for (const orderId of orders) hints.eventsAdded(orderId);
    return write;
  };
  return {
    ...createMarketReader(database, hints),
    async join(orderId, gatherMs, ordersMax, lease) {
      const joined = await database.transaction((tx) =>
        join(database, tx, { orderId, gatherMs, ordersMax, lease }),
      );
      if (joined.created) hints.jobsAdded();
      return joined.key;
    },
    async open(opening, lease) {
      const write = await atomically(database, (tx) => open(database, tx, opening, lease));
      const members = opening.instance.orders.map((order) => order.orderId);
      return announced(write, opening.jobs, members);
    },
    async abandon(key, lease) {
      await database.transaction(async (tx) => {
        await holdLease(database, tx, lease);
        await database.rows(
          sql`WITH over AS (
                UPDATE auctions SET state = 'closed', closed_at_ms = now_ms()
                WHERE id = ${key}::bigint AND state = 'gathering' RETURNING id)
              DELETE FROM auction_orders USING over WHERE auction = over.id`,
          tx,
        );
      });
    },
    place: (stored, limits) => database.transaction((tx) => place(database, tx, stored, limits)),
    async noteNoBid(key, orderId, reason) {
      await database.rows(sql`
        UPDATE auction_orders SET no_bid = ${reason.slice(0, REASON_CHARS_MAX)}
        WHERE auction = ${key}::bigint AND order_id = ${orderId}`);
    },
    async noBidReasons(key) {
      const rows = await database.rows(sql<{ order_id: OrderId; no_bid: string }>`
        SELECT order_id, no_bid FROM auction_orders
        WHERE auction = ${key}::bigint AND no_bid IS NOT NULL`);
      return new Map(rows.map((row) => [row.order_id, row.no_bid]));
    },
    seal: (key, lease) => database.transaction((tx) => seal(database, tx, key, lease)),
    async close(closing, lease) {
      const write = await atomically(database, (tx) => close(database, tx, closing, lease));
      const orders = [...closing.transitions, ...closing.notes].map(({ orderId }) => orderId);
      return announced(write, closing.jobs, orders);
    },
  };
}

/** Rolls a transaction back and becomes its answer. */
class Undo extends Error {
  readonly answer: AuctionWrite;
  constructor(answer: AuctionWrite) {
    super(answer);
    this.answer = answer;
  }
}

async function atomically(
  database: Database,
  work: (tx: Executor) => Promise<AuctionWrite>,
): Promise<AuctionWrite> {
  try {
    return await database.transaction(work);
  } catch (error) {
    if (error instanceof Undo) return error.answer;
    throw error;
  }
}

async function holdLease(database: Database, tx: Executor, lease: JobLease): Promise<void> {
  const [held] = await database.rows(heldLease(lease), tx);
  if (held !== undefined) return;
  throw new LeaseLost(`lease ${lease.fence} of job ${lease.kind}/${lease.key} was lost`);
}

interface Joining {
  readonly orderId: OrderId;
  readonly gatherMs: number;
  readonly ordersMax: number;
  readonly lease: JobLease;
}

/** One at a time, so that orders that come together find each other. */
async function join(database: Database, tx: Executor, joining: Joining) {
  const { orderId, gatherMs, ordersMax, lease } = joining;
  await holdLease(database, tx, lease);
  await database.rows(sql`SELECT pg_advisory_xact_lock(${AUCTION_JOIN_LOCK})`, tx);
  const [known] = await database.rows(
    sql<{ auction: string }>`
      SELECT auction FROM auction_orders WHERE order_id = ${orderId} AND live`,
    tx,
  );
  if (known !== undefined) return { key: known.auction, created: false };
  // The row's lock keeps it from being opened between this look and the commit.
  const [gathering] = await database.rows(
    sql<{ id: string }>`
      SELECT id FROM auctions
      WHERE state = 'gathering' AND gather_until_ms > now_ms()
        AND (SELECT count(*) FROM auction_orders WHERE auction = id AND live) < ${ordersMax}
      ORDER BY id LIMIT 1 FOR NO KEY UPDATE`,
    tx,
  );
  const key = gathering?.id ?? (await newAuction(database, tx, gatherMs));
  await database.rows(
    sql`INSERT INTO auction_orders (auction, order_id) VALUES (${key}::bigint, ${orderId})
        ON CONFLICT (auction, order_id) DO UPDATE SET live = true`,
    tx,
  );
  return { key, created: gathering === undefined };
}

async function newAuction(database: Database, tx: Executor, gatherMs: number): Promise<string> {
  const [row] = await database.rows(
    sql<{ id: string; until: string }>`
      INSERT INTO auctions (state, gather_until_ms)
      VALUES ('gathering', now_ms() + ${Math.round(gatherMs)}::bigint)
      RETURNING id, gather_until_ms AS until`,
    tx,
  );
  const { id, until } = present(row, 'the auction made');
  await addJobs(database, tx, [{ kind: AUCTION_JOB, key: id, runAtMs: Number(until) }]);
  return id;
}

async function open(
  database: Database,
  tx: Executor,
  opening: Opening,
  lease: JobLease,
): Promise<AuctionWrite> {
  const { key, instance, auctionId, dropped } = opening;
  await holdLease(database, tx, lease);
  await addJobs(database, tx, opening.jobs);
  const [fixed] = await database.rows(
    sql`UPDATE auctions SET state = 'bidding', auction_id = ${auctionId},
          opened_at_ms = ${instance.openedAtMs}, closes_at_ms = ${instance.closesAtMs},
          instance = ${JSON.stringify(opening.instanceJson)}
        WHERE id = ${key}::bigint AND state = 'gathering' AND now_ms() < ${instance.closesAtMs}
        RETURNING 1`,
    tx,
  );
  if (fixed === undefined) {
    const [row] = await database.rows(
      sql<{ auction_id: Hash32 | null }>`
        SELECT auction_id FROM auctions WHERE id = ${key}::bigint AND state <> 'gathering'`,
      tx,
    );
    throw new Undo(row === undefined ? 'changed' : 'alreadyApplied');
  }
  await database.rows(
    sql`DELETE FROM auction_orders WHERE auction = ${key}::bigint AND order_id = ANY(${dropped})`,
    tx,
  );
  const rows = await database.rows(
    sql<{ order_id: OrderId }>`
      SELECT order_id FROM auction_orders WHERE auction = ${key}::bigint AND live
      ORDER BY order_id`,
    tx,
  );
  const expected = instance.orders.map((order) => order.orderId);
  if (rows.map((row) => row.order_id).join() !== expected.join()) throw new Undo('changed');
  const created = await database.rows(
    sql`SELECT 1 FROM orders WHERE order_id = ANY(${expected}) AND state = 'created'
        ORDER BY order_id FOR NO KEY UPDATE`,
    tx,
  );
  if (created.length !== expected.length) throw new Undo('changed');
  await addOrderEvents(database, tx, expected, opening.orderEvents);
  await addMarketEvents(database, tx, [opening.event]);
  return 'applied';
}

/**
 * The row's lock makes the limits exact and waits for a closer that is sealing. The end is compared
 * with the clock by the statement that inserts, which finds the row sealed if the closer was first.
 */
async function place(
  database: Database,
  tx: Executor,
  { hash, bid, reserves, notes }: StoredBid,
  limits: BidLimits,
): Promise<PlacedBid> {
  const [auction] = await database.rows(
    sql<{ id: string }>`
      SELECT id FROM auctions WHERE auction_id = ${bid.auctionId} FOR NO KEY UPDATE`,
    tx,
  );
  if (auction === undefined) return 'notFound';
  const [counts] = await database.rows(
    sql<{ known: boolean; all: string; mine: string }>`
      SELECT coalesce(bool_or(hash = ${hash}), false) AS known, count(*) AS all,
             count(*) FILTER (WHERE filler = ${bid.filler}) AS mine
      FROM auction_bids WHERE auction = ${auction.id}::bigint`,
    tx,
  );
  const { known, all, mine } = present(counts, 'counts');
  if (known) return 'known';
  if (Number(mine) >= limits.perFiller) return 'fillerFull';
  if (Number(all) >= limits.perAuction) return 'full';
  const [added] = await database.rows(
    sql`INSERT INTO auction_bids (auction, hash, filler, bid, reserves, notes, at_ms)
        SELECT id, ${hash}, ${bid.filler}, ${JSON.stringify(bidJson(bid))},
               ${JSON.stringify(reserves)}, ${JSON.stringify(notes)}, now_ms()
        FROM auctions
        WHERE id = ${auction.id}::bigint AND state = 'bidding' AND sealed_at_ms IS NULL
          AND now_ms() <= closes_at_ms
        RETURNING 1`,
    tx,
  );
  return added === undefined ? 'closed' : 'added';
}

async function seal(
  database: Database,
  tx: Executor,
  key: string,
  lease: JobLease,
): Promise<readonly StoredBid[] | null> {
  await holdLease(database, tx, lease);
  const [sealed] = await database.rows(
    sql`UPDATE auctions SET sealed_at_ms = coalesce(sealed_at_ms, now_ms())
        WHERE id = ${key}::bigint AND state <> 'gathering'
          AND (sealed_at_ms IS NOT NULL OR now_ms() > closes_at_ms)
        RETURNING 1`,
    tx,
  );
  if (sealed === undefined) return null;
  const rows = await database.rows(
    sql<{ hash: Hash32; bid: BidRow; reserves: Record<string, string>; notes: JsonObject }>`
      SELECT hash, bid, reserves, notes FROM auction_bids
      WHERE auction = ${key}::bigint ORDER BY hash`,
    tx,
  );
  return rows.map(({ bid, ...row }) => ({ ...row, bid: bidOf(bid) }));
}

async function close(
  database: Database,
  tx: Executor,
  closing: Closing,
  lease: JobLease,
): Promise<AuctionWrite> {
  const { key, record, awards } = closing;
  const steps = [...closing.transitions, ...closing.notes];
  await holdLease(database, tx, lease);
  await addJobs(database, tx, closing.jobs);
  const [closed] = await database.rows(
    sql`UPDATE auctions SET state = 'closed', closed_at_ms = now_ms(),
          record = ${JSON.stringify(record)}
        WHERE id = ${key}::bigint AND state = 'bidding' AND sealed_at_ms IS NOT NULL RETURNING 1`,
    tx,
  );
  if (closed === undefined) throw new Undo('alreadyApplied');
  await database.rows(
    sql`UPDATE auction_orders SET live = false WHERE auction = ${key}::bigint`,
    tx,
  );
  for (const step of steps.sort((a, b) => (a.orderId < b.orderId ? -1 : 1))) {
    if ('to' in step) {
      const [row] = await database.rows(transitionStatement(step, null), tx);
      if (row?.applied !== true) throw new Undo('changed');
    } else await addNote(database, tx, step);
  }
  if (awards.length > 0) {
    await database.rows(
      sql`INSERT INTO awards (order_id, auction, award_id, filler, awarded_at_ms)
          SELECT a.order_id, ${key}::bigint, a.award_id, a.filler, now_ms()
          FROM unnest(${awards.map((a) => a.orderId)}::text[],
                      ${awards.map((a) => a.awardId)}::text[],
                      ${awards.map((a) => a.filler)}::text[]) AS a (order_id, award_id, filler)`,
      tx,
    );
  }
  await addMarketEvents(database, tx, closing.events);
  return 'applied';
}

async function addNote(database: Database, tx: Executor, note: OrderNote): Promise<void> {
  const { orderId, events, facts } = note;
  const rows = await database.rows(
    sql`UPDATE orders SET facts = facts || ${JSON.stringify(facts)}::jsonb, updated_at_ms = now_ms()
        WHERE order_id = ${orderId} AND state = 'created' RETURNING 1`,
    tx,
  );
  if (rows.length > 0) await addOrderEvents(database, tx, [orderId], events);
}

async function addJobs(database: Database, tx: Executor, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const sorted = jobs.toSorted((a, b) => (`${a.kind} ${a.key}` < `${b.kind} ${b.key}` ? -1 : 1));
  await database.rows(sql`WITH moved AS (SELECT 1) ${insertJobs(sorted)}`, tx);
}

/** Called under the orders' locks, as every writer of order events is. */
async function addOrderEvents(
  database: Database,
  tx: Executor,
  orderIds: readonly OrderId[],
  events: readonly NewEvent[],
): Promise<void> {
  await database.rows(
    sql`INSERT INTO events (order_id, at_ms, type, data)
        SELECT o.order_id, now_ms(), e.type, e.data::json
        FROM unnest(${orderIds}::text[]) AS o (order_id),
             unnest(${events.map(({ type }) => type)}::text[],
                    ${events.map(({ data }) => JSON.stringify(data))}::text[]) AS e (type, data)`,
    tx,
  );
}

async function addMarketEvents(
  database: Database,
  tx: Executor,
  events: readonly NewMarketEvent[],
): Promise<void> {
  assert(events.length <= EVENTS_PER_WRITE_MAX, `${events.length} market events in one write`);
  if (events.length === 0) return;
  await database.rows(insertMarketEvents(events), tx);
}

function insertMarketEvents(events: readonly NewMarketEvent[]): RawBuilder<unknown> {
  return sql`
    INSERT INTO market_events (auction_id, to_filler, at_ms, type, data)
    SELECT e.auction_id, e.to_filler, now_ms(), e.type, e.data::json
    FROM unnest(${events.map((e) => e.auctionId)}::text[], ${events.map((e) => e.to)}::text[],
                ${events.map((e) => e.type)}::text[],
                ${events.map((e) => JSON.stringify(e.data))}::text[])
      WITH ORDINALITY AS e (auction_id, to_filler, type, data, at)
    ORDER BY e.at`;
}

/** As it was signed: amounts as decimal strings. */
interface BidRow {
  readonly auctionId: Hash32;
  readonly filler: EvmAddress;
  readonly items: readonly { readonly orderId: OrderId; readonly amounts: readonly string[] }[];
  readonly signature: Hex;
}

const bidJson = ({ auctionId, filler, items, signature }: SignedBid): BidRow => ({
  auctionId,
  filler,
  items: items.map(({ orderId, amounts }) => ({ orderId, amounts: amounts.map(String) })),
  signature,
});

const bidOf = ({ items, ...bid }: BidRow): SignedBid => ({
  ...bid,
  items: items.map(({ orderId, amounts }) => ({ orderId, amounts: amounts.map(BigInt) })),
});
