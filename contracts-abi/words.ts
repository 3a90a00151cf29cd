// ABI words as 64 hex characters, and keccak256 of hex: what the hashes and calls are written of that
// every order needs. Throws on a value its type cannot hold. The digest is TypeScript's until a host
// gives a faster one (adapters/keccak.ts has WebAssembly, a tenth of the time); it stays the same.

import { keccak256 } from 'viem';

/** keccak256 of whole bytes in hex; neither carries 0x. */
export type HexKeccak = (hex: string) => string;

const plain: HexKeccak = (hex) => keccak256(`0x${hex}`).slice(2);
let current: HexKeccak = plain;

/** From now on digests are taken with `faster`, which must agree with keccak256: it is tried. */
export function useHexKeccak(faster: HexKeccak): void {
  for (const trial of ['', '7f', 'ab'.repeat(300)]) {
    if (faster(trial) !== plain(trial)) throw new Error('this is not keccak256');
  }
  current = faster;
}

export const keccakHex: HexKeccak = (hex) => current(hex);

const ABOVE = { 32: 2n ** 32n, 256: 2n ** 256n } as const;

export function uintWord(value: bigint | number, bits: 32 | 256): string {
  if (value < 0 || value >= ABOVE[bits]) throw new Error(`${value} is no uint${bits}`);
  return (typeof value === 'bigint' ? value : BigInt(value)).toString(16).padStart(64, '0');
}

export function fixed(value: string, pattern: RegExp, type: string): string {
  if (!pattern.test(value)) throw new Error(`${value.slice(0, 80)} is no ${type}`);
  return value.slice(2);
}

export const addressWord = (value: string): string =>
  fixed(value, /^0x[0-9a-fA-F]{40}$/, 'address').padStart(64, '0');
export const bytes32Word = (value: string): string =>
  fixed(value, /^0x[0-9a-fA-F]{64}$/, 'bytes32');
