// The HTTP layer by injection, over a scripted service: every route, every way to be refused.

import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { ERRORS } from '../../api/errors.ts';
import { typedDataPayload } from '../../contracts-abi/typedData.ts';
import { Fault, InvalidInput } from '../../solver/types/errors.ts';
import type { QuoteRefusalCode, SubmitRefusalCode } from '../../solver/types/service.ts';
import { type FakeTrimtab, fakeTrimtab, ID, OWNER, order, storedOrder } from './fakeTrimtab.ts';

let app: FastifyInstance;
let trimtab: FakeTrimtab;
beforeEach(async () => {
  trimtab = fakeTrimtab();
  app = await buildApp({ trimtab });
});
afterEach(() => app.close());

const targets = [
  { asset: 'WETH', weightBps: 6000 },
  { asset: 'USDC', weightBps: 4000 },
];
const quoteBody = { user: OWNER, intent: { intentType: 'rebalance', targets } };
const withIntent = (change: object) => ({
  ...quoteBody,
  intent: { ...quoteBody.intent, ...change },
});
const post = (url: string, payload: unknown, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
const askQuote = (payload: unknown) => post('/v1/quotes', payload);
const { domain, types, primaryType, message } = typedDataPayload(order);
const orderBody = {
  order: {
    type: 'trimtab-portfolio-v1',
    payload: { signatureType: 'eip712', domain, primaryType, message, types },
  },
  signature: `0x${'ab'.repeat(65)}`,
};
const signed = { quoteId: 'q-1', signature: orderBody.signature };

async function expectProblem(
  answer: ReturnType<typeof post>,
  status: number,
  code: string,
  pointer?: string,
) {
  const { statusCode, headers, payload } = await answer;
  const body = JSON.parse(payload);
  expect({ statusCode, code: body.code, pointer: body.pointer }).toEqual({
    statusCode: status,
    code,
    pointer,
  });
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status, type: `/v1/errors/${code}` });
  expect(body.error).toMatch(/^[A-Z_]+$/);
  expect(body.message).toBe(body.detail);
  expect(body.remedy.length).toBeGreaterThan(5);
  return body;
}

