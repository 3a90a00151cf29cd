// keccak256 of texts and bytes. In TypeScript until a host gives a faster one (adapters/keccak.ts has
// WebAssembly): the digest is the same, 100 kB take 0.3 ms instead of 4. Nothing else is decided here.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Hash32, hash32 } from '../types/ids.ts';

/** The digest of the parts one after the other, lower-case hex without 0x. */
export type Keccak = (parts: readonly Uint8Array[]) => string;

const plain: Keccak = (parts) => {
  const hash = keccak_256.create();
  for (const part of parts) hash.update(part);
  return bytesToHex(hash.digest());
};
let current: Keccak = plain;

/** From now on digests are taken with `faster`, which must agree with keccak256: it is tried once. */
export function useKeccak(faster: Keccak): void {
  const trial = [utf8('trim'), utf8('tab'), new Uint8Array(300).fill(7)];
  if (faster(trial) !== plain(trial)) throw new Error('this is not keccak256');
  current = faster;
}

const encoder = new TextEncoder();
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** keccak256 of the parts' UTF-8 bytes, 0x-prefixed lower-case hex. */
export function keccakOf(...parts: readonly (string | Uint8Array)[]): Hash32 {
  const bytes = parts.map((part) => (typeof part === 'string' ? utf8(part) : part));
  return hash32(`0x${current(bytes)}`);
}
