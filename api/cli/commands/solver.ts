// trimtab solver: a third party's way into the market. `new` writes a starter, `run` runs a solver's
// file against a service, `check` replays recorded auctions against it, `fund` gives lab money.
//   0 done · 1 check: a bid was malformed or late, or bid() failed · 2 bad input · 3 a fault outside

import type { Command } from 'commander';
import type { Address } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { Fault, InvalidInput } from '../../../solver/types/errors.ts';
import { openTools, runSolver, type SolverEvent } from '../../client/solver/index.ts';
import { buildClient, canBuild } from '../buildClient.ts';
import { stateHome } from '../home.ts';
import { request } from '../http.ts';
import { type AuctionPage, type CheckedAuction, checkAuction } from '../solver/check.ts';
import { fundInLab } from '../solver/fund.ts';
import { loadSolver, readKey, readRpcUrls } from '../solver/module.ts';
import { writeStarter } from '../solver/starter.ts';

const DEFAULT_API = 'http://127.0.0.1:8787';
const AUCTIONS_MAX = 100;

interface ApiOptions {
  readonly api: string;
  readonly json?: true;
}
interface RunOptions extends ApiOptions {
  readonly keyFile: string;
  readonly journal?: string;
  readonly rpc: readonly string[];
}
interface CheckOptions extends RunOptions {
  readonly auctions: string;
}

export function registerSolver(program: Command): void {
  const solver = program.command('solver').description('bid in the market, as anybody may');
  const withApi = (command: Command) =>
    command
      .option('--api <url>', 'the service', process.env.TRIMTAB_API ?? DEFAULT_API)
      .option('--json', 'one JSON object per line on stdout');
  const withKey = (command: Command) =>
    withApi(command)
      .option('--key-file <file>', 'holds the filler’s private key', 'key')
      .option('--rpc <chain=url>', 'a node of your own; repeatable', collect, []);
  withApi(solver.command('new').description('write a solver that runs, about thirty lines'))
    .argument('<folder>', 'a new folder')
    .action(newSolver);
  withKey(solver.command('run').description('run a solver’s file until Ctrl-C'))
    .argument('<file>', 'exports bid(auction, tools), and buy(need, tools) if it likes')
    .option('--journal <file>', 'remembers bids and awards over restarts')
    .action(run);
  withKey(solver.command('check').description('replay recorded auctions against a solver'))
    .argument('<file>', 'exports bid(auction, tools)')
    .option('--auctions <number>', 'how many of the newest', '20')
    .action(check);
  solver
    .command('fund')
    .description('lab only: gas and tokens on every chain, from the faucet')
    .argument('<address>', 'the filler')
    .action(fund);
}

const collect = (value: string, before: readonly string[]) => [...before, value];

async function newSolver(folder: string, { api, json }: ApiOptions): Promise<void> {
  // `trimtab/solver` is imported as JavaScript: a checkout builds it, a packed copy has it.
  if (canBuild()) await buildClient({ types: false }, () => {});
  const starter = writeStarter(folder, api);
  if (json) return print(starter);
  const { address, files } = starter;
  process.stdout.write(
    `${starter.folder}: ${files.join(', ')}\n` +
      `it bids as ${address}; next:\n` +
      `  cd ${folder}\n  npx trimtab solver fund ${address}   (on a lab)\n  npm start\n`,
  );
}

async function run(file: string, options: RunOptions): Promise<void> {
  const solver = await loadSolver(file);
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stopping.abort());
  }
  await reaching(() =>
    runSolver({
      ...solver,
      url: options.api,
      privateKey: readKey(options.keyFile),
      rpcUrls: readRpcUrls(options.rpc),
      signal: stopping.signal,
      onEvent: options.json ? print : say,
      ...(options.journal === undefined ? {} : { journal: options.journal }),
    }),
  );
}

function say({ type, ...rest }: SolverEvent): void {
  const parts = Object.entries(rest).map(([name, value]) => `${name}=${short(value)}`);
  process.stdout.write(`${type.padEnd(16)} ${parts.join(' ')}\n`);
}

const short = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^0x[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 12)}…` : text;
};

async function check(file: string, options: CheckOptions): Promise<void> {
  const limit = Number(options.auctions);
  if (!/^\d{1,3}$/.test(options.auctions) || limit < 1 || limit > AUCTIONS_MAX) {
    throw new InvalidInput(`takes 1 to ${AUCTIONS_MAX}`, { pointer: '--auctions' });
  }
  const api = options.api.replace(/\/+$/, '');
  const solver = await loadSolver(file);
  const privateKey = readKey(options.keyFile);
  const rpcUrls = readRpcUrls(options.rpc);
  const list = await request(`${api}/v1/auctions?limit=${limit}`);
  const ids = (list.auctions as unknown as readonly { auctionId: string; state: string }[])
    .filter(({ state }) => state === 'closed')
    .map(({ auctionId }) => auctionId);
  const tools = await reaching(() => openTools({ url: api, privateKey, rpcUrls }));
  let failed = 0;
  let bids = 0;
  for (const id of ids) {
    const page = (await request(`${api}/v1/auctions/${id}`)) as unknown as AuctionPage;
    const checked = await checkAuction(page, solver, tools, privateKeyToAccount(privateKey));
    bids += checked.bids.length;
    if (checked.error !== null || checked.bids.some(({ fault }) => fault !== null)) failed += 1;
    if (options.json) print(checked);
    else process.stdout.write(`${lines(checked).join('\n')}\n`);
  }
  if (!options.json) {
    const verdict = failed === 0 ? 'none at fault' : `${failed} at fault`;
    process.stdout.write(`${ids.length} auctions, ${bids} bids, ${verdict}; at prices of now\n`);
  }
  if (failed > 0) process.exitCode = 1;
}

function lines({ auctionId, orders, recorded, error, tookMs, bids }: CheckedAuction): string[] {
  const head = `auction ${short(auctionId)} ${orders} orders, ${recorded} bids, ${tookMs} ms`;
  if (error !== null) return [head, `  bid() failed: ${error}`];
  if (bids.length === 0) return [head, '  no bid'];
  return [
    head,
    ...bids.map(({ orderIds, fault, rank, won, gapBps, reason }) => {
      const what = `  ${orderIds.map(short).join(', ')}`;
      if (fault !== null) return `${what}: not a bid: ${fault}`;
      if (won) return `${what}: rank ${rank}, would have won`;
      const gap = gapBps === null ? '' : `, ${gapBps} bps behind`;
      return `${what}: ${rank === null ? 'rejected' : `rank ${rank}`}${gap}: ${reason}`;
    }),
  ];
}

async function fund(address: string): Promise<void> {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) {
    throw new InvalidInput('is no address', { pointer: address.slice(0, 80) });
  }
  const say = (text: string) => process.stdout.write(`${text}\n`);
  await fundInLab(stateHome(), address as Address, say);
}

/** The kit's own errors, of a service or node that does not answer, as faults outside. */
async function reaching<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidInput || error instanceof Fault) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new Fault(message, { cause: error });
  }
}

const print = (value: object): void => {
  process.stdout.write(
    `${JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item))}\n`,
  );
};
