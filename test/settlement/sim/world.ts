// A whole world from one seed: three chains, an order, a filler, a guard, messages that are late or
// lost, crashes, outages, an owner who revokes and a stranger who fills. `runWorld` plays it to the
// end and returns what happened; what must hold is asserted by the tests.

import type { Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { encodeFillBatch } from '../../../contracts-abi/calls.ts';
import { orderToJson } from '../../../contracts-abi/orderJson.ts';
import {
  cancelDigest,
  hashOrder,
  orderDigest,
  type PortfolioOrder,
} from '../../../contracts-abi/typedData.ts';
import { createAdmission } from '../../../solver/settlement/admission.ts';
import { createAuctioning } from '../../../solver/settlement/auctioning.ts';
import { type AwardedOrder, parseAwarded } from '../../../solver/settlement/awardedOrder.ts';
import { type Cancelling, createCancelling } from '../../../solver/settlement/cancelling.ts';
import { openCall } from '../../../solver/settlement/contracts.ts';
import { createDeskBids } from '../../../solver/settlement/deskBids.ts';
import { createGuard } from '../../../solver/settlement/guard.ts';
import { isTerminal } from '../../../solver/settlement/lifecycle.ts';
import { createMarket } from '../../../solver/settlement/market.ts';
import { createOwnerCheck } from '../../../solver/settlement/ownerCheck.ts';
import { DEFAULT_SETTLEMENT_POLICY } from '../../../solver/settlement/policy.ts';
import type { AuctionMarket, FillerDesk } from '../../../solver/settlement/ports.ts';
import { createTurnstile } from '../../../solver/settlement/reserving.ts';
import { createServe } from '../../../solver/settlement/serve.ts';
import { recoverSigner } from '../../../solver/settlement/signature.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { present } from '../../../solver/types/assert.ts';
import { Fault, isRefusal } from '../../../solver/types/errors.ts';
import {
  type ChainId,
  chainId,
  type EvmAddress,
  eid,
  evmAddress,
  hash32,
  orderId,
  toBytes32Address,
} from '../../../solver/types/ids.ts';
import type { NetworkConfig } from '../../../solver/types/network.ts';
import type { Clock, Signer } from '../../../solver/types/ports.ts';
import {
  type JobLease,
  LeaseLost,
  type OrderState,
  type StoredOrder,
} from '../../../solver/types/store.ts';
import { type SimAuctions, simAuctions } from './auctions.ts';
import { type Message, SimChain } from './chain.ts';
import {
  balanceKey,
  execute,
  fillOne,
  ORACLE,
  OUTPUT_SETTLER,
  SETTLER,
  SimRevert,
  slotKey,
} from './contracts.ts';
import { createForeign, FOREIGN, type Manners } from './foreign.ts';
import type { SimRng } from './rng.ts';
import { Crash, SimSender, SimStore } from './store.ts';

export interface Faults {
  /** Probability of dying before or after each effect. */
  readonly crash: number;
  readonly dropMessage: number;
  readonly maxDelay: number;
  readonly outages: boolean;
  /** When the filler dies for good: never, at a time, or once its first fill is mined. */
  readonly fillerDies: 'never' | 'firstFill' | number;
  /** Seconds after the start, on the last origin. */
  readonly ownerRevokesAt: number | null;
  readonly ownerCancelsAt: number | null;
  /** When the owner asks us to cancel, seconds after the start; absent: never. */
  readonly ownerAsksAt?: number | null;
  readonly strangerFills: 'never' | 'inTime' | 'late';
  readonly deskRefuses: boolean;
  /** The filler dies for good in the moment that its workflow enters this state. */
  readonly fillerDiesEntering?: OrderState;
  /** Seconds after the start at which the owner's balance on the last origin is spent elsewhere. */
  readonly ownerSpendsAt?: number;
  /** A third party bids more than our desk, and behaves so once it has won. */
  readonly foreign?: Manners;
  /** A stranger sends our opens before we do. */
  readonly strangerOpens?: boolean;
  /** A destination and origin at once that signs and reads, but whose transactions never work. */
  readonly brokenAccountOn?: { readonly chain: number; readonly sender: string };
}
export const NO_FAULTS: Faults = {
  crash: 0,
  dropMessage: 0,
  maxDelay: 3,
  outages: false,
  fillerDies: 'never',
  ownerRevokesAt: null,
  ownerCancelsAt: null,
  strangerFills: 'never',
  deskRefuses: false,
};

export const START = 1_800_000_000;
const OPEN_DEADLINE = START + 40;
const FILL_DEADLINE = START + 100;
const EXPIRY = START + 300;
/** Every order is terminal by then: expiry, finality, and a few crashes and retries. */
export const END = EXPIRY + 200;
const CHAINS = [41, 42, 43] as const;
const LEASE_MS = 3_000;
/** The world's clock moves by half seconds. */
const SIM_POLICY = {
  ...{ proofRetrySeconds: 20, finishGraceSeconds: 10 },
  ...{ gatherMs: 100, biddingMs: 700, openSecondsMin: 8 },
};

const key = (fill: string): Hex => `0x${fill.repeat(64)}`;
export const owner = privateKeyToAccount(key('1'));
const auctioneerAccount = privateKeyToAccount(key('2'));
const fillerAccount = privateKeyToAccount(key('3'));
const STRANGER = evmAddress(`0x${'57'.repeat(20)}`);
export const GUARD = evmAddress(`0x${'6d'.repeat(20)}`);
export const tokenA = evmAddress(`0x${'0a'.repeat(20)}`);
export const tokenB = evmAddress(`0x${'0b'.repeat(20)}`);

export function signerOf(account: typeof owner): Signer {
  return {
    address: evmAddress(account.address),
    signDigest: (digest) => account.sign({ hash: digest }),
    signTransaction: async () => {
      throw new Error('the simulated sender signs nothing');
    },
  };
}
export const auctioneer = signerOf(auctioneerAccount);
export const filler = signerOf(fillerAccount);

export function simNetwork(): NetworkConfig {
  const at = (byte: string) => evmAddress(`0x${byte.repeat(20)}`);
  return {
    version: 1,
    minProofWindowSeconds: 60,
    chains: CHAINS.map((id) => ({
      chainId: chainId(id),
      name: `sim ${id}`,
      eid: eid(30_000 + id),
      rpcUrl: '',
      confirmations: 2,
      blockSeconds: 1,
      nativeAsset: 'A',
      contracts: {
        portfolioSettler: evmAddress(SETTLER),
        outputSettler: evmAddress(OUTPUT_SETTLER),
        layerZeroOracle: evmAddress(ORACLE),
        routeExecutor: at('e1'),
        layerZeroEndpoint: at('e2'),
        multicall3: at('e3'),
        uniswapV2Factory: at('e4'),
        uniswapV3Factory: at('e5'),
        wrappedNative: at('e6'),
      },
      tokens: [tokenA, tokenB].map((address, i) => ({
        symbol: i === 0 ? 'A' : 'B',
        asset: i === 0 ? 'A' : 'B',
        address,
        decimals: 18,
        feed: at('fe'),
        feedHeartbeatSeconds: 60,
      })),
      pools: [],
    })),
  };
}

/** One or two origins, one to three outputs, sometimes on an origin's own chain. */
export function simOrder(rng: SimRng): PortfolioOrder {
  const shuffled = [...CHAINS].sort(() => rng.next() - 0.5);
  const originIds = shuffled.slice(0, rng.int(1, 2)).sort((a, b) => a - b);
  const cells = CHAINS.flatMap((id) => [tokenA, tokenB].map((token) => ({ id, token })));
  const outputs = cells.filter(() => rng.chance(0.35)).slice(0, 3);
  if (outputs.length === 0) outputs.push(rng.pick(cells));
  return {
    owner: evmAddress(owner.address),
    nonce: BigInt(rng.seed) + 7n,
    openDeadline: OPEN_DEADLINE,
    fillDeadline: FILL_DEADLINE,
    expiry: EXPIRY,
    auctioneer: auctioneer.address,
    targets: key('0'),
    origins: originIds.map((id) => ({
      chainId: BigInt(id),
      settler: SETTLER,
      oracle: ORACLE,
      inputs: [{ token: tokenA, amount: BigInt(rng.int(1, 1_000_000)) }],
    })),
    outputs: outputs.map(({ id, token }) => ({
      oracle: toBytes32Address(evmAddress(ORACLE)),
      settler: toBytes32Address(evmAddress(OUTPUT_SETTLER)),
      chainId: BigInt(id),
      token: toBytes32Address(token),
      amount: BigInt(rng.int(1, 1_000_000)),
      recipient: toBytes32Address(evmAddress(owner.address)),
      callbackData: '0x',
      context: '0x',
    })),
  };
}

export interface World {
  readonly order: PortfolioOrder;
  readonly row: StoredOrder;
  readonly chains: ReadonlyMap<ChainId, SimChain>;
  readonly store: SimStore;
  readonly auctions: SimAuctions;
  readonly sender: SimSender;
  /** Broken rules seen while it ran. */
  readonly violations: readonly string[];
  readonly endedAt: number;
  readonly crashes: number;
  /** What the owner's wish to cancel was answered; null: not asked, or a chain was down. */
  readonly asked: Awaited<ReturnType<Cancelling['cancel']>> | null;
}

export async function runWorld(rng: SimRng, faults: Faults): Promise<World> {
  const time = { ms: START * 1_000 };
  const clock: Clock = {
    now: () => unixSeconds(Math.floor(time.ms / 1_000)),
    nowMs: () => time.ms,
    sleep: async () => {},
  };
  const orders = new Map<Hex, PortfolioOrder>();
  const chains = new Map(CHAINS.map((id) => [chainId(id), new SimChain(id, START, orders)]));
  const order = simOrder(rng);
  orders.set(hashOrder(order), order);
  fund(chains, order);

  const life = { fillerDead: false, crashes: 0, armed: false };
  const options = {
    nowMs: () => time.ms,
    mayCrash: () => {
      if (!life.armed || !rng.chance(faults.crash)) return;
      life.crashes += 1;
      throw new Crash('kill −9');
    },
  };
  const store = new SimStore(options);
  const sender = new SimSender(chains, options);
  breakAccount(sender, faults);
  const network = simNetwork();
  const deps = { store, sender, chains, clock, network };
  const policy = { ...DEFAULT_SETTLEMENT_POLICY, ...SIM_POLICY };
  const auctions = simAuctions(store, options.nowMs);
  dieEntering(store, auctions, faults.fillerDiesEntering, life);
  const desk = simDesk(rng, faults);
  const workflows = { ...deps, auctions, desk, policy };
  const serve = createServe(workflows);
  const guard = createGuard({ ...deps, account: GUARD, policy });
  const door = createMarket({ auctions, orders: store, recover: recoverSigner, vouched: [] });
  const market = simMarket(chains);
  const lead = createAuctioning({
    ...workflows,
    ...{ auctioneer, market, desk: filler.address },
  });
  const foreign = faults.foreign === undefined ? null : createForeign(faults.foreign, door, chains);
  const oneByOne = createTurnstile();
  const deskBids = createDeskBids({ ...workflows, market: door, oneByOne });

  const admission = createAdmission({ ...deps, auctioneer: auctioneer.address });
  const signature = await owner.sign({ hash: orderDigest(order) });
  const admitted = await admission.submit({ order: { ...orderToJson(order) }, signature });
  if (isRefusal(admitted)) throw new Error(`not admitted: ${admitted.message}`);
  life.armed = true;

  const id = orderId(hashOrder(order));
  const violations = watch(chains, order, () => {
    if (faults.fillerDies === 'firstFill') life.fillerDead = true;
  });
  const flights: (Message & { at: number })[] = [];
  const cancelling = createCancelling({ ...deps, auctions, checkOwner: createOwnerCheck(chains) });
  let asked: World['asked'] = null;
  const ask = async () => {
    const cancelSignature = await owner.sign({ hash: cancelDigest(order.owner, order.nonce) });
    life.armed = false;
    const answer = await cancelling
      .cancel(id, cancelSignature)
      .catch((error: unknown) => (error instanceof Fault ? null : Promise.reject(error)));
    life.armed = true;
    return answer;
  };
  let now = START;
  for (; now < END && !isOver(store, id); now += 1) {
    time.ms = now * 1_000;
    if (typeof faults.fillerDies === 'number' && now >= faults.fillerDies) life.fillerDead = true;
    act(rng, faults, now, chains, order, store.orders.get(id));
    if (faults.ownerAsksAt === now - START) asked = await ask();
    await foreign?.act(now);
    for (const chain of chains.values()) chain.mine(now);
    carry(rng, faults, now, chains, flights, network);
    for (let turn = 0; turn < 2; turn += 1) {
      time.ms = now * 1_000 + turn * 500;
      const own = life.fillerDead
        ? []
        : ([
            ['serve', serve],
            ['bid', deskBids],
          ] as const);
      await foreign?.listen();
      await work(store, [...own, ['auction', lead], ['guard', guard]]);
    }
  }
  const row = present(store.orders.get(id), 'the order');
  const { crashes } = life;
  return { order, row, chains, store, auctions, sender, violations, endedAt: now, crashes, asked };
}

function dieEntering(
  store: SimStore,
  auctions: SimAuctions,
  state: OrderState | undefined,
  life: { fillerDead: boolean },
): void {
  const { close } = auctions;
  if (state === 'awarded') {
    auctions.close = async (closing, lease) => {
      const written = await close(closing, lease);
      if (closing.transitions.length > 0) life.fillerDead = true;
      return written;
    };
  }
  const { applyTransition } = store;
  store.applyTransition = async (transition, lease) => {
    const applied = await applyTransition(transition, lease);
    if (transition.to !== state || lease?.kind !== 'serve') return applied;
    life.fillerDead = true;
    throw new Crash('kill −9, for good');
  };
}

/** What the sender throws when someone else has used the account's nonces. */
function breakAccount(sender: SimSender, { brokenAccountOn: broken }: Faults): void {
  if (broken === undefined) return;
  const ensure = sender.ensure.bind(sender);
  sender.ensure = async (intent) => {
    if (intent.chainId === broken.chain && intent.sender === broken.sender) {
      throw new Fault('foreign nonces', { code: 'foreignNonce', retryable: false });
    }
    return ensure(intent);
  };
}

function isOver(store: SimStore, id: ReturnType<typeof orderId>): boolean {
  const row = store.orders.get(id);
  return row !== undefined && isTerminal(row.state);
}

function fund(chains: ReadonlyMap<ChainId, SimChain>, order: PortfolioOrder) {
  for (const chain of chains.values()) {
    chain.poke((s) => {
      for (const token of [tokenA, tokenB]) {
        s.balances.set(balanceKey(token, filler.address), 10n ** 12n);
        s.balances.set(balanceKey(token, STRANGER), 10n ** 12n);
        s.balances.set(balanceKey(token, FOREIGN), 10n ** 12n);
      }
      for (const origin of order.origins) {
        if (Number(origin.chainId) !== chain.id) continue;
        for (const { token, amount } of origin.inputs) {
          s.balances.set(balanceKey(token, order.owner), amount);
        }
      }
    });
  }
}

/** Rule 3, seen from outside: the filler's fill is mined only while every origin is Open. */
function watch(
  chains: ReadonlyMap<ChainId, SimChain>,
  order: PortfolioOrder,
  onFill: () => void,
): string[] {
  const violations: string[] = [];
  const slotOf = (chain: SimChain | undefined) =>
    chain?.head.state.slots.get(slotKey(order.owner, order.nonce))?.status;
  for (const chain of chains.values()) {
    let filled = false;
    chain.onMined = (tx) => {
      if (tx.from !== filler.address || tx.to !== OUTPUT_SETTLER) return;
      if (filled) violations.push(`two fills mined on chain ${chain.id}`);
      filled = true;
      onFill();
      for (const origin of order.origins) {
        const id = chainId(Number(origin.chainId));
        const status = slotOf(chains.get(id));
        if (status !== 'open') violations.push(`filled while ${id} was ${status ?? 'none'}`);
      }
    };
  }
  return violations;
}

/** Owner, stranger and outages, each at most once, at times drawn from the seed. */
function act(
  rng: SimRng,
  faults: Faults,
  now: number,
  chains: ReadonlyMap<ChainId, SimChain>,
  order: PortfolioOrder,
  row: StoredOrder | undefined,
) {
  const victim = present(order.origins.at(-1), 'an origin');
  const origin = present(chains.get(chainId(Number(victim.chainId))), 'its chain');
  const since = now - START;
  if (faults.ownerRevokesAt === since) {
    origin.poke((s) => {
      s.allowed = false;
    });
  }
  if (faults.ownerCancelsAt === since) {
    origin.poke((s) => {
      const slot = slotKey(order.owner, order.nonce);
      if (!s.slots.has(slot)) s.slots.set(slot, { status: 'cancelled', awardId: key('0') });
    });
  }
  if (faults.ownerSpendsAt === since) {
    origin.poke((s) => {
      for (const { token } of victim.inputs) s.balances.set(balanceKey(token, order.owner), 0n);
    });
  }
  if (faults.strangerOpens === true && row?.award) openBy(STRANGER, now, chains, parseAwarded(row));
  const strangerAt = faults.strangerFills === 'late' ? FILL_DEADLINE + 2 : START + 12;
  if (faults.strangerFills !== 'never' && now === strangerAt && row?.award) {
    const awarded = parseAwarded(row);
    const output = present(awarded.outputs[0], 'an output');
    const chain = present(chains.get(chainId(Number(output.chainId))), 'its chain');
    const request = {
      from: STRANGER,
      to: evmAddress(OUTPUT_SETTLER),
      data: '0x',
      value: 0n,
    } as const;
    chain.poke((s) => {
      try {
        const context = chain.context(now, request, false);
        fillOne(s, context, awarded.award.awardId, output, toBytes32Address(STRANGER));
      } catch (error) {
        if (!(error instanceof SimRevert)) throw error;
      }
    });
  }
  if (!faults.outages) return;
  for (const chain of chains.values()) {
    if (chain.down) chain.down = !rng.chance(0.15);
    else if (now < START + 150) chain.down = rng.chance(0.02);
  }
}

/** Anyone who has seen the award may open: what he cannot do is to gain or to block by it. */
function openBy(
  from: EvmAddress,
  now: number,
  chains: ReadonlyMap<ChainId, SimChain>,
  awarded: AwardedOrder,
) {
  for (const { chainId: id } of awarded.order.origins) {
    const chain = present(chains.get(chainId(Number(id))), 'an origin');
    const request = { from, ...openCall(awarded, Number(id)), value: 0n };
    const { order } = awarded;
    if (chain.head.state.slots.has(slotKey(order.owner, order.nonce))) continue;
    chain.poke((s) => execute(s, request.to, request.data, chain.context(now, request, false)));
  }
}

/** Messages between the chains: late, lost, repeated and out of order. */
function carry(
  rng: SimRng,
  faults: Faults,
  now: number,
  chains: ReadonlyMap<ChainId, SimChain>,
  flights: (Message & { at: number })[],
  network: NetworkConfig,
) {
  for (const chain of chains.values()) {
    for (const message of chain.sent.splice(0)) {
      if (rng.chance(faults.dropMessage)) continue;
      flights.push({ ...message, at: now + rng.int(1, faults.maxDelay) });
    }
  }
  for (const flight of [...flights].sort((a, b) => b.at - a.at)) {
    if (flight.at > now) continue;
    const config = network.chains.find((c) => c.eid === flight.toEid);
    const chain = config === undefined ? undefined : chains.get(config.chainId);
    chain?.poke((s) => {
      for (const hash of flight.hashes) s.attested.add(`${flight.from}:${hash}`);
    });
    flights.splice(flights.indexOf(flight), 1);
    if (rng.chance(0.1)) flights.push({ ...flight, at: now + 5 });
  }
}

type Handler = (
  lease: JobLease,
  signal: AbortSignal,
) => Promise<{ done: true } | { runAtMs: number }>;

/** All workers at once, each on what is due; their awaits interleave. */
async function work(store: SimStore, jobs: readonly (readonly [kind: string, Handler])[]) {
  await Promise.all(
    jobs.map(async ([kind, handler]) => {
      const lease = await store.claimJob([kind]);
      if (lease === null) return;
      try {
        const outcome = await handler(lease, new AbortController().signal);
        if ('done' in outcome) await store.completeJob(lease);
        else await store.rescheduleJob(lease, outcome.runAtMs);
      } catch (error) {
        const expected =
          error instanceof Crash || error instanceof LeaseLost || error instanceof Fault;
        if (!expected) throw error;
        store.abandon(lease, LEASE_MS);
      }
    }),
  );
}

/** Every token at one dollar, at the chains' heads. */
export function simMarket(chains: ReadonlyMap<ChainId, SimChain>): AuctionMarket {
  return {
    engine: hash32(key('e')),
    async price(orders) {
      const ids = new Set(orders.flatMap(({ order }) => order.outputs.map((o) => o.chainId)));
      const blocks = [...ids].sort().map((id) => {
        const { number, hash } = present(chains.get(chainId(Number(id))), 'chain').head.ref;
        return { chainId: Number(id), number: number.toString(), hash };
      });
      const price = { decimals: 18, priceWad: 10n ** 18n };
      return {
        snapshotDigest: hash32(key('d')),
        blocks,
        prices: new Map(
          orders.map(({ orderId: id, order }) => [id, order.outputs.map(() => price)]),
        ),
      };
    },
  };
}

/** A desk with enough of everything: what it refuses and what it risks is drawn from the seed. */
function simDesk(rng: SimRng, faults: Faults): FillerDesk {
  const refusal = { refused: 'insufficientInventory', message: 'drawn from the seed' };
  return {
    address: filler.address,
    signer: filler,
    async bid({ order }) {
      return {
        amounts: order.outputs.map((output) => output.amount + BigInt(rng.int(0, 3))),
        reserves: {},
        notes: {},
      };
    },
    bidBatch: async () => null,
    async planFill({ award, outputs }) {
      if (faults.deskRefuses) return refusal;
      const { fillDeadline } = award.award;
      const items = outputs.map((output) => ({ id: award.awardId, output, fillDeadline }));
      const data = encodeFillBatch(items, toBytes32Address(filler.address));
      const to: EvmAddress = evmAddress(OUTPUT_SETTLER);
      return {
        call: { key: 'fill', to, data, value: 0n, summary: {} },
        approvals: [],
        risk: rng.next(),
        reserves: {},
      };
    },
    reserved: async () => new Map(),
    reconsider: async () => null,
    planRestore: async () => null,
    profitAndLoss: async () => ({ profitUsd: '0' }),
  };
}
