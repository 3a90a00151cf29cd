// The market source's own promises, over a scripted chain: stalled and silent chains are faults,
// failed reads are not kept. What it reads from real contracts is lab.test.ts's business.

import { describe, expect, it } from 'vitest';
import { createMarketSource } from '../../solver/adapters/marketSource.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault } from '../../solver/types/errors.ts';
import { hash32 } from '../../solver/types/ids.ts';
import type { BlockRef, Chain, Clock } from '../../solver/types/ports.ts';
import { CHAINS, NOW, network, OWNER } from './world.ts';

const id = present(CHAINS[0], 'a chain');
const never = () => new Promise<never>(() => {});

/** Sleeps end when the test says so. */
function testClock(): Clock & { fire(): void } {
  const sleepers: (() => void)[] = [];
  return {
    now: () => NOW,
    nowMs: () => NOW * 1000,
    sleep: () => new Promise<void>((resolve) => sleepers.push(resolve)),
    fire() {
      for (const wake of sleepers.splice(0)) wake();
    },
  };
}

function blockAt(age: number): BlockRef {
  return {
    number: 5n,
    hash: hash32(`0x${'ab'.repeat(32)}`),
    parentHash: hash32(`0x${'aa'.repeat(32)}`),
    timestamp: unixSeconds(NOW - age),
  };
}

function setUp(over: Partial<Chain>) {
  let reads = 0;
  const chain: Chain = {
    chainId: id,
    confirmations: 2,
    block: async () => blockAt(1),
    async read(calls) {
      reads++;
      return calls.map(() => ({ ok: false, data: '0x' }));
    },
    logs: never,
    balance: never,
    nonce: never,
    fees: async () => ({ maxFeePerGas: 21n, maxPriorityFeePerGas: 1n }),
    estimateGas: never,
    broadcast: never,
    receipt: never,
    ...over,
  };
  const clock = testClock();
  const chains = new Map([[id, chain]]);
  const source = createMarketSource({ network, chains, filler: OWNER, clock });
  return { source, clock, reads: () => reads };
}

describe('createMarketSource', () => {
  it('default: one read per head block; what does not answer is absent', async () => {
    const { source, reads } = setUp({});
    const first = await source.chain(id);
    const done = reads();
    expect(await source.chain(id)).toBe(first);
    expect(reads()).toBe(done);
    expect(first).toMatchObject({ pools: [], feeds: new Map(), messageFees: new Map() });
    // (2 · 10 + 1 + 1) / 2 = 11 wei now, a quarter of headroom, rounded up.
    expect(first.gasPrice).toBe(14n);
  });
  it('error: a chain whose head is old', async () => {
    const { source } = setUp({ block: async () => blockAt(61) });
    await expect(source.chain(id)).rejects.toMatchObject({ code: 'chainStalled' });
  });
  it('error: a chain that is silent', async () => {
    const { source, clock } = setUp({ block: never });
    const asked = source.chain(id);
    clock.fire();
    await expect(asked).rejects.toMatchObject({ code: 'chainTimeout' });
  });
  it('behavior: a failed read is tried again', async () => {
    let fail = true;
    const { source } = setUp({
      async fees() {
        if (fail) throw new Fault('down');
        return { maxFeePerGas: 21n, maxPriorityFeePerGas: 1n };
      },
    });
    await expect(source.chain(id)).rejects.toBeInstanceOf(Fault);
    fail = false;
    expect((await source.chain(id)).chainId).toBe(id);
  });
  it('error: a chain that is not configured', async () => {
    const { source } = setUp({});
    const other = present(CHAINS[1], 'another chain');
    await expect(source.chain(other)).rejects.toMatchObject({ code: 'unknownChain' });
  });
});
