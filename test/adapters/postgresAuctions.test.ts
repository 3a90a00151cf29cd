// The auction store against a real PostgreSQL: orders that join at once, bids against the closing,
// one closing by many, awards and their outcomes, and a feed whose numbers never appear late.

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../solver/adapters/postgres.ts';
import { createPostgresAuctions } from '../../solver/adapters/postgresAuctions.ts';
import { createHints } from '../../solver/adapters/postgresHints.ts';
import { present } from '../../solver/types/assert.ts';
import type { AuctionInstance, SignedBid } from '../../solver/types/auction.ts';
import type { AuctionStore, Closing, StoredBid } from '../../solver/types/auctionStore.ts';
import {
  awardId,
  type EvmAddress,
  evmAddress,
  hash32,
  type OrderId,
} from '../../solver/types/ids.ts';
import { type JobLease, LeaseLost } from '../../solver/types/store.ts';
import {
  clock,
  newOrder,
  randomHex,
  startTestPostgres,
  type TestPostgres,
  until,
} from './support.ts';

const LIMITS = { perAuction: 1_000, perFiller: 1_000 };
const LEASE_MS = 60_000;
const GATHER_MS = 60_000;
const BIDDING_MS = 60_000;

let postgres: TestPostgres;
let auctions: AuctionStore;
beforeAll(async () => {
  postgres = await startTestPostgres();
  auctions = createPostgresAuctions(postgres.database, createHints(postgres.database));
});
afterAll(() => postgres?.end());

const filler = () => evmAddress(randomHex(20));

async function admitted(count: number): Promise<OrderId[]> {
  const ids: OrderId[] = [];
  for (let i = 0; i < count; i += 1) {
    const order = newOrder();
    const jobs = [{ kind: 'serve', key: order.orderId, runAtMs: 0 }];
    await postgres.store.admitOrder(order, [], jobs);
    ids.push(order.orderId);
  }
  return ids;
}

/** A lease on the job of that name, made for the purpose. */
async function leaseOf(kind: string, key: string): Promise<JobLease> {
  const own = `${kind}-${randomHex(4)}`;
  await postgres.database.rows(
    sql`INSERT INTO jobs (kind, key, due_at_ms) VALUES (${own}, ${key}, 0)`,
  );
  return present(await postgres.store.claimJob([own], LEASE_MS), 'the lease');
}

async function join(id: OrderId, gatherMs = GATHER_MS, max = 32): Promise<string> {
  return auctions.join(id, gatherMs, max, await leaseOf('serve', id));
}

/** Ends the gathering of every auction now, so that the next order makes one of its own. */
const endGathering = () =>
  postgres.database.rows(sql`UPDATE auctions SET gather_until_ms = 0 WHERE state = 'gathering'`);

function instanceOf(ids: readonly OrderId[], openedAtMs: number) {
  const instance: AuctionInstance = {
    version: 2,
    orders: ids.toSorted().map((orderId) => ({
      ...{ orderId, pair: hash32(orderId), openBy: 9, fillDeadline: 10 },
      outputs: [],
    })),
    openedAtMs,
    closesAtMs: openedAtMs + BIDDING_MS,
    ...{ snapshotDigest: hash32(randomHex(32)), blocks: [], engine: hash32(randomHex(32)) },
  };
  return instance;
}

interface Opened {
  readonly key: string;
  readonly auctionId: ReturnType<typeof hash32>;
  readonly ids: readonly OrderId[];
  readonly instance: AuctionInstance;
}

async function opened(count = 1): Promise<Opened> {
  await endGathering();
  const ids = await admitted(count);
  let key = '';
  for (const id of ids) key = await join(id);
  const instance = instanceOf(ids, await auctions.nowMs());
  const auctionId = hash32(randomHex(32));
  const event = { auctionId, to: null, type: 'auction.opened', data: { auctionId } };
  const write = await auctions.open(
    {
      ...{ key, auctionId, instance, instanceJson: { version: 2 }, dropped: [], event },
      orderEvents: [{ type: 'order.auction', data: { auctionId } }],
      jobs: [{ kind: 'bid', key, runAtMs: 0 }],
    },
    await leaseOf('auction', key),
  );
  expect(write).toBe('applied');
  return { key, auctionId, ids, instance };
}

function bidOf(auction: Opened, by: EvmAddress = filler()): StoredBid {
  const bid: SignedBid = {
    auctionId: auction.auctionId,
    filler: by,
    items: auction.ids.map((orderId) => ({ orderId, amounts: [2n ** 255n, 1n] })),
    signature: randomHex(65),
  };
  return { hash: hash32(randomHex(32)), bid, reserves: { '1:A': '7' }, notes: { why: 'test' } };
}

