// Everything a caller can get wrong, on real chains over real HTTP: each refused with its own code, the
// field, and the remedy, and with no row and no transaction left behind. The tests share one world and
// run in order; the last ones, which need an admitted order, come after the tally of transactions.

import pg from 'pg';
import { erc20Abi, maxUint256, parseAbi, type TypedDataDefinition } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askQuote, type OfferedQuote } from '../../api/cli/sampleWallet.ts';
import { ERRORS, type ErrorCode } from '../../api/errors.ts';
import { present } from '../../solver/types/assert.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import { chainOf, clientOf, give, type OwnWorld, openOwnWorld } from './harness.ts';

const [ALDER, BIRCH, CEDAR] = [31338, 31339, 31340];
const HEARTBEAT_SECONDS = 25;
const TTL_SECONDS = 20;
const MESSAGE = '/order/payload/message';
const HALVES = [
  { asset: 'ETH', weightBps: 5000 },
  { asset: 'USDC', weightBps: 5000 },
];
/** What a request may write. Refused quotes leave no quote either. */
const TABLES = ['quotes', 'orders', 'events', 'jobs', 'chain_tx', 'chain_tx_raw'] as const;

interface Expected {
  readonly code: ErrorCode;
  /** Of the field in the body; null where no one field is wrong. */
  readonly pointer: string | null;
  /** What the answer must say, in its message or its remedy. */
  readonly says: RegExp;
}

let own: OwnWorld;
let database: pg.Client;
let user: PrivateKeyAccount;
/** Asked for at the start, so that it is over when its test comes. */
let early: OfferedQuote;
let noncesAtStart: readonly number[];
/** The service has a job of its own. */
let rowsAtStart: Readonly<Record<string, number>>;

beforeAll(async () => {
  own = await openOwnWorld({
    lab: { pulseMs: 2000, feedHeartbeatSeconds: HEARTBEAT_SECONDS },
    solver: { quotePolicy: { quoteTtlSeconds: TTL_SECONDS } },
  });
  database = new pg.Client({ connectionString: own.world.databaseUrl });
  await database.connect();
  user = privateKeyToAccount(own.world.lab.accounts.spare1.privateKey);
  await give(own.world, ALDER, 'USDC', '30000', user.address);
  await give(own.world, BIRCH, 'USDC', '5000', user.address);
  early = await quoted();
  noncesAtStart = await nonces();
  rowsAtStart = await rowCounts();
});

afterAll(async () => {
  await database?.end();
  await own?.close();
});

