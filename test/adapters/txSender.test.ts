import { sql } from 'kysely';
import { parseTransaction } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../solver/adapters/postgres.ts';
import { createSigner } from '../../solver/adapters/signer.ts';
import { createTxSender, type TxSenderPolicy } from '../../solver/adapters/txSender.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault } from '../../solver/types/errors.ts';
import { type EvmAddress, evmAddress, type Hex } from '../../solver/types/ids.ts';
import type { Chain, Signer } from '../../solver/types/ports.ts';
import { type JobLease, LeaseLost, type TxIntent } from '../../solver/types/store.ts';
import {
  clock,
  newOrder,
  randomHex,
  serverPid,
  startTestChain,
  startTestPostgres,
  type TestChain,
  type TestPostgres,
} from './support.ts';

const CONFIRMATIONS = 2;
const SINK = evmAddress('0x00000000000000000000000000000000000051f0');
/** Stores 0xbeef in memory and reverts with that word. */
const REVERTING_CODE = '0x61beef60005260206000fd';
const REVERTER = evmAddress('0x00000000000000000000000000000000000dead1');

let postgres: TestPostgres;
let world: TestChain;
let signer: Signer;
let scope = '';
beforeAll(async () => {
  [postgres, world] = await Promise.all([startTestPostgres(), startTestChain(CONFIRMATIONS)]);
  await world.rpc('anvil_setCode', REVERTER, REVERTING_CODE);
});
afterAll(async () => {
  world?.anvil.kill();
  await postgres?.end();
});
beforeEach(async () => {
  scope = randomHex(8);
  signer = await fundedSigner();
});

async function fundedSigner(): Promise<Signer> {
  const made = createSigner(randomHex(32));
  await world.rpc('anvil_setBalance', made.address, `0x${(10n ** 19n).toString(16)}`);
  return made;
}

const EAGER: TxSenderPolicy = { resendMs: 0, stuckBlocks: 3n, replacementsMax: 2 };

function senderOf(chain: Chain = world.chain, policy = EAGER) {
  const { database } = postgres;
  return createTxSender({ database, chains: [chain], signers: [signer], clock, policy });
}

function intent(purpose: string, change: Partial<TxIntent> = {}): TxIntent {
  return {
    chainId: world.chain.chainId,
    sender: signer.address,
    scope,
    purpose,
    to: SINK,
    data: '0x',
    value: 1n,
    ...change,
  };
}

/** The chain with some of its methods replaced, and every broadcast noted. */
function tapped(change: Partial<Chain> = {}) {
  const sent: Hex[] = [];
  const chain: Chain = {
    ...world.chain,
    ...change,
    broadcast: (raw) => {
      sent.push(raw);
      return (change.broadcast ?? world.chain.broadcast)(raw);
    },
  };
  return { chain, sent };
}

async function balanceOf(account: EvmAddress): Promise<bigint> {
  return world.chain.balance(account, await world.chain.block('latest'));
}

