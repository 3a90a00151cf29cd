// The solver kit against a service in memory: it bids what it was told to, believes nothing that does
// not verify, and remembers. What it does on chains is test/e2e/market.test.ts's.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSolver, readKey, readRpcUrls } from '../../api/cli/solver/module.ts';
import { writeStarter } from '../../api/cli/solver/starter.ts';
import { type Auction, runSolver, type SolverEvent } from '../../api/client/solver/index.ts';
import { openJournal } from '../../api/client/solver/journal.ts';
import { offerFault } from '../../api/client/solver/run.ts';
import { type RunningServer, startServer } from '../../api/server.ts';
import { signedBidToJson } from '../../contracts-abi/bidJson.ts';
import { bidTypes } from '../../contracts-abi/bidTypedData.ts';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import {
  type Award,
  amountsHash,
  awardDigest,
  domain,
  hashAward,
  hashOrder,
  type PortfolioOrder,
} from '../../contracts-abi/typedData.ts';
import { chainId, evmAddress } from '../../solver/types/ids.ts';
import { type FakeTrimtab, fakeTrimtab, order as sample } from '../api/fakeTrimtab.ts';

const FILLER = privateKeyToAccount(`0x${'f1'.repeat(32)}`);
const AUCTIONEER_KEY = `0x${'ac'.repeat(32)}` as const;
const AUCTION = `0x${'ab'.repeat(32)}` as const;
const address = (byte: string) => evmAddress(`0x${byte.repeat(20)}`);
const order: PortfolioOrder = {
  ...sample,
  auctioneer: privateKeyToAccount(AUCTIONEER_KEY).address.toLowerCase() as Hex,
};
const MINIMUM = 2_990_000_000n;
const BID = MINIMUM + MINIMUM / 100n;

let trimtab: FakeTrimtab;
let server: RunningServer;
let stop: AbortController;
let events: SolverEvent[];
let running: Promise<void>;

/** Chains whose nodes nobody answers at: nothing here may need one. */
function listed(): Partial<FakeTrimtab> {
  const chain = (id: number, name: string) => ({
    chainId: chainId(id),
    name,
    publicRpcUrl: 'http://127.0.0.1:1',
    confirmations: 1,
    blockSeconds: 1,
    nativeAsset: 'ETH',
    eid: id,
    contracts: {
      portfolioSettler: address('44'),
      outputSettler: address('77'),
      layerZeroOracle: address('55'),
      routeExecutor: address('78'),
      multicall3: address('79'),
    },
  });
  const token = (id: number, byte: string, symbol: string, decimals: number) => ({
    chainId: chainId(id),
    chain: 'c',
    symbol,
    address: address(byte),
    decimals,
    feed: address('99'),
  });
  return {
    network: () => ({
      chains: [chain(31338, 'alpha'), chain(31339, 'beta')],
      auctioneer: evmAddress(order.auctioneer),
      minProofWindowSeconds: 60,
    }),
    assets: () => [
      { asset: 'ETH', tokens: [token(31338, '66', 'WETH', 18)] },
      { asset: 'USDC', tokens: [token(31339, '88', 'USDC', 6)] },
    ],
    venues: () => [],
  };
}

beforeEach(async () => {
  trimtab = Object.assign(fakeTrimtab(), listed());
  server = await startServer({ trimtab, port: 0 });
  stop = new AbortController();
  events = [];
});
afterEach(async () => {
  stop.abort();
  await running;
  await server.close();
});

function start(bid: Parameters<typeof runSolver>[0]['bid'], journal?: string): void {
  running = runSolver({
    url: server.url,
    account: FILLER,
    bid,
    signal: stop.signal,
    onEvent: (event) => events.push(event),
    ...(journal === undefined ? {} : { journal }),
  });
}
const seen = (type: string) => events.filter((event) => event.type === type);
const until = (type: string, count = 1) =>
  expect.poll(() => seen(type).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);

function opened(of: PortfolioOrder = order, orderId = hashOrder(of)) {
  const outputs = of.outputs.map((output) => ({
    minimum: output.amount.toString(),
    priceWad: (10n ** 18n).toString(),
    decimals: 6,
  }));
  return {
    auctionId: AUCTION,
    instance: { orders: [{ orderId, openBy: of.openDeadline, outputs }] },
    orders: [{ orderId, order: { ...orderToJson(of) } }],
    closesAtMs: Date.now() + 60_000,
  };
}

