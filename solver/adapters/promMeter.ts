// The meter port on prom-client, with a registry of its own: any number of services may live in one
// process. Owns the exposition; what is measured is types/meter.ts's table. Refuses nothing: a gauge
// that cannot be read is left out of that scrape.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type GaugeName,
  type GaugeReader,
  METRICS,
  type Meter,
  type MetricName,
} from '../types/meter.ts';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}
export interface PromMeter extends Meter {
  /** Everything measured, in Prometheus's text format. Never rejects for a gauge that fails. */
  expose(): Promise<Exposition>;
}

/** `processMetrics`: CPU, memory, garbage collection and event loop lag of this process as well. */
export function createPromMeter(options: { readonly processMetrics: boolean }): PromMeter {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const counters = new Map<MetricName, Counter>();
  const histograms = new Map<MetricName, Histogram>();
  const readers = new Map<GaugeName, GaugeReader<GaugeName>>();
  for (const [key, metric] of Object.entries(METRICS)) {
    const name = key as MetricName;
    const common = {
      name,
      help: metric.help,
      labelNames: [...metric.labels],
      registers: [registry],
    };
    if (metric.kind === 'counter') counters.set(name, new Counter(common));
    else if (metric.kind === 'histogram') {
      histograms.set(name, new Histogram({ ...common, buckets: [...metric.buckets] }));
    } else {
      new Gauge({
        ...common,
        async collect() {
          const samples = await read(readers.get(name as GaugeName));
          this.reset();
          // Reset makes a gauge without labels 0, and 0 would be an answer.
          if (samples === null && metric.labels.length === 0) this.remove();
          for (const { labels, value } of samples ?? []) this.set({ ...labels }, value);
        },
      });
    }
  }
  return {
    count: (name, labels, by = 1) => counters.get(name)?.inc({ ...labels }, by),
    observe: (name, value, labels) => histograms.get(name)?.observe({ ...labels }, value),
    gauge: (name, reader) => void readers.set(name, reader as unknown as GaugeReader<GaugeName>),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

async function read(reader: GaugeReader<GaugeName> | undefined) {
  try {
    return (await reader?.()) ?? null;
  } catch {
    return null;
  }
}
