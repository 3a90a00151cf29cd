// A server under load for `npm run bench -- api`, in a process of its own: the real HTTP layer over the
// real quoter, engine pool, admission and store on PostgreSQL. Only the chains are in memory: their
// nodes' speed is not ours. Does what its parent says: reports its memory, admits orders, appends events.

import { readFileSync } from 'node:fs';
import { startServer } from '../../api/server.ts';
import { systemClock as clock } from '../../solver/adapters/clock.ts';
import { loadKeccak } from '../../solver/adapters/keccak.ts';
import { migrate } from '../../solver/adapters/migrations.ts';
import { createOwnerReader } from '../../solver/adapters/ownerReader.ts';
import { openDatabase } from '../../solver/adapters/postgres.ts';
import { createPostgresStore } from '../../solver/adapters/postgresStore.ts';
import { systemRng } from '../../solver/adapters/rng.ts';
import { createTurns, inTurn } from '../../solver/adapters/turns.ts';
import { createEnginePool } from '../../solver/engine/pool.ts';
import { reservedNow } from '../../solver/filling/inventory.ts';
import type { MarketSource } from '../../solver/market/source.ts';
import { fundingOf, reservedLately, solveOn } from '../../solver/quotePorts.ts';
import { createQuoter } from '../../solver/quoting/quoter.ts';
import { createAdmission } from '../../solver/settlement/admission.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault, isRefusal } from '../../solver/types/errors.ts';
import { type ChainId, evmAddress, type OrderId, orderId } from '../../solver/types/ids.ts';
import type { SubmitRequest, Trimtab } from '../../solver/types/service.ts';
import { fakeTrimtab } from '../api/fakeTrimtab.ts';
import { signedOrder } from './apiOrders.ts';
import { marketsAt, memoryChain, network } from './apiWorld.ts';
import { percentile } from './statistics.ts';

export type ServerOrder =
  | { readonly op: 'memory' }
  | { readonly op: 'admit'; readonly count: number; readonly writers: number }
  | { readonly op: 'newOrder' }
  | {
      readonly op: 'events';
      readonly orderId: string;
      readonly count: number;
      readonly perSecond: number;
    };

const [, , databaseUrl = '', streamsMax = '1000'] = process.argv;
const auctioneer = evmAddress(`0x${'22'.repeat(20)}`);
await loadKeccak();
const database = openDatabase({ url: databaseUrl, clock, poolMax: 16 });
await migrate(database);
const store = createPostgresStore(database);
const pool = createEnginePool({
  wasmBytes: new Uint8Array(readFileSync('.build/trimtab.wasm')),
  size: Number(process.env.BENCH_WORKERS ?? 1),
});
const markets = marketsAt(100n, clock.now());
const marketOf = (id: ChainId) => present(markets.get(id), `market ${id}`);
const chains = new Map(
  [...markets].map(([id, { block }]) => [id, memoryChain(id, () => block)] as const),
);
const owners = new Map(
  network.chains.map(({ chainId, tokens, contracts }) => {
    const addresses = tokens.map(({ address }) => address);
    const read = createOwnerReader(present(chains.get(chainId), 'chain'), addresses);
    return [chainId, { read, settler: contracts.portfolioSettler }] as const;
  }),
);
const source: MarketSource = {
  chain: async (id) => marketOf(id),
  owner(id, owner, at) {
    const { read, settler } = present(owners.get(id), 'owners');
    return read(owner, settler, at);
  },
};
const filler = evmAddress(`0x${'33'.repeat(20)}`);
const books = { orders: store, bids: { liveReserves: async () => [] }, filler };
const reserved = reservedLately(() => reservedNow(books, []), store, clock);
const desk = {
  canFund: async () => {
    throw new Fault('the bench posts inventory for every quote', { retryable: false });
  },
};
const turn = createTurns();
const quoter = createQuoter({
  network,
  source,
  store,
  clock,
  rng: systemRng,
  auctioneer,
  solve: solveOn(pool, turn),
  reserved,
  canFund: fundingOf(desk, source, network, reserved),
});
const admission = createAdmission({ store, chains, clock, network, auctioneer });
const trimtab: Trimtab = {
  ...fakeTrimtab(),
  quote: inTurn(turn, quoter.quote),
  submit: (request) => admission.submit(request),
  async getOrder(orderId) {
    const order = await store.getOrder(orderId);
    return order === null ? null : { order, transactions: [], quotedAmounts: null };
  },
  events: (orderId, afterSeq, limit) => store.events(orderId, afterSeq, limit),
  subscribe: (orderId, listener) =>
    store.onEvents((changed) => {
      if (changed === orderId) listener();
    }),
  problem: async (quoteId) => (await store.getQuote(quoteId))?.problem ?? null,
  result: async (quoteId) => (await store.getQuote(quoteId))?.result ?? null,
};
const server = await startServer({
  trimtab,
  port: 0,
  requestsPerMinute: 1e9,
  streams: { streamsMax: Number(streamsMax) },
  onError: (error, where) => console.error(where, error),
});

