// What the adapter tests share: a real PostgreSQL in a private folder, a real anvil that mines when
// told, and ids that never repeat within a run.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../solver/adapters/clock.ts';
import { type EmbeddedPostgres, startPostgres } from '../../solver/adapters/embeddedPostgres.ts';
import { migrate } from '../../solver/adapters/migrations.ts';
import { type Database, openDatabase } from '../../solver/adapters/postgres.ts';
import { createPostgresStore } from '../../solver/adapters/postgresStore.ts';
import { createViemChain } from '../../solver/adapters/viemChain.ts';
import { type Anvil, startAnvil } from '../../solver/lab/anvil.ts';
import { chainId, evmAddress, type Hex, type OrderId, orderId } from '../../solver/types/ids.ts';
import type { Chain } from '../../solver/types/ports.ts';
import type { Store, StoredOrder } from '../../solver/types/store.ts';

export const clock = systemClock;

export interface TestPostgres {
  readonly home: string;
  readonly server: EmbeddedPostgres;
  readonly database: Database;
  readonly store: Store;
  end(): Promise<void>;
}

/** mkdtemp makes the home 0700, so as root every test here runs the hard case. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const home = await mkdtemp(join(tmpdir(), 'trimtab-test-'));
  const server = await startPostgres({ home });
  const database = openDatabase({ url: server.url, clock });
  await migrate(database);
  const store = createPostgresStore(database);
  return {
    home,
    server,
    database,
    store,
    async end() {
      await store.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export interface TestChain {
  readonly anvil: Anvil;
  readonly chain: Chain;
  rpc(method: string, ...params: unknown[]): Promise<unknown>;
  mine(blocks?: number): Promise<void>;
}

export const MULTICALL3 = evmAddress('0xca11bde05977b3631167028862be2a173976ca11');

export async function startTestChain(confirmations: number): Promise<TestChain> {
  const id = 41_000 + (randomBytes(2).readUInt16BE() % 10_000);
  const anvil = await startAnvil({ chainId: id, port: 0, args: ['--no-mining'] }, () => {});
  const rpc = async (method: string, ...params: unknown[]) => {
    const response = await fetch(anvil.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  };
  const chain = createViemChain({
    chainId: chainId(id),
    rpcUrl: anvil.url,
    confirmations,
    multicall3: MULTICALL3,
  });
  const mine = async (blocks = 1) => void (await rpc('anvil_mine', `0x${blocks.toString(16)}`));
  return { anvil, chain, rpc, mine };
}

export const randomHex = (bytes: number): Hex => `0x${randomBytes(bytes).toString('hex')}`;
export const randomOrderId = (): OrderId => orderId(randomHex(32));

export function newOrder(
  change: Partial<StoredOrder> = {},
): Omit<StoredOrder, 'version' | 'createdAtMs' | 'updatedAtMs'> {
  return {
    orderId: randomOrderId(),
    quoteId: null,
    owner: evmAddress(randomHex(20)),
    nonce: '7',
    state: 'created',
    reason: null,
    order: { z: '1', a: ['2'] },
    ownerSignature: randomHex(65),
    signatureKind: 'eip712',
    award: null,
    facts: {},
    ...change,
  };
}

/** Waits for `found` to answer true; fails after 20 s with `what`. */
export async function until(what: string, found: () => Promise<boolean> | boolean) {
  const deadline = clock.nowMs() + 20_000;
  while (!(await found())) {
    if (clock.nowMs() > deadline) throw new Error(`did not happen within 20 s: ${what}`);
    await clock.sleep(20);
  }
}

/** Null while the server is being brought back. */
export function serverPid(server: EmbeddedPostgres): number | null {
  try {
    return server.pid();
  } catch {
    return null;
  }
}
