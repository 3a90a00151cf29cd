// ERC-20 balances and allowances of one account at one block, over the Chain port. A token that does
// not answer counts as zero: nothing is ever promised from it.

import { encodeFunctionData, erc20Abi } from 'viem';
import type { EvmAddress } from '../types/ids.ts';
import type { BlockRef, Call, CallResult, Chain } from '../types/ports.ts';

/** Base units by token, one round trip. Throws Fault. */
export async function readBalances(
  chain: Chain,
  tokens: readonly EvmAddress[],
  of: EvmAddress,
  at: BlockRef,
): Promise<ReadonlyMap<EvmAddress, bigint>> {
  return amountsByToken(tokens, await chain.read(balanceCalls(tokens, of), at));
}

/** One call per token. */
export function balanceCalls(tokens: readonly EvmAddress[], of: EvmAddress): readonly Call[] {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [of] });
  return tokens.map((to) => ({ to, data }));
}

/** What `spender` may pull from `owner`: one call per token. */
export function allowanceCalls(
  tokens: readonly EvmAddress[],
  owner: EvmAddress,
  spender: EvmAddress,
): readonly Call[] {
  const args = [owner, spender] as const;
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'allowance', args });
  return tokens.map((to) => ({ to, data }));
}

/** Base units by token, of results in the tokens' order. */
export function amountsByToken(
  tokens: readonly EvmAddress[],
  results: readonly CallResult[],
): ReadonlyMap<EvmAddress, bigint> {
  return new Map(tokens.map((token, i) => [token, uint256(results[i])]));
}

function uint256(result: CallResult | undefined): bigint {
  if (result?.ok !== true || !/^0x[0-9a-fA-F]{64}$/.test(result.data)) return 0n;
  return BigInt(result.data);
}
