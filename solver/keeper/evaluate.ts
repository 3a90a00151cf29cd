// EVALUATING: look, judge, decide, and then rest or propose. Nothing is written before the end, so
// a crash anywhere only looks again; a quote that was made and not proposed is known to nobody and
// lapses.

import { jitterSeconds } from '../policy/execution/flow.ts';
import { stricter } from '../policy/guards/judgeBreakers.ts';
import { judgePrices } from '../policy/guards/judgePrices.ts';
import type { ChainLimit, Decision, Policy, Reason } from '../policy/types.ts';
import { requestOfAim } from '../quoting/fromAim.ts';
import { assert } from '../types/assert.ts';
import { Fault, isRefusal } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { DecisionView } from '../types/policyService.ts';
import type { PolicyStatus } from '../types/policyStore.ts';
import type { Quote, RebalanceRequest } from '../types/service.ts';
import { countedReadings } from './counted.ts';
import { judge } from './judge.ts';
import { quietStep } from './lifecycle.ts';
import { executionExpected, type Memory, memoryOf } from './memory.ts';
import { type Observed, observe } from './observe.ts';
import { crowded, flowOf } from './pacing.ts';
import { again, failurePauseMs, type JobOutcome, move, type Run, saved, write } from './run.ts';
import { byAsset, decisionKey, decisionView } from './view.ts';

/** A quote that was refused is not asked for again before. */
const REFUSED_PAUSE_MS = 5_000;
/** Nor, when it has been wanted for long, before as long again; up to this. Each asking is a solve. */
const REFUSED_PAUSE_MAX_MS = 300_000;
/** An empty wallet is looked at once in so many polls. */
const EMPTY_POLLS = 10;
/** Memory that changed in nothing but today's worth is written this often. */
const SAVE_EVERY_MS = 30_000;

export async function evaluate(run: Run): Promise<JobOutcome> {
  const { deps, row, policy, memory } = run;
  const nowMs = deps.clock.nowMs();
  if (nowMs < memory.pausedUntilMs) return again(run, memory.pausedUntilMs);
  const seen = await observe(deps, policy, row.owner);
  if (isRefusal(seen)) {
    const unseen = waiting(run, { code: seen.refused, message: seen.message });
    const rested = await rest(run, keptStatus(row.status), unseen, {
      ...memory,
      wantedSince: null,
    });
    if (seen.refused !== 'emptyPortfolio') return rested;
    // Costs reads on every chain and has nothing to lose by being late.
    return { runAtMs: nowMs + EMPTY_POLLS * deps.options.pollMs };
  }
  const { decision, memory: judged } = await judge(deps, policy, seen, memory, true);
  const view = decisionView(policy, decision);
  if (decision.kind === 'idle') {
    return rest(run, statusOf(decision), view, { ...judged, wantedSince: null });
  }
  const wanted = { ...judged, wantedSince: judged.wantedSince ?? decision.at };
  const obstacle = await obstacleTo(run, decision, seen, wanted);
  if (obstacle !== null) {
    return rest(
      run,
      statusOf(decision),
      postponed(view, obstacle.reason),
      wanted,
      obstacle.untilMs,
    );
  }
  return propose(run, decision, view, seen, wanted);
}

/**
 * κτ of a landing that limits per chain go with: they are held, and mended, under tracking alone. A
 * trade that costs 30 bps then stops within 0.1 % of the landing at a variance of 0.3 a year.
 */
const LANDING_AVERSION = 10;

/** The request a decision's aim amounts to. */
export function requestOf(
  { policy, row }: Pick<Run, 'policy'> & { readonly row: Pick<Run['row'], 'owner'> },
  { aim }: Decision,
): RebalanceRequest {
  assert(aim !== null, 'a quote needs an aim');
  const { universe, chains, chainLimits, assets } = policy;
  const limited = chainLimits.length > 0;
  const held = limited || oneWay(aim);
  const asked =
    held && aim.aversion === null
      ? { ...aim, targets: aim.landing, aversion: LANDING_AVERSION }
      : aim;
  return {
    intentType: 'rebalance',
    owner: row.owner,
    scope: { ...(chains === null ? {} : { chains }), assets: [...new Set(universe)] },
    ...requestOfAim(asked, universe, assets),
    // What is left of a budget is no whole number; a limit rounds down.
    maxCostBps: Math.floor(aim.maxCostBps),
    maxSlippageBps: Math.floor(aim.maxSlippageBps),
    ...(limited ? { chainLimits: chainLimits.map((limit) => inNetwork(limit, policy)) } : {}),
  };
}