describe('POST /v1/quotes', () => {
  it('default: offers what the service offers', async () => {
    const answer = await askQuote({ ...quoteBody, supportedTypes: ['trimtab-portfolio-v1'] });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ quotes: [{ quoteId: 'q-1' }] });
    expect(trimtab.quotesAsked).toEqual([
      {
        intentType: 'rebalance',
        owner: OWNER,
        scope: {},
        targets,
        supportedTypes: ['trimtab-portfolio-v1'],
        pointer: '/intent',
      },
    ]);
  });

  it('behavior: takes ERC-7930 accounts, with and without the address length', async () => {
    for (const user of [
      `0x00010000027a6a14${'11'.repeat(20)}`,
      `0x00010000027a6a${'11'.repeat(20)}`,
    ]) {
      const answer = await askQuote({
        ...quoteBody,
        user,
        intent: { ...quoteBody.intent, owner: OWNER },
      });
      expect(answer.statusCode).toBe(200);
    }
    expect(trimtab.quotesAsked.map(({ owner }) => owner)).toEqual([OWNER, OWNER]);
  });

  it('behavior: a trailing slash is the same route', async () => {
    expect((await post('/v1/quotes/', quoteBody)).statusCode).toBe(200);
  });

  const bad: readonly [string, unknown, number, string, string?][] = [
    ['an unknown field', { ...quoteBody, extra: 1 }, 400, 'unknownField', '/extra'],
    ['an unknown nested field', withIntent({ foo: 1 }), 400, 'unknownField', '/intent/foo'],
    [
      'an unknown field of a target',
      withIntent({ targets: [{ asset: 'WETH', weightBps: 1, percent: 1 }] }),
      400,
      'unknownField',
      '/intent/targets/0/percent',
    ],
    ['a missing field', { user: OWNER }, 400, 'missingField', '/intent'],
    ['no targets', withIntent({ targets: [] }), 400, 'invalidField', '/intent/targets'],
    [
      'a weight above 100 %',
      withIntent({ targets: [{ asset: 'WETH', weightBps: 10_001 }] }),
      400,
      'invalidWeights',
      '/intent/targets/0/weightBps',
    ],
    [
      'a negative weight',
      withIntent({ targets: [{ asset: 'WETH', weightBps: -1 }] }),
      400,
      'invalidWeights',
      '/intent/targets/0/weightBps',
    ],
    [
      'a weight as text (no coercion)',
      withIntent({ targets: [{ asset: 'WETH', weightBps: '5000' }] }),
      400,
      'invalidWeights',
      '/intent/targets/0/weightBps',
    ],
    [
      'a malformed account',
      { ...quoteBody, user: `0x${'zz'.repeat(20)}` },
      400,
      'invalidAddress',
      '/user',
    ],
    ['a short account', { ...quoteBody, user: '0x1234' }, 400, 'invalidAddress', '/user'],
    [
      'the old ERC-7930 layout',
      { ...quoteBody, user: `0x0100000314${'11'.repeat(20)}` },
      400,
      'invalidAddress',
      '/user',
    ],
    [
      'an account of another chain family',
      { ...quoteBody, user: `0x000100020114${'11'.repeat(21)}` },
      400,
      'invalidAddress',
      '/user',
    ],
    [
      'two owners',
      withIntent({ owner: `0x${'12'.repeat(20)}` }),
      400,
      'invalidAddress',
      '/intent/owner',
    ],
    [
      'a chain as text',
      withIntent({ scope: { chains: ['31338'] } }),
      400,
      'wrongType',
      '/intent/scope/chains/0',
    ],
    ...['-1', '1.5', '01', '0x10', '', ' 1', '1e18', '9'.repeat(79)].map(
      (amount): [string, unknown, number, string, string] => [
        `the amount ${JSON.stringify(amount.slice(0, 9))}`,
        withIntent({ holdings: [{ chain: 31338, asset: 'WETH', amount }] }),
        400,
        'invalidAmount',
        '/intent/holdings/0/amount',
      ],
    ),
    [
      'an amount that is a number',
      withIntent({ holdings: [{ chain: 31338, asset: 'WETH', amount: 5 }] }),
      400,
      'invalidAmount',
      '/intent/holdings/0/amount',
    ],
    [
      'another intent type',
      { user: OWNER, intent: { intentType: 'oif-lend', inputs: [], outputs: [] } },
      422,
      'unsupportedIntent',
      '/intent/intentType',
    ],
    ['no object', [], 400, 'wrongType', ''],
    ['null', 'null', 400, 'wrongType', ''],
    ['text that is not JSON', '{"user":', 400, 'malformedJson'],
    ['two values', '{} {}', 400, 'malformedJson'],
    ['nothing', '', 400, 'malformedJson'],
    ['a duplicate key', '{"user":"a","user":"b"}', 400, 'duplicateKey', '/user'],
    ['an escaped duplicate key', '{"a":[0,{"b":1,"\\u0062":2}]}', 400, 'duplicateKey', '/a/1/b'],
    ['a prototype key', '{"intent":{"__proto__":{}}}', 400, 'forbiddenKey', '/intent/__proto__'],
    ['deep nesting', '['.repeat(17) + ']'.repeat(17), 400, 'tooDeep'],
    ['bottomless nesting', '['.repeat(60_000), 400, 'tooDeep'],
    ['a body over 64 KiB', `"${'x'.repeat(66_000)}"`, 413, 'bodyTooLarge'],
  ];
  it.each(bad)('error: %s', async (_, body, status, code, pointer) => {
    await expectProblem(askQuote(body), status, code, pointer);
    expect(trimtab.quotesAsked).toEqual([]);
  });

  it('behavior: 16 levels are not too deep', async () => {
    await expectProblem(askQuote('['.repeat(16) + ']'.repeat(16)), 400, 'wrongType', '');
  });

  it('error: bytes that are not UTF-8', async () => {
    const payload = Buffer.from([0x22, 0xff, 0xfe, 0x22]);
    const headers = { 'content-type': 'application/json' };
    await expectProblem(
      app.inject({ method: 'POST', url: '/v1/quotes', headers, payload }),
      400,
      'malformedJson',
    );
  });

  it('error: another media type, or none', async () => {
    await expectProblem(
      post('/v1/quotes', 'x', { 'content-type': 'text/plain' }),
      415,
      'unsupportedMediaType',
    );
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    await expectProblem(post('/v1/quotes', 'a=b', form), 415, 'unsupportedMediaType');
  });

  const refusals: readonly [QuoteRefusalCode, number][] = [
    ['unknownChain', 422],
    ['unknownAsset', 422],
    ['invalidWeights', 400],
    ['noRoute', 422],
    ['stalePrice', 422],
    ['chainDown', 503],
    ['nothingToDo', 422],
    ['costAboveLimit', 422],
    ['insufficientInventory', 422],
    ['insufficientBalance', 422],
  ];
  it.each(refusals)('error: the refusal %s', async (refused, status) => {
    const details = { chainId: 31338 };
    trimtab.answerQuote = { refused, message: 'because', pointer: '/intent/scope', details };
    const body = await expectProblem(askQuote(quoteBody), status, refused, '/intent/scope');
    expect(body).toMatchObject({ detail: 'because', details });
  });

  it('error: a fault is 503 and says nothing of its cause', async () => {
    trimtab.answerQuote = new Fault('postgres://secret refused');
    const body = await expectProblem(askQuote(quoteBody), 503, 'upstreamFault');
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(body).toMatchObject({ retryable: true, retryAfter: 2 });
  });

  it('error: a defect is 500 and says nothing of its cause', async () => {
    trimtab.answerQuote = new Error('secret');
    const body = await expectProblem(askQuote(quoteBody), 500, 'internal');
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('behavior: what lies behind a 500 goes to onError', async () => {
    const seen: unknown[] = [];
    const watched = await buildApp({ trimtab, onError: (...args) => seen.push(args) });
    const defect = new Error('secret');
    trimtab.answerQuote = defect;
    const answer = await watched.inject({ method: 'POST', url: '/v1/quotes', payload: quoteBody });
    expect(answer.statusCode).toBe(500);
    expect(seen).toEqual([[defect, 'POST /v1/quotes']]);
    await watched.close();
  });

  it('error: invalid input found behind the schema keeps its pointer', async () => {
    trimtab.answerQuote = Object.assign(new InvalidInput('no', { pointer: '/intent/targets' }));
    await expectProblem(askQuote(quoteBody), 400, 'invalidInput', '/intent/targets');
  });
});

