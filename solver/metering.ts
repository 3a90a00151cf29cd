// Measures and tells, from outside: each function here puts a thin wrapper around one port or room
// that counts what passes through, so that no room knows of metrics or logs. Changes no answer, and
// swallows no error.

import type { Quoter, QuoterDeps } from './quoting/quoter.ts';
import type { SwapQuoter } from './quoting/swapQuoter.ts';
import type { Admission } from './settlement/admission.ts';
import type { AuctionService } from './types/auctionService.ts';
import type { AuctionStore } from './types/auctionStore.ts';
import { InvalidInput, isRefusal, type Refusal } from './types/errors.ts';
import type { JsonObject } from './types/json.ts';
import type { LogEvent, LogFields } from './types/log.ts';
import type { CounterName, Meter } from './types/meter.ts';
import { type Chain, Reverted } from './types/ports.ts';
import type { Quote } from './types/service.ts';
import type { NewEvent, Store } from './types/store.ts';
import type { WebhookStore } from './types/webhooks.ts';

const secondsSince = (startedMs: number) => (performance.now() - startedMs) / 1000;

/** `ok`, the refusal's code, `invalid` or `fault`: few values, whatever is asked. */
async function counted<T extends object>(
  meter: Meter,
  name: Extract<CounterName, 'trimtab_quotes_total' | 'trimtab_submissions_total'>,
  work: Promise<T | Refusal<string>>,
  outcomeOf: (answer: T) => string,
): Promise<T | Refusal<string>> {
  const count = (outcome: string) => meter.count(name, { outcome });
  try {
    const answer = await work;
    count(isRefusal(answer) ? answer.refused : outcomeOf(answer));
    return answer;
  } catch (error) {
    count(error instanceof InvalidInput ? 'invalid' : 'fault');
    throw error;
  }
}

export function meteredQuoter(quoter: Quoter, meter: Meter): Quoter {
  return {
    ...quoter,
    async quote(request) {
      const started = performance.now();
      const answer = await counted(
        meter,
        'trimtab_quotes_total',
        quoter.quote(request),
        () => 'ok',
      );
      meter.observe('trimtab_quote_seconds', secondsSince(started), {});
      const gapBps = isRefusal(answer) ? null : gapOf(answer);
      if (gapBps !== null) meter.observe('trimtab_quote_gap_bps', gapBps, {});
      return answer as Awaited<ReturnType<Quoter['quote']>>;
    },
  };
}

/** Swaps, and rebalances asked for in other order types: counted as quotes. */
export function meteredOffers(swaps: SwapQuoter, meter: Meter): SwapQuoter {
  return {
    async offers(request) {
      const started = performance.now();
      const asked = swaps.offers(request);
      const answer = await counted(meter, 'trimtab_quotes_total', asked, () => 'ok');
      meter.observe('trimtab_quote_seconds', secondsSince(started), {});
      return answer as Awaited<ReturnType<SwapQuoter['offers']>>;
    },
  };
}

/** The certificate's own figure; null where the answer carries none. */
function gapOf({ response }: Quote): number | null {
  const { metadata } = response as { readonly metadata?: JsonObject };
  const { gapBps } = (metadata?.certificate ?? {}) as { readonly gapBps?: unknown };
  const gap =
    typeof gapBps === 'string' || typeof gapBps === 'number' ? Number(gapBps) : Number.NaN;
  return Number.isFinite(gap) && gap >= 0 ? gap : null;
}

export function meteredSolve(solve: QuoterDeps['solve'], meter: Meter): QuoterDeps['solve'] {
  return async (...problem) => {
    const started = performance.now();
    try {
      return await solve(...problem);
    } finally {
      meter.observe('trimtab_solve_seconds', secondsSince(started), {});
    }
  };
}

export function meteredAdmission(admission: Admission, meter: Meter): Admission {
  return {
    ...admission,
    submit: (request) =>
      counted(meter, 'trimtab_submissions_total', admission.submit(request), ({ created }) =>
        created ? 'created' : 'known',
      ) as ReturnType<Admission['submit']>,
  };
}

const CHAIN_CALLS = [
  'block',
  'read',
  'logs',
  'balance',
  'nonce',
  'fees',
  'estimateGas',
  'broadcast',
  'receipt',
] as const satisfies readonly (keyof Chain)[];

/** Times every call; a revert is an answer, everything else thrown counts as an error. */
export function meteredChain(chain: Chain, meter: Meter): Chain {
  const wrapped = Object.fromEntries(
    CHAIN_CALLS.map((call) => {
      const labels = { chain: String(chain.chainId), call };
      const ask = chain[call] as (...given: unknown[]) => Promise<unknown>;
      const timed = async (...given: unknown[]) => {
        const started = performance.now();
        try {
          return await ask(...given);
        } catch (error) {
          if (!(error instanceof Reverted)) meter.count('trimtab_rpc_errors_total', labels);
          throw error;
        } finally {
          meter.observe('trimtab_rpc_seconds', secondsSince(started), labels);
        }
      };
      return [call, timed];
    }),
  );
  return { ...chain, ...wrapped };
}