/** A signed order whose quote is stored, as POST /v1/orders gets it. */
async function submission(k: number): Promise<SubmitRequest> {
  const { order, nonce, signature } = signedOrder(k, auctioneer, clock.now());
  const quoteId = `q-${nonce.toString(16)}`;
  await store.putQuote({
    quoteId,
    createdAtMs: clock.nowMs(),
    validUntilMs: clock.nowMs() + 600_000,
    order,
    quotedAmounts: ['900'],
    problem: '{}',
    result: '{}',
    response: { quoteId, order: { type: 'trimtab-portfolio-v1' } },
  });
  return { quoteId, signature };
}

async function submit(request: SubmitRequest): Promise<OrderId> {
  const answer = await admission.submit(request);
  if (isRefusal(answer)) throw new Error(`refused: ${answer.refused} ${answer.message}`);
  return answer.orderId;
}

/** `writers` at a time; milliseconds each admission took. */
async function admit(count: number, writers: number) {
  const requests: SubmitRequest[] = [];
  for (let k = 0; k < count; k += 64) {
    const some = Array.from({ length: Math.min(64, count - k) }, (_, i) => submission(k + i));
    requests.push(...(await Promise.all(some)));
  }
  const took: number[] = [];
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let next = requests.pop(); next !== undefined; next = requests.pop()) {
        const asked = performance.now();
        await submit(next);
        took.push(performance.now() - asked);
      }
    }),
  );
  const seconds = (performance.now() - begin) / 1_000;
  return { perSecond: count / seconds, p50: percentile(took, 0.5), p99: percentile(took, 0.99) };
}

async function appendEvents({
  orderId: id,
  count,
  perSecond,
}: Extract<ServerOrder, { op: 'events' }>) {
  const note = 'x'.repeat(180);
  const begin = performance.now();
  for (let k = 0; k < count; k++) {
    const due = begin + (k * 1_000) / perSecond;
    await clock.sleep(Math.max(0, due - performance.now()));
    const data = { hash: `0x${'ab'.repeat(32)}`, number: k, sentAtMs: clock.nowMs(), note };
    await store.appendEvents(orderId(id), [{ type: 'tx.sent', data }], null);
  }
  await store.appendEvents(orderId(id), [{ type: 'order.settled', data: {} }], null);
  return { seconds: (performance.now() - begin) / 1_000 };
}

async function obey(told: ServerOrder): Promise<unknown> {
  switch (told.op) {
    case 'memory':
      globalThis.gc?.();
      return {
        megabytes: process.memoryUsage().rss / 1e6,
        heap: process.memoryUsage().heapUsed / 1e6,
      };
    case 'admit':
      return admit(told.count, told.writers);
    case 'newOrder':
      return { orderId: await submit(await submission(1_000_000)) };
    case 'events':
      return appendEvents(told);
  }
}

process.on('message', (told: ServerOrder) => {
  void obey(told).then(
    (answer) => process.send?.({ answer }),
    (error: Error) => process.send?.({ failed: error.stack }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ answer: { port: server.port } });
