// recoverSigner against @noble/curves, written by others in another language: signatures, and everything
// near one.

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { isWellFormed, recoverSigner } from '../../solver/settlement/signature.ts';
import type { Hex } from '../../solver/types/ids.ts';
import { random } from '../engine/generate.ts';

const N = secp256k1.Point.CURVE().n;
const P = secp256k1.Point.CURVE().p;
const word = (value: bigint) => value.toString(16).padStart(64, '0');

function byNoble(digest: Hex, signature: Hex): string | null {
  if (!/^0x[0-9a-fA-F]{128}(1b|1c|1B|1C)$/.test(signature)) return null;
  const bytes = hexToBytes(signature.slice(2));
  if (BigInt(`0x${bytesToHex(bytes.slice(32, 64))}`) > N >> 1n) return null;
  try {
    const point = secp256k1.Signature.fromBytes(bytes.slice(0, 64), 'compact')
      .addRecoveryBit((bytes[64] ?? 0) - 27)
      .recoverPublicKey(hexToBytes(digest.slice(2)));
    return `0x${bytesToHex(keccak_256(point.toBytes(false).slice(1)).slice(12))}`;
  } catch {
    return null;
  }
}

const rng = random(Number(process.env.TRIMTAB_SEED ?? 41));
const bytes32 = (): Hex =>
  `0x${Array.from({ length: 8 }, () => rng.integer(0, 0xffffffff).toString(16).padStart(8, '0')).join('')}`;

describe('recoverSigner', () => {
  it('default: the account that signed', async () => {
    for (let k = 0; k < 20; k++) {
      const account = privateKeyToAccount(`0x${word((BigInt(bytes32()) % (N - 1n)) + 1n)}`);
      const digest = bytes32();
      const signature = await account.sign({ hash: digest });
      expect(recoverSigner(digest, signature)).toBe(account.address.toLowerCase());
    }
  });

  it('property: answers as noble does, whatever the bytes (seed 41)', () => {
    const edges = [0n, 1n, 2n, N - 1n, N, N + 1n, P - N, P - 1n, P, N >> 1n, (N >> 1n) + 1n];
    const number = () =>
      rng.next() < 0.5 ? rng.pick(edges) : BigInt(bytes32()) >> BigInt(rng.integer(0, 3));
    const found = new Set<boolean>();
    for (let k = 0; k < 400; k++) {
      const digest = rng.next() < 0.1 ? (`0x${word(rng.pick(edges))}` as const) : bytes32();
      const v = rng.pick(['1b', '1c', '1b', '1C', '00', '1d']);
      const signature: Hex = `0x${word(number())}${word(number())}${v}`;
      const signer = recoverSigner(digest, signature);
      expect(signer, `${digest} ${signature}`).toBe(byNoble(digest, signature));
      found.add(signer !== null);
    }
    expect(found.size).toBe(2);
  });

  it('error: a high s, another v and other lengths are not well formed', () => {
    const low = `${word(1n)}${word(N >> 1n)}`;
    expect(isWellFormed(`0x${low}1b`)).toBe(true);
    expect(isWellFormed(`0x${word(1n)}${word((N >> 1n) + 1n)}1b`)).toBe(false);
    for (const end of ['00', '01', '1d', '', '1b00']) {
      expect(isWellFormed(`0x${low}${end}`)).toBe(false);
      expect(recoverSigner(bytes32(), `0x${low}${end}`)).toBeNull();
    }
  });
});
