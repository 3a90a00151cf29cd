// Webhooks end to end on a real PostgreSQL with real local HTTP servers: events become deliveries once,
// in order for each order, signed, repeated until they arrive, and stop at a named maximum.

import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runWorker } from '../../solver/adapters/jobs.ts';
import { createPostgresWebhooks } from '../../solver/adapters/postgresWebhooks.ts';
import { systemRng } from '../../solver/adapters/rng.ts';
import { createWebhookSender } from '../../solver/adapters/webhookSender.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { evmAddress, type OrderId } from '../../solver/types/ids.ts';
import type { StoredWebhook, WebhookService, WebhookStore } from '../../solver/types/webhooks.ts';
import {
  createDeliver,
  DISPATCH_KEY,
  FAILURES_MAX,
  WEBHOOK_JOB,
  webhookBackoffMs,
} from '../../solver/webhooks/deliver.ts';
import { createWebhooks } from '../../solver/webhooks/service.ts';
import {
  clock,
  newOrder,
  randomHex,
  startTestPostgres,
  type TestPostgres,
  until,
} from './support.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

let postgres: TestPostgres;
let store: WebhookStore;
let service: WebhookService;
let receiver: Server;
let url: string;
let received: Received[];
/** The status of the n-th answer; default 200. */
let statusOf: (received: Received, n: number) => number;
let workers: { stop(): Promise<void> };

const sender = createWebhookSender({ clock, allowPrivate: true, timeoutMs: 2_000 });
/** As solver.ts wires it, with waits a test has time for. */
function startWorker() {
  const stopping = new AbortController();
  const deliver = createDeliver({
    store: {
      ...store,
      missed: (attempt) =>
        store.missed({ ...attempt, retryMs: attempt.retryMs === null ? null : 20 }),
    },
    sender,
    clock,
    privateQuotes: async (ids) => new Set(ids.filter((id) => id === 'q-private')),
  });
  const done = runWorker({
    store: postgres.store,
    clock,
    kinds: [WEBHOOK_JOB],
    handler: deliver,
    concurrency: 4,
    leaseMs: 5_000,
    pollMs: 20,
    signal: stopping.signal,
    onError: (error) => errors.push(error),
  });
  return {
    async stop() {
      stopping.abort(new Error('end of test'));
      await done;
    },
  };
}
const errors: unknown[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  store = createPostgresWebhooks(postgres.database, {
    kind: WEBHOOK_JOB,
    dispatchKey: DISPATCH_KEY,
  });
  service = createWebhooks({ store, sender, rng: systemRng });
});
afterAll(() => postgres?.end());
beforeEach(async () => {
  received = [];
  errors.length = 0;
  statusOf = () => 200;
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const one = { headers: request.headers, body, json: JSON.parse(body) };
      received.push(one);
      response.writeHead(statusOf(one, received.length)).end('ok');
    });
  });
  await new Promise<void>((up) => receiver.listen(0, '127.0.0.1', up));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  workers = startWorker();
});
afterEach(async () => {
  await workers.stop();
  await new Promise((down) => receiver.close(down));
  await postgres.database.rows(sql`DELETE FROM webhooks`);
  expect(errors).toEqual([]);
});

async function register(change: Partial<Parameters<WebhookService['create']>[0]> = {}) {
  const made = await service.create({ url, ...change });
  if (isRefusal(made)) throw new Error(made.message);
  return made as StoredWebhook;
}
const anOwner = () => evmAddress(randomHex(20));

let nonce = 0;

async function admit(owner = anOwner(), events = ['order.created'], quoteId = 'q') {
  const order = newOrder({ owner, nonce: String(nonce++) });
  await postgres.store.admitOrder(
    order,
    events.map((type) => ({ type, data: { quoteId } })),
    [],
  );
  return order.orderId;
}
const addEvents = (id: OrderId, types: readonly string[]) =>
  postgres.store.appendEvents(
    id,
    types.map((type) => ({ type, data: {} })),
    null,
  );
const typesOf = (id: OrderId) =>
  received.filter(({ json }) => json.orderId === id).map(({ json }) => json.type);

