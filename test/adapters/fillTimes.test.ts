// ETAs from settled orders on PostgreSQL: percentiles per route, none while they are too few.

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { createPostgresFillTimes } from '../../solver/adapters/postgresFillTimes.ts';
import { order } from '../api/fakeTrimtab.ts';
import { clock, newOrder, startTestPostgres, type TestPostgres } from './support.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.end());

async function settled(seconds: number, nonce: number) {
  const row = newOrder({ nonce: String(nonce), order: { ...orderToJson(order) } });
  await postgres.store.admitOrder(row, [{ type: 'order.settled', data: {} }], []);
  await postgres.database.rows(sql`
    UPDATE orders SET state = 'settled', created_at_ms = (
      SELECT at_ms - ${seconds * 1000}::bigint FROM events WHERE order_id = ${row.orderId})
    WHERE order_id = ${row.orderId}`);
}

test('default: p50 and p90 of the route’s own orders once they are enough', async () => {
  const times = createPostgresFillTimes({ database: postgres.database, clock, samplesMin: 10 });
  for (let i = 1; i <= 9; i += 1) await settled(i, i);
  await times.refresh();
  expect(times.of([31338], [31339])).toBeNull();
  await settled(30, 10);
  await times.refresh();
  expect(times.of([31338, 31338], [31339])).toEqual({
    p50Seconds: 5,
    p90Seconds: 9,
    samples: 10,
  });
  expect(times.of([31339], [31338])).toBeNull();
});
