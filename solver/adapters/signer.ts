// One account's key behind the Signer port. The key enters here as hex and never leaves: not in an
// error, not in a log, not as a property. Loading it from a file or the environment is the caller's.

import { keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { assert, Defect } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import { type EvmAddress, evmAddress, type Hex, hash32 } from '../types/ids.ts';
import type { Signer } from '../types/ports.ts';

/** An account whose key this process does not hold: it may be named and watched, never used. */
export function createWatchOnlySigner(address: EvmAddress): Signer {
  const refuse = async () => {
    throw new Defect(`this process holds no key of ${address}: its role must not sign`);
  };
  return { address, signDigest: refuse, signTransaction: refuse };
}

/**
 * A signer for a 32-byte private key in hex.
 * @throws InvalidInput when the key is malformed or not in 1 … n − 1; the message never quotes it.
 */
export function createSigner(privateKey: string): Signer {
  if (!/^0x[0-9a-fA-F]{64}$/.test(privateKey)) {
    throw new InvalidInput('private key must be 0x followed by 64 hex digits');
  }
  const account = accountOf(privateKey as Hex);
  return {
    address: evmAddress(account.address),
    signDigest: (digest) => account.sign({ hash: digest }),
    async signTransaction({ chainId, nonce, to, data, value, gas, fees }) {
      assert(nonce >= 0n && nonce <= BigInt(Number.MAX_SAFE_INTEGER), `nonce ${nonce}`);
      const raw = await account.signTransaction({
        type: 'eip1559',
        chainId,
        nonce: Number(nonce),
        to,
        data,
        value,
        gas,
        maxFeePerGas: fees.maxFeePerGas,
        maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
      });
      return { raw, hash: hash32(keccak256(raw)) };
    },
  };
}

function accountOf(privateKey: Hex) {
  try {
    return privateKeyToAccount(privateKey);
  } catch {
    // The library's message may contain the key, so it is not kept as a cause.
    throw new InvalidInput('private key is not a valid secp256k1 scalar');
  }
}
