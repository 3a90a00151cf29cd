// The owner's cancel. Before anything can be in escrow it is one change of state. Once there is an
// award, somebody may be opening it: then only the chains can say who was first, so the guard spends
// the nonce on every origin with the owner's signature (None → Cancelled), and the order fails when no
// origin can open any more. An origin that opened first is refunded as any half-opened order is.

import { encodeCancelFor } from '../../contracts-abi/calls.ts';
import { cancelDigest } from '../../contracts-abi/typedData.ts';
import type { AuctionStore } from '../types/auctionStore.ts';
import { Fault, type Refusal } from '../types/errors.ts';
import { chainId, evmAddress, type Hex, type OrderId } from '../types/ids.ts';
import type { CancelRefusalCode } from '../types/service.ts';
import type { CheckOwner } from '../types/standing.ts';
import type { StoredOrder } from '../types/store.ts';
import { parseOrder } from './awardedOrder.ts';
import { decodeSlotStatus, slotCall } from './contracts.ts';
import { type Failure, failure, STATE_NOTES, transition } from './lifecycle.ts';
import type { SettlementDeps } from './ports.ts';
import { chainOf, ensure, forEachChain, type Run, unlessDown } from './steps.ts';

type CancelRefusal = Refusal<CancelRefusalCode>;

export interface CancelDeps extends SettlementDeps {
  readonly auctions: Pick<AuctionStore, 'list'>;
  readonly checkOwner: CheckOwner;
}
export interface Cancelling {
  /** The order as it is then: failed, or with the cancel on its way. The same again is the same. */
  cancel(orderId: OrderId, signature: Hex): Promise<StoredOrder | CancelRefusal>;
}

/** Looks at an order that moves while it is being cancelled. */
const LOOKS_MAX = 5;

/** The owner asked for it; the guard is at it. */
export const cancelAsked = ({ facts }: Pick<StoredOrder, 'facts'>): boolean =>
  typeof facts.cancel === 'string';

/** Why an award ended before any origin opened. */
export const unopened = (order: Pick<StoredOrder, 'facts'>, why: string): Failure =>
  cancelAsked(order) ? BY_OWNER : failure('notOpened', why, 'failed');

const BY_OWNER = failure(
  'cancelledByOwner',
  'the owner cancelled before anything opened',
  'failed',
  {
    next: 'nothing',
  },
);

export function createCancelling(deps: CancelDeps): Cancelling {
  return {
    async cancel(orderId, signature) {
      const order = await deps.store.getOrder(orderId);
      if (order === null) return refuse('orderNotFound', `no order ${orderId}`);
      const unsigned = await signatureFault(deps, order, signature);
      if (unsigned !== null) return unsigned;
      for (let look = 0; look < LOOKS_MAX; look += 1) {
        const outcome = await tryCancel(deps, orderId, signature);
        if (outcome !== 'moved') return outcome;
      }
      throw new Fault(`order ${orderId} kept moving while it was cancelled`);
    },
  };
}

async function signatureFault(
  deps: CancelDeps,
  order: StoredOrder,
  signature: Hex,
): Promise<CancelRefusal | null> {
  const { owner, nonce, origins } = parseOrder(order);
  const ids = origins.map((origin) => chainId(Number(origin.chainId)));
  const digest = cancelDigest(owner, nonce);
  switch (await deps.checkOwner(evmAddress(owner), digest, signature, ids)) {
    case 'ok':
      return null;
    case 'malformed':
      return { ...refuse('malformedSignature', 'not 65 bytes r, s, v'), pointer: '/signature' };
    case 'chainDown':
      return refuse('chainDown', 'an origin chain does not answer; try again shortly');
    default: {
      const message = `not ${order.owner}'s signature over Cancel(owner, nonce) of this order`;
      return { ...refuse('wrongSigner', message), pointer: '/signature' };
    }
  }
}

async function tryCancel(
  deps: CancelDeps,
  orderId: OrderId,
  signature: Hex,
): Promise<StoredOrder | CancelRefusal | 'moved'> {
  const { store } = deps;
  const order = await store.getOrder(orderId);
  if (order === null) return refuse('orderNotFound', `no order ${orderId}`);
  // Nothing was taken, whatever ended it: what the owner wants is so.
  if (order.state === 'failed') return order;
  if (order.state === 'created') return cancelCreated(deps, order, signature);
  if (order.state !== 'awarded' && order.state !== 'opening') return tooLate(order);
  if (cancelAsked(order)) return order;
  if (await anyTaken(deps, order)) return tooLate(order);
  const event = { type: 'order.cancelling', data: { by: 'owner' } };
  await store.appendEvents(orderId, [event], null, { cancel: signature });
  return (await store.getOrder(orderId)) ?? order;
}

async function cancelCreated(
  { store, auctions, clock }: CancelDeps,
  order: StoredOrder,
  signature: Hex,
): Promise<StoredOrder | CancelRefusal | 'moved'> {
  const { orderId } = order;
  const [auction] = await auctions.list({ orderId, limit: 1 });
  // Bids for it may be bids for other owners' orders as well: none of them is made to wait by this.
  if (auction?.state === 'bidding') {
    const untilMs = auction.closesAtMs ?? clock.nowMs();
    return {
      ...refuse('auctionRunning', 'its auction takes bids and ends within moments; ask again then'),
      details: { untilMs },
    };
  }
  try {
    const facts = { cancel: signature };
    await store.applyTransition(
      transition(order, 'failed', 'guard', { failure: BY_OWNER, facts }),
      null,
    );
  } catch (error) {
    if (error instanceof Fault && error.code === 'stateConflict') return 'moved';
    throw error;
  }
  return (await store.getOrder(orderId)) ?? order;
}

/** Whether any origin is, or was, in escrow at its head. A chain that is down is a Fault. */
async function anyTaken(deps: CancelDeps, row: StoredOrder): Promise<boolean> {
  const order = parseOrder(row);
  const taken = await Promise.all(
    order.origins.map(async (origin) => {
      const chain = chainOf(deps, Number(origin.chainId));
      const call = slotCall(origin, order.owner, order.nonce);
      const [slot] = await chain.read([call], await chain.block('latest'));
      const status = decodeSlotStatus(slot);
      return status !== 'none' && status !== 'cancelled';
    }),
  );
  return taken.some(Boolean);
}

/** The guard's part: spends the nonce wherever it is not spent yet. Whoever was first, was first. */
export async function cancelOrigins(run: Run): Promise<void> {
  const order = parseOrder(run.order);
  const signature = run.order.facts.cancel as Hex;
  await forEachChain(order.origins, async (origin) => {
    const id = chainId(Number(origin.chainId));
    await unlessDown(() =>
      ensure(run, {
        chainId: id,
        purpose: `cancel:${id}`,
        to: evmAddress(origin.settler),
        data: encodeCancelFor(order.owner, order.nonce, signature),
        summary: { step: 'cancel' },
      }),
    );
  });
}

function tooLate(order: StoredOrder): CancelRefusal {
  const { money, next } = STATE_NOTES[order.state];
  return {
    ...refuse('tooLateToCancel', `the order is ${order.state}: money ${money}; next: ${next}`),
    details: { state: order.state, money, next },
  };
}

const refuse = (refused: CancelRefusalCode, message: string): CancelRefusal => ({
  refused,
  message,
});
