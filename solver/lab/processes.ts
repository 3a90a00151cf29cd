// Processes by pid and command line. A pid alone proves nothing: it may have been given to another
// program since. Nothing is ended here unless its command line is the recorded one.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessRef {
  readonly pid: number;
  /** Arguments joined by single spaces, as /proc shows them. */
  readonly command: string;
}

/** The command line of a live process, or null when there is none (a zombie counts as none). */
export function commandOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return text === '' ? null : text;
  } catch {
    if (process.platform === 'linux') return null;
  }
  try {
    const text = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    return text.trim() === '' ? null : text.trim();
  } catch {
    return null;
  }
}

export const isRunning = (ref: ProcessRef): boolean => commandOf(ref.pid) === ref.command;

/** Sends a signal if the process is still the recorded one. */
export function signal(ref: ProcessRef, name: NodeJS.Signals): void {
  if (!isRunning(ref)) return;
  try {
    process.kill(ref.pid, name);
  } catch (error) {
    // Gone between the look and the signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/**
 * Asks with SIGTERM, insists with SIGKILL after `graceMs`, and returns when the process is gone.
 * Throws if it outlives SIGKILL by five seconds.
 */
export async function endProcess(ref: ProcessRef, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    signal(ref, 'SIGTERM');
    if (await gone(ref, graceMs)) return;
  }
  signal(ref, 'SIGKILL');
  if (!(await gone(ref, 5000))) throw new Error(`process ${ref.pid} does not end: ${ref.command}`);
}

async function gone(ref: ProcessRef, withinMs: number): Promise<boolean> {
  for (let waited = 0; waited <= withinMs; waited += 20) {
    if (!isRunning(ref)) return true;
    await new Promise((done) => setTimeout(done, 20));
  }
  return false;
}
