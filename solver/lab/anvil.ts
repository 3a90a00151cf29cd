// One anvil: found, started on loopback, ready or refused within a time limit.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { Fault } from '../types/errors.ts';
import type { ProcessRef } from './processes.ts';

export interface AnvilOptions {
  readonly chainId: number;
  /** 0 is any free port. */
  readonly port: number;
  /** Further arguments: how to mine, what to load. */
  readonly args: readonly string[];
}

export interface Anvil {
  readonly chainId: number;
  readonly url: string;
  readonly ref: ProcessRef;
  /** Resolves with a sentence when the process ends, whoever ended it. */
  readonly ended: Promise<string>;
  /** SIGKILL, now: nothing of a lab chain is worth a graceful end. */
  kill(): void;
}

/** Told of every process at once; `ended` resolves when it has ended and been reaped. */
export type OnSpawned = (ref: ProcessRef, ended: Promise<string>) => void;

const READY_TIMEOUT_MS = 15_000;
/**
 * States kept for reads at past blocks, as many as a usual full node keeps; none touch the disk.
 * Each takes 0.35 MB. Only with --no-mining: --block-time under 3 s makes anvil keep 1500 and more.
 */
const STATES_MAX = 128;

/** The npm package's binary, else the first `anvil` on PATH; throws Fault naming the remedy. */
export function anvilBinary(): string {
  const candidates: string[] = [];
  try {
    const manifest = '@foundry-rs/anvil-linux-amd64/package.json';
    const found = createRequire(import.meta.url).resolve(manifest);
    candidates.push(join(dirname(found), 'bin', 'anvil'));
  } catch {
    // Optional dependency: absent on other platforms.
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder !== '') candidates.push(join(folder, 'anvil'));
  }
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Next.
    }
  }
  throw new Fault(
    'anvil not found: on Linux x64 run `npm ci` without --omit=optional; elsewhere install ' +
      'Foundry (https://getfoundry.sh) so that `anvil` 1.x is on PATH',
    { retryable: false, code: 'anvilMissing' },
  );
}

/**
 * Starts anvil and waits until it listens. `onSpawned` runs before anything else can fail, so that
 * the process can be recorded at once.
 */
export async function startAnvil(options: AnvilOptions, onSpawned: OnSpawned): Promise<Anvil> {
  const args = [
    ...['--host', '127.0.0.1', '--port', String(options.port)],
    ...['--chain-id', String(options.chainId), '--hardfork', 'prague'],
    ...['--prune-history', String(STATES_MAX), '--no-request-size-limit', '--no-cors'],
    ...options.args,
  ];
  const binary = anvilBinary();
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<string>((done) => {
    child.once('error', (error) => done(`anvil did not start: ${error.message}`));
    child.once('exit', (code, signal) => done(`anvil ended: ${signal ?? `exit code ${code}`}`));
  });
  if (child.pid === undefined) throw new Fault(await ended);
  const ref = { pid: child.pid, command: [binary, ...args].join(' ') };
  onSpawned(ref, ended);
  try {
    const url = await listening(child, ended);
    return { chainId: options.chainId, url, ref, ended, kill: () => void child.kill('SIGKILL') };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Reads anvil's own announcement: the port is known only then if 0 was asked for. */
async function listening(child: ChildProcess, ended: Promise<string>): Promise<string> {
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  const announced = new Promise<string>((found) => {
    const look = (chunk: Buffer) => {
      if (text.length > 200_000) return;
      text += chunk.toString();
      const match = /Listening on 127\.0\.0\.1:(\d+)/.exec(text);
      if (match !== null) found(`http://127.0.0.1:${match[1]}`);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
  });
  const failed = ended.then((why) => {
    throw new Fault(`${why}: ${text.trim().slice(-400)}`);
  });
  const late = new Promise<never>((_, fail) => {
    const why = `anvil (pid ${child.pid}) did not listen within ${READY_TIMEOUT_MS / 1000} s`;
    timer = setTimeout(() => fail(new Fault(why)), READY_TIMEOUT_MS);
  });
  try {
    return await Promise.race([announced, failed, late]);
  } finally {
    clearTimeout(timer);
    // From here on nobody reads anvil's chatter, but the pipe must drain or anvil blocks.
    child.stdout?.removeAllListeners('data').resume();
    child.stderr?.removeAllListeners('data').resume();
  }
}
