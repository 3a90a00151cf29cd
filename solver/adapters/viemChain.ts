// One EVM node behind the Chain port, over viem's HTTP transport. Owns the JSON-RPC wire: time
// limits, the chain id check, reads pinned to a block by its hash (EIP-1898), bounded log ranges,
// and turning a node's errors into Fault or Reverted. Refuses to hold nonces, keys or filters: a
// nonce belongs to txSender, and server-side filters die behind load balancers.

import {
  type BaseError,
  createClient,
  decodeFunctionResult,
  encodeFunctionData,
  http,
  keccak256,
  multicall3Abi,
  numberToHex,
} from 'viem';
import { unixSeconds } from '../types/amounts.ts';
import { assert } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import { type ChainId, type EvmAddress, evmAddress, type Hex, hash32 } from '../types/ids.ts';
import {
  type BlockRef,
  type Call,
  type CallResult,
  type Chain,
  type ChainLog,
  type LogFilter,
  type Receipt,
  Reverted,
} from '../types/ports.ts';

export interface ViemChainOptions {
  readonly chainId: ChainId;
  readonly rpcUrl: string;
  /** Blocks on top of a block before it counts as final. */
  readonly confirmations: number;
  readonly multicall3: EvmAddress;
  /** Milliseconds for one HTTP request; default 10,000. */
  readonly timeoutMs?: number;
}

/** Calls in one aggregate3: 1,000 calls of 100 gas-heavy reads stay below a node's call limits. */
const CALLS_PER_REQUEST_MAX = 500;
const CALLS_MAX = 20_000;
/** Blocks in one eth_getLogs; hosted nodes refuse more than 2,000 to 10,000. */
const LOG_RANGE_MAX = 2_000n;
const LOG_BLOCKS_MAX = 1_000_000n;
const RETRIES = 2;

/**
 * A Chain over HTTP JSON-RPC. Nothing is asked of the node before the first call; that call checks
 * eth_chainId, and every method throws a Fault (`wrongChain`) while the node serves another chain.
 */