/**
 * Whether a landing has assets that may only be bought or sold, which tracking holds as capacities: targets
 * in whole bps would sell up to one bp of what must not be sold, or more when a price moves. Not where
 * two assets have no variance: tracking sees no reason to move one into the other.
 */
function oneWay({ buyOnly, sellOnly, covariance, landing }: NonNullable<Decision['aim']>): boolean {
  const size = landing.length;
  const still = landing.filter((_, i) => covariance[i * size + i] === 0).length;
  return buyOnly.length + sellOnly.length > 0 && still <= 1;
}

/** A limit names the policy's asset, a request the network's. */
function inNetwork({ chain, asset, floor, cap }: ChainLimit, { assets, universe }: Policy) {
  const named = asset === null ? null : (universe[assets.indexOf(asset)] ?? asset);
  return { chain, asset: named, floor, cap };
}

interface Obstacle {
  readonly reason: Reason;
  readonly untilMs: number;
}

/** Why a wanted trade is not proposed just now, or null. */
async function obstacleTo(
  run: Run,
  decision: Decision,
  seen: Observed,
  { wantedSince, signableUntilMs }: Memory,
): Promise<Obstacle | null> {
  const { deps, row, policy } = run;
  const { clock, options, store } = deps;
  const nowMs = clock.nowMs();
  const not = (code: string, message: string, untilMs = nowMs + options.pollMs): Obstacle => ({
    reason: { code, message },
    untilMs,
  });
  if (decision.aim === null) {
    return not('noVenue', 'the trade needs a lending or option venue, and none is connected');
  }
  if (seen.orders.length > 0) {
    const message =
      `${seen.orders.length} order(s) of the owner are under way: ` +
      'a quote can only trade what is in the wallet';
    return not('ordersInFlight', message);
  }
  const other = await siblingsProposal(run);
  if (other !== null) {
    const message = `policy ${other} of the same owner has a proposal that could be signed: one at a time`;
    return not('ownerHasProposal', message);
  }
  if (nowMs < signableUntilMs) {
    const message = 'the last proposal could still be signed; two must never be';
    return not('earlierQuoteSignable', message, signableUntilMs);
  }
  if (decision.cause !== 'emergency') {
    const wait = jitterSeconds(row.policyId, String(wantedSince), options.jitterSeconds);
    const until = ((wantedSince ?? seen.now) + wait - seen.now) * 1_000;
    if (until > 0) return not('jitter', `waits ${wait} s of its own`, nowMs + until);
  }
  const flow = flowOf(policy.universe, seen.weights, decision.aim.landing, seen.worthUsd);
  const since = nowMs - options.ownFlow.windowSeconds * 1_000;
  const key = crowded(await store.recentProposals(since), flow, options.ownFlow, clock.now());
  if (key === null) return null;
  return not('ownFlow', `other policies have used up what may go together (${key})`);
}

/** Policies of an owner that are looked through; policiesMax is below it. */
const SIBLINGS_MAX = 100;

/**
 * Another policy of the owner whose proposal could still be signed: both were made from the same wallet, so
 * signing both would trade twice. (That two are not made at once is the store's to hold.)
 */
async function siblingsProposal({ deps, row }: Run): Promise<string | null> {
  const all = await deps.store.listPolicies({ owner: row.owner, limit: SIBLINGS_MAX });
  const now = deps.clock.nowMs();
  const found = all.find(
    ({ policyId, status, memory }) =>
      policyId !== row.policyId &&
      (status === 'proposed' || memoryOf(memory).signableUntilMs > now) &&
      status !== 'committed' &&
      status !== 'inFlight',
  );
  return found?.policyId ?? null;
}

