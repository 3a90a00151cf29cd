// Webhooks: what a client registers, what is delivered, and the ports to store and send it.

import type { Refusal } from './errors.ts';
import type { EvmAddress, OrderId } from './ids.ts';
import type { JsonObject } from './json.ts';

export type WebhookRefusalCode =
  | 'webhookNotFound'
  /** The bearer is not the webhook's secret. */
  | 'webhookUnauthorized'
  /** Scheme, port, credentials or address of the URL are not allowed. */
  | 'webhookUrlRefused'
  | 'tooManyWebhooks';
export type WebhookRefusal = Refusal<WebhookRefusalCode>;

export interface NewWebhook {
  readonly url: string;
  /** Events of orders of this owner, of these orders, or of either. At least one is given. */
  readonly owner?: EvmAddress;
  readonly orderIds?: readonly OrderId[];
  /** Event types; absent: all. */
  readonly events?: readonly string[];
  /** Absent: one is made. */
  readonly secret?: string;
}

export interface Webhook {
  readonly webhookId: string;
  readonly url: string;
  readonly owner: EvmAddress | null;
  readonly orderIds: readonly OrderId[];
  readonly events: readonly string[] | null;
  /** Disabled after FAILURES_MAX failed attempts in a row; a ping that arrives enables it again. */
  readonly state: 'active' | 'disabled';
  readonly reason: string | null;
  /** Failed attempts since the last one that arrived. */
  readonly failures: number;
  readonly createdAtMs: number;
}

export interface StoredWebhook extends Webhook {
  readonly secret: string;
}

export type DeliveryState =
  | 'pending'
  | 'delivered'
  /** Every attempt failed. */
  | 'failed'
  /** Not tried any more, since the webhook was disabled. */
  | 'dropped';

export interface Delivery {
  /** Ascending; the cursor of their list. */
  readonly id: number;
  /** The same for every attempt: what a receiver recognises a repeat by. */
  readonly deliveryId: string;
  /** The event's number; null for a ping. */
  readonly seq: number | null;
  readonly orderId: OrderId | null;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAtMs: number;
  readonly lastAtMs: number | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAtMs: number;
}

/** A delivery to be made, with the event it tells of; null: a ping. */
export interface DueDelivery extends Delivery {
  readonly event: { readonly atMs: number; readonly data: JsonObject } | null;
}

export type Sent =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly status: number | null; readonly error: string };

/** Sends to strangers' URLs. Refuses every address that is not public, and follows nothing. */
export interface WebhookSender {
  /** Why such a URL will never be called, or null. Resolves nothing. */
  urlFault(url: string): string | null;
  /** One attempt; a failure is a value. The body is signed with the secret at the time of sending. */
  send(request: {
    readonly url: string;
    readonly secret: string;
    readonly deliveryId: string;
    readonly type: string;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<Sent>;
}

/** Every method throws Fault when the store is down. */
export interface WebhookStore {
  /** False: there are `max` already. Starts the dispatcher. */
  create(webhook: StoredWebhook, max: number): Promise<boolean>;
  get(webhookId: string): Promise<StoredWebhook | null>;
  remove(webhookId: string): Promise<void>;
  /** A ping that is due now, and the job that sends it. */
  ping(webhookId: string, deliveryId: string): Promise<void>;
  /** Newest first, below `before`. */
  deliveries(webhookId: string, before: number | null, limit: number): Promise<readonly Delivery[]>;

  /**
   * Makes deliveries of events that have none, at most `limit`, with the jobs that send them; drops
   * deliveries past their keep. `active`: whether any webhook still waits for events.
   */
  dispatch(limit: number): Promise<{ readonly made: number; readonly active: boolean }>;
  /** Per order the first that is pending, where it is due; and when the next one will be. */
  due(
    webhookId: string,
    limit: number,
  ): Promise<{ readonly deliveries: readonly DueDelivery[]; readonly nextAtMs: number | null }>;
  /** An attempt that arrived; a ping's makes the webhook active. */
  arrived(webhookId: string, id: number, status: number): Promise<void>;
  /** One that did not; `retryMs` null: it was the last. Disables the webhook at `failuresMax`. */
  missed(attempt: {
    readonly webhookId: string;
    readonly id: number;
    readonly status: number | null;
    readonly error: string;
    readonly retryMs: number | null;
    readonly failuresMax: number;
  }): Promise<void>;
}

/** What api/ sees. `secret` is the bearer that came with the request. */
export interface WebhookService {
  /** The secret is in this answer only. */
  create(webhook: NewWebhook): Promise<StoredWebhook | WebhookRefusal>;
  get(webhookId: string, secret: string): Promise<Webhook | WebhookRefusal>;
  remove(webhookId: string, secret: string): Promise<{ readonly removed: true } | WebhookRefusal>;
  ping(
    webhookId: string,
    secret: string,
  ): Promise<{ readonly deliveryId: string } | WebhookRefusal>;
  /** Newest first; `next` is the cursor of the page after. */
  deliveries(
    webhookId: string,
    secret: string,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<
    { readonly deliveries: readonly Delivery[]; readonly next: number | null } | WebhookRefusal
  >;
}
