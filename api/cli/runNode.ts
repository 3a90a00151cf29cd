// Runs a script of ours, or of a compiler, as a child of this Node: its output is shown only if it fails.

import { spawn } from 'node:child_process';
import { Fault } from '../../solver/types/errors.ts';
import { projectRoot } from './home.ts';

/** Of what a child says the end is kept. */
const OUTPUT_MAX = 4_000;

/** In the checkout, whatever folder we were called from. Answers its output; throws Fault if it fails. */
export function runNode(args: readonly string[], what: string): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_MAX);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0) done(output);
      else fail(new Fault(`building ${what} failed:\n${output}`, { retryable: false }));
    });
  });
}
