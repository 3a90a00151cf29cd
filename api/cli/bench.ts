// trimtab bench: the measurements behind the figures of docs/, the same as `npm run bench`. They are
// part of a checkout alone: a packed copy has neither test/ nor the rivals they compare with.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { Fault } from '../../solver/types/errors.ts';
import { canBuild } from './buildClient.ts';
import { projectRoot } from './home.ts';

/** By name; what each takes is said at the head of test/bench/run.ts. */
export const BENCHES = [
  'api',
  'backtest',
  'coupling',
  'forecasts',
  'gap',
  'hedging',
  'netting',
  'optimizer',
  'risk',
  'stress',
] as const;
const SCRIPT = 'test/bench/run.ts';
/** A bench that was killed ends as a shell says it: 128 and the signal's number. */
const KILLED = 128;

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('in a checkout: measure what the figures of docs/ say, on this machine')
    .argument('<name>', BENCHES.join(', '), known)
    .argument('[options...]', 'what the bench takes: see the head of test/bench/run.ts')
    .option('--json', 'print the figures as JSON')
    .allowUnknownOption()
    .action(async (name: string, given: readonly string[], { json }: { readonly json?: true }) => {
      process.exitCode = await bench(projectRoot, [name, ...given, ...(json ? ['--json'] : [])]);
    });
}

function known(name: string): string {
  if (BENCHES.some((one) => one === name)) return name;
  throw new InvalidArgumentError(`the benches are ${BENCHES.join(', ')}`);
}

/**
 * Runs a bench of the checkout at `root` with this process's streams and answers its exit code. Throws
 * Fault where the benches or what they need are absent.
 */
export function bench(root: string, args: readonly string[]): Promise<number> {
  if (!existsSync(resolve(root, SCRIPT))) {
    const message =
      'this copy of trimtab has no test/ folder, where the benches are: they run from a checkout of ' +
      'the repository, after `npm ci`';
    throw new Fault(message, { retryable: false, code: 'packedCopy' });
  }
  if (!canBuild()) {
    const message =
      'the development dependencies, which the benches compare with, are not installed: run `npm ci`';
    throw new Fault(message, { retryable: false });
  }
  return new Promise((done, fail) => {
    // With the collector at hand, as `npm run bench` has it: measurements start on a clean heap.
    const node = ['--expose-gc', '--import', 'tsx', SCRIPT];
    const child = spawn(process.execPath, [...node, ...args], { cwd: root, stdio: 'inherit' });
    const stop = (signal: NodeJS.Signals) => child.kill(signal);
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    child.on('error', fail);
    child.on('close', (code, signal) => {
      process.removeListener('SIGTERM', stop);
      process.removeListener('SIGINT', stop);
      done(code ?? KILLED + constants.signals[signal ?? 'SIGTERM']);
    });
  });
}
