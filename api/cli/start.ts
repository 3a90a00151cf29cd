// `trimtab start`: everything on this machine, one sample order to settlement, then serving.

import type { Command } from 'commander';
import { InvalidInput } from '../../solver/types/errors.ts';
import { stateHome } from './home.ts';
import { createReporter } from './reporter.ts';
import type { OfferedQuote } from './sampleWallet.ts';
import type { World } from './world.ts';

const DEFAULT_PORT = 8787;

interface StartOptions {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly port: string;
}

export function registerStart(program: Command): void {
  program
    .command('start')
    .description('local chains, contracts, database and service; rebalances a sample; serves')
    .option('--once', 'exit once the sample has settled (0), or say why it has not (1)')
    .option('--json', 'one JSON object per step on stdout, remarks on stderr')
    .option('--port <number>', 'HTTP port; 0 takes any free one', String(DEFAULT_PORT))
    .action((options: StartOptions) => start(options));
}

async function start(options: StartOptions): Promise<void> {
  const reporter = createReporter(options.json === true);
  const stopping = new AbortController();
  const stop = () => stopping.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

  const port = portOf(options.port);
  // Only now: the other commands need not wait for chains, database and server to be loaded.
  const [{ openWorld }, { runSample }] = await Promise.all([
    import('./world.ts'),
    import('./sample.ts'),
  ]);
  const world = await openWorld({ home: stateHome(), port, reporter, rivals: true });
  try {
    if (stopping.signal.aborted) return;
    const outcome = await runSample({
      baseUrl: world.api.url,
      network: world.lab.network,
      privateKey: world.lab.accounts.wallet.privateKey,
      reporter,
      signal: stopping.signal,
      fillers: new Map([
        [world.lab.accounts.filler.address, 'built-in (WASM)'],
        [world.lab.accounts.rivalGreedy.address, 'greedy rival'],
        [world.lab.accounts.rivalInventory.address, 'inventory rival'],
      ]),
      earlier: await earlierOrder(world),
    });
    if (!outcome.settled) process.exitCode = 1;
    if (options.once !== true) {
      reporter.progress(`serving at ${world.api.url}; Ctrl-C ends it, the chains and the database`);
      await new Promise<void>((done) => {
        if (stopping.signal.aborted) done();
        else stopping.signal.addEventListener('abort', () => done(), { once: true });
      });
    }
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  } finally {
    await world.close();
  }
}

/** What the sample wallet ordered on these very chains before this process started. */
async function earlierOrder({ solver, lab }: World) {
  if (!lab.adopted) return null;
  const owner = lab.accounts.wallet.address;
  const [order] = await solver.store.listOrders({ owner, limit: 1 });
  const quote = order?.quoteId ? await solver.store.getQuote(order.quoteId) : null;
  if (order === undefined || quote === null) return null;
  return { orderId: order.orderId, quote: quote.response as unknown as OfferedQuote };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new InvalidInput(`--port takes a number from 0 to 65535, got ${text}`);
  }
  return port;
}
