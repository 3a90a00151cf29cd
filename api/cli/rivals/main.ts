// The rivals' process: two solvers that compete with the built-in one over the public WebSocket, with
// lab keys of their own. It ends with its parent: when stdin closes, however that died.

import { privateKeyToAccount } from 'viem/accounts';
import { runSolver, type SolverEvent } from '../../client/solver/index.ts';
import { greedyRival } from './greedy.ts';
import { inventoryRival } from './inventory.ts';

interface RivalsInput {
  readonly url: string;
  readonly keys: Readonly<Record<'greedy' | 'inventory', `0x${string}`>>;
}

/** Between attempts to begin, while the service or a chain does not answer. */
const RETRY_MS = 1_000;

export async function runRivals({ url, keys }: RivalsInput, signal: AbortSignal): Promise<void> {
  const rivals = { greedy: greedyRival(), inventory: inventoryRival() } as const;
  await Promise.all(
    (['greedy', 'inventory'] as const).map(async (name) => {
      const say = (event: SolverEvent) =>
        process.stdout.write(
          `${JSON.stringify({ rival: name, ...event }, (_, value) =>
            typeof value === 'bigint' ? value.toString() : value,
          )}\n`,
        );
      while (!signal.aborted) {
        try {
          const account = privateKeyToAccount(keys[name]);
          await runSolver({ url, account, ...rivals[name], signal, onEvent: say });
        } catch (error) {
          say({ type: 'problem', reason: error instanceof Error ? error.message : String(error) });
          await new Promise((done) => setTimeout(done, RETRY_MS));
        }
      }
    }),
  );
}

/** The first line of stdin is the input: keys are not for the command line. */
export async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stopping.abort());
  }
  let buffer = '';
  let started: Promise<void> | null = null;
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (chunk: string) => {
    buffer += chunk;
    const end = buffer.indexOf('\n');
    if (end < 0 || started !== null) return;
    started = runRivals(JSON.parse(buffer.slice(0, end)) as RivalsInput, stopping.signal);
  });
  await new Promise<void>((done) => {
    const stop = () => {
      stopping.abort();
      done();
    };
    process.stdin.on('end', stop);
    process.stdin.on('close', stop);
    stopping.signal.addEventListener('abort', () => done());
  });
  // What is being sent is finished, but nobody waits for a chain that hangs.
  await Promise.race([started, new Promise((done) => setTimeout(done, 3_000))]);
  process.exit(0);
}
