// The SDK's wire: what is tried again and what is not, problems as typed errors, streams that resume, a
// certificate checked against its quote. The service here is scripted; test/e2e/sdk.test.ts has a real one.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  followLog,
  getOrder,
  getQuotes,
  type Quote,
  type QuoteRequest,
  submitOrder,
  TrimtabError,
  trimtab,
  verifyCertificate,
  waitForOrder,
} from '../../../api/client/index.ts';

const record = JSON.parse(readFileSync(new URL('../data/quote.json', import.meta.url), 'utf8')) as {
  quote: Quote;
  request: QuoteRequest;
  problem: string;
  result: string;
};

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A service that answers with the handlers in turn, the last one again and again. */
async function service(...handlers: Handler[]) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const handler = handlers[Math.min(asked.length, handlers.length - 1)];
      asked.push(request);
      handler?.(request, response, body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, url: `http://127.0.0.1:${port}` };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));
const problem = (status: number, code: string, retryable: boolean, more: object = {}) =>
  json(status, { code, detail: `it is ${code}`, remedy: 'mend it', retryable, ...more });
const dropped: Handler = (request) => request.socket.destroy();
const failure = (promise: Promise<unknown>): Promise<TrimtabError> =>
  promise.then(
    () => Promise.reject(new Error('was not refused')),
    (error: TrimtabError) => error,
  );

const ORDER_ID = `0x${'ab'.repeat(32)}` as const;
const signed = { quoteId: 'q-1', orderId: ORDER_ID, signature: '0xcd' } as const;

describe('trimtab', () => {
  test('behavior: reads and quotes are tried again after faults that may pass', async () => {
    const down = problem(503, 'upstreamFault', true);
    const { url, asked } = await service(dropped, down, json(200, { orderId: ORDER_ID }));
    await expect(getOrder(trimtab({ url }), { orderId: ORDER_ID })).resolves.toEqual({
      orderId: ORDER_ID,
    });
    expect(asked).toHaveLength(3);
    const second = await service(dropped, json(200, { quotes: [] }));
    await getQuotes(trimtab({ url: second.url }), record.request);
    expect(second.asked).toHaveLength(2);
  });

  test('behavior: a submission is tried again under one Idempotency-Key', async () => {
    const { url, asked } = await service(dropped, json(202, { orderId: ORDER_ID, order: {} }));
    await submitOrder(trimtab({ url }), signed);
    const keys = asked.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^0x[0-9a-f]{64}$/);
    expect(keys).toEqual([keys[0], keys[0]]);
  });

  test('error: what is not safe is not sent twice, a refusal is not asked again', async () => {
    const { url, asked } = await service(dropped);
    const unsafe = trimtab({ url }).request('/v1/webhooks', { method: 'POST', body: {} });
    expect((await failure(unsafe)).code).toBe('unreachable');
    expect(asked).toHaveLength(1);
    const stale = await service(problem(422, 'stalePrice', true));
    const said = await failure(getQuotes(trimtab({ url: stale.url }), record.request));
    expect(said).toMatchObject({ code: 'stalePrice', status: 422, retryable: true });
    expect(stale.asked).toHaveLength(1);
  });

  test('error: problems keep code, pointer, remedy and details', async () => {
    const more = { pointer: '/intent/targets', details: { sumBps: 9999 } };
    const { url } = await service(problem(400, 'invalidWeights', false, more));
    const said = await failure(getQuotes(trimtab({ url }), record.request));
    expect(said).toBeInstanceOf(TrimtabError);
    expect(said).toMatchObject({ code: 'invalidWeights', remedy: 'mend it', ...more });
  });

  test('error: 429 is waited out as Retry-After says', async () => {
    const busy = json(
      429,
      { code: 'rateLimited', detail: 'x', retryable: true },
      { 'retry-after': '0' },
    );
    const { url, asked } = await service(busy, json(200, {}));
    await getOrder(trimtab({ url }), { orderId: ORDER_ID });
    expect(asked).toHaveLength(2);
    const still = await service(busy);
    const said = await failure(
      getOrder(trimtab({ url: still.url, retries: 0 }), { orderId: ORDER_ID }),
    );
    expect(said).toMatchObject({ code: 'rateLimited', retryAfter: 0 });
  });

  test('error: no service, none in time, another one, an address that is none', async () => {
    const silent = await service(() => {});
    const order = (url: string) =>
      failure(getOrder(trimtab({ url, retries: 0, timeoutMs: 50 }), { orderId: ORDER_ID }));
    expect((await order('http://127.0.0.1:1')).code).toBe('unreachable');
    expect((await order(silent.url)).code).toBe('timeout');
    const other = await service((_, response) => response.end('<html>'));
    expect((await order(other.url)).code).toBe('notTrimtab');
    expect(() => trimtab({ url: 'ftp://x' })).toThrow(TrimtabError);
  });

  test('behavior: an abort ends a request, a pause and a stream with its reason', async () => {
    const silent = await service(() => {});
    const reason = new Error('enough');
    for (const url of [silent.url, 'http://127.0.0.1:1']) {
      const stop = new AbortController();
      const waiting = getOrder(trimtab({ url }), { orderId: ORDER_ID, signal: stop.signal });
      setTimeout(() => stop.abort(reason), 20);
      await expect(waiting).rejects.toBe(reason);
    }
    const stop = new AbortController();
    const stream = followLog(trimtab({ url: silent.url }), '/v1/x', () => false, {
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(reason), 20);
    await expect(stream.next()).rejects.toBe(reason);
  });

  test('error: the service calls the order something else than what was signed', async () => {
    const { url } = await service(json(202, { orderId: `0x${'99'.repeat(32)}`, order: {} }));
    expect((await failure(submitOrder(trimtab({ url }), signed))).code).toBe('mismatch');
  });
});

