// Solves off the event loop: worker threads with one WebAssembly instance each. The calling thread
// encodes a problem, a worker runs the core on its bytes, the calling thread decodes and re-executes
// in integers. A snapshot travels to a worker once; further quotes on it send their header, nodes and
// targets alone, and every answer is header, nodes and legs. Where many wait, some travel together. Each
// worker has the next batch at hand while it solves one. All solves are cold, so that both doors answer
// the same to the last digit, whichever worker and after whatever. Refuses more than QUEUE_MAX waiting
// problems (Fault, retryable); a trap costs its problem and its worker, which is replaced.

import { Worker } from 'node:worker_threads';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { assert, Defect } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { Hash32 } from '../types/ids.ts';
import type { Solution } from '../types/problem.ts';
import { HEADER, HEADER_BYTES, QUOTE, type Scales, SIZE } from './abi.ts';
import { capOf, capPlaces, quoteBytes, sharesRecords, uncapped } from './encode.ts';
import { type Core, createCore } from './engine.ts';

export const WORKERS_MAX = 64;
/** Beyond it a quote is refused: waiting behind so many takes longer than asking again. */
export const QUEUE_MAX = 128;
/** Batches at a worker: the one it solves, and the next, so that it never waits for an answer's way. */
const AT_WORKER_MAX = 2;
/** Problems in a batch; each is answered as soon as it is solved. */
const BATCH_MAX = 4;
/** Snapshots kept encoded: the scopes that quotes of one block ask for. */
const SNAPSHOTS_MAX = 8;

export interface EnginePool {
  /** keccak256 of the .wasm: the `engine` of published results. */
  readonly hash: Hash32;
  /** As Engine.solve without start prices. Rejects with InvalidInput, Fault (busy or closed) or Defect (trap). */
  solve(problem: ParsedProblem): Promise<Solution>;
  /** Problems that no worker has yet. */
  readonly waiting: number;
  /** Ends every worker; what is waiting rejects with Fault. */
  close(): Promise<void>;
}

/** What quotes share: encoded once. */
interface Snapshot {
  readonly problem: ParsedProblem;
  readonly scales: Scales;
  /** From the header to the legs, without caps. Shared memory: every worker reads the same copy. */
  readonly image: SharedArrayBuffer;
  /** Where in the image a quote's cap goes. */
  readonly places: Uint32Array;
}

interface Job {
  readonly id: number;
  readonly snapshot: Snapshot;
  readonly quote: ArrayBuffer;
  /** Dollars, or Infinity. */
  readonly cap: number;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

interface Answer {
  readonly id: number;
  /** Why the core stopped; then there is nothing else, and no answer after it. */
  readonly trapped?: string;
  /** Header and nodes. */
  readonly records: ArrayBuffer;
  readonly legs: ArrayBuffer;
}

/** What a worker has been given, first to last, and the snapshot its instance will have loaded then. */
interface Seat {
  readonly batches: Job[][];
  held: Snapshot | null;
  /** What ended the thread, unless it was a problem's trap. */
  fault: Error | null;
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
  /** Last asked for, last. */
  const snapshots: Snapshot[] = [];
  let closed = false;

