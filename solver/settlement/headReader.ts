// Reads at chains' heads, shared: what is asked of a chain while reads of it are on their way goes together in
// the next one, at a head found after all of it was asked. Each asker has its own results and its own
// failure: what fails together is read again alone, so that no token or node that chokes on one order's
// calls decides another's. Keeps no answers. Not for calls to addresses that anyone may choose.

import { assert } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { BlockRef, Call, CallResult, Chain } from '../types/ports.ts';

/** Askers in one read, and reads of a chain at one time. Further reads wait for one of them to end. */
const ASKERS_MAX = 32;
const READS_MAX = 2;
/** Askers of a chain that wait at most; the next one is told that it does not answer. */
const WAITING_MAX = 10_000;

interface Asker {
  readonly calls: readonly Call[];
  done(results: readonly CallResult[]): void;
  failed(error: unknown): void;
}

/** Results in the order of the calls, all at one block. Throws Fault as the chain does. */
export type ReadAtHead = (chain: Chain, calls: readonly Call[]) => Promise<readonly CallResult[]>;

export function createHeadReader(): ReadAtHead {
  const readers = new Map<Chain, (calls: readonly Call[]) => Promise<readonly CallResult[]>>();
  return (chain, calls) => {
    let reader = readers.get(chain);
    if (reader === undefined) {
      reader = readerOf(chain);
      readers.set(chain, reader);
    }
    return reader(calls);
  };
}

function readerOf(chain: Chain) {
  const waiting: Asker[] = [];
  let reads = 0;

  const next = async (): Promise<void> => {
    if (reads >= READS_MAX || waiting.length === 0) return;
    reads += 1;
    await readTogether(chain, waiting.splice(0, ASKERS_MAX));
    reads -= 1;
    void next();
  };
  return (calls: readonly Call[]) =>
    new Promise<readonly CallResult[]>((done, failed) => {
      if (waiting.length >= WAITING_MAX) {
        const message = `${waiting.length} orders wait for chain ${chain.chainId}`;
        throw new Fault(message, { code: 'rpcFailed' });
      }
      waiting.push({ calls, done, failed });
      // After what else came in at this moment.
      queueMicrotask(next);
    });
}

/** Never rejects. A chain that does not even tell its head is asked once for all. */
async function readTogether(chain: Chain, askers: readonly Asker[]): Promise<void> {
  try {
    const head = await chain.block('latest');
    await readAt(chain, head, askers);
  } catch (error) {
    for (const { failed } of askers) failed(error);
  }
}

async function readAt(chain: Chain, head: BlockRef, askers: readonly Asker[]): Promise<void> {
  const alone = (some: readonly Asker[]) =>
    Promise.all(some.map((asker) => readTogether(chain, [asker])));
  const calls = askers.flatMap((asker) => asker.calls);
  let results: readonly CallResult[];
  try {
    results = await chain.read(calls, head);
  } catch (error) {
    if (askers.length === 1) throw error;
    await alone(askers);
    return;
  }
  assert(results.length === calls.length, `${results.length} results of ${calls.length} calls`);
  const again: Asker[] = [];
  let from = 0;
  for (const asker of askers) {
    const own = results.slice(from, from + asker.calls.length);
    from += asker.calls.length;
    // A call that burns its gas leaves those behind it too little.
    if (askers.length > 1 && own.some(({ ok }) => !ok)) again.push(asker);
    else asker.done(own);
  }
  await alone(again);
}
