// The door of network.json: what the service trades on (types/network.ts). The lab writes it; a
// production deployment writes it by hand, so every fault is InvalidInput with the JSON pointer and
// the remedy. Refuses ids used twice, pools over unlisted tokens and tokens out of pool order.

import { type ChainId, chainId, type EvmAddress, eid, evmAddress } from '../types/ids.ts';
import type {
  ChainConfig,
  ContractsConfig,
  NetworkConfig,
  PoolConfig,
  TokenConfig,
} from '../types/network.ts';
import { DECIMALS_MAX } from './problemFile.ts';
import {
  type At,
  pointed,
  readArray,
  readId,
  readInteger,
  readObject,
  readOneOf,
  readPair,
  readString,
  refuse,
} from './reader.ts';

const CHAINS_MAX = 64;
const TOKENS_MAX = 1000;
const POOLS_MAX = 10_000;
const SECONDS_MAX = 30 * 24 * 3600;
const CONTRACTS = [
  'portfolioSettler',
  'outputSettler',
  'layerZeroOracle',
  'routeExecutor',
  'layerZeroEndpoint',
  'multicall3',
  'uniswapV2Factory',
  'uniswapV3Factory',
  'wrappedNative',
] as const satisfies readonly (keyof ContractsConfig)[];

/** The whole document. Throws InvalidInput. */
export function parseNetwork(json: unknown): NetworkConfig {
  const root = readObject({ value: json, pointer: '' }, [
    'version',
    'chains',
    'minProofWindowSeconds',
  ]);
  const version = root.field('version');
  if (version.value !== 1) refuse(version, 'must be 1, the only version this build reads');
  const chains = readArray(root.field('chains'), 1, CHAINS_MAX).map(readChain);
  refuseRepeats(chains, (chain) => String(chain.chainId), '/chains', 'chainId');
  refuseRepeats(chains, (chain) => String(chain.eid), '/chains', 'eid');
  const poolIds = new Set<string>();
  chains.forEach((chain, c) => {
    chain.pools.forEach(({ id }, p) => {
      const pointer = `/chains/${c}/pools/${p}/id`;
      if (poolIds.has(id)) refuse({ pointer }, `pool id ${JSON.stringify(id)} is used twice`);
      poolIds.add(id);
    });
  });
  return {
    version: 1,
    chains,
    minProofWindowSeconds: readInteger(root.field('minProofWindowSeconds'), 0, SECONDS_MAX),
  };
}

function readChain(at: At): ChainConfig {
  const chain = readObject(
    at,
    [
      'chainId',
      'name',
      'eid',
      'rpcUrl',
      'confirmations',
      'blockSeconds',
      'nativeAsset',
      'contracts',
      'tokens',
      'pools',
    ],
    ['publicRpcUrl'],
  );
  const tokensAt = chain.field('tokens');
  const tokens = readArray(tokensAt, 1, TOKENS_MAX).map(readToken);
  refuseRepeats(tokens, (token) => token.symbol, tokensAt.pointer, 'symbol');
  refuseRepeats(tokens, (token) => token.address, tokensAt.pointer, 'address');
  const pools = readArray(chain.field('pools'), 0, POOLS_MAX).map((pool) => readPool(pool, tokens));
  const nativeAsset = readId(chain.field('nativeAsset'));
  if (!tokens.some((token) => token.asset === nativeAsset)) {
    refuse(chain.field('nativeAsset'), 'must be the asset of a token of this chain');
  }
  return {
    chainId: readChainId(chain.field('chainId')),
    name: readId(chain.field('name')),
    eid: eid(readInteger(chain.field('eid'), 1, 0xffffffff)),
    rpcUrl: readUrl(chain.field('rpcUrl')),
    ...(chain.has('publicRpcUrl') ? { publicRpcUrl: readUrl(chain.field('publicRpcUrl')) } : {}),
    confirmations: readInteger(chain.field('confirmations'), 0, 100_000),
    blockSeconds: readPositive(chain.field('blockSeconds')),
    nativeAsset,
    contracts: readContracts(chain.field('contracts')),
    tokens,
    pools,
  };
}

function readChainId(at: At): ChainId {
  return chainId(readInteger(at, 1, Number.MAX_SAFE_INTEGER));
}

function readToken(at: At): TokenConfig {
  const token = readObject(at, [
    'symbol',
    'asset',
    'address',
    'decimals',
    'feed',
    'feedHeartbeatSeconds',
  ]);
  return {
    symbol: readId(token.field('symbol')),
    asset: readId(token.field('asset')),
    address: readAddress(token.field('address')),
    decimals: readInteger(token.field('decimals'), 0, DECIMALS_MAX),
    feed: readAddress(token.field('feed')),
    feedHeartbeatSeconds: readInteger(token.field('feedHeartbeatSeconds'), 1, SECONDS_MAX),
  };
}

function readPool(at: At, tokens: readonly TokenConfig[]): PoolConfig {
  const pool = readObject(at, ['id', 'kind', 'address', 'tokens', 'feePips']);
  const [first, second] = readPair(pool.field('tokens'));
  const pair = [readPoolToken(first, tokens), readPoolToken(second, tokens)] as const;
  if (pair[0] >= pair[1]) refuse(pool.field('tokens'), "must be in the pool's order, ascending");
  return {
    id: readId(pool.field('id')),
    kind: readOneOf(pool.field('kind'), ['uniswapV2', 'uniswapV3']),
    address: readAddress(pool.field('address')),
    tokens: pair,
    feePips: readInteger(pool.field('feePips'), 0, 999_999),
  };
}

function readPoolToken(at: At, tokens: readonly TokenConfig[]): EvmAddress {
  const address = readAddress(at);
  if (!tokens.some((token) => token.address === address)) {
    refuse(at, `token ${address} is not among this chain's tokens; add it there`, 'unknownId');
  }
  return address;
}

function readContracts(at: At): ContractsConfig {
  const contracts = readObject(at, CONTRACTS, ['permit2']);
  const read = (key: (typeof CONTRACTS)[number]) => readAddress(contracts.field(key));
  return {
    portfolioSettler: read('portfolioSettler'),
    outputSettler: read('outputSettler'),
    layerZeroOracle: read('layerZeroOracle'),
    routeExecutor: read('routeExecutor'),
    layerZeroEndpoint: read('layerZeroEndpoint'),
    multicall3: read('multicall3'),
    uniswapV2Factory: read('uniswapV2Factory'),
    uniswapV3Factory: read('uniswapV3Factory'),
    wrappedNative: read('wrappedNative'),
    ...(contracts.has('permit2') ? { permit2: readAddress(contracts.field('permit2')) } : {}),
  };
}

function readAddress(at: At): EvmAddress {
  return pointed(at, () => evmAddress(readString(at)));
}

function readUrl(at: At): string {
  const text = readString(at);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) {
    refuse(at, 'must be an http, https, ws or wss URL');
  }
  return text;
}

function readPositive(at: At): number {
  const { value } = at;
  if (typeof value !== 'number' || !(value > 0) || value > 3600) {
    refuse(at, 'must be a number of seconds above 0, at most 3600');
  }
  return value;
}

function refuseRepeats<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  pointer: string,
  field: string,
): void {
  const seen = new Map<string, number>();
  items.forEach((item, i) => {
    const first = seen.get(keyOf(item));
    if (first !== undefined) {
      refuse(
        { pointer: `${pointer}/${i}/${field}` },
        `${field} ${keyOf(item)} is already used by ${pointer}/${first}`,
        'duplicateId',
      );
    }
    seen.set(keyOf(item), i);
  });
}
