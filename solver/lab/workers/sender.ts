// Sends one account's transactions on one chain, in order. Nonces are counted here and read again
// after any failure; what is sent twice by mistake must be harmless, and all the lab's duties are.

import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionReceipt } from 'viem';
import { Fault } from '../../types/errors.ts';
import type { EvmAddress, Hex } from '../../types/ids.ts';
import { type LabRole, roleAccount } from '../accounts.ts';
import type { LabRpc } from '../rpc.ts';

export interface SenderCall {
  readonly to: EvmAddress;
  readonly data: Hex;
  readonly value?: bigint;
  readonly gas: bigint;
}

export interface Sender {
  /** Signs and sends; resolves when the node has taken it. */
  submit(call: SenderCall): Promise<Hex>;
  /** The receipt once mined; throws Fault if that takes over a minute. Reverted is not an error. */
  mined(hash: Hex): Promise<TransactionReceipt>;
}

const MINED_TIMEOUT_MS = 60_000;
const TIP_WEI = 1_000_000_000n;
const QUEUE_MAX = 1000;

export function createSender(rpc: LabRpc, role: LabRole, pollMs: number): Sender {
  const account = roleAccount(role);
  let nonce: number | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let queued = 0;

  const submitNow = async (call: SenderCall): Promise<Hex> => {
    const { address } = account;
    nonce ??= await rpc.client.getTransactionCount({ address, blockTag: 'pending' });
    const { baseFeePerGas } = await rpc.client.getBlock();
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId: rpc.chainId,
      nonce,
      to: call.to,
      data: call.data,
      value: call.value ?? 0n,
      gas: call.gas,
      maxFeePerGas: (baseFeePerGas ?? 0n) * 2n + TIP_WEI,
      maxPriorityFeePerGas: TIP_WEI,
    });
    try {
      const hash = await rpc.client.sendRawTransaction({ serializedTransaction: raw });
      nonce += 1;
      return hash;
    } catch (error) {
      nonce = null;
      throw error;
    }
  };

  return {
    submit(call) {
      if (queued >= QUEUE_MAX) return Promise.reject(new Fault(`${role}: too many transactions`));
      queued += 1;
      const result = tail.then(() => submitNow(call));
      tail = result.catch(() => {}).finally(() => (queued -= 1));
      return result;
    },
    async mined(hash) {
      for (let waited = 0; waited < MINED_TIMEOUT_MS; waited += pollMs) {
        const receipt = await rpc.client.getTransactionReceipt({ hash }).catch((error: Error) => {
          if (error.name === 'TransactionReceiptNotFoundError') return null;
          throw error;
        });
        if (receipt !== null) return receipt;
        await sleep(pollMs);
      }
      nonce = null;
      throw new Fault(`${role}: ${hash} on ${rpc.chainId} was not mined within a minute`);
    },
  };
}
