// The key a command signs with: from a file, or the environment. Never from the command line, where
// other users of the machine and the shell's history would see it.

import { readFileSync } from 'node:fs';
import { type Hex, isHex } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { InvalidInput } from '../../../solver/types/errors.ts';

export const KEY_OPTION = '--key-file <file>';
export const KEY_HELP = 'file with the owner’s private key, hex; else TRIMTAB_PRIVATE_KEY';

/** Throws InvalidInput when there is no key, or what is there is none. */
export function walletOf(keyFile: string | undefined): PrivateKeyAccount {
  const found = keyFile === undefined ? process.env.TRIMTAB_PRIVATE_KEY : readKey(keyFile);
  if (found === undefined) {
    throw new InvalidInput('a key is needed to sign; give --key-file, or set TRIMTAB_PRIVATE_KEY');
  }
  const text = found.trim();
  const key = (text.startsWith('0x') ? text : `0x${text}`) as Hex;
  const where = keyFile ?? 'TRIMTAB_PRIVATE_KEY';
  try {
    if (isHex(key) && key.length === 66) return privateKeyToAccount(key);
  } catch {
    // Out of the curve's range; what is wrong with a key is not printed.
  }
  throw new InvalidInput('holds no private key: 32 bytes of hex, not zero', { pointer: where });
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidInput(`cannot be read (${why})`, { pointer: path });
  }
}
