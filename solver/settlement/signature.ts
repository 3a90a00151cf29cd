// Who signed a digest: ecrecover in TypeScript, as PROTOCOL.md and the contracts' Signatures library
// have it (65 bytes, low s, v 27 or 28). Refuses every other form, so that one authorisation has one
// encoding.

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { type EvmAddress, evmAddress, type Hex } from '../types/ids.ts';

/** Half the group's order: a higher s is the same signature's other, refused, form. */
const HALF_ORDER = secp256k1.Point.CURVE().n >> 1n;

/** Null unless it is a well-formed signature that recovers to some address. */
export function recoverSigner(digest: Hex, signature: Hex): EvmAddress | null {
  if (!isWellFormed(signature)) return null;
  const bytes = hexToBytes(signature.slice(2));
  const recovery = (bytes[64] ?? 0) - 27;
  try {
    const point = secp256k1.Signature.fromBytes(bytes.slice(0, 64), 'compact')
      .addRecoveryBit(recovery)
      .recoverPublicKey(hexToBytes(digest.slice(2)));
    const hash = keccak_256(point.toBytes(false).slice(1));
    return evmAddress(`0x${bytesToHex(hash.slice(12))}`);
  } catch {
    // r is no point's coordinate, or r or s is out of range: nobody signed this.
    return null;
  }
}

/** 65 bytes, v 27 or 28, s in the lower half. */
export function isWellFormed(signature: Hex): boolean {
  if (!/^0x[0-9a-fA-F]{128}(1b|1c|1B|1C)$/.test(signature)) return false;
  return BigInt(`0x${signature.slice(66, 130)}`) <= HALF_ORDER;
}
