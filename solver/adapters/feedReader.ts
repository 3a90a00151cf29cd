// Chainlink-type price feeds at one block, over the Chain port. Owns the two calls per feed and what
// counts as an answer: positive, from a completed round. Staleness is quoting's to judge.

import { decodeFunctionResult, encodeFunctionData, parseAbi } from 'viem';
import { unixSeconds } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { FeedReading } from '../types/market.ts';
import type { TokenConfig } from '../types/network.ts';
import type { BlockRef, CallResult, Chain } from '../types/ports.ts';

const feedAbi = parseAbi([
  'function latestRoundData() view returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)',
  'function decimals() view returns (uint8)',
]);
/** More decimals than the problem format's fixed point can carry. */
const FEED_DECIMALS_MAX = 36;

/** By token; a feed without a usable answer is absent. One round trip. Throws Fault. */
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
  const complete = updatedAt > 0n && updatedAt <= 0xffffffffn && answeredInRound >= roundId;
  if (answer <= 0n || !complete || decimals > FEED_DECIMALS_MAX) return null;
  return { answer, decimals, updatedAt: unixSeconds(Number(updatedAt)) };
}
