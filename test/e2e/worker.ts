// Starts and ends a worker process: some of the service's workflows, to be killed by a test.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { wasmPath } from '../../api/cli/build.ts';
import { projectRoot } from '../../api/cli/home.ts';
import type { World } from '../../api/cli/world.ts';
import type { SolverOptions } from '../../solver/solver.ts';

/** Resolves once it works. */
export async function startWorker(
  { lab, databaseUrl }: World,
  what: Pick<SolverOptions, 'jobs' | 'keeper' | 'quotePolicy'>,
): Promise<ChildProcess> {
  const { filler, auctioneer, guardian } = lab.accounts;
  const options = {
    ...what,
    networkFile: lab.networkFile,
    databaseUrl,
    wasmPath,
    keys: {
      filler: filler.privateKey,
      auctioneer: auctioneer.privateKey,
      guardian: guardian.privateKey,
    },
  };
  const script = join(projectRoot, 'test/e2e/workerProcess.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the worker ended with ${code} before it was ready`);
  });
  await Promise.race([ready, died]);
  died.catch(() => {});
  return child;
}

/** SIGKILL, and waits until it is gone. */
export async function killWorker(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
