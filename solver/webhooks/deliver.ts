// The job kind `webhook`. Its key `dispatch` makes deliveries of new events; any other key is a webhook
// whose deliveries it sends, in order for each order: the next event of an order waits until the one
// before arrived or ran out of attempts. At least once: an attempt is repeated until somebody knows
// that it arrived, under the same delivery id.

import type { Clock } from '../types/ports.ts';
import type { JobLease } from '../types/store.ts';
import type { DueDelivery, StoredWebhook, WebhookSender, WebhookStore } from '../types/webhooks.ts';

export const WEBHOOK_JOB = 'webhook';
export const DISPATCH_KEY = 'dispatch';

/** Between looks for new events while any webhook is active, milliseconds. */
const DISPATCH_MS = 500;
const DISPATCH_PAGE = 1_000;
/** Deliveries of one webhook on their way at once, each of another order. */
const AT_ONCE = 8;
/** Rounds of one run of a webhook's job; what is left comes with its next run. */
const ROUNDS_MAX = 50;
export const ATTEMPTS_MAX = 12;
/** Failed attempts in a row, over all orders, that disable a webhook. */
export const FAILURES_MAX = 24;
const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 3_600_000;

/** Milliseconds after the n-th failed attempt: 1, 2, 4, … s, at most an hour. */
export const webhookBackoffMs = (attempts: number): number =>
  Math.min(BACKOFF_MIN_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS);

export interface DeliverDeps {
  readonly store: WebhookStore;
  readonly sender: WebhookSender;
  readonly clock: Clock;
  /** Of these quotes the ones that events must not name in public. */
  readonly privateQuotes: (quoteIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

type Outcome = { readonly done: true } | { readonly runAtMs: number };

export function createDeliver(deps: DeliverDeps) {
  return (lease: JobLease, signal: AbortSignal): Promise<Outcome> =>
    lease.key === DISPATCH_KEY ? dispatch(deps) : deliverAll(deps, lease.key, signal);
}

async function dispatch({ store, clock }: DeliverDeps): Promise<Outcome> {
  const { made, active } = await store.dispatch(DISPATCH_PAGE);
  if (!active) return { done: true };
  return { runAtMs: clock.nowMs() + (made === DISPATCH_PAGE ? 0 : DISPATCH_MS) };
}

async function deliverAll(
  deps: DeliverDeps,
  webhookId: string,
  signal: AbortSignal,
): Promise<Outcome> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    signal.throwIfAborted();
    const webhook = await deps.store.get(webhookId);
    if (webhook === null) return { done: true };
    const { deliveries, nextAtMs } = await deps.store.due(webhookId, AT_ONCE);
    if (deliveries.length === 0) {
      return nextAtMs === null ? { done: true } : { runAtMs: nextAtMs };
    }
    await Promise.all(deliveries.map((one) => attempt(deps, webhook, one, signal)));
  }
  return { runAtMs: deps.clock.nowMs() };
}

async function attempt(
  { store, sender, privateQuotes }: DeliverDeps,
  webhook: StoredWebhook,
  delivery: DueDelivery,
  signal: AbortSignal,
): Promise<void> {
  const { webhookId, url, secret } = webhook;
  const { id, deliveryId, type } = delivery;
  const body = JSON.stringify({
    deliveryId,
    webhookId,
    type,
    ...(delivery.event === null
      ? {}
      : {
          seq: delivery.seq,
          orderId: delivery.orderId,
          at: Math.floor(delivery.event.atMs / 1_000),
          atMs: delivery.event.atMs,
          data: await withoutPrivateQuote(delivery.event.data, privateQuotes),
        }),
  });
  const sent = await sender.send({ url, secret, deliveryId, type, body, signal });
  // A worker that stops mid-way knows nothing of the attempt: it is made again.
  signal.throwIfAborted();
  if (sent.ok) return store.arrived(webhookId, id, sent.status);
  const attempts = delivery.attempts + 1;
  await store.missed({
    webhookId,
    id,
    status: sent.status,
    error: sent.error,
    retryMs: attempts >= ATTEMPTS_MAX ? null : webhookBackoffMs(attempts),
    failuresMax: FAILURES_MAX,
  });
}

async function withoutPrivateQuote(
  data: NonNullable<DueDelivery['event']>['data'],
  privateQuotes: DeliverDeps['privateQuotes'],
) {
  const { quoteId } = data;
  if (typeof quoteId !== 'string') return data;
  return (await privateQuotes([quoteId])).has(quoteId) ? { ...data, quoteId: null } : data;
}
