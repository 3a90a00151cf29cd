// `trimtab serve`: one role of the service as a process, for production. Everything it needs it is
// told; it starts no chains and no database. Says what it does as JSON lines on stderr, and one line
// on stdout once it is ready, for whoever started it.

import { readFile } from 'node:fs/promises';
import { createPromMeter } from '../../../solver/adapters/promMeter.ts';
import { jobsOf } from '../../../solver/roles.ts';
import { openSolver } from '../../../solver/solver.ts';
import { Fault } from '../../../solver/types/errors.ts';
import { createLog, logSinks } from '../../log.ts';
import { startOps } from '../../ops.ts';
import { startServer } from '../../server.ts';
import { BadConfiguration, readServeConfig, type ServeConfig, type ServeFlags } from './config.ts';

/** Resolves once it has stopped; the exit code is set. */
export async function serve(flags: ServeFlags): Promise<void> {
  let config: ServeConfig;
  try {
    config = readServeConfig(flags, process.env);
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error;
    for (const fault of error.faults) console.error(`error: ${fault}`);
    process.exitCode = 2;
    return;
  }
  await run(config);
}

async function run(config: ServeConfig): Promise<void> {
  const roles = config.roles.join(',');
  const log = createLog({
    level: config.logLevel,
    secrets: config.secrets,
    write: (line) => process.stderr.write(line),
    base: { role: roles },
  });
  const sinks = logSinks(log);
  const stopping = stopOnSignals((line) => log.info(line));
  const undo: (() => Promise<void>)[] = [];
  try {
    const meter = createPromMeter({ processMetrics: true });
    const solver = await openSolver({
      network: config.network,
      databaseUrl: config.databaseUrl,
      wasmBytes: await coreOf(config.wasmPath),
      keys: config.keys,
      jobs: jobsOf(config.roles),
      ...config.settings,
      ...sinks,
      meter,
    });
    undo.push(() => solver.close());
    const { core = '' } = await solver.trimtab.readiness();
    meter.gauge('trimtab_info', () => [{ labels: { roles, core }, value: 1 }]);
    const readiness = async () => {
      const view = await solver.trimtab.readiness();
      if (!stopping.aborted) return view;
      return { ready: false, checks: { ...view.checks, process: 'is stopping' } };
    };
    const ops = await startOps({ ...config.ops, expose: meter.expose, readiness });
    undo.push(() => ops.close());
    const api =
      config.api === null
        ? null
        : await startServer({
            ...config.api,
            trimtab: { ...solver.trimtab, readiness },
            logger: log,
            meter,
            trustProxy: config.trustProxy,
            requestsPerMinute: config.requestsPerMinute,
          });
    if (api !== null) undo.push(() => api.close());
    const urls = { ops: ops.url, ...(api === null ? {} : { api: api.url }) };
    log.info({ ...urls, jobs: jobsOf(config.roles).join(',') }, 'ready');
    process.stdout.write(`${JSON.stringify({ ready: true, roles: config.roles, ...urls })}\n`);
    await aborted(stopping);
  } catch (error) {
    log.fatal({ err: error }, 'could not start or go on');
    process.exitCode = error instanceof Fault ? 3 : 1;
  } finally {
    await closeAll(undo, config.shutdownSeconds, log);
  }
}

async function coreOf(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    const message = `the core ${path} cannot be read: run \`trimtab build\` when making the image`;
    throw new Fault(message, { cause, retryable: false, code: 'coreMissing' });
  });
}

/** The first signal stops in order, the second at once: what runs is found again by its lease. */
function stopOnSignals(say: (line: string) => void): AbortSignal {
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    if (stopping.signal.aborted) {
      say(`${signal} again: ended at once`);
      process.exit(1);
    }
    say(`${signal}: finishing what runs`);
    stopping.abort(new Error('stopped'));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  return stopping.signal;
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });

/** The door first, then the work behind it. What does not end in time is left to its leases. */
async function closeAll(
  undo: (() => Promise<void>)[],
  seconds: number,
  log: ReturnType<typeof createLog>,
): Promise<void> {
  const late = setTimeout(() => {
    log.error({ seconds }, 'did not stop in time: ended');
    process.exit(1);
  }, seconds * 1000);
  late.unref();
  for (const step of undo.splice(0).reverse()) {
    await step().catch((error: unknown) => {
      log.error({ err: error }, 'stopping');
      process.exitCode = 1;
    });
  }
  clearTimeout(late);
  log.info('stopped');
}
