// Who signed a digest: ecrecover, as PROTOCOL.md and the contracts' Signatures library have it (65 bytes,
// low s, v 27 or 28). Refuses every other form, so that one authorisation has one encoding. The curve's
// arithmetic is libsecp256k1 in WebAssembly, a fifth of the time of TypeScript's; a test holds the two
// together.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { recover } from 'tiny-secp256k1';
import { keccakHex } from '../../contracts-abi/words.ts';
import { type EvmAddress, evmAddress, type Hex } from '../types/ids.ts';

/** Half of secp256k1's order (SEC 2): a higher s is the same signature's other, refused, form. */
const HALF_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n >> 1n;

/** Null unless it is a well-formed signature that recovers to some address. */
export function recoverSigner(digest: Hex, signature: Hex): EvmAddress | null {
  if (!isWellFormed(signature)) return null;
  const bytes = hexToBytes(signature.slice(2));
  const recovery = bytes[64] === 28 ? 1 : 0;
  let key: Uint8Array | null;
  try {
    key = recover(hexToBytes(digest.slice(2)), bytes.subarray(0, 64), recovery, false);
  } catch {
    // r or s is out of range: nobody signed this.
    return null;
  }
  // Null: r is no point's coordinate.
  return key === null ? null : evmAddress(`0x${keccakHex(bytesToHex(key.subarray(1))).slice(24)}`);
}

/** 65 bytes, v 27 or 28, s in the lower half. */
export function isWellFormed(signature: Hex): boolean {
  if (!/^0x[0-9a-fA-F]{128}(1b|1c|1B|1C)$/.test(signature)) return false;
  return BigInt(`0x${signature.slice(66, 130)}`) <= HALF_ORDER;
}
