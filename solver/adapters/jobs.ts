// The worker loop over the jobs table: claims what is due, keeps its lease alive while the handler
// runs, and answers every outcome with exactly one write. Refuses to hold state of its own: a worker
// can be killed at any line, and another one goes on when its lease has run out.

import { Fault } from '../types/errors.ts';
import type { Clock } from '../types/ports.ts';
import { type JobLease, LeaseLost, type Store } from '../types/store.ts';

/** Done for good, or to be called again at `runAtMs` (milliseconds since 1970). */
export type JobOutcome = { readonly done: true } | { readonly runAtMs: number };

export interface WorkerOptions {
  readonly store: Pick<
    Store,
    'claimJob' | 'heartbeat' | 'completeJob' | 'rescheduleJob' | 'onJobs'
  >;
  readonly clock: Clock;
  readonly kinds: readonly string[];
  /**
   * May be called again for the same job at any time after a crash, so it looks before it acts. The
   * signal aborts when the lease was lost or the worker is stopping; throwing its reason is fine.
   */
  readonly handler: (lease: JobLease, signal: AbortSignal) => Promise<JobOutcome>;
  /** Jobs at once. */
  readonly concurrency: number;
  /** After this without a heartbeat another worker may take the job. */
  readonly leaseMs: number;
  /** Aborting it stops the worker: nothing new is claimed, running handlers are waited for. */
  readonly signal: AbortSignal;
  /** Longest idle pause between looking for due jobs, hints or not; default 250. */
  readonly pollMs?: number;
  /** Every failure, once: for the log. */
  readonly onError?: (error: unknown, lease: JobLease | null) => void;
  /** Every run that ended, once: for the meter. */
  readonly onRun?: (lease: JobLease, outcome: RunOutcome, ms: number) => void;
}

/** `stopped`: the worker was closing. `leaseLost`: another worker has the job. */
export type RunOutcome = 'done' | 'again' | 'failed' | 'stopped' | 'leaseLost';

const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 30_000;
/** A defect or a final Fault will hardly mend itself: look again, but rarely. */
const BACKOFF_DEFECT_MS = 60_000;
const STORE_DOWN_MAX_MS = 5_000;

/** Milliseconds before attempt n + 1 of a job whose n-th attempt failed: 250, 500, … 30,000. */
export function backoffMs(attempts: number): number {
  return Math.min(BACKOFF_MIN_MS * 2 ** Math.min(attempts - 1, 20), BACKOFF_MAX_MS);
}

/** Resolves after `signal` aborted and every running handler has returned. Never rejects. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { store, clock, kinds, concurrency, leaseMs, signal, pollMs = 250, onError } = options;
  const running = new Set<Promise<void>>();
  const bell = createBell();
  const unsubscribe = store.onJobs(bell.ring);
  const onAbort = () => bell.ring();
  signal.addEventListener('abort', onAbort);
  let failures = 0;
  while (!signal.aborted) {
    if (running.size >= concurrency) {
      await Promise.race(running);
      continue;
    }
    try {
      const lease = await store.claimJob(kinds, leaseMs);
      failures = 0;
      if (lease !== null) {
        const task: Promise<void> = runJob(lease, options).finally(() => running.delete(task));
        running.add(task);
      } else {
        await bell.wait(pollMs, clock);
      }
    } catch (error) {
      onError?.(error, null);
      failures += 1;
      await bell.wait(Math.min(backoffMs(failures), STORE_DOWN_MAX_MS), clock);
    }
  }
  signal.removeEventListener('abort', onAbort);
  unsubscribe();
  await Promise.all(running);
}

/** One claimed job from lease to outcome. Never rejects. */
async function runJob(lease: JobLease, options: WorkerOptions): Promise<void> {
  const { store, clock, handler, onError } = options;
  const stop = new AbortController();
  const beating = new AbortController();
  const onStop = () => stop.abort(options.signal.reason);
  options.signal.addEventListener('abort', onStop);
  if (options.signal.aborted) onStop();
  const heart = beat(lease, options, stop, beating.signal);
  const started = clock.nowMs();
  const ran = (how: RunOutcome) => options.onRun?.(lease, how, clock.nowMs() - started);
  try {
    const outcome = await handler(lease, stop.signal);
    beating.abort();
    await heart;
    await ('done' in outcome
      ? store.completeJob(lease)
      : store.rescheduleJob(lease, outcome.runAtMs));
    ran('done' in outcome ? 'done' : 'again');
  } catch (error) {
    beating.abort();
    await heart;
    // Someone else has the job: whatever we would write is theirs to decide.
    if (error instanceof LeaseLost || stop.signal.reason instanceof LeaseLost) {
      onError?.(error, lease);
      return ran('leaseLost');
    }
    const stopped = stop.signal.aborted && error === stop.signal.reason;
    ran(stopped ? 'stopped' : 'failed');
    if (!stopped) onError?.(error, lease);
    const pause = stopped ? 0 : pauseAfter(error, lease);
    await store
      .rescheduleJob(lease, clock.nowMs() + pause, stopped ? undefined : describe(error))
      .catch((failed) => onError?.(failed, lease));
  } finally {
    options.signal.removeEventListener('abort', onStop);
  }
}

/** Extends the lease three times per its length until told to end; aborts the handler if it is lost. */
async function beat(
  lease: JobLease,
  { store, clock, leaseMs }: WorkerOptions,
  stop: AbortController,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    try {
      await clock.sleep(leaseMs / 3, end);
      await store.heartbeat(lease, leaseMs);
    } catch (error) {
      // A store that does not answer may be back before the lease has run out.
      if (error instanceof LeaseLost) return stop.abort(error);
    }
  }
}

function pauseAfter(error: unknown, lease: JobLease): number {
  if (error instanceof Fault && error.retryable) return backoffMs(lease.attempts);
  return Math.max(BACKOFF_DEFECT_MS, backoffMs(lease.attempts));
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A wake-up that is not lost when it comes while nobody waits. */
function createBell() {
  let rung = false;
  let wake: (() => void) | null = null;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    async wait(ms: number, clock: Clock): Promise<void> {
      if (!rung) {
        const timer = new AbortController();
        const heard = new Promise<void>((done) => {
          wake = done;
        });
        await Promise.race([heard, clock.sleep(ms, timer.signal).catch(() => {})]);
        timer.abort();
        wake = null;
      }
      rung = false;
    },
  };
}
