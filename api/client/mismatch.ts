// What every check of a quote refuses with, and the small readings they share: addresses, accounts, and
// equality that says where it ends.

import type { Hex } from 'viem';
import { TrimtabError } from './errors.ts';
import type { Network } from './types.ts';

/** Throws TrimtabError `mismatch`: what stands at `pointer` of the quote is not what was asked for. */
export function mismatch(pointer: string, message: string): never {
  throw new TrimtabError('mismatch', `${message}; nothing was signed`, {
    pointer,
    remedy: 'Do not sign this. Ask again; if it happens again, do not trust this service.',
  });
}

/** Equal as JSON, or `mismatch` at the first difference. */
export function same(theirs: unknown, ours: unknown, pointer: string): void {
  if (typeof ours === 'object' && ours !== null && typeof theirs === 'object' && theirs !== null) {
    const [left, right] = [theirs, ours] as Record<string, unknown>[];
    for (const key of new Set([...Object.keys(right ?? {}), ...Object.keys(left ?? {})])) {
      same(left?.[key], right?.[key], `${pointer}/${key.slice(0, 64)}`);
    }
    return;
  }
  if (theirs === ours) return;
  const say = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 120);
  mismatch(pointer, `the service’s order has ${say(theirs)}, what was asked for ${say(ours)}`);
}

/** In lower case. */
export function address(text: string, pointer: string): Hex {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) mismatch(pointer, `${text.slice(0, 80)} is no address`);
  return text.toLowerCase() as Hex;
}

/** A plain address, or the last 20 bytes of an ERC-7930 one. */
export function accountOf(text: string, at: string): Hex {
  if (!/^0x([0-9a-fA-F]{2}){20,}$/.test(text)) return mismatch(at, `${text} is no account`);
  return address(`0x${text.slice(-40)}`, at);
}

export const bytes32 = (account: Hex): Hex => `0x${account.slice(2).padStart(64, '0')}`;

/** One chain's contracts by their names. Throws `mismatch` for what the network does not list. */
export function contractOf(network: Network, chainId: number, name: string, at: string): Hex {
  const chain = network.chains.find((one) => one.chainId === chainId);
  if (chain === undefined) return mismatch(at, `the network has no chain ${chainId}`);
  const found = chain.contracts[name];
  if (found === undefined) return mismatch(at, `chain ${chainId} lists no ${name}`);
  return address(found, at);
}
