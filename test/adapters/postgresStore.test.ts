import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../solver/adapters/postgres.ts';
import { createPostgresStore } from '../../solver/adapters/postgresStore.ts';
import { present } from '../../solver/types/assert.ts';
import { evmAddress, hash32, type OrderId } from '../../solver/types/ids.ts';
import {
  type JobLease,
  LeaseLost,
  type Store,
  type StoredOrder,
  type Transition,
} from '../../solver/types/store.ts';
import {
  clock,
  newOrder,
  randomHex,
  randomOrderId,
  startTestPostgres,
  type TestPostgres,
  until,
} from './support.ts';

let postgres: TestPostgres;
let store: Store;
beforeAll(async () => {
  postgres = await startTestPostgres();
  store = postgres.store;
});
afterAll(() => postgres?.end());

const ASKER = evmAddress(`0x${'a1'.repeat(20)}`);
const created = { type: 'order.created', data: { by: 'test' } };
const award = (orderId: OrderId, change: Partial<Transition> = {}): Transition => ({
  orderId,
  from: 'created',
  to: 'awarded',
  award: { filler: '0x01' },
  events: [{ type: 'order.awarded', data: {} }],
  ...change,
});
const job = (kind: string, key: string, runAtMs = 0) => ({ kind, key, runAtMs });

async function claim(kind: string, leaseMs = 60_000): Promise<JobLease> {
  return present(await store.claimJob([kind], leaseMs), `a due job of kind ${kind}`);
}
const hash32Of = (k: number) => hash32(`0x${k.toString(16).padStart(64, '0')}`);

async function countOf(table: string, orderId: OrderId): Promise<number> {
  const [row] = await postgres.database.rows(
    sql<{ n: string }>`SELECT count(*) AS n FROM ${sql.table(table)} WHERE order_id = ${orderId}`,
  );
  return Number(row?.n);
}

