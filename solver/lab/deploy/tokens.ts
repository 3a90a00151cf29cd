// Tokens and price feeds. A token has another address on every chain, as in life: code that mixes
// two chains' tokens up must fail here and not in production.

import {
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  keccak256,
  parseAbi,
  parseAbiParameters,
  stringToHex,
} from 'viem';
import { type EvmAddress, evmAddress } from '../../types/ids.ts';
import type { TokenConfig } from '../../types/network.ts';
import { roleAddress } from '../accounts.ts';
import type { LabFeed } from '../deployment.ts';
import { ASSETS, FEED_DECIMALS, FEED_HEARTBEAT_SECONDS, NATIVE_ASSET } from '../setup.ts';
import { creationCode } from './artifacts.ts';
import type { Batch } from './batch.ts';

const ZERO = evmAddress('0x0000000000000000000000000000000000000000');
/** Bounds of a submission, 8 decimals: any positive price up to a hundred million dollars. */
const PRICE_MIN = 1n;
const PRICE_MAX = 10n ** 16n;

const fluxAbi = parseAbi([
  'function changeOracles(address[] removed, address[] added, address[] addedAdmins, uint32 minSubmissions, uint32 maxSubmissions, uint32 restartDelay)',
]);

/** Queues the tokens that are not the wrapped native one. */
export function deployTokens(
  batch: Batch,
  chainId: number,
  tokenCode: `0x${string}`,
  wrappedNative: EvmAddress,
  feeds: readonly LabFeed[],
): TokenConfig[] {
  return ASSETS.map(({ asset, symbol, name, decimals }) => {
    const feed = feeds.find((candidate) => candidate.asset === asset);
    if (feed === undefined) throw new Error(`no feed for ${asset}`);
    const code = concatHex([
      tokenCode,
      encodeAbiParameters(parseAbiParameters('string, string, uint8, address'), [
        name,
        symbol,
        decimals,
        roleAddress('faucet'),
      ]),
    ]);
    const salt = keccak256(stringToHex(`trimtab lab ${chainId} ${symbol}`));
    const address =
      asset === NATIVE_ASSET ? wrappedNative : batch.deploy2(`token ${symbol}`, salt, code);
    return {
      symbol,
      asset,
      address,
      decimals,
      feed: feed.proxy,
      feedHeartbeatSeconds: FEED_HEARTBEAT_SECONDS,
    };
  });
}

/** Queues a FluxAggregator with one oracle, the publisher, behind a proxy, for every asset. */
export function deployFeeds(batch: Batch): LabFeed[] {
  const publisher = roleAddress('publisher');
  return ASSETS.map(({ asset }) => {
    const aggregator = batch.deploy(
      `feed ${asset}`,
      concatHex([
        creationCode('fluxAggregator'),
        encodeAbiParameters(
          parseAbiParameters('address, uint128, uint32, address, int256, int256, uint8, string'),
          [ZERO, 0n, 0, ZERO, PRICE_MIN, PRICE_MAX, FEED_DECIMALS, `${asset} / USD`],
        ),
      ]),
    );
    const oracles = {
      abi: fluxAbi,
      functionName: 'changeOracles',
      args: [[], [publisher], [roleAddress('deployer')], 1, 1, 0],
    } as const;
    batch.call(`feed ${asset}: oracle`, aggregator, encodeFunctionData(oracles));
    const proxy = batch.deploy(
      `feed ${asset}: proxy`,
      concatHex([
        creationCode('aggregatorProxy'),
        encodeAbiParameters(parseAbiParameters('address, address'), [aggregator, ZERO]),
      ]),
    );
    return { asset, proxy, aggregator };
  });
}
