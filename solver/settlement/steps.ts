// One workflow's hands: sending a named transaction at most once per attempt, and recording each
// thing that happened as exactly one event. It knows the order's scope, its job's lease and nothing
// of what the transactions mean.
//
// Purposes: the TxSender sends a (scope, purpose) once for ever. What reverted is tried again under
// `purpose#2`, `purpose#3`, … to ATTEMPTS_MAX, each after fresh facts. The facts `tx:<purpose>` say
// what the timeline already shows, so a crash between a send and its event only delays the event.

import { decodeRevert } from '../../contracts-abi/calls.ts';
import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import { type ChainId, chainId, type EvmAddress, type Hex } from '../types/ids.ts';
import type { Json, JsonObject } from '../types/json.ts';
import type { Chain, Receipt } from '../types/ports.ts';
import type { JobLease, NewEvent, OrderState, StoredOrder, TxStatus } from '../types/store.ts';
import type { Actor, TransitionDetails } from './lifecycle.ts';
import { transition } from './lifecycle.ts';
import type { SettlementDeps } from './ports.ts';

/** Attempts at one purpose whose transactions reverted on chain. */
export const ATTEMPTS_MAX = 4;

/** Rounds of one repeated purpose, such as an approval that another order used up. */
const REPEATS_MAX = 16;

/** When a job wants to run again, milliseconds since 1970. `done` removes it. */
export type JobOutcome = { readonly done: true } | { readonly runAtMs: number };

export interface Send {
  readonly chainId: ChainId;
  readonly purpose: string;
  readonly to: EvmAddress;
  readonly data: Hex;
  readonly value?: bigint;
  /** What the timeline says about it; amounts as decimal strings. */
  readonly summary: JsonObject;
}

export type SendResult =
  | { readonly state: 'pending' }
  | { readonly state: 'final' }
  /** The node says it would revert now; nothing was sent. */
  | { readonly state: 'wouldRevert'; readonly reason: string }
  /** It reverted on chain; the next call makes the next attempt. */
  | { readonly state: 'reverted'; readonly reason: string }
  /** Every attempt reverted. */
  | { readonly state: 'exhausted'; readonly reason: string };

/** One run of one workflow on one order: the order as last read, and the lease it runs under. */
export interface Run {
  readonly deps: SettlementDeps;
  readonly actor: Actor;
  readonly sender: EvmAddress;
  readonly lease: JobLease;
  order: StoredOrder;
}

type TxFact = 'pending' | 'final' | 'reverted';

/** The chain, or a defect: the order was admitted because all its chains are listed. */
export function chainOf(deps: SettlementDeps, id: number): Chain {
  return present(deps.chains.get(chainId(id)), `chain ${id}`);
}

/** Applies a transition of the lifecycle table and re-reads the order. */
export async function moveTo(run: Run, to: OrderState, details: TransitionDetails = {}) {
  const { store } = run.deps;
  await store.applyTransition(transition(run.order, to, run.actor, details), run.lease);
  await reload(run, to);
}

/** Adds events and facts, and re-reads the order. */
export async function note(run: Run, events: readonly NewEvent[], facts: JsonObject = {}) {
  await run.deps.store.appendEvents(run.order.orderId, events, run.lease, facts);
  await reload(run, run.order.state);
}

/** A step decides on one state: when the other workflow moved the order, the step starts over. */
async function reload(run: Run, expected: OrderState) {
  run.order = present(await run.deps.store.getOrder(run.order.orderId), 'the order of a job');
  if (run.order.state === expected) return;
  throw new Fault(`the order moved on to ${run.order.state}`, { code: 'stateConflict' });
}

/** Sends, or asks after, a transaction. Throws Fault when the chain cannot be asked. */
export async function ensure(run: Run, send: Send): Promise<SendResult> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const purpose = attempt === 1 ? send.purpose : `${send.purpose}#${attempt}`;
    const known = txFact(run.order, purpose);
    if (known === 'final') return { state: 'final' };
    if (known === 'reverted') continue;
    const status = await run.deps.sender.ensure(
      {
        chainId: send.chainId,
        sender: run.sender,
        scope: run.order.orderId,
        purpose,
        to: send.to,
        data: send.data,
        value: send.value ?? 0n,
      },
      run.lease,
    );
    return record(run, send, purpose, status, known);
  }
  return { state: 'exhausted', reason: `${send.purpose} reverted ${ATTEMPTS_MAX} times` };
}

/**
 * Asks after an attempt that was signed and is not settled yet, without planning it anew; null when
 * there is none. It asks the sender's own list, because a crash may have come between a send and
 * its event. The sender never looks at the content of a purpose it knows.
 */
export async function follow(
  run: Run,
  target: Pick<Send, 'chainId' | 'purpose' | 'to'>,
): Promise<SendResult | null> {
  const stored = await run.deps.sender.list(run.order.orderId);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const purpose = attempt === 1 ? target.purpose : `${target.purpose}#${attempt}`;
    const known = txFact(run.order, purpose);
    if (known === 'final' || known === 'reverted') continue;
    if (!stored.some((tx) => tx.purpose === purpose)) return null;
    return ensure(run, { ...target, data: '0x', summary: {} });
  }
  return null;
}

