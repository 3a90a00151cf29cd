// One run of a keep job: the row, the policy it parses to, what is remembered, and the few ways in
// which a run may end. A run makes at most one step; whatever follows is another run, which looks
// again.

import type { Policy } from '../policy/types.ts';
import { assert } from '../types/assert.ts';
import type { PolicyStep, StoredPolicy, StoredProposal } from '../types/policyStore.ts';
import type { JobLease } from '../types/store.ts';
import { type KeeperState, type StepDetails, step } from './lifecycle.ts';
import { type Memory, memoryOf, memoryToJson } from './memory.ts';
import { policyOf } from './policyOf.ts';
import type { KeeperDeps } from './ports.ts';

/** Run again then; what is over answers `done` instead. */
export interface Again {
  readonly runAtMs: number;
}
export type JobOutcome = { readonly done: true } | Again;

export interface Run {
  readonly deps: KeeperDeps;
  readonly lease: JobLease;
  readonly row: StoredPolicy;
  readonly policy: Policy;
  readonly memory: Memory;
}

export function openRun(deps: KeeperDeps, lease: JobLease, row: StoredPolicy): Run {
  const policy = policyOf(row.document, deps.network);
  return { deps, lease, row, policy, memory: memoryOf(row.memory) };
}

/** Writes the step; the next run begins at once, unless a time is given. */
export async function move(
  run: Run,
  path: readonly KeeperState[],
  details: Omit<StepDetails, 'memory'> & { readonly memory: Memory },
  runAtMs: number = run.deps.clock.nowMs(),
): Promise<JobOutcome> {
  return write(
    run,
    step(run.row, path, { ...details, memory: saved(run, details.memory) }),
    runAtMs,
  );
}

export async function write(run: Run, made: PolicyStep, runAtMs: number): Promise<JobOutcome> {
  await run.deps.store.applyStep(made, run.lease);
  return { runAtMs };
}

export const saved = ({ deps }: Run, memory: Memory) =>
  memoryToJson({ ...memory, savedAtMs: deps.clock.nowMs() });

/** No later than the poll, no earlier than now. */
export function again({ deps }: Pick<Run, 'deps'>, atMs: number = Number.POSITIVE_INFINITY): Again {
  const now = deps.clock.nowMs();
  return { runAtMs: Math.max(now, Math.min(atMs, now + deps.options.pollMs)) };
}

/** The proposal that waits for its signature; null: none. */
export async function liveProposal({ deps, row }: Run): Promise<StoredProposal | null> {
  const [newest] = await deps.store.proposals(row.policyId, 1);
  return newest?.outcome === null ? newest : null;
}

/** Failures pause 1, 2, 4, … 64 times the first pause; `failures` counts this one. */
export function failurePauseMs({ deps }: Run, failures: number): number {
  assert(failures >= 1, 'a pause after no failure');
  return deps.options.failurePauseMs * 2 ** Math.min(failures - 1, 6);
}
