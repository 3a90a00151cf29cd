// The order's lifecycle: the one TRANSITIONS table, what each state means for the money, and the
// only constructor of store transitions. Pure. It refuses (as a defect) any change of state that the
// table does not list; how a step is done is serve.ts's and guard.ts's business.

import { assert } from '../types/assert.ts';
import type { AwardOutcome } from '../types/auction.ts';
import type { JsonObject } from '../types/json.ts';
import type { NewEvent, NewJob, OrderState, StoredOrder, Transition } from '../types/store.ts';

/** Whose workflow may make the change: the filler's, the owner's protection, or either. */
export type Actor = 'serve' | 'guard';

interface Rule {
  readonly by: readonly Actor[];
  readonly when: string;
}

const serve: readonly Actor[] = ['serve'];
const guard: readonly Actor[] = ['guard'];
const either: readonly Actor[] = ['serve', 'guard'];

/**
 * Every allowed change of state, who may make it, and on which fact. A fact about a chain is always
 * read at finality. Both workflows may finish what the other began, so that one of them dead is a
 * delay and not a loss.
 */
export const TRANSITIONS: Readonly<
  Record<OrderState, Readonly<Partial<Record<OrderState, Rule>>>>
> = {
  created: {
    awarded: { by: serve, when: 'a bid won the auction and the auctioneer signed its award' },
    failed: { by: either, when: 'no bid, the open deadline passed, or the owner cancelled' },
  },
  awarded: {
    opening: { by: serve, when: 'the filler begins to open the escrow on every origin' },
    failed: { by: either, when: 'no origin opened, and none can: lapsed, or cancelled' },
    created: { by: serve, when: 'the award lapsed unopened; time is left for another auction' },
  },
  opening: {
    opened: { by: either, when: 'every origin is Open under this award' },
    refunding: { by: either, when: 'some origins are Open and the others can no longer open' },
    failed: { by: either, when: 'no origin is Open, and none can be: lapsed, or cancelled' },
    created: { by: serve, when: 'the award lapsed unopened; time is left for another auction' },
  },
  opened: {
    filling: { by: either, when: 'the filler commits to its first fill, or another filled' },
    refunding: { by: either, when: 'the filler declined, or the fill deadline passed unfilled' },
  },
  filling: {
    filled: { by: either, when: 'every output has a fill record within the deadline' },
    refunding: { by: either, when: 'an output is unfilled, or filled late, after the deadline' },
  },
  filled: {
    proving: { by: either, when: 'the fills are to be proven to every origin' },
    refunding: { by: either, when: 'an origin was refunded after expiry' },
  },
  proving: {
    releasing: { by: either, when: 'every fill is proven on every origin' },
    refunding: { by: either, when: 'an origin was refunded after expiry' },
  },
  releasing: {
    settled: { by: either, when: 'every origin is Released' },
    refunding: { by: either, when: 'an origin was refunded after expiry' },
  },
  refunding: {
    refunded: { by: guard, when: 'no origin is Open any more and at least one was Refunded' },
    settled: { by: guard, when: 'every origin turned out to be Released: the release was first' },
  },
  settled: {},
  refunded: {},
  failed: {},
};

export const ORDER_STATES = Object.keys(TRANSITIONS) as readonly OrderState[];

/** States in which nothing more will happen. */
export const TERMINAL_STATES = ['settled', 'refunded', 'failed'] as const;

export const isTerminal = (state: OrderState): state is (typeof TERMINAL_STATES)[number] =>
  TERMINAL_STATES.some((terminal) => terminal === state);

/** Where the money is in each state, and what happens next, in words for the owner. */
export const STATE_NOTES: Readonly<
  Record<OrderState, { readonly money: string; readonly next: string }>