function closingOf(auction: Opened, by: EvmAddress): Closing {
  return {
    key: auction.key,
    record: { winners: [] },
    transitions: auction.ids.map((orderId) => ({
      orderId,
      from: 'created',
      to: 'awarded',
      award: { filler: by },
      events: [{ type: 'order.awarded', data: {} }],
    })),
    notes: [],
    awards: auction.ids.map((orderId) => ({
      orderId,
      filler: by,
      awardId: awardId(randomHex(32)),
    })),
    events: [
      { auctionId: auction.auctionId, to: null, type: 'auction.closed', data: {} },
      { auctionId: auction.auctionId, to: by, type: 'award', data: {} },
    ],
    jobs: auction.ids.map((key) => ({ kind: 'serve', key, runAtMs: 0 })),
  };
}

/** Moves the end of the bidding to `ms` from now, by the database's own clock. */
async function endsIn({ key }: Opened, ms: number): Promise<number> {
  const [row] = await postgres.database.rows(
    sql<{ at: string }>`UPDATE auctions SET closes_at_ms = now_ms() + ${ms}::bigint
      WHERE id = ${key}::bigint RETURNING closes_at_ms AS at`,
  );
  return Number(row?.at);
}
const pass = (auction: Opened) => endsIn(auction, -1);

describe('join', () => {
  test('default: 40 orders at once share as few auctions as the maximum allows', async () => {
    await endGathering();
    const ids = await admitted(40);
    const leases = await Promise.all(ids.map((id) => leaseOf('serve', id)));
    const keys = await Promise.all(
      ids.map((id, i) => auctions.join(id, GATHER_MS, 16, present(leases[i], 'lease'))),
    );
    const sizes = new Map<string, number>();
    for (const key of keys) sizes.set(key, (sizes.get(key) ?? 0) + 1);
    expect([...sizes.values()].toSorted((a, b) => b - a)).toEqual([16, 16, 8]);
    expect(await join(present(ids[0], 'an order'))).toBe(keys[0]);
    const job = await postgres.database.rows(
      sql`SELECT 1 FROM jobs WHERE kind = 'auction' AND key = ${keys[0]}`,
    );
    expect(job.length).toBe(1);
  });

  test('error: a worker that lost its lease joins nothing', async () => {
    const [id] = await admitted(1);
    const lease = await leaseOf('serve', present(id, 'an order'));
    await postgres.store.completeJob(lease);
    const late = auctions.join(present(id, 'an order'), GATHER_MS, 16, lease);
    await expect(late).rejects.toBeInstanceOf(LeaseLost);
  });
});

describe('open', () => {
  test('default: fixed once, with its event, its orders’ events and its job', async () => {
    const auction = await opened(2);
    const row = present(await auctions.find(auction.auctionId), 'the auction');
    expect(row).toMatchObject({ state: 'bidding', key: auction.key, record: null });
    expect(row.orderIds).toEqual(auction.ids.toSorted());
    const [id] = auction.ids;
    const events = await postgres.store.events(present(id, 'an order'), 0, 10);
    expect(events.map(({ type }) => type)).toContain('order.auction');
    const again = await auctions.open(
      {
        ...auction,
        ...{ instanceJson: {}, dropped: [], orderEvents: [], jobs: [] },
        event: { auctionId: null, to: null, type: 'x', data: {} },
      },
      await leaseOf('auction', auction.key),
    );
    expect(again).toBe('alreadyApplied');
  });

  test('behavior: a member that came or went since the prices were read changes nothing', async () => {
    await endGathering();
    const [a, b] = await admitted(2);
    const [one, two] = [present(a, 'a'), present(b, 'b')];
    const key = await join(one);
    const instance = instanceOf([one], await auctions.nowMs());
    await join(two);
    const opening = {
      ...{ key, auctionId: hash32(randomHex(32)), instance, instanceJson: {} },
      ...{ dropped: [], orderEvents: [], jobs: [] },
      event: { auctionId: null, to: null, type: 'x', data: {} },
    };
    const lease = await leaseOf('auction', key);
    expect(await auctions.open(opening, lease)).toBe('changed');
    expect(await auctions.open({ ...opening, dropped: [two] }, lease)).toBe('applied');
    // The dropped one is free to join another.
    expect(await join(two)).not.toBe(key);
  });
});

