// What of the AuctionStore only reads: auctions and their pages, the solvers' feed, what a filler's
// live bids hold of its inventory, and records. The feed's numbers become visible in their order
// (schema/auctions.ts), so a reader goes on after the last number it saw.

import { sql } from 'kysely';
import { present } from '../types/assert.ts';
import type { AuctionId, AwardOutcome } from '../types/auction.ts';
import type { MarketEvent } from '../types/auctionService.ts';
import type {
  AuctionState,
  AuctionStore,
  FillerRecord,
  StoredAuction,
} from '../types/auctionStore.ts';
import type { EvmAddress, OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Database } from './postgres.ts';
import type { Hints } from './postgresHints.ts';

const LIST_MAX = 1_000;
/** Outcomes of one filler that a cooldown can follow from, at most. */
const RECENT_MAX = 1_000;

type Reader = Pick<
  AuctionStore,
  | 'nowMs'
  | 'read'
  | 'find'
  | 'liveReserves'
  | 'awardsOf'
  | 'list'
  | 'feed'
  | 'newest'
  | 'onMarket'
  | 'record'
  | 'records'
>;

export function createMarketReader(database: Database, hints: Hints): Reader {
  return {
    async nowMs() {
      const [row] = await database.rows(sql<{ now: string }>`SELECT now_ms() AS now`);
      return Number(present(row, 'the time').now);
    },
    async read(key) {
      const [row] = await database.rows(sql<AuctionRow>`
        ${auctions} WHERE id = ${key}::bigint`);
      return row === undefined ? null : auctionOf(row);
    },
    async find(auctionId) {
      const [row] = await database.rows(sql<AuctionRow>`
        ${auctions} WHERE auction_id = ${auctionId}`);
      return row === undefined ? null : auctionOf(row);
    },
    async liveReserves(filler) {
      const rows = await database.rows(sql<LiveBidRow>`
        SELECT bid, reserves FROM auction_bids JOIN auctions ON id = auction
        WHERE filler = ${filler} AND state = 'bidding'`);
      return rows.map(({ bid, reserves }) => ({
        orderIds: bid.items.map((item) => item.orderId),
        reserves,
      }));
    },
    async awardsOf(orderIds) {
      const rows = await database.rows(sql<AwardRow>`
        SELECT order_id, filler, outcome FROM awards WHERE order_id = ANY(${orderIds})
        ORDER BY awarded_at_ms`);
      return rows.map(({ order_id, filler, outcome }) => ({ orderId: order_id, filler, outcome }));
    },
    async list({ orderId, before, limit }) {
      const rows = await database.rows(sql<AuctionRow>`
        ${auctions} WHERE auction_id IS NOT NULL
          AND (${before ?? null}::bigint IS NULL OR id < ${before ?? null}::bigint)
          AND (${orderId ?? null}::text IS NULL
            OR id IN (SELECT auction FROM auction_orders WHERE order_id = ${orderId ?? null}))
        ORDER BY id DESC LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(auctionOf);
    },
    async feed(filler, afterSeq, limit) {
      const rows = await database.rows(sql<FeedRow>`
        SELECT * FROM market_events
        WHERE seq > ${afterSeq} AND (to_filler IS NULL OR to_filler = ${filler})
        ORDER BY seq LIMIT ${Math.min(limit, LIST_MAX)}`);
      return rows.map(eventOf);
    },
    async newest() {
      const [row] = await database.rows(sql<{ seq: string | null }>`
        SELECT max(seq) AS seq FROM market_events`);
      return Number(row?.seq ?? 0);
    },
    onMarket: hints.onMarket,
    async record(filler, sinceMs) {
      const [row] = await recordRows(database, filler, sinceMs, 1);
      return row === undefined ? null : recordOf(row);
    },
    async records(sinceMs, limit) {
      const rows = await recordRows(database, null, sinceMs, Math.min(limit, LIST_MAX));
      return rows.map(recordOf);
    },
  };
}

const auctions = sql`
  SELECT auctions.*, (SELECT coalesce(json_agg(order_id ORDER BY order_id), '[]')
    FROM auction_orders WHERE auction = auctions.id
      AND (live OR auctions.state = 'closed')) AS order_ids
  FROM auctions`;

/** Bidders that never won have a record too. */
function recordRows(
  database: Database,
  filler: EvmAddress | null,
  sinceMs: number,
  limit: number,
): Promise<readonly RecordRow[]> {
  return database.rows(sql<RecordRow>`
    WITH counted AS (
      SELECT filler, count(*) AS won,
        count(*) FILTER (WHERE outcome = 'filled') AS filled,
        count(*) FILTER (WHERE outcome = 'faded') AS faded,
        count(*) FILTER (WHERE outcome = 'late') AS late,
        count(*) FILTER (WHERE outcome IS NULL) AS open
      FROM awards WHERE ${filler}::text IS NULL OR filler = ${filler} GROUP BY filler),
    known AS (
      SELECT filler FROM counted
      UNION SELECT filler FROM auction_bids WHERE ${filler}::text IS NULL OR filler = ${filler})
    SELECT filler, coalesce(won, 0) AS won, coalesce(filled, 0) AS filled,
      coalesce(faded, 0) AS faded, coalesce(late, 0) AS late, coalesce(open, 0) AS open,
      (SELECT coalesce(json_agg(json_build_object('outcome', outcome, 'atMs', outcome_at_ms)
                                ORDER BY outcome_at_ms), '[]')
       FROM (SELECT outcome, outcome_at_ms FROM awards
             WHERE awards.filler = known.filler AND outcome_at_ms >= ${sinceMs}
             ORDER BY outcome_at_ms DESC LIMIT ${RECENT_MAX}) AS late) AS recent
    FROM known LEFT JOIN counted USING (filler)
    ORDER BY coalesce(filled, 0) DESC, coalesce(faded, 0) + coalesce(late, 0), filler
    LIMIT ${limit}`);
}

// bigint columns arrive as decimal strings; times and sequence numbers are far below 2^53.

interface AuctionRow {
  readonly id: string;
  readonly auction_id: AuctionId | null;
  readonly state: AuctionState;
  readonly gather_until_ms: string;
  readonly opened_at_ms: string | null;
  readonly closes_at_ms: string | null;
  readonly closed_at_ms: string | null;
  readonly instance: JsonObject | null;
  readonly record: JsonObject | null;
  readonly order_ids: readonly OrderId[];
}
interface LiveBidRow {
  readonly bid: { readonly items: readonly { readonly orderId: OrderId }[] };
  readonly reserves: Readonly<Record<string, string>>;
}
interface AwardRow {
  readonly order_id: OrderId;
  readonly filler: EvmAddress;
  readonly outcome: AwardOutcome | null;
}
interface FeedRow {
  readonly seq: string;
  readonly auction_id: AuctionId | null;
  readonly to_filler: EvmAddress | null;
  readonly at_ms: string;
  readonly type: string;
  readonly data: JsonObject;
}
interface RecordRow {
  readonly filler: EvmAddress;
  readonly won: string;
  readonly filled: string;
  readonly faded: string;
  readonly late: string;
  readonly open: string;
  readonly recent: FillerRecord['recent'];
}

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text));

const auctionOf = (row: AuctionRow): StoredAuction => ({
  key: row.id,
  auctionId: row.auction_id,
  state: row.state,
  gatherUntilMs: Number(row.gather_until_ms),
  openedAtMs: numberOf(row.opened_at_ms),
  closesAtMs: numberOf(row.closes_at_ms),
  closedAtMs: numberOf(row.closed_at_ms),
  instance: row.instance,
  record: row.record,
  orderIds: row.order_ids,
});

const eventOf = (row: FeedRow): MarketEvent => ({
  seq: Number(row.seq),
  auctionId: row.auction_id,
  to: row.to_filler,
  atMs: Number(row.at_ms),
  type: row.type,
  data: row.data,
});

const recordOf = ({ filler, recent, ...counts }: RecordRow): FillerRecord => ({
  filler,
  won: Number(counts.won),
  filled: Number(counts.filled),
  faded: Number(counts.faded),
  late: Number(counts.late),
  open: Number(counts.open),
  recent,
});
