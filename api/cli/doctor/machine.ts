// This machine: Node, the programs that come with the packages, the built core, disk, ports, and what
// earlier runs left behind.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { keccak256 } from 'viem';
import { findPostgresBinaries } from '../../../solver/adapters/postgresBinaries.ts';
import { anvilBinary } from '../../../solver/lab/anvil.ts';
import { labPaths } from '../../../solver/lab/files.ts';
import { isRunning } from '../../../solver/lab/processes.ts';
import { readState } from '../../../solver/lab/state.ts';
import type { Hash32 } from '../../../solver/types/ids.ts';
import { wasmPath } from '../build.ts';
import { type Finding, fail, guarded, ok, warn } from './findings.ts';

const FREE_FAIL = 200e6;
const FREE_WARN = 2e9;
const PORTS = [8787, 9464];

export async function checkMachine(home: string): Promise<readonly Finding[]> {
  return (
    await Promise.all([
      node(),
      guarded('anvil', 'run `npm ci`, or install Foundry: only `trimtab start` needs it', anvil),
      guarded('postgres', 'run `npm ci`, or set DATABASE_URL to a server of yours', postgres),
      guarded('forge', 'run `npm ci`: only the contracts’ tests need it', forge),
      core(),
      guarded('disk', `make room where ${home} is`, () => disk(home)),
      ...PORTS.map((port) => portFree(port)),
      leftBehind(home),
    ])
  ).flat();
}

async function node(): Promise<readonly Finding[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return [ok('node', process.version)];
  return [fail('node', process.version, 'install Node 20.19 or newer')];
}

async function anvil(): Promise<readonly Finding[]> {
  return [ok('anvil', versionOf(anvilBinary()))];
}

async function postgres(): Promise<readonly Finding[]> {
  const uid = process.getuid?.() === 0 ? 65_534 : null;
  const { bin, major } = await findPostgresBinaries(uid, () => {});
  return [ok('postgres', `${major} in ${bin}`)];
}

async function forge(): Promise<readonly Finding[]> {
  try {
    const manifest = '@foundry-rs/forge-linux-amd64/package.json';
    const path = createRequire(import.meta.url).resolve(manifest);
    return [ok('forge', versionOf(path.replace('package.json', 'bin/forge')))];
  } catch {
    return [
      warn('forge', 'not installed', 'needed by the contracts’ tests alone; `npm ci` brings it'),
    ];
  }
}

const versionOf = (binary: string): string =>
  execFileSync(binary, ['--version'], { encoding: 'utf8', timeout: 10_000 }).split('\n')[0] ?? '';

/** keccak256 of the built core; null where there is none. */
export function coreHash(): Hash32 | null {
  return existsSync(wasmPath) ? (keccak256(readFileSync(wasmPath)) as Hash32) : null;
}

async function core(): Promise<readonly Finding[]> {
  const hash = coreHash();
  if (hash === null) return [fail('core', `${wasmPath} is missing`, 'run `trimtab build`')];
  return [ok('core', hash)];
}

async function disk(home: string): Promise<readonly Finding[]> {
  const folder = existsSync(home) ? home : '.';
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free`;
  const remedy = `make room on the disk of ${folder}`;
  if (free < FREE_FAIL) return [fail('disk', detail, remedy)];
  return [free < FREE_WARN ? warn('disk', detail, remedy) : ok('disk', detail)];
}

async function portFree(port: number): Promise<readonly Finding[]> {
  const taken = await new Promise<boolean>((done) => {
    const server = createServer();
    server.once('error', () => done(true));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => done(false)));
  });
  if (!taken) return [ok(`port ${port}`, 'free')];
  const remedy = 'fine if it is your trimtab; else choose another with --port or --ops-port';
  return [warn(`port ${port}`, 'in use', remedy)];
}

/** Chains whose lab was killed go on by themselves; the next start ends them. */
async function leftBehind(home: string): Promise<readonly Finding[]> {
  const state = readState(labPaths(home));
  if (state === null) return [ok('left behind', 'nothing')];
  const orphans = state.children.filter(isRunning);
  if (isRunning(state.process)) {
    return [ok('left behind', `nothing; a lab runs (pid ${state.process.pid})`)];
  }
  if (orphans.length === 0) return [ok('left behind', 'nothing')];
  const detail = `${orphans.length} chains without their lab: pid ${orphans.map(({ pid }) => pid)}`;
  return [warn('left behind', detail, 'the next `trimtab start` ends them, or end these pids')];
}
