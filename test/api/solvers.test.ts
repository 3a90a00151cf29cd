// The solvers' interface over real sockets: sealed, resumable, bounded, and deaf to nonsense.

import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer } from '../../api/server.ts';
import type { SolverSocketLimits } from '../../api/solverSocket.ts';
import { signedBidToJson } from '../../contracts-abi/bidJson.ts';
import { type BidMessage, bidTypes, solverHelloTypes } from '../../contracts-abi/bidTypedData.ts';
import { domain } from '../../contracts-abi/typedData.ts';
import { evmAddress } from '../../solver/types/ids.ts';
import { type FakeTrimtab, fakeTrimtab } from './fakeTrimtab.ts';

const ALICE = privateKeyToAccount(`0x${'a1'.repeat(32)}`);
const BOB = privateKeyToAccount(`0x${'b0'.repeat(32)}`);
const AUCTION = `0x${'ac'.repeat(32)}` as const;
const ORDER = `0x${'0d'.repeat(32)}` as const;

let trimtab: FakeTrimtab;
let servers: RunningServer[];
let sockets: Client[];

beforeEach(() => {
  trimtab = fakeTrimtab();
  servers = [];
  sockets = [];
});
afterEach(async () => {
  for (const { socket } of sockets) socket.terminate();
  await Promise.all(servers.map((server) => server.close()));
});

async function start(solvers: Partial<SolverSocketLimits> = {}): Promise<RunningServer> {
  const server = await startServer({ trimtab, port: 0, solvers });
  servers.push(server);
  return server;
}

type Message = Readonly<Record<string, unknown>>;
interface Client {
  readonly socket: WebSocket;
  readonly got: Message[];
  send(message: unknown): void;
  /** Resolves with the first message, past or to come, that fits. */
  until(fits: (message: Message) => boolean): Promise<Message>;
  readonly closed: Promise<number>;
}