/**
 * Why a quote that was just made is not proposed after all: a block may have come between the decision and
 * it, and the quoter knows the feeds' heartbeats, not this policy's guard.
 */
async function changedSince({ deps, policy, row }: Run, before: Observed): Promise<Reason | null> {
  const seen = await observe(deps, policy, row.owner);
  if (isRefusal(seen)) return { code: seen.refused, message: seen.message };
  if (seen.orders.length > 0) {
    return { code: 'ordersInFlight', message: 'an order of the owner came in meanwhile' };
  }
  const { oracles, assets } = policy;
  const guard = { ...oracles, maxTwapGapBps: null };
  const { prices, reasons } = judgePrices(guard, assets, countedReadings(policy, seen), seen.now);
  const [first] = reasons;
  if (prices === null) return first ?? { code: 'noPrice', message: 'a price is not believed' };
  for (const [i, asset] of assets.entries()) {
    const [was, is] = [before.usd[i] ?? 0, seen.usd[i] ?? 0];
    if (Math.abs(is - was) * 1e4 <= was * oracles.maxDeviationBps) continue;
    return {
      code: 'priceMoved',
      message: `${asset} went from ${was} to ${is} while it was quoted`,
    };
  }
  return null;
}

async function propose(
  run: Run,
  decision: Decision,
  view: DecisionView,
  seen: Observed,
  memory: Memory,
): Promise<JobOutcome> {
  const { deps, policy } = run;
  const { clock, options, quoter } = deps;
  let quote: Quote | Awaited<ReturnType<typeof quoter.quote>>;
  try {
    quote = await quoter.quote(requestOf(run, decision));
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'storeUnavailable') throw error;
    const failures = memory.consecutiveFailures + 1;
    const reason = { code: 'fault', message: `no quote: ${error.message}`.slice(0, 300) };
    const paused = clock.nowMs() + failurePauseMs(run, failures);
    const failed = { ...memory, consecutiveFailures: failures, pausedUntilMs: paused };
    return rest(run, statusOf(decision), postponed(view, reason), failed, paused);
  }
  if (isRefusal(quote)) {
    const reason = { code: quote.refused, message: quote.message };
    const wantedMs = (seen.now - (memory.wantedSince ?? seen.now)) * 1_000;
    const pause = Math.min(REFUSED_PAUSE_MAX_MS, Math.max(REFUSED_PAUSE_MS, wantedMs));
    const paused = clock.nowMs() + pause;
    const slot = quote.refused === 'nothingToDo' && slotAnswered(view);
    const refused = {
      ...memory,
      pausedUntilMs: paused,
      lastScheduledAt: slot ? decision.at : memory.lastScheduledAt,
    };
    return rest(run, statusOf(decision), postponed(view, reason), refused, paused);
  }
  const changed = await changedSince(run, seen);
  if (changed !== null) {
    const paused = clock.nowMs() + REFUSED_PAUSE_MS;
    const later = { ...memory, pausedUntilMs: paused };
    return rest(run, statusOf(decision), postponed(view, changed), later, paused);
  }
  const validUntilMs = quote.validUntil * 1_000;
  const { aim } = decision;
  assert(aim !== null, 'proposed without an aim');
  const expected: JsonObject = {
    at: decision.at,
    slotAnswered: slotAnswered(view),
    execution: executionExpected(decision),
    worthUsd: seen.worthUsd,
    turnover: aim.turnover,
    landing: byAsset(policy.assets, aim.landing),
    weights: byAsset(policy.assets, seen.weights),
    priceUsd: byAsset(policy.universe, seen.usd),
    flowUsd: flowOf(policy.universe, seen.weights, aim.landing, seen.worthUsd),
  };
  const why = view.reasons[0]?.message ?? 'the policy wants a trade';
  const { quoteId, response } = quote;
  return move(
    run,
    ['evaluating', 'proposed'],
    {
      because: { proposed: { code: decision.cause ?? 'wanted', why } },
      data: {
        proposed: {
          decision: viewJson(view),
          quoteId,
          validUntil: quote.validUntil,
          totalFeesUsd: feesOf(response),
        },
      },
      memory: {
        ...memory,
        decision: view,
        loggedKey: decisionKey(view),
        loggedAt: decision.at,
        haltedEvent: null,
        quoteId,
        signableUntilMs: validUntilMs + options.admissionGraceMs,
      },
      propose: { quoteId, validUntilMs, response, expected },
    },
    again(run, validUntilMs + options.admissionGraceMs).runAtMs,
  );
}

