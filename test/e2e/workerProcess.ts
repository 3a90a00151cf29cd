// Some of the service's workflows as a process of their own, so that a test can kill them. argv[2] is
// JSON: { networkFile, databaseUrl, wasmPath, keys, jobs, keeper?, quotePolicy? }.

import { readFile } from 'node:fs/promises';
import { openSolver } from '../../solver/solver.ts';

const { networkFile, wasmPath, ...options } = JSON.parse(process.argv[2] ?? '');
await openSolver({
  ...options,
  network: JSON.parse(await readFile(networkFile, 'utf8')),
  wasmBytes: await readFile(wasmPath),
});
process.stdout.write('ready\n');