> = {
  created: { money: 'all of it in your wallet', next: 'a filler is chosen' },
  awarded: { money: 'all of it in your wallet', next: 'the filler opens the escrow' },
  opening: {
    money: 'in your wallet or in escrow, chain by chain',
    next: 'outputs are filled once every origin is open; else every open one is refunded',
  },
  opened: {
    money: 'in escrow on every origin chain',
    next: 'the filler delivers your outputs; after the fill deadline you are refunded',
  },
  filling: {
    money: 'in escrow, with some outputs perhaps delivered already',
    next: 'the remaining outputs are delivered, or everything in escrow is refunded',
  },
  filled: {
    money: 'your outputs are delivered; the inputs are in escrow for the filler',
    next: 'the fills are proven to the origin chains',
  },
  proving: {
    money: 'your outputs are delivered; the inputs are in escrow for the filler',
    next: 'messages carry the proofs to the origin chains',
  },
  releasing: {
    money: 'your outputs are delivered; the inputs go to the filler',
    next: 'the escrow is released on every origin chain',
  },
  settled: { money: 'your outputs are delivered; the filler has the inputs', next: 'nothing' },
  refunding: {
    money: 'what was not filled is in escrow and comes back to your wallet',
    next: 'the non-fill is proven to every origin and the escrow refunded',
  },
  refunded: {
    money: 'the escrow is back in your wallet, and you keep any output that was delivered',
    next: 'nothing',
  },
  failed: { money: 'all of it in your wallet: nothing was taken', next: 'ask for a new quote' },
};

/** Why something went wrong, in three parts. `code` is stable, the rest is prose. */
export interface Failure {
  readonly code: string;
  readonly why: string;
  readonly money: string;
  readonly next: string;
}

/** A failure on entering `state`, with that state's money and next step unless given. */
export function failure(
  code: string,
  why: string,
  state: OrderState,
  override: { readonly money?: string; readonly next?: string } = {},
): Failure {
  return {
    code,
    why,
    money: override.money ?? STATE_NOTES[state].money,
    next: override.next ?? STATE_NOTES[state].next,
  };
}

/** One sentence each: why, where the money is, what happens next. */
export const failureText = (f: Failure): string =>
  `${f.code}: ${f.why}. Money: ${f.money}. Next: ${f.next}.`;

export const canTransition = (from: OrderState, to: OrderState, by: Actor): boolean =>
  TRANSITIONS[from][to]?.by.includes(by) ?? false;

export interface TransitionDetails {
  readonly failure?: Failure;
  readonly award?: JsonObject | null;
  /** What became of the award, where `to` alone does not say. */
  readonly outcome?: AwardOutcome;
  readonly facts?: JsonObject;
  /** Joined to the data of the event `order.<to>`. */
  readonly data?: JsonObject;
  readonly jobs?: readonly NewJob[];
}

/**
 * How a change of state counts for the award's filler: `filled` as soon as the owner has been served,
 * and what ends an award before that against it, unless the facts say `late` or `void`. The store
 * counts an award once, so a refund after expiry does not undo `filled`.
 */
function outcomeOf(from: OrderState, to: OrderState): AwardOutcome | null {
  if (to === 'filled') return 'filled';
  if (to === 'refunding') return 'faded';
  const awarded = from === 'awarded' || from === 'opening';
  return awarded && (to === 'failed' || to === 'created') ? 'faded' : null;
}

/**
 * The store transition from the order's state to `to`, with its event `order.<to>`.
 * Throws Defect when the table does not allow it, or when a failing state comes without a reason.
 */
export function transition(
  order: Pick<StoredOrder, 'orderId' | 'state' | 'reason'>,
  to: OrderState,
  by: Actor,
  details: TransitionDetails = {},
): Transition {
  assert(canTransition(order.state, to, by), `transition ${order.state} → ${to} by ${by}`);
  const needsReason = to === 'failed' || to === 'refunding';
  assert(!needsReason || details.failure !== undefined, `transition to ${to} without a reason`);
  const event: NewEvent = {
    type: `order.${to}`,
    data: {
      from: order.state,
      to,
      by,
      money: details.failure?.money ?? STATE_NOTES[to].money,
      next: details.failure?.next ?? STATE_NOTES[to].next,
      ...(details.failure === undefined
        ? {}
        : { code: details.failure.code, why: details.failure.why }),
      ...details.data,
    },
  };
  const outcome = details.outcome ?? outcomeOf(order.state, to);
  return {
    orderId: order.orderId,
    from: order.state,
    to,
    events: [event],
    ...(outcome === null ? {} : { outcome }),
    // A later step keeps the reason of the failure it deals with.
    reason: details.failure === undefined ? order.reason : failureText(details.failure),
    ...(details.award === undefined ? {} : { award: details.award }),
    ...(details.facts === undefined ? {} : { facts: details.facts }),
    ...(details.jobs === undefined ? {} : { jobs: details.jobs }),
  };
}
