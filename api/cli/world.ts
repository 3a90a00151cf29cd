// A whole trimtab in one process: database, local chains, the service and its HTTP door. What `start`
// runs and what the end-to-end tests start. Opening is undone in reverse order on close, also when a
// later step of opening failed.

import { appendFileSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { databaseOfRun } from '../../solver/adapters/databasePerRun.ts';
import { startPostgres } from '../../solver/adapters/embeddedPostgres.ts';
import { createPromMeter } from '../../solver/adapters/promMeter.ts';
import { type LabHandle, type LabOptions, startLab } from '../../solver/lab/lab.ts';
import { openSolver, type Solver, type SolverOptions } from '../../solver/solver.ts';
import { createLog, logSinks } from '../log.ts';
import { type RunningServer, startServer } from '../server.ts';
import { buildAll, wasmPath } from './build.ts';
import type { Reporter } from './reporter.ts';
import { type Rivals, startRivals } from './rivals/spawn.ts';

/** Everybody who bids here is on this machine. */
const LAB_SETTLEMENT = { gatherMs: 200, biddingMs: 800 };
/** Local blocks come every second or faster, and nobody else watches these pools. */
const LAB_KEEPER = { pollMs: 1_000, jitterSeconds: 0, failurePauseMs: 1_000 };

export interface WorldOptions {
  readonly home: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly reporter: Reporter;
  readonly lab?: Omit<LabOptions, 'home'>;
  /** Whether rival solvers compete with the built-in one, from a process of their own. */
  readonly rivals?: boolean;
  /** Of one address; absent: the service's default. */
  readonly requestsPerMinute?: number;
  readonly solver?: Pick<
    SolverOptions,
    'jobs' | 'quotePolicy' | 'settlementPolicy' | 'keeper' | 'log'
  >;
}

export interface World {
  readonly lab: LabHandle;
  /** This run's own database. */
  readonly databaseUrl: string;
  readonly solver: Solver;
  readonly api: RunningServer;
  /** Ends the service, then the chains, then the database. Again is harmless. */
  close(): Promise<void>;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { home, reporter } = options;
  const logFile = join(home, 'trimtab.log');
  const sinks = logSinks(fileLog(logFile, reporter));
  const log = options.solver?.log ?? sinks.log;
  const meter = createPromMeter({ processMetrics: false });
  const undo: (() => Promise<void>)[] = [];
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= closeAll(undo);
    return closing;
  };
  const timed = async <T>(name: string, work: () => Promise<T>, say: (value: T) => string) => {
    const started = performance.now();
    const value = await work();
    const ms = Math.round(performance.now() - started);
    reporter.step(name, `${say(value)} (${(ms / 1000).toFixed(1)} s)`, { ms });
    return value;
  };
  try {
    await timed(
      'built',
      () => buildAll(reporter.progress),
      () => 'the WASM core and the contracts',
    );
    const serverUrl = await timed(
      'database',
      () => openServer(home, reporter, undo),
      () => (process.env.DATABASE_URL === undefined ? 'embedded PostgreSQL' : 'DATABASE_URL'),
    );
    const lab = await timed(
      'chains',
      () => startLab({ ...options.lab, home }, reporter.progress),
      ({ network, adopted }) =>
        `${network.chains.map(({ name, chainId }) => `${name} (${chainId})`).join(', ')}` +
        `${adopted ? ', adopted as they were' : ''}`,
    );
    undo.push(() => lab.stop());
    const databaseUrl = await databaseOfRun(serverUrl, lab.runId);
    const solver = await openSolver({
      network: lab.network,
      databaseUrl,
      wasmBytes: await readFile(wasmPath),
      keys: {
        filler: lab.accounts.filler.privateKey,
        auctioneer: lab.accounts.auctioneer.privateKey,
        guardian: lab.accounts.guardian.privateKey,
      },
      keeper: LAB_KEEPER,
      webhooks: { allowPrivate: true },
      ...options.solver,
      settlementPolicy: { ...LAB_SETTLEMENT, ...options.solver?.settlementPolicy },
      log,
    });
    undo.push(() => solver.close());
    const api = await timed(
      'serving',
      () =>
        startServer({
          trimtab: solver.trimtab,
          port: options.port,
          ...(options.requestsPerMinute === undefined
            ? {}
            : { requestsPerMinute: options.requestsPerMinute }),
          onError: log,
          meter,
          // Loopback only: the port is this machine's own.
          expose: meter.expose,
        }),
      ({ url }) => `${url}  (quotes, orders, ${url}/openapi.json)`,
    );
    undo.push(() => api.close());
    if (options.rivals === true)
      await timed('rivals', () => openRivals(api.url, lab, log, undo), rivalsText);
    return { lab, databaseUrl, solver, api, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openRivals(
  url: string,
  { accounts }: LabHandle,
  log: (error: unknown, where: string) => void,
  undo: (() => Promise<void>)[],
): Promise<boolean> {
  const keys = {
    greedy: accounts.rivalGreedy.privateKey,
    inventory: accounts.rivalInventory.privateKey,
  };
  const rivals: Rivals = startRivals({
    url,
    keys,
    onEvent: ({ type, rival, reason }) => {
      if (type === 'problem') log(new Error(String(reason)), `rival ${String(rival ?? '')}`);
    },
  });
  undo.push(() => rivals.stop());
  return rivals.ready;
}

const rivalsText = (ready: boolean): string =>
  ready
    ? 'a greedy and an inventory solver bid over the WebSocket like any third party'
    : 'not connected: the built-in solver bids alone';

/** What people do not ask for while things work; that there is something to read is said once. */
function fileLog(path: string, reporter: Reporter) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  const write = (line: string) => {
    appendFileSync(path, line);
    if (told || !/"level":"(warn|error|fatal)"/.test(line)) return;
    told = true;
    reporter.progress(`remarks are in ${path}`);
  };
  return createLog({ level: 'info', secrets: [process.env.DATABASE_URL ?? ''], write });
}

async function openServer(
  home: string,
  reporter: Reporter,
  undo: (() => Promise<void>)[],
): Promise<string> {
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL !== undefined && DATABASE_URL !== '') return DATABASE_URL;
  const server = await startPostgres({ home, onProgress: reporter.progress });
  undo.push(() => server.stop());
  return server.url;
}

/** Every step is tried, whatever the others did; the first failure is reported at the end. */
async function closeAll(undo: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.splice(0).reverse()) {
    await step().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
