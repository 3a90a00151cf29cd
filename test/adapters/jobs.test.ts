import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backoffMs, runWorker, type WorkerOptions } from '../../solver/adapters/jobs.ts';
import { Fault } from '../../solver/types/errors.ts';
import { type JobLease, LeaseLost } from '../../solver/types/store.ts';
import {
  clock,
  newOrder,
  randomHex,
  startTestPostgres,
  type TestPostgres,
  until,
} from './support.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.end());

async function addJobs(kind: string, keys: readonly string[]) {
  const jobs = keys.map((key) => ({ kind, key, runAtMs: 0 }));
  await postgres.store.admitOrder(newOrder(), [], jobs);
}

/** A worker in the background; `stop` waits for its end. */
function work(
  kind: string,
  handler: WorkerOptions['handler'],
  change: Partial<WorkerOptions> = {},
) {
  const end = new AbortController();
  const errors: unknown[] = [];
  const ended = runWorker({
    store: postgres.store,
    clock,
    kinds: [kind],
    handler,
    concurrency: 4,
    leaseMs: 10_000,
    signal: end.signal,
    pollMs: 20,
    onError: (error) => errors.push(error),
    ...change,
  });
  return {
    errors,
    stop: () => {
      end.abort();
      return ended;
    },
  };
}

const gone = async (kind: string) => (await postgres.store.claimJob([kind], 0)) === null;

describe('runWorker', () => {
  test('default: every job once, never more at once than allowed', async () => {
    const kind = randomHex(4);
    const keys = Array.from({ length: 30 }, (_, i) => `${i}`);
    const done: string[] = [];
    let now = 0;
    let most = 0;
    const worker = work(kind, async ({ key }) => {
      now += 1;
      most = Math.max(most, now);
      await clock.sleep(5);
      now -= 1;
      done.push(key);
      return { done: true };
    });
    await addJobs(kind, keys);
    await until('all done', () => done.length === keys.length);
    await worker.stop();
    expect(done.toSorted()).toEqual(keys.toSorted());
    expect(most).toBeLessThanOrEqual(4);
    expect(await gone(kind)).toBe(true);
    expect(worker.errors).toEqual([]);
  });

  test('behavior: a hint starts a job long before the next poll', async () => {
    const kind = randomHex(4);
    let ran = false;
    const handler = async () => {
      ran = true;
      return { done: true } as const;
    };
    const worker = work(kind, handler, { pollMs: 3_600_000 });
    await clock.sleep(50);
    await addJobs(kind, ['a']);
    await until('the job ran', () => ran);
    await worker.stop();
  });

  test('behavior: a job that asks to run again does', async () => {
    const kind = randomHex(4);
    let runs = 0;
    const worker = work(kind, async () => {
      runs += 1;
      return runs < 3 ? { runAtMs: clock.nowMs() } : { done: true };
    });
    await addJobs(kind, ['a']);
    await until('three runs', () => runs === 3);
    await worker.stop();
    expect(await gone(kind)).toBe(true);
  });

  test('behavior: a failed job is tried again, a defect much later', async () => {
    const kind = randomHex(4);
    const runs: Record<string, JobLease[]> = { fault: [], defect: [] };
    const worker = work(kind, async (lease) => {
      runs[lease.key]?.push(lease);
      if (lease.key === 'defect') throw new Error('broken');
      if (lease.attempts === 1) throw new Fault('busy');
      return { done: true };
    });
    await addJobs(kind, ['fault', 'defect']);
    await until('the second attempt', () => runs.fault?.length === 2);
    await worker.stop();
    expect(runs.fault?.map((lease) => lease.attempts)).toEqual([1, 2]);
    expect(runs.defect).toHaveLength(1);
    expect(worker.errors).toHaveLength(2);
  });

  test('behavior: heartbeats keep a long job from being taken', async () => {
    const kind = randomHex(4);
    let runs = 0;
    const handler = async () => {
      runs += 1;
      await clock.sleep(600);
      return { done: true } as const;
    };
    const workers = [work(kind, handler, { leaseMs: 150 }), work(kind, handler, { leaseMs: 150 })];
    await addJobs(kind, ['a']);
    await until('it ran', () => runs > 0);
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(runs).toBe(1);
    expect(workers.flatMap((worker) => worker.errors)).toEqual([]);
  });

  test('behavior: a worker whose lease was taken is told and writes nothing', async () => {
    const kind = randomHex(4);
    let told: unknown = null;
    const store = { ...postgres.store, claimJob: (kinds: readonly string[]) => steal(kinds) };
    // Claimed with a lease that has already run out, and taken over by someone else at once.
    const steal = async (kinds: readonly string[]) => {
      const lease = await postgres.store.claimJob(kinds, 0);
      if (lease !== null) await postgres.store.claimJob(kinds, 60_000);
      return lease;
    };
    const handler: WorkerOptions['handler'] = (_lease, signal) =>
      new Promise((_, failed) => {
        signal.addEventListener('abort', () => {
          told = signal.reason;
          failed(signal.reason);
        });
      });
    const worker = work(kind, handler, { store, leaseMs: 60 });
    await addJobs(kind, ['a']);
    await until('told', () => told !== null);
    expect(told).toBeInstanceOf(LeaseLost);
    await worker.stop();
    expect(await gone(kind)).toBe(true);
  });

  test('behavior: a job of a worker that died is taken when its lease has run out', async () => {
    const kind = randomHex(4);
    await addJobs(kind, ['a']);
    await postgres.store.claimJob([kind], 100);
    const fences: number[] = [];
    const worker = work(kind, async (lease) => {
      fences.push(lease.fence);
      return { done: true };
    });
    await until('taken over', () => fences.length === 1);
    await worker.stop();
  });

  test('behavior: stopping interrupts handlers and gives their jobs back at once', async () => {
    const kind = randomHex(4);
    let started = false;
    const worker = work(kind, async (_lease, signal) => {
      started = true;
      await clock.sleep(60_000, signal);
      return { done: true };
    });
    await addJobs(kind, ['a']);
    await until('it runs', () => started);
    await worker.stop();
    expect(worker.errors).toEqual([]);
    const lease = await postgres.store.claimJob([kind], 1);
    expect(lease).toMatchObject({ key: 'a', attempts: 1 });
  });

  test('behavior: it survives a store that fails', async () => {
    const kind = randomHex(4);
    let failures = 0;
    let ran = false;
    const store = {
      ...postgres.store,
      claimJob: (kinds: readonly string[], leaseMs: number) => {
        failures += 1;
        if (failures <= 2) return Promise.reject(new Fault('down'));
        return postgres.store.claimJob(kinds, leaseMs);
      },
    };
    const handler = async () => {
      ran = true;
      return { done: true } as const;
    };
    const worker = work(kind, handler, { store });
    await addJobs(kind, ['a']);
    await until('it ran', () => ran);
    await worker.stop();
    expect(worker.errors).toHaveLength(2);
  });
});

describe('backoffMs', () => {
  test('default: doubles from 250 ms and stays at 30 s', () => {
    expect([1, 2, 3, 7, 8, 1_000].map(backoffMs)).toEqual([
      250, 500, 1_000, 16_000, 30_000, 30_000,
    ]);
  });
});
