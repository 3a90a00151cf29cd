// The whole settlement under seeded chaos: whatever crashes, drops, dies or cheats, every order ends
// in bounded time, no escrow is paid out twice, and the owner has at least the minimum or everything
// back. A failing seed is printed and replays exactly.

import { describe, expect, it } from 'vitest';
import { isTerminal } from '../../solver/settlement/lifecycle.ts';
import { chainId } from '../../solver/types/ids.ts';
import { balanceKey, SETTLER, slotKey } from './sim/contracts.ts';
import { simRng } from './sim/rng.ts';
import { type Faults, NO_FAULTS, runWorld, START, type World } from './sim/world.ts';

const SEEDS = Number(process.env.TRIMTAB_SIM_SEEDS ?? '100');

function chaos(seed: number): Faults {
  const rng = simRng(seed ^ 0x5eed);
  return {
    crash: rng.pick([0, 0.01, 0.05, 0.15]),
    dropMessage: rng.pick([0, 0.1, 0.5]),
    maxDelay: rng.pick([1, 5, 25]),
    outages: rng.chance(0.3),
    fillerDies: rng.pick(['never', 'never', 'firstFill', START + rng.int(1, 120)] as const),
    ownerRevokesAt: rng.pick([null, null, null, null, null, null, 0, 1, 2]),
    ownerCancelsAt: rng.pick([null, null, null, null, null, null, 0, 1, 2]),
    strangerFills: rng.pick(['never', 'never', 'inTime', 'late'] as const),
    deskRefuses: rng.chance(0.1),
  };
}

/** What must hold of every world's end. */
function check(world: World): string[] {
  const { order, row, chains } = world;
  const wrong = [...world.violations];
  if (!isTerminal(row.state)) wrong.push(`still ${row.state} at the end: ${row.reason}`);
  const head = (id: bigint) => chains.get(chainId(Number(id)))?.head.state;
  let anyRefunded = false;
  for (const { chainId: id, inputs } of order.origins) {
    const state = head(id);
    const payouts = state?.payouts ?? [];
    if (payouts.length > 1) wrong.push(`chain ${id}: ${payouts.length} payouts`);
    const status = state?.slots.get(slotKey(order.owner, order.nonce))?.status ?? 'none';
    if (status === 'open') wrong.push(`chain ${id}: escrow left open`);
    if (status === 'refunded') anyRefunded = true;
    for (const { token, amount } of inputs) {
      const escrow = state?.balances.get(balanceKey(token, SETTLER)) ?? 0n;
      if (escrow !== 0n) wrong.push(`chain ${id}: ${escrow} left in escrow`);
      if (status === 'released' && row.state === 'failed') wrong.push('failed, yet released');
      const kept = state?.balances.get(balanceKey(token, order.owner)) ?? 0n;
      if (status !== 'released' && kept < amount) wrong.push(`chain ${id}: owner lacks ${token}`);
    }
    if (row.state === 'settled' && status === 'refunded') wrong.push(`settled, ${id} refunded`);
  }
  if (row.state === 'refunded' && !anyRefunded) wrong.push('refunded, yet no origin was');
  const released = order.origins.some(
    ({ chainId: id }) =>
      head(id)?.slots.get(slotKey(order.owner, order.nonce))?.status === 'released',
  );
  if (released) {
    for (const output of order.outputs) {
      const paid = (head(output.chainId)?.logs ?? [])
        .filter((log) => log.output.token === output.token)
        .reduce((sum, log) => sum + log.output.amount, 0n);
      if (paid < output.amount) wrong.push(`released, output on ${output.chainId} unpaid`);
    }
  }
  if (isTerminal(row.state) && row.state !== 'settled' && row.reason === null) {
    wrong.push('failed without a reason');
  }
  return wrong;
}

describe('settlement under simulation', () => {
  it(`property: ${SEEDS} seeded worlds all end well`, async () => {
    const ends = new Map<string, number>();
    const failures: string[] = [];
    const first = Number(process.env.TRIMTAB_SIM_SEED ?? '1');
    for (let seed = first; seed < first + SEEDS; seed += 1) {
      const faults = chaos(seed);
      const world = await runWorld(simRng(seed), faults);
      const wrong = check(world);
      if (wrong.length > 0) {
        failures.push(`seed ${seed} ${JSON.stringify(faults)}: ${wrong.join('; ')}`);
      }
      ends.set(world.row.state, (ends.get(world.row.state) ?? 0) + 1);
    }
    console.log(`seeds ${first}…${first + SEEDS - 1}: ${JSON.stringify([...ends])}`);
    expect(failures).toEqual([]);
    // The worlds must be varied enough to mean something.
    for (const state of ['settled', 'refunded', 'failed']) {
      expect(ends.get(state) ?? 0, state).toBeGreaterThan(SEEDS / 30);
    }
  });

  it('default: without faults every order settles, soon', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = await runWorld(simRng(seed), NO_FAULTS);
      expect([world.row.state, check(world)], `seed ${seed}`).toEqual(['settled', []]);
      expect(world.endedAt - START, `seed ${seed}`).toBeLessThan(60);
    }
  });

  it('behavior: the filler dies after its first fill: tombstones, proof, full refund', async () => {
    let refunded = 0;
    for (let seed = 1; seed <= 24; seed += 1) {
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, fillerDies: 'firstFill' });
      expect(check(world), `seed ${seed}`).toEqual([]);
      const destinations = new Set(world.order.outputs.map((output) => output.chainId));
      if (destinations.size === 1) expect(world.row.state, `seed ${seed}`).toBe('settled');
      else {
        expect(world.row.state, `seed ${seed}`).toBe('refunded');
        expect(world.row.reason, `seed ${seed}`).toContain('did not deliver in time');
        refunded += 1;
      }
    }
    expect(refunded).toBeGreaterThan(4);
  });

  it('behavior: an origin that cannot open: nothing is taken anywhere', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, ownerRevokesAt: 0 });
      expect([world.row.state, check(world)], `seed ${seed}`).toEqual(['failed', []]);
    }
  });

  it('behavior: a filler that cannot pay declines, and the refund does not wait', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, deskRefuses: true });
      expect([world.row.state, check(world)], `seed ${seed}`).toEqual(['refunded', []]);
      expect(world.endedAt - START, `seed ${seed}`).toBeLessThan(60);
    }
  });

  it('behavior: crashes at every seventh effect delay and change nothing', async () => {
    let crashes = 0;
    for (let seed = 1; seed <= 15; seed += 1) {
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, crash: 0.15 });
      expect(check(world), `seed ${seed}`).toEqual([]);
      crashes += world.crashes;
    }
    expect(crashes).toBeGreaterThan(50);
  });
});
