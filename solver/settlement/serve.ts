// The filler's side of an order, job kind `serve`: from `created` to `settled` in small idempotent
// steps where our own desk won its auction, and only watching (watching.ts) where another filler did. Every step reads facts first and sends what they lack, so a crash at any line only repeats
// a look. A failed order it hands to the guard with a signed Decline, where nothing was filled yet;
// it refunds nothing itself.

import { declineDigest } from '../../contracts-abi/typedData.ts';
import { present } from '../types/assert.ts';
import type { AwardOutcome } from '../types/auction.ts';
import type { AuctionStore } from '../types/auctionStore.ts';
import { Fault } from '../types/errors.ts';
import { chainId, orderId } from '../types/ids.ts';
import { Reverted } from '../types/ports.ts';
import type { JobLease } from '../types/store.ts';
import { type AwardedOrder, parseAwarded } from './awardedOrder.ts';
import { cancelAsked } from './cancelling.ts';
import { openCall } from './contracts.ts';
import { standingOf } from './decide.ts';
import { allFilledInTime, isOpen, type OrderFacts } from './facts.ts';
import { type CannotFill, commit, fill } from './filling.ts';
import { join } from './joining.ts';
import { GUARD_JOB } from './kinds.ts';
import { type Failure, failure, isTerminal } from './lifecycle.ts';
import { outcomeUnserved } from './outcomes.ts';
import type { SettlementPolicy } from './policy.ts';
import type { FillerDesk, SettlementDeps } from './ports.ts';
import { inputsOf, proveFills, releaseOpen } from './proving.ts';
import { readFacts } from './readFacts.ts';
import { createTurnstile, type Sharing } from './reserving.ts';
import { openTimeNeeded } from './rules.ts';
import { isReselling, resell, restore, settle } from './settling.ts';
import {
  again,
  chainOf,
  ensure,
  finished,
  forEachChain,
  type JobOutcome,
  moveTo,
  note,
  type Run,
  revertText,
  unlessDown,
  wasSent,
} from './steps.ts';
import { lapse, watch } from './watching.ts';

export interface ServeDeps extends SettlementDeps {
  readonly desk: FillerDesk;
  readonly auctions: Pick<AuctionStore, 'join'>;
  readonly policy: SettlementPolicy;
}

type Serving = ServeDeps & Sharing;

/** What is missing of Sharing: without a turnstile over processes, one of this process. */
type ServeOptions = ServeDeps & Partial<Pick<Sharing, 'oneByOne'>>;

/** Steps of one order taken in one run of its job, before it queues again. */
const STEPS_PER_RUN_MAX = 16;

/** The handler of job kind `serve`; the job's key is the orderId. */
export function createServe(deps: ServeOptions) {
  const serving: Serving = { ...deps, oneByOne: deps.oneByOne ?? createTurnstile() };
  return async (lease: JobLease, signal: AbortSignal): Promise<JobOutcome> => {
    const row = present(await deps.store.getOrder(orderId(lease.key)), `order ${lease.key}`);
    const run: Run = { deps, actor: 'serve', sender: deps.desk.address, lease, order: row };
    try {
      for (let steps = 0; steps < STEPS_PER_RUN_MAX && !signal.aborted; steps += 1) {
        const version = run.order.version;
        const outcome = await serveStep(run, serving);
        if ('done' in outcome || run.order.version === version) return outcome;
      }
      return again(deps, 0);
    } catch (error) {
      // Something outside failed: the order's own deadlines, not a growing pause, decide how long.
      if (error instanceof Fault && error.retryable) return again(deps, deps.policy.faultRetryMs);
      throw error;
    }
  };
}

async function serveStep(run: Run, deps: Serving): Promise<JobOutcome> {
  const { state } = run.order;
  if (isReselling(run.order)) return resell(run, deps, parseAwarded(run.order));
  if (isTerminal(state) || state === 'refunding') return finished;
  if (state === 'created') return join(run, deps);
  const order = parseAwarded(run.order);
  const ours = order.award.award.filler === deps.desk.address;
  if (ours && state === 'awarded' && !cancelAsked(run.order)) {
    await moveTo(run, 'opening');
    return again(deps, 0);
  }
  const facts = await readFacts(deps, order);
  if (!ours) return watch(run, deps.policy, order, facts);
  switch (state) {
    case 'awarded':
    case 'opening':
      return open(run, deps, order, facts);
    case 'opened':
    case 'filling':
      return pay(run, deps, order, facts);
    case 'filled':
      await moveTo(run, 'proving');
      return again(deps, 0);
    case 'proving':
    case 'releasing':
      return collect(run, deps, order, facts);
  }
}

