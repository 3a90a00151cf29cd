// NetworkConfig of a running lab: what the service reads, from what was deployed and where it runs.

import { present } from '../types/assert.ts';
import { chainId, eid } from '../types/ids.ts';
import type { ChainConfig, NetworkConfig } from '../types/network.ts';
import type { ChainDeployment, LabDeployment } from './deployment.ts';
import type { ResolvedLabOptions } from './options.ts';
import { NATIVE_ASSET } from './setup.ts';

/** `rpcUrls` in the order of the deployment's chains. */
export function networkConfig(
  deployment: LabDeployment,
  rpcUrls: readonly string[],
  options: Pick<ResolvedLabOptions, 'blockMs' | 'feedHeartbeatSeconds'>,
): NetworkConfig {
  const { blockMs, feedHeartbeatSeconds } = options;
  const chainConfig = (chain: ChainDeployment, index: number): ChainConfig => ({
    chainId: chainId(chain.chainId),
    name: chain.name,
    eid: eid(chain.eid),
    rpcUrl: present(rpcUrls[index], `RPC URL of ${chain.name}`),
    publicRpcUrl: present(rpcUrls[index], `RPC URL of ${chain.name}`),
    confirmations: deployment.confirmations,
    blockSeconds: blockMs / 1000,
    nativeAsset: NATIVE_ASSET,
    contracts: {
      ...chain.trimtab,
      layerZeroEndpoint: chain.layerZero.endpoint,
      multicall3: chain.multicall3,
      uniswapV2Factory: chain.uniswap.v2Factory,
      uniswapV3Factory: chain.uniswap.v3Factory,
      wrappedNative: chain.wrappedNative,
      permit2: chain.permit2,
    },
    tokens: chain.tokens.map((token) => ({ ...token, feedHeartbeatSeconds })),
    pools: chain.pools,
  });
  return {
    version: 1,
    chains: deployment.chains.map(chainConfig),
    minProofWindowSeconds: deployment.minProofWindowSeconds,
  };
}
