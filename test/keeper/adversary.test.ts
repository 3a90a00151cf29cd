// What a review of the keeper with its owner's money in mind asked for: prices that are counted but not
// believed, a market that moves under a quote, two policies of one wallet, orders made by hand, documents
// that the network outgrew, and a memory of prices that one policy must not spoil for all.

import { describe, expect, test } from 'vitest';
import { createKeeper } from '../../solver/keeper/keep.ts';
import { KEEP_JOB } from '../../solver/keeper/lifecycle.ts';
import { createPolicies } from '../../solver/keeper/policies.ts';
import type { KeeperDeps } from '../../solver/keeper/ports.ts';
import type { ChainMarket } from '../../solver/market/source.ts';
import { type ServiceDeps, serviceOf } from '../../solver/service.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { evmAddress, orderId, type PolicyId } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { StoredOrder } from '../../solver/types/store.ts';
import { SimPolicyStore } from './sim/store.ts';
import {
  CALM,
  DOCUMENT,
  LEASE_MS,
  network,
  OWNER,
  type Script,
  tokenOf,
  World,
} from './sim/world.ts';

const [FIRST] = network.chains.map(({ chainId }) => chainId);
/** ETH is a quarter up: a trade is wanted at once. */
const UP: Script = { prices: [[0, 2_500]] };

interface Setting {
  readonly world: World;
  readonly store: SimPolicyStore;
  readonly deps: KeeperDeps;
}
function setUp(
  script: Script,
  change: (deps: KeeperDeps, world: World) => Partial<KeeperDeps>,
): Setting {
  const clock: { world?: World } = {};
  const store = new SimPolicyStore(() => clock.world?.nowMs ?? 0);
  const world = new World(store, script, CALM);
  clock.world = world;
  const plain = world.deps();
  return { world, store, deps: { ...plain, ...change(plain, world) } };
}

/** Lets one keeper look at everything that is due, second by second. */
async function look({ world, store, deps }: Setting, seconds: number): Promise<void> {
  const keep = createKeeper(deps);
  for (let second = 0; second < seconds; second += 1) {
    world.nowMs += 1_000;
    for (let runs = 0; runs < 20; runs += 1) {
      const lease = await store.jobs.claimJob([KEEP_JOB], LEASE_MS);
      if (lease === null) break;
      const outcome = await keep(lease, new AbortController().signal);
      if ('done' in outcome) await store.jobs.completeJob(lease);
      else await store.jobs.rescheduleJob(lease, outcome.runAtMs);
    }
  }
}
const codes = async (store: SimPolicyStore, id: PolicyId) =>
  (await store.dump(id)).events.map(({ data }) => String(data.code));

/** The world's markets, changed. */
const markets =
  (change: (market: ChainMarket, world: World) => ChainMarket) =>
  (deps: KeeperDeps, world: World): Partial<KeeperDeps> => ({
    source: { ...deps.source, chain: async (id) => change(await deps.source.chain(id), world) },
  });
const withFeed = (
  market: ChainMarket,
  change: (usd: bigint) => { answer?: bigint; age: number },
) => {
  const token = tokenOf(market.chainId, 'WETH');
  const feed = present(market.feeds.get(token), 'feed');
  const { answer = feed.answer, age } = change(feed.answer);
  const updatedAt = unixSeconds(market.block.timestamp - age);
  return { ...market, feeds: new Map([...market.feeds, [token, { ...feed, answer, updatedAt }]]) };
};

