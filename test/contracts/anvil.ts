// One throw-away anvil and the contracts the tests here need on it. Owns its child process; refuses
// to run where anvil is not installed (`anvilPath` is null, and the tests say they are skipped).

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Abi, createTestClient, type Hex, http, publicActions, walletActions } from 'viem';
import { anvil as anvilChain } from 'viem/chains';

const require = createRequire(import.meta.url);
export const CHAIN_ID = 31_350;
const READY_MS = 20_000;
const SOLIDITY = join(import.meta.dirname, '..', '..', 'contracts-abi', 'solidity');

function findAnvil(): string | null {
  try {
    const manifest = require.resolve('@foundry-rs/anvil-linux-amd64/package.json');
    const path = join(dirname(manifest), 'bin', 'anvil');
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}
export const anvilPath = findAnvil();

const chain = { ...anvilChain, id: CHAIN_ID };
function createClient(url: string) {
  return createTestClient({ mode: 'anvil', chain, transport: http(url), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions);
}
export type Client = ReturnType<typeof createClient>;

/** Starts anvil on a free port; `stop` ends it and waits for its exit. */
export async function startAnvil(path: string): Promise<{ client: Client; stop(): Promise<void> }> {
  const child = spawn(path, ['--port', '0', '--chain-id', String(CHAIN_ID)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const port = await listening(child);
  return {
    client: createClient(`http://127.0.0.1:${port}`),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('anvil did not listen in time'));
    }, READY_MS);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
    child.once('error', reject);
  });
}

export interface Compiled {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

/** Compiles test contracts of solidity/test/helpers, unoptimised: `file:Name` each. */
export function compileHelpers(names: readonly `${string}:${string}`[]): Map<string, Compiled> {
  const sources: Record<string, { content: string }> = {};
  for (const file of readdirSync(join(SOLIDITY, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.sol')) sources[`src/${file}`] = read(`src/${file}`);
  }
  for (const name of names) {
    const file = `test/helpers/${name.split(':')[0]}.sol`;
    sources[file] = read(file);
  }
  const settings = { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } };
  const input = JSON.stringify({ language: 'Solidity', sources, settings });
  const output = JSON.parse((require('solc') as { compile(text: string): string }).compile(input));
  return new Map(
    names.map((name) => {
      const [file, contract] = name.split(':');
      const found = output.contracts[`test/helpers/${file}.sol`]?.[contract ?? ''];
      if (found === undefined) throw new Error(JSON.stringify(output.errors));
      return [name, { abi: found.abi as Abi, bytecode: `0x${found.evm.bytecode.object}` as Hex }];
    }),
  );
}

const read = (file: string) => ({ content: readFileSync(join(SOLIDITY, file), 'utf8') });
