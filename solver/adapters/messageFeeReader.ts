// What a proof message costs from one chain to each other one, as LayerZeroOracle.quote says at one
// block. The oracle's fee is affine in the number of records, so two quotes give all of them.

import { decodeFunctionResult, encodeFunctionData, parseAbi } from 'viem';
import type { MessageFee } from '../market/source.ts';
import type { ChainId } from '../types/ids.ts';
import type { ChainConfig } from '../types/network.ts';
import type { BlockRef, CallResult, Chain } from '../types/ports.ts';

const oracleAbi = parseAbi(['function quote(uint32 eid, uint256 records) view returns (uint256)']);

/** By destination of the message; a path that cannot be quoted is absent. Throws Fault. */
export async function readMessageFees(
  chain: Chain,
  config: ChainConfig,
  others: readonly ChainConfig[],
  at: BlockRef,
): Promise<ReadonlyMap<ChainId, MessageFee>> {
  const to = config.contracts.layerZeroOracle;
  const calls = others.flatMap(({ eid }) =>
    [1n, 2n].map((records) => ({
      to,
      data: encodeFunctionData({ abi: oracleAbi, functionName: 'quote', args: [eid, records] }),
    })),
  );
  const results = calls.length === 0 ? [] : await chain.read(calls, at);
  const fees = new Map<ChainId, MessageFee>();
  others.forEach(({ chainId }, i) => {
    const one = decode(results[2 * i]);
    const two = decode(results[2 * i + 1]);
    if (one === null || two === null || two < one) return;
    // The +1 absorbs the rounding inside the executor's and DVNs' fee formulas.
    const perRecord = two - one + 1n;
    fees.set(chainId, { base: one > perRecord ? one - perRecord + 1n : 1n, perRecord });
  });
  return fees;
}

function decode(result: CallResult | undefined): bigint | null {
  if (result?.ok !== true || result.data === '0x') return null;
  const { data } = result;
  return decodeFunctionResult({ abi: oracleAbi, functionName: 'quote', data });
}
