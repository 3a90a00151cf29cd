// The Open Intents Framework over HTTP, by injection over a scripted service: example requests in the
// shapes of its specification, one case per tolerance and per thing that is refused by name.

import type { FastifyInstance } from 'fastify';
import { Check } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { QuoteRequestBody } from '../../api/schemas/quotes.ts';
import { permit2Payload } from '../../contracts-abi/permit2.ts';
import { type PortfolioOrder, typedDataPayload } from '../../contracts-abi/typedData.ts';
import { interoperable } from '../../solver/types/interop.ts';
import { type FakeTrimtab, fakeTrimtab, ID, OWNER, order, storedOrder } from './fakeTrimtab.ts';

let app: FastifyInstance;
let trimtab: FakeTrimtab;
beforeEach(async () => {
  trimtab = fakeTrimtab();
  app = await buildApp({ trimtab });
});
afterEach(() => app.close());

const TOKEN = `0x${'aa'.repeat(20)}` as const;
const OTHER = `0x${'cc'.repeat(20)}` as const;
const RECEIVER = `0x${'dd'.repeat(20)}` as const;
const input = { user: interoperable(1, OWNER), asset: interoperable(1, TOKEN), amount: '1000' };
const output = { receiver: interoperable(10, RECEIVER), asset: interoperable(10, OTHER) };
const request = {
  user: interoperable(1, OWNER),
  intent: { intentType: 'oif-swap', inputs: [input], outputs: [output] },
  supportedTypes: ['oif-escrow-v0'],
};
const withIntent = (change: object) => ({ ...request, intent: { ...request.intent, ...change } });
const withInput = (change: object) => withIntent({ inputs: [{ ...input, ...change }] });
const withOutput = (change: object) => withIntent({ outputs: [{ ...output, ...change }] });

