import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createPromMeter } from '../../solver/adapters/promMeter.ts';
import { METRICS } from '../../solver/types/meter.ts';
import { fakeTrimtab } from '../api/fakeTrimtab.ts';

/** What a scrape of any role may hold, with the series that histograms bring. */
async function seriesNames(): Promise<ReadonlySet<string>> {
  const { body } = await createPromMeter({ processMetrics: true }).expose();
  const names = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', kind]) =>
    kind === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set([...names, ...Object.keys(METRICS), 'up']);
}
const used = (expression: string) =>
  [...expression.matchAll(/\b(?:trimtab|nodejs|process)_[a-z0-9_]+|\bup\b/g)].map(([name]) => name);

describe('createPromMeter', () => {
  test('default: counters, histograms and gauges with their labels', async () => {
    const meter = createPromMeter({ processMetrics: false });
    meter.count('trimtab_quotes_total', { outcome: 'ok' });
    meter.count('trimtab_quotes_total', { outcome: 'ok' }, 2);
    meter.observe('trimtab_quote_seconds', 0.02, {});
    meter.gauge('trimtab_orders', async () => [{ labels: { state: 'opened' }, value: 4 }]);
    const { body, contentType } = await meter.expose();
    expect(contentType).toMatch(/^text\/plain/);
    expect(body).toContain('trimtab_quotes_total{outcome="ok"} 3');
    expect(body).toContain('trimtab_quote_seconds_bucket{le="0.025"} 1');
    expect(body).toContain('trimtab_orders{state="opened"} 4');
  });

  test('behavior: a gauge that cannot be read is left out, and nothing else with it', async () => {
    const meter = createPromMeter({ processMetrics: false });
    meter.gauge('trimtab_streams', () => [{ labels: {}, value: 7 }]);
    meter.gauge('trimtab_orders', () => [{ labels: { state: 'opened' }, value: 4 }]);
    await meter.expose();
    meter.gauge('trimtab_orders', () => Promise.reject(new Error('no database')));
    const { body } = await meter.expose();
    expect(body).toContain('trimtab_streams 7');
    expect(body).not.toContain('trimtab_orders{');
  });

  test('behavior: every meter has a registry of its own', async () => {
    const [one, other] = [0, 1].map(() => createPromMeter({ processMetrics: true }));
    one?.count('trimtab_fills_total', { chain: '1' });
    expect((await other?.expose())?.body).not.toContain('trimtab_fills_total{chain="1"}');
  });
});

describe('GET /metrics', () => {
  test('behavior: requests are counted by route pattern, never by address or id', async () => {
    const meter = createPromMeter({ processMetrics: false });
    const trimtab = fakeTrimtab();
    const app = await buildApp({ trimtab, meter, expose: meter.expose });
    await app.inject(`/v1/orders/0x${'12'.repeat(32)}`);
    await app.inject('/no/such/0x1234');
    const { body } = await app.inject('/metrics');
    expect(body).toContain('route="/v1/orders/:orderId",status="404"');
    expect(body).toContain('route="none",status="404"');
    expect(body).not.toContain('1212');
    await app.close();
  });

  test('behavior: the public port has none unless asked for', async () => {
    const app = await buildApp({ trimtab: fakeTrimtab() });
    expect((await app.inject('/metrics')).statusCode).toBe(404);
    await app.close();
  });
});

describe('docs/grafana/trimtab.json', () => {
  test('default: every panel shows metrics that exist', async () => {
    const names = await seriesNames();
    const { panels } = JSON.parse(readFileSync('docs/grafana/trimtab.json', 'utf8'));
    const shown = panels.filter(({ type }: { type: string }) => type !== 'row');
    expect(shown.length).toBeGreaterThan(30);
    for (const { title, targets } of shown) {
      for (const { expr } of targets) {
        expect(used(expr), title).not.toEqual([]);
        for (const name of used(expr)) expect(names, `${title}: ${name}`).toContain(name);
      }
    }
  });

  test('default: every metric of ours is on the dashboard', () => {
    const text = readFileSync('docs/grafana/trimtab.json', 'utf8');
    for (const name of Object.keys(METRICS)) expect(text).toContain(name);
  });
});

describe('docs/deploy/alerts.yml', () => {
  test('default: alerts ask for metrics that exist', async () => {
    const names = await seriesNames();
    const text = readFileSync('docs/deploy/alerts.yml', 'utf8');
    const expressions = [...text.matchAll(/^\s+expr: (.+)$/gm)].map(([, expr = '']) => expr);
    expect(expressions.length).toBeGreaterThan(10);
    for (const expr of expressions) {
      expect(used(expr)).not.toEqual([]);
      for (const name of used(expr)) expect(names, expr).toContain(name);
    }
  });
});
