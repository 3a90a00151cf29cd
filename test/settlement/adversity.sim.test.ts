// Named attacks and accidents, each in a simulated world of its own: wallets that spend what they
// signed for, owners who cancel, strangers who open first, fillers that die in every state with the
// guard alone to finish, accounts that must not sign on one chain, and orders that compete for one
// inventory. What must always hold is: no fill without every escrow, no escrow left behind.

import { describe, expect, it } from 'vitest';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, orderDigest } from '../../contracts-abi/typedData.ts';
import { createAuctioning } from '../../solver/settlement/auctioning.ts';
import { createDeskBids } from '../../solver/settlement/deskBids.ts';
import { isTerminal } from '../../solver/settlement/lifecycle.ts';
import { createMarket } from '../../solver/settlement/market.ts';
import { DEFAULT_SETTLEMENT_POLICY } from '../../solver/settlement/policy.ts';
import type { FillerDesk } from '../../solver/settlement/ports.ts';
import { proofPauseMs } from '../../solver/settlement/proving.ts';
import { createTurnstile } from '../../solver/settlement/reserving.ts';
import { createServe } from '../../solver/settlement/serve.ts';
import { recoverSigner } from '../../solver/settlement/signature.ts';
import { forEachChain, unlessDown } from '../../solver/settlement/steps.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault } from '../../solver/types/errors.ts';
import { chainId, evmAddress, orderId } from '../../solver/types/ids.ts';
import type { OrderState } from '../../solver/types/store.ts';
import { type SimAuctions, simAuctions } from './sim/auctions.ts';
import { SimChain } from './sim/chain.ts';
import { balanceKey, SETTLER, slotKey } from './sim/contracts.ts';
import { simRng } from './sim/rng.ts';
import { SimSender, SimStore } from './sim/store.ts';
import {
  auctioneer,
  filler,
  GUARD,
  NO_FAULTS,
  owner,
  runWorld,
  START,
  simMarket,
  simNetwork,
  simOrder,
  type World,
} from './sim/world.ts';

/** Per origin: the slot's status at the end, and what is left in escrow. */
function escrows({ order, chains }: World) {
  return order.origins.map(({ chainId: id, inputs }) => {
    const state = present(chains.get(chainId(Number(id))), 'chain').head.state;
    const status = state.slots.get(slotKey(order.owner, order.nonce))?.status ?? 'none';
    const left = inputs.map(({ token }) => state.balances.get(balanceKey(token, SETTLER)) ?? 0n);
    return { status, left: left.reduce((sum, amount) => sum + amount, 0n) };
  });
}

const fills = ({ chains }: World): number =>
  [...chains.values()].reduce((sum, chain) => sum + chain.head.state.logs.length, 0);

/** Nothing was delivered, nothing is locked, and every owner's token that was taken came back. */
function expectUntouched(world: World, seed: number) {
  expect(fills(world), `seed ${seed}: fills`).toBe(0);
  for (const { status, left } of escrows(world)) {
    expect(['none', 'cancelled', 'refunded'], `seed ${seed}`).toContain(status);
    expect(left, `seed ${seed}: escrow`).toBe(0n);
  }
}

describe('owners who change their mind', () => {
  it('attack: the balance is spent between admission and open: no fill, all back', async () => {
    const ends = new Set<string>();
    for (let seed = 1; seed <= 10; seed += 1) {
      for (const ownerSpendsAt of [0, 1, 2]) {
        const world = await runWorld(simRng(seed), { ...NO_FAULTS, ownerSpendsAt });
        const spentBeforeOpen = escrows(world).at(-1)?.status === 'none';
        expect(isTerminal(world.row.state), `seed ${seed}`).toBe(true);
        expect(world.violations, `seed ${seed}`).toEqual([]);
        if (!spentBeforeOpen) continue;
        expect(['failed', 'refunded'], `seed ${seed}`).toContain(world.row.state);
        expect(world.row.reason, `seed ${seed}`).toMatch(/Money: .* Next: /);
        expectUntouched(world, seed);
        ends.add(world.row.state);
      }
    }
    expect(ends).toContain('failed');
  });

  it('attack: cancel(nonce) on one origin before it opens: nobody fills, the rest is back', async () => {
    const ends = new Set<string>();
    for (let seed = 1; seed <= 10; seed += 1) {
      for (const ownerCancelsAt of [0, 1, 2]) {
        const world = await runWorld(simRng(seed), { ...NO_FAULTS, ownerCancelsAt });
        expect(isTerminal(world.row.state), `seed ${seed}`).toBe(true);
        expect(world.violations, `seed ${seed}`).toEqual([]);
        if (!escrows(world).some(({ status }) => status === 'cancelled')) continue;
        expect(['failed', 'refunded'], `seed ${seed}`).toContain(world.row.state);
        expectUntouched(world, seed);
        ends.add(world.row.state);
      }
    }
    expect(ends).toContain('failed');
  });
});

