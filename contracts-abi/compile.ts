// Compiles contracts-abi/solidity/src with npm's solc and caches the result in .build/contracts
// under a hash of sources, settings and compiler, so that a second start compiles nothing. It is a
// build tool: the service itself needs only contracts-abi/abi, and the lab the bytecode.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Abi, Hex } from 'viem';

export interface Artifact {
  readonly name: string;
  readonly abi: Abi;
  /** Creation code, without constructor arguments. */
  readonly bytecode: Hex;
  /** Runtime code; immutables are zero in it. */
  readonly deployedBytecode: Hex;
}

/** The contracts that are deployed; everything else is a library or an interface of theirs. */
export const CONTRACTS = [
  'PortfolioSettler',
  'OutputSettler',
  'LayerZeroOracle',
  'RouteExecutor',
] as const;
export type ContractName = (typeof CONTRACTS)[number];
export type Artifacts = Readonly<Record<ContractName, Artifact>>;

/**
 * Fixed for equal addresses: no metadata hash in the bytecode, so that it depends on nothing but
 * the sources, these settings and solc 0.8.28. foundry.toml repeats them; a test compares.
 */
export const SETTINGS = {
  evmVersion: 'cancun',
  viaIR: true,
  optimizer: { enabled: true, runs: 20_000 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: {
    '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] },
  },
} as const;

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const SOURCES = join(HERE, 'solidity', 'src');
const CACHE = join(ROOT, '.build', 'contracts');

interface Solc {
  version(): string;
  compile(input: string): string;
}
interface SolcOutput {
  readonly errors?: readonly { severity: string; formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly abi: Abi;
            readonly evm: {
              readonly bytecode: { readonly object: string };
              readonly deployedBytecode: { readonly object: string };
            };
          }
        >
      >
    >
  >;
}

/** The hash of everything the bytecode depends on: part of the lab's cache key. */
export function sourcesHash(): string {
  const { version } = createRequire(import.meta.url)('solc/package.json') as { version: string };
  return createHash('sha256')
    .update(JSON.stringify([version, SETTINGS, readSources()]))
    .digest('hex');
}

/** Every contract's artifact: from the cache, else compiled now (about 10 s of one core). */
export async function compileContracts(): Promise<Artifacts> {
  const folder = artifactsFolder();
  return readArtifacts(folder) ?? store(compileNow(), folder);
}

/** Where the artifacts of the present sources are, one <name>.json each, once compiled. */
export const artifactsFolder = (): string => join(CACHE, sourcesHash());

function compileNow(): Artifacts {
  const solc = createRequire(import.meta.url)('solc') as Solc;
  const sources = Object.fromEntries(
    Object.entries(readSources()).map(([path, content]) => [path, { content }]),
  );
  const input = JSON.stringify({ language: 'Solidity', sources, settings: SETTINGS });
  const output = JSON.parse(solc.compile(input)) as SolcOutput;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  }
  const artifact = (name: ContractName): Artifact => {
    const compiled = output.contracts?.[`src/${name}.sol`]?.[name];
    if (compiled === undefined) throw new Error(`solc returned no contract ${name}`);
    return {
      name,
      abi: compiled.abi,
      bytecode: `0x${compiled.evm.bytecode.object}`,
      deployedBytecode: `0x${compiled.evm.deployedBytecode.object}`,
    };
  };
  return byName(artifact);
}

/** Path (from solidity/, with forward slashes, as forge names them) → text, in path order. */
function readSources(): Record<string, string> {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sol'))
    .sort();
  return Object.fromEntries(
    files.map((file) => [
      `src/${relative('.', file).split(sep).join('/')}`,
      readFileSync(join(SOURCES, file), 'utf8'),
    ]),
  );
}

function readArtifacts(folder: string): Artifacts | null {
  const read = (name: ContractName): Artifact =>
    JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Artifact;
  try {
    return byName(read);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes beside and renames, so that another process never reads half a folder. */
function store(artifacts: Artifacts, folder: string): Artifacts {
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  for (const name of CONTRACTS) {
    writeFileSync(join(partial, `${name}.json`), JSON.stringify(artifacts[name]));
  }
  try {
    renameSync(partial, folder);
  } catch (error) {
    // Another process was faster; its artifacts are the same.
    rmSync(partial, { recursive: true, force: true });
    if (readArtifacts(folder) === null) throw error;
  }
  for (const stale of readdirSync(CACHE)) {
    if (stale !== basename(folder)) rmSync(join(CACHE, stale), { recursive: true, force: true });
  }
  return artifacts;
}

function byName(of: (name: ContractName) => Artifact): Artifacts {
  return {
    PortfolioSettler: of('PortfolioSettler'),
    OutputSettler: of('OutputSettler'),
    LayerZeroOracle: of('LayerZeroOracle'),
    RouteExecutor: of('RouteExecutor'),
  };
}
