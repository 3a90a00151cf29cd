// Pages of orders on PostgreSQL: whatever is inserted between two pages, no order that was there at
// first is skipped or repeated.

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evmAddress, type OrderId } from '../../solver/types/ids.ts';
import type { OrderPlace } from '../../solver/types/store.ts';
import { newOrder, randomHex, startTestPostgres, type TestPostgres } from './support.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.end());

const OWNER = evmAddress(`0x${'a2'.repeat(20)}`);
let nonce = 0;

async function insert(count: number): Promise<readonly OrderId[]> {
  const made: OrderId[] = [];
  for (let i = 0; i < count; i++) {
    const order = newOrder({ owner: OWNER, nonce: String(nonce++) });
    await postgres.store.admitOrder(order, [], []);
    made.push(order.orderId);
  }
  return made;
}

test('property: pages neither skip nor repeat under inserts, ties of one millisecond included', async () => {
  const there = await insert(40);
  // Half of them in one millisecond: the id decides among those.
  await postgres.database.rows(sql`UPDATE orders SET created_at_ms = 1700000000000
    WHERE order_id = ANY(${there.slice(0, 20)})`);
  const stranger = newOrder({ owner: evmAddress(randomHex(20)) });
  await postgres.store.admitOrder(stranger, [], []);

  for (const limit of [1, 3, 7, 40, 100]) {
    const atFirst = new Set(
      (await postgres.store.listOrders({ owner: OWNER, limit: 1000 })).map((o) => o.orderId),
    );
    const seen: OrderId[] = [];
    let before: OrderPlace | undefined;
    for (let page = 0; page < 1000; page++) {
      const rows = await postgres.store.listOrders({
        owner: OWNER,
        limit,
        ...(before === undefined ? {} : { before }),
      });
      seen.push(...rows.map((row) => row.orderId));
      if (rows.length < limit) break;
      before = rows.at(-1);
      if (page < 5) await insert(1);
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const id of atFirst) expect(seen).toContain(id);
    expect(seen).not.toContain(stranger.orderId);
  }
});
