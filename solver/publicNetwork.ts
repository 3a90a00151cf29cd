// What everybody may know of the network the service trades on: assets, chains, venues. Refuses to
// show a node's URL that the deployment did not call public: it may carry a provider's key.

import { present } from './types/assert.ts';
import type { EvmAddress } from './types/ids.ts';
import type { NetworkConfig } from './types/network.ts';
import type { AssetView, NetworkView, VenueView } from './types/service.ts';

/** By name; every asset with its tokens in the order of the chains. */
export function assetsOf({ chains }: NetworkConfig): readonly AssetView[] {
  const names = [...new Set(chains.flatMap(({ tokens }) => tokens.map(({ asset }) => asset)))];
  return names.sort().map((asset) => ({
    asset,
    tokens: chains.flatMap(({ chainId, name, tokens }) =>
      tokens
        .filter((token) => token.asset === asset)
        .map(({ symbol, address, decimals, feed }) => ({
          chainId,
          chain: name,
          symbol,
          address,
          decimals,
          feed,
        })),
    ),
  }));
}

export function networkOf(network: NetworkConfig, auctioneer: EvmAddress): NetworkView {
  return {
    auctioneer,
    minProofWindowSeconds: network.minProofWindowSeconds,
    chains: network.chains.map((chain) => ({
      chainId: chain.chainId,
      name: chain.name,
      ...(chain.publicRpcUrl === undefined ? {} : { publicRpcUrl: chain.publicRpcUrl }),
      confirmations: chain.confirmations,
      blockSeconds: chain.blockSeconds,
      nativeAsset: chain.nativeAsset,
      eid: chain.eid,
      contracts: { ...chain.contracts },
    })),
  };
}

/** Every configured pool, in the order of the chains. */
export function venuesOf({ chains }: NetworkConfig): readonly VenueView[] {
  return chains.flatMap(({ chainId, pools, tokens }) =>
    pools.map(({ id, kind, address, tokens: pair, feePips }) => ({
      venue: id,
      kind,
      chainId,
      address,
      tokens: pair.map((token) => {
        const listed = present(
          tokens.find((one) => one.address === token),
          'a pool trades listed tokens',
        );
        return { address: token, symbol: listed.symbol, asset: listed.asset };
      }),
      feePips,
    })),
  );
}