describe('GET /v1/quotes/{id}/problem and /result', () => {
  it('default: the stored bytes', async () => {
    const problem = await app.inject('/v1/quotes/q-1/problem');
    expect(problem.statusCode).toBe(200);
    expect(problem.payload).toBe('{"version":1,"nodes":[]}');
    expect(problem.headers['content-type']).toMatch(/^application\/json/);
    expect((await app.inject('/v1/quotes/q-1/result')).payload).toBe(
      '{"gapBps":"0.003","version":1}',
    );
  });
  it('error: an unknown quote', async () => {
    await expectProblem(app.inject('/v1/quotes/q-2/problem'), 404, 'quoteNotFound');
  });
  it('error: an impossible id', async () => {
    await expectProblem(app.inject('/v1/quotes/..%2Fetc/problem'), 400, 'invalidField');
  });
});

describe('POST /v1/orders', () => {
  it('default: by quoteId', async () => {
    const answer = await post('/v1/orders', signed);
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({
      orderId: ID,
      status: 'received',
      order: { id: ID, status: 'created', state: 'created', terminal: false },
    });
    expect(answer.headers.location).toBe(`/v1/orders/${ID}`);
    expect(trimtab.submitted).toEqual([signed]);
  });

  it('default: with the order as quoted', async () => {
    expect((await post('/v1/orders', orderBody)).statusCode).toBe(202);
    const { signature } = orderBody;
    expect(trimtab.submitted).toEqual([{ order: message, signature, signatureKind: 'eip712' }]);
  });

  const bad: readonly [string, unknown, number, string, string?][] = [
    ['neither order nor quoteId', { signature: signed.signature }, 400, 'missingField', '/order'],
    ['no signature', { quoteId: 'q-1' }, 400, 'missingField', '/signature'],
    [
      'a signature that is no hex',
      { ...signed, signature: 'abc' },
      400,
      'malformedSignature',
      '/signature',
    ],
    ['an unknown field', { ...signed, price: 1 }, 400, 'unknownField', '/price'],
    [
      'an unknown field in the message',
      {
        ...orderBody,
        order: {
          ...orderBody.order,
          payload: { ...orderBody.order.payload, message: { ...message, tip: '1' } },
        },
      },
      400,
      'unknownField',
      '/order/payload/message/tip',
    ],
    [
      'another domain',
      {
        ...orderBody,
        order: {
          ...orderBody.order,
          payload: { ...orderBody.order.payload, domain: { name: 'trimtab', version: '2' } },
        },
      },
      400,
      'invalidField',
      '/order/payload/domain/version',
    ],
    [
      'other types',
      {
        ...orderBody,
        order: {
          ...orderBody.order,
          payload: { ...orderBody.order.payload, types: { ...types, Input: [] } },
        },
      },
      400,
      'orderMalformed',
      '/order/payload/types/Input',
    ],
    [
      'a negative amount',
      {
        ...orderBody,
        order: {
          ...orderBody.order,
          payload: {
            ...orderBody.order.payload,
            message: { ...message, outputs: [{ ...message.outputs[0], amount: '-1' }] },
          },
        },
      },
      400,
      'invalidAmount',
      '/order/payload/message/outputs/0/amount',
    ],
  ];
  it.each(bad)('error: %s', async (_, body, status, code, pointer) => {
    await expectProblem(post('/v1/orders', body), status, code, pointer);
    expect(trimtab.submitted).toEqual([]);
  });

  const refusals: readonly [SubmitRefusalCode, number][] = [
    ['quoteNotFound', 404],
    ['quoteExpired', 409],
    ['orderNotQuoted', 422],
    ['wrongSigner', 422],
    ['signatureForAnotherOrder', 422],
    ['nonceUsed', 409],
    ['insufficientBalance', 422],
    ['insufficientAllowance', 422],
    ['insufficientInventory', 422],
    ['chainDown', 503],
  ];
  it.each(refusals)('error: the refusal %s', async (refused, status) => {
    trimtab.answerSubmit = { refused, message: 'because', pointer: '/signature' };
    await expectProblem(post('/v1/orders', signed), status, refused, '/signature');
  });

  it('behavior: pointers into the order lead into the body', async () => {
    const pointer = '/origins/0/inputs/0/amount';
    trimtab.answerSubmit = { refused: 'insufficientBalance', message: 'because', pointer };
    const where = `/order/payload/message${pointer}`;
    await expectProblem(post('/v1/orders', orderBody), 422, 'insufficientBalance', where);
    await expectProblem(post('/v1/orders', signed), 422, 'insufficientBalance');
  });
});