const send = async (url: string, payload: unknown, headers: Record<string, string> = {}) => {
  const answer = await app.inject({
    ...{ method: 'POST', url, payload: JSON.stringify(payload) },
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: answer.statusCode, body: answer.json() };
};
const quote = (payload: unknown) => send('/v1/quotes', payload);
const asked = () => trimtab.offersAsked.at(-1);

describe('GetQuoteRequest', () => {
  it('default: an example of the specification, as it is', async () => {
    expect(await quote(request)).toMatchObject({ status: 200, body: { quotes: [{}] } });
    expect(asked()).toEqual({
      intentType: 'oif-swap',
      owner: OWNER,
      swapType: 'exact-input',
      inputs: [{ asset: { chain: 1, token: TOKEN }, amount: '1000' }],
      output: { asset: { chain: 10, token: OTHER }, receiver: RECEIVER },
      supportedTypes: ['oif-escrow-v0'],
      notes: [],
    });
    expect(Check(QuoteRequestBody, request)).toBe(true);
  });

  const accepted: [string, unknown][] = [
    [
      'every optional member of the specification',
      {
        ...withIntent({
          swapType: 'exact-input',
          minValidUntil: 1_800_000_000,
          preference: 'price',
          originSubmission: { mode: 'protocol', schemes: ['permit2', 'erc20-permit'] },
          failureHandling: ['refund-automatic', 'needs-new-signature'],
          partialFill: false,
          metadata: { anything: ['at', { all: 1 }] },
        }),
      },
    ],
    [
      'solverOptions of an aggregator',
      { ...request, solverOptions: { timeout: 5, solverIds: [] } },
    ],
    [
      'the scheme names of either source',
      withIntent({
        originSubmission: {
          mode: 'protocol',
          schemes: ['erc-4337', 'erc4337', 'eip-3009', 'eip3009', 'permit2'],
        },
      }),
    ],
    ['minValidUntil null', withIntent({ minValidUntil: null })],
    ['empty calldata', withOutput({ calldata: '0x' })],
    ['lock null', withInput({ lock: null })],
    [
      'plain 20-byte user and receiver',
      {
        ...withIntent({
          inputs: [{ ...input, user: OWNER }],
          outputs: [{ ...output, receiver: RECEIVER }],
        }),
        user: OWNER,
      },
    ],
    [
      'addresses without their length byte',
      { ...request, user: `0x000100000101${OWNER.slice(2)}` },
    ],
    [
      'the example of ERC-7930',
      withOutput({
        receiver: '0x00010000010114d8da6bf26964af9d7eed9e03e53415d37aa96045'.replace(
          '010114',
          '010a14',
        ),
      }),
    ],
    ['no supportedTypes', { user: request.user, intent: request.intent }],
  ];
  it.each(accepted)('behavior: %s', async (_, payload) => {
    expect(await quote(payload)).toMatchObject({ status: 200 });
    expect(trimtab.offersAsked).toHaveLength(1);
  });

  it('behavior: a trailing slash is the same route', async () => {
    expect((await send('/v1/quotes/', request)).status).toBe(200);
  });

  it('behavior: a plain token is on its receiver’s chain, or on none', async () => {
    await quote(withOutput({ asset: OTHER }));
    expect(asked()).toMatchObject({ output: { asset: { chain: 10, token: OTHER } } });
    await quote(withInput({ asset: TOKEN }));
    expect(asked()).toMatchObject({ inputs: [{ asset: { token: TOKEN } }] });
  });

  it('behavior: wishes that are not followed are noted, in either spelling', async () => {
    for (const preference of ['speed', 'input-priority', 'inputPriority']) {
      const inputs = [input, { ...input, asset: interoperable(1, OTHER) }];
      await quote(withIntent({ preference, inputs }));
      expect(asked()).toMatchObject({ notes: [{ code: 'preferenceIgnored' }] });
    }
    for (const preference of [
      'price',
      'trust-minimization',
      'trustMinimization',
      'input-priority',
    ]) {
      await quote(withIntent({ preference }));
      expect(asked()).toMatchObject({ notes: [] });
    }
  });

  it('behavior: exact-output', async () => {
    const { amount: _, ...free } = input;
    const exact = {
      swapType: 'exact-output',
      inputs: [free],
      outputs: [{ ...output, amount: '5' }],
    };
    await quote(withIntent(exact));
    expect(asked()).toMatchObject({
      swapType: 'exact-output',
      inputs: [{ asset: { chain: 1, token: TOKEN } }],
      output: { amount: '5' },
    });
  });

  it('behavior: rebalances asked for as oif-escrow-v0 are offered in types', async () => {
    const targets = [{ asset: 'WETH', weightBps: 10_000 }];
    const rebalance = { user: OWNER, intent: { intentType: 'rebalance', targets } };
    await quote({ ...rebalance, supportedTypes: ['oif-escrow-v0'] });
    await quote({ ...rebalance, supportedTypes: ['trimtab-portfolio-v1'] });
    expect([trimtab.offersAsked.length, trimtab.quotesAsked.length]).toEqual([1, 1]);
  });

  const refused: [string, unknown, number, string, string][] = [
    [
      'a resource lock',
      withInput({ lock: { kind: 'the-compact' } }),
      422,
      'unsupportedIntent',
      '/intent/inputs/0/lock',
    ],
    [
      'calldata',
      withOutput({ calldata: '0x1234' }),
      422,
      'unsupportedIntent',
      '/intent/outputs/0/calldata',
    ],
    [
      'submission by the user',
      withIntent({ originSubmission: { mode: 'user' } }),
      422,
      'unsupportedIntent',
      '/intent/originSubmission/mode',
    ],
    [
      'schemes without permit2',
      withIntent({ originSubmission: { mode: 'protocol', schemes: ['eip-3009'] } }),
      422,
      'unsupportedIntent',
      '/intent/originSubmission/schemes',
    ],
    [
      'no automatic refund',
      withIntent({ failureHandling: ['refund-claim'] }),
      422,
      'unsupportedIntent',
      '/intent/failureHandling',
    ],
    [
      'partial fills',
      withIntent({ partialFill: true }),
      422,
      'unsupportedIntent',
      '/intent/partialFill',
    ],
    [
      'two outputs',
      withIntent({ outputs: [output, output] }),
      422,
      'unsupportedIntent',
      '/intent/outputs',
    ],
    [
      'another user’s input',
      withInput({ user: interoperable(1, RECEIVER) }),
      422,
      'unsupportedIntent',
      '/intent/inputs/0/user',
    ],
    [
      'a receiver on another chain than the asset',
      withOutput({ receiver: interoperable(1, RECEIVER) }),
      422,
      'unsupportedIntent',
      '/intent/outputs/0/receiver',
    ],
    [
      'an intent type of nobody’s',
      withIntent({ intentType: 'oif-lend' }),
      422,
      'unsupportedIntent',
      '/intent/intentType',
    ],
    [
      'no intent type',
      { ...request, intent: { inputs: [input], outputs: [output] } },
      400,
      'missingField',
      '/intent/intentType',
    ],
    [
      'the old ERC-7930 layout',
      withInput({ asset: `0x0100000114${'01'}${TOKEN.slice(2)}` }),
      400,
      'invalidAddress',
      '/intent/inputs/0/asset',
    ],
    [
      'an address of another kind of chain',
      withInput({ asset: `0x00010002010114${TOKEN.slice(2)}` }),
      400,
      'invalidAddress',
      '/intent/inputs/0/asset',
    ],
    [
      'an amount with a sign',
      withInput({ amount: '-1' }),
      400,
      'invalidAmount',
      '/intent/inputs/0/amount',
    ],
    [
      'an unknown member',
      withInput({ surprise: 1 }),
      400,
      'unknownField',
      '/intent/inputs/0/surprise',
    ],
    [
      'an unknown swap type',
      withIntent({ swapType: 'any' }),
      400,
      'invalidField',
      '/intent/swapType',
    ],
  ];
  it.each(refused)('error: %s', async (_, payload, status, code, pointer) => {
    const answer = await quote(payload);
    expect({ status: answer.status, code: answer.body.code, pointer: answer.body.pointer }).toEqual(
      {
        status,
        code,
        pointer,
      },
    );
    // OIF's members beside RFC 9457's.
    const error = code.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    expect(answer.body).toMatchObject({ error, message: expect.any(String) });
    expect(trimtab.offersAsked).toEqual([]);
  });
});

const PERMIT2 = `0x${'b2'.repeat(20)}` as const;
const one: PortfolioOrder = { ...order, origins: order.origins.slice(0, 1) };
const chain = one.origins[0]?.chainId ?? 0n;
const permit2 = {
  type: 'oif-escrow-v0',
  payload: { signatureType: 'eip712', ...permit2Payload(one, chain, PERMIT2) },
};
const own = {
  type: 'trimtab-portfolio-v1',
  payload: { signatureType: 'eip712', ...typedDataPayload(one) },
};
const signature = `0x${'ab'.repeat(65)}`;
const post = (payload: unknown) => send('/v1/orders', payload);
const { witness, ...transfer } = permit2.payload.message;

describe('PostOrder', () => {
  const read = { domain: permit2.payload.domain, message: transfer };
  const forms: [string, object, object][] = [
    [
      '{ order, signature } of Permit2',
      { order: permit2, signature },
      { order: witness, signatureKind: 'permit2', permit2: read },
    ],
    [
      '{ order, signature, quoteId, originSubmission }',
      {
        order: permit2,
        signature,
        quoteId: 'q-1',
        originSubmission: { mode: 'protocol', schemes: ['permit2'] },
      },
      { quoteId: 'q-1', signatureKind: 'permit2' },
    ],
    [
      '{ order, signature } of our type',
      { order: own, signature },
      { order: witness, signatureKind: 'eip712' },
    ],
    ['{ quoteId, signature }', { quoteId: 'q-1', signature }, { quoteId: 'q-1' }],
    [
      'the aggregator’s { quoteId, signature, sponsor }',
      { quoteId: 'q-1', signature, sponsor: OWNER },
      { quoteId: 'q-1' },
    ],
    [
      'the aggregator’s { quoteResponse, signature, metadata }',
      {
        quoteResponse: {
          ...{ order: permit2, quoteId: 'q-1', validUntil: 1, eta: 8, provider: 'trimtab' },
          ...{
            solverId: 'trimtab',
            integrityChecksum: 'c0ffee',
            preview: { inputs: [], outputs: [] },
          },
          ...{ failureHandling: 'refund-automatic', partialFill: false, metadata: {} },
        },
        signature,
        metadata: { order: 'x' },
      },
      { quoteId: 'q-1', order: witness, signatureKind: 'permit2', permit2: read },
    ],
  ];
  it.each(forms)('behavior: %s', async (_, body, expected) => {
    const answer = await post(body);
    expect(answer).toMatchObject({
      status: 202,
      body: { orderId: ID, status: 'received', order: { id: ID } },
    });
    expect(trimtab.submitted.at(-1)).toMatchObject({ ...expected, signature });
  });

  it('behavior: types without EIP712Domain, chain ids and deadlines as strings', async () => {
    const { EIP712Domain: _, ...types } = permit2.payload.types;
    const domain = { ...permit2.payload.domain, chainId: chain.toString() };
    const deadline = Number(permit2.payload.message.deadline);
    const message = { ...permit2.payload.message, deadline };
    const order = { ...permit2, payload: { ...permit2.payload, types, domain, message } };
    expect((await post({ order, signature })).status).toBe(202);
  });

  const change = (payload: object) => ({
    order: { ...permit2, payload: { ...permit2.payload, ...payload } },
    signature,
  });
  const wrongTypes = {
    ...permit2.payload.types,
    TokenPermissions: [{ name: 'token', type: 'address' }],
  };
  const refused: [string, object, number, string, string][] = [
    [
      'an order type that is not served',
      { order: { ...permit2, type: 'oif-3009-v0' }, signature },
      422,
      'unsupportedOrderType',
      '/order/type',
    ],
    [
      'an open by the user',
      { order: { type: 'oif-user-open-v0', openIntentTx: {} }, signature },
      422,
      'unsupportedOrderType',
      '/order/type',
    ],
    [
      '… also in a quoteResponse',
      { quoteResponse: { order: { type: 'oif-resource-lock-v0', payload: {} } }, signature },
      422,
      'unsupportedOrderType',
      '/quoteResponse/order/type',
    ],
    [
      'originSubmission by the user',
      { order: permit2, signature, originSubmission: { mode: 'user' } },
      422,
      'unsupportedIntent',
      '/originSubmission/mode',
    ],
    [
      'a Permit2 domain with a version',
      change({ domain: { ...permit2.payload.domain, version: '1' } }),
      400,
      'unknownField',
      '/order/payload/domain/version',
    ],
    [
      'a type that is not the hashed one',
      change({ types: wrongTypes }),
      400,
      'orderMalformed',
      '/order/payload/types/TokenPermissions',
    ],
    [
      'a member beside the witness',
      change({ message: { ...permit2.payload.message, extra: '0' } }),
      400,
      'unknownField',
      '/order/payload/message/extra',
    ],
    [
      'an order given twice',
      { order: permit2, quoteResponse: { order: permit2 }, signature },
      400,
      'invalidField',
      '/quoteResponse',
    ],
    ['nothing to sign', { signature }, 400, 'missingField', '/order'],
  ];
  it.each(refused)('error: %s', async (_, body, status, code, pointer) => {
    const answer = await post(body);
    expect({ status: answer.status, code: answer.body.code, pointer: answer.body.pointer }).toEqual(
      {
        status,
        code,
        pointer,
      },
    );
    expect(trimtab.submitted).toEqual([]);
  });

  it('error: admission’s pointers become the body’s', async () => {
    const refusal = (pointer: string) => ({
      refused: 'orderMalformed' as const,
      message: 'no',
      pointer,
    });
    const pointers: [string, object, string][] = [
      ['/order/nonce', { order: permit2, signature }, '/order/payload/message/witness/nonce'],
      ['/order/nonce', { order: own, signature }, '/order/payload/message/nonce'],
      ['/permit2/domain/chainId', { order: permit2, signature }, '/order/payload/domain/chainId'],
      [
        '/permit2/message/nonce',
        { quoteResponse: { order: permit2 }, signature },
        '/quoteResponse/order/payload/message/nonce',
      ],
      ['/signature', { order: permit2, signature }, '/signature'],
    ];
    for (const [pointer, body, expected] of pointers) {
      trimtab.answerSubmit = refusal(pointer);
      expect((await post(body)).body.pointer).toBe(expected);
    }
  });
});

describe('readers that refuse additions', () => {
  const headers = { 'user-agent': 'OIF-Aggregator/1.0' };
  const get = async (url: string, withHeaders = headers) =>
    (await app.inject({ url, headers: withHeaders })).json();

  it('default: GetOrder has OIF’s members alone for its aggregator', async () => {
    trimtab.record = { order: storedOrder(), transactions: [], quotedAmounts: null };
    const order = await get(`/v1/orders/${ID}/`);
    expect(Object.keys(order).sort()).toEqual([
      'createdAt',
      'id',
      'inputAmounts',
      'outputAmounts',
      'quoteId',
      'settlement',
      'status',
      'updatedAt',
    ]);
    for (const amount of [...order.inputAmounts, ...order.outputAmounts]) {
      expect(Object.keys(amount).sort()).toEqual(['amount', 'asset']);
    }
    expect(Object.keys(order.settlement).sort()).toEqual(['data', 'type']);
    const ours = await get(`/v1/orders/${ID}`, { 'user-agent': 'curl/8' });
    expect(ours).toMatchObject({ ...order, inputAmounts: [{}], outputAmounts: [{}] });
    expect(ours.state).toBeDefined();
  });

  it('behavior: PostOrder answers with the order as sent', async () => {
    const answer = await send('/v1/orders', { order: permit2, signature }, headers);
    expect(answer.body).toEqual({ orderId: ID, status: 'received', order: permit2 });
    const byId = await send('/v1/orders', { quoteId: 'q-1', signature }, headers);
    expect(byId.body).toEqual({ orderId: ID, status: 'received' });
  });

  it('behavior: assets by network, beside ours, on either path and with a slash', async () => {
    for (const path of ['/v1/assets', '/v1/assets/', '/v1/tokens', '/v1/tokens/']) {
      const { networks, assets } = await get(path);
      expect(assets.length).toBeGreaterThan(0);
      for (const [id, network] of Object.entries<Record<string, unknown>>(networks)) {
        expect(String(network.chain_id)).toBe(id);
        expect(Object.keys(network).sort()).toEqual([
          'chain_id',
          'input_settler',
          'output_settler',
          'tokens',
        ]);
      }
    }
  });
});