  const start = (): void => {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: { wasmBytes, abi: { HEADER, HEADER_BYTES, QUOTE, SIZE } },
      execArgv: [],
    });
    // A pool left open must not keep the process alive; close() is still the way to end it.
    worker.unref();
    const seat: Seat = { batches: [], held: null, fault: null };
    let trapped = false;
    running.set(worker, seat);
    worker.on('message', (answer: Answer) => {
      const [batch = []] = seat.batches;
      const job = batch.shift();
      assert(job?.id === answer.id, 'a worker answers the jobs it was given, in their order');
      if (answer.trapped !== undefined) {
        trapped = true;
        job.reject(new Defect(`the core trapped: ${answer.trapped}`));
        return;
      }
      if (batch.length === 0) {
        seat.batches.shift();
        feed();
      }
      job.resolve(answer);
    });
    worker.on('error', (error) => {
      seat.fault = error;
    });
    // All it said has been heard by then.
    worker.on('exit', () => {
      running.delete(worker);
      const left = seat.batches.splice(0).flat();
      if (seat.fault !== null && !trapped) {
        left.shift()?.reject(new Defect(`an engine worker ended: ${seat.fault.message}`));
      }
      // What it was not solving yet is for another.
      waiting.unshift(...left);
      if (closed) return rejectAll();
      start();
      feed();
    });
  };

  const feed = (): void => {
    for (let depth = 1; depth <= AT_WORKER_MAX; depth++) {
      for (const [worker, seat] of running) {
        if (seat.batches.length >= depth) continue;
        const batch = nextBatch();
        const [first] = batch;
        if (first === undefined) break;
        seat.batches.push(batch);
        const { image, places } = first.snapshot;
        const snapshot = seat.held === first.snapshot ? null : { image, places };
        seat.held = first.snapshot;
        // Copied, not moved: another worker gets them if this one ends.
        const quotes = batch.map(({ id, quote, cap }) => ({ id, quote, cap }));
        worker.postMessage({ snapshot, quotes });
      }
    }
    for (const [worker, { batches }] of running) {
      if (batches.length === 0) worker.unref();
      else worker.ref();
    }
  };

  /** Those that waited longest, of one snapshot, and no more than one worker's part of all that wait. */
  const nextBatch = (): Job[] => {
    const most = Math.min(BATCH_MAX, Math.ceil(waiting.length / running.size));
    const other = waiting.findIndex(({ snapshot }) => snapshot !== waiting[0]?.snapshot);
    return waiting.splice(0, other < 0 ? most : Math.min(most, other));
  };

  const rejectAll = (): void => {
    for (const job of waiting.splice(0)) {
      job.reject(new Fault('the engine pool was closed', { retryable: false }));
    }
  };

  const snapshotFor = (problem: ParsedProblem): Snapshot => {
    const at = snapshots.findLastIndex((known) => sharesRecords(known.problem, problem));
    const [snapshot = snapshotOf(core, problem)] = at < 0 ? [] : snapshots.splice(at, 1);
    snapshots.push(snapshot);
    if (snapshots.length > SNAPSHOTS_MAX) snapshots.shift();
    return snapshot;
  };

  const run = (snapshot: Snapshot, problem: ParsedProblem): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const quote = quoteBytes(problem, snapshot.scales);
      const cap = capOf(problem, snapshot.scales);
      waiting.push({ id: nextId++, snapshot, quote, cap, resolve, reject });
      feed();
    });

  for (let k = 0; k < size; k++) start();

  return {
    hash: core.hash,
    get waiting() {
      return waiting.length;
    },
    async solve(problem) {
      if (closed) throw new Fault('the engine pool is closed', { retryable: false });
      if (waiting.length >= QUEUE_MAX) {
        throw new Fault(`${QUEUE_MAX} problems are waiting for the engine`, { code: 'engineBusy' });
      }
      const snapshot = snapshotFor(problem);
      const { records, legs } = await run(snapshot, problem);
      return core.decode(problem, snapshot.scales, records, legs);
    },
    async close() {
      closed = true;
      rejectAll();
      await Promise.all([...running.keys()].map((worker) => worker.terminate()));
    },
  };
}

function snapshotOf(core: Core, problem: ParsedProblem): Snapshot {
  const { bytes, scales } = core.encode(uncapped(problem));
  const view = new DataView(bytes);
  const length =
    view.getUint32(HEADER.legs, true) - view.getUint32(HEADER.nodes, true) + HEADER_BYTES;
  const image = new SharedArrayBuffer(length);
  new Uint8Array(image).set(new Uint8Array(bytes, 0, length));
  return { problem, scales, image, places: Uint32Array.from(capPlaces(view, problem)) };
}
