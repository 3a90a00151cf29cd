// Chainlink-type price feeds at one block, over the Chain port. Owns the two calls per feed and no
// judgement: whether an answer is a price, and fresh enough, is market/prices.ts's to say.

import { decodeFunctionResult, encodeFunctionData, parseAbi } from 'viem';
import type { FeedReading } from '../market/prices.ts';
import { unixSeconds } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { TokenConfig } from '../types/network.ts';
import type { BlockRef, CallResult, Chain } from '../types/ports.ts';

const feedAbi = parseAbi([
  'function latestRoundData() view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)',
  'function decimals() view returns (uint8)',
]);

/** By token; a feed that does not answer is absent. An incomplete round has updatedAt 0. One round trip. Throws Fault. */
export async function readFeeds(
  chain: Chain,
  tokens: readonly TokenConfig[],
  at: BlockRef,
): Promise<ReadonlyMap<EvmAddress, FeedReading>> {
  const calls = tokens.flatMap(({ feed: to }) => [
    { to, data: encodeFunctionData({ abi: feedAbi, functionName: 'latestRoundData' }) },
    { to, data: encodeFunctionData({ abi: feedAbi, functionName: 'decimals' }) },
  ]);
  const results = await chain.read(calls, at);
  const feeds = new Map<EvmAddress, FeedReading>();
  tokens.forEach(({ address }, i) => {
    const reading = decode(
      present(results[2 * i], 'a result per call'),
      present(results[2 * i + 1], 'a result per call'),
    );
    if (reading !== null) feeds.set(address, reading);
  });
  return feeds;
}

function decode(round: CallResult, scale: CallResult): FeedReading | null {
  if (!round.ok || !scale.ok || round.data === '0x' || scale.data === '0x') return null;
  const [roundId, answer, , updatedAt, answeredInRound] = decodeFunctionResult({
    abi: feedAbi,
    functionName: 'latestRoundData',
    data: round.data,
  });
  const decimals = decodeFunctionResult({
    abi: feedAbi,
    functionName: 'decimals',
    data: scale.data,
  });
  const complete = updatedAt <= 0xffffffffn && answeredInRound >= roundId;
  return { answer, decimals, updatedAt: unixSeconds(complete ? Number(updatedAt) : 0) };
}