describe('ensure', () => {
  test('default: pending until finality depth, then final, and known from then on', async () => {
    const sender = senderOf();
    const first = await sender.ensure(intent('open'), null);
    expect(first.state).toBe('pending');
    await world.mine();
    expect((await sender.ensure(intent('open'), null)).state).toBe('pending');
    await world.mine(CONFIRMATIONS - 1);
    expect((await sender.ensure(intent('open'), null)).state).toBe('pending');
    await world.mine();
    const last = await sender.ensure(intent('open'), null);
    expect(last).toMatchObject({ state: 'final', receipt: { success: true, gasUsed: 21_000n } });
    // From the store alone: this chain would fail every question.
    const down = { ...world.chain, block: fail, receipt: fail } as Chain;
    expect(await senderOf(down).ensure(intent('open'), null)).toEqual(last);
    expect(await sender.list(scope)).toMatchObject([
      { purpose: 'open', nonce: 0n, status: 'final', gasUsed: 21_000n },
    ]);
  });

  test('behavior: 16 calls of one purpose at once send one transaction', async () => {
    const before = await balanceOf(SINK);
    const senders = [senderOf(), senderOf()];
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) => senders[i % 2]?.ensure(intent('open'), null)),
    );
    expect(new Set(answers.map((answer) => answer && 'hash' in answer && answer.hash)).size).toBe(
      1,
    );
    await world.mine(CONFIRMATIONS + 1);
    expect((await balanceOf(SINK)) - before).toBe(1n);
    expect(await world.chain.nonce(signer.address, 'latest')).toBe(1n);
  });

  test('behavior: after a crash between store and broadcast the same bytes are sent', async () => {
    const crash = tapped({ broadcast: () => Promise.reject(new Error('killed here')) });
    await expect(senderOf(crash.chain).ensure(intent('open'), null)).rejects.toThrow('killed here');
    expect(await world.chain.nonce(signer.address, 'pending')).toBe(0n);
    const next = tapped();
    const answer = await senderOf(next.chain).ensure(intent('open'), null);
    expect(next.sent).toEqual(crash.sent);
    await world.mine(CONFIRMATIONS + 1);
    expect(await senderOf().ensure(intent('open'), null)).toMatchObject({
      state: 'final',
      hash: 'hash' in answer ? answer.hash : null,
    });
  });

  test('behavior: a later purpose also sends an earlier one that a crash left unsent', async () => {
    const crash = tapped({ broadcast: () => Promise.reject(new Error('killed here')) });
    await expect(senderOf(crash.chain).ensure(intent('first'), null)).rejects.toThrow();
    const sender = senderOf();
    await sender.ensure(intent('second'), null);
    await sender.ensure(intent('second'), null);
    await world.mine(CONFIRMATIONS + 1);
    expect(await world.chain.nonce(signer.address, 'latest')).toBe(2n);
    expect((await sender.ensure(intent('second'), null)).state).toBe('final');
  });

  test('behavior: after a reorg that drops it, it is sent again and becomes final', async () => {
    const sender = senderOf();
    // The account's ether, given by decree, must be older than the reorg.
    await world.mine(CONFIRMATIONS + 2);
    const sent = await sender.ensure(intent('open'), null);
    await world.mine(CONFIRMATIONS);
    expect(await world.chain.nonce(signer.address, 'latest')).toBe(1n);
    await world.rpc('anvil_reorg', CONFIRMATIONS + 1, []);
    expect(await world.chain.nonce(signer.address, 'latest')).toBe(0n);
    expect(await sender.ensure(intent('open'), null)).toEqual(sent);
    await world.mine(CONFIRMATIONS + 1);
    expect(await sender.ensure(intent('open'), null)).toMatchObject({ ...sent, state: 'final' });
  });

  test('behavior: what would revert is told with its data and stores nothing', async () => {
    const answer = await senderOf().ensure(intent('open', { to: REVERTER, value: 0n }), null);
    expect(answer).toMatchObject({
      state: 'wouldRevert',
      data: `0x${'beef'.padStart(64, '0')}`,
    });
    expect(await senderOf().list(scope)).toEqual([]);
    const nonces = sql`SELECT 1 FROM chain_sender WHERE sender = ${signer.address}`;
    expect(await postgres.database.rows(nonces)).toEqual([]);
  });

  test('behavior: reverted on chain after all: told at finality, never sent again', async () => {
    const sender = senderOf();
    const to = evmAddress(randomHex(20));
    await sender.ensure(intent('open', { to }), null);
    await world.rpc('anvil_setCode', to, REVERTING_CODE);
    await world.mine(CONFIRMATIONS + 1);
    for (let again = 0; again < 2; again++) {
      expect(await sender.ensure(intent('open', { to }), null)).toMatchObject({
        state: 'reverted',
        receipt: { success: false },
      });
    }
    expect(await world.chain.nonce(signer.address, 'latest')).toBe(1n);
    expect((await sender.list(scope))[0]?.status).toBe('reverted');
  });

  test('behavior: two processes share one account without a gap or a double nonce', async () => {
    const otherDatabase = openDatabase({ url: postgres.server.url, clock });
    const other = createTxSender({
      database: otherDatabase,
      chains: [world.chain],
      signers: [signer],
      clock,
      policy: EAGER,
    });
    try {
      const both = [senderOf(), other];
      const purposes = Array.from({ length: 24 }, (_, i) => `p${i}`);
      await Promise.all(purposes.map((p, i) => both[i % 2]?.ensure(intent(p), null)));
      await world.mine(CONFIRMATIONS + 1);
      const states = await Promise.all(
        purposes.map(async (p, i) => (await both[(i + 1) % 2]?.ensure(intent(p), null))?.state),
      );
      expect(new Set(states)).toEqual(new Set(['final']));
      const nonces = (await other.list(scope)).map((tx) => Number(tx.nonce));
      expect(nonces.toSorted((a, b) => a - b)).toEqual(purposes.map((_, i) => i));
    } finally {
      await otherDatabase.close();
    }
  });

  test('behavior: stuck at its price it is replaced under the same nonce, a bounded time', async () => {
    const tap = tapped();
    const sender = senderOf(tap.chain);
    const first = await sender.ensure(intent('open'), null);
    const seen = [first];
    for (const gwei of [100n, 300n, 700n, 700n, 700n]) {
      for (let block = 0; block < 3; block++) {
        await world.rpc('anvil_setNextBlockBaseFeePerGas', `0x${(gwei * 10n ** 9n).toString(16)}`);
        await world.mine();
      }
      seen.push(await sender.ensure(intent('open'), null));
    }
    const hashes = new Set(seen.map((status) => ('hash' in status ? status.hash : '')));
    expect(hashes.size).toBe(3);
    const forms = tap.sent.map((raw) => parseTransaction(raw as `0x02${string}`));
    expect(new Set(forms.map((form) => form.nonce ?? 0)).size).toBe(1);
    expect(new Set(forms.map((form) => `${form.to} ${form.value}`)).size).toBe(1);
    await world.rpc('anvil_setNextBlockBaseFeePerGas', '0x3b9aca00');
    await world.mine();
    // A node may have dropped what was below its price: the same bytes go out again.
    await sender.ensure(intent('open'), null);
    await world.mine(CONFIRMATIONS + 1);
    const last = await sender.ensure(intent('open'), null);
    expect(last.state).toBe('final');
    expect(hashes).toContain('hash' in last ? last.hash : '');
    expect(await world.chain.nonce(signer.address, 'latest')).toBe(1n);
  });

  test('behavior: of two forms the one that was mined counts, not the newest', async () => {
    const sender = senderOf();
    const first = await sender.ensure(intent('open'), null);
    await world.rpc('anvil_dropAllTransactions');
    await world.mine(3);
    // The replacement is stored, but only the first form reaches a block.
    const mute = tapped({
      broadcast: async () => (await Promise.reject(new Error('lost'))) as never,
    });
    await expect(senderOf(mute.chain).ensure(intent('open'), null)).rejects.toThrow('lost');
    const stored = await postgres.database.rows(sql<{ raw: Hex; version: number }>`
      SELECT raw, version FROM chain_tx_raw JOIN chain_tx ON chain_tx.id = tx_id
      WHERE scope = ${scope} ORDER BY version`);
    expect(stored.map((row) => row.version)).toEqual([1, 2]);
    await world.chain.broadcast(present(stored[0], 'first form').raw);
    await world.mine(CONFIRMATIONS + 1);
    expect(await sender.ensure(intent('open'), null)).toMatchObject({ ...first, state: 'final' });
  });

  test('behavior: 20 purposes under kills of the database are sent once each', async () => {
    const before = await balanceOf(SINK);
    const sender = senderOf();
    let open = 20;
    let faults = 0;
    let kills = 0;
    const finish = async (purpose: string) => {
      for (;;) {
        try {
          if ((await sender.ensure(intent(purpose), null)).state === 'final') break;
        } catch (error) {
          if (!(error instanceof Fault && error.retryable)) throw error;
          faults += 1;
        }
        await clock.sleep(20);
      }
      open -= 1;
    };
    const work = Promise.all(Array.from({ length: open }, (_, i) => finish(`p${i}`)));
    for (let round = 0; open > 0 && round < 400; round++) {
      await clock.sleep(20);
      const pid = round % 20 === 4 && kills < 3 ? serverPid(postgres.server) : null;
      if (pid !== null) {
        process.kill(pid, 'SIGKILL');
        kills += 1;
      }
      await world.mine();
    }
    await work;
    expect(faults).toBeGreaterThan(0);
    expect((await balanceOf(SINK)) - before).toBe(20n);
    expect(await world.chain.nonce(signer.address, 'latest')).toBe(20n);
    expect((await sender.list(scope)).map((tx) => tx.status)).toEqual(Array(20).fill('final'));
  });

  test('error: a lost lease stores and sends nothing', async () => {
    const lost = await staleLease();
    const tap = tapped();
    await expect(senderOf(tap.chain).ensure(intent('open'), lost)).rejects.toThrow(LeaseLost);
    expect(tap.sent).toEqual([]);
    expect(await senderOf().list(scope)).toEqual([]);
    await senderOf().ensure(intent('open'), null);
    await world.mine(CONFIRMATIONS + 1);
    await expect(senderOf().ensure(intent('open'), lost)).rejects.toThrow(LeaseLost);
    expect((await senderOf().list(scope))[0]?.status).toBe('pending');
  });

  test('error: nonces used elsewhere stop signing until they are acknowledged', async () => {
    const sender = senderOf();
    await sender.ensure(intent('open'), null);
    await foreign(1n);
    await expect(sender.ensure(intent('fill'), null)).rejects.toMatchObject({
      code: 'foreignNonce',
      retryable: false,
    });
    await world.mine(CONFIRMATIONS + 1);
    await expect(sender.ensure(intent('fill'), null)).rejects.toMatchObject({
      code: 'foreignNonce',
    });
    expect((await sender.ensure(intent('open'), null)).state).toBe('final');
    await sender.acknowledgeForeignNonces(world.chain.chainId, signer.address);
    await sender.ensure(intent('fill'), null);
    await world.mine(CONFIRMATIONS + 1);
    expect((await sender.ensure(intent('fill'), null)).state).toBe('final');
    expect((await sender.list(scope)).map((tx) => tx.nonce)).toEqual([0n, 2n]);
  });

  test('error: a stored nonce mined under another transaction', async () => {
    const crash = tapped({ broadcast: () => Promise.reject(new Error('killed here')) });
    await expect(senderOf(crash.chain).ensure(intent('open'), null)).rejects.toThrow();
    await foreign(0n);
    await world.mine(CONFIRMATIONS + 1);
    await expect(senderOf().ensure(intent('open'), null)).rejects.toMatchObject({
      code: 'nonceTaken',
    });
  });

  test('error: a chain that has forgotten final transactions', async () => {
    const sender = senderOf();
    await sender.ensure(intent('open'), null);
    await world.mine(CONFIRMATIONS + 1);
    await sender.ensure(intent('open'), null);
    const reset = tapped({ nonce: async () => 0n });
    const fault = senderOf(reset.chain).ensure(intent('fill'), null);
    await expect(fault).rejects.toMatchObject({ code: 'chainReset' });
  });

  test('error: no ether for gas, or more gas than allowed: nothing stored', async () => {
    await world.rpc('anvil_setBalance', signer.address, '0x5');
    await expect(senderOf().ensure(intent('open', { value: 0n }), null)).rejects.toMatchObject({
      code: 'insufficientFunds',
      retryable: true,
    });
    await world.rpc('anvil_setBalance', signer.address, `0x${(10n ** 18n).toString(16)}`);
    const tight = senderOf(world.chain, { ...EAGER, gasMax: 20_000n });
    await expect(tight.ensure(intent('open'), null)).rejects.toMatchObject({ code: 'gasTooHigh' });
    expect(await senderOf().list(scope)).toEqual([]);
  });
});

const fail = () => Promise.reject(new Fault('must not be asked'));

async function foreign(nonce: bigint) {
  const { raw } = await signer.signTransaction({
    chainId: world.chain.chainId,
    nonce,
    to: SINK,
    data: '0xf0',
    value: 0n,
    gas: 50_000n,
    fees: await world.chain.fees(),
  });
  await world.chain.broadcast(raw);
}

async function staleLease(): Promise<JobLease> {
  const order = newOrder();
  const kind = randomHex(4);
  await postgres.store.admitOrder(order, [], [{ kind, key: 'k', runAtMs: 0 }]);
  const lost = present(await postgres.store.claimJob([kind], 0), 'lease');
  await postgres.store.claimJob([kind], 60_000);
  return lost;
}
