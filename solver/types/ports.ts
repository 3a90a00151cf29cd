// Ports: what the domain needs from outside, as interfaces. adapters/ implements them for real;
// tests may implement them seeded. Nothing here knows of viem, Postgres, or the wall clock.

import type { UnixSeconds } from './amounts.ts';
import type { ChainId, EvmAddress, Hash32, Hex } from './ids.ts';

export interface Clock {
  now(): UnixSeconds;
  /** Milliseconds since 1970, for measuring and scheduling. */
  nowMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Rng {
  bytes(length: number): Uint8Array;
}

export interface BlockRef {
  readonly number: bigint;
  readonly hash: Hash32;
  readonly parentHash: Hash32;
  readonly timestamp: UnixSeconds;
}

export interface Call {
  readonly to: EvmAddress;
  readonly data: Hex;
}
export type CallResult =
  | { readonly ok: true; readonly data: Hex }
  | { readonly ok: false; readonly data: Hex };

export interface LogFilter {
  readonly address: EvmAddress | readonly EvmAddress[];
  readonly topics?: readonly (Hex | readonly Hex[] | null)[];
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
}
export interface ChainLog {
  readonly address: EvmAddress;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: bigint;
  readonly blockHash: Hash32;
  readonly transactionHash: Hash32;
  readonly logIndex: number;
}

export interface Receipt {
  readonly transactionHash: Hash32;
  readonly blockNumber: bigint;
  readonly blockHash: Hash32;
  readonly success: boolean;
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
  readonly logs: readonly ChainLog[];
}

export interface TransactionRequest {
  readonly from: EvmAddress;
  readonly to: EvmAddress;
  readonly data: Hex;
  readonly value: bigint;
}

export interface GasFees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** One EVM chain. Every method throws Fault when the node fails or answers for another chain. */
export interface Chain {
  readonly chainId: ChainId;
  /** Blocks on top of a block before we treat it as final. */
  readonly confirmations: number;
  /** `final` is head − confirmations, never below block 0. */
  block(at: bigint | 'latest' | 'final'): Promise<BlockRef>;
  /** All calls against the state of one block, in one round trip (Multicall3). */
  read(calls: readonly Call[], at: BlockRef): Promise<readonly CallResult[]>;
  logs(filter: LogFilter): Promise<readonly ChainLog[]>;
  balance(of: EvmAddress, at: BlockRef): Promise<bigint>;
  nonce(of: EvmAddress, at: 'latest' | 'pending'): Promise<bigint>;
  fees(): Promise<GasFees>;
  /** Gas the transaction needs now; throws Reverted with the revert data if it would revert. */
  estimateGas(request: TransactionRequest): Promise<bigint>;
  /** Sends signed bytes. "Already known" counts as success: the same bytes may be sent again. */
  broadcast(raw: Hex): Promise<Hash32>;
  /** The receipt if its block is still canonical, else null. */
  receipt(hash: Hash32): Promise<Receipt | null>;
}

/** Thrown by Chain.estimateGas: the call would revert, with this data. */
export class Reverted extends Error {
  override readonly name = 'Reverted';
  readonly data: Hex;
  constructor(message: string, data: Hex) {
    super(message);
    this.data = data;
  }
}

/** Holds one account's key. Keys never leave the adapter. */
export interface Signer {
  readonly address: EvmAddress;
  /** 65-byte signature (r ‖ s ‖ v, low s, v 27 or 28) over an EIP-712 digest. */
  signDigest(digest: Hex): Promise<Hex>;
  /** A signed EIP-1559 transaction, raw bytes ready to broadcast, and its hash. */
  signTransaction(tx: {
    readonly chainId: ChainId;
    readonly nonce: bigint;
    readonly to: EvmAddress;
    readonly data: Hex;
    readonly value: bigint;
    readonly gas: bigint;
    readonly fees: GasFees;
  }): Promise<{ readonly raw: Hex; readonly hash: Hash32 }>;
}