async function open(
  run: Run,
  deps: ServeDeps,
  order: AwardedOrder,
  facts: OrderFacts,
): Promise<JobOutcome> {
  const { policy } = deps;
  const standing = standingOf(facts, order.times);
  if (standing === 'allOpen' || standing === 'allFilled') {
    await moveTo(run, 'opened');
    return again(deps, 0);
  }
  const problem = run.order.facts.openProblem;
  const because = typeof problem === 'string' ? ` (${problem})` : '';
  if (standing === 'nothingTaken') return lapse(run, policy, order, facts, because);
  const needed = openTimeNeeded(order.order, deps.network, policy.minFillSeconds);
  const late = deps.clock.now() > order.times.fillDeadline - needed;
  if (standing === 'partlyOpen' || (late && facts.origins.some(isOpen))) {
    const why = `only some origins could be opened${because}, and then nobody may fill`;
    const outcome = await outcomeUnserved(deps, order, facts);
    return decline(run, deps, order, failure('partlyOpened', why, 'refunding'), outcome);
  }
  if (standing !== 'opening') return again(deps, policy.idleMs);
  if (!late && !cancelAsked(run.order)) await openMissing(run, deps, order, facts);
  return again(deps, policy.pollMs);
}

/** Sends what is not open yet; the first transactions only if every origin would accept its own. */
async function openMissing(run: Run, deps: ServeDeps, order: AwardedOrder, facts: OrderFacts) {
  if (deps.clock.now() > order.times.openBy) return;
  const missing = order.order.origins
    .map((origin) => Number(origin.chainId))
    .filter((id) => !facts.origins.some((fact) => fact.chainId === id && isOpen(fact)));
  if (!order.order.origins.some((o) => wasSent(run.order, `open:${o.chainId}`))) {
    for (const id of missing) {
      const problem = await wouldNotOpen(run, order, id);
      if (problem !== null) return noteProblem(run, id, problem);
    }
  }
  await forEachChain(missing, async (id) => {
    const result = await unlessDown(() =>
      ensure(run, {
        chainId: chainId(id),
        purpose: `open:${id}`,
        ...openCall(order, id),
        summary: { step: 'open', inputs: inputsOf(order, id) },
      }),
    );
    if (result instanceof Fault) await noteProblem(run, id, result.message);
    else if ('reason' in result) await noteProblem(run, id, result.reason);
  });
}

async function wouldNotOpen(run: Run, order: AwardedOrder, id: number): Promise<string | null> {
  const { to, data } = openCall(order, id);
  try {
    const request = { from: run.sender, to, data, value: 0n };
    await chainOf(run.deps, id).estimateGas(request);
    return null;
  } catch (error) {
    if (error instanceof Reverted)
      return `it would revert: ${revertText(error.data, error.message)}`;
    if (error instanceof Fault && error.retryable) return error.message;
    throw error;
  }
}

async function noteProblem(run: Run, id: number, why: string) {
  const openProblem = `chain ${id}: ${why}`.slice(0, 300);
  if (run.order.facts.openProblem === openProblem) return;
  await note(run, [{ type: 'order.openBlocked', data: { chain: id, why } }], { openProblem });
}

async function pay(
  run: Run,
  deps: Serving,
  order: AwardedOrder,
  facts: OrderFacts,
): Promise<JobOutcome> {
  if (allFilledInTime(facts, order.times.fillDeadline)) {
    await moveTo(run, run.order.state === 'opened' ? 'filling' : 'filled');
    return again(deps, 0);
  }
  const next = run.order.state === 'opened' ? commit : fill;
  const outcome: JobOutcome | CannotFill = await next(run, order, facts, deps);
  if (!('cannotFill' in outcome)) return outcome;
  const why = `the filler gives the order back before filling anything: ${outcome.why}`;
  return decline(run, deps, order, failure(outcome.cannotFill, why, 'refunding'), 'faded');
}

async function collect(
  run: Run,
  deps: ServeDeps,
  order: AwardedOrder,
  facts: OrderFacts,
): Promise<JobOutcome> {
  const { policy } = deps;
  const standing = standingOf(facts, order.times);
  if (standing === 'released') {
    if (run.order.state === 'proving') {
      await moveTo(run, 'releasing');
      return again(deps, 0);
    }
    return settle(run, deps, order);
  }
  if (standing === 'refunded' || standing === 'lost') {
    const why = 'an origin was refunded after expiry, before the release';
    await moveTo(run, 'refunding', { failure: failure('refundedAfterExpiry', why, 'refunding') });
    return finished;
  }
  if (!allFilledInTime(facts, order.times.fillDeadline)) return again(deps, policy.faultRetryMs);
  const proven = await proveFills(run, order, facts, policy);
  if (proven && run.order.state === 'proving' && facts.origins.every((o) => o.reachable)) {
    await moveTo(run, 'releasing');
  }
  await releaseOpen(run, order, facts);
  const released = facts.origins.filter((o) => o.reachable && o.ours && o.status === 'released');
  const ids = released.map((origin) => origin.chainId);
  await restore(run, deps.desk, order, ids);
  return again(deps, policy.pollMs);
}

/** Gives the award back: only ever before the first fill. The guard refunds on it at once. */
async function decline(
  run: Run,
  deps: ServeDeps,
  order: AwardedOrder,
  because: Failure,
  outcome: AwardOutcome,
): Promise<JobOutcome> {
  const signature = await deps.desk.signer.signDigest(declineDigest(order.award.awardId));
  await moveTo(run, 'refunding', {
    failure: because,
    outcome,
    facts: { decline: signature },
    jobs: [{ kind: GUARD_JOB, key: run.order.orderId, runAtMs: deps.clock.nowMs() }],
  });
  return finished;
}