/** Counts and tells what this process wrote: orders admitted, transitions, and their events. */
export function meteredStore(store: Store, meter: Meter, tell: LogEvent): Store {
  const eventsOf = (orderId: string, events: readonly NewEvent[]) => {
    for (const { type, data } of events) {
      countEvent(meter, type, data);
      tell(type, { orderId, ...plainOf(data) });
    }
  };
  return {
    ...store,
    async admitOrder(order, events, jobs) {
      const admitted = await store.admitOrder(order, events, jobs);
      if (admitted.outcome === 'applied') eventsOf(order.orderId, events);
      return admitted;
    },
    async applyTransition(transition, lease) {
      const applied = await store.applyTransition(transition, lease);
      if (applied === 'applied') {
        meter.count('trimtab_order_transitions_total', { to: transition.to });
        eventsOf(transition.orderId, transition.events);
      }
      return applied;
    },
    async appendEvents(orderId, events, lease, facts) {
      await store.appendEvents(orderId, events, lease, facts);
      eventsOf(orderId, events);
    },
  };
}

/** What an event's data says in one word or number: the rest is on the order's page. */
function plainOf(data: JsonObject): LogFields {
  const plain = Object.entries(data).filter(
    (entry): entry is [string, string | number | boolean] =>
      ['number', 'boolean'].includes(typeof entry[1]) ||
      (typeof entry[1] === 'string' && entry[1].length <= 160),
  );
  return Object.fromEntries(plain);
}

const TX_STATES: Readonly<Record<string, string>> = {
  'tx.sent': 'sent',
  'tx.final': 'final',
  'tx.reverted': 'reverted',
};
/** The purposes that are counted by name; whatever else there is counts as `other`. */
const STEPS = new Set([
  'open',
  'fill',
  'approve',
  'prove',
  'lost',
  'release',
  'refund',
  'tombstone',
  'restore',
]);

function countEvent(meter: Meter, type: string, data: JsonObject): void {
  if (type === 'proof.arrived') meter.count('trimtab_messages_total', { state: 'proven' });
  const state = TX_STATES[type];
  if (state === undefined) return;
  const [purpose = ''] = String(data.purpose ?? '')
    .replace(/^guard:/, '')
    .split(/[:#]/);
  const step = STEPS.has(purpose) ? purpose : 'other';
  const chain = String(data.chain ?? '');
  meter.count('trimtab_transactions_total', { chain, step, state });
  if (state !== 'final') return;
  if (step === 'fill') meter.count('trimtab_fills_total', { chain });
  if (step === 'prove' || step === 'lost') {
    meter.count('trimtab_messages_total', { state: 'sent' });
  }
}

/** Auctions that this process opened and closed, and the awards' effect on their orders. */
export function meteredAuctions<A extends Pick<AuctionStore, 'open' | 'close'>>(
  auctions: A,
  meter: Meter,
  tell: LogEvent,
): A {
  return {
    ...auctions,
    async open(opening, lease) {
      const written = await auctions.open(opening, lease);
      if (written !== 'applied') return written;
      const { auctionId, instance } = opening;
      meter.count('trimtab_auctions_total', { event: 'opened' });
      tell('auction.opened', { auctionId, orders: instance.orders.length });
      return written;
    },
    async close(closing, lease) {
      const written = await auctions.close(closing, lease);
      if (written !== 'applied') return written;
      const { awards, transitions } = closing;
      const event = awards.length > 0 ? 'closed' : 'noBid';
      meter.count('trimtab_auctions_total', { event });
      tell('auction.closed', { auction: closing.key, awards: awards.length });
      for (const { orderId, to } of transitions) {
        meter.count('trimtab_order_transitions_total', { to });
        tell(`order.${to}`, { orderId });
      }
      return written;
    },
  };
}

/** Attempts to deliver, as their outcome is written. */
export function meteredWebhooks(store: WebhookStore, meter: Meter): WebhookStore {
  const count = (outcome: string) => meter.count('trimtab_webhook_attempts_total', { outcome });
  return {
    ...store,
    async arrived(webhookId, id, status) {
      await store.arrived(webhookId, id, status);
      count('delivered');
    },
    async missed(attempt) {
      await store.missed(attempt);
      count(attempt.retryMs === null ? 'givenUp' : 'retried');
    },
  };
}

/** Bids by result, the desk's own among them: they come by the same door. */
export function meteredMarket<M extends Pick<AuctionService, 'placeBid'>>(
  market: M,
  meter: Meter,
): M {
  return {
    ...market,
    async placeBid(bid) {
      const answer = await market.placeBid(bid);
      const known = isRefusal(answer) ? answer.refused : answer.created ? 'accepted' : 'known';
      meter.count('trimtab_bids_total', { result: known });
      return answer;
    },
  };
}
