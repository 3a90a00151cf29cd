// Kill −9 at every state: every scenario is run once in peace, then again for every write of the
// keeper with the process dying right before it and right after it; then with random deaths, stalls
// that outlast the lease while another keeper works, and writes whose answer is lost.

import { describe, expect, test } from 'vitest';
import type { PolicyId } from '../../solver/types/ids.ts';
import { chaos, SCENARIOS } from './sim/scenarios.ts';
import { SimPolicyStore } from './sim/store.ts';
import { CALM, Crash, type Fates, type Script, SECONDS, World } from './sim/world.ts';

async function play(script: Script, fates: Fates): Promise<{ world: World; id: PolicyId }> {
  let world: World | null = null;
  const store = new SimPolicyStore(() => world?.nowMs ?? 0);
  world = new World(store, script, fates);
  const id = await world.arm();
  await world.run();
  return { world, id };
}

/** Everything that must hold when all is over. */
async function expectRest(world: World, id: PolicyId, hint: string) {
  expect(world.violations, hint).toEqual([]);
  const { row } = await world.store.dump(id);
  const ended = row.status === 'revoked' || row.status === 'expired';
  expect(
    ended || ['idle', 'cooldown', 'armed'].includes(row.status),
    `${hint}: ${row.status}`,
  ).toBe(true);
  if (!ended) expect(Math.abs(world.wethWeight - 0.5), `${hint}: weight`).toBeLessThan(0.05);
  // However often a process died: one wanted trade is one order, and a repair is one more.
  const settled = world.orders.filter((order) => order.row.state === 'settled').length;
  expect(settled, `${hint}: orders settled`).toBeLessThanOrEqual(ended ? 0 : 1);
}

/** Dies at one effect, once. */
const dieAt = (effect: number): Fates => ({
  effect(_side, name, world) {
    if (name === 'release') return;
    if (world.writes === effect) throw new Crash();
  },
});

describe('kill −9 of the keeper', () => {
  const seen = new Set<string>();
  for (const [name, script] of Object.entries(SCENARIOS)) {
    test(`property: ${name}: before and after every write`, async () => {
      const peace = await play(script, CALM);
      await expectRest(peace.world, peace.id, name);
      for (const status of peace.world.seenStatuses) seen.add(status);
      const effects = peace.world.writes;
      expect(effects).toBeGreaterThan(5);
      for (let effect = 1; effect <= effects; effect += 1) {
        const { world, id } = await play(script, dieAt(effect));
        await expectRest(world, id, `${name}, dead at effect ${effect}`);
      }
    });
  }
  test('default: the scenarios pass through every state a row can show', () => {
    expect([...seen].sort()).toEqual([
      ...['armed', 'committed', 'cooldown', 'expired', 'halted', 'idle', 'inFlight'],
      ...['partial', 'proposed', 'reduceOnly', 'repair', 'revoked'],
    ]);
  });
});

describe('two keepers, random faults', () => {
  for (const [name, script] of Object.entries(SCENARIOS)) {
    test(`property: ${name}: nothing is doubled, nothing is lost`, async () => {
      for (let seed = 1; seed <= 5; seed += 1) {
        const seconds = (script.seconds ?? SECONDS) + 120;
        const { world, id } = await play({ ...script, seconds }, chaos(seed, 90));
        await expectRest(world, id, `${name}, seed ${seed}`);
      }
    });
  }
});

describe('the world itself', () => {
  test('behavior: a keeper that gives a proposal up while it can be signed is caught', async () => {
    const { world } = await play({ ...SCENARIOS.unsigned, graceMs: -15_000 }, CALM);
    expect(world.violations.join()).toMatch(/two proposals that could be signed/);
  });
  test('behavior: a lost job is caught', async () => {
    let world: World | null = null;
    const store = new SimPolicyStore(() => world?.nowMs ?? 0);
    store.jobs.rescheduleJob = (lease) => store.jobs.completeJob(lease);
    world = new World(store, SCENARIOS.happy ?? {}, CALM);
    await world.arm();
    await world.run();
    expect(world.violations.join()).toMatch(/without a job/);
  });
});