describe('putQuote', () => {
  test('default: texts come back exactly, twice the same id keeps the first', async () => {
    const quote = {
      quoteId: 'q1',
      createdAtMs: 1,
      validUntilMs: clock.nowMs() + 1e6,
      order: { z: '1', a: { 'ключ 😀': '2' } },
      quotedAmounts: ['1', `${2n ** 256n - 1n}`],
      problem: '{"b":1 , "a":2}',
      result: '{}',
      response: { quoteId: 'q1' },
    };
    await store.putQuote(quote);
    await store.putQuote({ ...quote, problem: 'other' });
    const found = present(await store.getQuote('q1'), 'quote');
    expect(found).toEqual(quote);
    expect(Object.keys(found.order)).toEqual(['z', 'a']);
    expect(await store.getQuote('q2')).toBeNull();
  });

  test('behavior: an order finds its quote by owner and nonce', async () => {
    const quote = {
      ...{ quoteId: 'mine', createdAtMs: 3, validUntilMs: clock.nowMs() + 60_000 },
      ...{ order: { owner: ASKER, nonce: '77' }, quotedAmounts: [], problem: '', result: '' },
      response: {},
    };
    await store.putQuote(quote);
    const { quoteId, validUntilMs, order, quotedAmounts } = quote;
    const terms = { quoteId, validUntilMs, order, quotedAmounts };
    expect(await store.quoteOfOrder(ASKER, '77')).toEqual(terms);
    expect(await store.getQuoteTerms('mine')).toEqual(terms);
    expect(await store.getQuoteTerms('yours')).toBeNull();
    expect(await store.quoteOfOrder(ASKER, '78')).toBeNull();
  });

  test('behavior: quotes of one snapshot store its text once; many at a time all come back', async () => {
    const text = { head: '{"nodes":[],"objective":', tail: ',"version":1}', shared: hash32Of(7) };
    const quotes = Array.from({ length: 100 }, (_, k) => ({
      ...{
        quoteId: `shared-${k}`,
        createdAtMs: clock.nowMs(),
        validUntilMs: clock.nowMs() + 60_000,
      },
      ...{ order: { owner: ASKER, nonce: `9${k}` }, quotedAmounts: [], result: `{"${k}":0}` },
      problem: `${text.head}{"k":${k}}${text.tail}`,
      problemText: { ...text, objective: `{"k":${k}}` },
      response: { k },
    }));
    await Promise.all(quotes.map((quote) => store.putQuote(quote)));
    for (const { problemText: _, ...quote } of quotes) {
      expect(await store.getQuote(quote.quoteId)).toEqual(quote);
    }
    const [row] = await postgres.database.rows(
      sql<{ n: string }>`SELECT count(*) AS n FROM quote_snapshots`,
    );
    expect(Number(row?.n)).toBe(1);
  });

  test('behavior: a snapshot is dropped once no quote names it and nobody trusts it', async () => {
    const put = (k: number) =>
      store.putQuote({
        ...{ quoteId: `old-${k}`, createdAtMs: clock.nowMs(), validUntilMs: 2, order: {} },
        ...{ quotedAmounts: [], problem: 'hot', result: '{}', response: {} },
        problemText: { head: 'h', objective: 'o', tail: `t${k}`, shared: hash32Of(k) },
      });
    await put(20);
    await postgres.database.rows(sql`UPDATE quote_snapshots SET used_at_ms = 5`);
    await put(21);
    const known = async (k: number) =>
      (
        await postgres.database.rows(
          sql`SELECT 1 FROM quote_snapshots WHERE snapshot_id = ${hash32Of(k)}`,
        )
      ).length;
    expect([await known(7), await known(20), await known(21)]).toEqual([1, 1, 1]);
    await postgres.database.rows(sql`DELETE FROM quotes WHERE quote_id = 'old-20'`);
    await put(22);
    expect([await known(7), await known(20), await known(21)]).toEqual([1, 0, 1]);
  });

  test('behavior: quotes that expired long ago are dropped unless they were ordered', async () => {
    const order = { createdAtMs: 1, order: {}, quotedAmounts: [], response: {} };
    const old = { ...order, problem: '', result: '', validUntilMs: clock.nowMs() };
    await store.putQuote({ ...old, quoteId: 'kept' });
    await store.putQuote({ ...old, quoteId: 'dropped' });
    await store.admitOrder(newOrder({ quoteId: 'kept' }), [], []);
    await postgres.database.rows(sql`
      UPDATE quotes SET valid_until_ms = 2 WHERE quote_id IN ('kept', 'dropped')`);
    // Dropped with a process's first write, and then with one of many.
    const another = createPostgresStore(postgres.database);
    await another.putQuote({ ...old, quoteId: 'later' });
    expect(await store.getQuote('kept')).not.toBeNull();
    expect(await store.getQuote('dropped')).toBeNull();
  });
});

describe('what waits for the disk', () => {
  test('behavior: quotes do not, and nothing that comes after them on their connections follows suit', async () => {
    const database = openDatabase({ url: postgres.server.url, clock, poolMax: 2 });
    const own = createPostgresStore(database);
    const many = Array.from({ length: 40 }, (_, k) => ({
      ...{ quoteId: `lazy-${k}`, createdAtMs: 1, validUntilMs: clock.nowMs(), order: {} },
      ...{ quotedAmounts: [], problem: '', result: '', response: {} },
    }));
    await Promise.all(many.map((quote) => own.putQuote(quote)));
    const modes = await Promise.all(
      [1, 2].map(() =>
        database.rows(sql<{ mode: string }>`
          SELECT current_setting('synchronous_commit') AS mode, pg_sleep(0.1)`),
      ),
    );
    expect(modes.flat().map(({ mode }) => mode)).toEqual(['on', 'on']);
    await own.close();
  });
});

