// Solves off the event loop: worker threads with one WebAssembly instance each. The calling thread
// encodes a problem, a worker runs the core on its bytes, the calling thread decodes and re-executes
// in integers, so both doors answer the same to the last digit. Refuses more than QUEUE_MAX waiting
// problems (Fault, retryable); a trap costs its worker, which is replaced.

import { Worker } from 'node:worker_threads';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { assert, Defect } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { Hash32 } from '../types/ids.ts';
import type { Solution } from '../types/problem.ts';
import { createCore } from './engine.ts';

export const WORKERS_MAX = 64;
export const QUEUE_MAX = 1024;

export interface EnginePool {
  /** keccak256 of the .wasm: the `engine` of published results. */
  readonly hash: Hash32;
  /** As Engine.solve. Rejects with InvalidInput, Fault (busy or closed) or Defect (trap). */
  solve(problem: ParsedProblem): Promise<Solution>;
  /** Ends every worker; what is waiting rejects with Fault. */
  close(): Promise<void>;
}

interface Job {
  readonly id: number;
  readonly bytes: ArrayBuffer;
  resolve(bytes: ArrayBuffer): void;
  reject(error: Error): void;
}

interface Answer {
  readonly id: number;
  readonly bytes: ArrayBuffer;
}

/** Starts `size` workers (1 … WORKERS_MAX). */
export function createEnginePool(options: {
  readonly wasmBytes: Uint8Array;
  readonly size: number;
}): EnginePool {
  const { wasmBytes, size } = options;
  assert(Number.isInteger(size) && size >= 1 && size <= WORKERS_MAX, `${size} engine workers`);
  const core = createCore(wasmBytes);
  const running = new Map<Worker, Job | null>();
  const waiting: Job[] = [];
  let nextId = 0;
  let closed = false;

  const start = (): void => {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { wasmBytes },
      execArgv: [],
    });
    // A pool left open must not keep the process alive; close() is still the way to end it.
    worker.unref();
    running.set(worker, null);
    worker.on('message', (answer: Answer) => {
      const job = running.get(worker);
      running.set(worker, null);
      assert(job?.id === answer.id, 'a worker answers the job it was given');
      job.resolve(answer.bytes);
      feed();
    });
    worker.on('error', (error) => {
      running.get(worker)?.reject(new Defect(`the core trapped: ${error.message}`));
      running.set(worker, null);
    });
    worker.on('exit', () => {
      running.get(worker)?.reject(new Fault('an engine worker ended', { code: 'engineEnded' }));
      running.delete(worker);
      if (closed) return;
      start();
      feed();
    });
  };

  const feed = (): void => {
    for (const [worker, busy] of running) {
      if (busy !== null) continue;
      const job = waiting.shift();
      if (job === undefined) return;
      running.set(worker, job);
      worker.ref();
      worker.postMessage({ id: job.id, bytes: job.bytes }, [job.bytes]);
    }
    for (const [worker, busy] of running) if (busy === null) worker.unref();
  };

  const run = (bytes: ArrayBuffer): Promise<ArrayBuffer> =>
    new Promise((resolve, reject) => {
      waiting.push({ id: nextId++, bytes, resolve, reject });
      feed();
    });

  for (let k = 0; k < size; k++) start();

  return {
    hash: core.hash,
    async solve(problem) {
      if (closed) throw new Fault('the engine pool is closed', { retryable: false });
      if (waiting.length >= QUEUE_MAX) {
        throw new Fault(`${QUEUE_MAX} problems are waiting for the engine`, { code: 'engineBusy' });
      }
      const { bytes, scales } = core.encode(problem);
      return core.decode(problem, scales, await run(bytes));
    },
    async close() {
      closed = true;
      for (const job of waiting.splice(0)) {
        job.reject(new Fault('the engine pool was closed', { retryable: false }));
      }
      await Promise.all([...running.keys()].map((worker) => worker.terminate()));
    },
  };
}
