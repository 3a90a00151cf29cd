// What happens to a proposal and its order, from the owner's signature to the cooldown after it:
// reads the store, and the chains only to count what a refunded order delivered. It signs and sends
// nothing: the order's own workflows do.

import { assert, present } from '../types/assert.ts';
import { isRefusal } from '../types/errors.ts';
import { type OrderId, orderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { StoredProposal } from '../types/policyStore.ts';
import type { OrderState, StoredOrder } from '../types/store.ts';
import { statusOf, viewJson } from './evaluate.ts';
import { judge } from './judge.ts';
import type { KeeperState } from './lifecycle.ts';
import { executionSigned, type Memory, settled } from './memory.ts';
import { observe } from './observe.ts';
import { again, failurePauseMs, type JobOutcome, liveProposal, move, type Run } from './run.ts';
import { outputNodes, settlementOf } from './settlementOf.ts';
import { byAsset, decisionView } from './view.ts';

/** Proposals of one policy searched for an order's; the order's is among the last two. */
const PROPOSALS_SEARCHED = 16;

/** PROPOSED: signed, lapsed, stopped by a guard, or still waiting. */
export async function watchProposal(run: Run): Promise<JobOutcome> {
  const { deps, memory } = run;
  const proposal = await liveProposal(run);
  // The row was read before: its owner, or another keeper, has moved it since.
  if (proposal === null) return again(run, 0);
  assert(proposal.quoteId === memory.quoteId, 'the live proposal is the one remembered');
  const order = await deps.store.orderOfQuote(proposal.quoteId);
  if (order !== null) return commit(run, proposal.quoteId, order.orderId, 'signed');
  const over = memory.signableUntilMs;
  if (deps.clock.nowMs() > over) {
    return move(run, ['armed'], {
      because: { armed: { code: 'proposalExpired', why: 'nobody signed the proposal in time' } },
      data: { armed: { quoteId: proposal.quoteId } },
      memory: { ...memory, pausedUntilMs: await pausedAfter(run, proposal) },
      close: { quoteId: proposal.quoteId, outcome: 'expired', orderId: null },
    });
  }
  return (await stopped(run, proposal)) ?? again(run, over);
}

/** Unsigned proposals in a row that are counted. */
const UNSIGNED_MAX = 8;

/**
 * Until when nothing is evaluated after a proposal nobody signed: at once after the first; after the n-th in
 * a row for 2^(n − 2) times as long as one could be signed. Each is a solve, a row, and room in the flow
 * that all policies share.
 */
async function pausedAfter({ deps, row }: Run, proposal: StoredProposal): Promise<number> {
  const recent = await deps.store.proposals(row.policyId, UNSIGNED_MAX);
  const signed = recent.findIndex(({ outcome }) => outcome !== null && outcome !== 'expired');
  const unsigned = signed < 0 ? recent.length : signed;
  const life = Math.max(0, proposal.validUntilMs - proposal.createdAtMs);
  return deps.clock.nowMs() + (unsigned < 2 ? 0 : life * 2 ** (unsigned - 2));
}

/** Withdraws the proposal when a guard would not let it be made now. */
async function stopped(run: Run, proposal: StoredProposal): Promise<JobOutcome | null> {
  const { deps, policy, row, memory } = run;
  const seen = await observe(deps, policy, row.owner);
  // What cannot be seen now was seen when it was proposed, and lapses by itself.
  if (isRefusal(seen)) return null;
  const others = seen.orders.filter(({ quoteId }) => quoteId !== proposal.quoteId);
  if (others.length > 0) {
    const why = `the owner’s order ${others[0]?.orderId} came first: the proposal counted on its tokens`;
    return move(run, ['armed'], {
      because: { armed: { code: 'ordersInFlight', why } },
      data: { armed: { withdrawn: proposal.quoteId } },
      memory,
      close: { quoteId: proposal.quoteId, outcome: 'withdrawn', orderId: null },
    });
  }
  const { decision, memory: judged } = await judge(deps, policy, seen, memory, true);
  const status = statusOf(decision);
  const before = memory.decision?.mode ?? 'normal';
  if (status === 'idle' || (status === 'reduceOnly' && before === 'reduceOnly')) return null;
  const view = decisionView(policy, decision);
  const [first] = view.reasons;
  const why = first?.message ?? 'a guard stopped it';
  return move(run, [status], {
    because: { [status]: { code: first?.code ?? 'guard', why } },
    data: { [status]: { decision: viewJson(view), withdrawn: proposal.quoteId } },
    memory: {
      ...judged,
      decision: view,
      wantedSince: null,
      haltedEvent: row.eventCount + 1,
      loggedKey: '',
    },
    close: { quoteId: proposal.quoteId, outcome: 'withdrawn', orderId: null },
  });
}

/**
 * An order that signs a proposal which was given up, admitted in its last moment: it is followed
 * like any other. null: there is none.
 */
export async function lateOrder(run: Run): Promise<JobOutcome | null> {
  const { quoteId } = run.memory;
  if (quoteId === null) return null;
  const order = await run.deps.store.orderOfQuote(quoteId);
  return order === null ? null : commit(run, quoteId, order.orderId, 'signedLate');
}

async function commit(
  run: Run,
  quoteId: string,
  id: OrderId,
  code: 'signed' | 'signedLate',
): Promise<JobOutcome> {
  const { memory } = run;
  const expected = await expectedOf(run, quoteId);
  const slot = expected.slotAnswered === true && typeof expected.at === 'number';
  return move(run, ['committed'], {
    because: { committed: { code, why: 'the owner signed the proposal' } },
    data: { committed: { quoteId, orderId: id } },
    memory: {
      ...memory,
      orderId: id,
      // Its order is known: no late one can come.
      quoteId: null,
      wantedSince: null,
      haltedEvent: null,
      execution: executionSigned(memory.execution, expected),
      lastScheduledAt: slot ? (expected.at as Memory['lastScheduledAt']) : memory.lastScheduledAt,
    },
    close: { quoteId, outcome: 'committed', orderId: id },
  });
}

const BEFORE_OPEN: readonly OrderState[] = ['created', 'awarded', 'opening'];

/** COMMITTED and IN_FLIGHT: follows the order. */
export async function followOrder(run: Run): Promise<JobOutcome> {
  const order = await orderOf(run);
  const { status } = run.row;
  const through: readonly KeeperState[] = status === 'committed' ? ['inFlight'] : [];
  const because = { inFlight: { code: order.state, why: 'the order is being settled' } };
  switch (order.state) {
    case 'settled':
      return afterSettled(run, order, [...through, 'settled', 'cooldown'], because);
    case 'refunded':
      return move(run, [...through, 'partial'], {
        because: { ...because, partial: { code: 'refunded', why: reasonOf(order) } },
        data: { partial: { orderId: order.orderId } },
        memory: run.memory,
      });
    case 'failed':
      return afterFailure(run, order, ['cooldown'], {
        cooldown: { code: 'orderFailed', why: reasonOf(order) },
      });
    default:
      if (status === 'inFlight' || BEFORE_OPEN.includes(order.state)) return again(run);
      return move(
        run,
        ['inFlight'],
        { because, data: { inFlight: { orderId: order.orderId } }, memory: run.memory },
        again(run).runAtMs,
      );
  }
}

async function afterSettled(
  run: Run,
  order: StoredOrder,
  path: readonly KeeperState[],
  because: Readonly<Partial<Record<KeeperState, { code: string; why: string }>>>,
): Promise<JobOutcome> {
  const { deps, memory, policy } = run;
  const expected = await expectedOf(run, present(order.quoteId, 'a quoted order'));
  const past = settlementOf(order, expected, deps.network, deps.clock.now());
  const untilMs = deps.clock.nowMs() + policy.cooldownSeconds * 1_000;
  return move(
    run,
    path,
    {
      because: {
        ...because,
        settled: { code: 'settled', why: 'every output was delivered' },
        cooldown: { code: 'settled', why: `rests ${policy.cooldownSeconds} s after a settlement` },
      },
      data: {
        settled: { orderId: order.orderId, cost: past.cost, turnover: past.turnover },
        cooldown: { untilMs },
      },
      memory: { ...settled(memory, past), orderId: null, pausedUntilMs: untilMs },
    },
    again(run, untilMs).runAtMs,
  );
}

/** Counts a failure; the pause grows with every one in a row. */
async function afterFailure(
  run: Run,
  order: StoredOrder,
  path: readonly KeeperState[],
  because: Readonly<Partial<Record<KeeperState, { code: string; why: string }>>>,
): Promise<JobOutcome> {
  const { deps, memory } = run;
  const failures = memory.consecutiveFailures + 1;
  const untilMs = deps.clock.nowMs() + failurePauseMs(run, failures);
  const { orderId: id } = order;
  return move(
    run,
    path,
    {
      because,
      data: { cooldown: { orderId: id, failures, untilMs }, refund: { orderId: id } },
      memory: { ...memory, orderId: null, consecutiveFailures: failures, pausedUntilMs: untilMs },
    },
    again(run, untilMs).runAtMs,
  );
}

/**
 * PARTIAL: what the refunded order delivered, by the chains. Nothing: everything is as before, a
 * failure. Something: the portfolio stands where no plan wanted it, and is solved anew from what is
 * there.
 */
export async function countPartial(run: Run): Promise<JobOutcome> {
  const { deps, row, policy, memory } = run;
  const order = await orderOf(run);
  const { outputs } = await deps.standing(order, new Map());
  if (!outputs.some(({ delivered }) => delivered)) {
    const why = 'no output was delivered and every input came back';
    return afterFailure(run, order, ['refund', 'cooldown'], {
      refund: { code: 'refunded', why },
      cooldown: { code: 'refunded', why: 'counted as a failure' },
    });
  }
  const seen = await observe(deps, policy, row.owner);
  if (isRefusal(seen)) return again(run);
  const expected = await expectedOf(run, present(order.quoteId, 'a quoted order'));
  const nodes = outputNodes(order, deps.network);
  const why = 'part of the order was delivered; what is left is solved from actual balances';
  return move(run, ['repair'], {
    because: { repair: { code: 'partlyDelivered', why } },
    data: {
      repair: {
        orderId: order.orderId,
        delivered: nodes.filter((_, i) => outputs[i]?.delivered),
        missing: nodes.filter((_, i) => !outputs[i]?.delivered),
        expected: (expected.landing ?? null) as JsonObject,
        actual: byAsset(policy.assets, seen.weights),
      },
    },
    memory: { ...memory, orderId: null, consecutiveFailures: memory.consecutiveFailures + 1 },
  });
}

async function orderOf({ deps, memory }: Run): Promise<StoredOrder> {
  const id = orderId(present(memory.orderId, 'the order of a committed policy'));
  return present(await deps.orders.getOrder(id), `order ${id}`);
}

async function expectedOf({ deps, row }: Run, quoteId: string): Promise<JsonObject> {
  const proposals = await deps.store.proposals(row.policyId, PROPOSALS_SEARCHED);
  const proposal = proposals.find((one) => one.quoteId === quoteId);
  return present(proposal, `the proposal ${quoteId}`).expected;
}

const reasonOf = ({ reason, state }: StoredOrder): string => reason ?? `the order is ${state}`;
