// A policy's lifecycle: the one TRANSITIONS table, what each state means, and the only constructor
// of store steps. Pure. It refuses (as a defect) any change that the table does not list.

import { assert, present } from '../types/assert.ts';
import type { JsonObject } from '../types/json.ts';
import type { PolicyStatus, PolicyStep, StoredPolicy } from '../types/policyStore.ts';
import type { NewEvent } from '../types/store.ts';

/**
 * States that no row ever shows. `draft`: a document that nobody signed, kept by its author.
 * `evaluating`: the running keep job; after a crash its lease runs out and it is run again.
 * `settled`, `refund`: passed within one transaction, each with its event.
 */
export type MomentaryState = 'draft' | 'evaluating' | 'settled' | 'refund';
export type KeeperState = PolicyStatus | MomentaryState;

type When = string;
const ended = {
  revoked: 'the owner signed RevokePolicy',
  expired: 'the time it was signed for, or its document’s own, is over',
};
const late = 'an order came in that signs a proposal which was over already, in time all the same';
const watching = { evaluating: 'its time came, or an order of the owner moved', committed: late };

/** Every allowed change of state, and on which fact. */
export const TRANSITIONS: Readonly<
  Record<KeeperState, Readonly<Partial<Record<KeeperState, When>>>>
> = {
  draft: { armed: 'the owner signed the document' },
  armed: { ...watching, ...ended },
  evaluating: {
    idle: 'nothing to do, or not now: the reasons say why',
    reduceOnly: 'a guard allows reductions only, and none is due',
    halted: 'a guard stops it: prices that cannot be believed, or a breaker',
    proposed: 'a trade is wanted and quoted; the owner is asked to sign it',
    repair: 'the portfolio could not be seen, and a repair is still owed',
  },
  idle: { ...watching, ...ended },
  reduceOnly: { ...watching, armed: 'the owner resumed it', ...ended },
  halted: { ...watching, armed: 'the owner resumed it', ...ended },
  proposed: {
    committed: 'the owner signed: the proposal’s order was admitted',
    armed: 'nobody signed in time, or another order of the owner came first',
    halted: 'a guard stopped it, so the proposal was withdrawn',
    reduceOnly: 'a guard allows reductions only, so the proposal was withdrawn',
    ...ended,
  },
  committed: {
    inFlight: 'the escrow is open on every origin, or is being refunded',
    cooldown: 'the order failed before anything was taken',
    ...ended,
  },
  inFlight: {
    settled: 'every output was delivered and every escrow released',
    partial: 'the order was refunded',
    ...ended,
  },
  settled: { cooldown: 'its costs are counted' },
  partial: {
    repair: 'some outputs were delivered: what to do next is solved from actual balances',
    refund: 'no output was delivered and everything came back',
    ...ended,
  },
  repair: { ...watching, ...ended },
  refund: { cooldown: 'counted as a failure' },
  cooldown: { armed: 'the cooldown is over', ...ended },
  revoked: {},
  expired: {},
};

export const KEEPER_STATES = Object.keys(TRANSITIONS) as readonly KeeperState[];
const MOMENTARY: readonly KeeperState[] = ['draft', 'evaluating', 'settled', 'refund'];

export const isRow = (state: KeeperState): state is PolicyStatus => !MOMENTARY.includes(state);
/** Nothing more will happen. */
export const isEnded = (status: PolicyStatus): boolean =>
  Object.keys(TRANSITIONS[status]).length === 0;

/** What the state means and what comes next, in words for the owner. */
export const STATUS_NOTES: Readonly<Record<PolicyStatus, string>> = {
  armed: 'armed; it is evaluated next',
  idle: 'watching; the last decision says why it waits',
  reduceOnly: 'a guard allows reductions only; it goes on when the guard is content, or resumed',
  proposed: 'a trade is proposed: sign its order before it expires, or let it pass',
  committed: 'you signed the proposal; the order is about to be opened',
  inFlight: 'the order is being settled; what it will deliver counts as yours',
  partial: 'the order was refunded; what was delivered is being counted',
  repair: 'part of a trade was done; the rest is solved anew from what you hold',
  cooldown: 'it rests after a trade, then watches again',
  halted: 'a guard stopped it; it goes on when the guard is content, or when you resume it',
  revoked: 'ended by you',
  expired: 'ended: its time is over',
};

/** The job kind that keeps a policy; the job's key is the policyId. */
export const KEEP_JOB = 'keep';

export interface StepDetails extends Pick<PolicyStep, 'memory' | 'propose' | 'close' | 'jobs'> {
  /** Why, for the event of each state passed; `code` is stable. */
  readonly because: Readonly<Partial<Record<KeeperState, { code: string; why: string }>>>;
  /** Joined to the data of a state's event. */
  readonly data?: Readonly<Partial<Record<KeeperState, JsonObject>>>;
}

/**
 * The store step that leads the row along `path`, with one event `policy.<state>` for every state
 * passed but `evaluating`. Throws Defect when the table has no such edge, or when an event has no
 * reason.
 */
export function step(
  row: Pick<StoredPolicy, 'policyId' | 'status' | 'version'>,
  path: readonly KeeperState[],
  { because, data, ...rest }: StepDetails,
): PolicyStep {
  let from: KeeperState = row.status;
  let shown: KeeperState = row.status;
  const events: NewEvent[] = [];
  for (const [i, state] of path.entries()) {
    assert(TRANSITIONS[from][state] !== undefined, `policy transition ${from} → ${state}`);
    assert(isRow(state) === (i === path.length - 1) || i < path.length - 1, 'a path ends in a row');
    from = state;
    if (state === 'evaluating') continue;
    const { code, why } = present(because[state], `a reason for policy.${state}`);
    const type = `policy.${state}`;
    events.push({ type, data: { from: shown, to: state, code, why, ...data?.[state] } });
    shown = state;
  }
  assert(isRow(from), `a row cannot stand at ${from}`);
  return {
    ...rest,
    policyId: row.policyId,
    version: row.version,
    from: row.status,
    to: from,
    events,
  };
}

/** A step that changes the memory alone: the state stays, and nothing is logged. */
export function quietStep(
  row: Pick<StoredPolicy, 'policyId' | 'status' | 'version'>,
  memory: JsonObject,
): PolicyStep {
  const { policyId, version, status } = row;
  return { policyId, version, from: status, to: status, memory, events: [] };
}
