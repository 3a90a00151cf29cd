// Where an order's tokens stand at named blocks: what is still in the wallet, in escrow, delivered.
// The keeper asks it so that funds in flight count once; settlement/standing.ts reads it from
// chains.

import type { ChainId, EvmAddress } from './ids.ts';
import type { BlockRef } from './ports.ts';
import type { StoredOrder } from './store.ts';

export interface OrderStanding {
  readonly inputs: readonly {
    readonly chainId: ChainId;
    readonly token: EvmAddress;
    readonly amount: bigint;
    /** `gone`: released to the filler, refunded, or its slot is used otherwise. */
    readonly at: 'wallet' | 'escrow' | 'gone';
  }[];
  readonly outputs: readonly {
    readonly chainId: ChainId;
    readonly token: EvmAddress;
    /** The signed minimum. */
    readonly minimum: bigint;
    /** In the owner's balance already. */
    readonly delivered: boolean;
  }[];
}

/**
 * Reads every chain at the block given for it, or at its head. Throws Fault when a chain does not
 * answer: what is not known must not be counted.
 */
export type ReadStanding = (
  order: StoredOrder,
  blocks: ReadonlyMap<ChainId, BlockRef>,
) => Promise<OrderStanding>;

export type SignatureCheck =
  | 'ok'
  /** Not 65 bytes r, s, v with low s, and no contract's either. */
  | 'malformed'
  | 'otherSigner'
  /** A contract wallet's chain does not answer. */
  | 'chainDown';

/**
 * Whether `owner` signed `digest`: by ecrecover, or as a contract that answers ERC-1271 on every
 * one of `chains`. settlement/ownerCheck.ts.
 */
export type CheckOwner = (
  owner: EvmAddress,
  digest: `0x${string}`,
  signature: `0x${string}`,
  chains: readonly ChainId[],
) => Promise<SignatureCheck>;
