// The same over a real PostgreSQL whose clock is the world's: now_ms() is replaced by a row that
// the test sets, so that leases, due times and events happen in simulated time.

import { sql } from 'kysely';
import type { Database } from '../../../solver/adapters/postgres.ts';
import { createPostgresPolicies } from '../../../solver/adapters/postgresPolicies.ts';
import type { Store, StoredOrder } from '../../../solver/types/store.ts';
import type { KeeperStore } from './store.ts';

export interface ClockedDatabase {
  readonly database: Database;
  readonly store: Store;
}

export async function takeClock(database: Database): Promise<void> {
  await database.rows(sql`CREATE TABLE test_clock (ms bigint NOT NULL)`);
  await database.rows(sql`INSERT INTO test_clock VALUES (0)`);
  await database.rows(sql`
    CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE
    AS 'SELECT ms FROM test_clock'`);
}

export const setClock = (database: Database, ms: number) =>
  database.rows(sql`UPDATE test_clock SET ms = ${ms}::bigint`);

/** An empty store in simulated time. */
export async function postgresKeeperStore({
  database,
  store,
}: ClockedDatabase): Promise<KeeperStore> {
  await database.rows(sql`
    TRUNCATE policies, policy_events, proposals, price_samples, orders, events, jobs CASCADE`);
  const policies = createPostgresPolicies(database, store);
  return {
    ...policies,
    orders: store,
    jobs: store,
    putOrder: async (order: StoredOrder) => {
      const { quoteId, owner, nonce, state, reason, ownerSignature, award } = order;
      await database.rows(sql`
        INSERT INTO orders (order_id, quote_id, owner, nonce, state, reason, order_json,
                            owner_signature, award, facts, version, created_at_ms, updated_at_ms)
        VALUES (${order.orderId}, ${quoteId}, ${owner}, ${nonce}, ${state}, ${reason},
                ${JSON.stringify(order.order)}, ${ownerSignature},
                ${award === null ? null : JSON.stringify(award)}::json, '{}', 1,
                ${order.createdAtMs}, ${order.updatedAtMs})
        ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
          award = excluded.award, updated_at_ms = excluded.updated_at_ms`);
    },
    async dump(policyId) {
      const row = await policies.getPolicy(policyId);
      if (row === null) throw new Error('no such policy');
      const [job] = await database.rows(sql`SELECT 1 FROM jobs WHERE key = ${policyId}`);
      return {
        row,
        events: await policies.policyEvents(policyId, 0, 1_000),
        proposals: await policies.proposals(policyId, 1_000),
        hasJob: job !== undefined,
      };
    },
  };
}