describe('place', () => {
  test('default: a bid once; the same again is known; limits are exact under 40 at once', async () => {
    const auction = await opened();
    const bid = bidOf(auction);
    expect(await auctions.place(bid, LIMITS)).toBe('added');
    expect(await auctions.place(bid, LIMITS)).toBe('known');
    const by = filler();
    const limits = { perAuction: 20, perFiller: 5 };
    const mine = await Promise.all(
      Array.from({ length: 10 }, () => auctions.place(bidOf(auction, by), limits)),
    );
    expect(mine.filter((placed) => placed === 'added').length).toBe(5);
    expect(mine.filter((placed) => placed === 'fillerFull').length).toBe(5);
    const all = await Promise.all(
      Array.from({ length: 40 }, () => auctions.place(bidOf(auction), limits)),
    );
    expect(all.filter((placed) => placed === 'added').length).toBe(20 - 6);
    const live = await auctions.liveReserves(bid.bid.filler);
    expect(live).toEqual([{ orderIds: auction.ids, reserves: bid.reserves }]);
  });

  test('error: after the end by the database’s clock, or for an unknown auction', async () => {
    const auction = await opened(1);
    await pass(auction);
    expect(await auctions.place(bidOf(auction), LIMITS)).toBe('closed');
    const unknown = { ...auction, auctionId: hash32(randomHex(32)) };
    expect(await auctions.place(bidOf(unknown), LIMITS)).toBe('notFound');
  });

  test('attack: bids hammer the closing; whoever was told yes is in, and nobody else', async () => {
    const other = openDatabase({ url: postgres.server.url, clock });
    const rival = createPostgresAuctions(other, createHints(other));
    for (let round = 0; round < 5; round += 1) {
      const auction = await opened();
      const closesAtMs = await endsIn(auction, 150);
      const answers = new Map<string, string>();
      let stop = false;
      const hammer = async (door: AuctionStore) => {
        while (!stop) {
          const bid = bidOf(auction);
          answers.set(bid.hash, await door.place(bid, LIMITS));
        }
      };
      const hammers = [auctions, rival, auctions, rival].map(hammer);
      const lease = await leaseOf('auction', auction.key);
      let sealed: readonly StoredBid[] | null = null;
      while (sealed === null) sealed = await auctions.seal(auction.key, lease);
      await clock.sleep(20);
      stop = true;
      await Promise.all(hammers);
      const yes = [...answers].filter(([, placed]) => placed === 'added').map(([hash]) => hash);
      expect(sealed.map(({ hash }) => hash).toSorted()).toEqual(yes.toSorted());
      expect([...answers.values()]).toContain('closed');
      expect(await auctions.seal(auction.key, lease)).toEqual(sealed);
      const rows = await postgres.database.rows(
        sql<{
          at: string;
        }>`SELECT at_ms AS at FROM auction_bids WHERE auction = ${auction.key}::bigint`,
      );
      for (const { at } of rows) expect(Number(at)).toBeLessThanOrEqual(closesAtMs);
    }
    await other.close();
  });
});

describe('seal', () => {
  test('default: null before the end; then every bid as it was signed', async () => {
    const auction = await opened(2);
    const bid = bidOf(auction);
    await auctions.place(bid, LIMITS);
    const lease = await leaseOf('auction', auction.key);
    expect(await auctions.seal(auction.key, lease)).toBeNull();
    await pass(auction);
    expect(await auctions.seal(auction.key, lease)).toEqual([bid]);
  });
});

describe('close', () => {
  test('default: eight closers at once make one record, one award an order, one set of events', async () => {
    const auction = await opened(3);
    await pass(auction);
    const by = filler();
    const before = await auctions.newest();
    const leases = await Promise.all(
      Array.from({ length: 8 }, () => leaseOf('auction', auction.key)),
    );
    await auctions.seal(auction.key, present(leases[0], 'lease'));
    const writes = await Promise.all(
      leases.map((lease) => auctions.close(closingOf(auction, by), lease)),
    );
    expect(writes.filter((write) => write === 'applied').length).toBe(1);
    expect(writes.filter((write) => write === 'alreadyApplied').length).toBe(7);
    for (const id of auction.ids) {
      expect((await postgres.store.getOrder(id))?.state).toBe('awarded');
      const events = await postgres.store.events(id, 0, 10);
      expect(events.filter(({ type }) => type === 'order.awarded').length).toBe(1);
    }
    expect((await auctions.awardsOf(auction.ids)).length).toBe(3);
    const mine = await auctions.feed(by, before, 10);
    expect(mine.map(({ type }) => type)).toEqual(['auction.closed', 'award']);
    const others = await auctions.feed(filler(), before, 10);
    expect(others.map(({ type }) => type)).toEqual(['auction.closed']);
    expect(await auctions.record(by, 0)).toMatchObject({ won: 3, open: 3, recent: [] });
  });

  test('error: an order that left `created` meanwhile: nothing at all is written', async () => {
    const auction = await opened(2);
    await pass(auction);
    const [gone, kept] = auction.ids.map((id) => present(id, 'an order'));
    await postgres.store.applyTransition(
      { orderId: present(gone, 'gone'), from: 'created', to: 'failed', events: [] },
      null,
    );
    const lease = await leaseOf('auction', auction.key);
    await auctions.seal(auction.key, lease);
    const by = filler();
    expect(await auctions.close(closingOf(auction, by), lease)).toBe('changed');
    expect((await auctions.read(auction.key))?.state).toBe('bidding');
    expect((await postgres.store.getOrder(present(kept, 'kept')))?.state).toBe('created');
    expect(await auctions.record(by, 0)).toBeNull();
    const without = closingOf({ ...auction, ids: [present(kept, 'kept')] }, by);
    expect(await auctions.close(without, lease)).toBe('applied');
    // Released from the auction: it could join the next one, were it still `created`.
    const live = sql`SELECT 1 FROM auction_orders WHERE auction = ${auction.key}::bigint AND live`;
    expect((await postgres.database.rows(live)).length).toBe(0);
  });

  test('behavior: an order nobody won keeps the reason, and joins the next auction', async () => {
    const auction = await opened(1);
    await pass(auction);
    const lease = await leaseOf('auction', auction.key);
    const [id] = auction.ids.map((orderId) => present(orderId, 'an order'));
    const orderId = present(id, 'an order');
    await auctions.noteNoBid(auction.key, orderId, 'too dear');
    expect(await auctions.noBidReasons(auction.key)).toEqual(new Map([[orderId, 'too dear']]));
    await auctions.seal(auction.key, lease);
    const note = { orderId, events: [{ type: 'order.noBid', data: {} }], facts: { noBid: 'dear' } };
    const closing = { ...closingOf({ ...auction, ids: [] }, filler()), notes: [note] };
    expect(await auctions.close(closing, lease)).toBe('applied');
    expect((await postgres.store.getOrder(orderId))?.facts).toEqual({ noBid: 'dear' });
    expect(await join(orderId)).not.toBe(auction.key);
    const [newest] = await auctions.list({ orderId, limit: 5 });
    expect(newest).toMatchObject({ key: auction.key, state: 'closed' });
  });
});