const frame = (seq: number, type: string) =>
  `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify({ seq, type, at: 1, data: { seq } })}\n\n`;
const stream =
  (...chunks: string[]): Handler =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };

describe('waitForOrder', () => {
  test('behavior: a stream that is cut goes on after the last event seen, none is lost or doubled', async () => {
    const { url, asked } = await service(
      stream(
        'retry: 1000\n\n',
        ': hi\n\n',
        frame(1, 'order.created'),
        frame(2, 'tx.sent').slice(0, 20),
      ),
      stream(frame(2, 'tx.sent'), frame(3, 'order.settled')),
      json(200, { orderId: ORDER_ID, terminal: true, status: 'finalized' }),
    );
    const seen: number[] = [];
    const onEvent = ({ seq }: { seq: number }) => void seen.push(seq);
    const order = await waitForOrder(trimtab({ url }), { orderId: ORDER_ID, onEvent });
    expect(order.status).toBe('finalized');
    expect(seen).toEqual([1, 2, 3]);
    expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual(['0', '1', undefined]);
  });

  test('behavior: follows from an id and a place in its log alone; one that is over just ends', async () => {
    const { url, asked } = await service(
      (_, response) => response.writeHead(204).end(),
      json(200, { orderId: ORDER_ID, terminal: true, status: 'refunded' }),
    );
    const order = await waitForOrder(trimtab({ url }), { orderId: ORDER_ID, afterSeq: 9 });
    expect(order.status).toBe('refunded');
    expect(asked[0]?.headers['last-event-id']).toBe('9');
  });

  test('behavior: where no stream can be had, it asks again and again', async () => {
    const { url, asked } = await service(
      problem(503, 'tooManyStreams', true),
      problem(503, 'tooManyStreams', true),
      json(200, { orderId: ORDER_ID, terminal: false }),
      json(200, { orderId: ORDER_ID, terminal: true, status: 'failed' }),
    );
    const order = await waitForOrder(trimtab({ url, retries: 1 }), { orderId: ORDER_ID });
    expect(order.status).toBe('failed');
    expect(asked).toHaveLength(4);
  });

  test('error: an order that is not known', async () => {
    const { url } = await service(problem(404, 'orderNotFound', false));
    const waiting = waitForOrder(trimtab({ url }), { orderId: ORDER_ID });
    expect((await failure(waiting)).code).toBe('orderNotFound');
  });
});

describe('verifyCertificate', () => {
  const rejected = (quote: Quote, files = record, rules = {}) => {
    try {
      verifyCertificate(quote, files, rules);
    } catch (error) {
      return error as TrimtabError;
    }
    throw new Error('was not refused');
  };

  test('default: a real quote’s, with an explanation of every venue', () => {
    const verified = verifyCertificate(record.quote, record);
    expect(verified.gapBps).toBe(record.quote.metadata.certificate.gapBps);
    const { made, skipped, bound } = verified.explain();
    const { venues } = JSON.parse(record.problem) as { venues: unknown[] };
    expect(made.length + skipped.length).toBe(venues.length);
    expect(made.length).toBe((JSON.parse(record.result) as { legs: unknown[] }).legs.length);
    for (const trade of made) {
      expect(Number(trade.gainUsd)).toBeLessThanOrEqual(Number(trade.bestGainUsd));
      expect(trade.why).toContain('dual prices');
    }
    for (const { why } of skipped) expect(why.length).toBeGreaterThan(20);
    expect(Number(bound.boundUsd)).toBeGreaterThanOrEqual(Number(bound.valueUsd));
  });

  test('error: a quote that is not the result’s', () => {
    const altered = (change: (quote: Quote) => void) => {
      const copy = structuredClone(record.quote);
      change(copy);
      return rejected(copy);
    };
    for (const field of ['problem', 'engine', 'status', 'achieved', 'bound', 'gapBps'] as const) {
      const said = altered(({ metadata }) => {
        metadata.certificate[field] = '1';
      });
      expect(said.code).toBe('certificateRejected');
      expect(said.pointer).toBe(`/metadata/certificate/${field}`);
    }
    const more = altered(({ preview }) => {
      const [output] = preview.outputs;
      if (output) output.amount = `${BigInt(output.amount) * 2n}`;
    });
    expect(more.pointer).toBe('/preview/outputs/0/amount');
    expect(
      altered(({ metadata: { certificate } }) => {
        const [node = ''] = Object.keys(certificate.prices);
        certificate.prices[node] = '1.5';
      }).pointer,
    ).toBe('/metadata/certificate/prices');
  });

  test('error: a file that was touched, is none, or proves too little', () => {
    const touched = record.result.replace(/"amount":"(\d)/, '"amount":"9$1');
    const { code, details } = rejected(record.quote, { ...record, result: touched });
    expect(code).toBe('certificateRejected');
    expect(details?.failures).not.toEqual([]);
    const problem = record.problem.replace(/"reserves":\["(\d)/, '"reserves":["9$1');
    if (problem !== record.problem) {
      expect(rejected(record.quote, { ...record, problem }).code).toBe('certificateRejected');
    }
    expect(rejected(record.quote, { ...record, problem: '{}' }).code).toBe('certificateRejected');
    expect(rejected(record.quote, record, { maxGapBps: -1 }).pointer).toBe('/gapBps');
  });
});