async function awardData(
  changes: {
    amounts?: readonly bigint[];
    award?: Partial<Award>;
    key?: Hex;
    of?: PortfolioOrder;
  } = {},
) {
  const { amounts = [BID], key = AUCTIONEER_KEY, of = order } = changes;
  const award: Award = {
    orderId: hashOrder(of),
    filler: FILLER.address.toLowerCase() as Hex,
    fillDeadline: of.fillDeadline,
    openBy: of.openDeadline,
    amountsHash: amountsHash(amounts),
    ...changes.award,
  };
  const signature = await sign({ hash: awardDigest(award), privateKey: key, to: 'hex' });
  return {
    auctionId: AUCTION,
    orderId: hashOrder(of),
    order: { ...orderToJson(of) },
    ownerSignature: `0x${'01'.repeat(65)}`,
    signatureKind: 'eip712',
    award: { ...award },
    awardId: hashAward(award),
    amounts: amounts.map(String),
    awardSignature: signature,
  };
}

describe('runSolver', () => {
  const percent: Parameters<typeof runSolver>[0]['bid'] = (auction, tools) =>
    auction.orders.map((one) => tools.atMinimumPlus(one, 100));

  it('default: bids in what opens, and takes up an award for its own bid', async () => {
    start(percent);
    await until('connected');
    trimtab.auctions.push('auction.opened', opened());
    await until('bid.accepted');
    expect(trimtab.auctions.bids.map(({ items }) => items[0]?.amounts)).toEqual([[BID]]);
    trimtab.auctions.push('award', await awardData(), evmAddress(FILLER.address));
    await until('award');
    expect(seen('award.refused')).toEqual([]);
  });

  it('behavior: an order that does not verify is left out, the others are bid on', async () => {
    start(percent);
    await until('connected');
    const [origin] = order.origins;
    const foreign = origin && { ...order, origins: [{ ...origin, settler: address('de') }] };
    trimtab.auctions.push('auction.opened', opened(foreign as PortfolioOrder));
    trimtab.auctions.push('auction.opened', opened(order, `0x${'13'.repeat(32)}`));
    trimtab.auctions.push('auction.opened', opened());
    await until('bid.accepted');
    expect(seen('auction.refused').map(({ reason }) => reason)).toEqual([
      `settler ${address('de')} is not listed`,
      'the order does not hash to its id',
    ]);
    expect(trimtab.auctions.bids.length).toBe(1);
  });

  it('error: no award is served that is not for a bid of its own, signed by the auctioneer', async () => {
    start(percent);
    await until('connected');
    trimtab.auctions.push('auction.opened', opened());
    await until('bid.accepted');
    const me = evmAddress(FILLER.address);
    const [output] = order.outputs;
    const calling = output && { ...order, outputs: [{ ...output, callbackData: '0x01' as Hex }] };
    const wrong = [
      await awardData({ amounts: [BID + 1n] }),
      await awardData({ amounts: [MINIMUM - 1n] }),
      { ...(await awardData()), amounts: [(BID + 5n).toString()] },
      await awardData({ award: { filler: address('ee') } }),
      await awardData({ award: { fillDeadline: order.fillDeadline + 1 } }),
      await awardData({ award: { openBy: order.openDeadline + 1 } }),
      await awardData({ key: `0x${'bb'.repeat(32)}` }),
      { ...(await awardData()), awardId: `0x${'00'.repeat(32)}` },
      { ...(await awardData()), orderId: `0x${'00'.repeat(32)}` },
      await awardData({ of: calling as PortfolioOrder }),
    ];
    for (const data of wrong) trimtab.auctions.push('award', data as never, me);
    await until('award.refused', wrong.length);
    expect(seen('award')).toEqual([]);
    const reasons = seen('award.refused')
      .map(({ reason }) => String(reason))
      .sort();
    expect(reasons).toEqual([
      'an amount is below the signed minimum',
      'an output calls back, which this kit does not serve',
      'it does not hash to its id',
      'it has another fill deadline',
      'it is for another order',
      'it is not signed by the auctioneer that the owner named',
      'it may open after the open deadline',
      `it names ${address('ee')} as filler`,
      'its amounts are not the awarded ones',
      'no bid of this filler offered these amounts',
    ]);
  });

  it('behavior: restarted, it knows its bids by the journal, or by the public record', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trimtab-journal-'));
    try {
      const journal = join(folder, 'journal.jsonl');
      openJournal(journal).bid(AUCTION, [{ orderId: hashOrder(order), amounts: [BID] }]);
      const me = evmAddress(FILLER.address);
      trimtab.auctions.push('award', await awardData(), me);
      start(percent, journal);
      await until('award');
      expect(openJournal(journal).unfinished.length).toBe(1);
      stop.abort();
      await running;

      // Without a journal its own signature in the auction's record proves the bid.
      const message = {
        auctionId: AUCTION,
        filler: FILLER.address.toLowerCase() as Hex,
        items: [{ orderId: hashOrder(order), amounts: [BID] }],
      };
      const signature = await FILLER.signTypedData({
        domain,
        types: bidTypes,
        primaryType: 'Bid',
        message,
      });
      const bids = [{ bid: { ...signedBidToJson({ ...message, signature }) } }];
      trimtab.auctions.pages.set(AUCTION, { auctionId: AUCTION, record: { bids } } as never);
      stop = new AbortController();
      start(percent);
      await until('award', 2);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('error: offers below a minimum are not signed', async () => {
    start((auction) => auction.orders.map(({ orderId }) => ({ orderId, amounts: [MINIMUM - 1n] })));
    await until('connected');
    trimtab.auctions.push('auction.opened', opened());
    await until('bid.unsent');
    expect(trimtab.auctions.bids).toEqual([]);
  });
});

describe('offerFault', () => {
  const orderId = hashOrder(order);
  const auction = {
    auctionId: AUCTION,
    closesAtMs: 0,
    orders: [{ orderId, outputs: [{ minimum: 10n }] }],
  } as unknown as Auction;
  it('names what is wrong', () => {
    expect(offerFault(auction, [{ orderId, amounts: [10n] }])).toBeNull();
    expect(offerFault(auction, [])).toContain('no order');
    expect(offerFault(auction, [{ orderId, amounts: [9n] }])).toContain('below the signed minimum');
    expect(offerFault(auction, [{ orderId, amounts: [2n ** 256n] }])).toContain('uint256');
    expect(offerFault(auction, [{ orderId, amounts: [] }])).toContain('0 amounts');
    expect(offerFault(auction, [{ orderId: '0x01', amounts: [1n] }])).toContain(
      'not in the auction',
    );
    const twice = { orderId, amounts: [10n] };
    expect(offerFault(auction, [twice, twice])).toContain('named twice');
    const float = { orderId, amounts: [10 as never] };
    expect(offerFault(auction, [float])).toContain('not a bigint');
  });
});

describe('the starter', () => {
  let folder: string;
  beforeEach(() => {
    running = Promise.resolve();
    folder = mkdtempSync(join(tmpdir(), 'trimtab-starter-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('default: about thirty lines, the very ones of docs/solvers.md, with a key of its own', async () => {
    const path = join(folder, 'mine');
    const { address: filler } = writeStarter(path, 'http://127.0.0.1:8787');
    const source = readFileSync(join(path, 'solver.mjs'), 'utf8');
    expect(source.split('\n').length).toBeLessThanOrEqual(32);
    const page = readFileSync(new URL('../../docs/solvers.md', import.meta.url), 'utf8');
    expect(page).toContain(source);
    expect(privateKeyToAccount(readKey(join(path, 'key'))).address).toBe(filler);
    expect(() => writeStarter(path, 'http://x')).toThrow('is not empty');
  });

  it('error: files that are no solver, keys that are none, addresses that are none', async () => {
    const file = join(folder, 'solver.mjs');
    await expect(loadSolver(file)).rejects.toThrow('no such file');
    writeFileSync(file, 'export const bid = 1;');
    await expect(loadSolver(file)).rejects.toThrow('exports no function bid');
    const other = join(folder, 'other.mjs');
    writeFileSync(other, 'export default { bid: () => null, buy: 3 };');
    await expect(loadSolver(other)).rejects.toThrow('buy');
    expect(() => readKey(join(folder, 'none'))).toThrow('cannot be read');
    writeFileSync(join(folder, 'key'), 'abc');
    expect(() => readKey(join(folder, 'key'))).toThrow('32 bytes');
    expect(readRpcUrls(['1=http://a/b'])).toEqual({ 1: 'http://a/b' });
    expect(() => readRpcUrls(['one=http://a'])).toThrow('chain id');
  });
});

describe('openJournal', () => {
  it('behavior: a torn last line is ignored, what ended is not unfinished', () => {
    running = Promise.resolve();
    const folder = mkdtempSync(join(tmpdir(), 'trimtab-journal-'));
    try {
      const path = join(folder, 'j');
      const journal = openJournal(path);
      journal.bid(AUCTION, [{ orderId: '0x01', amounts: [1n, 2n ** 200n] }]);
      journal.award('0x0a', { some: 'data' });
      journal.award('0x0b', {});
      journal.end('0x0b', 'settled');
      journal.see(7);
      writeFileSync(path, `${readFileSync(path, 'utf8')}{"kind":"see`);
      const again = openJournal(path);
      expect(again.bids.get(AUCTION)).toEqual([{ orderId: '0x01', amounts: [1n, 2n ** 200n] }]);
      expect(again.unfinished).toEqual([{ some: 'data' }]);
      expect(again.seen).toBe(7);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
