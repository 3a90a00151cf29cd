// What the service trades on: chains, tokens, venues, feeds and our contracts. The lab writes it as
// network.json; a production deployment writes it by hand. market/networkFile.ts parses it.

import type { ChainId, Eid, EvmAddress } from './ids.ts';

export interface TokenConfig {
  readonly symbol: string;
  /** Groups one asset's tokens over chains: targets name assets. */
  readonly asset: string;
  readonly address: EvmAddress;
  readonly decimals: number;
  /** Chainlink-type aggregator proxy, dollars per whole token. */
  readonly feed: EvmAddress;
  readonly feedHeartbeatSeconds: number;
}

export interface PoolConfig {
  /** Unique over all chains, e.g. `31338:v3:WETH/USDC:3000`. */
  readonly id: string;
  readonly kind: 'uniswapV2' | 'uniswapV3';
  readonly address: EvmAddress;
  /** In the pool's order (token0 < token1). */
  readonly tokens: readonly [EvmAddress, EvmAddress];
  readonly feePips: number;
}

export interface ContractsConfig {
  readonly portfolioSettler: EvmAddress;
  readonly outputSettler: EvmAddress;
  readonly layerZeroOracle: EvmAddress;
  readonly routeExecutor: EvmAddress;
  readonly layerZeroEndpoint: EvmAddress;
  readonly multicall3: EvmAddress;
  readonly uniswapV2Factory: EvmAddress;
  readonly uniswapV3Factory: EvmAddress;
  readonly wrappedNative: EvmAddress;
  /** Absent: no order of this chain can be signed as a Permit2 witness. */
  readonly permit2?: EvmAddress;
}

export interface ChainConfig {
  readonly chainId: ChainId;
  readonly name: string;
  readonly eid: Eid;
  readonly rpcUrl: string;
  /** Shown to everybody at /v1/chains. `rpcUrl` never is: it may carry a provider's key. */
  readonly publicRpcUrl?: string;
  readonly confirmations: number;
  readonly blockSeconds: number;
  /** The token whose price values gas on this chain. */
  readonly nativeAsset: string;
  readonly contracts: ContractsConfig;
  readonly tokens: readonly TokenConfig[];
  readonly pools: readonly PoolConfig[];
}

export interface NetworkConfig {
  readonly version: 1;
  readonly chains: readonly ChainConfig[];
  /** PortfolioSettler.MIN_PROOF_WINDOW, seconds. */
  readonly minProofWindowSeconds: number;
}
