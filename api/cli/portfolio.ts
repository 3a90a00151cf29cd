// What a wallet holds over all chains, valued at the feeds: the sample's own view of the result,
// read from the chains and not from the service.

import { type Address, createPublicClient, erc20Abi, http, parseAbi } from 'viem';
import type { EvmAddress } from '../../solver/types/ids.ts';
import type { ChainConfig, NetworkConfig } from '../../solver/types/network.ts';

const feedAbi = parseAbi([
  'function latestRoundData() view returns (uint80, int256 answer, uint256, uint256, uint80)',
  'function decimals() view returns (uint8)',
]);

export interface Position {
  readonly chainId: number;
  readonly asset: string;
  readonly symbol: string;
  readonly token: Address;
  readonly amount: bigint;
  /** Dollars at the feed's latest answer; a float, for display and tolerances only. */
  readonly worth: number;
}

/** Every configured token's balance and worth, chains in the network's order. */
export async function readPortfolio(
  network: NetworkConfig,
  owner: EvmAddress,
): Promise<readonly Position[]> {
  const perChain = await Promise.all(network.chains.map((chain) => readChain(chain, owner)));
  return perChain.flat();
}

/** Share of the total worth per asset, a fraction from 0 to 1. */
export function weightsByAsset(positions: readonly Position[]): Readonly<Record<string, number>> {
  const total = positions.reduce((sum, { worth }) => sum + worth, 0);
  const weights: Record<string, number> = {};
  for (const { asset, worth } of positions) {
    weights[asset] = (weights[asset] ?? 0) + (total === 0 ? 0 : worth / total);
  }
  return Object.fromEntries(
    Object.entries(weights).map(([asset, weight]) => [asset, Math.round(weight * 1e6) / 1e6]),
  );
}

async function readChain(chain: ChainConfig, owner: EvmAddress): Promise<readonly Position[]> {
  const client = createPublicClient({ transport: http(chain.rpcUrl) });
  const values = await client.multicall({
    multicallAddress: chain.contracts.multicall3,
    allowFailure: false,
    contracts: chain.tokens.flatMap(
      ({ address, feed }) =>
        [
          { address, abi: erc20Abi, functionName: 'balanceOf', args: [owner] },
          { address: feed, abi: feedAbi, functionName: 'latestRoundData' },
          { address: feed, abi: feedAbi, functionName: 'decimals' },
        ] as const,
    ),
  });
  return chain.tokens.map(({ address, asset, symbol, decimals }, i) => {
    const amount = values[3 * i] as bigint;
    const [, answer] = values[3 * i + 1] as readonly [bigint, bigint, bigint, bigint, bigint];
    const price = Number(answer) / 10 ** Number(values[3 * i + 2]);
    const worth = (Number(amount) / 10 ** decimals) * price;
    return { chainId: chain.chainId, asset, symbol, token: address, amount, worth };
  });
}
