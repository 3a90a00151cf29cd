// npm run bench -- api [--quick] [--json] [--seconds N]
//   --quick     one second per load, a tenth of the clients: shows that it runs, measures nothing
// Server, client and PostgreSQL are processes of their own and share this machine's cores, as the issue
// has it: a quote's rate is told as a share of the same server's trivial route in the same run. Quotes are
// of 200 owners, each with targets of its own; none is answered twice; each is certified and stored.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../solver/adapters/embeddedPostgres.ts';
import { present } from '../../solver/types/assert.ts';
import type { LoadOrder, LoadReport, StreamOrder, StreamReport } from './apiClient.ts';
import type { ServerOrder } from './apiServer.ts';
import { VENUES } from './apiWorld.ts';
import { calibrate } from './statistics.ts';

const OWNERS = 200;
const CONNECTIONS = 16;
const WRITERS = 16;
const ADMISSIONS_PER_SECOND = 1_000;

export interface ApiReport {
  readonly machine: string;
  readonly load: readonly number[];
  readonly calibrationMs: number;
  readonly venues: number;
  readonly hello: Load;
  readonly quotes: Load;
  readonly halfLoad: Load;
  /** /healthz while quotes saturate the server. */
  readonly health: Load;
  /** Two processes at once, each as busy as it can be. */
  readonly two: { readonly perSecond: number; readonly refused: number };
  readonly admission: { readonly perSecond: number; readonly p50: number; readonly p99: number };
  readonly streams: StreamReport & {
    readonly clients: number;
    readonly deliveriesPerSecond: number;
    readonly megabytesBefore: number;
    readonly megabytesAfter: number;
  };
}
interface Load {
  readonly perSecond: number;
  readonly refused: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A process that answers each message with one, in order; what it says unasked comes first. */
class Helper {
  readonly #child: ChildProcess;
  readonly #answers: unknown[] = [];
  #wake = () => {};

  constructor(file: string, args: readonly string[]) {
    this.#child = fork(new URL(file, import.meta.url), [...args], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const take = (message: unknown) => {
      this.#answers.push(message);
      this.#wake();
    };
    this.#child.on('message', take);
    this.#child.on('exit', (code) => take({ failed: `${file} ended (${code})` }));
  }

  async ask<T>(order: LoadOrder | StreamOrder | ServerOrder): Promise<T> {
    this.#child.send(order);
    return this.heard<T>();
  }

