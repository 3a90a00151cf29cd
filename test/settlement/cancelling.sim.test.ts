// The owner's cancel under seeded chaos: whatever the filler does meanwhile, the order ends, nothing is
// taken of an order that failed, and what was opened first is filled or refunded as ever.

import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../solver/types/errors.ts';
import { chainId } from '../../solver/types/ids.ts';
import { balanceKey, SETTLER, slotKey } from './sim/contracts.ts';
import { simRng } from './sim/rng.ts';
import { NO_FAULTS, runWorld, type World } from './sim/world.ts';

const SEEDS = Number(process.env.TRIMTAB_SIM_SEEDS ?? '25');

function statuses({ order, chains }: World) {
  return order.origins.map(({ chainId: id }) => {
    const state = chains.get(chainId(Number(id)))?.head.state;
    return state?.slots.get(slotKey(order.owner, order.nonce))?.status ?? 'none';
  });
}

/** What must hold of every world's end. */
function wrongs(world: World): readonly string[] {
  const { row, order, chains, asked } = world;
  const wrong = [...world.violations];
  if (!['settled', 'refunded', 'failed'].includes(row.state)) wrong.push(`still ${row.state}`);
  const slots = statuses(world);
  if (slots.includes('open')) wrong.push('an escrow is left open');
  for (const { chainId: id, inputs } of order.origins) {
    const state = chains.get(chainId(Number(id)))?.head.state;
    for (const { token, amount } of inputs) {
      if ((state?.balances.get(balanceKey(token, SETTLER)) ?? 0n) !== 0n) wrong.push('kept');
      const mine = state?.balances.get(balanceKey(token, order.owner)) ?? 0n;
      if (row.state === 'failed' && mine < amount) wrong.push('failed, yet something was taken');
    }
  }
  if (asked === null || isRefusal(asked)) return wrong;
  // Accepted: never again auctioned to its end, unless somebody opened first.
  if (row.state === 'settled' && slots.every((status) => status === 'cancelled')) {
    wrong.push('settled without an escrow');
  }
  if (row.state === 'failed' && row.facts.cancel !== undefined) {
    if (row.reason?.startsWith('cancelledByOwner') !== true) wrong.push(`failed: ${row.reason}`);
  }
  return wrong;
}

describe('the owner’s cancel', () => {
  it('default: before the auction it fails at once, and nothing is sent', async () => {
    const world = await runWorld(simRng(3), { ...NO_FAULTS, ownerAsksAt: 0 });
    expect(wrongs(world)).toEqual([]);
    expect(world.row).toMatchObject({ state: 'failed', facts: { cancel: expect.any(String) } });
    expect(world.row.reason).toContain('cancelledByOwner');
    expect(statuses(world).every((status) => status === 'none')).toBe(true);
  });

  it(`property: ${SEEDS} worlds, asked at any second, with crashes and outages`, async () => {
    const ends = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const rng = simRng(seed ^ 0xca9ce1);
      const world = await runWorld(rng, {
        ...NO_FAULTS,
        crash: rng.pick([0, 0.02]),
        outages: rng.chance(0.2),
        fillerDies: rng.pick(['never', 'never', rng.int(0, 20) + 1] as const),
        ownerAsksAt: rng.int(0, 8),
      });
      expect([seed, wrongs(world)]).toEqual([seed, []]);
      const { asked } = world;
      const end = `${asked === null ? 'down' : isRefusal(asked) ? asked.refused : 'accepted'}: ${
        world.row.state
      }`;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    console.info('ends:', Object.fromEntries(ends));
    expect([...ends.keys()]).toContain('accepted: failed');
    expect([...ends.keys()].some((end) => end.startsWith('tooLateToCancel'))).toBe(true);
  }, 240_000);
});
