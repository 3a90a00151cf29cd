import { describe, expect, test } from 'vitest';
import { createHeadReader } from '../../solver/settlement/headReader.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { Fault } from '../../solver/types/errors.ts';
import { chainId, evmAddress, hash32 } from '../../solver/types/ids.ts';
import type { BlockRef, Call, CallResult, Chain } from '../../solver/types/ports.ts';

const TOKEN = evmAddress(`0x${'11'.repeat(20)}`);
const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}` as const;
const call = (n: number): Call => ({ to: TOKEN, data: word(n) });
const blockOf = (n: number): BlockRef => ({
  number: BigInt(n),
  hash: hash32(word(n)),
  parentHash: hash32(word(n - 1)),
  timestamp: unixSeconds(1_800_000_000 + n),
});

/** Answers a call with its own data and the block it was read at; waits for `go` before each read. */
function fakeChain(answer: (calls: readonly Call[]) => readonly CallResult[] | null) {
  const reads: { calls: number; block: number }[] = [];
  let [head, go] = [0, Promise.resolve()];
  const unused = async (): Promise<never> => {
    throw new Error('not asked here');
  };
  const chain: Chain = {
    ...{ chainId: chainId(1), confirmations: 1, logs: unused, balance: unused, nonce: unused },
    ...{ fees: unused, estimateGas: unused, broadcast: unused, receipt: unused },
    block: async () => blockOf(++head),
    async read(calls, at) {
      await go;
      reads.push({ calls: calls.length, block: Number(at.number) });
      const results = answer(calls);
      if (results === null) throw new Fault('the node gave up', { code: 'rpcFailed' });
      return results;
    },
  };
  const hold = () => {
    let free = () => {};
    go = new Promise((done) => {
      free = done;
    });
    return free;
  };
  return { chain, reads, hold };
}
const echo = (calls: readonly Call[]) => calls.map(({ data }) => ({ ok: true, data }));

describe('createHeadReader', () => {
  test('default: what is asked together is one read, and each has its own results', async () => {
    const { chain, reads } = fakeChain(echo);
    const readAtHead = createHeadReader();
    const asked = Array.from({ length: 20 }, (_, k) =>
      readAtHead(
        chain,
        Array.from({ length: k % 4 }, (_, i) => call(10 * k + i)),
      ),
    );
    for (const [k, results] of (await Promise.all(asked)).entries()) {
      const own = Array.from({ length: k % 4 }, (_, i) => ({ ok: true, data: word(10 * k + i) }));
      expect(results).toEqual(own);
    }
    expect(reads).toEqual([{ calls: 30, block: 1 }]);
  });

  test('behavior: who asks while reads are on their way goes in the next one, at a later head', async () => {
    const { chain, reads, hold } = fakeChain(echo);
    const readAtHead = createHeadReader();
    const free = hold();
    const first = readAtHead(chain, [call(1)]);
    await new Promise(setImmediate);
    const second = readAtHead(chain, [call(2)]);
    await new Promise(setImmediate);
    const rest = Array.from({ length: 40 }, (_, k) => readAtHead(chain, [call(3 + k)]));
    free();
    await Promise.all([first, second, ...rest]);
    expect(reads.map(({ calls }) => calls)).toEqual([1, 1, 32, 8]);
    expect(reads.map(({ block }) => block)).toEqual([1, 2, 3, 4]);
    // Another chain waits for nobody.
    const other = fakeChain(echo);
    expect(await readAtHead(other.chain, [call(7)])).toEqual([{ ok: true, data: word(7) }]);
  });

  test('behavior: a call that fails the whole read fails its own asker alone', async () => {
    const { chain } = fakeChain((calls) =>
      calls.some(({ data }) => data === word(13)) ? null : echo(calls),
    );
    const readAtHead = createHeadReader();
    const asked = [12, 13, 14].map((n) => readAtHead(chain, [call(n)]));
    const settled = await Promise.allSettled(asked);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({ reason: { code: 'rpcFailed' } });
  });

  test('behavior: a call that takes the gas of those behind it takes it from its own asker alone', async () => {
    const { chain, reads } = fakeChain((calls) => {
      const burner = calls.findIndex(({ data }) => data === word(13));
      return calls.map(({ data }, i) => ({ ok: burner < 0 || i < burner, data }));
    });
    const readAtHead = createHeadReader();
    const asked = [12, 13, 14, 15].map((n) => readAtHead(chain, [call(n)]));
    const oks = (await Promise.all(asked)).map(([result]) => result?.ok);
    expect(oks).toEqual([true, false, true, true]);
    expect(reads.map(({ calls }) => calls)).toEqual([4, 1, 1, 1]);
  });

  test('error: a chain that is down says so to all', async () => {
    const { chain, reads } = fakeChain(echo);
    let heads = 0;
    const down: Chain = {
      ...chain,
      async block() {
        heads += 1;
        throw new Fault('the node is gone', { code: 'rpcFailed' });
      },
    };
    const readAtHead = createHeadReader();
    const asked = [1, 2, 3].map((n) => readAtHead(down, [call(n)]));
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
    expect([heads, reads.length]).toEqual([1, 0]);
  });
});
