// The lab as others see it: start or adopt it, look at it, stop it. The lab itself is a process
// of its own (main.ts) that outlives the one that started it; this file only finds, spawns and
// ends it.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseNetwork } from '../market/networkFile.ts';
import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { LabAccounts } from './accounts.ts';
import { anvilBinary } from './anvil.ts';
import { fingerprintOf } from './cacheKey.ts';
import { isHealthy, type LabControl, labControl } from './controlClient.ts';
import type { LabDeployment } from './deployment.ts';
import { isMissing, type LabPaths, labPaths, readJson } from './files.ts';
import { type LabOptions, type ResolvedLabOptions, resolveLabOptions } from './options.ts';
import { commandOf, isRunning } from './processes.ts';
import { endRecorded, type LabPhase, type LabState, readState } from './state.ts';

export type { LabOptions } from './options.ts';

export interface LabHandle {
  /** A start's own id: chains of another runId are other chains, with other history. */
  readonly runId: string;
  /** True if a lab left running was taken over, its chains and their history with it. */
  readonly adopted: boolean;
  /** Milliseconds the lab took to be ready, measured by itself. */
  readonly readyAfterMs: number;
  /** Path of network.json. */
  readonly networkFile: string;
  readonly network: NetworkConfig;
  readonly accounts: LabAccounts;
  readonly deployment: LabDeployment;
  readonly logFile: string;
  readonly control: LabControl;
  /** Ends the lab and its chains; returns when all are gone. Again is harmless. */
  stop(): Promise<void>;
}

export interface LabStatus {
  readonly phase: LabPhase | 'absent';
  readonly pid: number | null;
  readonly rpcUrls: readonly string[];
  readonly reason: string | null;
}

const START_TIMEOUT_MS = 180_000;
const POLL_MS = 50;

/**
 * A ready lab: the one running in `home` if it was built from the same contracts and options and
 * still answers, else a new one. Ends what an earlier, killed lab left behind.
 * `onProgress` gets one line per step. Throws Fault with the lab's reason if it does not come up;
 * nothing is left running then. Needs the contracts' artifacts to be built.
 */
export async function startLab(
  options: LabOptions = {},
  onProgress: (line: string) => void = () => {},
): Promise<LabHandle> {
  const resolved = resolveLabOptions(options);
  const paths = labPaths(resolved.home);
  anvilBinary();
  const fingerprint = fingerprintOf(resolved);

  const running = await adoptable(paths, fingerprint, onProgress);
  if (running !== null) {
    onProgress(`adopted the lab that was running (pid ${running.process.pid})`);
    return handleOf(paths, running, true);
  }
  if ((await endRecorded(paths)) === 'ended') onProgress('ended a lab that was left behind');

  const pid = spawnLab(resolved, paths);
  try {
    return handleOf(paths, await awaitReady(paths, pid, onProgress), false);
  } catch (error) {
    if (readState(paths)?.process.pid === pid) await endRecorded(paths);
    // Two starts at once: one lab takes the directory, and it serves both.
    const other = await otherLab(paths, pid, fingerprint);
    if (other === null) throw error;
    return handleOf(paths, await awaitReady(paths, null, onProgress), true);
  }
}

/** What lab.json and the process table say, without touching either. */
export function labStatus(home?: string): LabStatus {
  const state = readState(labPaths(resolveLabOptions(home === undefined ? {} : { home }).home));
  if (state === null || !isRunning(state.process)) {
    return { phase: 'absent', pid: null, rpcUrls: [], reason: state?.reason ?? null };
  }
  const { phase, rpcUrls, reason } = state;
  return { phase, pid: state.process.pid, rpcUrls, reason };
}

/** Ends the lab of `home` and whatever it started, also if the lab itself died before. */
export async function stopLab(home?: string): Promise<'ended' | 'nothing'> {
  return endRecorded(labPaths(resolveLabOptions(home === undefined ? {} : { home }).home));
}

/** The running lab if it was made alike and is well; waits for one that is still starting. */
async function adoptable(
  paths: LabPaths,
  fingerprint: string,
  onProgress: (line: string) => void,
): Promise<LabState | null> {
  const found = readState(paths);
  if (found === null || found.fingerprint !== fingerprint || !isRunning(found.process)) return null;
  if (found.phase === 'ready') return (await isHealthy(found)) ? found : null;
  try {
    return await awaitReady(paths, null, onProgress);
  } catch (error) {
    // It failed or was ended while we watched: a new one may do better.
    onProgress(error instanceof Error ? error.message : String(error));
    return null;
  }
}

function spawnLab(options: ResolvedLabOptions, paths: LabPaths): number {
  mkdirSync(paths.dir, { recursive: true });
  const output = openSync(paths.output, 'w');
  try {
    const tsx = createRequire(import.meta.url).resolve('tsx');
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const args = ['--import', tsx, main, JSON.stringify(options)];
    const child = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', output, output],
    });
    child.unref();
    // Without a listener a failed spawn would throw from nowhere; awaitReady reports the silence.
    child.on('error', () => {});
    return child.pid ?? 0;
  } finally {
    closeSync(output);
  }
}

/** Waits for phase `ready`, relaying progress. With `pid` null the lab was started by another. */
async function awaitReady(
  paths: LabPaths,
  pid: number | null,
  onProgress: (line: string) => void,
): Promise<LabState> {
  let told = 0;
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += POLL_MS) {
    const state = readState(paths);
    if (state !== null && (pid === null || state.process.pid === pid)) {
      for (const line of state.progress.slice(told)) onProgress(line);
      told = Math.max(told, state.progress.length);
      if (state.phase === 'ready') return state;
      if (state.phase === 'failed') throw new Fault(`the lab failed: ${state.reason}`);
      if (!isRunning(state.process)) throw new Fault(died(paths));
    } else if (pid !== null && commandOf(pid) === null) {
      throw new Fault(died(paths));
    }
    await sleep(POLL_MS);
  }
  throw new Fault(`the lab was not ready after ${START_TIMEOUT_MS / 1000} s; see ${paths.log}`);
}

/** A lab of the same making that another start has brought up meanwhile; looks for two seconds. */
async function otherLab(
  paths: LabPaths,
  ownPid: number,
  fingerprint: string,
): Promise<LabState | null> {
  for (let waited = 0; waited < 2000; waited += POLL_MS) {
    const state = readState(paths);
    const isOther = state !== null && state.process.pid !== ownPid && isRunning(state.process);
    if (isOther && state.fingerprint === fingerprint) return state;
    await sleep(POLL_MS);
  }
  return null;
}

function died(paths: LabPaths): string {
  let tail = '';
  try {
    tail = readFileSync(paths.output, 'utf8').trim().slice(-800);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return `the lab process ended before it was ready${tail === '' ? '' : `: ${tail}`}`;
}

function handleOf(paths: LabPaths, state: LabState, adopted: boolean): LabHandle {
  return {
    runId: state.runId,
    adopted,
    readyAfterMs: state.readyAfterMs ?? 0,
    networkFile: paths.network,
    network: parseNetwork(present(readJson<unknown>(paths.network), paths.network)),
    accounts: present(readJson<LabAccounts>(paths.accounts), paths.accounts),
    deployment: present(readJson<LabDeployment>(paths.deployment), paths.deployment),
    logFile: paths.log,
    control: labControl(present(state.control, 'control of a ready lab')),
    stop: async () => {
      // A later lab in this directory is not ours to end.
      if (readState(paths)?.runId === state.runId) await endRecorded(paths);
    },
  };
}