/**
 * Looks after every transaction of ours for the order that is signed and not settled yet. A fact may
 * be final on chain before anyone asked after the transaction that made it; its receipt is needed
 * all the same, for the timeline and for what it cost. True when none of those that `awaited` names
 * is pending any more.
 */
export async function followAll(
  run: Run,
  awaited: (purpose: string) => boolean = () => true,
): Promise<boolean> {
  const stored = await run.deps.sender.list(run.order.orderId);
  const mine = stored.filter((tx) => tx.sender === run.sender);
  let settled = true;
  for (const { chainId: id, purpose } of mine) {
    const known = txFact(run.order, purpose);
    if (known === 'final' || known === 'reverted') continue;
    const send = { chainId: id, purpose: purpose.replace(/#\d+$/, ''), to: run.sender };
    const result = await unlessDown(() => ensure(run, { ...send, data: '0x', summary: {} }));
    const open = result instanceof Fault || result.state === 'pending';
    if (open && awaited(purpose)) settled = false;
  }
  return settled;
}

/** Whether the sender ever signed a purpose that begins so, whatever the timeline shows. */
export async function everSent(run: Run, prefix: string): Promise<boolean> {
  const stored = await run.deps.sender.list(run.order.orderId);
  return stored.some((tx) => tx.purpose.startsWith(prefix));
}

/** The first of `purpose:1`, `purpose:2`, … that is not final: for what must be done repeatedly. */
export function nextPurpose(order: Pick<StoredOrder, 'facts'>, purpose: string): string | null {
  for (let n = 1; n <= REPEATS_MAX; n += 1) {
    if (txFact(order, `${purpose}:${n}`) !== 'final') return `${purpose}:${n}`;
  }
  return null;
}

/** Whether any attempt at the purpose was ever signed. */
export function wasSent(order: Pick<StoredOrder, 'facts'>, purpose: string): boolean {
  return txFact(order, purpose) !== undefined;
}

function txFact(order: Pick<StoredOrder, 'facts'>, purpose: string): TxFact | undefined {
  const fact: Json | undefined = order.facts[`tx:${purpose}`];
  return fact === 'pending' || fact === 'final' || fact === 'reverted' ? fact : undefined;
}

async function record(
  run: Run,
  send: Send,
  purpose: string,
  status: TxStatus,
  known: TxFact | undefined,
): Promise<SendResult> {
  if (status.state === 'wouldRevert') {
    return { state: 'wouldRevert', reason: revertText(status.data, status.message) };
  }
  const { state, hash } = status;
  const base = { chain: send.chainId, purpose, hash, by: run.actor };
  const events: NewEvent[] = [];
  if (known === undefined) events.push({ type: 'tx.sent', data: { ...base, ...send.summary } });
  const reason = state === 'reverted' ? await revertReason(run, send, status.receipt) : '';
  if (state !== 'pending') {
    const { receipt } = status;
    events.push({
      type: state === 'final' ? 'tx.final' : 'tx.reverted',
      data: {
        ...base,
        block: receipt.blockNumber.toString(),
        gasUsed: receipt.gasUsed.toString(),
        effectiveGasPrice: receipt.effectiveGasPrice.toString(),
        ...(state === 'reverted' ? { reason } : {}),
      },
    });
  }
  if (events.length > 0) await note(run, events, { [`tx:${purpose}`]: state });
  return state === 'reverted' ? { state, reason } : { state };
}

/** Why it reverted: asked again against the state now, which usually still has the same answer. */
async function revertReason(run: Run, send: Send, receipt: Receipt): Promise<string> {
  try {
    const chain = chainOf(run.deps, send.chainId);
    await chain.estimateGas({
      from: run.sender,
      to: send.to,
      data: send.data,
      value: send.value ?? 0n,
    });
    return `reverted in block ${receipt.blockNumber} (it would succeed now)`;
  } catch (error) {
    if (error instanceof Error && 'data' in error) {
      return revertText(String(error.data) as Hex, error.message);
    }
    return `reverted in block ${receipt.blockNumber}`;
  }
}

/** A revert's reason in words: one of our contracts' errors, or what the node said. */
export function revertText(data: Hex, message: string): string {
  return /^0x([0-9a-f]{2}){4,}$/i.test(data) ? decodeRevert(data) : message.slice(0, 300);
}

export const again = (deps: SettlementDeps, inMs: number): JobOutcome => ({
  runAtMs: deps.clock.nowMs() + inMs,
});
export const finished: JobOutcome = { done: true };

/**
 * Runs `task`; a retryable Fault becomes a value: a chain that is down is no defect. But an order
 * that moved on meanwhile is no outage: whatever was decided for its old state ends here.
 */
export async function unlessDown<T>(task: () => Promise<T>): Promise<T | Fault> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof Fault && error.retryable && error.code !== 'stateConflict') return error;
    throw error;
  }
}

/**
 * One task per item, each its own chain's: what is wrong with one (an account that must not sign
 * there, a node of another chain) keeps none of the others from being done. Throws the first Fault
 * that will not mend itself, after all have been tried.
 */
export async function forEachChain<T>(
  items: Iterable<T>,
  task: (item: T) => Promise<unknown>,
): Promise<void> {
  let first: Fault | null = null;
  for (const item of items) {
    try {
      await unlessDown(() => task(item));
    } catch (error) {
      if (!(error instanceof Fault) || error.code === 'stateConflict') throw error;
      first ??= error;
    }
  }
  if (first !== null) throw first;
}