export function createViemChain(options: ViemChainOptions): Chain {
  const rpc = createRpc(options);

  const block: Chain['block'] = async (at) => {
    if (at === 'final') {
      const head = await block('latest');
      const depth = BigInt(options.confirmations);
      return depth === 0n ? head : block(head.number > depth ? head.number - depth : 0n);
    }
    const tag = at === 'latest' ? at : numberToHex(at);
    const found = await rpc<RpcBlock | null>('eth_getBlockByNumber', [tag, false]);
    if (found === null) throw rpc.fault(`no block ${at}`, { code: 'blockMissing' });
    return decodeBlock(found);
  };

  const readSome = async (calls: readonly Call[], at: BlockRef): Promise<CallResult[]> => {
    const data = encodeFunctionData({
      abi: multicall3Abi,
      functionName: 'aggregate3',
      args: [calls.map((call) => ({ target: call.to, allowFailure: true, callData: call.data }))],
    });
    const answer = await rpc<Hex>('eth_call', [{ to: options.multicall3, data }, atHash(at)]);
    if (answer === '0x') {
      const why = `no Multicall3 at ${options.multicall3}`;
      throw rpc.fault(why, { code: 'multicallMissing', retryable: false });
    }
    const results = decodeFunctionResult({
      abi: multicall3Abi,
      functionName: 'aggregate3',
      data: answer,
    });
    if (results.length !== calls.length) throw rpc.fault('Multicall3 answered another count');
    return results.map(({ success, returnData }) => ({ ok: success, data: returnData }));
  };

  return {
    chainId: options.chainId,
    confirmations: options.confirmations,
    block,
    async read(calls, at) {
      assert(calls.length <= CALLS_MAX, `at most ${CALLS_MAX} calls, got ${calls.length}`);
      const parts: Promise<CallResult[]>[] = [];
      for (let from = 0; from < calls.length; from += CALLS_PER_REQUEST_MAX) {
        parts.push(readSome(calls.slice(from, from + CALLS_PER_REQUEST_MAX), at));
      }
      return (await Promise.all(parts)).flat();
    },
    async logs(filter) {
      const { fromBlock, toBlock } = filter;
      assert(toBlock - fromBlock < LOG_BLOCKS_MAX, `log range ${fromBlock}…${toBlock} too long`);
      const found: ChainLog[] = [];
      for (let from = fromBlock; from <= toBlock; from += LOG_RANGE_MAX) {
        const last = from + LOG_RANGE_MAX - 1n;
        const to = last < toBlock ? last : toBlock;
        const logs = await rpc<RpcLog[]>('eth_getLogs', [encodeFilter(filter, from, to)]);
        for (const log of logs) found.push(decodeLog(log));
      }
      return found;
    },
    async balance(of, at) {
      return BigInt(await rpc<Hex>('eth_getBalance', [of, atHash(at)]));
    },
    async nonce(of, at) {
      return BigInt(await rpc<Hex>('eth_getTransactionCount', [of, at]));
    },
    async fees() {
      const [head, tip] = await Promise.all([
        rpc<RpcBlock | null>('eth_getBlockByNumber', ['latest', false]),
        rpc<Hex>('eth_maxPriorityFeePerGas', []),
      ]);
      if (head?.baseFeePerGas == null) throw rpc.fault('the chain has no EIP-1559 base fee');
      const maxPriorityFeePerGas = BigInt(tip);
      // Twice the base fee outlasts six full blocks in a row, at 12.5 % growth each.
      return {
        maxPriorityFeePerGas,
        maxFeePerGas: 2n * BigInt(head.baseFeePerGas) + maxPriorityFeePerGas,
      };
    },
    async estimateGas({ from, to, data, value }) {
      const call = { from, to, data, value: numberToHex(value) };
      // On top of what is queued, our own transactions above all: latest would not see them.
      return BigInt(await rpc<Hex>('eth_estimateGas', [call, 'pending'], asReverted));
    },
    async broadcast(raw) {
      const hash = hash32(keccak256(raw));
      const told = await rpc<Hex>('eth_sendRawTransaction', [raw], (error) => {
        const message = errorText(error);
        if (ALREADY_KNOWN.test(message)) return { value: hash };
        const code = REJECTIONS.find(([pattern]) => pattern.test(message))?.[1];
        return code === undefined ? null : rpc.fault(message, { code });
      });
      if (told.toLowerCase() !== hash) throw rpc.fault(`the node calls ${hash} ${told}`);
      return hash;
    },
    async receipt(hash) {
      const found = await rpc<RpcReceipt | null>('eth_getTransactionReceipt', [hash]);
      if (found === null) return null;
      const receipt = decodeReceipt(found);
      if (receipt.transactionHash !== hash) throw rpc.fault('receipt of another transaction');
      // A node in the middle of a reorg may still answer with a receipt of the block it dropped.
      const at = numberToHex(receipt.blockNumber);
      const canonical = await rpc<RpcBlock | null>('eth_getBlockByNumber', [at, false]);
      return canonical !== null && canonical.hash === receipt.blockHash ? receipt : null;
    },
  };
}

const ALREADY_KNOWN =
  /already known|already imported|already in (the )?(mem)?pool|known transaction/i;
/** What a node says when it will not take a transaction → Fault.code. */
const REJECTIONS: readonly (readonly [RegExp, string])[] = [
  [/nonce too low|nonce is too low|old nonce/i, 'nonceTooLow'],
  [/underpriced|max fee per gas less than block base fee|fee too low/i, 'underpriced'],
  [/insufficient funds/i, 'insufficientFunds'],
];

/** Null: not about this; a value: the answer after all; an error: throw that instead. */
type OnRpcError = (error: unknown) => { readonly value: Hex } | Error | null;

interface Rpc {
  <T>(method: string, params: readonly unknown[], onError?: OnRpcError): Promise<T>;
  fault(message: string, options?: { code?: string; retryable?: boolean; cause?: unknown }): Fault;
}

