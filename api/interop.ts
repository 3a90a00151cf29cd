// Accounts as callers write them: ERC-7930 version 1 interoperable addresses, the widespread form of
// it that omits the address length, or a plain 20-byte address. The old draft layout is refused by
// name, because it would parse as something else.

import { type EvmAddress, evmAddress } from '../solver/index.ts';
import { ApiError } from './errors.ts';

const EVM_BYTES = 20;

/** Throws ApiError invalidAddress with `pointer`. The chain reference is checked, not returned. */
export const parseAccount = (text: string, pointer: string): EvmAddress =>
  parseInterop(text, pointer).address;

export interface Interop {
  readonly address: EvmAddress;
  /** null: a plain address, or an ERC-7930 one that names no chain. */
  readonly chain: number | null;
}

/** Throws ApiError invalidAddress with `pointer`. */
export function parseInterop(text: string, pointer: string): Interop {
  const refuse = (message: string): never => {
    throw new ApiError('invalidAddress', message, { pointer });
  };
  if (!/^0x([0-9a-fA-F]{2})+$/.test(text) || text.length > 200) {
    return refuse('not hex bytes with 0x in front');
  }
  const hex = text.slice(2).toLowerCase();
  if (hex.length === 2 * EVM_BYTES) return { address: evmAddress(text), chain: null };
  if (hex.startsWith('01')) {
    return refuse('this is the old ERC-7930 draft layout (0x01…); use version 1 (0x0001…)');
  }
  if (!hex.startsWith('0001')) return refuse('neither a 20-byte address nor ERC-7930 version 1');
  if (hex.slice(4, 8) !== '0000') return refuse('the chain type must be 0x0000 (EIP-155)');
  const refLength = Number.parseInt(hex.slice(8, 10), 16);
  const rest = hex.slice(10 + 2 * refLength);
  if (!(refLength <= 32) || hex.length < 10 + 2 * refLength) return refuse('truncated ERC-7930');
  const reference = hex.slice(10, 10 + 2 * refLength);
  const chain = reference === '' ? null : Number(BigInt(`0x${reference}`));
  if (chain !== null && !(Number.isSafeInteger(chain) && chain > 0)) {
    return refuse('the chain reference must be a chain id of 1 … 2^53 − 1');
  }
  if (rest.length === 2 * EVM_BYTES) return { address: evmAddress(`0x${rest}`), chain };
  if (rest.length === 2 + 2 * EVM_BYTES && rest.startsWith('14')) {
    return { address: evmAddress(`0x${rest.slice(2)}`), chain };
  }
  return refuse('the address part must be 20 bytes');
}