describe('Idempotency-Key', () => {
  const key = { 'idempotency-key': 'k-1' };
  it('default: the same key and body get the same answer, done once', async () => {
    const first = await post('/v1/orders', signed, key);
    const second = await post('/v1/orders', signed, key);
    expect(second.json()).toEqual(first.json());
    expect(trimtab.submitted.length).toBe(1);
  });
  it('behavior: two at once are done once', async () => {
    await Promise.all([post('/v1/orders', signed, key), post('/v1/orders', signed, key)]);
    expect(trimtab.submitted.length).toBe(1);
  });
  it('behavior: a refused request may be mended and sent again', async () => {
    trimtab.answerSubmit = { refused: 'insufficientAllowance', message: 'approve' };
    await expectProblem(post('/v1/orders', signed, key), 422, 'insufficientAllowance');
    trimtab.answerSubmit = null;
    expect((await post('/v1/orders', signed, key)).statusCode).toBe(202);
  });
  it('error: the same key with another body', async () => {
    await post('/v1/orders', signed, key);
    await expectProblem(
      post('/v1/orders', { ...signed, quoteId: 'q-9' }, key),
      409,
      'idempotencyConflict',
    );
  });
  it('error: a malformed key', async () => {
    const long = { 'idempotency-key': 'x'.repeat(129) };
    await expectProblem(post('/v1/orders', signed, long), 400, 'invalidIdempotencyKey');
  });
});

