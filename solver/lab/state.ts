// lab.json: who the running lab is, how far it has come, and what it has started. Whoever finds it
// can adopt the lab, end it, or end what a killed one left behind.

import { type LabPaths, readJson, remove } from './files.ts';
import { endProcess, isRunning, type ProcessRef } from './processes.ts';

export type LabPhase = 'starting' | 'ready' | 'failed';

export interface LabState {
  readonly version: 1;
  /** New with every start: chains of another runId are other chains. */
  readonly runId: string;
  /** What built it: cache key and options. An adopter wants the same. */
  readonly fingerprint: string;
  readonly process: ProcessRef;
  readonly children: readonly ProcessRef[];
  readonly phase: LabPhase;
  /** Why it failed. */
  readonly reason: string | null;
  /** Lines for people, oldest first. */
  readonly progress: readonly string[];
  readonly startedAtMs: number;
  readonly readyAfterMs: number | null;
  readonly rpcUrls: readonly string[];
  /** Loopback control, and the token it asks for. */
  readonly control: { readonly url: string; readonly token: string } | null;
}

export const readState = (paths: LabPaths): LabState | null => readJson<LabState>(paths.state);

/** Time a lab is given to end its chains itself. */
const LAB_GRACE_MS = 5000;

/** Ends the recorded lab and everything it started, alive or orphaned; then forgets it. */
export async function endRecorded(paths: LabPaths): Promise<'ended' | 'nothing'> {
  const state = readState(paths);
  if (state === null) return 'nothing';
  const ran = isRunning(state.process) || state.children.some(isRunning);
  await endProcess(state.process, LAB_GRACE_MS);
  // Read again: it may have recorded more children after the first look.
  const children = readState(paths)?.children ?? state.children;
  await Promise.all(children.map((child) => endProcess(child, 0)));
  remove(paths.state);
  remove(paths.lock);
  return ran ? 'ended' : 'nothing';
}
