// Webhooks as their owners manage them: registered by anybody, afterwards opened by their secret only.
// Refuses URLs that will never be called. Sends nothing: deliver.ts does, as a job.

import type { Rng } from '../types/ports.ts';
import type {
  NewWebhook,
  StoredWebhook,
  Webhook,
  WebhookRefusal,
  WebhookSender,
  WebhookService,
  WebhookStore,
} from '../types/webhooks.ts';

/** Of the whole service: each costs a little with every event. */
const WEBHOOKS_MAX = 10_000;

export interface WebhookDeps {
  readonly store: WebhookStore;
  readonly sender: Pick<WebhookSender, 'urlFault'>;
  readonly rng: Rng;
}

export function createWebhooks({ store, sender, rng }: WebhookDeps): WebhookService {
  const hex = (bytes: number) =>
    Array.from(rng.bytes(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const opened = async <T>(
    webhookId: string,
    secret: string,
    work: (webhook: StoredWebhook) => Promise<T>,
  ): Promise<T | WebhookRefusal> => {
    const webhook = await store.get(webhookId);
    if (webhook === null) {
      return { refused: 'webhookNotFound', message: `no webhook ${webhookId}` };
    }
    if (!sameSecret(webhook.secret, secret)) {
      return { refused: 'webhookUnauthorized', message: 'the bearer is not the webhook’s secret' };
    }
    return work(webhook);
  };
  return {
    async create(asked) {
      const fault = sender.urlFault(asked.url);
      if (fault !== null) {
        return { refused: 'webhookUrlRefused', message: fault, pointer: '/url' };
      }
      const webhook = newWebhook(asked, `wh-${hex(16)}`, `whsec_${hex(32)}`);
      if (await store.create(webhook, WEBHOOKS_MAX)) return webhook;
      return { refused: 'tooManyWebhooks', message: `there are ${WEBHOOKS_MAX} webhooks already` };
    },
    get: (id, secret) => opened(id, secret, async (webhook) => shown(webhook)),
    remove: (id, secret) =>
      opened(id, secret, async () => {
        await store.remove(id);
        return { removed: true as const };
      }),
    ping: (id, secret) =>
      opened(id, secret, async () => {
        const deliveryId = `ping-${hex(16)}`;
        await store.ping(id, deliveryId);
        return { deliveryId };
      }),
    deliveries: (id, secret, { before, limit }) =>
      opened(id, secret, async () => {
        const rows = await store.deliveries(id, before, limit + 1);
        const deliveries = rows.slice(0, limit);
        const next = rows.length > limit ? (deliveries.at(-1)?.id ?? null) : null;
        return { deliveries, next };
      }),
  };
}

const newWebhook = (asked: NewWebhook, webhookId: string, secret: string): StoredWebhook => ({
  webhookId,
  secret: asked.secret ?? secret,
  url: asked.url,
  owner: asked.owner ?? null,
  orderIds: [...new Set(asked.orderIds ?? [])],
  events: asked.events === undefined ? null : [...new Set(asked.events)],
  state: 'active',
  reason: null,
  failures: 0,
  createdAtMs: 0,
});

function shown({ secret: _, ...webhook }: StoredWebhook): Webhook {
  return webhook;
}

/** In a time that tells nothing of where they differ. */
function sameSecret(ours: string, theirs: string): boolean {
  let differ = ours.length ^ theirs.length;
  for (let i = 0; i < ours.length; i += 1) {
    differ |= ours.charCodeAt(i) ^ theirs.charCodeAt(i % (theirs.length || 1));
  }
  return differ === 0;
}
