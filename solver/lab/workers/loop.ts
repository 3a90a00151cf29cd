// Runs a step again and again until told to stop. A step that throws is logged and tried again
// after a growing pause: an outage of one chain must not end a worker.

import { setTimeout as sleep } from 'node:timers/promises';
import type { LabLog } from '../log.ts';

const PAUSE_MAX_MS = 2000;

export interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly log: LabLog;
  readonly step: () => Promise<void>;
}

/** Resolves after `signal` has fired and the step under way has ended. Never rejects. */
export async function runLoop({ name, everyMs, signal, log, step }: LoopOptions): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await step();
      failures = 0;
    } catch (error) {
      failures += 1;
      log.error('stepFailed', error, { name, failures });
    }
    const pause = Math.min(everyMs * 2 ** Math.min(failures, 6), Math.max(PAUSE_MAX_MS, everyMs));
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}
