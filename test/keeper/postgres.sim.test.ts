// The same worlds over a real PostgreSQL in simulated time: what the memory store promises is what
// the SQL does, leases, versions and the one live proposal included.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../adapters/support.ts';
import { postgresKeeperStore, setClock, takeClock } from './sim/postgres.ts';
import { chaos, SCENARIOS } from './sim/scenarios.ts';
import { START, World } from './sim/world.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await takeClock(postgres.database);
});
afterAll(() => postgres?.end());

describe('the keeper on PostgreSQL', () => {
  for (const [index, name] of ['happy', 'partly', 'resumed', 'signedAfterWithdrawal'].entries()) {
    test(`property: ${name}, random deaths and stalls (seed ${index + 1})`, async () => {
      await setClock(postgres.database, START * 1_000);
      const store = await postgresKeeperStore(postgres);
      const script = SCENARIOS[name] ?? {};
      const random = chaos(index + 1, 90);
      const world = new World(store, script, {
        async effect(side, what, one) {
          await random.effect(side, what, one);
          await setClock(postgres.database, one.nowMs);
        },
      });
      const id = await world.arm();
      await world.run((nowMs) => setClock(postgres.database, nowMs));
      expect(world.violations).toEqual([]);
      const { row, proposals } = await store.dump(id);
      expect(['idle', 'cooldown', 'armed']).toContain(row.status);
      expect(proposals.length).toBeGreaterThan(0);
      expect(Math.abs(world.wethWeight - 0.5)).toBeLessThan(0.05);
    });
  }
});
