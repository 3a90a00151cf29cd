// Runs one PostgreSQL server for one TRIMTAB_HOME. Owns initdb, the server process, who may use the
// directory, and the server's end. Listens on a Unix socket only. Refuses Windows, and a directory
// that another live process uses.
//
//   home/postgres/data         the cluster; when we are root it belongs to uid 65534
//   home/postgres/server.log   the server's own log
//   home/postgres/socket       where its socket is: a path of at most 107 bytes, else below /tmp
//
// Who owns the directory is decided by a session advisory lock in the server itself: the kernel
// closes a dead owner's connection, so the lock cannot go stale as a pid file can. A server whose
// lock is free was left behind, and is ended and replaced.
//
// As root the server runs in its data directory and is told `-D /proc/self/cwd`, so the folders above
// may be private (mktemp -d makes them 0700) and need no looser rights.

import { closeSync, openSync, realpathSync, statSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import { systemClock } from './clock.ts';
import {
  findPostgresBinaries,
  isTraversable,
  type PostgresBinaries,
  shortFolder,
} from './postgresBinaries.ts';
import { connectWhenReady, type OwnerConnection } from './postgresOwner.ts';
import {
  endProcess,
  isServerOf,
  runOnce,
  type ServerProcess,
  spawnServer,
} from './postgresProcess.ts';

export interface EmbeddedPostgresOptions {
  /** TRIMTAB_HOME. Made if missing. */
  readonly home: string;
  readonly onProgress?: (message: string) => void;
  /** The server died and could not be brought back; statements fail from now on. */
  readonly onLost?: (error: Error) => void;
}

export interface EmbeddedPostgres {
  /** For openDatabase. Stays the same when the server has to be restarted. */
  readonly url: string;
  /** The server's process id, for tests and status pages. */
  pid(): number;
  /** Ends the server cleanly and waits for it. Idempotent. */
  stop(): Promise<void>;
}

const USER = 'trimtab';
const NOBODY = 65_534;
const SOCKET_FILE = '.s.PGSQL.5432';
/** sun_path holds 108 bytes with its NUL. */
const SOCKET_PATH_BYTES_MAX = 107;
const START_ATTEMPTS_MAX = 40;
const RETRY_PAUSE_MS = 250;
/** A minute. */
const FILE_LOOKS_MAX = 240;

/**
 * Starts the server of `home`, or takes over from a dead owner. The server ends with this process
 * however that ends, kill −9 included, and holds no exit up: nothing here keeps the event loop alive.
 * @throws Fault `homeInUse` when another live process owns the directory; `postgresMissing`,
 * `postgresUnreachable`, `postgresFailed` with the log's last lines otherwise.
 */
export async function startPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const onProgress = options.onProgress ?? (() => {});
  if (process.platform === 'win32') {
    throw new Fault('the embedded PostgreSQL needs a Unix socket: set DATABASE_URL on Windows', {
      code: 'postgresUnreachable',
      retryable: false,
    });
  }
  try {
    const place = await preparePlace(options.home);
    const binaries = await findPostgresBinaries(place.uid, onProgress);
    await ensureCluster(place, binaries, onProgress);
    const socketFolder = await prepareSocketFolder(place);
    const supervisor = new Supervisor(place, binaries, socketFolder, onProgress, options.onLost);
    try {
      await supervisor.acquire();
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
    return supervisor;
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot run PostgreSQL in ${options.home}: ${why}`;
    throw new Fault(message, { code: 'postgresFailed', retryable: false, cause });
  }
}

/** Where the cluster is, and as whom its server runs (null: as ourselves). */
interface Place {
  readonly root: string;
  readonly data: string;
  readonly uid: number | null;
}

async function preparePlace(home: string): Promise<Place> {
  const root = join(resolve(home), 'postgres');
  await mkdir(root, { recursive: true });
  const data = join(realpathSync(root), 'data');
  if (process.getuid?.() !== 0) return { root: dirname(data), data, uid: null };
  // PostgreSQL refuses to run as root. An existing cluster keeps its owner.
  const owner = statSync(data, { throwIfNoEntry: false })?.uid ?? NOBODY;
  return { root: dirname(data), data, uid: owner === 0 ? NOBODY : owner };
}

/** initdb into a folder of its own, renamed when complete: a crash leaves no half-made cluster. */
async function ensureCluster(
  { root, data, uid }: Place,
  binaries: PostgresBinaries,
  onProgress: (message: string) => void,
): Promise<void> {
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version !== null) {
    if (Number(version) === binaries.major) return;
    throw new Fault(
      `${data} was made by PostgreSQL ${version.trim()}, this is ${binaries.major}: ` +
        'dump it with the old version, or remove the folder to start afresh',
      { code: 'postgresFailed', retryable: false },
    );
  }
  onProgress('creating the database');
  for (const name of await readdir(root)) {
    const maker = /^init-(\d+)-/.exec(name)?.[1];
    if (maker !== undefined && !isAlive(Number(maker))) {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
  const fresh = await mkdtemp(join(root, `init-${process.pid}-`));
  if (uid !== null) await chown(fresh, uid, uid);
  const folder = uid === null ? fresh : '/proc/self/cwd';
  // A new WAL file is filled with zeros while commits wait: little at once, often, is nobody's long wait.
  const small = '--wal-segsize=1';
  const args = ['-D', folder, '-U', USER, '--auth=trust', '--encoding=UTF8', '--no-locale', small];
  await runOnce(join(binaries.bin, 'initdb'), args, { cwd: fresh, uid });
  await chmod(fresh, 0o700);
  try {
    await rename(fresh, data);
  } catch (error) {
    // A second process made one in the same moment; who of us uses it is decided by the lock.
    await rm(fresh, { recursive: true, force: true });
    if (statSync(join(data, 'PG_VERSION'), { throwIfNoEntry: false }) === undefined) throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The same folder as last time if it still serves, so that crashes do not litter /tmp. */
async function prepareSocketFolder({ root, uid }: Place): Promise<string> {
  const note = join(root, 'socket');
  const inside = join(root, 'run');
  const fits = Buffer.byteLength(join(inside, SOCKET_FILE)) <= SOCKET_PATH_BYTES_MAX;
  if (fits && (uid === null || (await isTraversable(root, uid)))) {
    await mkdir(inside, { recursive: true, mode: 0o700 });
    if (uid !== null) await chown(inside, uid, uid);
    return inside;
  }
  const noted = await readFile(note, 'utf8').catch(() => '');
  const owner = uid ?? process.getuid?.();
  const found = noted === '' ? undefined : statSync(noted, { throwIfNoEntry: false });
  if (found?.isDirectory() === true && found.uid === owner) return noted;
  const made = await mkdtemp(join(await shortFolder(uid), 'trimtab-pg-'));
  if (uid !== null) await chown(made, uid, uid);
  await writeFile(note, made);
  return made;
}

class Supervisor implements EmbeddedPostgres {
  readonly url: string;
  readonly #place: Place;
  readonly #binaries: PostgresBinaries;
  readonly #socketFolder: string;
  readonly #onProgress: (message: string) => void;
  readonly #onLost: ((error: Error) => void) | undefined;
  #server: ServerProcess | null = null;
  #owner: OwnerConnection | null = null;
  #stopping: Promise<void> | null = null;
  #recovering: Promise<void> | null = null;

  constructor(
    place: Place,
    binaries: PostgresBinaries,
    socketFolder: string,
    onProgress: (message: string) => void,
    onLost: ((error: Error) => void) | undefined,
  ) {
    this.#place = place;
    this.#binaries = binaries;
    this.#socketFolder = socketFolder;
    this.#onProgress = onProgress;
    this.#onLost = onLost;
    this.url = urlOf(socketFolder);
  }

  pid(): number {
    return present(this.#server, 'a running PostgreSQL').pid;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Ends with a server of ours, the lock held. Bounded: a directory that stays busy is refused. */
  async acquire(): Promise<void> {
    let last: Error | null = null;
    for (let attempt = 0; attempt < START_ATTEMPTS_MAX; attempt++) {
      if (this.#stopping !== null) return;
      await this.#endLeftBehind();
      this.#server ??= this.#spawn();
      try {
        await this.#own(this.#server);
        return;
      } catch (error) {
        if (!(error instanceof Fault) || !error.retryable) throw error;
        last = error;
        await systemClock.sleep(RETRY_PAUSE_MS);
      }
    }
    throw last ?? new Fault('PostgreSQL did not start', { code: 'postgresFailed' });
  }

  /** Connects to the server we spawned and takes the lock on that connection. */
  async #own(server: ServerProcess): Promise<void> {
    const client = await connectWhenReady(this.url, server);
    if (client === null) {
      this.#server = null;
      throw new Fault(`PostgreSQL ended at start:\n${await this.#logTail()}`, {
        code: 'postgresFailed',
      });
    }
    if (!(await client.takeLock())) {
      // Someone took our server for one left behind. It is theirs now.
      server.release();
      this.#server = null;
      throw await client.inUse(this.#place.root);
    }
    // A dead client says both 'error' and 'end', the second perhaps when there is a new one already.
    const onGone = () => {
      if (this.#owner !== client) return;
      this.#owner = null;
      this.#recover();
    };
    client.onGone(onGone);
    this.#owner = client;
  }

  /** Waits for, or ends, a server of this directory that is not ours. */
  async #endLeftBehind(): Promise<void> {
    const found = await this.#findOther();
    if (found === null) return;
    const { pid, socketFolder } = found;
    const client = await connectWhenReady(urlOf(socketFolder), {
      pid,
      hasEnded: () => !isServerOf(pid, this.#place.data),
    });
    if (client === null) return;
    if (!(await client.takeLock())) throw await client.inUse(this.#place.root);
    this.#onProgress(`ending the PostgreSQL that a dead process left behind (pid ${pid})`);
    await endProcess(pid, () => !isServerOf(pid, this.#place.data));
    await client.end();
  }

  /** What postmaster.pid says of a live server that is not ours. Line 1 is its pid, 5 its socket. */
  async #findOther(): Promise<{ pid: number; socketFolder: string } | null> {
    const file = join(this.#place.data, 'postmaster.pid');
    for (let look = 0; look < FILE_LOOKS_MAX; look++) {
      const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
      const pid = Number(lines[0]);
      if (!(pid > 0) || pid === this.#server?.pid) return null;
      if (!isServerOf(pid, this.#place.data)) {
        // PostgreSQL would trust any living process of that number, as after a reboot.
        await rm(file, { force: true });
        return null;
      }
      const socketFolder = lines[4]?.trim() ?? '';
      if (socketFolder !== '') return { pid, socketFolder };
      // It is starting: the line is written once the socket is there.
      await systemClock.sleep(RETRY_PAUSE_MS);
    }
    throw new Fault(`PostgreSQL in ${this.#place.root} does not finish starting`, {
      code: 'postgresFailed',
      retryable: false,
    });
  }

  #spawn(): ServerProcess {
    const { root, data, uid } = this.#place;
    const path = join(root, 'server.log');
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const log = openSync(path, size > 1_000_000 ? 'w' : 'a', 0o600);
    try {
      return spawnServer({
        program: join(this.#binaries.bin, 'postgres'),
        data,
        uid,
        log,
        settings: {
          listen_addresses: '',
          port: '5432',
          unix_socket_directories: this.#socketFolder,
          unix_socket_permissions: '0700',
          max_connections: '100',
          timezone: 'UTC',
          log_timezone: 'UTC',
          cluster_name: 'trimtab',
        },
      });
    } finally {
      closeSync(log);
    }
  }

  #recover(): void {
    if (this.#stopping !== null || this.#recovering !== null) return;
    this.#recovering = this.#restart().finally(() => {
      this.#recovering = null;
      if (this.#owner === null) this.#recover();
    });
  }

  async #restart(): Promise<void> {
    this.#onProgress('PostgreSQL went away: bringing it back');
    if (this.#server?.hasEnded() === true) this.#server = null;
    try {
      await this.acquire();
    } catch (error) {
      this.#stopping ??= this.#stop();
      this.#onLost?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #stop(): Promise<void> {
    await this.#recovering;
    const server = this.#server;
    if (server !== null) {
      await endProcess(server.pid, server.hasEnded);
      server.release();
    }
    await this.#owner?.end();
    // Not empty, and kept, while it serves the process that owns the directory instead of us.
    await rmdir(this.#socketFolder).then(
      () => rm(join(this.#place.root, 'socket'), { force: true }),
      () => {},
    );
  }

  async #logTail(): Promise<string> {
    const text = await readFile(join(this.#place.root, 'server.log'), 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-5).join('\n');
  }
}

/** libpq's form: the host parameter wins; `localhost` is there because URL parsers want a host. */
const urlOf = (socketFolder: string) =>
  `postgres://${USER}@localhost/postgres?host=${encodeURIComponent(socketFolder)}`;
