// An OIF swap against the configured network: which tokens it means, and the scope of the rebalance it
// is: everything given into the one token wanted. Pure; what names nothing, or contradicts itself, is a
// Refusal with the JSON pointer of OIF's field and the remedy.

import { nodeIdOf } from '../market/snapshot.ts';
import { MAX_UINT256 } from '../types/amounts.ts';
import { isRefusal } from '../types/errors.ts';
import type { ChainConfig, NetworkConfig } from '../types/network.ts';
import type { SwapAsset, SwapRequest } from '../types/service.ts';
import { type QuoteRefusal, refuse, type Scope, type ScopeToken } from './scope.ts';

export interface SwapInput {
  readonly token: ScopeToken;
  /** null: to be found (exact-output). */
  readonly amount: bigint | null;
  /** Of the input in the request. */
  readonly pointer: string;
}
export interface SwapScope {
  readonly inputs: readonly SwapInput[];
  readonly output: ScopeToken;
  /** exact-input: the least acceptable or null; exact-output: what is wanted. */
  readonly outputAmount: bigint | null;
}

const OUTPUT = '/intent/outputs/0';

export function resolveSwap(
  request: SwapRequest,
  network: NetworkConfig,
): SwapScope | QuoteRefusal {
  const output = findToken(request.output.asset, network, `${OUTPUT}/asset`);
  if (isRefusal(output)) return output;
  const inputs: SwapInput[] = [];
  for (const [i, given] of request.inputs.entries()) {
    const pointer = `/intent/inputs/${i}`;
    const token = findToken(given.asset, network, `${pointer}/asset`);
    if (isRefusal(token)) return token;
    if (token.node === output.node) {
      const message = `${token.node} is the output too; ask for another token, or leave it out`;
      return refuse('nothingToDo', message, `${pointer}/asset`);
    }
    if (inputs.some((other) => other.token.node === token.node)) {
      const message = `${token.node} is given twice; give it once, with the amounts together`;
      return refuse('duplicateTarget', message, `${pointer}/asset`);
    }
    const amount = readAmount(given.amount, `${pointer}/amount`);
    if (isRefusal(amount)) return amount;
    inputs.push({ token, amount, pointer });
  }
  const outputAmount = readAmount(request.output.amount, `${OUTPUT}/amount`);
  if (isRefusal(outputAmount)) return outputAmount;
  return amountsFault(request, inputs, outputAmount) ?? { inputs, output, outputAmount };
}

/** The rebalance of exactly `amounts` into the output alone. */
export function scopeOf({ inputs, output }: SwapScope, amounts: readonly bigint[]): Scope {
  const places = [
    ...inputs.map(({ token, pointer }) => ({ token, pointer: `${pointer}/asset` })),
    { token: output, pointer: `${OUTPUT}/asset` },
  ];
  const chains = [...new Set(places.map(({ token }) => token.chain))];
  const target = (token: ScopeToken, weightBps: number) => ({
    asset: token.token.asset,
    chain: token.chain.chainId,
    weightBps,
    tokens: [token],
  });
  return {
    chains: chains.sort((a, b) => a.chainId - b.chainId),
    named: new Map(places.map(({ token, pointer }) => [token.chain.chainId, pointer])),
    targets: [target(output, 10_000), ...inputs.map(({ token }) => target(token, 0))],
    holdings: new Map(
      inputs.map(({ token, pointer }, i) => [
        token.node,
        { amount: amounts[i] ?? 0n, pointer: `${pointer}/amount` },
      ]),
    ),
  };
}

function findToken(
  { chain: id, token: address }: SwapAsset,
  network: NetworkConfig,
  pointer: string,
): ScopeToken | QuoteRefusal {
  if (id !== undefined && !network.chains.some(({ chainId }) => chainId === id)) {
    const ids = network.chains.map(({ chainId }) => chainId).join(', ');
    return refuse('unknownChain', `chain ${id} is not served; served are ${ids}`, pointer);
  }
  const found = network.chains
    .filter(({ chainId }) => id === undefined || chainId === id)
    .flatMap((chain) => tokenAt(chain, address));
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    const message =
      `${address} is a token on ${found.length} of the served chains; say which, as an ERC-7930 ` +
      'address (0x0001…) of token and chain';
    return refuse('unknownAsset', message, pointer);
  }
  const native = BigInt(address) === 0n ? '; name the wrapped coin instead of the native one' : '';
  const where = id === undefined ? 'on any served chain' : `on chain ${id}`;
  const message = `token ${address} is not traded ${where}; GET /v1/assets lists what is${native}`;
  return refuse('unknownAsset', message, pointer);
}

function tokenAt(chain: ChainConfig, address: string): readonly ScopeToken[] {
  return chain.tokens
    .filter((token) => token.address === address)
    .map((token) => ({ node: nodeIdOf(chain.chainId, token.symbol), chain, token }));
}

function readAmount(text: string | undefined, pointer: string): bigint | null | QuoteRefusal {
  if (text === undefined) return null;
  const amount = BigInt(text);
  if (amount > 0n && amount <= MAX_UINT256) return amount;
  return refuse('invalidAmount', 'amount must be 1 … 2^256 − 1 base units', pointer);
}

/** Exactly one side is free: the output of exact-input, the single input of exact-output. */
function amountsFault(
  { swapType }: SwapRequest,
  inputs: readonly SwapInput[],
  outputAmount: bigint | null,
): QuoteRefusal | null {
  if (swapType === 'exact-input') {
    const free = inputs.find(({ amount }) => amount === null);
    if (free === undefined) return null;
    const message = 'an exact-input swap needs the amount of every input';
    return refuse('invalidAmount', message, `${free.pointer}/amount`);
  }
  const [first, second] = inputs;
  if (second !== undefined) {
    const message =
      'an exact-output swap has one input, whose amount is found; give one, or swap exact-input';
    return refuse('unsupportedIntent', message, '/intent/inputs');
  }
  if (outputAmount === null) {
    const message = 'an exact-output swap needs the amount of its output';
    return refuse('invalidAmount', message, `${OUTPUT}/amount`);
  }
  if (first !== undefined && first.amount !== null) {
    const message = 'the input of an exact-output swap is found; leave its amount out';
    return refuse('invalidAmount', message, `${first.pointer}/amount`);
  }
  return null;
}
