// Publishes the price source's prices to every chain's Chainlink aggregators, round after round.

import { encodeFunctionData, parseAbi } from 'viem';
import { Fault } from '../../types/errors.ts';
import type { Site } from './packets.ts';
import type { PriceSource } from './prices.ts';
import type { Sender } from './sender.ts';

const fluxAbi = parseAbi([
  'function latestRound() view returns (uint256)',
  'function submit(uint256 roundId, int256 submission)',
]);
const SUBMIT_GAS = 400_000n;

export interface Publisher {
  /** Submits a new round of every feed on `site` and returns when readers see them. */
  publish(site: Site): Promise<void>;
}

export function createPublisher(source: PriceSource, senderOf: (eid: number) => Sender): Publisher {
  const tails = new Map<number, Promise<unknown>>();
  const publishNow = async (site: Site): Promise<void> => {
    const { eid, feeds, chainId } = site.deployment;
    const sender = senderOf(eid);
    const hashes = await Promise.all(
      feeds.map(async ({ aggregator, asset }) => {
        const call = { address: aggregator, abi: fluxAbi } as const;
        const round = await site.rpc.client.readContract({ ...call, functionName: 'latestRound' });
        const data = encodeFunctionData({
          abi: fluxAbi,
          functionName: 'submit',
          args: [round + 1n, source.current(asset)],
        });
        return sender.submit({ to: aggregator, data, gas: SUBMIT_GAS });
      }),
    );
    for (const hash of hashes) {
      const { status } = await sender.mined(hash);
      if (status !== 'success') throw new Fault(`price submission ${hash} on ${chainId} reverted`);
    }
  };
  return {
    // One publication at a time per chain: two would claim the same round.
    publish(site) {
      const { eid } = site.deployment;
      const result = (tails.get(eid) ?? Promise.resolve()).then(() => publishNow(site));
      tails.set(
        eid,
        result.catch(() => {}),
      );
      return result;
    },
  };
}
