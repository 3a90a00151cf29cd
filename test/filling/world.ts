// The desk over quoting's small world: the same pools, feeds and inventory, the real engine, and
// chains that answer allowances only.

import { readFileSync } from 'node:fs';
import { toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { createEngine } from '../../solver/engine/engine.ts';
import { createDesk, type Desk } from '../../solver/filling/desk.ts';
import { type DeskMarket, deskMarket } from '../../solver/filling/deskMarket.ts';
import { present } from '../../solver/types/assert.ts';
import type { ChainId, OrderId } from '../../solver/types/ids.ts';
import type { Chain } from '../../solver/types/ports.ts';
import type { StoredOrder } from '../../solver/types/store.ts';
import { CHAINS, makeWorld, NOW, network, type World } from '../quoting/world.ts';
import { signerOf } from '../settlement/sim/world.ts';

export const engine = createEngine(
  readFileSync(new URL('../../.build/trimtab.wasm', import.meta.url)) as Uint8Array,
);
export const filler = signerOf(privateKeyToAccount(`0x${'3'.repeat(64)}`));

export interface DeskWorld {
  readonly world: World;
  readonly desk: Desk;
  /** Orders whose reservations count. */
  readonly inFlight: StoredOrder[];
  /** The desk's own bids in auctions that are not closed. */
  readonly liveBids: { orderIds: OrderId[]; reserves: Record<string, string> }[];
  readonly allowance: { value: bigint };
}

export function makeDesk(inventoryDollars = 500_000): DeskWorld {
  const world = makeWorld(inventoryDollars);
  const allowance = { value: 0n };
  const chains = new Map(CHAINS.map((id) => [id, allowanceChain(id, allowance)]));
  const inFlight: StoredOrder[] = [];
  const liveBids: DeskWorld['liveBids'] = [];
  const desk = createDesk({
    engine,
    source: {
      chain: async (id) => present(world.markets.get(id), `market ${id}`),
      owner: async () => ({ balances: new Map(), allowances: new Map() }),
    },
    chains,
    store: { listOrders: async () => inFlight },
    bids: { liveReserves: async () => liveBids },
    network,
    clock: { now: () => NOW, nowMs: () => NOW * 1_000, sleep: async () => {} },
    signer: filler,
  });
  return { world, desk, inFlight, liveBids, allowance };
}

export function marketOf(world: World, id: ChainId): DeskMarket {
  const config = present(
    network.chains.find((chain) => chain.chainId === id),
    'chain',
  );
  return deskMarket(config, present(world.markets.get(id), 'market'), NOW);
}

/** Only what the desk asks a chain for. */
function allowanceChain(id: ChainId, allowance: { readonly value: bigint }): Chain {
  const unused = async (): Promise<never> => {
    throw new Error('the desk does not ask this');
  };
  return {
    chainId: id,
    confirmations: 2,
    block: async () => present(makeWorld().markets.get(id), 'market').block,
    read: async (calls) =>
      calls.map(() => ({ ok: true, data: toHex(allowance.value, { size: 32 }) })),
    logs: unused,
    balance: unused,
    nonce: unused,
    fees: unused,
    estimateGas: async () => 50_000n,
    broadcast: unused,
    receipt: unused,
  };
}
