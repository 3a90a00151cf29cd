// The hash of everything a deployed lab is made of. Two labs of one key have equal states; anything
// that could make a difference is in it, and nothing else, so that edits elsewhere cost no rebuild.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourcesHash } from '../../contracts-abi/compile.ts';
import { permit2Hash } from '../../contracts-abi/permit2Artifact.ts';
import { anvilBinary } from './anvil.ts';
import { PUBLISHED_PACKAGES, packageVersion } from './deploy/artifacts.ts';
import { labTokenHash } from './deploy/labToken.ts';
import type { ResolvedLabOptions } from './options.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Sources that decide the state: the deploy steps, the numbers, the keys. */
const DECISIVE = ['setup.ts', 'accounts.ts', 'deployment.ts'];

/** Our contracts, the deploy code and its numbers, package versions, anvil, and confirmations. */
export function cacheKey(options: Pick<ResolvedLabOptions, 'confirmations'>): string {
  const deploySteps = readdirSync(join(HERE, 'deploy'))
    .sort()
    .map((name) => join('deploy', name));
  const sources = [...DECISIVE, ...deploySteps].map((name) => [
    name,
    readFileSync(join(HERE, name), 'utf8'),
  ]);
  const parts = {
    contracts: sourcesHash(),
    oracleSetup: readFileSync(join(HERE, '../../contracts-abi/oracleSetup.ts'), 'utf8'),
    token: labTokenHash(),
    permit2: permit2Hash(),
    sources,
    packages: PUBLISHED_PACKAGES.map((name) => [name, packageVersion(name)]),
    // The version in one number that costs no process: the binary's size.
    anvil: statSync(anvilBinary()).size,
    confirmations: options.confirmations,
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** The key and every option a running lab was given: an adopter must want exactly these. */
export function fingerprintOf(options: ResolvedLabOptions): string {
  const { home: _home, cacheDir: _cacheDir, whilePid: _whilePid, ...rest } = options;
  return createHash('sha256')
    .update(JSON.stringify([cacheKey(options), Object.entries(rest).sort()]))
    .digest('hex');
}
