// Builds what the service runs on: the WASM core and the contracts' artifacts. Each build keeps a
// hash of its inputs and does nothing when they have not changed. A packed copy (npm pack) comes
// with the core built and without compilers.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { compileContracts } from '../../contracts-abi/compile.ts';
import { Fault } from '../../solver/types/errors.ts';
import { buildClient, canBuild } from './buildClient.ts';
import { projectRoot } from './home.ts';
import { runNode } from './runNode.ts';

/** Path of the core after buildAll. */
export const wasmPath = resolve(projectRoot, '.build/trimtab.wasm');

/** The WASM core alone: what `trimtab solve` needs. */
export async function buildCore(onProgress: (line: string) => void): Promise<void> {
  if (!canBuild() && existsSync(wasmPath)) return;
  const output = await runNode(['assembly/build.mjs'], 'the WASM core');
  onProgress(`the WASM core: ${output.trim().split('\n').at(-1) || 'built'}`);
}

export async function buildAll(onProgress: (line: string) => void): Promise<void> {
  if (!canBuild()) {
    const message =
      'this copy of trimtab has no compilers: the local chains start from a checkout, after `npm ci`';
    throw new Fault(message, { retryable: false, code: 'packedCopy' });
  }
  onProgress('building the WASM core (asc) and the contracts (solc) where their sources changed');
  const core = buildCore(onProgress);
  const started = performance.now();
  // solc blocks this thread; the core is built by a child meanwhile.
  await compileContracts();
  onProgress(`the contracts: ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await Promise.all([core, buildClient({ types: false }, onProgress)]);
}

export function registerBuild(program: Command): void {
  program
    .command('build')
    .description('build the WASM core and the contracts, if their sources changed, and the SDK')
    .option('--client', 'the SDK alone, with its declarations: dist/')
    .option('--pack', 'what npm pack takes along: the core, and the SDK with its declarations')
    .action(async ({ client, pack }: { readonly client?: true; readonly pack?: true }) => {
      const say = (line: string) => console.error(line);
      if (pack) await buildCore(say);
      else if (!client) await buildAll(say);
      if (pack || client) await buildClient({ types: true }, say);
    });
}
