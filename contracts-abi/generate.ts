// Writes contracts-abi/abi/<contract>.ts from the compiled contracts: `npx tsx contracts-abi/generate.ts`.
// The files are committed so that the service needs no compiler; test/contracts regenerates them and
// compares.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Artifact, CONTRACTS, compileContracts } from './compile.ts';

const OUT = join(dirname(fileURLToPath(import.meta.url)), 'abi');

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** The text of one generated file. `internalType` is dropped: viem does not read it. */
export function abiModule({ name, abi }: Artifact): string {
  const json = JSON.stringify(
    abi,
    (key, value: unknown) => (key === 'internalType' ? undefined : value),
    2,
  );
  return [
    `// Generated from solidity/src/${name}.sol by contracts-abi/generate.ts; do not edit.`,
    '',
    `export const ${lowerFirst(name)}Abi = ${json} as const;`,
    '',
  ].join('\n');
}

export const abiFile = (name: string): string => join(OUT, `${lowerFirst(name)}.ts`);

async function main(): Promise<void> {
  const artifacts = await compileContracts();
  mkdirSync(OUT, { recursive: true });
  for (const name of CONTRACTS) writeFileSync(abiFile(name), abiModule(artifacts[name]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
