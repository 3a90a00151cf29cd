// What the commands that talk to a service share: where it is, whose network it is held to, which key and
// nodes to use, and amounts as people read them.

import { createWalletClient, formatUnits, http, publicActions } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { parseJsonText } from '../../../solver/market/jsonText.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { type Api, type Network, trimtab } from '../../client/index.ts';
import { readParsed } from './files.ts';
import { rpcOf } from './proposal.ts';
import { hasKey, walletOf } from './wallet.ts';

const DEFAULT_API = 'http://127.0.0.1:8787';

export interface ServiceOptions {
  readonly json?: true;
  readonly api: string;
  readonly network?: string;
}
export interface WalletOptions extends ServiceOptions {
  readonly keyFile?: string;
  readonly rpc: readonly string[];
}

/** Just enough of commander's Command, so that what is added here is added everywhere alike. */
interface Optioned {
  option(flags: string, about: string): this;
  option<T>(flags: string, about: string, parse: (value: string, before: T) => T, start: T): this;
}

export const withService = <C extends Optioned>(command: C): C =>
  command
    .option('--json', 'JSON on stdout; progress and remarks stay on stderr')
    .option(
      '--api <url>',
      'the service; or TRIMTAB_API',
      (url: string) => url,
      process.env.TRIMTAB_API ?? DEFAULT_API,
    );

const PIN_HELP =
  'JSON of `trimtab chains --json`, kept from before: contracts, auctioneer and tokens are held to it';

export const withWallet = <C extends Optioned>(command: C): C =>
  withService(command)
    .option('--network <file>', PIN_HELP)
    .option<readonly string[]>(
      '--rpc <chainId=url>',
      'a node of your own, instead of the one the service names; repeatable',
      (value, before) => [...before, value],
      [],
    );

/** Throws InvalidInput for a pinned network that is none. */
export function apiOf({ api, network }: ServiceOptions): Api {
  return trimtab({ url: api, ...(network === undefined ? {} : { network: pinned(network) }) });
}

function pinned(path: string): Network {
  const value = readParsed(path, parseJsonText) as unknown as Network | null;
  if (Array.isArray(value?.chains) && Array.isArray(value?.assets)) return value;
  throw new InvalidInput('holds no network: give what `trimtab chains --json` printed', {
    pointer: path,
  });
}

/** A wallet per chain: the --rpc of that chain, else the node that the service names. */
export function clientsOf(account: PrivateKeyAccount, network: Network, rpc: readonly string[]) {
  const urls = new Map(rpc.map(rpcOf));
  return (chainId: number) => {
    const chain = network.chains.find((one) => one.chainId === chainId);
    const url = urls.get(chainId) ?? chain?.publicRpcUrl;
    if (url !== undefined) {
      return createWalletClient({ account, transport: http(url) }).extend(publicActions);
    }
    const message = `a node of chain ${chainId} is needed: --rpc ${chainId}=https://…`;
    throw new InvalidInput(message, { pointer: '--rpc' });
  };
}

/** --owner, else the key's. */
export function ownerOf(options: { readonly owner?: string; readonly keyFile?: string }): string {
  if (options.owner !== undefined) return options.owner;
  if (hasKey(options.keyFile)) return walletOf(options.keyFile).address;
  throw new InvalidInput('whose portfolio? give --owner, --key-file or TRIMTAB_PRIVATE_KEY');
}

export function print(json: true | undefined, value: unknown, text: () => readonly string[]): void {
  const lines = json ? [JSON.stringify(value)] : text();
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

export const chainName = (network: Network, id: number): string =>
  network.chains.find(({ chainId }) => chainId === id)?.name ?? `chain ${id}`;

interface Flow {
  readonly chainId: number;
  readonly asset: string;
}
/** `17.5 WETH on beta`; base units where the token is not listed. */
export function flowText(network: Network, { chainId, asset }: Flow, amount: string): string {
  const address = `0x${asset.slice(-40)}`;
  for (const { tokens } of network.assets) {
    const token = tokens.find((one) => one.chainId === chainId && one.address === address);
    if (token === undefined) continue;
    const whole = formatUnits(BigInt(amount), token.decimals);
    return `${whole} ${token.symbol} on ${chainName(network, chainId)}`;
  }
  return `${amount} base units of ${address} on ${chainName(network, chainId)}`;
}

export const timeText = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
export const dollars = (text: string): string => `$${Number(text).toFixed(2)}`;
export const percent = (bps: number): string => `${(bps / 100).toFixed(2)} %`;

/** Columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Aborted by Ctrl-C: what is under way on the service's side goes on. */
export function interruptible(): AbortSignal {
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort(new Error('interrupted')));
  return stopping.signal;
}
