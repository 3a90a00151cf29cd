// What a deployed lab is made of, beyond NetworkConfig: the addresses that workers, the control and
// tests need. Written to deployment.json.

import type { EvmAddress } from '../types/ids.ts';
import type { PoolConfig, TokenConfig } from '../types/network.ts';
import type { AssetName } from './setup.ts';

/** LayerZero V2 on one chain. */
export interface LayerZeroContracts {
  readonly endpoint: EvmAddress;
  readonly sendUln: EvmAddress;
  readonly receiveUln: EvmAddress;
  readonly dvnA: EvmAddress;
  readonly dvnB: EvmAddress;
  readonly executor: EvmAddress;
  readonly priceFeed: EvmAddress;
  readonly treasury: EvmAddress;
  readonly endpointView: EvmAddress;
  readonly ulnView: EvmAddress;
}

export interface UniswapContracts {
  readonly v2Factory: EvmAddress;
  readonly v3Factory: EvmAddress;
  readonly v3Positions: EvmAddress;
  readonly v3Quoter: EvmAddress;
  readonly v3Router: EvmAddress;
}

export interface TrimtabContracts {
  readonly portfolioSettler: EvmAddress;
  readonly outputSettler: EvmAddress;
  readonly layerZeroOracle: EvmAddress;
  readonly routeExecutor: EvmAddress;
}

export interface LabFeed {
  readonly asset: AssetName;
  /** EACAggregatorProxy: what readers read. */
  readonly proxy: EvmAddress;
  /** FluxAggregator: what the publisher writes. */
  readonly aggregator: EvmAddress;
}

export interface ChainDeployment {
  readonly chainId: number;
  readonly name: string;
  readonly eid: number;
  readonly layerZero: LayerZeroContracts;
  readonly uniswap: UniswapContracts;
  readonly trimtab: TrimtabContracts;
  readonly multicall3: EvmAddress;
  readonly permit2: EvmAddress;
  readonly wrappedNative: EvmAddress;
  readonly tokens: readonly TokenConfig[];
  readonly feeds: readonly LabFeed[];
  readonly pools: readonly PoolConfig[];
  /** Height of the saved state: nothing before it concerns the workers. */
  readonly block: string;
}

export interface LabDeployment {
  readonly version: 1;
  readonly confirmations: number;
  readonly minProofWindowSeconds: number;
  readonly chains: readonly ChainDeployment[];
}