describe('GET /v1/orders/{id}', () => {
  it('default: flat, in OIF’s words and ours', async () => {
    trimtab.record = {
      order: storedOrder('settled'),
      quotedAmounts: ['2999000000'],
      transactions: [],
    };
    const answer = await app.inject(`/v1/orders/${ID}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      id: ID,
      status: 'finalized',
      state: 'settled',
      terminal: true,
      quoteId: 'q-1',
      inputAmounts: [{ chainId: 31338, amount: '1000000000000000000' }],
      outputAmounts: [
        {
          asset: `0x00010000027a6b14${'88'.repeat(20)}`,
          amount: '2999000000',
          minimumAmount: '2990000000',
        },
      ],
      settlement: { type: 'escrow' },
    });
  });
  it('error: unknown and impossible ids', async () => {
    await expectProblem(app.inject(`/v1/orders/0x${'00'.repeat(32)}`), 404, 'orderNotFound');
    await expectProblem(app.inject('/v1/orders/12'), 400, 'invalidField');
  });
});

describe('the rest', () => {
  it('lists assets, under both names', async () => {
    for (const url of ['/v1/assets', '/v1/tokens', '/v1/assets/']) {
      const answer = await app.inject(url);
      expect(answer.json().assets[0]).toMatchObject({
        asset: 'WETH',
        tokens: [{ chainId: 31338, interoperable: `0x00010000027a6a14${'66'.repeat(20)}` }],
      });
    }
  });
  it('is healthy, and ready only when all behind it is', async () => {
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await app.inject('/readyz')).statusCode).toBe(200);
    trimtab.ready = false;
    const answer = await app.inject('/readyz');
    expect(answer.statusCode).toBe(503);
    expect(answer.json().checks['chain:31338']).toBe('does not answer');
  });
  it('error: 404, 405 with Allow, 406', async () => {
    await expectProblem(app.inject('/nothing'), 404, 'routeNotFound');
    const wrong = app.inject({ method: 'PATCH', url: `/v1/orders/${ID}` });
    await expectProblem(wrong, 405, 'methodNotAllowed');
    expect((await wrong).headers.allow).toBe('DELETE, GET, HEAD, OPTIONS');
    const xml = app.inject({ url: '/v1/assets', headers: { accept: 'application/xml' } });
    await expectProblem(xml, 406, 'notAcceptable');
    const some = app.inject({ url: '/v1/assets', headers: { accept: 'text/html, */*;q=0.1' } });
    expect((await some).statusCode).toBe(200);
  });
  it('error: 429 with the headers that say when', async () => {
    const small = await buildApp({ trimtab, requestsPerMinute: 2 });
    const first = await small.inject('/v1/assets');
    expect(first.headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '1' });
    await small.inject('/v1/assets');
    const limited = small.inject('/v1/assets');
    await expectProblem(limited, 429, 'rateLimited');
    expect(Number((await limited).headers['retry-after'])).toBeGreaterThan(0);
    expect((await small.inject('/healthz')).statusCode).toBe(200);
    await small.close();
  });
  it('behavior: a quote takes five of the budget, whatever becomes of it', async () => {
    const small = await buildApp({ trimtab, requestsPerMinute: 13 });
    const left = async (answer: Promise<{ readonly headers: Readonly<Record<string, unknown>> }>) =>
      Number((await answer).headers['ratelimit-remaining']);
    const quote = () => small.inject({ method: 'POST', url: '/v1/quotes', payload: {} });
    expect(await left(quote())).toBe(8);
    expect(await left(small.inject('/v1/assets'))).toBe(7);
    expect(await left(small.inject('/nothing'))).toBe(6);
    expect(await left(quote())).toBe(1);
    const refused = await quote();
    expect(refused.json().detail).toBe('too many requests from this address; this one counts as 5');
    expect(refused.headers).toMatchObject({ 'ratelimit-limit': '13', 'ratelimit-remaining': '0' });
    // What the headers said is so: the rest is gone until then.
    expect(refused.headers['retry-after']).toBe(refused.headers['ratelimit-reset']);
    expect((await small.inject('/v1/assets')).statusCode).toBe(429);
    const elsewhere = await small.inject({ url: '/v1/assets', remoteAddress: '192.0.2.7' });
    expect(elsewhere.headers['ratelimit-remaining']).toBe('12');
    await small.close();
  });
  it('behavior: a budget below a weight lets one such request through', async () => {
    const tiny = await buildApp({ trimtab, requestsPerMinute: 2 });
    const quote = () => tiny.inject({ method: 'POST', url: '/v1/quotes', payload: {} });
    expect((await quote()).statusCode).toBe(400);
    expect((await quote()).statusCode).toBe(429);
    await tiny.close();
  });
  it('behavior: a minute later the budget is whole again', async () => {
    const small = await buildApp({ trimtab, requestsPerMinute: 1 });
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const codes: number[] = [];
      for (const passed of [0, 0, 59_000, 2_000]) {
        vi.setSystemTime(Date.now() + passed);
        codes.push((await small.inject('/v1/assets')).statusCode);
      }
      expect(codes).toEqual([200, 429, 429, 200]);
    } finally {
      vi.useRealTimers();
      await small.close();
    }
  });
  it('property: every code has a 4xx or 5xx status and a remedy', () => {
    for (const [code, { status, remedy, title }] of Object.entries(ERRORS)) {
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(remedy, code).toMatch(/\.$/);
      expect(title, code).not.toBe('');
    }
  });
});
