// A filler as a process of its own, so that a test can kill it: runs the `serve` workflow and nothing
// else. argv[2] is JSON: { networkFile, databaseUrl, wasmPath, keys }.

import { readFile } from 'node:fs/promises';
import { openSolver } from '../../solver/solver.ts';

const { networkFile, databaseUrl, wasmPath, keys } = JSON.parse(process.argv[2] ?? '');
await openSolver({
  network: JSON.parse(await readFile(networkFile, 'utf8')),
  databaseUrl,
  wasmBytes: await readFile(wasmPath),
  keys,
  jobs: ['serve'],
});
process.stdout.write('ready\n');
