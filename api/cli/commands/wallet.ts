// The key a command signs with: from a file, or the environment. Never from the command line, where
// other users of the machine and the shell's history would see it; and never printed.

import { readFileSync } from 'node:fs';
import { type Hex, isHex } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { InvalidInput } from '../../../solver/types/errors.ts';

export const KEY_OPTION = '--key-file <file>';
export const KEY_HELP =
  'the owner’s private key, hex: in a file, or a member of a JSON file, such as ' +
  '.trimtab/lab/accounts.json#wallet; else in TRIMTAB_PRIVATE_KEY';

const HOW = 'give --key-file, or set TRIMTAB_PRIVATE_KEY';

/** Whether there is a key at all, good or bad. */
export const hasKey = (keyFile: string | undefined): boolean =>
  keyFile !== undefined || (process.env.TRIMTAB_PRIVATE_KEY ?? '') !== '';

/** Throws InvalidInput when there is no key, or what is there is none. */
export function walletOf(keyFile: string | undefined): PrivateKeyAccount {
  if (!hasKey(keyFile)) throw new InvalidInput(`a key is needed to sign; ${HOW}`);
  const text = keyFile === undefined ? (process.env.TRIMTAB_PRIVATE_KEY ?? '') : readKey(keyFile);
  return accountOf(text, keyFile ?? 'TRIMTAB_PRIVATE_KEY');
}

/** `where` the key came from, for the refusal; what is wrong with a key is not printed. */
export function accountOf(text: string, where: string): PrivateKeyAccount {
  const bare = text.trim();
  const key = (bare.startsWith('0x') ? bare : `0x${bare}`) as Hex;
  try {
    if (isHex(key) && key.length === 66) return privateKeyToAccount(key);
  } catch {
    // Out of the curve's range.
  }
  throw new InvalidInput('holds no private key: 32 bytes of hex, not zero', { pointer: where });
}

/** `file`, or `file.json#member`: the member is a key, or an object that has one as privateKey. */
function readKey(place: string): string {
  const [path = '', member] = /^(.+\.json)#(.+)$/.exec(place)?.slice(1) ?? [place];
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidInput(`cannot be read (${why})`, { pointer: path });
  }
  if (text.trimStart().startsWith('{')) return memberOf(text, path, member);
  if (member === undefined) return text;
  throw new InvalidInput('is no JSON object, so it has no members', { pointer: path });
}

function memberOf(text: string, path: string, member: string | undefined): string {
  const names = new Map<string, unknown>(Object.entries(parsed(text, path)));
  const listed = [...names.keys()].slice(0, 32).join(', ');
  if (member === undefined) {
    throw new InvalidInput(`holds several keys; say which: ${path}#<name>, of ${listed}`, {
      pointer: path,
    });
  }
  const found = names.get(member);
  if (found === undefined) {
    throw new InvalidInput(`has no ${JSON.stringify(member.slice(0, 80))}; it has ${listed}`, {
      pointer: path,
    });
  }
  const key = (found as { privateKey?: unknown } | null)?.privateKey ?? found;
  return typeof key === 'string' ? key : '';
}

function parsed(text: string, path: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    // JSON.parse would quote the text, and with it the key.
    throw new InvalidInput('is not JSON', { pointer: path });
  }
}
