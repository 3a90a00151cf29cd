// Several real processes of the service over one lab and one database, as a deployment has them:
// started by `trimtab serve`, each with its own role, killed and started again by name.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../api/cli/home.ts';
import type { LabHandle } from '../../solver/lab/lab.ts';
import { present } from '../../solver/types/assert.ts';

export interface FleetOptions {
  readonly home: string;
  readonly lab: LabHandle;
  readonly databaseUrl: string;
  /** What --settings holds. */
  readonly settings: object;
  /** Name → role, in the order in which they start. */
  readonly members: Readonly<Record<string, 'api' | 'worker' | 'keeper'>>;
}

export interface Fleet {
  /** Of the API processes, dead or alive: they keep their ports. */
  readonly apiUrls: readonly string[];
  opsUrl(name: string): string;
  /** SIGKILL; returns when it is gone. */
  kill(name: string): Promise<void>;
  /** Resolves once it is ready. */
  start(name: string): Promise<void>;
  /** SIGTERM to one; answers its exit code. */
  stop(name: string): Promise<number | null>;
  /** SIGTERM to all that run; answers every exit code. */
  stopAll(): Promise<readonly (number | null)[]>;
  /** SIGKILL to all that run. */
  end(): Promise<void>;
}

/** A test that is ended by force cannot end its children: they notice that they have no parent. */
const ORPHANS_END = `data:text/javascript,${encodeURIComponent(
  'const p = process.ppid; setInterval(() => { if (process.ppid !== p) process.kill(process.pid, 9); }, 1000).unref();',
)}`;

interface Ready {
  readonly ops: string;
  readonly api?: string;
}
interface Member {
  readonly child: ChildProcess;
  readonly ready: Ready;
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { home, lab, databaseUrl, settings, members } = options;
  const folder = join(home, 'fleet');
  await mkdir(folder, { recursive: true });
  const settingsFile = join(folder, 'settings.json');
  await writeFile(settingsFile, JSON.stringify(settings));
  const keyFile = async (role: 'filler' | 'auctioneer' | 'guardian') => {
    const path = join(folder, `${role}.key`);
    await writeFile(path, `${lab.accounts[role].privateKey}\n`, { mode: 0o600 });
    return path;
  };
  const common = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    DATABASE_URL: databaseUrl,
    TRIMTAB_NETWORK: lab.networkFile,
    TRIMTAB_SETTINGS: settingsFile,
    TRIMTAB_REQUESTS_PER_MINUTE: '1000000',
  };
  const { filler, auctioneer } = lab.accounts;
  const addresses = {
    TRIMTAB_FILLER_ADDRESS: filler.address,
    TRIMTAB_AUCTIONEER_ADDRESS: auctioneer.address,
  };
  const keys = {
    TRIMTAB_FILLER_KEY_FILE: await keyFile('filler'),
    TRIMTAB_AUCTIONEER_KEY_FILE: await keyFile('auctioneer'),
    TRIMTAB_GUARDIAN_KEY_FILE: await keyFile('guardian'),
  };
  const running = new Map<string, Member>();
  const ports = new Map<string, string>();

  const start = async (name: string): Promise<void> => {
    const role = present(members[name], `a member ${name}`);
    const child = spawn(
      process.execPath,
      [
        '--import',
        ORPHANS_END,
        join(projectRoot, 'api/cli/bin.mjs'),
        'serve',
        ...['--role', role, '--port', ports.get(name) ?? '0', '--ops-port', '0'],
      ],
      {
        env: { ...common, ...(role === 'worker' ? keys : addresses) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const log = createWriteStream(join(folder, `${name}.log`), { flags: 'a' });
    present(child.stderr, 'stderr').pipe(log);
    const lines = createInterface({ input: present(child.stdout, 'stdout') });
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code} before it was ready; see ${folder}/${name}.log`);
    });
    const [line] = (await Promise.race([once(lines, 'line'), died])) as [string];
    died.catch(() => {});
    const ready = JSON.parse(line) as Ready;
    if (ready.api !== undefined) ports.set(name, new URL(ready.api).port);
    running.set(name, { child, ready });
  };
  const signal = async (name: string, how: NodeJS.Signals): Promise<number | null> => {
    const { child } = present(running.get(name), `${name}, running`);
    running.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, 'exit');
    child.kill(how);
    const [code] = (await gone) as [number | null];
    return code;
  };
  const everyone = (how: NodeJS.Signals) =>
    Promise.all([...running.keys()].map((name) => signal(name, how)));

  // One after the other: the first one makes the schema, and two cores are soon busy.
  for (const name of Object.keys(members)) await start(name);
  return {
    apiUrls: [...ports.values()].map((port) => `http://127.0.0.1:${port}`),
    opsUrl: (name) => present(running.get(name), `${name}, running`).ready.ops,
    start,
    kill: async (name) => void (await signal(name, 'SIGKILL')),
    stop: (name) => signal(name, 'SIGTERM'),
    stopAll: () => everyone('SIGTERM'),
    end: async () => void (await everyone('SIGKILL')),
  };
}