describe('webhooks', () => {
  test('default: an owner’s events arrive in order, signed, and nobody else’s', async () => {
    const owner = anOwner();
    const hook = await register({ owner });
    const id = await admit(owner, ['order.created', 'order.awarded', 'order.opening']);
    await admit();
    await until('three arrive', () => received.length >= 3);
    expect(typesOf(id)).toEqual(['order.created', 'order.awarded', 'order.opening']);
    for (const { headers, body, json } of received) {
      expect(json).toMatchObject({ webhookId: hook.webhookId, orderId: id });
      expect(headers['trimtab-delivery']).toBe(json.deliveryId);
      const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(
        String(headers['trimtab-signature']),
      ) as RegExpExecArray;
      expect(v1).toBe(createHmac('sha256', hook.secret).update(`${t}.${body}`).digest('hex'));
    }
    const page = await service.deliveries(hook.webhookId, hook.secret, { before: null, limit: 2 });
    if (isRefusal(page)) throw new Error(page.message);
    expect(page.deliveries.map(({ type, state }) => [type, state])).toEqual([
      ['order.opening', 'delivered'],
      ['order.awarded', 'delivered'],
    ]);
    expect(page.next).not.toBeNull();
  });

  test('behavior: order ids and event types filter; what was before the webhook is not sent', async () => {
    const id = await admit();
    await register({ orderIds: [id], events: ['order.settled', 'order.failed'] });
    await addEvents(id, ['order.awarded', 'order.settled']);
    await until('one arrives', () => received.length >= 1);
    expect(typesOf(id)).toEqual(['order.settled']);
  });

  test('behavior: an attempt that fails is repeated, and holds back its own order only', async () => {
    const owner = anOwner();
    await register({ owner });
    const stuck = await admit(owner, ['order.created', 'order.awarded']);
    let refusals = 4;
    statusOf = ({ json }) => (json.orderId === stuck && refusals-- > 0 ? 500 : 204);
    await until('it arrives', () => typesOf(stuck).includes('order.awarded'));
    const other = await admit(owner, ['order.created']);
    await until('the other arrives', () => typesOf(other).length === 1);
    const mine = received.filter(({ json }) => json.orderId === stuck);
    expect(mine.map(({ json }) => json.type)).toEqual([
      ...Array(5).fill('order.created'),
      'order.awarded',
    ]);
    const ids = mine.slice(0, 5).map(({ headers }) => headers['trimtab-delivery']);
    expect(new Set(ids).size).toBe(1);
  });

  test('behavior: disabled after failures in a row; a ping that arrives enables it from then on', async () => {
    const owner = anOwner();
    const hook = await register({ owner });
    statusOf = () => 503;
    for (let i = 0; i < 3; i += 1) await admit(owner, ['order.created', 'order.awarded']);
    const state = async () => {
      const now = await service.get(hook.webhookId, hook.secret);
      return isRefusal(now) ? '' : now.state;
    };
    await until('it is disabled', async () => (await state()) === 'disabled');
    expect(received.length).toBeGreaterThanOrEqual(FAILURES_MAX);
    await admit(owner);
    statusOf = () => 200;
    const ping = await service.ping(hook.webhookId, hook.secret);
    await until('it is active', async () => (await state()) === 'active');
    const pinged = received.filter(({ json }) => json.type === 'webhook.ping');
    expect(pinged[0]?.headers['trimtab-delivery']).toBe(
      (ping as { deliveryId: string }).deliveryId,
    );
    const before = received.length;
    const id = await admit(owner);
    await until('a new event arrives', () => received.length > before);
    expect(received.at(-1)?.json.orderId).toBe(id);
  });

  test('behavior: two workers and a killed one: every event at least once, each order in order', async () => {
    const owner = anOwner();
    await register({ owner });
    const second = startWorker();
    const ids: OrderId[] = [];
    for (let i = 0; i < 20; i += 1) {
      ids.push(await admit(owner, ['order.created', 'order.awarded', 'order.opening']));
      if (i === 10) await second.stop();
    }
    await until('all arrive', () => ids.every((id) => new Set(typesOf(id)).size === 3));
    for (const id of ids) {
      expect([...new Set(typesOf(id))]).toEqual([
        'order.created',
        'order.awarded',
        'order.opening',
      ]);
    }
  });

  test('behavior: the quote of a private policy is not named', async () => {
    const owner = anOwner();
    await register({ owner });
    await admit(owner, ['order.created'], 'q-private');
    await until('it arrives', () => received.length >= 1);
    expect(received[0]?.json.data).toEqual({ quoteId: null });
  });

  test('behavior: an event that commits late, below numbers already seen, is delivered', async () => {
    const owner = anOwner();
    await register({ owner });
    const late = newOrder({ owner, nonce: String(nonce++) });
    await postgres.store.admitOrder(late, [], []);
    let commit = () => {};
    const held = new Promise<void>((go) => {
      commit = go;
    });
    const writing = postgres.database.transaction(async (on) => {
      await postgres.database.rows(
        sql`INSERT INTO events (order_id, at_ms, type, data)
            VALUES (${late.orderId}, now_ms(), 'order.awarded', '{}')`,
        on,
      );
      await held;
    });
    const first = await admit(owner);
    await until('the later one arrives', () => typesOf(first).length === 1);
    commit();
    await writing;
    await until('the one that was late arrives', () => typesOf(late.orderId).length === 1);
  });

  test('error: another secret, another id; a removed webhook gets nothing more', async () => {
    const owner = anOwner();
    const hook = await register({ owner, secret: 'a-secret-of-mine' });
    for (const secret of ['', 'a-secret-of-minf', 'a-secret-of-mine!']) {
      expect(await service.get(hook.webhookId, secret)).toMatchObject({
        refused: 'webhookUnauthorized',
      });
    }
    expect(await service.get('wh-none', hook.secret)).toMatchObject({ refused: 'webhookNotFound' });
    expect(await service.remove(hook.webhookId, hook.secret)).toEqual({ removed: true });
    await admit(owner);
    await clock.sleep(700);
    expect(received).toEqual([]);
  });

  test('property: pauses double from a second to an hour', () => {
    expect([1, 2, 3, 12, 13].map(webhookBackoffMs)).toEqual([
      1_000, 2_000, 4_000, 2_048_000, 3_600_000,
    ]);
  });
});
