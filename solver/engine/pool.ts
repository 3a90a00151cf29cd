// Solves off the event loop: worker threads with one WebAssembly instance each. The calling thread
// encodes a problem, a worker runs the core on its bytes, the calling thread decodes and re-executes
// in integers. A snapshot travels to a worker once; further quotes on it send their header and nodes
// alone, and every answer is header, nodes and legs. All solves are cold, so that both doors answer
// the same to the last digit, whichever worker and after whatever. Refuses more than QUEUE_MAX
// waiting problems (Fault, retryable); a trap costs its worker, which is replaced.

import { Worker } from 'node:worker_threads';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { assert, Defect } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { Hash32 } from '../types/ids.ts';
import type { Solution } from '../types/problem.ts';
import { HEADER, HEADER_BYTES, QUOTE, type Scales, SIZE, STATUS } from './abi.ts';
import { quoteBytes, sharesSnapshot } from './encode.ts';
import { type Core, createCore } from './engine.ts';

export const WORKERS_MAX = 64;
export const QUEUE_MAX = 1024;

export interface EnginePool {
  /** keccak256 of the .wasm: the `engine` of published results. */
  readonly hash: Hash32;
  /** As Engine.solve without start prices. Rejects with InvalidInput, Fault (busy or closed) or Defect (trap). */
  solve(problem: ParsedProblem): Promise<Solution>;
  /** Ends every worker; what is waiting rejects with Fault. */
  close(): Promise<void>;
}

/** What quotes share: encoded once, kept until another snapshot is asked for and no job names it. */
interface Snapshot {
  readonly problem: ParsedProblem;
  readonly scales: Scales;
  /** From the header to the legs. Shared memory, so that every worker reads the same copy. */
  readonly image: SharedArrayBuffer;
}

interface Job {
  readonly id: number;
  readonly snapshot: Snapshot;
  readonly quote: ArrayBuffer;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

interface Answer {
  readonly id: number;
  /** Header and nodes. */
  readonly records: ArrayBuffer;
  readonly legs: ArrayBuffer;
}

/** What a worker is doing, and the snapshot its instance has loaded. */
interface Seat {
  job: Job | null;
  held: Snapshot | null;
}

/** Starts `size` workers (1 … WORKERS_MAX). */
export function createEnginePool(options: {
  readonly wasmBytes: Uint8Array;
  readonly size: number;
}): EnginePool {
  const { wasmBytes, size } = options;
  assert(Number.isInteger(size) && size >= 1 && size <= WORKERS_MAX, `${size} engine workers`);
  const core = createCore(wasmBytes);
  const running = new Map<Worker, Seat>();
  const waiting: Job[] = [];
  let nextId = 0;
  let latest: Snapshot | null = null;
  let closed = false;

  const start = (): void => {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { wasmBytes, abi: { HEADER, HEADER_BYTES, QUOTE, SIZE, STATUS } },
      execArgv: [],
    });
    // A pool left open must not keep the process alive; close() is still the way to end it.
    worker.unref();
    const seat: Seat = { job: null, held: null };
    running.set(worker, seat);
    worker.on('message', (answer: Answer) => {
      const { job } = seat;
      seat.job = null;
      assert(job?.id === answer.id, 'a worker answers the job it was given');
      job.resolve(answer);
      feed();
    });
    worker.on('error', (error) => {
      seat.job?.reject(new Defect(`the core trapped: ${error.message}`));
      seat.job = null;
    });
    worker.on('exit', () => {
      seat.job?.reject(new Fault('an engine worker ended', { code: 'engineEnded' }));
      running.delete(worker);
      if (closed) return;
      start();
      feed();
    });
  };

  const feed = (): void => {
    for (const [worker, seat] of running) {
      if (seat.job !== null) continue;
      const job = waiting.shift();
      if (job === undefined) return;
      seat.job = job;
      worker.ref();
      const image = seat.held === job.snapshot ? null : job.snapshot.image;
      seat.held = job.snapshot;
      worker.postMessage({ id: job.id, image, quote: job.quote }, [job.quote]);
    }
    for (const [worker, { job }] of running) if (job === null) worker.unref();
  };

  const run = (snapshot: Snapshot, quote: ArrayBuffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting.push({ id: nextId++, snapshot, quote, resolve, reject });
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
      core.admit(problem);
      if (latest === null || !sharesSnapshot(latest.problem, problem)) {
        latest = snapshotOf(core, problem);
      }
      const { scales } = latest;
      const { records, legs } = await run(latest, quoteBytes(problem, scales));
      return core.decode(problem, scales, records, legs);
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

function snapshotOf(core: Core, problem: ParsedProblem): Snapshot {
  const { bytes, scales } = core.encode(problem);
  const view = new DataView(bytes);
  const length =
    view.getUint32(HEADER.legs, true) - view.getUint32(HEADER.nodes, true) + HEADER_BYTES;
  const image = new SharedArrayBuffer(length);
  new Uint8Array(image).set(new Uint8Array(bytes, 0, length));
  return { problem, scales, image };
}