/**
 * Rests at `status`; logs the decision when it says something new, or has not been logged for long.
 */
async function rest(
  run: Run,
  status: PolicyStatus,
  view: DecisionView,
  memory: Memory,
  untilMs: number = view.nextAt * 1_000,
): Promise<JobOutcome> {
  const { deps, row } = run;
  const nowMs = deps.clock.nowMs();
  const key = decisionKey(view);
  const stale = view.at - memory.loggedAt >= deps.options.repeatLogSeconds;
  const stopped = status === 'halted' || status === 'reduceOnly';
  const entered = stopped && row.status !== status;
  const next: Memory = {
    ...memory,
    decision: view,
    haltedEvent: !stopped ? null : entered ? row.eventCount + 1 : memory.haltedEvent,
  };
  const { runAtMs } = again(run, Math.max(untilMs, memory.pausedUntilMs));
  if (row.status === status && key === memory.loggedKey && !stale) {
    if (sameButWorth(run.memory, next) && nowMs - run.memory.savedAtMs < SAVE_EVERY_MS) {
      return { runAtMs };
    }
    return write(run, quietStep(row, saved(run, next)), runAtMs);
  }
  const [first] = view.reasons;
  const because = {
    code: first?.code ?? 'idle',
    why: first?.message ?? 'nothing to do',
  };
  return move(
    run,
    ['evaluating', status],
    {
      because: { [status]: because },
      data: { [status]: { decision: viewJson(view) } },
      memory: { ...next, loggedKey: key, loggedAt: view.at },
    },
    runAtMs,
  );
}

function sameButWorth(before: Memory, after: Memory): boolean {
  const rest = ({ worth: _w, decision: _d, savedAtMs: _s, ...others }: Memory) =>
    JSON.stringify(others);
  return rest(before) === rest(after);
}

/** The mode of the decision as a resting state. */
export function statusOf({ mode }: Pick<Decision, 'mode'>): PolicyStatus {
  const strictest = stricter(mode, 'normal');
  if (strictest === 'halted') return 'halted';
  return strictest === 'reduceOnly' ? 'reduceOnly' : 'idle';
}

/** Where an evaluation that saw nothing leaves the row. */
function keptStatus(status: PolicyStatus): PolicyStatus {
  return status === 'reduceOnly' || status === 'halted' || status === 'repair' ? status : 'idle';
}

/** A decision to wait because the world could not be seen. */
function waiting({ deps, row }: Run, reason: Reason): DecisionView {
  const now = deps.clock.now();
  return {
    at: now,
    mode: row.status === 'halted' || row.status === 'reduceOnly' ? row.status : 'normal',
    kind: 'idle',
    cause: null,
    aim: null,
    leverage: null,
    hedge: null,
    reasons: [{ code: reason.code, message: reason.message }],
    skipped: [],
    nextAt: now + Math.ceil(deps.options.pollMs / 1_000),
  };
}

/** The decision to act, not acted on: why comes first, what was wanted stays to be read. */
function postponed(view: DecisionView, reason: Reason): DecisionView {
  return { ...view, reasons: [{ code: reason.code, message: reason.message }, ...view.reasons] };
}

const slotAnswered = ({ reasons }: DecisionView): boolean =>
  reasons.some(({ code }) => code === 'slotAnswered');

export const viewJson = (view: DecisionView): JsonObject =>
  JSON.parse(JSON.stringify(view)) as JsonObject;

function feesOf(response: JsonObject): string | null {
  const { metadata } = response;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return null;
  const { totalFeesUsd } = metadata as JsonObject;
  return typeof totalFeesUsd === 'string' ? totalFeesUsd : null;
}
