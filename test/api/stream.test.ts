// The event stream over a real socket: order, resumption, heartbeats, its end, slow clients.

import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../api/server.ts';
import { type FakeTrimtab, fakeTrimtab, ID, storedOrder } from './fakeTrimtab.ts';

let trimtab: FakeTrimtab;
let server: RunningServer;

const start = async (streams = {}) => {
  server = await startServer({ trimtab, port: 0, streams });
};
beforeEach(() => {
  trimtab = fakeTrimtab();
  trimtab.record = { order: storedOrder('opened'), transactions: [], quotedAmounts: null };
});
afterEach(() => server.close());

function open(headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${server.url}/v1/orders/${ID}/events`, { headers }, resolve).on('error', reject);
  });
}
async function readAll(stream: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}
const idsOf = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

describe('GET /v1/orders/{id}/events', () => {
  it('default: what was, then what comes, until the terminal event', async () => {
    await start();
    trimtab.push('order.created', { owner: '0x' });
    const stream = await open();
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const all = readAll(stream);
    trimtab.push('tx.sent', { hash: '0x01' });
    trimtab.push('order.settled');
    trimtab.push('order.noise');
    const text = await all;
    expect(idsOf(text)).toEqual([1, 2, 3]);
    expect(text).toContain('event: tx.sent\ndata: {"seq":2,"type":"tx.sent"');
  });

  it('behavior: resumes after Last-Event-ID', async () => {
    await start();
    for (const type of ['order.created', 'order.opened', 'order.filled', 'order.settled']) {
      trimtab.push(type);
    }
    expect(idsOf(await readAll(await open({ 'last-event-id': '2' })))).toEqual([3, 4]);
  });

  it('behavior: 204 when the order is over and nothing is left, so that browsers stop', async () => {
    await start();
    trimtab.push('order.settled');
    trimtab.record = { order: storedOrder('settled'), transactions: [], quotedAmounts: null };
    const stream = await open({ 'last-event-id': '1' });
    stream.resume();
    expect(stream.statusCode).toBe(204);
  });

  it('behavior: heartbeats keep it open, and find what no hint announced', async () => {
    await start({ heartbeatMs: 20 });
    trimtab.subscribe = () => () => {};
    trimtab.push('order.created');
    const stream = await open();
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) {
      text += chunk;
      if (text.includes(': heartbeat') && !text.includes('settled')) trimtab.push('order.settled');
    }
    expect(text).toContain('event: order.settled');
  });

  it('behavior: a client that does not read is dropped', async () => {
    await start({ backlogMax: 64 * 1024 });
    const stream = await open();
    stream.pause();
    const closed = new Promise<void>((resolve) => {
      stream.on('close', resolve);
      stream.on('error', () => {});
    });
    const filler = 'x'.repeat(64 * 1024);
    for (let i = 0; i < 200; i++) trimtab.push('order.noise', { filler });
    stream.resume();
    await closed;
    expect(stream.complete).toBe(false);
  });

  it('error: too many streams', async () => {
    await start({ streamsMax: 1 });
    const first = await open();
    const second = await open();
    expect(second.statusCode).toBe(503);
    second.resume();
    first.destroy();
  });

  it('error: no such order', async () => {
    await start();
    trimtab.record = null;
    const stream = await open();
    stream.resume();
    expect(stream.statusCode).toBe(404);
  });

  it('behavior: closing the server ends the stream', async () => {
    await start();
    const all = readAll(await open());
    await server.close();
    expect(idsOf(await all)).toEqual([]);
  });
});
