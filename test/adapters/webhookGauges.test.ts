// What is measured of webhooks: attempts as their outcome is written, and the gauges over real rows.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresWebhooks } from '../../solver/adapters/postgresWebhooks.ts';
import { createPromMeter } from '../../solver/adapters/promMeter.ts';
import { registerWebhookGauges } from '../../solver/adapters/webhookGauges.ts';
import { meteredWebhooks } from '../../solver/metering.ts';
import type { StoredWebhook, WebhookStore } from '../../solver/types/webhooks.ts';
import { startTestPostgres } from './support.ts';

let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.end());

const webhook = (webhookId: string): StoredWebhook => ({
  ...{ webhookId, secret: 's', url: 'https://example.org/', owner: null, orderIds: [] },
  ...{ events: null, state: 'active' as const, reason: null, failures: 0, createdAtMs: 0 },
});

describe('what is measured of webhooks', () => {
  test('default: delivered, retried and given up; what waits; active and disabled ones', async () => {
    const meter = createPromMeter({ processMetrics: false });
    let nowMs = 0;
    const clock = { now: () => 0 as never, nowMs: () => nowMs, sleep: async () => {} };
    const names = { kind: 'webhook', dispatchKey: 'dispatch' };
    const store: WebhookStore = meteredWebhooks(
      createPostgresWebhooks(postgres.database, names),
      meter,
    );
    registerWebhookGauges({ database: postgres.database, clock, meter });
    const shown = async () => {
      // Behind the cache of a look.
      nowMs += 10_000;
      const { body } = await meter.expose();
      return body.split('\n').filter((line) => /^trimtab_webhook/.test(line));
    };
    for (const id of ['wh-1', 'wh-2']) {
      expect(await store.create(webhook(id), 10)).toBe(true);
      for (const ping of ['a', 'b', 'c']) await store.ping(id, `${id}-${ping}`);
    }
    expect(await shown()).toEqual([
      'trimtab_webhook_deliveries_waiting 6',
      'trimtab_webhooks{state="active"} 2',
      'trimtab_webhooks{state="disabled"} 0',
    ]);
    const [third, second, first] = await store.deliveries('wh-1', null, 10);
    const missed = { webhookId: 'wh-1', status: 500, error: 'answered 500', failuresMax: 3 };
    await store.arrived('wh-1', first?.id ?? 0, 200);
    await store.missed({ ...missed, id: second?.id ?? 0, retryMs: 1_000 });
    await store.missed({ ...missed, id: second?.id ?? 0, retryMs: null });
    expect(await shown()).toEqual([
      'trimtab_webhook_attempts_total{outcome="delivered"} 1',
      'trimtab_webhook_attempts_total{outcome="retried"} 1',
      'trimtab_webhook_attempts_total{outcome="givenUp"} 1',
      'trimtab_webhook_deliveries_waiting 4',
      'trimtab_webhooks{state="active"} 2',
      'trimtab_webhooks{state="disabled"} 0',
    ]);
    // The third failure in a row disables it, and what waits is dropped.
    await store.missed({ ...missed, id: third?.id ?? 0, retryMs: 1_000 });
    expect((await shown()).slice(3)).toEqual([
      'trimtab_webhook_deliveries_waiting 3',
      'trimtab_webhooks{state="active"} 1',
      'trimtab_webhooks{state="disabled"} 1',
    ]);
  });

  test('behavior: what the store did not take is not counted', async () => {
    const meter = createPromMeter({ processMetrics: false });
    const down = async () => Promise.reject(new Error('down'));
    const store = meteredWebhooks({ arrived: down, missed: down } as never, meter);
    await expect(store.arrived('wh-1', 1, 200)).rejects.toThrow('down');
    await expect(store.missed({ retryMs: 1 } as never)).rejects.toThrow('down');
    expect((await meter.expose()).body).not.toMatch(/^trimtab_webhook_attempts_total\{/m);
  });
});
