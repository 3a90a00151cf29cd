// Saved lab states on disk, one folder per key. A folder appears whole, by rename; a damaged one is
// as good as none.

import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { BuiltLab } from './deploy/build.ts';
import type { LabDeployment } from './deployment.ts';
import { isMissing, readJson } from './files.ts';

/** Older keys are removed beyond this many: each holds some 10 MB. */
const KEYS_MAX = 4;

export interface SavedLab {
  readonly deployment: LabDeployment;
  /** Path of the chain's state for anvil --load-state. */
  stateFile(chainId: number): string;
}

export function loadSaved(cacheDir: string, key: string): SavedLab | null {
  const folder = join(cacheDir, key);
  const deployment = readJson<LabDeployment>(join(folder, 'deployment.json'));
  if (deployment?.version !== 1) return null;
  const stateFile = (chainId: number) => join(folder, `${chainId}.json`);
  try {
    for (const { chainId } of deployment.chains) {
      if (statSync(stateFile(chainId)).size === 0) return null;
    }
    // The clock of "least recently used".
    utimesSync(folder, new Date(), new Date());
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return { deployment, stateFile };
}

/** Saves and returns what loadSaved would. Another process saving the same key at once is fine. */
export function save(cacheDir: string, key: string, built: BuiltLab): SavedLab {
  const folder = join(cacheDir, key);
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(partial, { recursive: true });
  for (const [chainId, state] of built.states) {
    writeFileSync(join(partial, `${chainId}.json`), state);
  }
  writeFileSync(join(partial, 'deployment.json'), JSON.stringify(built.deployment, null, 2));
  try {
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (loadSaved(cacheDir, key) === null) throw error;
  }
  prune(cacheDir);
  const saved = loadSaved(cacheDir, key);
  if (saved === null) throw new Error(`lab cache ${folder} vanished while it was written`);
  return saved;
}

function prune(cacheDir: string): void {
  const folders = readdirSync(cacheDir)
    .filter((name) => /^[0-9a-f]{32}$/.test(name))
    .map((name) => ({ name, usedMs: statSync(join(cacheDir, name)).mtimeMs }))
    .sort((a, b) => b.usedMs - a.usedMs);
  for (const { name } of folders.slice(KEYS_MAX)) {
    rmSync(join(cacheDir, name), { recursive: true, force: true });
  }
}