describe('strangers', () => {
  it('attack: a stranger front-runs every open: the order settles all the same', async () => {
    for (let seed = 1; seed <= 16; seed += 1) {
      const world = await runWorld(simRng(seed), { ...NO_FAULTS, strangerOpens: true });
      expect(world.row.state, `seed ${seed}`).toBe('settled');
      expect(world.violations, `seed ${seed}`).toEqual([]);
      for (const end of escrows(world)) expect(end).toEqual({ status: 'released', left: 0n });
    }
  });
});

describe('the guard alone', () => {
  const states: readonly OrderState[] = [
    'awarded',
    'opening',
    'opened',
    'filling',
    'filled',
    'proving',
    'releasing',
    'refunding',
  ];
  for (const state of states) {
    it(`behavior: the filler dies entering ${state}: every order still ends, no escrow left`, async () => {
      let reached = 0;
      for (let seed = 1; seed <= 10; seed += 1) {
        const world = await runWorld(simRng(seed), {
          ...NO_FAULTS,
          fillerDiesEntering: state,
          deskRefuses: state === 'refunding',
        });
        expect(isTerminal(world.row.state), `seed ${seed}: ${world.row.state}`).toBe(true);
        expect(world.violations, `seed ${seed}`).toEqual([]);
        for (const { left } of escrows(world)) expect(left, `seed ${seed}`).toBe(0n);
        const paid = ['filled', 'proving', 'releasing'].includes(state);
        const nothing = ['awarded', 'opening'].includes(state);
        const end = paid ? 'settled' : nothing ? 'failed' : 'refunded';
        expect(world.row.state, `seed ${seed}`).toBe(end);
        if (!paid) expect(fills(world), `seed ${seed}`).toBe(0);
        reached += 1;
      }
      expect(reached).toBe(10);
    });
  }

  it('behavior: an account that must not sign on one chain refunds on the others', async () => {
    let seen = 0;
    for (let seed = 1; seed <= 40 && seen < 6; seed += 1) {
      const { origins } = simOrder(simRng(seed));
      const first = present(origins[0], 'an origin');
      if (origins.length < 2) continue;
      const world = await runWorld(simRng(seed), {
        ...NO_FAULTS,
        deskRefuses: true,
        brokenAccountOn: { chain: Number(first.chainId), sender: GUARD },
      });
      // The broken chain needs its operator; the other origin must not wait for him.
      expect(
        escrows(world).map(({ status }) => status),
        `seed ${seed}`,
      ).toEqual(['open', 'refunded']);
      seen += 1;
    }
    expect(seen).toBe(6);
  });
});

describe('the count', () => {
  it('default: at settled every transaction of the filler has a receipt and an event', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const { row, sender, store } = await runWorld(simRng(seed), NO_FAULTS);
      expect(row.state, `seed ${seed}`).toBe('settled');
      const mine = sender.rows.filter((tx) => tx.sender === filler.address);
      expect(mine.length, `seed ${seed}`).toBeGreaterThan(2);
      for (const { purpose, status } of mine) {
        expect(status, `seed ${seed}: ${purpose}`).toBe('final');
        const told = store.log.filter(({ type, data }) => {
          return type === 'tx.final' && data.purpose === purpose;
        });
        expect(told.length, `seed ${seed}: ${purpose}`).toBe(1);
      }
    }
  });
});