describe('prices that are counted', () => {
  test('error: pools that agree do not make up for feeds that stopped', async () => {
    // Both feeds stand at 2,500 for two hours; the pools of both chains agree on 2,000.
    const setting = setUp(
      {},
      markets((market) => withFeed(market, () => ({ answer: 2_500n * 10n ** 8n, age: 7_200 }))),
    );
    const id = await setting.world.arm();
    await look(setting, 30);
    const { row, proposals } = await setting.store.dump(id);
    expect(proposals).toEqual([]);
    expect(row.status).toBe('halted');
    expect(await codes(setting.store, id)).toContain('stalePrice');
  });

  test('error: the newest feed, outvoted by all others, moves nothing', async () => {
    const setting = setUp(
      { document: { ...DOCUMENT, oracles: { maxDeviationBps: 100 } } },
      markets((market) =>
        market.chainId === FIRST
          ? withFeed(market, (usd) => ({ answer: usd * 3n, age: 0 }))
          : market,
      ),
    );
    const id = await setting.world.arm();
    await look(setting, 30);
    const { row, proposals } = await setting.store.dump(id);
    expect(proposals).toEqual([]);
    expect(row.status).toBe('halted');
  });

  test('error: a price that falls below its floor while it is quoted is not proposed', async () => {
    let depegged = false;
    const setting = setUp(UP, (deps, world) => ({
      ...markets((market) => {
        const token = tokenOf(market.chainId, 'USDC');
        const feed = present(market.feeds.get(token), 'feed');
        if (!depegged) return market;
        return {
          ...market,
          feeds: new Map([...market.feeds, [token, { ...feed, answer: 91_280_000n }]]),
        };
      })(deps, world),
      quoter: {
        async quote(request) {
          depegged = true;
          return deps.quoter.quote(request);
        },
      },
    }));
    const id = await setting.world.arm();
    await look(setting, 10);
    expect(depegged).toBe(true);
    expect((await setting.store.dump(id)).proposals).toEqual([]);
  });

  test('error: a policy with a loose guard writes no price that a careful one refuses', async () => {
    const loose = { quorum: 1, maxAge: '7d', maxDeviationBps: 5_000 };
    const setting = setUp(
      { document: { ...DOCUMENT, oracles: loose } },
      markets((market) => withFeed(market, (usd) => ({ answer: (usd * 13n) / 10n, age: 10 }))),
    );
    await setting.world.arm();
    await look(setting, 10);
    // A pool is priced by the feed of its other side: with one of the two wrong nothing agrees.
    expect(await setting.store.prices(300, ['WETH', 'USDC'], 0)).toEqual([]);
  });
});

describe('one wallet', () => {
  test('behavior: two policies over the same assets have one proposal at a time', async () => {
    const setting = setUp(UP, () => ({}));
    const ids = [await setting.world.arm('1'), await setting.world.arm('2')];
    let most = 0;
    for (let second = 0; second < 60; second += 1) {
      await look(setting, 1);
      const all = (await Promise.all(ids.map((id) => setting.store.dump(id)))).flatMap(
        (d) => d.proposals,
      );
      const open = all.filter(({ validUntilMs }) => validUntilMs >= setting.world.nowMs);
      most = Math.max(most, open.length);
    }
    expect(most).toBe(1);
  });

  test('behavior: an order made by hand withdraws the proposal that counted on its tokens', async () => {
    const setting = setUp(UP, () => ({}));
    const id = await setting.world.arm();
    await look(setting, 6);
    const [proposal] = (await setting.store.dump(id)).proposals;
    const quote = present(
      setting.world.quotes.get(present(proposal, 'a proposal').quoteId),
      'quote',
    );
    const by = { owner: OWNER, nonce: '9', state: 'created' as const, reason: null, award: null };
    const at = { version: 1, createdAtMs: setting.world.nowMs, updatedAtMs: setting.world.nowMs };
    const order = { ...quote.order, nonce: '9' };
    const own = { orderId: orderId(`0x${'99'.repeat(32)}`), quoteId: null, order, facts: {} };
    await setting.store.putOrder({
      ...own,
      ...by,
      ...at,
      ownerSignature: '0x00',
      signatureKind: 'eip712',
    });
    const standing: KeeperDeps['standing'] = async () => ({ inputs: [], outputs: [] });
    await look({ ...setting, deps: { ...setting.deps, standing } }, 10);
    const { proposals, row } = await setting.store.dump(id);
    expect(proposals).toMatchObject([{ outcome: 'withdrawn' }]);
    expect(row.status).toBe('idle');
  });
});

describe('a document that the network outgrew', () => {
  const PRIVATE: JsonObject = { ...DOCUMENT, privacy: 'commitment' };
  const smaller = {
    ...network,
    chains: network.chains.map((chain) => ({
      ...chain,
      tokens: chain.tokens.filter(({ asset }) => asset !== 'USDC'),
    })),
  };
  test('behavior: it halts, names nothing, and can be listed and revoked', async () => {
    const setting = setUp({ document: PRIVATE }, () => ({ network: smaller }));
    const id = await setting.world.arm();
    await look(setting, 10);
    const service = createPolicies({
      ...setting.deps,
      store: setting.store,
      checkOwner: async () => 'ok',
      dryQuoter: setting.deps.quoter,
      policiesMax: 8,
    });
    const shown = [
      await service.get(id),
      await service.list(OWNER, 10),
      await service.decisions(id, 0, 10),
    ];
    expect(JSON.stringify(shown)).toContain('unreadablePolicy');
    expect(JSON.stringify(shown)).not.toMatch(/USDC|WETH/);
    expect((await setting.store.dump(id)).row.status).toBe('halted');
    const revoked = await service.revoke(id, '0x00');
    expect(isRefusal(revoked) ? revoked.refused : revoked.state).toBe('revoked');
    await look(setting, 70);
    expect((await setting.store.dump(id)).hasJob).toBe(false);
  });
});