function createRpc({ chainId, rpcUrl, timeoutMs = 10_000 }: ViemChainOptions): Rpc {
  const transport = http(rpcUrl, { timeout: timeoutMs, retryCount: RETRIES, retryDelay: 100 });
  const client = createClient({ transport });
  let checked: Promise<void> | null = null;

  const fault: Rpc['fault'] = (message, { code = 'rpcFailed', retryable = true } = {}) =>
    new Fault(`chain ${chainId}: ${message}`, { code, retryable });

  const send = async <T>(method: string, params: readonly unknown[], onError?: OnRpcError) => {
    try {
      // The typed schema covers fewer block parameters than nodes do, EIP-1898 among them.
      return (await client.request({ method, params } as never)) as T;
    } catch (error) {
      const answer = onError?.(error) ?? null;
      if (answer instanceof Error) throw answer;
      if (answer !== null) return answer.value as T;
      throw fault(`${method}: ${errorText(error)}`);
    }
  };
  const check = async () => {
    const told = Number(await send<Hex>('eth_chainId', []));
    if (told !== chainId) {
      throw fault(`the node serves chain ${told}`, { code: 'wrongChain', retryable: false });
    }
  };
  const call = async <T>(method: string, params: readonly unknown[], onError?: OnRpcError) => {
    checked ??= check();
    try {
      await checked;
    } catch (error) {
      checked = null;
      throw error;
    }
    return send<T>(method, params, onError);
  };
  return Object.assign(call, { fault });
}

/** Nodes say "it would revert" in several ways; all of them end as Reverted, the rest is a Fault. */
function asReverted(error: unknown): Reverted | Fault | null {
  const message = errorText(error);
  if (/insufficient funds/i.test(message)) {
    return new Fault(message, { code: 'insufficientFunds' });
  }
  const { code, data } = rpcError(error);
  // Code 3 is geth's for a revert; an invalid opcode burns all gas and shows as "exceeds allowance".
  if (code !== 3 && !/revert|out of gas|exceeds allowance|invalid opcode/i.test(message))
    return null;
  return new Reverted(message, data ?? '0x');
}

/** The JSON-RPC error object somewhere below viem's wrappers. */
function rpcError(error: unknown): { code: number | null; data: Hex | null } {
  let code: number | null = null;
  let data: Hex | null = null;
  let at = error as { code?: unknown; data?: unknown; cause?: unknown } | null | undefined;
  for (let depth = 0; depth < 8 && typeof at === 'object' && at !== null; depth++) {
    if (typeof at.code === 'number') code ??= at.code;
    if (typeof at.data === 'string' && at.data.startsWith('0x')) data ??= at.data as Hex;
    at = at.cause as typeof at;
  }
  return { code, data };
}

/**
 * What the node said. viem's `message` also holds the request and the URL, which may hold an API key:
 * for that reason no Fault from here carries viem's error as its cause.
 */
function errorText(error: unknown): string {
  const { details, shortMessage } = (error ?? {}) as Partial<BaseError>;
  const text = details || shortMessage || (error instanceof Error ? error.message : String(error));
  return text.slice(0, 300);
}

const atHash = (at: BlockRef) => ({ blockHash: at.hash, requireCanonical: true });

interface RpcBlock {
  readonly number: Hex;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: Hex;
  readonly baseFeePerGas?: Hex | null;
}
interface RpcLog {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly logIndex: Hex;
}
interface RpcReceipt {
  readonly transactionHash: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly status: Hex;
  readonly gasUsed: Hex;
  readonly effectiveGasPrice: Hex;
  readonly logs: readonly RpcLog[];
}

function decodeBlock(block: RpcBlock): BlockRef {
  return {
    number: BigInt(block.number),
    hash: hash32(block.hash),
    parentHash: hash32(block.parentHash),
    timestamp: unixSeconds(Number(block.timestamp)),
  };
}

function decodeLog(log: RpcLog): ChainLog {
  return {
    address: evmAddress(log.address),
    topics: log.topics,
    data: log.data,
    blockNumber: BigInt(log.blockNumber),
    blockHash: hash32(log.blockHash),
    transactionHash: hash32(log.transactionHash),
    logIndex: Number(log.logIndex),
  };
}

function decodeReceipt(receipt: RpcReceipt): Receipt {
  return {
    transactionHash: hash32(receipt.transactionHash),
    blockNumber: BigInt(receipt.blockNumber),
    blockHash: hash32(receipt.blockHash),
    success: BigInt(receipt.status) === 1n,
    gasUsed: BigInt(receipt.gasUsed),
    effectiveGasPrice: BigInt(receipt.effectiveGasPrice),
    logs: receipt.logs.map(decodeLog),
  };
}

function encodeFilter({ address, topics }: LogFilter, from: bigint, to: bigint) {
  return {
    address,
    ...(topics === undefined ? {} : { topics }),
    fromBlock: numberToHex(from),
    toBlock: numberToHex(to),
  };
}
