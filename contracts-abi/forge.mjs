// Runs the forge suite offline: `node contracts-abi/forge.mjs [--profile ci] [forge test options]`.
// Prints forge's report and `N passed, N failed`; says so and succeeds where forge is not installed
// (it is an optional dependency, published for Linux x64). Gas snapshots are compared with the
// committed ones; `--update-gas` writes them.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tsImport } from 'tsx/esm/api';

const here = dirname(fileURLToPath(import.meta.url));

function forgeBinary() {
  try {
    const manifest = createRequire(import.meta.url).resolve(
      '@foundry-rs/forge-linux-amd64/package.json',
    );
    const binary = join(dirname(manifest), 'bin', 'forge');
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

function parse(args) {
  const at = args.indexOf('--profile');
  const profile = at < 0 ? 'default' : args[at + 1];
  const rest = args.filter((arg, i) => {
    return arg !== '--update-gas' && (at < 0 || (i !== at && i !== at + 1));
  });
  return { profile, updateGas: args.includes('--update-gas'), rest };
}

async function main() {
  const forge = forgeBinary();
  if (forge === null) {
    console.log('forge: skipped, @foundry-rs/forge-linux-amd64 is not installed here');
    return 0;
  }
  const { profile, updateGas, rest } = parse(process.argv.slice(2));
  const { artifactsFolder, compileContracts } = await tsImport('./compile.ts', import.meta.url);
  await compileContracts();
  const { permit2Code, permit2File } = await tsImport('./permit2Artifact.ts', import.meta.url);
  permit2Code();
  const child = spawn(forge, ['test', ...rest], {
    cwd: join(here, 'solidity'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      FOUNDRY_PROFILE: profile,
      FORGE_SNAPSHOT_CHECK: updateGas ? 'false' : 'true',
      TRIMTAB_ARTIFACTS: artifactsFolder(),
      TRIMTAB_PERMIT2: permit2File(),
    },
  });
  let tail = '';
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    tail = (tail + chunk).slice(-4096);
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const counts = /(\d+) tests? passed, (\d+) failed/.exec(tail);
  console.log(counts ? `${counts[1]} passed, ${counts[2]} failed` : 'forge ran no tests');
  return counts ? (code ?? 1) : 1;
}

process.exitCode = await main();
