// The keep job: one run looks at where its policy stands and makes at most one step. Every run
// reads before it acts and writes once, so a crash at any line, a run too many or two keepers at
// once change nothing but the time. It proposes and never signs.

import { unreachable } from '../types/assert.ts';
import { Fault, InvalidInput } from '../types/errors.ts';
import { policyId } from '../types/ids.ts';
import type { PolicyStatus, StoredPolicy } from '../types/policyStore.ts';
import type { JobLease } from '../types/store.ts';
import { evaluate } from './evaluate.ts';
import { countPartial, followOrder, lateOrder, watchProposal } from './follow.ts';
import { isEnded, step } from './lifecycle.ts';
import { memoryOf, memoryToJson } from './memory.ts';
import type { KeeperDeps } from './ports.ts';
import { again, type JobOutcome, liveProposal, move, openRun, type Run } from './run.ts';

/** The handler of job kind `keep`; the job's key is the policyId. */
export function createKeeper(deps: KeeperDeps) {
  return async (lease: JobLease, _signal: AbortSignal): Promise<JobOutcome> => {
    const row = await deps.store.getPolicy(policyId(lease.key));
    if (row === null || isEnded(row.status)) return { done: true };
    try {
      return await keep(openRun(deps, lease, row));
    } catch (error) {
      if (error instanceof InvalidInput) return unreadable(deps, lease, row, error);
      // Its owner revoked or resumed it meanwhile: look again.
      if (error instanceof Fault && error.code === 'stateConflict') return again({ deps }, 0);
      throw error;
    }
  };
}

/** Whatever an order is not under way in. */
const RESTING: readonly PolicyStatus[] = ['armed', 'idle', 'reduceOnly', 'repair'];

/**
 * A document that was good when it was armed and is not now, since a chain or an asset has left the
 * network: halted until it is back or its owner revokes it. An order under way is looked at again later.
 */
async function unreadable(
  deps: KeeperDeps,
  lease: JobLease,
  row: StoredPolicy,
  { message, pointer }: InvalidInput,
): Promise<JobOutcome> {
  const later = again({ deps });
  const proposed = row.status === 'proposed';
  if (!proposed && !RESTING.includes(row.status)) return later;
  const [live] = proposed ? await deps.store.proposals(row.policyId, 1) : [];
  const why = `the document cannot be read here any more: ${message} (${pointer})`.slice(0, 300);
  const memory = { ...memoryOf(row.memory), wantedSince: null, haltedEvent: row.eventCount + 1 };
  const made = step(row, proposed ? ['halted'] : ['evaluating', 'halted'], {
    because: { halted: { code: 'unreadablePolicy', why } },
    memory: memoryToJson({ ...memory, loggedKey: '' }),
    ...(live === undefined
      ? {}
      : { close: { quoteId: live.quoteId, outcome: 'withdrawn' as const, orderId: null } }),
  });
  await deps.store.applyStep(made, lease);
  return later;
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
