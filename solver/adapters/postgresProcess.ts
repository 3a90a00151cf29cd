// The PostgreSQL server as a process: how it is spawned so that it cannot outlive us, how one is
// recognised, how one is ended.

import { execFile, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { Fault } from '../types/errors.ts';
import { systemClock } from './clock.ts';

export interface ServerProcess {
  readonly pid: number;
  /** The process is gone (and, if it was our child, waited for). */
  hasEnded(): boolean;
  /** From now on the server's life no longer depends on ours. */
  release(): void;
}

export interface ServerOptions {
  readonly program: string;
  readonly data: string;
  /** Drop to this user; null keeps ours. */
  readonly uid: number | null;
  /** Open file descriptor for stdout and stderr. */
  readonly log: number;
  readonly settings: Readonly<Record<string, string>>;
}

// The shell becomes the server (exec), so its pid is ours to signal; before that it leaves a reader on
// our pipe. When we die, by kill −9 too, the pipe closes, `read` fails, and the reader asks the server
// for a fast shutdown. A line on the pipe dismisses the reader instead.
const GUARDED = '{ read line || kill -INT $$; } <&3 >/dev/null 2>&1 & exec 3<&-; exec "$@"';

/** `detached`: Ctrl-C in the terminal reaches us, not the server; we end it after our own work. */
export function spawnServer(options: ServerOptions): ServerProcess {
  const { program, data, uid, log, settings } = options;
  const folder = uid === null ? data : '/proc/self/cwd';
  const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn('/bin/sh', ['-c', GUARDED, 'sh', program, '-D', folder, ...set], {
    cwd: data,
    ...(uid === null ? {} : { uid, gid: uid }),
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env: ENVIRONMENT,
  });
  let ended = false;
  const pipe = child.stdio[3] as import('node:net').Socket;
  const release = () => {
    if (!pipe.destroyed && pipe.writable) pipe.end('released\n');
  };
  child.on('error', () => {
    ended = true;
  });
  child.on('exit', () => {
    ended = true;
    release();
  });
  pipe.on('error', () => {});
  pipe.unref();
  child.unref();
  if (child.pid === undefined) {
    throw new Fault('cannot start /bin/sh for PostgreSQL', { code: 'postgresFailed' });
  }
  return { pid: child.pid, hasEnded: () => ended, release };
}

const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
const RUN_MS = 120_000;

/** Runs a program of PostgreSQL's to its end. Throws Fault with what it said. */
export function runOnce(
  program: string,
  args: readonly string[],
  { cwd, uid }: { readonly cwd: string; readonly uid: number | null },
): Promise<void> {
  const user = uid === null ? {} : { uid, gid: uid };
  return new Promise((done, failed) => {
    const settings = { cwd, env: ENVIRONMENT, timeout: RUN_MS, ...user };
    execFile(program, args, settings, (cause, _out, errors) => {
      if (cause === null) return done();
      const said = errors.trim().split('\n').slice(-5).join('\n');
      const message = `${program} failed: ${said || cause.message}`;
      failed(new Fault(message, { code: 'postgresFailed', retryable: false, cause }));
    });
  });
}

/**
 * Is this pid a live server of that data directory? PostgreSQL works in its data directory, so the
 * process's own folder says so without trusting a number that may since belong to anyone.
 */
export function isServerOf(pid: number, data: string): boolean {
  if (process.platform === 'linux') {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === data;
    } catch {
      return false;
    }
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Fast shutdown, then immediate shutdown, then kill: 10 s, 5 s, 5 s. All three are crash-safe. */
export async function endProcess(pid: number, hasEnded: () => boolean): Promise<void> {
  for (const [signal, patienceMs] of ENDINGS) {
    if (hasEnded()) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const deadline = systemClock.nowMs() + patienceMs;
    while (!hasEnded() && systemClock.nowMs() < deadline) await systemClock.sleep(PAUSE_MS);
  }
}
const PAUSE_MS = 10;
const ENDINGS: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];
