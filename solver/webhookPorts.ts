// Webhooks wired: their rows in PostgreSQL, the sender to strangers' URLs, what api/ manages them by, the
// handler of their jobs, and what is measured of them.

import { systemClock } from './adapters/clock.ts';
import type { Database } from './adapters/postgres.ts';
import { createPostgresWebhooks } from './adapters/postgresWebhooks.ts';
import { systemRng } from './adapters/rng.ts';
import { registerWebhookGauges } from './adapters/webhookGauges.ts';
import { createWebhookSender } from './adapters/webhookSender.ts';
import { meteredWebhooks } from './metering.ts';
import type { Meter } from './types/meter.ts';
import { createDeliver, type DeliverDeps, DISPATCH_KEY, WEBHOOK_JOB } from './webhooks/deliver.ts';
import { createWebhooks } from './webhooks/service.ts';

interface WebhookParts extends Pick<DeliverDeps, 'privateQuotes'> {
  readonly database: Database;
  readonly meter: Meter;
  /** Whether webhooks may call http, any port and private addresses: for a lab only. */
  readonly allowPrivate: boolean;
}

export function webhooksOf({ database, meter, allowPrivate, privateQuotes }: WebhookParts) {
  const names = { kind: WEBHOOK_JOB, dispatchKey: DISPATCH_KEY };
  const store = meteredWebhooks(createPostgresWebhooks(database, names), meter);
  const sender = createWebhookSender({ clock: systemClock, allowPrivate });
  registerWebhookGauges({ database, clock: systemClock, meter });
  return {
    service: createWebhooks({ store, sender, rng: systemRng }),
    deliver: createDeliver({ store, sender, clock: systemClock, privateQuotes }),
  };
}
