// ERC-7930 interoperable addresses, version 1: an account together with its chain. Writes only; what
// callers send is parsed at the HTTP boundary.

import type { Hex } from './ids.ts';

/** 0x0001 ‖ chain type 0 (EIP-155) ‖ reference length ‖ chain id ‖ 20 ‖ address; lower case. */
export function interoperable(chainId: number, address: string): Hex {
  const digits = chainId.toString(16);
  const reference = digits.length % 2 === 0 ? digits : `0${digits}`;
  const length = (reference.length / 2).toString(16).padStart(2, '0');
  return `0x00010000${length}${reference}14${address.slice(2).toLowerCase()}`;
}
