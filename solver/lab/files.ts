// The lab's files below <home>/lab and how they are written: whole or not at all.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, wherever the command was called from. */
const PROJECT_ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
/** Build outputs: safe to delete. */
export const BUILD_DIR = join(PROJECT_ROOT, '.build');
export const DEFAULT_HOME = join(PROJECT_ROOT, '.trimtab');

export interface LabPaths {
  readonly dir: string;
  /** Process record and progress: LabState. */
  readonly state: string;
  /** Holds the pid of the one lab that owns this directory. */
  readonly lock: string;
  /** One JSON object per line. */
  readonly log: string;
  /** Whatever the process prints when it dies unexpectedly. */
  readonly output: string;
  /** NetworkConfig, what the service reads. */
  readonly network: string;
  /** LabAccounts, mode 0600. */
  readonly accounts: string;
  /** LabDeployment: every address, for tests and the curious. */
  readonly deployment: string;
}

export function labPaths(home: string): LabPaths {
  const dir = join(home, 'lab');
  const at = (name: string) => join(dir, name);
  return {
    dir,
    state: at('lab.json'),
    lock: at('lab.pid'),
    log: at('lab.log'),
    output: at('lab.out'),
    network: at('network.json'),
    accounts: at('accounts.json'),
    deployment: at('deployment.json'),
  };
}

/** Writes through a temporary file and a rename: readers see the old text or the new one. */
export function writeJson(path: string, value: unknown, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode });
  renameSync(temporary, path);
}

/** The parsed file, or null when there is none or it is not JSON. */
export function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return null;
    throw error;
  }
}

export const remove = (path: string): void => rmSync(path, { force: true });

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
