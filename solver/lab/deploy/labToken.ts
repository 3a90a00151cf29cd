// LabToken's creation code: compiled once with npm's solc, then read from .build/lab.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../types/errors.ts';
import type { Hex } from '../../types/ids.ts';
import { BUILD_DIR, readJson, writeJson } from '../files.ts';
import { packageVersion } from './artifacts.ts';

const SOURCE = fileURLToPath(new URL('../solidity/LabToken.sol', import.meta.url));
const SETTINGS = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { LabToken: ['evm.bytecode.object'] } },
} as const;

interface Solc {
  compile(input: string, callbacks: { import(path: string): { contents: string } }): string;
}
interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
}

export function labTokenCode(): Hex {
  const file = join(BUILD_DIR, 'lab', `LabToken.${labTokenHash().slice(0, 16)}.json`);
  const cached = readJson<{ code: Hex }>(file);
  if (cached !== null) return cached.code;
  const code = compile();
  writeJson(file, { code });
  return code;
}

/** Source, settings and compiler in one hash. */
export function labTokenHash(): string {
  const versions = ['solc', '@openzeppelin/contracts'].map(packageVersion);
  return createHash('sha256')
    .update(JSON.stringify([readFileSync(SOURCE, 'utf8'), SETTINGS, versions]))
    .digest('hex');
}

function compile(): Hex {
  const require = createRequire(import.meta.url);
  const solc = require('solc') as Solc;
  const input = JSON.stringify({
    language: 'Solidity',
    sources: { 'LabToken.sol': { content: readFileSync(SOURCE, 'utf8') } },
    settings: SETTINGS,
  });
  const output = JSON.parse(
    solc.compile(input, {
      import: (path) => ({ contents: readFileSync(require.resolve(path), 'utf8') }),
    }),
  ) as SolcOutput;
  const failure = output.errors?.find(({ severity }) => severity === 'error');
  if (failure !== undefined) throw new Fault(`LabToken: ${failure.formattedMessage}`);
  const object = output.contracts?.['LabToken.sol']?.LabToken?.evm.bytecode.object;
  if (object === undefined || object === '') throw new Fault('solc returned no code for LabToken');
  return `0x${object}`;
}
