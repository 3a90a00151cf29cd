// Orders that a third party wins: whatever it does with its award, the owner has the minimum or all of
// it back, no escrow is left behind, our own desk sends nothing for it, and its standing says what it
// did.

import { describe, expect, it } from 'vitest';
import { isTerminal } from '../../solver/settlement/lifecycle.ts';
import { present } from '../../solver/types/assert.ts';
import { chainId } from '../../solver/types/ids.ts';
import type { OrderState } from '../../solver/types/store.ts';
import { balanceKey, SETTLER, slotKey } from './sim/contracts.ts';
import { FOREIGN, type Manners } from './sim/foreign.ts';
import { simRng } from './sim/rng.ts';
import { filler, NO_FAULTS, runWorld, simOrder, type World } from './sim/world.ts';

const SEEDS = 4;

/** Broken promises to the owner at the end of a world. */
function wrongs({ order, row, chains, violations }: World): string[] {
  const wrong = [...violations];
  if (!isTerminal(row.state)) wrong.push(`still ${row.state}: ${row.reason}`);
  const stateOf = (id: bigint) => present(chains.get(chainId(Number(id))), 'chain').head.state;
  let released = false;
  for (const { chainId: id, inputs } of order.origins) {
    const state = stateOf(id);
    const status = state.slots.get(slotKey(order.owner, order.nonce))?.status ?? 'none';
    if (status === 'open') wrong.push(`escrow open on ${id}`);
    if (status === 'released') released = true;
    for (const { token, amount } of inputs) {
      if ((state.balances.get(balanceKey(token, SETTLER)) ?? 0n) !== 0n) wrong.push('escrow left');
      const kept = state.balances.get(balanceKey(token, order.owner)) ?? 0n;
      if (status !== 'released' && kept < amount) wrong.push(`owner lacks ${token} on ${id}`);
    }
  }
  for (const output of released ? order.outputs : []) {
    const paid = stateOf(output.chainId)
      .logs.filter((log) => log.output.token === output.token)
      .reduce((sum, log) => sum + log.output.amount, 0n);
    if (paid < output.amount) wrong.push(`released, and output on ${output.chainId} unpaid`);
  }
  return wrong;
}

const outcomesOf = ({ auctions }: World, who: string) =>
  auctions.awards.filter(({ filler: by }) => by === who).map(({ outcome }) => outcome);

/** Our filler's transactions for the order. */
const sent = ({ sender }: World) => sender.rows.filter((tx) => tx.sender === filler.address);

describe('a foreign winner', () => {
  const cases: readonly [Manners, OrderState, string][] = [
    ['fills', 'settled', 'filled'],
    ['declines', 'refunded', 'faded'],
    ['fillsLate', 'refunded', 'late'],
  ];
  for (const [manners, end, outcome] of cases) {
    it(`behavior: it ${manners}: ${end}, counted ${outcome}`, async () => {
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const world = await runWorld(simRng(seed), { ...NO_FAULTS, foreign: manners });
        expect([world.row.state, wrongs(world)], `seed ${seed}`).toEqual([end, []]);
        expect(outcomesOf(world, FOREIGN), `seed ${seed}`).toEqual([outcome]);
        expect(sent(world), `seed ${seed}`).toEqual([]);
        const types = world.store.log.map(({ type }) => type);
        expect(types.filter((type) => type === 'order.awarded').length).toBe(1);
        if (end === 'settled') expect(types).toContain('order.filled');
        else expect(world.row.reason, `seed ${seed}`).toMatch(/Money: .* Next: /);
      }
    });
  }

  it('behavior: it fades: the order is auctioned again, and our desk settles it', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, foreign: 'fades' });
      expect([world.row.state, wrongs(world)], `seed ${seed}`).toEqual(['settled', []]);
      expect(outcomesOf(world, FOREIGN), `seed ${seed}`).toEqual(['faded']);
      expect(outcomesOf(world, filler.address), `seed ${seed}`).toEqual(['filled']);
      const standing = await world.auctions.record(FOREIGN, 0);
      expect(standing).toMatchObject({ won: 1, faded: 1, open: 0 });
    }
  });

  it('behavior: it opens one origin of two, or fills half: all that is in escrow comes back', async () => {
    let seen = 0;
    for (let seed = 1; seed <= 60 && seen < SEEDS; seed += 1) {
      const { origins, outputs } = simOrder(simRng(seed));
      const several = { opensOne: origins.length > 1, diesHalfway: outputs.length > 1 };
      for (const manners of ['opensOne', 'diesHalfway'] as const) {
        if (!several[manners]) continue;
        const world = await runWorld(simRng(seed), { ...NO_FAULTS, foreign: manners });
        expect([world.row.state, wrongs(world)], `seed ${seed}`).toEqual(['refunded', []]);
        expect(outcomesOf(world, FOREIGN), `seed ${seed}`).toEqual(['faded']);
        expect(sent(world), `seed ${seed}`).toEqual([]);
        seen += 1;
      }
    }
    expect(seen).toBe(SEEDS);
  });

  it('attack: the owner revokes after the award: no strike for the filler', async () => {
    let voided = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const world = await runWorld(simRng(seed), {
        ...{ ...NO_FAULTS, foreign: 'fills' },
        ...{ ownerRevokesAt: 1, ownerSpendsAt: 1 },
      });
      expect(wrongs(world).filter((wrong) => !wrong.startsWith('owner lacks'))).toEqual([]);
      const outcomes = outcomesOf(world, FOREIGN);
      expect(outcomes, `seed ${seed}`).not.toContain('faded');
      if (outcomes.includes('void')) voided += 1;
    }
    expect(voided).toBeGreaterThan(0);
  });

  it('property: crashes around every write change no end and count no award twice', async () => {
    const manners: readonly Manners[] = ['fills', 'fades', 'declines', 'diesHalfway', 'fillsLate'];
    for (let seed = 1; seed <= 10; seed += 1) {
      const foreign = present(manners[seed % manners.length], 'manners');
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, crash: 0.08, foreign });
      expect([wrongs(world), isTerminal(world.row.state)], `seed ${seed} ${foreign}`).toEqual([
        [],
        true,
      ]);
      const open = world.auctions.awards.filter(({ outcome }) => outcome === null);
      expect(open, `seed ${seed} ${foreign}`).toEqual([]);
      const closed = [...world.auctions.auctions.values()].filter(({ record }) => record !== null);
      const told = world.auctions.market.filter(({ type }) => type === 'auction.closed');
      expect(told.length, `seed ${seed}`).toBe(closed.length);
    }
  });
});
