// The market as quoting reads it: pool states, feed prices, inventory and fees of one chain, all at
// one named block. adapters/marketSource.ts reads it from chains; quoting never asks a chain itself.
// Immutable once made, and shared by every request that meets the same block.

import type { ChainId, EvmAddress } from '../types/ids.ts';
import type { BlockRef } from '../types/ports.ts';
import type { FeedReading } from './prices.ts';
import type { PoolState } from './snapshot.ts';

/** Wei of the sending chain's native coin for a proof message of n records: base + perRecord · n. */
export interface MessageFee {
  readonly base: bigint;
  readonly perRecord: bigint;
}

export interface ChainMarket {
  readonly chainId: ChainId;
  readonly block: BlockRef;
  /** Pools that answered and hold liquidity. */
  readonly pools: readonly PoolState[];
  /** By token; a feed that did not answer is absent. */
  readonly feeds: ReadonlyMap<EvmAddress, FeedReading>;
  /** The filler's balances by token, before reservations. */
  readonly inventory: ReadonlyMap<EvmAddress, bigint>;
  /** Expected wei per gas for a transaction sent now, with headroom for rising base fees. */
  readonly gasPrice: bigint;
  /** By the origin the proof goes to; absent where no message can be sent. */
  readonly messageFees: ReadonlyMap<ChainId, MessageFee>;
}

/** An owner's position on one chain, by token. */
export interface OwnerState {
  readonly balances: ReadonlyMap<EvmAddress, bigint>;
  /** What the chain's PortfolioSettler, or the asked spender, may pull. */
  readonly allowances: ReadonlyMap<EvmAddress, bigint>;
}

/** Reads chains for quoting. Both methods throw Fault when the chain is down or stalled. */
export interface MarketSource {
  /** At the head; the same object while the head does not move. */
  chain(chainId: ChainId): Promise<ChainMarket>;
  owner(
    chainId: ChainId,
    owner: EvmAddress,
    at: BlockRef,
    spender?: EvmAddress,
  ): Promise<OwnerState>;
}