describe('outcomes', () => {
  test('default: counted once, with the transition, and told to the filler', async () => {
    const auction = await opened(1);
    await pass(auction);
    const lease = await leaseOf('auction', auction.key);
    await auctions.seal(auction.key, lease);
    const by = filler();
    await auctions.close(closingOf(auction, by), lease);
    const [orderId] = auction.ids.map((id) => present(id, 'an order'));
    const id = present(orderId, 'an order');
    const end = (from: 'awarded' | 'refunding', to: 'refunding' | 'refunded') =>
      postgres.store.applyTransition(
        { orderId: id, from, to, events: [], outcome: to === 'refunding' ? 'faded' : 'filled' },
        null,
      );
    expect(await end('awarded', 'refunding')).toBe('applied');
    expect(await end('awarded', 'refunding')).toBe('alreadyApplied');
    expect(await end('refunding', 'refunded')).toBe('applied');
    const record = present(await auctions.record(by, 0), 'the record');
    expect(record).toMatchObject({ won: 1, faded: 1, filled: 0, open: 0 });
    expect(record.recent.map(({ outcome }) => outcome)).toEqual(['faded']);
    const told = (await auctions.feed(by, 0, 1_000)).filter(({ type }) => type === 'award.outcome');
    expect(told.map(({ data }) => data)).toEqual([
      { auctionId: auction.auctionId, orderId: id, outcome: 'faded' },
    ]);
    expect((await auctions.records(0, 10_000)).map((row) => row.filler)).toContain(by);
  });
});

describe('feed', () => {
  test('property: a reader of what follows the last number misses nothing of 4 writers', async () => {
    const writers: Opened[] = [];
    for (let n = 0; n < 4; n += 1) writers.push(await opened(4));
    for (const auction of writers) await pass(auction);
    const start = await auctions.newest();
    let writing = true;
    const seen: number[] = [];
    const reader = (async () => {
      let last = start;
      for (;;) {
        const over = !writing;
        for (const { seq } of await auctions.feed(null, last, 100)) {
          seen.push(seq);
          last = seq;
        }
        if (over) return;
      }
    })();
    await Promise.all(
      writers.map(async (auction) => {
        const lease = await leaseOf('auction', auction.key);
        await auctions.seal(auction.key, lease);
        const events = Array.from({ length: 200 }, (_, n) => ({
          ...{ auctionId: auction.auctionId, to: null, type: 'test', data: { n } },
        }));
        await auctions.close({ ...closingOf(auction, filler()), events }, lease);
      }),
    );
    writing = false;
    await reader;
    expect(seen.length).toBe(800);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test('behavior: another process hears of the market by a hint', async () => {
    const other = openDatabase({ url: postgres.server.url, clock });
    const hints = createHints(other);
    const elsewhere = createPostgresAuctions(other, hints);
    let heard = 0;
    const stop = elsewhere.onMarket(() => {
      heard += 1;
    });
    await until('the listener', () => heard > 0);
    const before = heard;
    await opened();
    await until('the hint', () => heard > before);
    stop();
    await hints.close();
    await other.close();
  });
});
