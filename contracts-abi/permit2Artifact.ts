// Uniswap's Permit2 compiled from the sources npm carries, at the settings it was published with, so
// that its creation code is byte for byte the one of the canonical deployment: through the
// deterministic deployer it lands at PERMIT2_ADDRESS and nowhere else. A build tool for lab and tests,
// cached in .build/permit2; the service needs only the address of its network's Permit2.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Address, getCreate2Address, type Hex } from 'viem';

/** Where Permit2 is on every public chain that has it. */
export const PERMIT2_ADDRESS: Address = '0x000000000022d473030f116ddee9f6b43ac78ba3';
export const PERMIT2_SALT: Hex =
  '0x0000000000000000000000000000000000000000d3af2663da51c10215000000';
const CREATE2_DEPLOYER: Address = '0x4e59b44847b379578588920ca78fbf26c0b4956c';

/** Of permit2's foundry.toml; london was solc 0.8.17's newest EVM. */
const SETTINGS = {
  remappings: ['solmate/=lib/solmate/'],
  evmVersion: 'london',
  viaIR: true,
  optimizer: { enabled: true, runs: 1_000_000 },
  metadata: { bytecodeHash: 'none' },
  outputSelection: { 'src/Permit2.sol': { Permit2: ['evm.bytecode.object'] } },
} as const;
const SOLMATE = ['src/tokens/ERC20.sol', 'src/utils/SafeTransferLib.sol'];

const CACHE = join(dirname(dirname(fileURLToPath(import.meta.url))), '.build', 'permit2');
const require = createRequire(import.meta.url);

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<string, { readonly Permit2?: { readonly evm: { bytecode: { object: string } } } }>
  >;
}

/** Creation code; compiled once (about 6 s of one core). Throws if it is not the canonical one. */
export function permit2Code(): Hex {
  const file = permit2File();
  const cached = read(file);
  if (cached !== null) return cached;
  const bytecode = compile();
  mkdirSync(CACHE, { recursive: true });
  // Written beside and renamed: another process never reads half a file.
  writeFileSync(`${file}.${process.pid}`, JSON.stringify({ bytecode: { object: bytecode } }));
  renameSync(`${file}.${process.pid}`, file);
  for (const stale of readdirSync(CACHE)) {
    if (join(CACHE, stale) !== file) rmSync(join(CACHE, stale), { force: true });
  }
  return bytecode;
}

/** Where permit2Code leaves it: `{ bytecode: { object } }`, as forge reads artifacts. */
export const permit2File = (): string => join(CACHE, `${permit2Hash()}.json`);

/** Of everything the code depends on. */
export function permit2Hash(): string {
  const { version } = require('solc-0.8.17/package.json') as { version: string };
  const text = JSON.stringify([version, SETTINGS, sources()]);
  return createHash('sha256').update(text).digest('hex');
}

function compile(): Hex {
  const solc = require('solc-0.8.17') as { compile(input: string): string };
  const input = { language: 'Solidity', sources: sources(), settings: SETTINGS };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  const object = output.contracts?.['src/Permit2.sol']?.Permit2?.evm.bytecode.object;
  if (errors.length > 0 || object === undefined) {
    throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  }
  const bytecode: Hex = `0x${object}`;
  const at = getCreate2Address({ from: CREATE2_DEPLOYER, salt: PERMIT2_SALT, bytecode });
  if (at.toLowerCase() !== PERMIT2_ADDRESS) {
    throw new Error(`Permit2 compiled here would be at ${at}, not at ${PERMIT2_ADDRESS}`);
  }
  return bytecode;
}

/** Path as Permit2's own build names it → text. */
function sources(): Record<string, { content: string }> {
  const manifest = require.resolve('@uniswap/v4-periphery/package.json');
  const root = join(dirname(manifest), 'lib', 'permit2');
  const own = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sol'))
    .map((file) => `src/${file.split(sep).join('/')}`);
  const solmate = SOLMATE.map((file) => `lib/solmate/${file}`);
  return Object.fromEntries(
    [...own.sort(), ...solmate].map((path) => [
      path,
      { content: readFileSync(join(root, path), 'utf8') },
    ]),
  );
}

function read(file: string): Hex | null {
  try {
    const { bytecode } = JSON.parse(readFileSync(file, 'utf8')) as { bytecode: { object: Hex } };
    return bytecode.object;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
