// ERC-20 balances and allowances of one account at one block, over the Chain port. A token that does
// not answer counts as zero: nothing is ever promised from it.

import { decodeFunctionResult, encodeFunctionData, erc20Abi } from 'viem';
import type { EvmAddress } from '../types/ids.ts';
import type { BlockRef, CallResult, Chain } from '../types/ports.ts';

/** Base units by token, one round trip. Throws Fault. */
export async function readBalances(
  chain: Chain,
  tokens: readonly EvmAddress[],
  of: EvmAddress,
  at: BlockRef,
): Promise<ReadonlyMap<EvmAddress, bigint>> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [of] });
  return byToken(
    tokens,
    await chain.read(
      tokens.map((to) => ({ to, data })),
      at,
    ),
  );
}

/** What `spender` may pull from `owner`, base units by token, one round trip. Throws Fault. */
export async function readAllowances(
  chain: Chain,
  tokens: readonly EvmAddress[],
  owner: EvmAddress,
  spender: EvmAddress,
  at: BlockRef,
): Promise<ReadonlyMap<EvmAddress, bigint>> {
  const args = [owner, spender] as const;
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'allowance', args });
  return byToken(
    tokens,
    await chain.read(
      tokens.map((to) => ({ to, data })),
      at,
    ),
  );
}

function byToken(
  tokens: readonly EvmAddress[],
  results: readonly CallResult[],
): ReadonlyMap<EvmAddress, bigint> {
  return new Map(tokens.map((token, i) => [token, uint256(results[i])]));
}

function uint256(result: CallResult | undefined): bigint {
  if (result?.ok !== true || result.data.length !== 66) return 0n;
  const { data } = result;
  return decodeFunctionResult({ abi: erc20Abi, functionName: 'balanceOf', data });
}
