// One order's events to a thousand clients over real sockets: each event is read from the store once, all
// that read get every event in order, those that do not read are dropped, and memory stays flat.

import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../api/server.ts';
import { type FakeTrimtab, fakeTrimtab, ID, storedOrder } from '../api/fakeTrimtab.ts';

const CLIENTS = 1_000;
const SLOW = 20;
const EVENTS = 400;
/** Events of FLOOD_BYTES: 16 MB, beyond what both ends of a loopback connection buffer. */
const FLOOD = 160;
const FLOOD_BYTES = 100_000;

let trimtab: FakeTrimtab;
let server: RunningServer;
let reads = 0;
const sockets: Socket[] = [];

beforeAll(async () => {
  trimtab = fakeTrimtab();
  trimtab.record = { order: storedOrder('opened'), transactions: [], quotedAmounts: null };
  const { events } = trimtab;
  trimtab.events = (...args) => {
    reads++;
    return events.call(trimtab, ...args);
  };
  const streams = { backlogMax: 64 * 1024, streamsMax: CLIENTS };
  server = await startServer({ trimtab, port: 0, streams, requestsPerMinute: 1e9 });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

interface Client {
  readonly socket: Socket;
  /** The ids read, in order. */
  readonly ids: number[];
  closed: boolean;
}

function open(slow: boolean): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    sockets.push(socket);
    const client: Client = { socket, ids: [], closed: false };
    let begun = false;
    socket.on('connect', () => {
      socket.write(`GET /v1/orders/${ID}/events HTTP/1.1\r\nhost: test\r\n\r\n`);
    });
    socket.on('data', (chunk: Buffer) => {
      for (const [, id] of chunk.toString('latin1').matchAll(/^id: (\d+)$/gm)) {
        client.ids.push(Number(id));
      }
      if (begun) return;
      begun = true;
      if (slow) socket.pause();
      resolve(client);
    });
    socket.on('close', () => {
      client.closed = true;
    });
    socket.on('error', reject);
  });
}

async function until(done: () => boolean): Promise<void> {
  for (let wait = 0; wait < 800 && !done(); wait++) await pause(25);
}
const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

describe('an order with a thousand followers', () => {
  it('default: every event once, in order, to all that read; the others are dropped', async () => {
    const clients: Client[] = [];
    for (let k = 0; k < CLIENTS; k += 50) {
      const some = Array.from({ length: 50 }, (_, i) => open(k + i < SLOW));
      clients.push(...(await Promise.all(some)));
    }
    const [slow, keen] = [clients.slice(0, SLOW), clients.slice(SLOW)];
    // Buffers grow to their size in the first events; from there on nothing may be kept.
    const heap: number[] = [];
    const before = reads;
    for (let k = 1; k <= EVENTS; k++) {
      trimtab.push('tx.sent', { number: k, note: 'x'.repeat(4_000) });
      await pause(5);
      if (k % 100 === 0) heap.push(process.memoryUsage().rss);
    }
    const all = (some: readonly Client[], count: number) =>
      until(() => some.every(({ closed, ids }) => closed || ids.length >= count));
    await all(keen, EVENTS);
    const expected = Array.from({ length: EVENTS }, (_, k) => k + 1);
    for (const { ids } of keen) expect(ids).toEqual(expected);
    // Two reads at most per event for everybody: what is new, and that there is no more.
    expect(reads - before).toBeLessThanOrEqual(2 * (EVENTS + 1) + 50);
    const [first = 0, last = 0] = [heap[0], heap.at(-1)];
    console.log(
      `fan-out: resident MB after each 100 events: ${heap.map((b) => (b / 1e6).toFixed(0))}`,
    );
    // 4 MB of events went to each of 1,000 clients meanwhile: 1.2 GB.
    expect(last - first).toBeLessThan(150e6);

    // The others gone, more than the slow ones' kernels can take.
    for (const { socket } of keen) socket.destroy();
    for (let k = 0; k < FLOOD; k++) {
      trimtab.push('tx.sent', { note: 'x'.repeat(FLOOD_BYTES) });
      await pause(5);
    }
    for (const { socket } of slow) socket.resume();
    await until(() => slow.every(({ closed }) => closed));
    for (const { ids } of slow) expect(ids.length).toBeLessThan(EVENTS + FLOOD);
  });
});
