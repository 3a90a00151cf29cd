// keccak256 as a branded hash. Refuses nothing.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Hash32 } from '../types/ids.ts';

export const keccakHex = (bytes: Uint8Array): Hash32 =>
  `0x${bytesToHex(keccak_256(bytes))}` as Hash32;
