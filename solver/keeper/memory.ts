// What the keeper keeps of a policy between two steps, stored with its row. Plain JSON, written
// only by this room, so reading it asserts and does not forgive. Holds nothing that could be looked
// up: prices, balances, orders and proposals are read anew every time.

import { type ExecutionHistory, START_OF_EXECUTION } from '../policy/execution/types.ts';
import type { BreakerState } from '../policy/guards/breakers.ts';
import type { Decision, PastSettlement, PolicyHistory } from '../policy/types.ts';
import { type UnixSeconds, unixSeconds } from '../types/amounts.ts';
import { assert } from '../types/assert.ts';
import type { JsonObject } from '../types/json.ts';
import type { DecisionView } from '../types/policyService.ts';

export interface Memory {
  readonly armedAt: UnixSeconds;
  readonly lastSettledAt: UnixSeconds | null;
  readonly lastScheduledAt: UnixSeconds | null;
  readonly settlements: readonly PastSettlement[];
  /** Gas seen, a wait for cheaper gas, slices in progress; null: the policy has none of it yet. */
  readonly execution: ExecutionHistory | null;
  readonly worth: BreakerState['worth'];
  readonly consecutiveFailures: number;
  readonly tripped: BreakerState['tripped'];
  /** The last decision, logged or not. */
  readonly decision: DecisionView | null;
  /** What the last logged decision was, and when, so that only a change is logged. */
  readonly loggedKey: string;
  readonly loggedAt: number;
  /** `number` of the event that halted it or made it reduce-only; null: neither. */
  readonly haltedEvent: number | null;
  /** The halt the owner ended last, so that the same word again gets the same answer. */
  readonly resumedEvent: number | null;
  /** Since when a trade is wanted without a break; null: none is. */
  readonly wantedSince: number | null;
  /** Nothing is evaluated before, milliseconds. */
  readonly pausedUntilMs: number;
  /** The last proposal, and until when an order that signs it may come in, milliseconds. */
  readonly quoteId: string | null;
  readonly signableUntilMs: number;
  /** The order being settled. */
  readonly orderId: string | null;
  /** When this was last written, milliseconds. */
  readonly savedAtMs: number;
}

/** Past settlements are counted over 30 days; the limit is far above what a cooldown allows. */
const HISTORY_SECONDS = 31 * 86_400;
const SETTLEMENTS_MAX = 1_024;
/** Samples of worth over the drawdown window: 1 in WORTH_SAMPLES of it is the finest kept. */
const WORTH_SAMPLES = 256;

export function freshMemory(armedAt: UnixSeconds): Memory {
  return {
    armedAt,
    lastSettledAt: null,
    lastScheduledAt: null,
    settlements: [],
    execution: null,
    worth: [],
    consecutiveFailures: 0,
    tripped: null,
    decision: null,
    loggedKey: '',
    loggedAt: 0,
    haltedEvent: null,
    resumedEvent: null,
    wantedSince: null,
    pausedUntilMs: 0,
    quoteId: null,
    signableUntilMs: 0,
    orderId: null,
    savedAtMs: 0,
  };
}

export const memoryToJson = (memory: Memory): JsonObject =>
  JSON.parse(JSON.stringify(memory)) as JsonObject;

/** The inverse; members that a newer version added have their first value. */
export function memoryOf(json: JsonObject): Memory {
  const { armedAt } = json;
  assert(typeof armedAt === 'number', 'a policy memory without armedAt');
  return { ...freshMemory(unixSeconds(armedAt)), ...json } as Memory;
}

/** As of `now`: chains' clocks differ, so nothing remembered may lie after it. */
export function historyOf(memory: Memory, now: UnixSeconds): PolicyHistory {
  const past = (at: UnixSeconds) => unixSeconds(Math.min(at, now));
  const { armedAt, lastSettledAt, lastScheduledAt, settlements, execution } = memory;
  return {
    armedAt: past(armedAt),
    lastSettledAt: lastSettledAt === null ? null : past(lastSettledAt),
    lastScheduledAt: lastScheduledAt === null ? null : past(lastScheduledAt),
    settlements: settlements.map((one) => ({ ...one, at: past(one.at) })),
    ...(execution === null ? {} : { execution: executionAsOf(execution, past) }),
  };
}

function executionAsOf(
  { gas, waitingSince, slices }: ExecutionHistory,
  past: (at: UnixSeconds) => UnixSeconds,
): ExecutionHistory {
  return {
    gas: gas.map((one) => ({ ...one, at: past(one.at) })),
    waitingSince: waitingSince === null ? null : past(waitingSince),
    slices: slices === null ? null : { ...slices, since: past(slices.since) },
  };
}

/**
 * What is remembered of execution after a decision: all it says when it rests. A trade's is stored with
 * its proposal and kept when that is signed; only the gas that was seen is kept at once.
 */
export function executionAfter(
  known: Memory['execution'],
  { kind, executionHistory }: Pick<Decision, 'kind' | 'executionHistory'>,
): Memory['execution'] {
  if (executionHistory === undefined) return known;
  if (kind === 'idle') return executionHistory;
  return { ...(known ?? START_OF_EXECUTION), gas: executionHistory.gas };
}

/** What of it goes with the proposal: all but the gas. */
export function executionExpected({
  executionHistory,
}: Pick<Decision, 'executionHistory'>): JsonObject | null {
  if (executionHistory === undefined) return null;
  const { waitingSince, slices } = executionHistory;
  return JSON.parse(JSON.stringify({ waitingSince, slices })) as JsonObject;
}

/** The same, once the proposal is signed. */
export function executionSigned(
  known: Memory['execution'],
  { execution = null }: JsonObject,
): Memory['execution'] {
  if (execution === null) return known;
  const signed = execution as unknown as Pick<ExecutionHistory, 'waitingSince' | 'slices'>;
  return { ...START_OF_EXECUTION, gas: known?.gas ?? [], ...signed };
}

/** The memory after a settlement, which ends a row of failures. */
export function settled(memory: Memory, settlement: PastSettlement): Memory {
  const kept = [...memory.settlements, settlement]
    .filter(({ at }) => at >= settlement.at - HISTORY_SECONDS)
    .slice(-SETTLEMENTS_MAX);
  return { ...memory, settlements: kept, lastSettledAt: settlement.at, consecutiveFailures: 0 };
}

/**
 * Worth with today's added, at most WORTH_SAMPLES in the window. The last sample is always now's,
 * the one before is replaced while it is younger than the grid; a peak between two samples is kept
 * by keeping the higher of the two that share a cell.
 */
export function withWorth(
  worth: Memory['worth'],
  now: UnixSeconds,
  usd: number,
  windowSeconds: number,
): Memory['worth'] {
  const cell = Math.max(1, Math.floor(windowSeconds / WORTH_SAMPLES));
  const past = worth.filter(({ at }) => at < now && at >= now - windowSeconds);
  const kept: { at: UnixSeconds; usd: number }[] = [];
  for (const sample of past) {
    const last = kept.at(-1);
    if (last === undefined || Math.floor(last.at / cell) !== Math.floor(sample.at / cell)) {
      kept.push(sample);
    } else if (sample.usd > last.usd) kept[kept.length - 1] = sample;
  }
  return [...kept, { at: now, usd }];
}
