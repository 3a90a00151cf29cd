// Starts and ends the rivals' process, so that the service's event loop stays its own. What they say
// comes line by line; when they die, that is said, and the market goes on with the built-in solver.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Hex } from 'viem';
import { projectRoot } from '../home.ts';

export interface Rivals {
  /** Resolves when both are connected; false when they did not get that far in time. */
  readonly ready: Promise<boolean>;
  /** Ends the process; again is harmless. */
  stop(): Promise<void>;
}

export interface RivalsOptions {
  readonly url: string;
  readonly keys: Readonly<Record<'greedy' | 'inventory', Hex>>;
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void;
}

const READY_MS = 20_000;
/** A process that has not ended by itself in this time is killed. */
const STOP_MS = 4_000;

export function startRivals({ url, keys, onEvent }: RivalsOptions): Rivals {
  const script =
    'const { register } = await import("tsx/esm/api"); register();' +
    'const { main } = await import("./api/cli/rivals/main.ts"); await main();';
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: projectRoot,
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C reaches a whole group: this one is ended by its parent, in order.
    detached: true,
  });
  child.stdin.on('error', () => {});
  child.stdin.write(`${JSON.stringify({ url, keys })}\n`);
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-2_000);
  });
  const connected = new Set<unknown>();
  const ended = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('close', () => done());
  });
  const ready = new Promise<boolean>((done) => {
    const timer = setTimeout(() => done(false), READY_MS);
    const settle = (value: boolean) => {
      clearTimeout(timer);
      done(value);
    };
    ended.then(() => settle(false));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (event.type === 'connected') connected.add(event.rival);
      if (connected.size === 2) settle(true);
      onEvent(event);
    });
  });
  let stopping = false;
  ended.then(() => {
    if (!stopping) onEvent({ type: 'problem', reason: `the rivals ended: ${complaints}` });
  });
  return {
    ready,
    async stop() {
      stopping = true;
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