describe('admitOrder', () => {
  test('default: row, event and job appear together', async () => {
    const order = newOrder({ facts: { plan: ['1'] } });
    const jobs = [job('admit', order.orderId)];
    const admitted = await store.admitOrder(order, [created], jobs);
    const row = present(await store.getOrder(order.orderId), 'the row');
    expect(admitted).toEqual({ outcome: 'applied', order: row });
    expect(await store.getOrder(order.orderId)).toMatchObject({ ...order, version: 1 });
    expect(await store.events(order.orderId, 0, 10)).toMatchObject([created]);
    expect((await claim('admit')).key).toBe(order.orderId);
  });

  test('behavior: the same order again changes nothing, whatever its signature', async () => {
    const order = newOrder();
    await store.admitOrder(order, [created], []);
    const again = { ...order, ownerSignature: randomHex(65) };
    expect(await store.admitOrder(again, [created], [])).toMatchObject({
      ...{ outcome: 'alreadyApplied', order },
    });
    expect(await countOf('events', order.orderId)).toBe(1);
  });

  test('behavior: another order of the same owner and nonce writes nothing', async () => {
    const order = newOrder();
    await store.admitOrder(order, [created], []);
    const other = newOrder({ owner: order.owner });
    const jobs = [job('never', other.orderId)];
    expect(await store.admitOrder(other, [created], jobs)).toEqual({ outcome: 'nonceUsed' });
    expect(await store.getOrder(other.orderId)).toBeNull();
    expect(await store.claimJob(['never'], 1)).toBeNull();
  });

  test('behavior: an order whose quote the database forgot is not written; one that was stays known', async () => {
    const quote = {
      ...{ quoteId: 'fleeting', createdAtMs: 1, validUntilMs: clock.nowMs(), order: {} },
      ...{ quotedAmounts: [], problem: '', result: '', response: {} },
    };
    await store.putQuote(quote);
    const [early, late] = [1, 2].map(() => newOrder({ quoteId: 'fleeting' }));
    expect(early && (await store.admitOrder(early, [created], []))).toMatchObject({
      outcome: 'applied',
    });
    await postgres.database.rows(sql`DELETE FROM quotes WHERE quote_id = 'fleeting'`);
    const jobs = [job('fleeting', 'x')];
    expect(late && (await store.admitOrder(late, [created], jobs))).toEqual({
      outcome: 'quoteGone',
    });
    expect(late && (await store.getOrder(late.orderId))).toBeNull();
    expect(await store.claimJob(['fleeting'], 1)).toBeNull();
    expect(early && (await store.admitOrder(early, [created], []))).toMatchObject({
      outcome: 'alreadyApplied',
    });
  });

  test('behavior: of 64 concurrent duplicates one is applied and one row is made', async () => {
    const order = newOrder();
    const jobs = [job('sixtyFour', order.orderId)];
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => store.admitOrder(order, [created], jobs)),
    );
    expect(answers.filter(({ outcome }) => outcome === 'applied')).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === 'alreadyApplied')).toHaveLength(63);
    expect(await countOf('orders', order.orderId)).toBe(1);
    expect(await countOf('events', order.orderId)).toBe(1);
    await claim('sixtyFour');
    expect(await store.claimJob(['sixtyFour'], 1)).toBeNull();
  });

  test('behavior: of 64 concurrent orders of one nonce one is applied', async () => {
    const { owner } = newOrder();
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => store.admitOrder(newOrder({ owner }), [created], [])),
    );
    expect(answers.filter(({ outcome }) => outcome === 'applied')).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === 'nonceUsed')).toHaveLength(63);
    expect(await store.listOrders({ owner, limit: 100 })).toHaveLength(1);
  });

  test('behavior: many orders at once, with twins and rivals among them: to each its own answer', async () => {
    const fresh = Array.from({ length: 24 }, () => newOrder());
    const [twin, rival, ...plain] = fresh;
    if (twin === undefined || rival === undefined) throw new Error('orders');
    const early = newOrder({ facts: { here: 'before' } });
    await store.admitOrder(early, [created], []);
    const again = { ...twin, ownerSignature: randomHex(65) };
    const second = newOrder({ owner: rival.owner });
    const late = newOrder({ owner: early.owner });
    const gone = newOrder({ quoteId: 'forgotten' });
    const all = [twin, rival, again, second, early, late, ...plain, gone, again];
    const answers = await Promise.all(
      all.map((order) => store.admitOrder(order, [created], [job('crowd', order.orderId)])),
    );
    const rest = plain.map(() => 'applied');
    expect(answers.map(({ outcome }) => outcome)).toEqual([
      ...['applied', 'applied', 'alreadyApplied', 'nonceUsed', 'alreadyApplied', 'nonceUsed'],
      ...[...rest, 'quoteGone', 'alreadyApplied'],
    ]);
    for (const [i, answer] of answers.entries()) {
      const order = present(all[i], 'an order');
      if (answer.outcome === 'nonceUsed' || answer.outcome === 'quoteGone') {
        expect(await store.getOrder(order.orderId)).toBeNull();
      } else {
        expect(answer.order).toEqual(await store.getOrder(order.orderId));
        expect(await countOf('events', order.orderId)).toBe(1);
      }
    }
    expect((await store.getOrder(twin.orderId))?.ownerSignature).toBe(twin.ownerSignature);
    for (const _ of fresh) await claim('crowd');
    expect(await store.claimJob(['crowd'], 1)).toBeNull();
  });

  test('behavior: an order that the database refuses spoils no other that came with it', async () => {
    const [first, last] = [newOrder(), newOrder()];
    const bad = newOrder({ nonce: '-1' });
    const answers = await Promise.allSettled(
      [first, bad, last].map((order) => store.admitOrder(order, [created], [])),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: { code: 'storeFailed' } });
    expect(await countOf('orders', bad.orderId)).toBe(0);
    for (const { orderId } of [first, last]) expect(await countOf('events', orderId)).toBe(1);
  });

  test('error: ids and nonces that are not as they are written here', async () => {
    const { orderId, owner } = newOrder();
    const wrong = [
      { orderId: orderId.toUpperCase().replace('0X', '0x').replace(/.$/, 'F') },
      ...[{ orderId: orderId.slice(0, -1) }, { orderId: `1x${orderId.slice(2)}` }],
      ...[{ orderId: orderId.replace(/.$/, 'g') }, { owner: `${owner}0` }],
      ...[{ owner: owner.replace(/.$/, 'A') }, { owner: `0X${owner.slice(2)}` }],
      ...['', '07', '00', '+1', '1e3', ' 1', '٣', '1'.repeat(79)].map((nonce) => ({ nonce })),
    ];
    for (const change of wrong) {
      const order = newOrder(change as Partial<StoredOrder>);
      await expect(store.admitOrder(order, [], [])).rejects.toMatchObject({ code: 'storeFailed' });
    }
    for (const nonce of ['0', '9', `1${'0'.repeat(77)}`]) {
      const order = newOrder({ nonce });
      expect(await store.admitOrder(order, [], [])).toMatchObject({ outcome: 'applied' });
    }
  });

  test('property: processes that admit the same rivals in any order never lock each other out', async () => {
    const others = Array.from({ length: 3 }, () =>
      openDatabase({ url: postgres.server.url, clock }),
    );
    try {
      const stores = [store, ...others.map((database) => createPostgresStore(database))];
      for (let round = 0; round < 5; round += 1) {
        const orders = Array.from({ length: 16 }, () => newOrder());
        const rivals = orders.map(({ owner }) => newOrder({ owner }));
        const mixed = (k: number) =>
          [...orders, ...rivals].toSorted((a, b) =>
            a.orderId.slice(2 + k) < b.orderId.slice(2 + k) ? -1 : 1,
          );
        const answers = await Promise.all(
          stores.flatMap((one, k) => mixed(k).map((order) => one.admitOrder(order, [created], []))),
        );
        const applied = answers.filter(({ outcome }) => outcome === 'applied');
        expect(applied).toHaveLength(orders.length);
        for (const { owner } of orders) {
          expect(await store.listOrders({ owner, limit: 9 })).toHaveLength(1);
        }
      }
    } finally {
      for (const database of others) await database.close();
    }
  });
});

