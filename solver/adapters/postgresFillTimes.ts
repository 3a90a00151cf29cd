// How long settled orders took, admission to settlement, by the chains they left and reached: read from
// the orders' own timelines, once a minute at most. A question never waits for the database: it is
// answered from what was read last.

import { sql } from 'kysely';
import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import type { FillTime, FillTimes } from '../types/fillTimes.ts';
import type { JsonObject } from '../types/json.ts';
import type { Clock } from '../types/ports.ts';
import type { Database } from './postgres.ts';

const RECENT = 500;
const REFRESH_MS = 60_000;

export interface FillTimesOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Fewer orders of a route say nothing yet. */
  readonly samplesMin?: number;
  readonly onError?: (error: unknown) => void;
}

interface Row {
  readonly order_json: JsonObject;
  readonly created_at_ms: string;
  readonly settled_at_ms: string;
}

export interface RefreshedFillTimes extends FillTimes {
  /** Reads now. Throws Fault when the store is down. */
  refresh(): Promise<void>;
}

export function createPostgresFillTimes(options: FillTimesOptions): RefreshedFillTimes {
  const { database, clock, samplesMin = 20, onError = () => {} } = options;
  let byRoute: ReadonlyMap<string, FillTime> = new Map();
  let dueAtMs = 0;
  const refresh = async () => {
    dueAtMs = clock.nowMs() + REFRESH_MS;
    const rows = await database.rows(sql<Row>`
      SELECT order_json, created_at_ms, settled_at_ms FROM (
        SELECT order_id, order_json, created_at_ms FROM orders
        WHERE state = 'settled' ORDER BY created_at_ms DESC LIMIT ${RECENT}) AS recent,
      LATERAL (SELECT min(at_ms) AS settled_at_ms FROM events
               WHERE events.order_id = recent.order_id AND type = 'order.settled') AS ended
      WHERE settled_at_ms IS NOT NULL`);
    byRoute = timesOf(rows, samplesMin);
  };
  return {
    refresh,
    of(origins, destinations) {
      if (clock.nowMs() >= dueAtMs) refresh().catch(onError);
      return byRoute.get(routeOf(origins, destinations)) ?? null;
    },
  };
}

function timesOf(rows: readonly Row[], samplesMin: number): ReadonlyMap<string, FillTime> {
  const seconds = new Map<string, number[]>();
  for (const row of rows) {
    const { origins, outputs } = orderFromJson(row.order_json);
    const route = routeOf(
      origins.map(({ chainId }) => Number(chainId)),
      outputs.map(({ chainId }) => Number(chainId)),
    );
    const took = (Number(row.settled_at_ms) - Number(row.created_at_ms)) / 1_000;
    seconds.set(route, [...(seconds.get(route) ?? []), took]);
  }
  return new Map(
    [...seconds]
      .filter(([, all]) => all.length >= samplesMin)
      .map(([route, all]) => {
        const sorted = all.sort((a, b) => a - b);
        const at = (share: number) =>
          Math.max(1, Math.ceil(sorted[Math.ceil(share * sorted.length) - 1] ?? 0));
        return [
          route,
          { p50Seconds: at(0.5), p90Seconds: at(0.9), samples: sorted.length },
        ] as const;
      }),
  );
}

function routeOf(origins: readonly number[], destinations: readonly number[]): string {
  const side = (ids: readonly number[]) => [...new Set(ids)].sort((a, b) => a - b).join(',');
  return `${side(origins)}>${side(destinations)}`;
}
