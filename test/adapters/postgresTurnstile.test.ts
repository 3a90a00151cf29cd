import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../solver/adapters/postgres.ts';
import { createPostgresTurnstile } from '../../solver/adapters/postgresTurnstile.ts';
import { clock, startTestPostgres, type TestPostgres } from './support.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.end());

describe('createPostgresTurnstile', () => {
  test('default: one task at a time over processes, each with its own answer', async () => {
    // A pool of its own each: what another process is to PostgreSQL.
    const databases = [0, 1, 2].map(() =>
      openDatabase({ url: postgres.server.url, clock, poolMax: 2 }),
    );
    try {
      const doors = databases.map((database) => createPostgresTurnstile(database, 'one'));
      let inside = 0;
      let most = 0;
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          doors[i % 3]?.(async () => {
            inside += 1;
            most = Math.max(most, inside);
            await clock.sleep(2);
            inside -= 1;
            return i;
          }),
        ),
      );
      expect(most).toBe(1);
      expect(answers).toEqual(Array.from({ length: 30 }, (_, i) => i));
    } finally {
      await Promise.all(databases.map((database) => database.close()));
    }
  });

  test('behavior: different names do not wait for each other', async () => {
    const slow = createPostgresTurnstile(postgres.database, 'slow');
    const quick = createPostgresTurnstile(postgres.database, 'quick');
    let release = () => {};
    const held = slow(() => new Promise<void>((done) => (release = done)));
    await expect(quick(async () => 'passed')).resolves.toBe('passed');
    release();
    await held;
  });

  test('error: a task that throws gives its place up; its error is the caller’s', async () => {
    const door = createPostgresTurnstile(postgres.database, 'throws');
    const thrown = new Error('no');
    await expect(door(() => Promise.reject(thrown))).rejects.toBe(thrown);
    await expect(door(async () => 1)).resolves.toBe(1);
  });

  test('behavior: a holder whose connection ends has given its place up', async () => {
    const mine = createPostgresTurnstile(postgres.database, 'killed');
    const dying = openDatabase({ url: postgres.server.url, clock, poolMax: 1 });
    const theirs = createPostgresTurnstile(dying, 'killed');
    let release = () => {};
    let holds = () => {};
    const holding = new Promise<void>((done) => (holds = done));
    const held = theirs(() => {
      holds();
      return new Promise<string>((done) => (release = () => done('late')));
    });
    await holding;
    const passed = mine(async () => 'passed');
    await postgres.database.rows(sql`
      SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = (hashtextextended('killed', 0) >> 32 & 4294967295)::oid`);
    await expect(passed).resolves.toBe('passed');
    release();
    await expect(held).resolves.toBe('late');
    await dying.close();
  });
});
