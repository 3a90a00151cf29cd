// Idempotency keys over two API processes on one PostgreSQL, through sockets: the real admission over
// simulated chains, the real store, the real keys.

import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createIdempotency } from '../../api/idempotency.ts';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import {
  domain,
  hashOrder,
  orderDigest,
  type PortfolioOrder,
  portfolioOrderTypes,
} from '../../contracts-abi/typedData.ts';
import { type Database, openDatabase } from '../../solver/adapters/postgres.ts';
import { createPostgresIdempotency } from '../../solver/adapters/postgresIdempotency.ts';
import { createPostgresStore } from '../../solver/adapters/postgresStore.ts';
import { createAdmission } from '../../solver/settlement/admission.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { chainId, type Hex } from '../../solver/types/ids.ts';
import type { Store } from '../../solver/types/store.ts';
import {
  startTestPostgres,
  type TestPostgres,
  until,
  clock as wallClock,
} from '../adapters/support.ts';
import { SimChain } from '../settlement/sim/chain.ts';
import { balanceKey } from '../settlement/sim/contracts.ts';
import { simRng } from '../settlement/sim/rng.ts';
import { auctioneer, owner, START, simNetwork, simOrder } from '../settlement/sim/world.ts';
import { fakeTrimtab } from './fakeTrimtab.ts';

/** `npm test` has a few; test/e2e/duplicates.test.ts has 200. */
const ROUNDS = Number(process.env.TRIMTAB_DUPLICATE_ROUNDS ?? 5);

let postgres: TestPostgres;
interface Api {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly database: Database;
  readonly store: Store;
}
let apis: readonly [Api, Api];
let seed = 1;
let order: PortfolioOrder;

beforeAll(async () => {
  postgres = await startTestPostgres();
  apis = [await startApi(), await startApi()];
});
beforeEach(() => {
  order = simOrder(simRng(seed++));
});
afterAll(async () => {
  for (const { app, store } of apis ?? []) {
    await app.close();
    await store.close();
  }
  await postgres?.end();
});

