// 25,000 malformed requests on a real service over sockets: every one is answered with its own 4xx
// problem, by the same process, which keeps nothing of them. TRIMTAB_SEED repeats a run.

import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approve, askQuote } from '../../api/cli/sampleWallet.ts';
import { ERRORS } from '../../api/errors.ts';
import { type RunningServer, startServer } from '../../api/server.ts';
import { type Malformed, malformed, operationsOf, tampered } from '../api/malformed.ts';
import { simRng } from '../settlement/sim/rng.ts';
import { give, type OwnWorld, openOwnWorld } from './harness.ts';

const COUNT = Number(process.env.TRIMTAB_MALFORMED ?? '25000');
const TAMPERED = Math.ceil(COUNT / 25);
const AT_ONCE = 16;
const GROWTH_MAX = 48 * 1024 * 1024;
const seed = Number(process.env.TRIMTAB_SEED ?? Date.now() % 1_000_000);

let own: OwnWorld;
let server: RunningServer;
const behind: unknown[] = [];
/** Milliseconds from request to answer, the client's own time included; printed, never asserted. */
const took: number[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

beforeAll(async () => {
  own = await openOwnWorld({});
  server = await startServer({
    trimtab: own.world.solver.trimtab,
    port: 0,
    requestsPerMinute: 1_000_000,
    onError: (error) => behind.push(error),
  });
});
afterAll(async () => {
  agent.destroy();
  await server?.close();
  await own?.close();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function send({ method, path, headers, body }: Malformed): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port: server.port, method, path, headers, agent },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: String(answer.headers['content-type']),
            body: Buffer.concat(parts).toString(),
          }),
        );
      },
    );
    call.on('error', reject);
    call.end(body ?? undefined);
  });
}

/** Null for a 4xx that is a problem of ours with that status. */
function wrong({ status, type, body }: Answer): string | null {
  if (status < 400 || status > 499) return `answered ${status} ${body.slice(0, 300)}`;
  if (!type.startsWith('application/problem+json')) return `answered ${status} as ${type}`;
  const problem = JSON.parse(body);
  const entry = ERRORS[problem.code as keyof typeof ERRORS];
  return entry?.status === status ? null : `answered ${status} with ${problem.code}`;
}

async function sendAll(count: number, next: () => Malformed): Promise<Map<string, number>> {
  const kinds = new Map<string, number>();
  let left = count;
  const lane = async () => {
    for (; left > 0; ) {
      left -= 1;
      const one = next();
      const started = performance.now();
      const answer = await send(one);
      took.push(performance.now() - started);
      const fault = wrong(answer);
      if (fault !== null) {
        const body = one.body?.toString().slice(0, 600);
        throw new Error(`seed ${seed}: ${one.what} ${one.method} ${one.path} ${body}: ${fault}`);
      }
      kinds.set(one.what, (kinds.get(one.what) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return kinds;
}

const share = (part: number): string =>
  (took.toSorted((a, b) => a - b)[Math.floor(part * (took.length - 1))] ?? 0).toFixed(1);

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

describe('malformed requests', () => {
  test(`behavior: ${COUNT} of them are 4xx problems, and nothing stays`, async () => {
    console.info(`seed ${seed}`);
    const rng = simRng(seed);
    const document = await (await fetch(`${server.url}/openapi.json`)).json();
    const operations = operationsOf(document);
    const next = (): Malformed => {
      for (;;) {
        const one = malformed(rng, operations);
        if (one !== null) return one;
      }
    };
    const { pid } = process;
    const first = await sendAll(Math.ceil(COUNT / 5), next);
    const before = heapAfterCollection();
    const rest = await sendAll(COUNT - Math.ceil(COUNT / 5), next);
    const growth = heapAfterCollection() - before;
    console.info('sent:', Object.fromEntries(first), Object.fromEntries(rest), { growth });
    console.info(`answered by ${AT_ONCE} at once: p50 ${share(0.5)} ms, p99 ${share(0.99)} ms`);
    expect(growth).toBeLessThan(GROWTH_MAX);
    expect(process.pid).toBe(pid);
    expect(behind).toEqual([]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  test(`behavior: ${TAMPERED} changes of a signed, quoted order are refused, and it is still good`, async () => {
    const rng = simRng(seed + 1);
    const { world } = own;
    const user = privateKeyToAccount(world.lab.accounts.spare1.privateKey);
    await give(world, 31338, 'USDC', '3000', user.address);
    const quote = await askQuote(server.url, user.address, [
      { asset: 'ETH', weightBps: 5000 },
      { asset: 'USDC', weightBps: 5000 },
    ]);
    await approve(world.lab.network, user, quote.metadata.approvals, () => {});
    const { order } = quote;
    const signature = await user.signTypedData(order.payload as never);
    await sendAll(TAMPERED, () => ({
      what: 'typed data',
      method: 'POST',
      path: '/v1/orders',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(tampered(rng, { order, signature })),
    }));
    const good = await send({
      ...{ what: 'good', method: 'POST', path: '/v1/orders' },
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ order, signature }),
    });
    expect([good.status, good.body.slice(0, 200)]).toEqual([202, expect.any(String)]);
    expect(behind).toEqual([]);
  });

  test('error: bytes that are no request, and headers that are too large', async () => {
    for (const [bytes, status] of [
      ['\u0000\u0001\u0002\r\n\r\n', 400],
      ['GET / HTTP/9.9\r\n\r\n', 400],
      ['GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n', 400],
      ['POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', 400],
      [
        'POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
        400,
      ],
      [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ] as const) {
      const text = await raw(bytes);
      expect(text.split('\r\n')[0]).toContain(String(status));
      expect(text).toContain('application/problem+json');
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});

function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    let text = '';
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.includes('}')) socket.end();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}