describe('the page of a private policy’s order', () => {
  test('behavior: does not name the quote, whose problem file tells all; its owner may', async () => {
    const order = { orderId: 'id', quoteId: 'q-1' } as unknown as StoredOrder;
    const created = { seq: 1, type: 'order.created', data: { quoteId: 'q-1' } };
    const seen = async (isPrivate: boolean) => {
      const service = serviceOf({
        network,
        store: {
          getOrder: async () => order,
          getQuoteTerms: async () => null,
          events: async () => [created],
        },
        sender: { list: async () => [] },
        admission: { submit: async () => ({ orderId: 'id', created: false, order }) },
        quotes: { isPrivateQuote: async (id: string) => isPrivate && id === 'q-1' },
      } as unknown as ServiceDeps);
      const bare = { order: {}, signature: '0x00' as const };
      const id = orderId(`0x${'99'.repeat(32)}`);
      return JSON.stringify([
        await service.getOrder(id),
        await service.events(id, 0, 10),
        await service.submit(bare),
      ]);
    };
    expect((await seen(false)).match(/q-1/g)).toHaveLength(3);
    expect(await seen(true)).not.toContain('q-1');
  });
});

describe('what costs much', () => {
  test('behavior: a quote that is refused again and again is asked for ever more rarely', async () => {
    let asked = 0;
    const setting = setUp(UP, () => ({
      quoter: {
        async quote() {
          asked += 1;
          return { refused: 'noRoute', message: 'no route' };
        },
      },
    }));
    await setting.world.arm();
    await look(setting, 600);
    // At 5, 10, 20, 40, … seconds at most: every five of ten minutes would be 120.
    expect(asked).toBeGreaterThan(4);
    expect(asked).toBeLessThan(16);
  });

  test('behavior: proposals nobody signs are made ever more rarely', async () => {
    const setting = setUp(UP, () => ({}));
    const id = await setting.world.arm();
    await look(setting, 600);
    const { proposals } = await setting.store.dump(id);
    // Each can be signed for 20 s: one after another would be 27.
    expect(proposals.length).toBeGreaterThan(3);
    expect(proposals.length).toBeLessThan(9);
  });

  test('behavior: an empty wallet is looked at once in ten polls', async () => {
    let reads = 0;
    const setting = setUp({}, (deps) => ({
      source: {
        ...deps.source,
        owner: async () => {
          reads += 1;
          return { balances: new Map(), allowances: new Map() };
        },
      },
    }));
    const id = await setting.world.arm();
    await look(setting, 200);
    expect((await setting.store.dump(id)).row.status).toBe('idle');
    expect(reads).toBeLessThanOrEqual(2 * 5);
  });
});

describe('messages that do not arrive', () => {
  test.each([
    [FIRST, 'halted'],
    [31_339, 'idle'],
  ])(
    'behavior: an order stuck on chain %s leaves a policy of the first %s',
    async (chain, status) => {
      const setting = setUp(
        {
          document: {
            ...DOCUMENT,
            chains: [Number(FIRST)],
            breakers: { ...(DOCUMENT.breakers as JsonObject), maxMessagingOutage: '60s' },
          },
        },
        () => ({}),
      );
      const leg = { chainId: String(chain), token: '0x', amount: '1', inputs: [] };
      const at = setting.world.nowMs - 120_000;
      await setting.store.putOrder({
        orderId: orderId(`0x${'98'.repeat(32)}`),
        owner: evmAddress(`0x${'77'.repeat(20)}`),
        state: 'proving',
        order: { origins: [leg], outputs: [leg] },
        createdAtMs: at,
        updatedAtMs: at,
      } as unknown as StoredOrder);
      const id = await setting.world.arm();
      await look(setting, 10);
      expect((await setting.store.dump(id)).row.status).toBe(status);
    },
  );
});