async function connect({ url }: RunningServer): Promise<Client> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/solvers`);
  const got: Message[] = [];
  const waiting = new Set<() => void>();
  const closed = new Promise<number>((done) => socket.once('close', done));
  socket.on('error', () => {});
  socket.on('message', (data) => {
    got.push(JSON.parse(String(data)));
    for (const look of waiting) look();
  });
  const client: Client = {
    socket,
    got,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    until: (fits) =>
      new Promise((done, fail) => {
        const look = () => {
          const found = got.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          done(found);
        };
        waiting.add(look);
        closed.then((code) => fail(new Error(`closed with ${code}`)));
        look();
      }),
    closed,
  };
  sockets.push(client);
  await client.until(({ type }) => type === 'hello');
  return client;
}

async function hello(account: PrivateKeyAccount, issuedAt = Math.floor(Date.now() / 1000)) {
  const message = { filler: account.address, issuedAt: BigInt(issuedAt) };
  const primaryType = 'SolverHello';
  const signature = await account.signTypedData({
    domain,
    types: solverHelloTypes,
    primaryType,
    message,
  });
  return { type: 'hello', filler: account.address, issuedAt, signature };
}
async function bidOf(account: PrivateKeyAccount, amount = 5n, signer = account) {
  const bid: BidMessage = {
    auctionId: AUCTION,
    filler: account.address,
    items: [{ orderId: ORDER, amounts: [amount] }],
  };
  const signature = await signer.signTypedData({
    domain,
    types: bidTypes,
    primaryType: 'Bid',
    message: bid,
  });
  return signedBidToJson({ ...bid, signature });
}
const isType = (type: string) => (message: Message) => message.type === type;
const seqs = ({ got }: Client) => got.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));

describe('the feed', () => {
  it('default: says the time and the newest entry, then entries as they come', async () => {
    trimtab.auctions.push('auction.opened', { auctionId: AUCTION });
    const client = await connect(await start());
    expect(client.got[0]).toEqual({
      type: 'hello',
      serverTimeMs: expect.any(Number),
      newestSeq: 1,
    });
    client.send({ type: 'listen' });
    client.send({ type: 'listen', afterSeq: 0 });
    const entry = await client.until(isType('auction.opened'));
    expect(entry).toEqual({
      seq: 1,
      type: 'auction.opened',
      atMs: expect.any(Number),
      serverTimeMs: expect.any(Number),
      data: { auctionId: AUCTION },
    });
    trimtab.auctions.push('auction.closed', { auctionId: AUCTION, winners: [] });
    await client.until(isType('auction.closed'));
    expect(seqs(client)).toEqual([1, 2]);
  });

  it('behavior: nothing before listen, nothing private without a greeting', async () => {
    const server = await start();
    const [alice, stranger] = [await connect(server), await connect(server)];
    alice.send(await hello(ALICE));
    alice.send({ type: 'listen', afterSeq: 0 });
    stranger.send({ type: 'listen', afterSeq: 0 });
    const silent = await connect(server);
    trimtab.auctions.push('award', { orderId: ORDER }, evmAddress(ALICE.address));
    trimtab.auctions.push('auction.closed', { auctionId: AUCTION });
    await Promise.all([alice, stranger].map((client) => client.until(isType('auction.closed'))));
    expect(seqs(alice)).toEqual([1, 2]);
    expect(seqs(stranger)).toEqual([2]);
    expect(seqs(silent)).toEqual([]);
  });

  it('behavior: resumes at another process and misses nothing, over many pages', async () => {
    const [first, second] = [await start(), await start()];
    for (let i = 0; i < 250; i++) trimtab.auctions.push('auction.opened', { i });
    const before = await connect(first);
    before.send({ type: 'listen', afterSeq: 0 });
    await before.until(({ seq }) => seq === 130);
    before.socket.terminate();
    for (let i = 0; i < 150; i++) trimtab.auctions.push('auction.closed', { i });
    const after = await connect(second);
    after.send({ type: 'listen', afterSeq: 130 });
    await after.until(({ seq }) => seq === 400);
    expect(seqs(after)).toEqual(Array.from({ length: 270 }, (_, i) => 131 + i));
  });

  it('behavior: a lost hint costs one heartbeat; a silent solver is dropped', async () => {
    trimtab.auctions.hints = false;
    const server = await start({ heartbeatMs: 30 });
    const client = await connect(server);
    client.send({ type: 'listen', afterSeq: 0 });
    trimtab.auctions.push('auction.opened', {});
    await client.until(isType('auction.opened'));
    const dead = await connect(server);
    dead.socket.pause();
    // What is paused answers no ping; the server ends it, and counts it out.
    await expect.poll(() => trimtab.auctions.listeners.size).toBe(1);
  });

  it('behavior: a solver that does not read is dropped', async () => {
    const server = await start({ backlogMax: 64 * 1024 });
    const client = await connect(server);
    client.send({ type: 'listen', afterSeq: 0 });
    await new Promise((done) => setTimeout(done, 20));
    client.socket.pause();
    const data = { text: 'x'.repeat(100_000) };
    for (let i = 0; i < 200; i++) trimtab.auctions.push('auction.opened', data);
    await expect.poll(() => trimtab.auctions.listeners.size, { timeout: 10_000 }).toBe(0);
  });

  it('error: a greeting by another key, and an old one', async () => {
    const client = await connect(await start());
    client.send({ ...(await hello(ALICE)), filler: BOB.address });
    expect(await client.until(isType('problem'))).toMatchObject({ code: 'wrongSigner' });
    const other = await connect(servers[0] as RunningServer);
    other.send(await hello(ALICE, Math.floor(Date.now() / 1000) - 120));
    expect(await other.until(isType('problem'))).toMatchObject({ code: 'helloExpired' });
  });
});

describe('bids', () => {
  it('default: accepted once, known again', async () => {
    const client = await connect(await start());
    const bid = await bidOf(ALICE);
    client.send({ type: 'bid', id: 'one', bid });
    expect(await client.until(({ id }) => id === 'one')).toEqual({
      type: 'bid.accepted',
      id: 'one',
      auctionId: AUCTION,
      bidHash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      created: true,
    });
    client.send({ type: 'bid', id: 'two', bid });
    expect(await client.until(({ id }) => id === 'two')).toMatchObject({ created: false });
    expect(trimtab.auctions.bids.map(({ items }) => items[0]?.amounts)).toEqual([[5n]]);
  });

  it('behavior: sealed: no other solver hears of a bid', async () => {
    const server = await start();
    const [alice, bob] = [await connect(server), await connect(server)];
    bob.send(await hello(BOB));
    bob.send({ type: 'listen', afterSeq: 0 });
    alice.send({ type: 'bid', id: '1', bid: await bidOf(ALICE) });
    await alice.until(isType('bid.accepted'));
    trimtab.auctions.push('auction.closed', {});
    await bob.until(isType('auction.closed'));
    expect(bob.got.map(({ type }) => type)).toEqual(['hello', 'greeted', 'auction.closed']);
  });

  it('error: refusals come with code, reason and remedy', async () => {
    const client = await connect(await start());
    client.send({ type: 'bid', id: 'forged', bid: await bidOf(ALICE, 5n, BOB) });
    expect(await client.until(({ id }) => id === 'forged')).toMatchObject({
      type: 'bid.rejected',
      code: 'wrongSigner',
      reason: expect.any(String),
      remedy: expect.any(String),
    });
    trimtab.auctions.refuse = {
      refused: 'coolingDown',
      message: 'two awards faded',
      details: { untilMs: 9 },
    };
    client.send({ type: 'bid', id: 'cool', bid: await bidOf(ALICE) });
    expect(await client.until(({ id }) => id === 'cool')).toMatchObject({
      code: 'coolingDown',
      details: { untilMs: 9 },
    });
    trimtab.auctions.refuse = new Error('secret of the store');
    client.send({ type: 'bid', id: 'fault', bid: await bidOf(ALICE) });
    const fault = await client.until(({ id }) => id === 'fault');
    expect(fault).toMatchObject({ code: 'internal' });
    expect(JSON.stringify(fault)).not.toContain('secret');
  });
});

describe('limits', () => {
  const NONSENSE: readonly (readonly [string, string])[] = [
    ['', 'malformedJson'],
    ['{', 'malformedJson'],
    ['null', 'wrongType'],
    ['[]', 'wrongType'],
    ['"listen"', 'wrongType'],
    ['{"type":"dance"}', 'invalidField'],
    ['{"type":"listen","type":"bid"}', 'duplicateKey'],
    ['{"type":"listen","__proto__":{}}', 'forbiddenKey'],
    ['{"type":"listen","afterSeq":-1}', 'invalidField'],
    ['{"type":"listen","afterSeq":"1"}', 'invalidField'],
    ['{"type":"listen","afterSeq":1e99}', 'invalidField'],
    ['{"type":"listen","extra":1}', 'unknownField'],
    ['{"type":"hello","filler":"0x00","issuedAt":1,"signature":"0x"}', 'invalidField'],
    ['{"type":"bid","id":""}', 'invalidField'],
    ['{"type":"bid","id":"x"}', 'malformedBid'],
    ['{"type":"bid","id":"x","bid":{"auctionId":"0x"}}', 'malformedBid'],
    [`{"a":${'['.repeat(20)}${']'.repeat(20)}}`, 'tooDeep'],
  ];

  it('error: every malformed message is answered with a problem, and changes nothing', async () => {
    const client = await connect(await start({ malformedMax: 100 }));
    for (const [text, code] of NONSENSE) {
      client.got.length = 0;
      client.send(text);
      const problem = await client.until(({ code }) => code !== undefined);
      expect(problem, text.slice(0, 60)).toMatchObject({ code });
      expect(problem.reason).toEqual(expect.any(String));
    }
    client.send({ type: 'bid', id: 'fine', bid: await bidOf(ALICE) });
    await client.until(isType('bid.accepted'));
    expect(trimtab.auctions.bids.length).toBe(1);
  });

  it('error: amounts that could overflow never reach the market', async () => {
    const client = await connect(await start({ malformedMax: 100 }));
    const bid = await bidOf(ALICE);
    const amounts = ['-1', '1.5', '1e3', ' 1', '01', `1${'0'.repeat(78)}`, (2n ** 256n).toString()];
    for (const [i, amount] of [...amounts, 1, null].entries()) {
      const items = [{ orderId: ORDER, amounts: [amount] }];
      client.send({ type: 'bid', id: String(i), bid: { ...bid, items } });
      expect(await client.until(({ id }) => id === String(i))).toMatchObject({
        code: 'malformedBid',
        pointer: '/bid/items/0/amounts/0',
      });
    }
    expect(trimtab.auctions.bids.length).toBe(0);
  });

  it('behavior: too much nonsense, too many messages, too large a message end a connection', async () => {
    const server = await start({ malformedMax: 3, messagesPerSecond: 10 });
    const nonsense = await connect(server);
    for (let i = 0; i < 3; i++) nonsense.send('{');
    expect(await nonsense.closed).toBe(1008);
    const flood = await connect(server);
    for (let i = 0; i < 40; i++) flood.send({ type: 'listen' });
    expect(await flood.closed).toBe(1008);
    const huge = await connect(server);
    huge.send('x'.repeat(70_000));
    expect(await huge.closed).toBe(1009);
  });

  it('behavior: connections per address are bounded, and counted out when they end', async () => {
    const server = await start({ connectionsPerAddress: 2 });
    const [first] = [await connect(server), await connect(server)];
    const third = new WebSocket(`${server.url.replace('http', 'ws')}/v1/solvers`);
    expect(await new Promise((done) => third.once('close', done))).toBe(1013);
    first?.socket.terminate();
    await expect.poll(() => trimtab.auctions.listeners.size).toBe(1);
    await connect(server);
  });

  it('behavior: a service that closes tells its solvers so', async () => {
    const server = await start();
    const client = await connect(server);
    await server.close();
    expect(await client.closed).toBe(1001);
  });
});

describe('GET /v1/solvers', () => {
  it('default: the standings', async () => {
    const standing = {
      filler: evmAddress(ALICE.address),
      won: 3,
      filled: 2,
      faded: 1,
      late: 0,
      cooldownUntilMs: null,
    };
    trimtab.auctions.standingsList.push(standing);
    const { url } = await start();
    const answer = await fetch(`${url}/v1/solvers?limit=5`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ solvers: [standing] });
    expect((await fetch(`${url}/v1/solvers?limit=0`)).status).toBe(400);
    expect((await fetch(`${url}/v1/solvers?n=1`)).status).toBe(400);
  });
});
