// The load of `npm run bench -- api`, in a process of its own: keep-alive HTTP/1.1 connections over
// plain sockets, so that the client takes little of the two cores. Closed loop (every connection asks
// again once it is answered) or open loop (requests are due at a fixed rate; latency counts from when
// one was due, so that a server that stalls is charged for it). Told by its parent what to send.

import { connect, type Socket } from 'node:net';
import { ownerOf, quoteBody } from './apiWorld.ts';

export interface LoadOrder {
  readonly port: number;
  readonly kind: 'hello' | 'quote';
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second over all connections; absent: as fast as answered. */
  readonly rate?: number;
  /** The first request's number: bodies never repeat between runs. */
  readonly first: number;
  readonly owners: number;
}
export interface LoadReport {
  readonly answered: number;
  /** By status, other than 200. */
  readonly refused: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** One connection: one request at a time. */
class Connection {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #size = 0;
  #need = -1;
  #status = 0;
  #done: ((answer: Answer) => void) | null = null;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', () => this.#answer({ status: 0, body: Buffer.alloc(0) }));
  }

  send(text: string): Promise<Answer> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.write(text);
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#need < 0) {
      const all = Buffer.concat(this.#chunks);
      const end = all.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = all.toString('latin1', 0, end);
      this.#status = Number(head.slice(9, 12));
      this.#need = end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      this.#chunks = [all];
    }
    if (this.#size < this.#need) return;
    const body = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#answer({ status: this.#status, body: body ?? Buffer.alloc(0) });
  }

  #answer(answer: Answer): void {
    const done = this.#done;
    this.#chunks = [];
    this.#size = 0;
    this.#need = -1;
    this.#done = null;
    done?.(answer);
  }
}

const get = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: bench\r\nconnection: keep-alive\r\n\r\n`;
function post(path: string, json: unknown): string {
  const body = JSON.stringify(json);
  return (
    `POST ${path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: keep-alive\r\n\r\n${body}`
  );
}

/** Runs one load to its end. */
async function load(order: LoadOrder): Promise<LoadReport> {
  const text = textsOf(order);
  const connections = Array.from({ length: order.connections }, () => new Connection(order.port));
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  const begin = performance.now();
  const end = begin + order.seconds * 1_000;
  let next = 0;
  const one = async (connection: Connection, due: number): Promise<void> => {
    const { status } = await connection.send(text(next++));
    if (status === 200) latencies.push(performance.now() - due);
    else refused[status] = (refused[status] ?? 0) + 1;
  };
  if (order.rate === undefined) {
    await Promise.all(
      connections.map(async (connection) => {
        while (performance.now() < end) await one(connection, performance.now());
      }),
    );
  } else await paced(connections, order.rate, { begin, end }, one);
  const seconds = (performance.now() - begin) / 1_000;
  for (const connection of connections) connection.end();
  const sorted = latencies.sort((a, b) => a - b);
  const at = (p: number) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))];
  return {
    answered: sorted.length,
    refused,
    seconds,
    p50: at(0.5) ?? Number.NaN,
    p99: at(0.99) ?? Number.NaN,
    max: at(1) ?? Number.NaN,
  };
}

/** Requests fall due evenly; one that finds no free connection waits, and its wait counts. */
async function paced(
  connections: readonly Connection[],
  rate: number,
  { begin, end }: { readonly begin: number; readonly end: number },
  one: (connection: Connection, due: number) => Promise<void>,
): Promise<void> {
  const free = [...connections];
  const waiting: number[] = [];
  const running = new Set<Promise<void>>();
  const go = () => {
    while (free.length > 0 && waiting.length > 0) {
      const connection = free.pop();
      const due = waiting.shift();
      if (connection === undefined || due === undefined) return;
      const work = one(connection, due).then(() => {
        running.delete(work);
        free.push(connection);
        go();
      });
      running.add(work);
    }
  };
  for (let k = 0; ; ) {
    const now = performance.now();
    for (; begin + (k * 1_000) / rate <= now; k++) waiting.push(begin + (k * 1_000) / rate);
    go();
    if (now >= end) break;
    await new Promise((wake) => setTimeout(wake, 1));
  }
  while (running.size > 0 || waiting.length > 0) await Promise.all(running);
}

function textsOf({ kind, first, owners: count }: LoadOrder): (n: number) => string {
  if (kind === 'hello') return () => get('/healthz');
  const owners = Array.from({ length: count }, (_, k) => ownerOf(k).address.toLowerCase());
  return (n) => post('/v1/quotes', quoteBody(first + n, owners));
}

export interface StreamOrder {
  readonly kind: 'streams';
  readonly port: number;
  readonly orderId: string;
  readonly clients: number;
}
export interface StreamReport {
  /** Events read by all clients, and how many clients read the last one. */
  readonly events: number;
  readonly ended: number;
  /** Milliseconds from an event's making to its reading, over all. */
  readonly p50: number;
  readonly p99: number;
}

/** Opens all streams, says so, and reads until all have had the last event. */
async function streams(order: StreamOrder, opened: () => void): Promise<StreamReport> {
  const text = get(`/v1/orders/${order.orderId}/events`);
  const lags: number[] = [];
  let [events, ended, open] = [0, 0, 0];
  const sockets: Socket[] = [];
  const reading = Array.from({ length: order.clients }, () => {
    const socket = connect({ port: order.port, host: '127.0.0.1' });
    sockets.push(socket);
    return new Promise<void>((done) => {
      let begun = false;
      socket.on('connect', () => socket.write(text));
      socket.on('data', (chunk: Buffer) => {
        if (!begun) {
          begun = true;
          if (++open === order.clients) opened();
        }
        const now = Date.now();
        for (const [, sent] of chunk.toString('latin1').matchAll(/"sentAtMs":(\d+)/g)) {
          events++;
          lags.push(now - Number(sent));
        }
        if (chunk.includes('event: order.settled')) {
          ended++;
          done();
        }
      });
      socket.on('error', () => done());
      socket.on('close', () => done());
    });
  });
  await Promise.all(reading);
  for (const socket of sockets) socket.destroy();
  lags.sort((a, b) => a - b);
  const at = (p: number) => lags[Math.min(lags.length - 1, Math.floor(p * lags.length))];
  return { events, ended, p50: at(0.5) ?? Number.NaN, p99: at(0.99) ?? Number.NaN };
}

const say = (answer: unknown) => process.send?.({ answer });
process.on('message', (order: LoadOrder | StreamOrder) => {
  if (order.kind === 'streams') void streams(order, () => say('opened')).then(say);
  else void load(order).then(say);
});
process.on('disconnect', () => process.exit(0));
