// The owner's protection, job kind `guard`: watches every order from `created` and acts on chain
// facts alone, with an account of its own that only pays gas. It needs no filler: what the filler
// began and cannot finish, the guard undoes (tombstone, proof of non-fill, refund) or, where every
// output was delivered, completes (proof, release), so that every order ends in bounded time.

import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import { type EvmAddress, orderId } from '../types/ids.ts';
import type { JobLease, OrderState } from '../types/store.ts';
import { type AwardedOrder, parseAwarded, parseOrder } from './awardedOrder.ts';
import { cancelAsked, cancelOrigins, unopened } from './cancelling.ts';
import { standingOf } from './decide.ts';
import { allFilledInTime, type OrderFacts } from './facts.ts';
import { canTransition, type Failure, failure, isTerminal } from './lifecycle.ts';
import { outcomeUnserved } from './outcomes.ts';
import type { SettlementPolicy } from './policy.ts';
import type { SettlementDeps } from './ports.ts';
import { protectOwner, proveFills, releaseOpen } from './proving.ts';
import { readFacts } from './readFacts.ts';
import { again, finished, type JobOutcome, moveTo, type Run } from './steps.ts';

export interface GuardDeps extends SettlementDeps {
  /** Pays gas and message fees; holds nothing else. The sender has its key. */
  readonly account: EvmAddress;
  readonly policy: SettlementPolicy;
}

/** The way to `filled` for an order that someone filled while its filler's workflow was away. */
const FORWARD: Readonly<Partial<Record<OrderState, OrderState>>> = {
  opening: 'opened',
  opened: 'filling',
  filling: 'filled',
};

/** The handler of job kind `guard`; the job's key is the orderId. */
export function createGuard(deps: GuardDeps) {
  return async (lease: JobLease, _signal: AbortSignal): Promise<JobOutcome> => {
    const row = present(await deps.store.getOrder(orderId(lease.key)), `order ${lease.key}`);
    const run: Run = { deps, actor: 'guard', sender: deps.account, lease, order: row };
    try {
      return await guardStep(run, deps);
    } catch (error) {
      // `stateConflict` too: the filler's workflow moved the order meanwhile; look again.
      if (error instanceof Fault && error.retryable) return again(deps, deps.policy.faultRetryMs);
      throw error;
    }
  };
}

async function guardStep(run: Run, deps: GuardDeps): Promise<JobOutcome> {
  const { policy } = deps;
  const { state } = run.order;
  if (isTerminal(state)) return finished;
  const cancelling = cancelAsked(run.order) && (state === 'awarded' || state === 'opening');
  const wait = dueAt(run, policy) - deps.clock.now();
  if (wait > 0 && !cancelling) return again(deps, Math.min(wait * 1_000, policy.idleMs));
  if (state === 'created') {
    const why = 'the open deadline passed before any filler was awarded';
    await moveTo(run, 'failed', { failure: failure('notAwarded', why, 'failed') });
    return finished;
  }
  const order = parseAwarded(run.order);
  if (cancelling) await cancelOrigins(run);
  const facts = await readFacts(deps, order);
  await follow(run, order, facts);
  if (isTerminal(run.order.state)) return finished;
  await act(run, order, facts, policy);
  const busy = cancelling || run.order.state === 'refunding';
  return again(deps, busy ? policy.pollMs : policy.idleMs);
}

/** When, Unix seconds, the guard first has something to do in the order's state. */
function dueAt(run: Run, policy: SettlementPolicy): number {
  const { openDeadline, fillDeadline } = parseOrder(run.order);
  switch (run.order.state) {
    case 'created':
    case 'awarded':
    case 'opening':
      return openDeadline + policy.guardGraceSeconds;
    case 'opened':
    case 'filling':
      return fillDeadline + policy.guardGraceSeconds;
    case 'filled':
    case 'proving':
    case 'releasing':
      return fillDeadline + policy.finishGraceSeconds;
    default:
      return 0;
  }
}

/** Moves the stored state to where the chains say the order is. */
async function follow(run: Run, order: AwardedOrder, facts: OrderFacts): Promise<void> {
  switch (standingOf(facts, order.times)) {
    case 'nothingTaken': {
      const why = 'no origin was opened before the award lapsed';
      if (canTransition(run.order.state, 'failed', 'guard')) {
        const outcome = await outcomeUnserved(run.deps, order, facts);
        await moveTo(run, 'failed', { failure: unopened(run.order, why), outcome });
      }
      return;
    }
    case 'partlyOpen': {
      const why = 'only some origins were opened, so nobody may fill';
      return toRefunding(run, order, facts, failure('partlyOpened', why, 'refunding'));
    }
    case 'lost':
      return toRefunding(run, order, facts, failure('notFilled', lostWhy(facts), 'refunding'));
    case 'refunded': {
      const why = 'the escrow was refunded';
      await toRefunding(run, order, facts, failure('refunded', why, 'refunding'));
      await moveTo(run, 'refunded');
      return;
    }
    case 'allFilled':
      return forward(run);
    case 'released':
      await forward(run);
      return settleByGuard(run);
    case 'opening':
    case 'allOpen':
      return;
  }
}

async function toRefunding(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  because: Failure,
): Promise<void> {
  if (!canTransition(run.order.state, 'refunding', 'guard')) return;
  const outcome = await outcomeUnserved(run.deps, order, facts);
  await moveTo(run, 'refunding', { failure: because, outcome });
}

function lostWhy(facts: OrderFacts): string {
  const lost = facts.outputs.filter((o) => !o.reachable || o.record !== 'filled');
  if (lost.length === 0) return 'an output was filled too late, or an origin was refunded';
  const names = lost.map((o) => `output ${o.index} on chain ${o.chainId}`).join(', ');
  return `the filler did not deliver in time: ${names}`;
}

async function forward(run: Run): Promise<void> {
  for (let next = FORWARD[run.order.state]; next !== undefined; next = FORWARD[run.order.state]) {
    await moveTo(run, next);
  }
}

/** Every origin is Released. The filler's own workflow, if it lives, also counts its profit. */
async function settleByGuard(run: Run): Promise<void> {
  if (run.order.state === 'filled') await moveTo(run, 'proving');
  if (run.order.state === 'proving') await moveTo(run, 'releasing');
  await moveTo(run, 'settled');
}

async function act(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  policy: SettlementPolicy,
): Promise<void> {
  const { state } = run.order;
  const filled = allFilledInTime(facts, order.times.fillDeadline);
  // Filled and not given back: the escrow is the filler's, whether or not it lives to fetch it.
  if (filled && order.decline === null) {
    const proven = await proveFills(run, order, facts, policy);
    if (state === 'filled') await moveTo(run, 'proving');
    if (proven && run.order.state === 'proving' && facts.origins.every((o) => o.reachable)) {
      await moveTo(run, 'releasing');
    }
    await releaseOpen(run, order, facts);
    return;
  }
  if (state === 'refunding') await protectOwner(run, order, facts, policy);
}
