// Compiles contracts-abi/solidity/src with npm's solc and caches the result in .build/contracts
// under a hash of sources, settings and compiler, so that a second start compiles nothing. It is a
// build tool: the service itself needs only contracts-abi/abi, and the lab the bytecode.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
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
  viaIR: false,
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

/** Every contract's artifact: from the cache, else compiled now (some seconds of one core). */
export async function compileContracts(): Promise<Artifacts> {
  const file = join(CACHE, `${sourcesHash()}.json`);
  const cached = readIfPresent(file);
  if (cached !== null) return JSON.parse(cached) as Artifacts;
  const artifacts = compileNow();
  mkdirSync(CACHE, { recursive: true });
  for (const stale of readdirSync(CACHE)) rmSync(join(CACHE, stale), { force: true });
  // Written beside and renamed, so that a second process never reads half a file.
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(artifacts));
  renameSync(partial, file);
  return artifacts;
}

/** One contract's artifact. */
export async function loadArtifact(name: ContractName): Promise<Artifact> {
  return (await compileContracts())[name];
}

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
  return {
    PortfolioSettler: artifact('PortfolioSettler'),
    OutputSettler: artifact('OutputSettler'),
    LayerZeroOracle: artifact('LayerZeroOracle'),
    RouteExecutor: artifact('RouteExecutor'),
  };
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

function readIfPresent(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
