// One chain as the kit sees it: many reads at one block, and one queue of transactions of the
// solver's account. A transaction that is not mined in time is sent again at the same nonce for more,
// so the queue never stands still; nothing is sent while an earlier run's transaction still waits.

import {
  type Address,
  createPublicClient,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  http,
  type LocalAccount,
  multicall3Abi,
  type PublicClient,
  type TransactionReceipt,
} from 'viem';
import { decodeRevert } from '../../../contracts-abi/calls.ts';
import type { SolverChain } from './types.ts';

export interface ReadCall {
  readonly to: Address;
  readonly data: Hex;
}
export interface Head {
  readonly number: bigint;
  /** Unix seconds. */
  readonly timestamp: number;
}
export interface SendCall extends ReadCall {
  readonly value?: bigint;
  readonly label: string;
}
export type Sent =
  | { readonly ok: true; readonly receipt: TransactionReceipt }
  /** Not sent, or mined and reverted. */
  | { readonly ok: false; readonly reason: string };

export interface ChainClient {
  readonly config: SolverChain;
  readonly public: PublicClient;
  latest(): Promise<Head>;
  final(): Promise<Head>;
  /** Data per call at one block; null where the call reverted. */
  read(calls: readonly ReadCall[], at: Head): Promise<readonly (Hex | null)[]>;
  /** Runs alone on this chain's queue; `send` answers when the transaction is mined. */
  exclusive<T>(work: (send: (call: SendCall) => Promise<Sent>) => Promise<T>): Promise<T>;
}

const POLL_MS = 200;
/** A transaction not mined after this is sent again for a quarter more. */
const REPLACE_MS = 30_000;
const REPLACEMENTS_MAX = 8;

export type OnTransaction = (event: {
  readonly chainId: number;
  readonly label: string;
  readonly hash: Hex;
  readonly state: 'sent' | 'mined' | 'reverted';
}) => void;

export function createChainClient(
  config: SolverChain,
  account: LocalAccount,
  onTransaction: OnTransaction,
): ChainClient {
  const client = createPublicClient({
    transport: http(config.rpcUrl, { timeout: 10_000, retryCount: 2, retryDelay: 100 }),
  }) as PublicClient;
  let queue: Promise<unknown> = Promise.resolve();

  const latest = async (): Promise<Head> => {
    const block = await client.getBlock({ blockTag: 'latest' });
    return { number: block.number, timestamp: Number(block.timestamp) };
  };
  const send = (call: SendCall) => sendMined(client, config, account, call, onTransaction);
  return {
    config,
    public: client,
    latest,
    async final() {
      const head = await latest();
      const depth = BigInt(config.confirmations);
      if (depth === 0n) return head;
      const blockNumber = head.number > depth ? head.number - depth : 0n;
      const block = await client.getBlock({ blockNumber });
      return { number: block.number, timestamp: Number(block.timestamp) };
    },
    async read(calls, at) {
      if (calls.length === 0) return [];
      const data = encodeFunctionData({
        abi: multicall3Abi,
        functionName: 'aggregate3',
        args: [calls.map(({ to, data }) => ({ target: to, allowFailure: true, callData: data }))],
      });
      const answer = await client.call({
        to: config.contracts.multicall3,
        data,
        blockNumber: at.number,
      });
      const results = decodeFunctionResult({
        abi: multicall3Abi,
        functionName: 'aggregate3',
        data: answer.data ?? '0x',
      });
      return results.map(({ success, returnData }) => (success ? returnData : null));
    },
    exclusive(work) {
      const run = queue.then(() => work(send));
      queue = run.catch(() => {});
      return run;
    },
  };
}

async function sendMined(
  client: PublicClient,
  config: SolverChain,
  account: LocalAccount,
  call: SendCall,
  onTransaction: OnTransaction,
): Promise<Sent> {
  const { to, data, value = 0n, label } = call;
  let gas: bigint;
  try {
    gas = await client.estimateGas({ account: account.address, to, data, value });
  } catch (error) {
    return { ok: false, reason: revertReason(error) };
  }
  const nonce = await settledNonce(client, account.address);
  const { chainId } = config;
  const hashes: Hex[] = [];
  let fees = await client.estimateFeesPerGas();
  for (let attempt = 0; attempt <= REPLACEMENTS_MAX; attempt += 1) {
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce,
      to,
      data,
      value,
      gas: (gas * 5n) / 4n,
      maxFeePerGas: fees.maxFeePerGas,
      maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
    });
    try {
      const hash = await client.sendRawTransaction({ serializedTransaction: raw });
      hashes.push(hash);
      onTransaction({ chainId, label, hash, state: 'sent' });
    } catch (error) {
      // An earlier attempt may have been mined meanwhile: its receipt decides.
      if (hashes.length === 0) throw error;
    }
    const receipt = await minedOf(client, hashes);
    if (receipt !== null) {
      const ok = receipt.status === 'success';
      const state = ok ? 'mined' : 'reverted';
      onTransaction({ chainId, label, hash: receipt.transactionHash, state });
      return ok ? { ok, receipt } : { ok, reason: 'reverted' };
    }
    const more = (fee: bigint) => (fee * 5n) / 4n + 1n;
    fees = {
      maxFeePerGas: more(fees.maxFeePerGas),
      maxPriorityFeePerGas: more(fees.maxPriorityFeePerGas),
    };
  }
  throw new Error(
    `${label} on chain ${chainId} is not mined after ${REPLACEMENTS_MAX} replacements`,
  );
}

/** The next nonce once nothing of this account waits any more; what waits too long is replaced. */
async function settledNonce(client: PublicClient, address: Address): Promise<number> {
  const deadline = Date.now() + REPLACE_MS;
  for (;;) {
    const [mined, pending] = await Promise.all([
      client.getTransactionCount({ address, blockTag: 'latest' }),
      client.getTransactionCount({ address, blockTag: 'pending' }),
    ]);
    if (pending <= mined || Date.now() > deadline) return mined;
    await pause(POLL_MS);
  }
}

async function minedOf(
  client: PublicClient,
  hashes: readonly Hex[],
): Promise<TransactionReceipt | null> {
  const deadline = Date.now() + REPLACE_MS;
  while (Date.now() < deadline) {
    for (const hash of hashes) {
      const receipt = await client.getTransactionReceipt({ hash }).catch(() => null);
      if (receipt !== null) return receipt;
    }
    await pause(POLL_MS);
  }
  return null;
}

/** The innermost revert data a node gave, in our contracts' words. */
function revertReason(error: unknown): string {
  for (let at: unknown = error, depth = 0; depth < 10; depth += 1) {
    if (typeof at !== 'object' || at === null) break;
    const { data, cause } = at as { readonly data?: unknown; readonly cause?: unknown };
    if (typeof data === 'string' && /^0x[0-9a-fA-F]*$/.test(data)) return decodeRevert(data as Hex);
    at = cause;
  }
  return error instanceof Error ? (error.message.split('\n')[0] ?? error.message) : String(error);
}

export const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
