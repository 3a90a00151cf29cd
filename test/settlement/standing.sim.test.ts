// Where an order's tokens stand, at every block of simulated worlds: what it says of wallet, escrow and
// delivery must add up with the owner's own balances at that very block.

import { describe, expect, test } from 'vitest';
import { smallerOf } from '../../solver/market/decimal.ts';
import { amountOf, balanceCall } from '../../solver/settlement/contracts.ts';
import { createStanding } from '../../solver/settlement/standing.ts';
import { present } from '../../solver/types/assert.ts';
import type { ChainId } from '../../solver/types/ids.ts';
import type { BlockRef } from '../../solver/types/ports.ts';
import { simRng } from './sim/rng.ts';
import { NO_FAULTS, runWorld, type World } from './sim/world.ts';

async function expectConsistent(world: World, seed: number) {
  const { chains, row, order } = world;
  const standing = createStanding(chains);
  const balance = async (chain: ChainId, token: `0x${string}`, at: BlockRef) => {
    const one = present(chains.get(chain), 'chain');
    return amountOf((await one.read([balanceCall(token, order.owner)], at))[0]);
  };
  const first = new Map<ChainId, BlockRef>();
  for (const [id, chain] of chains) first.set(id, await chain.block(0n));
  const heads = [...chains.values()].map((chain) => chain.head.ref.number);
  const height = heads.reduce(smallerOf);
  const seen = { wallet: 0, escrow: 0, gone: 0, delivered: 0 };
  for (let number = 3n; number <= height; number += 1n) {
    const blocks = new Map<ChainId, BlockRef>();
    for (const [id, chain] of chains) blocks.set(id, await chain.block(number));
    const stands = await standing(row, blocks);
    const expected = new Map<string, bigint>();
    const tokens = [...stands.inputs, ...stands.outputs];
    for (const { chainId, token } of tokens) {
      const before = await balance(chainId, token, present(first.get(chainId), 'block'));
      expected.set(`${chainId}:${token}`, before);
    }
    const move = (key: string, by: bigint) => expected.set(key, (expected.get(key) ?? 0n) + by);
    const refunded = row.state === 'refunded';
    for (const { chainId, token, amount, at } of stands.inputs) {
      seen[at] += 1;
      if (at === 'escrow' || (at === 'gone' && !refunded)) move(`${chainId}:${token}`, -amount);
    }
    for (const { chainId, token, delivered, minimum } of stands.outputs) {
      if (!delivered) continue;
      seen.delivered += 1;
      move(`${chainId}:${token}`, minimum);
    }
    for (const { chainId, token } of tokens) {
      const block = present(blocks.get(chainId), 'block');
      const held = await balance(chainId, token, block);
      const least = expected.get(`${chainId}:${token}`) ?? 0n;
      // The award may deliver more than the minimum, never less.
      expect(held >= least, `seed ${seed}, block ${number}: ${held} of ${least}`).toBe(true);
    }
  }
  return seen;
}

describe('createStanding', () => {
  test('property: adds up with the owner’s balances at every block of a settled order', async () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const world = await runWorld(simRng(seed), NO_FAULTS);
      const seen = await expectConsistent(world, seed);
      expect(seen.wallet * seen.escrow * seen.gone * seen.delivered).toBeGreaterThan(0);
    }
  });
  test('property: and of orders whose filler died after its first fill', async () => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, fillerDies: 'firstFill' });
      const seen = await expectConsistent(world, seed);
      expect(seen.escrow).toBeGreaterThan(0);
    }
  });
});