describe('orders that compete for one inventory', () => {
  const NODE = '41:B';
  const HELD = 100n;
  const NEED = 80n;

  /** Bids on what no order or live bid holds, and takes its time between looking and answering. */
  function scarceDesk(store: SimStore, auctions: SimAuctions): FillerDesk {
    const reserved: FillerDesk['reserved'] = async (except) => {
      const live = await auctions.liveReserves(filler.address);
      const bids = live.filter(({ orderIds }) => !orderIds.some((id) => except.includes(id)));
      const orders = [...store.orders.values()].filter(
        ({ orderId: id, state }) => !except.includes(id) && state === 'awarded',
      );
      const held = [
        ...bids.map(({ reserves }) => reserves),
        ...orders.map((o) => o.facts.reserves),
      ];
      const sum = held.reduce<bigint>((total, reserves) => {
        const { [NODE]: amount } = (reserves ?? {}) as Record<string, string>;
        return total + BigInt(amount ?? '0');
      }, 0n);
      return new Map([[NODE, sum]]);
    };
    const unused = async (): Promise<never> => {
      throw new Error('not reached');
    };
    return {
      address: filler.address,
      signer: filler,
      reserved,
      async bid({ orderId: id, order, held = {} }) {
        const taken = ((await reserved([id]))?.get(NODE) ?? 0n) + BigInt(held[NODE] ?? '0');
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        const free = HELD - taken;
        if (free < NEED) return { refused: 'insufficientInventory', message: `${free} free` };
        return {
          amounts: order.outputs.map((output) => output.amount),
          reserves: { [NODE]: NEED.toString() },
          notes: {},
        };
      },
      bidBatch: async () => null,
      planFill: unused,
      reconsider: async () => null,
      planRestore: async () => null,
      profitAndLoss: unused,
    };
  }

  it('attack: six orders in three auctions at once never reserve more than is there', async () => {
    const time = { ms: START * 1_000 };
    const clock = {
      now: () => unixSeconds(Math.floor(time.ms / 1_000)),
      nowMs: () => time.ms,
      sleep: async () => {},
    };
    const store = new SimStore({ nowMs: clock.nowMs, mayCrash: () => {} });
    const auctions = simAuctions(store, clock.nowMs);
    const known = new Map();
    const chains = new Map([41, 42, 43].map((id) => [chainId(id), new SimChain(id, START, known)]));
    const sender = new SimSender(chains, { nowMs: clock.nowMs, mayCrash: () => {} });
    const desk = scarceDesk(store, auctions);
    const policy = { ...DEFAULT_SETTLEMENT_POLICY, auctionOrdersMax: 2 };
    const deps = { store, sender, auctions, chains, clock, network: simNetwork(), policy };
    const door = createMarket({
      ...{ auctions, orders: store, recover: recoverSigner },
      vouched: [filler.address],
    });
    const handlers = {
      serve: createServe({ ...deps, desk }),
      bid: createDeskBids({ ...deps, desk, market: door, oneByOne: createTurnstile() }),
      auction: createAuctioning({
        ...{ ...deps, auctioneer, desk: filler.address },
        market: simMarket(chains),
      }),
    };
    for (let seed = 1; seed <= 6; seed += 1) {
      const order = simOrder(simRng(seed));
      const id = orderId(hashOrder(order));
      await store.admitOrder(
        {
          orderId: id,
          quoteId: null,
          owner: evmAddress(order.owner),
          nonce: order.nonce.toString(),
          state: 'created',
          reason: null,
          order: { ...orderToJson(order) },
          ownerSignature: await owner.sign({ hash: orderDigest(order) }),
          signatureKind: 'eip712',
          award: null,
          facts: {},
        },
        [],
        [{ kind: 'serve', key: id, runAtMs: 0 }],
      );
    }
    // All at once, as workers would; an order that was awarded is left alone.
    let most = 0n;
    for (let round = 0; round < 120; round += 1) {
      time.ms += 500;
      for (const kind of ['serve', 'auction', 'bid'] as const) {
        const leases = await Promise.all([...store.orders].map(() => store.claimJob([kind])));
        await Promise.all(
          leases.map(async (lease) => {
            if (lease === null) return;
            const awarded = kind === 'serve' && store.orders.get(orderId(lease.key))?.award;
            if (awarded) return store.completeJob(lease);
            const outcome = await handlers[kind](lease, new AbortController().signal);
            if ('done' in outcome) await store.completeJob(lease);
            else await store.rescheduleJob(lease, outcome.runAtMs);
          }),
        );
        const held = (await desk.reserved([]))?.get(NODE) ?? 0n;
        if (held > most) most = held;
      }
    }
    expect(auctions.auctions.size).toBeGreaterThanOrEqual(3);
    expect(most).toBe(NEED);
    const held = [...store.orders.values()].filter(({ state }) => state === 'awarded');
    expect(held.length).toBe(1);
    const others = [...store.orders.values()].filter((order) => !held.includes(order));
    for (const { state, reason } of others) {
      expect(state).toBe('failed');
      expect(reason).toContain('20 free');
    }
  });
});

describe('what is no outage', () => {
  it('error: an order that moved on ends the step, an outage does not', async () => {
    const down = new Fault('down', { code: 'chainDown' });
    expect(await unlessDown(() => Promise.reject(down))).toBe(down);
    const moved = new Fault('moved on', { code: 'stateConflict' });
    await expect(unlessDown(() => Promise.reject(moved))).rejects.toBe(moved);
  });

  it('error: a Fault for good on one chain is told after the others had their turn', async () => {
    const done: number[] = [];
    const broken = new Fault('foreign nonces', { code: 'foreignNonce', retryable: false });
    const task = async (id: number) => {
      if (id === 1) throw broken;
      if (id === 2) throw new Fault('down');
      done.push(id);
    };
    await expect(forEachChain([1, 2, 3, 4], task)).rejects.toBe(broken);
    expect(done).toEqual([3, 4]);
  });

  it('behavior: proofs are repeated for hours, ever more slowly, not eight times in minutes', () => {
    const pauses = Array.from({ length: 24 }, (_, i) =>
      proofPauseMs(i + 1, DEFAULT_SETTLEMENT_POLICY),
    );
    expect(pauses[0]).toBe(90_000);
    expect(Math.max(...pauses)).toBe(16 * 90_000);
    const total = pauses.reduce((sum, pause) => sum + pause, 0);
    expect(total).toBeGreaterThan(4 * 3_600_000);
  });
});
