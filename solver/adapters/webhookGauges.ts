// What PostgreSQL knows of webhooks, for gauges: how many there are and what waits to be delivered. One
// statement, at most once per CACHE_MS however often somebody looks.

import { sql } from 'kysely';
import type { Meter } from '../types/meter.ts';
import type { Clock } from '../types/ports.ts';
import type { Database } from './postgres.ts';

const CACHE_MS = 2_000;

interface Picture {
  readonly active: number;
  readonly disabled: number;
  readonly waiting: number;
}

export interface WebhookGaugesOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly meter: Meter;
}

export function registerWebhookGauges({ database, clock, meter }: WebhookGaugesOptions): void {
  let cached: { readonly untilMs: number; readonly picture: Promise<Picture> } | null = null;
  const look = (): Promise<Picture> => {
    if (cached === null || clock.nowMs() >= cached.untilMs) {
      cached = { untilMs: clock.nowMs() + CACHE_MS, picture: read(database) };
    }
    return cached.picture;
  };
  meter.gauge('trimtab_webhooks', async () => {
    const picture = await look();
    return (['active', 'disabled'] as const).map((state) => ({
      labels: { state },
      value: picture[state],
    }));
  });
  meter.gauge('trimtab_webhook_deliveries_waiting', async () => [
    { labels: {}, value: (await look()).waiting },
  ]);
}

/** Counts as int8 come as text. */
async function read(database: Database): Promise<Picture> {
  const [row] = await database.rows(sql<Record<keyof Picture, string>>`
    SELECT
      (SELECT count(*) FROM webhooks WHERE state = 'active') AS active,
      (SELECT count(*) FROM webhooks WHERE state = 'disabled') AS disabled,
      (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending') AS waiting`);
  return {
    active: Number(row?.active ?? 0),
    disabled: Number(row?.disabled ?? 0),
    waiting: Number(row?.waiting ?? 0),
  };
}
