// What the store forgets on a real PostgreSQL: nothing before its time, never the newest entry of the feed
// nor how a policy ended.

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runWorker } from '../../solver/adapters/jobs.ts';
import {
  createPostgresRetention,
  DECISIONS_KEPT_MS,
  MARKET_EVENTS_KEPT_MS,
} from '../../solver/adapters/postgresRetention.ts';
import { createPruning, PRUNE_JOB, type Retention } from '../../solver/retention.ts';
import { clock, startTestPostgres, type TestPostgres } from './support.ts';

let postgres: TestPostgres;
let retention: Retention;
beforeAll(async () => {
  postgres = await startTestPostgres();
  retention = createPostgresRetention(postgres.database, PRUNE_JOB);
});
afterAll(() => postgres?.end());
beforeEach(() =>
  postgres.database.rows(sql`TRUNCATE market_events, policy_events, policies, proposals`),
);

/** Entries of these ages, oldest first, and the types that are left. */
async function feedOf(ages: Readonly<Record<string, number>>): Promise<void> {
  for (const [type, ageMs] of Object.entries(ages)) {
    await postgres.database.rows(sql`
      INSERT INTO market_events (at_ms, type, data) VALUES (now_ms() - ${ageMs}, ${type}, '{}')`);
  }
}
const typesOf = async (table: 'market_events' | 'policy_events') => {
  const rows = await postgres.database.rows(
    sql<{ type: string }>`SELECT type FROM ${sql.table(table)} ORDER BY seq`,
  );
  return rows.map(({ type }) => type);
};

async function policyOf(digit: string, status: string, ageMs: number): Promise<void> {
  const id = `0x${digit.repeat(64)}`;
  await postgres.database.rows(sql`
    INSERT INTO policies (policy_id, owner, nonce, document, document_hash, expires, signature,
                          status, memory, version, event_count, created_at_ms, updated_at_ms)
    VALUES (${id}, ${`0x${'1'.repeat(40)}`}, ${digit}, '{}', '', 0, '', ${status}, '{}', 1, 3,
            0, now_ms() - ${ageMs})`);
  for (const [n, type] of ['armed', 'waited', status].entries()) {
    await postgres.database.rows(sql`
      INSERT INTO policy_events (policy_id, number, at_ms, type, data)
      VALUES (${id}, ${n + 1}, 0, ${`${digit}.${type}`}, '{}')`);
  }
}

const MINUTE_MS = 60_000;

describe('createPostgresRetention', () => {
  test('default: the feed keeps a week, ended policies their decisions a quarter', async () => {
    const week = MARKET_EVENTS_KEPT_MS;
    await feedOf({ old: week + MINUTE_MS, older: 2 * week, young: week - MINUTE_MS, now: 0 });
    await policyOf('1', 'revoked', DECISIONS_KEPT_MS + MINUTE_MS);
    await policyOf('2', 'expired', DECISIONS_KEPT_MS + MINUTE_MS);
    await policyOf('3', 'revoked', DECISIONS_KEPT_MS - MINUTE_MS);
    await policyOf('4', 'armed', 10 * DECISIONS_KEPT_MS);
    expect(await retention.prune(100)).toBe(false);
    expect(await typesOf('market_events')).toEqual(['young', 'now']);
    expect(await typesOf('policy_events')).toEqual([
      ...['1.revoked', '2.expired', '3.armed', '3.waited', '3.revoked'],
      ...['4.armed', '4.waited', '4.armed'],
    ]);
  });

  test('behavior: the newest entry stays however old, so that numbers go on after it', async () => {
    await feedOf({ first: 3 * MARKET_EVENTS_KEPT_MS, last: 2 * MARKET_EVENTS_KEPT_MS });
    expect(await retention.prune(100)).toBe(false);
    expect(await typesOf('market_events')).toEqual(['last']);
  });

  test('behavior: a few rows at a time, and says whether more may be left', async () => {
    const old = 2 * MARKET_EVENTS_KEPT_MS;
    await feedOf({ a: old, b: old, c: old, d: old, e: 0 });
    expect(await retention.prune(3)).toBe(true);
    expect(await typesOf('market_events')).toEqual(['d', 'e']);
    expect(await retention.prune(3)).toBe(false);
    expect(await typesOf('market_events')).toEqual(['e']);
  });
});

describe('the job prune', () => {
  test('behavior: one row however many processes start; it prunes and comes again in an hour', async () => {
    await feedOf({ old: 2 * MARKET_EVENTS_KEPT_MS, now: 0 });
    await Promise.all([retention.schedule(), retention.schedule()]);
    await postgres.database.rows(sql`UPDATE jobs SET due_at_ms = 0`);
    const stopping = new AbortController();
    let ran: () => void;
    const once = new Promise<void>((done) => {
      ran = done;
    });
    const worker = runWorker({
      ...{ store: postgres.store, clock, kinds: [PRUNE_JOB], concurrency: 2, leaseMs: 5_000 },
      handler: createPruning(retention, clock),
      signal: stopping.signal,
      onRun: () => ran(),
      onError: (error) => {
        throw error;
      },
    });
    await once;
    stopping.abort(new Error('end of test'));
    await worker;
    expect(await typesOf('market_events')).toEqual(['now']);
    const jobs = await postgres.database.rows(sql<{ later: boolean }>`
      SELECT due_at_ms - now_ms() BETWEEN 3500000 AND 3600000 AS later FROM jobs`);
    expect(jobs).toEqual([{ later: true }]);
  });

  test('behavior: what is left after many statements comes at once', async () => {
    let asked = 0;
    const endless = {
      async prune() {
        asked += 1;
        return true;
      },
    };
    const before = clock.nowMs();
    const { runAtMs } = await createPruning(endless, clock)(
      {} as never,
      new AbortController().signal,
    );
    expect(asked).toBe(50);
    expect(runAtMs - before).toBeLessThan(3_600_000);
  });
});