describe('applyTransition', () => {
  test('default: state, award, facts, event and job change together', async () => {
    const order = newOrder({ facts: { kept: '1', changed: '1' } });
    await store.admitOrder(order, [created], []);
    const step = award(order.orderId, {
      facts: { changed: '2' },
      reason: 'why',
      jobs: [job('awarded', order.orderId)],
    });
    expect(await store.applyTransition(step, null)).toBe('applied');
    expect(await store.getOrder(order.orderId)).toMatchObject({
      state: 'awarded',
      award: { filler: '0x01' },
      facts: { kept: '1', changed: '2' },
      reason: 'why',
      version: 2,
    });
    expect((await claim('awarded')).key).toBe(order.orderId);
    const next = { orderId: order.orderId, from: 'awarded', to: 'opening', events: [] } as const;
    await store.applyTransition(next, null);
    expect(await store.getOrder(order.orderId)).toMatchObject({ reason: 'why', version: 3 });
    await store.applyTransition({ ...next, from: 'opening', to: 'opened', reason: null }, null);
    expect((await store.getOrder(order.orderId))?.reason).toBeNull();
  });

  test('behavior: applied twice is alreadyApplied, with one event', async () => {
    const { orderId } = await admitted();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => store.applyTransition(award(orderId), null)),
    );
    expect(answers.toSorted()).toEqual([...Array(7).fill('alreadyApplied'), 'applied']);
    expect(await countOf('events', orderId)).toBe(2);
  });

  test('error: from a state that the order is not in', async () => {
    const { orderId } = await admitted();
    const step = award(orderId, { from: 'filling', to: 'filled' });
    await expect(store.applyTransition(step, null)).rejects.toMatchObject({
      code: 'stateConflict',
    });
    await expect(store.applyTransition(award(randomOrderId()), null)).rejects.toThrow('no order');
  });

  test('error: a stale fence is refused and nothing is written', async () => {
    const { orderId } = await admitted('stale');
    const lost = await claim('stale', 0);
    const held = await claim('stale');
    expect(held.fence).toBeGreaterThan(lost.fence);
    await expect(store.applyTransition(award(orderId), lost)).rejects.toThrow(LeaseLost);
    await expect(store.appendEvents(orderId, [created], lost)).rejects.toThrow(LeaseLost);
    await expect(store.completeJob(lost)).rejects.toThrow(LeaseLost);
    await expect(store.rescheduleJob(lost, 0)).rejects.toThrow(LeaseLost);
    await expect(store.heartbeat(lost, 1)).rejects.toThrow(LeaseLost);
    expect(await countOf('events', orderId)).toBe(1);
    expect(await store.applyTransition(award(orderId), held)).toBe('applied');
  });

  test('behavior: a job made again under its old name does not revive an old fence', async () => {
    const { orderId } = await admitted('reborn');
    const old = await claim('reborn');
    await store.completeJob(old);
    await store.applyTransition(award(orderId, { jobs: [job('reborn', orderId)] }), null);
    await claim('reborn');
    await expect(store.appendEvents(orderId, [created], old)).rejects.toThrow(LeaseLost);
  });
});

