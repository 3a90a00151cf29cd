// A snapshot: pools and prices of every chain, each chain at one named block. Immutable and
// content-addressed, so that a quote can say exactly what it was computed from. Made by whoever
// read the chains (adapters); turned into problem venues here.

import type { ChainId, Hash32 } from '../types/ids.ts';
import type { PoolConfig } from '../types/network.ts';
import type { BlockRef } from '../types/ports.ts';
import type { ConcentratedVenue, ConstantProductVenue } from '../types/problem.ts';
import { type Fixed36, formatFixed36 } from './decimal.ts';
import { canonicalJson } from './jsonText.ts';
import { keccakOf } from './keccak.ts';

export interface UniswapV2State {
  readonly kind: 'uniswapV2';
  readonly pool: PoolConfig;
  readonly reserves: readonly [bigint, bigint];
}

export interface UniswapV3State {
  readonly kind: 'uniswapV3';
  readonly pool: PoolConfig;
  readonly sqrtPriceX96: bigint;
  readonly tick: number;
  readonly liquidity: bigint;
  /** Every initialised tick, ascending. */
  readonly ticks: readonly { readonly tick: number; readonly liquidityNet: bigint }[];
}

export type PoolState = UniswapV2State | UniswapV3State;

export interface ChainSnapshot {
  readonly chainId: ChainId;
  /** Everything below was read in this block's state. */
  readonly block: BlockRef;
  readonly pools: readonly PoolState[];
  /** By token symbol; dollars per whole token. */
  readonly prices: ReadonlyMap<string, Fixed36>;
}

export interface Snapshot {
  readonly chains: readonly ChainSnapshot[];
  /** keccak256 over the canonical JSON of all of it. */
  readonly digest: Hash32;
}

/** The node id of a token on a chain, as problems and results carry it: `31338:WETH`. */
export const nodeIdOf = (chainId: ChainId, symbol: string): string => `${chainId}:${symbol}`;

/** Puts chains in order of their id and takes the digest. */
export function makeSnapshot(chains: readonly ChainSnapshot[]): Snapshot {
  const ordered = [...chains].sort((a, b) => a.chainId - b.chainId);
  return { chains: ordered, digest: keccakOf(canonicalJson(ordered.map(chainJson))) };
}

/** The problem's venue for a pool, `nodes` in the pool's token order, `fixedCost` in dollars. */
export function venueOfPool(
  state: PoolState,
  nodes: readonly [string, string],
  fixedCost: Fixed36,
): ConstantProductVenue | ConcentratedVenue {
  const { id, feePips } = state.pool;
  const base = { id, nodes, feePips, fixedCost: formatFixed36(fixedCost) };
  if (state.kind === 'uniswapV2') {
    const [first, second] = state.reserves;
    return { ...base, kind: 'constantProduct', reserves: [first.toString(), second.toString()] };
  }
  return {
    ...base,
    kind: 'concentrated',
    sqrtPriceX96: state.sqrtPriceX96.toString(),
    tick: state.tick,
    liquidity: state.liquidity.toString(),
    ticks: state.ticks.map(({ tick, liquidityNet }) => [tick, liquidityNet.toString()] as const),
  };
}

function chainJson(chain: ChainSnapshot): unknown {
  const { number, hash, timestamp } = chain.block;
  return {
    chainId: chain.chainId,
    block: { number: number.toString(), hash, timestamp },
    prices: Object.fromEntries(
      [...chain.prices].map(([symbol, price]) => [symbol, formatFixed36(price)]),
    ),
    pools: [...chain.pools]
      .sort((a, b) => (a.pool.id < b.pool.id ? -1 : 1))
      .map((state) => poolJson(state)),
  };
}

function poolJson(state: PoolState): unknown {
  const base = { id: state.pool.id, address: state.pool.address, kind: state.kind };
  if (state.kind === 'uniswapV2') return { ...base, reserves: state.reserves.map(String) };
  return {
    ...base,
    sqrtPriceX96: state.sqrtPriceX96.toString(),
    tick: state.tick,
    liquidity: state.liquidity.toString(),
    ticks: state.ticks.map(({ tick, liquidityNet }) => [tick, liquidityNet.toString()]),
  };
}
