// A solver's file as the commands use it: its exports, checked. Loading runs the file's own top level,
// as any import does; nothing else of it runs here.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Hex } from 'viem';
import { InvalidInput } from '../../../solver/types/errors.ts';
import type { SolverOptions } from '../../client/solver/index.ts';

export type SolverModule = Pick<SolverOptions, 'bid' | 'buy'>;

/** Throws InvalidInput: no such file, one that does not load, or one without `bid`. */
export async function loadSolver(path: string): Promise<SolverModule> {
  const file = resolve(path);
  if (!existsSync(file)) throw new InvalidInput('there is no such file', { pointer: path });
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidInput(`does not load: ${why}`, { pointer: path });
  }
  const own = { ...(exports.default as object | undefined), ...exports };
  const { bid, buy } = own as Readonly<Record<string, unknown>>;
  if (typeof bid !== 'function') {
    throw new InvalidInput('exports no function bid(auction, tools)', { pointer: path });
  }
  if (buy !== undefined && typeof buy !== 'function') {
    throw new InvalidInput('exports buy, which is no function', { pointer: path });
  }
  return { bid, ...(buy === undefined ? {} : { buy }) } as SolverModule;
}

/** The key in a file of its own, never on the command line, where every process could read it. */
export function readKey(path: string): Hex {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch {
    const hint = 'cannot be read; give --key-file a file that holds the filler’s private key';
    throw new InvalidInput(hint, { pointer: path });
  }
  const key = text.startsWith('0x') ? text : `0x${text}`;
  if (!/^0x[0-9a-fA-F]{64}$/.test(key)) {
    throw new InvalidInput('holds no private key of 32 bytes of hex', { pointer: path });
  }
  return key as Hex;
}

/** `31338=http://…` → its chain and URL. Throws InvalidInput. */
export function readRpcUrls(given: readonly string[]): Readonly<Record<number, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, id, url] = /^(\d{1,15})=(https?:\/\/\S+)$/.exec(text) ?? [];
      if (id === undefined || url === undefined) {
        throw new InvalidInput(`takes <chain id>=<http address>, got ${text}`, {
          pointer: '--rpc',
        });
      }
      return [Number(id), url];
    }),
  );
}