/** What one process would have of its own: connections, store, application. */
async function startApi(): Promise<Api> {
  const database = openDatabase({ url: postgres.server.url, clock: wallClock });
  const store = createPostgresStore(database);
  const network = simNetwork();
  const orders = new Map<Hex, PortfolioOrder>();
  const chains = new Map(
    network.chains.map((c) => [c.chainId, new SimChain(c.chainId, START, orders)]),
  );
  const admission = createAdmission({
    store,
    chains,
    network,
    auctioneer: auctioneer.address,
    clock: { now: () => unixSeconds(START), nowMs: () => START * 1_000, sleep: async () => {} },
  });
  const app = await buildApp({
    trimtab: {
      ...fakeTrimtab(),
      idempotency: createPostgresIdempotency(database),
      async submit(request) {
        fund(chains, order);
        return admission.submit(request);
      },
      async getOrder(id) {
        const row = await store.getOrder(id);
        return row === null ? null : { order: row, transactions: [], quotedAmounts: null };
      },
    },
    requestsPerMinute: 1_000_000,
    onError: (error) => {
      throw error;
    },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, url, database, store };
}

function fund(chains: ReadonlyMap<number, SimChain>, { origins, owner: who }: PortfolioOrder) {
  for (const origin of origins) {
    chains.get(chainId(Number(origin.chainId)))?.poke((state) => {
      for (const { token, amount } of origin.inputs) {
        state.balances.set(balanceKey(token, who), amount);
      }
    });
  }
}

async function body(): Promise<string> {
  return JSON.stringify({
    order: {
      type: 'trimtab-portfolio-v1',
      payload: {
        signatureType: 'eip712',
        domain,
        primaryType: 'PortfolioOrder',
        message: orderToJson(order),
        types: portfolioOrderTypes,
      },
    },
    signature: await owner.sign({ hash: orderDigest(order) }),
  });
}

const post = (at: Api, key: string, text: string) =>
  fetch(`${at.url}/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: text,
  });

const codeOf = async (answer: Response): Promise<unknown> =>
  ((await answer.json()) as { code?: unknown }).code;

async function rowsOf(id: Hex): Promise<number> {
  const [row] = await postgres.database.rows(
    sql<{ n: string }>`SELECT count(*) AS n FROM orders WHERE order_id = ${id}`,
  );
  return Number(row?.n);
}

describe('idempotency keys', () => {
  test(`behavior: 64 concurrent duplicates over two processes are one row, accepted 64 times, ${ROUNDS} ×`, {
    timeout: 30_000 + ROUNDS * 2_000,
  }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      order = simOrder(simRng(seed++));
      const text = await body();
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, i) => post(apis[i % 2 === 0 ? 0 : 1], `dup-${round}`, text)),
      );
      const bodies = await Promise.all(answers.map((answer) => answer.text()));
      expect([...new Set(answers.map(({ status }) => status))]).toEqual([202]);
      expect(new Set(bodies.map((one) => JSON.stringify(JSON.parse(one)))).size).toBe(1);
      const replayed = answers.filter((one) => one.headers.get('idempotency-replayed') === 'true');
      expect(replayed).toHaveLength(63);
      expect(await rowsOf(hashOrder(order))).toBe(1);
      const events = await apis[0].store.events(hashOrder(order) as never, 0, 10);
      expect(events.map(({ type }) => type)).toEqual(['order.created']);
    }
  });

  test('behavior: duplicates without a key are one row as well', async () => {
    const text = await body();
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        fetch(`${apis[i % 2 === 0 ? 0 : 1].url}/v1/orders`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: text,
        }),
      ),
    );
    expect([...new Set(answers.map(({ status }) => status))]).toEqual([202]);
    expect(await rowsOf(hashOrder(order))).toBe(1);
  });

  test('error: the same key with another body is a conflict in the other process too', async () => {
    expect((await post(apis[0], 'k2', await body())).status).toBe(202);
    order = simOrder(simRng(seed++));
    const answer = await post(apis[1], 'k2', await body());
    expect([answer.status, await codeOf(answer)]).toEqual([409, 'idempotencyConflict']);
    expect(await rowsOf(hashOrder(order))).toBe(0);
  });

  test('behavior: a refused request frees its key, for another body too', async () => {
    const signed = JSON.parse(await body());
    const refused = await post(
      apis[0],
      'k3',
      JSON.stringify({ ...signed, signature: `0x${'11'.repeat(64)}1b` }),
    );
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect((await post(apis[1], 'k3', JSON.stringify(signed))).status).toBe(202);
  });

  test('error: a key that another process works on with another body is a conflict at once', async () => {
    const digestOfNobody = 'ab'.repeat(32);
    const store = createPostgresIdempotency(apis[0].database);
    const begun = await store.begin('k4', digestOfNobody, 60_000);
    expect(begun.state).toBe('yours');
    const answer = await post(apis[1], 'k4', await body());
    expect([answer.status, await codeOf(answer)]).toEqual([409, 'idempotencyConflict']);
  });

  test('error: the same body still running after the wait is idempotencyInProgress', async () => {
    const keys = createIdempotency({
      begin: async () => ({ state: 'running' }),
      finish: async () => {},
      free: async () => {},
    });
    const refused = await keys.once('k', {}, async () => ({})).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'idempotencyInProgress', retryAfterSeconds: 1 });
  });

  test('behavior: a process that died is replaced when its lease ran out, by the same body only', async () => {
    const store = createPostgresIdempotency(apis[0].database);
    const mine = 'cd'.repeat(32);
    expect((await store.begin('k5', mine, 1)).state).toBe('yours');
    await until('the lease is over', async () => {
      const other = await store.begin('k5', 'ef'.repeat(32), 1_000);
      expect(other.state).toBe('otherBody');
      return (await store.begin('k5', mine, 60_000)).state === 'yours';
    });
  });

  test('behavior: an answer is forgotten after its day, and a late finish writes nothing', async () => {
    const store = createPostgresIdempotency(apis[0].database);
    const mine = 'cd'.repeat(32);
    const begun = await store.begin('k6', mine, 1_000);
    if (begun.state !== 'yours') throw new Error(begun.state);
    await store.finish('k6', begun.token, { orderId: '0x1' });
    expect(await store.begin('k6', mine, 1_000)).toEqual({
      state: 'done',
      answer: { orderId: '0x1' },
    });
    await postgres.database.rows(
      sql`UPDATE idempotency_keys SET expires_at_ms = now_ms() WHERE key = 'k6'`,
    );
    const again = await store.begin('k6', 'ef'.repeat(32), 1_000);
    expect(again.state).toBe('yours');
    await store.finish('k6', begun.token, { stale: true });
    expect((await store.begin('k6', 'ef'.repeat(32), 1_000)).state).toBe('running');
  });
});
