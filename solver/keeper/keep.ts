// The keep job: one run looks at where its policy stands and makes at most one step. Every run
// reads before it acts and writes once, so a crash at any line, a run too many or two keepers at
// once change nothing but the time. It proposes and never signs.

import { unreachable } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import { policyId } from '../types/ids.ts';
import type { JobLease } from '../types/store.ts';
import { evaluate } from './evaluate.ts';
import { countPartial, followOrder, lateOrder, watchProposal } from './follow.ts';
import { isEnded } from './lifecycle.ts';
import type { KeeperDeps } from './ports.ts';
import { again, type JobOutcome, liveProposal, move, openRun, type Run } from './run.ts';

/** The handler of job kind `keep`; the job's key is the policyId. */
export function createKeeper(deps: KeeperDeps) {
  return async (lease: JobLease, _signal: AbortSignal): Promise<JobOutcome> => {
    const row = await deps.store.getPolicy(policyId(lease.key));
    if (row === null || isEnded(row.status)) return { done: true };
    const run = openRun(deps, lease, row);
    try {
      return await keep(run);
    } catch (error) {
      // Its owner revoked or resumed it meanwhile: look again.
      if (error instanceof Fault && error.code === 'stateConflict') return again(run, 0);
      throw error;
    }
  };
}

async function keep(run: Run): Promise<JobOutcome> {
  const { row, deps, memory } = run;
  switch (row.status) {
    case 'committed':
    case 'inFlight':
      return followOrder(run);
    case 'partial':
      return countPartial(run);
    case 'proposed':
      // Signed in time is signed, even when the policy ends before we look.
      if (isOver(run) && (await deps.store.orderOfQuote(memory.quoteId ?? '')) === null) {
        return expire(run);
      }
      return watchProposal(run);
    case 'cooldown':
      if (isOver(run)) return expire(run);
      if (deps.clock.nowMs() < memory.pausedUntilMs) return again(run, memory.pausedUntilMs);
      return move(run, ['armed'], {
        because: { armed: { code: 'cooledDown', why: 'the cooldown is over' } },
        memory: { ...memory, pausedUntilMs: 0 },
      });
    case 'armed':
    case 'idle':
    case 'reduceOnly':
    case 'halted':
    case 'repair':
      return (await lateOrder(run)) ?? (isOver(run) ? expire(run) : evaluate(run));
    case 'revoked':
    case 'expired':
      return { done: true };
    default:
      return unreachable(row.status);
  }
}

/** The earlier of the time it was signed for and its document's own. */
function isOver({ row, policy, deps }: Run): boolean {
  const now = deps.clock.now();
  return (row.expires !== 0 && now >= row.expires) || now >= (policy.expires ?? Infinity);
}

async function expire(run: Run): Promise<JobOutcome> {
  const live = await liveProposal(run);
  return move(run, ['expired'], {
    because: { expired: { code: 'expired', why: 'its time is over' } },
    memory: { ...run.memory, wantedSince: null },
    ...(live === null
      ? {}
      : { close: { quoteId: live.quoteId, outcome: 'expired' as const, orderId: null } }),
  });
}