describe('quotes', () => {
  const sized = (amount: unknown) => ({
    holdings: [{ chain: ALDER, asset: 'USDC', amount }],
  });
  const badAmount = {
    code: 'invalidAmount',
    pointer: '/intent/holdings/0/amount',
    says: /positive decimal string of base units/,
  } as const;
  const cases: readonly (readonly [string, JsonObject, Expected])[] = [
    [
      'unknown chain in scope',
      { scope: { chains: [ALDER, 999] } },
      { code: 'unknownChain', pointer: '/intent/scope/chains/1', says: /served are 31338/ },
    ],
    [
      'unknown chain of a target',
      { targets: [{ asset: 'ETH', weightBps: 10_000, chain: 999 }] },
      { code: 'unknownChain', pointer: '/intent/targets/0/chain', says: /in scope are 31338/ },
    ],
    [
      'unknown token',
      { targets: [HALVES[0], { asset: 'DOGE', weightBps: 5000 }] as never },
      { code: 'unknownAsset', pointer: '/intent/targets/1/asset', says: /traded are BTC, ETH/ },
    ],
    ...[4999, 5001].map(
      (weightBps) =>
        [
          `weights that sum to ${5000 + weightBps}`,
          { targets: [HALVES[0], { asset: 'USDC', weightBps }] as never },
          { code: 'invalidWeights', pointer: '/intent/targets', says: /exactly 10000 bps/ },
        ] as const,
    ),
    ...[-1, 10_001, 0.5, '5000'].map(
      (weightBps) =>
        [
          `the weight ${JSON.stringify(weightBps)}`,
          { targets: [HALVES[0], { asset: 'USDC', weightBps }] as never },
          { code: 'invalidWeights', pointer: '/intent/targets/1/weightBps', says: /10000 bps/ },
        ] as const,
    ),
    ...[
      '0',
      '-5',
      '1.5',
      '1e6',
      '0x10',
      '007',
      ' 7',
      '',
      7,
      null,
      maxUint256.toString().replace(/5$/, '6'),
      `1${'0'.repeat(78)}`,
      '9'.repeat(10_000),
    ].map(
      (amount) =>
        [
          `the amount ${JSON.stringify(amount)?.slice(0, 90)}`,
          sized(amount) as JsonObject,
          badAmount,
        ] as const,
    ),
    [
      'more than the account holds',
      sized('30000000001') as JsonObject,
      {
        code: 'insufficientBalance',
        pointer: '/intent/holdings/0/amount',
        says: /holds 30000000000 .*Fund the account, or ask for less/,
      },
    ],
    [
      'an unknown field of the intent',
      { slippage: 3 },
      { code: 'unknownField', pointer: '/intent/slippage', says: /Remove the field/ },
    ],
    [
      'an unknown field of a target',
      { targets: [{ asset: 'ETH', weightBps: 10_000, weight: 1 }] },
      { code: 'unknownField', pointer: '/intent/targets/0/weight', says: /Remove the field/ },
    ],
  ];
  test.each(cases)('%s', async (_, intent, expected) => {
    await refused('/v1/quotes', quoteBody(intent), expected);
  });

  test('an unknown field of the body', async () => {
    const body = { ...quoteBody(), 'a/b~c': 1 };
    const pointer = '/a~1b~0c';
    await refused('/v1/quotes', body, { code: 'unknownField', pointer, says: /Remove the field/ });
  });

  test('a body too large', async () => {
    const text = JSON.stringify({ ...quoteBody(), padding: 'x'.repeat(64 * 1024) });
    for (const path of ['/v1/quotes', '/v1/orders']) {
      await refused(path, text, { code: 'bodyTooLarge', pointer: null, says: /at most 64 KiB/ });
    }
  });

  test('a body too deep', async () => {
    const text = `{"intent":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
    for (const path of ['/v1/quotes', '/v1/orders']) {
      await refused(path, text, { code: 'tooDeep', pointer: null, says: /at most 16 levels/ });
    }
  });

  test('an account that holds nothing', async () => {
    const body = { ...quoteBody(), user: own.world.lab.accounts.spare3.address };
    await refused('/v1/quotes', body, {
      code: 'emptyPortfolio',
      pointer: '/user',
      says: /fund the account/i,
    });
  });
});

describe('orders', () => {
  test('insufficient allowance', async () => {
    await refusedOrder(await signed(user), {
      code: 'insufficientAllowance',
      pointer: `${MESSAGE}/origins/0/inputs/0`,
      says: /allows 0 base units and the order takes \d+; approve 0x/,
    });
    await allowAll();
  });

  test('insufficient balance', async () => {
    const body = await signed(user);
    const faucet = own.world.lab.accounts.faucet.address;
    await transferUsdc(user, faucet, 30_000_000_000n);
    await refusedOrder(body, {
      code: 'insufficientBalance',
      pointer: `${MESSAGE}/origins/0/inputs/0`,
      says: /holds 0 base units and the order takes \d+.*Fund the account/,
    });
    await give(own.world, ALDER, 'USDC', '30000', user.address);
  });

  test('wrong signer', async () => {
    const other = privateKeyToAccount(own.world.lab.accounts.spare2.privateKey);
    await refusedOrder(await signed(other), {
      code: 'wrongSigner',
      pointer: '/signature',
      says: /signed by 0x.* sign with the owner's key/,
    });
  });

  test('signature for another order', async () => {
    const first = await signed(user);
    await refusedOrder(
      { ...(await signed(user)), signature: first.signature },
      {
        code: 'signatureForAnotherOrder',
        pointer: '/signature',
        says: /does not fit this order.* sign this order's typed data/,
      },
    );
  });

  test.each(['0x', '0x1234', `0x${'00'.repeat(65)}`, 'none'])(
    'malformed signature %s',
    async (s) => {
      await refusedOrder(
        { ...(await signed(user)), signature: s },
        {
          code: 'malformedSignature',
          pointer: '/signature',
          says: /Send 65 bytes of hex/,
        },
      );
    },
  );

  test('an order changed after it was quoted', async () => {
    const { quoteId, order } = await signed(user);
    const changed = cheaper(order);
    const signature = await user.signTypedData(changed.payload);
    await refusedOrder(
      { quoteId, order: changed, signature },
      {
        code: 'orderNotQuoted',
        pointer: MESSAGE,
        says: /Sign the order exactly as quoted/,
      },
    );
  });

  test.each(['0', '-1', '1.5', '', maxUint256.toString().replace(/5$/, '6')])(
    'an output of %s',
    async (amount) => {
      const { order, signature } = await signed(user);
      const pointer = `${MESSAGE}/outputs/0/amount`;
      const body = { order: withOutput(order, amount), signature };
      const code = /^(0|[1-9]\d*)$/.test(amount) ? 'orderMalformed' : 'invalidAmount';
      await refusedOrder(body, { code, pointer, says: /Send/ });
    },
  );

  test('an unknown field of the order', async () => {
    const { order, signature } = await signed(user);
    const message = { ...order.payload.message, tip: '1' };
    const changed = { ...order, payload: { ...order.payload, message } } as OrderJson;
    await refusedOrder(
      { order: changed, signature },
      {
        code: 'unknownField',
        pointer: `${MESSAGE}/tip`,
        says: /Remove the field/,
      },
    );
  });

  test('a nonce that the owner cancelled on chain', async () => {
    const body = await signed(user);
    const nonce = BigInt(String((body.order.payload.message as { nonce: unknown }).nonce));
    const chain = chainOf(own.world.lab.network, ALDER);
    const client = clientOf(chain, user);
    const hash = await client.writeContract({
      chain: null,
      address: chain.contracts.portfolioSettler,
      abi: parseAbi(['function cancel(uint256[] nonces)']),
      functionName: 'cancel',
      args: [[nonce]],
    });
    await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
    await refusedOrder(body, {
      code: 'nonceUsed',
      pointer: `${MESSAGE}/nonce`,
      says: /is used: .* on chain 31338; ask for a new quote/,
    });
  });

  test('an expired quote', async () => {
    const wait = Number(present(await validUntilMs(early.quoteId), 'the quote')) - Date.now();
    await new Promise((done) => setTimeout(done, Math.max(0, wait + 1500)));
    const signature = await user.signTypedData(early.order.payload);
    await refusedOrder(
      { quoteId: early.quoteId, signature },
      {
        code: 'quoteExpired',
        pointer: '/quoteId',
        says: /expired \d+ s ago; ask for a new one/,
      },
    );
  });
});

describe('the world is not as it should be', () => {
  test('a chain is down: refused where it matters, quotes over the others work', async () => {
    const { control } = own.world.lab;
    await control.stopChain(CEDAR);
    try {
      await refused('/v1/quotes', quoteBody({ scope: { chains: [ALDER, CEDAR] } }), {
        code: 'chainDown',
        pointer: '/intent/scope/chains/1',
        says: /chain 31340 does not answer now; leave it out/,
      });
      await refused('/v1/quotes', quoteBody(), {
        code: 'chainDown',
        pointer: '/intent/scope',
        says: /name the other chains in scope.chains, or say your holdings/,
      });
      const { status } = await post('/v1/quotes', quoteBody({ scope: { chains: [ALDER, BIRCH] } }));
      expect(status).toBe(200);
    } finally {
      await control.resumeChain(CEDAR);
    }
    await quotedAgain();
  });

  test('a stale price', async () => {
    const { control } = own.world.lab;
    await control.pause('pulse');
    try {
      await new Promise((done) => setTimeout(done, (HEARTBEAT_SECONDS + 4) * 1000));
      await refused('/v1/quotes', quoteBody(), {
        code: 'stalePrice',
        pointer: '/intent/targets',
        says: /Try again when its feed has published/,
      });
    } finally {
      await control.resume('pulse');
    }
    await quotedAgain();
  });

  test('nobody but the wallet sent anything in all of this', async () => {
    expect(await nonces()).toEqual(noncesAtStart);
    expect(rowsAtStart).toMatchObject({ orders: 0, events: 0, chain_tx: 0 });
    const { quotes: _, ...rows } = await rowCounts();
    expect(rowsAtStart).toMatchObject(rows);
  });

  test('no route: nobody can deliver there', async () => {
    await emptyFiller(CEDAR);
    const sent = await nonces();
    const targets = [{ asset: 'BTC', weightBps: 10_000, chain: CEDAR }];
    await refused('/v1/quotes', quoteBody({ targets, scope: { assets: ['BTC', 'USDC'] } }), {
      code: 'noRoute',
      pointer: null,
      says: /no pool and no transfer leads to BTC.* widen the scope, or choose other targets/,
    });
    expect(await nonces()).toEqual(sent);
  });
});

test('beside an admitted order: its nonce again, its signature for another', async () => {
  const admitted = await signed(user, [ALDER, BIRCH]);
  const first = await post('/v1/orders', admitted);
  expect(first.status, JSON.stringify(first.body)).toBe(202);
  const again = await post('/v1/orders', admitted);
  expect([again.status, again.body.orderId]).toEqual([202, first.body.orderId]);

  const orders = async () => (await rowCounts()).orders;
  const replay = cheaper(admitted.order);
  const signature = await user.signTypedData(replay.payload);
  expectProblem(await post('/v1/orders', { order: replay, signature }), {
    code: 'nonceUsed',
    pointer: `${MESSAGE}/nonce`,
    says: /ask for a new quote, which has a new nonce/,
  });
  const crossed = { order: replay, signature: admitted.signature };
  const answer = await post('/v1/orders', crossed);
  expectProblem(answer, {
    code: 'signatureForAnotherOrder',
    pointer: '/signature',
    says: /the owner signed order 0x[0-9a-f]{64}, not this one; sign this order's typed data/,
  });
  expect((answer.body.details as JsonObject).other).toBe(first.body.orderId);
  expect(await orders()).toBe(1);
});

const quoteBody = (intent: JsonObject = {}): JsonObject => ({
  user: user.address,
  intent: { intentType: 'rebalance', targets: HALVES, ...intent },
});

const quoted = () => askQuote(own.world.api.url, user.address, HALVES);

/** After an outage the service finds back by itself; bounded. */
async function quotedAgain(): Promise<void> {
  let last: unknown;
  for (let tries = 0; tries < 60; tries += 1) {
    const { status, body } = await post('/v1/quotes', quoteBody());
    if (status === 200) return;
    last = body;
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error(`no quote after the outage: ${JSON.stringify(last)}`);
}

interface OrderJson extends JsonObject {
  readonly payload: JsonObject & TypedDataDefinition;
}
interface SignedOrder extends JsonObject {
  readonly quoteId: string;
  readonly order: OrderJson;
  readonly signature: string;
}

/** A fresh quote for the user, signed by anyone, as POST /v1/orders takes it. */
async function signed(by: PrivateKeyAccount, chains?: readonly number[]): Promise<SignedOrder> {
  const scope = chains === undefined ? {} : { scope: { chains: [...chains] } };
  const { status, body } = await post('/v1/quotes', quoteBody(scope));
  expect(status, JSON.stringify(body)).toBe(200);
  const [quote] = body.quotes as unknown as [{ quoteId: string; order: OrderJson }];
  const signature = await by.signTypedData(quote.order.payload);
  return { quoteId: quote.quoteId, order: quote.order, signature };
}

function withOutput(order: OrderJson, amount: string): OrderJson {
  const message = order.payload.message as unknown as { outputs: JsonObject[] };
  const outputs = message.outputs.map((output, i) => (i === 0 ? { ...output, amount } : output));
  return {
    ...order,
    payload: { ...order.payload, message: { ...message, outputs } } as OrderJson['payload'],
  };
}

/** The same order, nonce included, with one base unit less to deliver. */
function cheaper(order: OrderJson): OrderJson {
  const { outputs } = order.payload.message as unknown as { outputs: { amount: string }[] };
  return withOutput(order, (BigInt(present(outputs[0], 'an output').amount) - 1n).toString());
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: JsonObject;
}

async function post(path: string, body: JsonObject | string): Promise<Answer> {
  const response = await fetch(`${own.world.api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const type = response.headers.get('content-type');
  return { status: response.status, type, body: (await response.json()) as JsonObject };
}

/** Refused as expected, with every table as it was. */
async function refused(path: string, body: JsonObject | string, expected: Expected) {
  const before = await rowCounts();
  expectProblem(await post(path, body), expected);
  expect(await rowCounts()).toEqual(before);
}

const refusedOrder = (body: JsonObject, expected: Expected) =>
  refused('/v1/orders', body, expected);

function expectProblem({ status, type, body }: Answer, { code, pointer, says }: Expected): void {
  const said = JSON.stringify(body);
  expect(body.code, said).toBe(code);
  expect(status).toBe(ERRORS[code].status);
  expect(body.status).toBe(status);
  expect(type).toMatch(/^application\/problem\+json/);
  expect(body.pointer ?? null, said).toBe(pointer);
  expect(body.remedy).toBe(ERRORS[code].remedy);
  expect(`${body.detail} — ${body.remedy}`).toMatch(says);
}

async function rowCounts(): Promise<Readonly<Record<string, number>>> {
  const counts = TABLES.map((name) => `(SELECT count(*)::int FROM ${name}) AS ${name}`);
  const { rows } = await database.query(`SELECT ${counts.join(', ')}`);
  return present(rows[0] as Record<string, number> | undefined, 'a row of counts');
}

async function validUntilMs(quoteId: string): Promise<unknown> {
  const text = 'SELECT valid_until_ms FROM quotes WHERE quote_id = $1';
  const { rows } = await database.query(text, [quoteId]);
  return (rows[0] as { valid_until_ms: unknown } | undefined)?.valid_until_ms;
}

/** Transactions sent so far, pending ones included, by each of our accounts on each chain. */
async function nonces(): Promise<readonly number[]> {
  const { network, accounts } = own.world.lab;
  const ours = [accounts.filler, accounts.guardian, accounts.auctioneer];
  return Promise.all(
    network.chains.flatMap((chain) =>
      ours.map(({ address }) =>
        clientOf(chain, user).getTransactionCount({ address, blockTag: 'pending' }),
      ),
    ),
  );
}

async function allowAll(): Promise<void> {
  for (const id of [ALDER, BIRCH]) {
    const chain = chainOf(own.world.lab.network, id);
    const client = clientOf(chain, user);
    const hash = await client.writeContract({
      chain: null,
      address: usdcOf(id),
      abi: erc20Abi,
      functionName: 'approve',
      args: [chain.contracts.portfolioSettler, maxUint256],
    });
    await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  }
}

const usdcOf = (id: number) =>
  present(
    chainOf(own.world.lab.network, id).tokens.find(({ symbol }) => symbol === 'USDC'),
    'USDC',
  ).address;

async function transferUsdc(from: PrivateKeyAccount, to: `0x${string}`, units: bigint) {
  const client = clientOf(chainOf(own.world.lab.network, ALDER), from);
  const hash = await client.writeContract({
    chain: null,
    address: usdcOf(ALDER),
    abi: erc20Abi,
    functionName: 'transfer',
    args: [to, units],
  });
  await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
}

/** Sends away every token the filler holds on one chain. */
async function emptyFiller(id: number): Promise<void> {
  const { network, accounts } = own.world.lab;
  const chain = chainOf(network, id);
  const filler = privateKeyToAccount(accounts.filler.privateKey);
  const client = clientOf(chain, filler);
  for (const { address } of chain.tokens) {
    const held = await client.readContract({
      address,
      abi: erc20Abi,
      functionName: 'balanceOf',
      args: [filler.address],
    });
    const hash = await client.writeContract({
      chain: null,
      address,
      abi: erc20Abi,
      functionName: 'transfer',
      args: [accounts.faucet.address, held],
    });
    await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  }
}
