// The network as the service tells it: chains, contracts, tokens, pools. Refuses a chain without a
// node to ask: a solver checks everything on the chains themselves.

import type { Address } from 'viem';
import type { SolverChain, SolverNetwork, SolverPool, SolverToken } from './types.ts';

interface ChainsAnswer {
  readonly chains: readonly (Omit<SolverChain, 'rpcUrl' | 'tokens' | 'pools'> & {
    readonly publicRpcUrl?: string;
  })[];
}
interface AssetsAnswer {
  readonly assets: readonly {
    readonly asset: string;
    readonly tokens: readonly (Omit<SolverToken, 'asset'> & { readonly chainId: number })[];
  }[];
}
interface VenuesAnswer {
  readonly venues: readonly {
    readonly venue: string;
    readonly kind: string;
    readonly chainId: number;
    readonly address: Address;
    readonly tokens: readonly { readonly address: Address }[];
    readonly feePips: number;
  }[];
}

const CONTRACTS = [
  'portfolioSettler',
  'outputSettler',
  'layerZeroOracle',
  'routeExecutor',
  'multicall3',
] as const;

/** `rpcUrls` by chain id go before what the service offers. Throws Error when nobody answers. */
export async function loadNetwork(
  url: string,
  rpcUrls: Readonly<Record<number, string>> = {},
): Promise<SolverNetwork> {
  const [{ chains }, { assets }, { venues }] = await Promise.all([
    getJson<ChainsAnswer>(`${url}/v1/chains`),
    getJson<AssetsAnswer>(`${url}/v1/assets`),
    getJson<VenuesAnswer>(`${url}/v1/venues`),
  ]);
  const tokens = assets.flatMap(({ asset, tokens: list }) =>
    list.map((token): SolverToken => ({ ...token, asset, address: lower(token.address) })),
  );
  return {
    chains: chains.map((chain): SolverChain => {
      const rpcUrl = rpcUrls[chain.chainId] ?? chain.publicRpcUrl;
      if (rpcUrl === undefined) {
        throw new Error(`no node for chain ${chain.chainId} (${chain.name}): give it in rpcUrls`);
      }
      for (const name of CONTRACTS) {
        if (!/^0x[0-9a-fA-F]{40}$/.test(chain.contracts[name])) {
          throw new Error(`the service names no ${name} on chain ${chain.chainId}`);
        }
      }
      return {
        ...chain,
        rpcUrl,
        tokens: tokens.filter((token) => token.chainId === chain.chainId),
        pools: venues
          .filter((venue) => venue.chainId === chain.chainId)
          .flatMap(({ venue: id, kind, address, tokens: [a, b], feePips }): SolverPool[] =>
            a === undefined || b === undefined
              ? []
              : [{ id, kind, address, tokens: [lower(a.address), lower(b.address)], feePips }],
          ),
      };
    }),
  };
}

export const chainOf = ({ chains }: SolverNetwork, chainId: number): SolverChain | undefined =>
  chains.find((chain) => chain.chainId === chainId);

export function tokenOf(
  network: SolverNetwork,
  chainId: number,
  address: string,
): SolverToken | undefined {
  const wanted = address.toLowerCase();
  return chainOf(network, chainId)?.tokens.find((token) => token.address === wanted);
}

const lower = (address: string) => address.toLowerCase() as Address;

/** Throws Error with the service's own words where it refuses. */
export async function getJson<T>(url: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  } catch (cause) {
    throw new Error(`no answer from ${new URL(url).origin}`, { cause });
  }
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status} ${text.slice(0, 200)}`);
  return JSON.parse(text) as T;
}
