// Many transactions in few blocks: queued without waiting, with nonces and addresses known
// beforehand, then signed, sent, mined and checked together. Only for chains that mine on demand.

import { type Account, getContractAddress, getCreate2Address } from 'viem';
import { Fault } from '../../types/errors.ts';
import { type EvmAddress, evmAddress, type Hex } from '../../types/ids.ts';
import { type LabRole, roleAccount, roleAddress } from '../accounts.ts';
import { messageOf } from '../log.ts';
import type { LabRpc } from '../rpc.ts';

/** Arachnid's deterministic deployer: calldata is salt ‖ creation code. Anvil has it at genesis. */
export const CREATE2_DEPLOYER = '0x4e59b44847b379578588920ca78fbf26c0b4956c' as EvmAddress;

/** Generous: what is not used is not paid, and anvil packs blocks by what is used. */
const DEPLOY_GAS = 16_000_000n;
const CALL_GAS = 8_000_000n;
const MAX_FEE_WEI = 10_000_000_000n;
const QUEUE_MAX = 1000;
const BLOCKS_MAX = 200;

export interface CallOptions {
  readonly from?: LabRole;
  readonly value?: bigint;
}

export interface Batch {
  readonly rpc: LabRpc;
  /** Queues a creation by `deployer`; its address follows from the nonce. */
  deploy(label: string, code: Hex): EvmAddress;
  /** Queues a creation through the deterministic deployer; its address follows from the code. */
  deploy2(label: string, salt: Hex, code: Hex): EvmAddress;
  call(label: string, to: EvmAddress, data: Hex, options?: CallOptions): void;
  /** Sends and mines the queue; throws Fault naming the first transaction that failed and why. */
  flush(): Promise<void>;
}

interface Queued {
  readonly label: string;
  readonly from: LabRole;
  readonly nonce: number;
  readonly to: EvmAddress | null;
  readonly data: Hex;
  readonly value: bigint;
}

export function createBatch(rpc: LabRpc): Batch {
  const nonces = new Map<LabRole, number>();
  let queue: Queued[] = [];
  const push = (entry: Omit<Queued, 'nonce'>): number => {
    if (queue.length >= QUEUE_MAX) throw new Fault('lab batch: flush before queueing more');
    const nonce = nonces.get(entry.from) ?? 0;
    nonces.set(entry.from, nonce + 1);
    queue.push({ ...entry, nonce });
    return nonce;
  };
  return {
    rpc,
    deploy(label, code) {
      const nonce = push({ label, from: 'deployer', to: null, data: code, value: 0n });
      return evmAddress(
        getContractAddress({ from: roleAddress('deployer'), nonce: BigInt(nonce) }),
      );
    },
    deploy2(label, salt, code) {
      const data: Hex = `${salt}${code.slice(2)}`;
      push({ label, from: 'deployer', to: CREATE2_DEPLOYER, data, value: 0n });
      return evmAddress(getCreate2Address({ from: CREATE2_DEPLOYER, salt, bytecode: code }));
    },
    call(label, to, data, options = {}) {
      push({ label, from: options.from ?? 'deployer', to, data, value: options.value ?? 0n });
    },
    async flush() {
      const sent = queue;
      queue = [];
      await sendAll(rpc, sent);
    },
  };
}

async function sendAll(rpc: LabRpc, queue: readonly Queued[]): Promise<void> {
  const hashes = await Promise.all(
    queue.map(async (entry) => {
      const raw = await sign(roleAccount(entry.from), rpc.chainId, entry);
      try {
        return await rpc.request<Hex>('eth_sendRawTransaction', [raw]);
      } catch (error) {
        throw new Fault(`lab set-up refused on ${rpc.chainId}: ${entry.label}`, { cause: error });
      }
    }),
  );
  await mineAll(rpc);
  const receipts = await Promise.all(
    hashes.map((hash) => rpc.request<{ status: Hex } | null>('eth_getTransactionReceipt', [hash])),
  );
  for (const [index, receipt] of receipts.entries()) {
    const entry = queue[index];
    if (receipt?.status === '0x1' || entry === undefined) continue;
    const why = receipt === null ? 'was not mined' : await revertReason(rpc, entry);
    throw new Fault(`lab set-up failed on ${rpc.chainId}: ${entry.label}: ${why}`);
  }
}

async function mineAll(rpc: LabRpc): Promise<void> {
  for (let block = 0; block < BLOCKS_MAX; block++) {
    await rpc.request('evm_mine');
    const pool = await rpc.request<{ pending: Hex }>('txpool_status');
    if (pool.pending === '0x0') return;
  }
  throw new Fault(`lab set-up on ${rpc.chainId}: pool not empty after ${BLOCKS_MAX} blocks`);
}

function sign(account: Account, chainId: number, entry: Queued): Promise<Hex> {
  if (account.signTransaction === undefined) throw new Fault('lab account cannot sign');
  return account.signTransaction({
    type: 'eip1559',
    chainId,
    nonce: entry.nonce,
    ...(entry.to === null ? {} : { to: entry.to }),
    data: entry.data,
    value: entry.value,
    gas: entry.to === null || entry.to === CREATE2_DEPLOYER ? DEPLOY_GAS : CALL_GAS,
    maxFeePerGas: MAX_FEE_WEI,
    maxPriorityFeePerGas: 1_000_000_000n,
  });
}

/** Best effort: the same call against the state after the failure usually fails alike. */
async function revertReason(rpc: LabRpc, entry: Queued): Promise<string> {
  const { to, data, value } = entry;
  try {
    await rpc.client.call({ account: roleAddress(entry.from), to, data, value });
    return 'reverted (a second try would succeed: order or gas)';
  } catch (error) {
    return messageOf(error);
  }
}