describe('events', () => {
  test('behavior: numbers rise in commit order under concurrent writers', async () => {
    const { orderId } = await admitted();
    let seen = 0;
    let reading = true;
    const read: number[] = [];
    const reader = (async () => {
      while (reading) {
        for (const event of await store.events(orderId, seen, 1_000)) {
          read.push(event.seq);
          seen = event.seq;
        }
      }
    })();
    await Promise.all(
      Array.from({ length: 100 }, () => store.appendEvents(orderId, [created], null)),
    );
    reading = false;
    await reader;
    const all = (await store.events(orderId, 0, 1_000)).map((event) => event.seq);
    expect(all).toHaveLength(101);
    // A reader that asks for what is after the last number it saw misses none.
    expect(read).toEqual(all.slice(0, read.length));
  });

  test('behavior: appendEvents merges facts and keeps data as it was', async () => {
    const { orderId } = await admitted();
    const data = { z: null, a: '😀', n: { deep: ['1'] } };
    await store.appendEvents(orderId, [{ type: 'tx.sent', data }], null, { profit: '-1' });
    expect((await store.events(orderId, 0, 10)).at(-1)?.data).toEqual(data);
    expect((await store.getOrder(orderId))?.facts).toEqual({ profit: '-1' });
  });
});

describe('jobs', () => {
  test('behavior: 100 jobs claimed by 20 workers, each once', async () => {
    const { orderId } = await admitted();
    const names = Array.from({ length: 100 }, (_, i) => `${i}`);
    await store.applyTransition(award(orderId, { jobs: names.map((n) => job('many', n)) }), null);
    const claimed: string[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (;;) {
          const lease = await store.claimJob(['many'], 60_000);
          if (lease === null) return;
          claimed.push(lease.key);
          await store.completeJob(lease);
        }
      }),
    );
    expect(claimed.toSorted()).toEqual(names.toSorted());
  });

  test('behavior: a job asked for while it runs is run again after it completed', async () => {
    const { orderId } = await admitted('again');
    const lease = await claim('again');
    const step = award(orderId, { jobs: [job('again', orderId)] });
    await store.applyTransition(step, lease);
    expect(await store.claimJob(['again'], 1)).toBeNull();
    await store.completeJob(lease);
    await store.completeJob(await claim('again'));
    expect(await store.claimJob(['again'], 1)).toBeNull();
  });

  test('behavior: rescheduled for later it waits, with an error it counts attempts', async () => {
    await admitted('later');
    const first = await claim('later');
    await store.rescheduleJob(first, 0, 'failed');
    const second = await claim('later');
    expect([first.attempts, second.attempts]).toEqual([1, 2]);
    await store.rescheduleJob(second, 0);
    const third = await claim('later');
    expect(third.attempts).toBe(1);
    await store.rescheduleJob(third, clock.nowMs() + 3_600_000);
    expect(await store.claimJob(['later'], 1)).toBeNull();
  });

  test('behavior: a heartbeat keeps a lease that would have ended', async () => {
    await admitted('heart');
    const lease = await claim('heart', 0);
    await store.heartbeat(lease, 60_000);
    expect(await store.claimJob(['heart'], 1)).toBeNull();
    await store.completeJob(lease);
  });
});

describe('hints', () => {
  test('default: heard in this process and in another, and again after a lost connection', async () => {
    const otherDatabase = openDatabase({ url: postgres.server.url, clock });
    const other = createPostgresStore(otherDatabase);
    try {
      const heard = new Set<string>();
      let jobs = 0;
      const stop = other.onEvents((orderId) => void heard.add(orderId));
      other.onJobs(() => {
        jobs += 1;
      });
      await until('connected', () => jobs > 0);
      const first = await admitted('hinted');
      await until('the first hint', () => heard.has(first.orderId));
      await postgres.database.rows(sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'trimtab hints'`);
      const second = await admitted();
      await until('the hint after the connection was lost', () => heard.has(second.orderId));
      const before = jobs;
      await admitted('hinted');
      await until('a job hint', () => jobs > before);
      stop();
    } finally {
      await other.close();
    }
  });
});

async function admitted(kind?: string) {
  const order = newOrder();
  const jobs = kind === undefined ? [] : [job(kind, order.orderId)];
  await store.admitOrder(order, [created], jobs);
  return order;
}