  async heard<T>(): Promise<T> {
    while (this.#answers.length === 0) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    const message = this.#answers.shift() as { readonly answer: T; readonly failed?: string };
    if (message.failed !== undefined) throw new Error(message.failed);
    return message.answer;
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

interface Options {
  readonly quick: boolean;
  readonly seconds: number;
  readonly log: (line: string) => void;
}

async function measure({ quick, seconds, log }: Options): Promise<ApiReport> {
  const home = mkdtempSync(join(tmpdir(), 'trimtab-bench-'));
  const postgres = await startPostgres({ home });
  const helpers: Helper[] = [];
  const start = async (file: string, ...args: readonly string[]) => {
    const helper = new Helper(file, args);
    helpers.push(helper);
    return helper;
  };
  try {
    const clients = quick ? 100 : 1_000;
    const server = await start('apiServer.ts', postgres.url, String(clients + 100));
    const { port } = await server.heard<{ port: number }>();
    const client = await start('apiClient.ts');
    let first = 0;
    const order = (change: Partial<LoadOrder> & Pick<LoadOrder, 'kind' | 'port'>): LoadOrder => {
      first += 100_000;
      return { connections: CONNECTIONS, seconds, first, owners: OWNERS, ...change };
    };
    const run = async (
      change: Partial<LoadOrder> & Pick<LoadOrder, 'kind'>,
      by = client,
    ): Promise<Load> => asLoad(await by.ask<LoadReport>(order({ port, ...change })));

    log('warming up');
    await run({ kind: 'quote', seconds: quick ? 1 : 5 });
    await run({ kind: 'hello', seconds: 1 });
    const hello = await run({ kind: 'hello' });
    log(`hello ${hello.perSecond.toFixed(0)}/s`);
    const quotes = await run({ kind: 'quote' });
    log(`quotes ${quotes.perSecond.toFixed(0)}/s`);
    const rate = Math.max(1, quotes.perSecond / 2);
    const halfLoad = await run({ kind: 'quote', rate });
    log('half load done');
    const other = await start('apiClient.ts');
    const [health] = await Promise.all([
      run({ kind: 'hello', connections: 2, rate: 100 }, other),
      run({ kind: 'quote' }),
    ]);
    log('health done');
    const second = await start('apiServer.ts', postgres.url);
    const { port: secondPort } = await second.heard<{ port: number }>();
    await run({ kind: 'quote', port: secondPort, seconds: quick ? 1 : 5 });
    const both = await Promise.all([
      run({ kind: 'quote' }),
      run({ kind: 'quote', port: secondPort }, other),
    ]);
    second.end();
    log('two processes done');
    const count = Math.round(seconds * ADMISSIONS_PER_SECOND);
    await server.ask({ op: 'admit', count: Math.min(count, 500), writers: WRITERS });
    const admission = await server.ask<ApiReport['admission']>({
      op: 'admit',
      count,
      writers: WRITERS,
    });
    log(`admission ${admission.perSecond.toFixed(0)}/s`);
    const streams = await fanOut(server, client, port, { clients, quick });
    return {
      machine: `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}`,
      load: loadavg(),
      calibrationMs: calibrate().ns / 1e6,
      venues: VENUES,
      hello,
      quotes,
      halfLoad,
      health,
      two: {
        perSecond: both.reduce((sum, { perSecond }) => sum + perSecond, 0),
        refused: both.reduce((sum, { refused }) => sum + refused, 0),
      },
      admission,
      streams,
    };
  } finally {
    for (const helper of helpers) helper.end();
    await postgres.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function fanOut(
  server: Helper,
  client: Helper,
  port: number,
  { clients, quick }: { readonly clients: number; readonly quick: boolean },
): Promise<ApiReport['streams']> {
  const [count, perSecond] = quick ? [20, 20] : [1_000, 50];
  const memory = () => server.ask<{ megabytes: number }>({ op: 'memory' });
  const { orderId } = await server.ask<{ orderId: string }>({ op: 'newOrder' });
  const opening = client.ask<string>({ kind: 'streams', port, orderId, clients });
  await opening;
  const before = await memory();
  const begin = performance.now();
  const written = server.ask<{ seconds: number }>({ op: 'events', orderId, count, perSecond });
  const report = await client.heard<StreamReport>();
  const seconds = (performance.now() - begin) / 1_000;
  await written;
  const after = await memory();
  return {
    ...report,
    clients,
    deliveriesPerSecond: report.events / seconds,
    megabytesBefore: before.megabytes,
    megabytesAfter: after.megabytes,
  };
}

function asLoad({ answered, refused, seconds, p50, p99, max }: LoadReport): Load {
  const others = Object.values(refused).reduce((sum, n) => sum + n, 0);
  return { perSecond: answered / seconds, refused: others, p50, p99, max };
}

const ms = (value: number) => `${value.toPrecision(3)} ms`;
const met = (ok: boolean) => (ok ? 'met' : 'MISSED');

/** The table as it stands in docs/benchmarks.md. */
function table(report: ApiReport): string {
  const { hello, quotes, halfLoad, health, two, admission, streams } = report;
  const share = quotes.perSecond / hello.perSecond;
  const gain = two.perSecond / quotes.perSecond - 1;
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['hello (GET /healthz)', '–', `${hello.perSecond.toFixed(0)}/s, p99 ${ms(hello.p99)}`, ''],
    [
      `quotes, ${report.venues} venues, one process`,
      '≥ 1/20 of hello',
      `${quotes.perSecond.toFixed(0)}/s = 1/${(1 / share).toFixed(0)}, p50 ${ms(quotes.p50)}, p99 ${ms(quotes.p99)}`,
      met(share >= 1 / 20),
    ],
    [
      '… at half load',
      'p99 < 25 ms',
      `p50 ${ms(halfLoad.p50)}, p99 ${ms(halfLoad.p99)}`,
      met(halfLoad.p99 < 25),
    ],
    [
      '/healthz while quotes saturate',
      'p99 < 5 ms',
      `p50 ${ms(health.p50)}, p99 ${ms(health.p99)}`,
      met(health.p99 < 5),
    ],
    [
      'a second process',
      'adds ≥ 0.7 of the first, where cores allow',
      `${two.perSecond.toFixed(0)}/s together: adds ${gain.toFixed(2)}`,
      met(gain >= 0.7),
    ],
    [
      `admission, ${WRITERS} writers`,
      '≥ 2,000/s, p99 < 25 ms',
      `${admission.perSecond.toFixed(0)}/s, p50 ${ms(admission.p50)}, p99 ${ms(admission.p99)}`,
      met(admission.perSecond >= 2_000 && admission.p99 < 25),
    ],
    [
      `SSE, one order to ${streams.clients} clients`,
      'every event to all, memory flat',
      `${streams.deliveriesPerSecond.toFixed(0)} deliveries/s, lag p50 ${streams.p50} ms, p99 ${streams.p99} ms; ` +
        `${streams.megabytesBefore.toFixed(0)} → ${streams.megabytesAfter.toFixed(0)} MB`,
      met(
        streams.ended === streams.clients &&
          streams.megabytesAfter < 1.2 * streams.megabytesBefore + 20,
      ),
    ],
  ];
  const lines = rows.map((row) => `| ${row.join(' | ')} |`);
  return ['| what | target | measured | |', '|---|---|---|---|', ...lines].join('\n');
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '10' },
    },
  });
  const seconds = values.quick ? 1 : Number(values.seconds);
  const log = (line: string) => console.error(`api: ${line}`);
  const report = await measure({ quick: values.quick, seconds, log });
  if (values.json) {
    console.log(JSON.stringify(report));
    return 0;
  }
  const load = present(report.load[0], 'load').toFixed(1);
  console.log(
    `${report.machine}; load ${load}; calibration kernel ${report.calibrationMs.toFixed(1)} ms\n`,
  );
  console.log(table(report));
  return 0;
}
