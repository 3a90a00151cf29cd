// A world for one policy: two chains, two assets, a wallet that signs when its script says so,
// orders that settle, fail or come back in part, feeds that go stale, and keepers that die.
// Everything is seeded or scripted; the decisions are the real policy core's.

import { readFileSync } from 'node:fs';
import { createRiskKernel } from '../../../solver/engine/risk.ts';
import { createKeeper } from '../../../solver/keeper/keep.ts';
import { KEEP_JOB, type KeeperState, TRANSITIONS } from '../../../solver/keeper/lifecycle.ts';
import { createPolicies } from '../../../solver/keeper/policies.ts';
import type { KeeperDeps } from '../../../solver/keeper/ports.ts';
import type { PoolState } from '../../../solver/market/snapshot.ts';
import type { ChainMarket, MarketSource } from '../../../solver/market/source.ts';
import { decide } from '../../../solver/policy/decide.ts';
import type { Quoter } from '../../../solver/quoting/quoter.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { present } from '../../../solver/types/assert.ts';
import { Fault } from '../../../solver/types/errors.ts';
import {
  type ChainId,
  chainId,
  type EvmAddress,
  eid,
  evmAddress,
  hash32,
  orderId,
  type PolicyId,
} from '../../../solver/types/ids.ts';
import type { JsonObject } from '../../../solver/types/json.ts';
import type { ChainConfig, NetworkConfig } from '../../../solver/types/network.ts';
import type { PolicyService } from '../../../solver/types/policyService.ts';
import type { Clock } from '../../../solver/types/ports.ts';
import type { RebalanceRequest } from '../../../solver/types/service.ts';
import type { OrderStanding } from '../../../solver/types/standing.ts';
import {
  type JobLease,
  LeaseLost,
  type OrderState,
  type StoredOrder,
} from '../../../solver/types/store.ts';
import type { KeeperStore } from './store.ts';

/** The process died here. */
export class Crash extends Error {}

export const kernel = createRiskKernel(new Uint8Array(readFileSync('.build/trimtab.wasm')));

export const OWNER = evmAddress(`0x${'11'.repeat(20)}`);
export const START = 1_800_000_000;
/** A script's length unless it says otherwise. */
export const SECONDS = 150;
export const LEASE_MS = 5_000;
const CHAINS = [chainId(31338), chainId(31339)] as const;
const SYMBOLS = ['WETH', 'USDC'] as const;
type Symbol2 = (typeof SYMBOLS)[number];
const DECIMALS = { WETH: 18, USDC: 6 } as const;
const hex = (n: number, bytes: number): `0x${string}` =>
  `0x${n.toString(16).padStart(bytes * 2, '0')}`;
export const tokenOf = (chain: ChainId, symbol: Symbol2): EvmAddress =>
  evmAddress(hex((chain - 31337) * 16 + SYMBOLS.indexOf(symbol) + 1, 20));

export const network: NetworkConfig = {
  version: 1,
  minProofWindowSeconds: 60,
  chains: CHAINS.map((id): ChainConfig => {
    const at = (n: number) => evmAddress(hex((id - 31337) * 256 + n, 20));
    return {
      chainId: id,
      name: `chain ${id}`,
      eid: eid(id),
      rpcUrl: 'http://127.0.0.1:1',
      confirmations: 1,
      blockSeconds: 1,
      nativeAsset: 'WETH',
      contracts: {
        portfolioSettler: at(1),
        outputSettler: at(2),
        layerZeroOracle: at(3),
        routeExecutor: at(4),
        layerZeroEndpoint: at(5),
        multicall3: at(6),
        uniswapV2Factory: at(7),
        uniswapV3Factory: at(8),
        wrappedNative: tokenOf(id, 'WETH'),
      },
      tokens: SYMBOLS.map((symbol, i) => ({
        symbol,
        asset: symbol,
        address: tokenOf(id, symbol),
        decimals: DECIMALS[symbol],
        feed: at(20 + i),
        feedHeartbeatSeconds: 3_600,
      })),
      pools: [
        {
          id: `${id}:v2`,
          kind: 'uniswapV2',
          address: at(30),
          tokens: [tokenOf(id, 'WETH'), tokenOf(id, 'USDC')],
          feePips: 3_000,
        },
      ],
    };
  }),
};

export const DOCUMENT: JsonObject = {
  targets: { WETH: '0.5', USDC: '0.5' },
  objective: { bands: { width: '0.05', landing: 'target' } },
  costs: { budgetBps30d: null, minTradeUsd: 1 },
  cooldown: '30s',
  breakers: { drawdown: null, maxMovePerHour: null, resumeAfter: '60s', maxConsecutiveFailures: 3 },
};

export type OrderFate = 'settle' | 'fail' | 'refundAll' | 'refundPart';

/**
 * What happens, in simulated seconds after the start. Absent: an obedient wallet and a calm market.
 */
export interface Script {
  readonly document?: JsonObject;
  readonly expires?: number;
  /** Dollars per WETH from a second on; 2,000 at first, where the portfolio is balanced. */
  readonly prices?: readonly (readonly [at: number, usd: number])[];
  /** Feeds stop in [from, until). */
  readonly stale?: readonly [from: number, until: number];
  /** The second chain does not answer in [from, until). */
  readonly down?: readonly [from: number, until: number];
  /** The first quotes fault, then so many are refused. */
  readonly quoteFaults?: number;
  readonly quoteRefusals?: number;
  /** What becomes of the n-th order; the last goes on for all later ones. */
  readonly fates?: readonly OrderFate[];
  /**
   * What the wallet does with the n-th proposal: seconds after it, or never, or in the last moment.
   */
  readonly signs?: readonly (number | 'never' | 'lastMoment')[];
  readonly revokeAt?: number;
  /** The owner resumes whenever it stands halted from then on. */
  readonly resumeFrom?: number;
  readonly seconds?: number;
  /** The keeper's patience with a proposal that is over; default 2,000. */
  readonly graceMs?: number;
}

/** What a keeper's process may suffer at an effect. */
export interface Fates {
  /** Before and after every write of a keeper; throws Crash, or lets another keeper go first. */
  effect(side: 'before' | 'after', name: string, world: World): Promise<void> | void;
}
export const CALM: Fates = { effect: () => {} };

interface LiveOrder {
  row: StoredOrder;
  readonly fate: OrderFate;
  readonly inputs: { chain: ChainId; symbol: Symbol2; amount: bigint }[];
  readonly outputs: { chain: ChainId; symbol: Symbol2; amount: bigint; delivered: boolean }[];
}

export class World {
  nowMs = START * 1_000;
  owner: EvmAddress = OWNER;
  readonly balances = new Map<string, bigint>();
  readonly orders: LiveOrder[] = [];
  readonly violations: string[] = [];
  readonly seenStatuses = new Set<string>(['armed']);
  readonly quotes = new Map<string, { order: JsonObject; validUntil: number }>();
  readonly policyIds: PolicyId[] = [];
  /** Effects of steps and quotes so far, before and after counted each. */
  writes = 0;
  private quoteCount = 0;
  private readonly keepers: ReturnType<typeof createKeeper>[];
  readonly policies: PolicyService;
  readonly store: KeeperStore;
  readonly script: Script;
  readonly fates: Fates;

  constructor(store: KeeperStore, script: Script, fates: Fates) {
    this.store = store;
    this.script = script;
    this.fates = fates;
    for (const chain of CHAINS) {
      this.balances.set(tokenOf(chain, 'WETH'), 5n * 10n ** 18n);
      this.balances.set(tokenOf(chain, 'USDC'), 10_000n * 10n ** 6n);
    }
    const deps = this.deps();
    this.keepers = [createKeeper(deps), createKeeper(deps)];
    this.policies = createPolicies({
      ...deps,
      store,
      checkOwner: async () => 'ok',
      dryQuoter: deps.quoter,
      policiesMax: 8,
    });
  }

  get now(): number {
    return Math.floor(this.nowMs / 1_000);
  }
  get second(): number {
    return this.now - START;
  }
  get price(): number {
    const steps = (this.script.prices ?? []).filter(([at]) => at <= this.second);
    return steps.at(-1)?.[1] ?? 2_000;
  }
  within(window: readonly [number, number] | undefined): boolean {
    return window !== undefined && this.second >= window[0] && this.second < window[1];
  }

  deps(): KeeperDeps {
    const clock: Clock = {
      now: () => unixSeconds(this.now),
      nowMs: () => this.nowMs,
      sleep: async () => {},
    };
    return {
      store: this.faulty(this.store),
      orders: this.store.orders,
      source: this.source(),
      network,
      clock,
      kernel,
      quoter: this.quoter(),
      decide,
      forecasts: new Map(),
      standing: async (row) => this.standingOf(row),
      options: {
        pollMs: 5_000,
        admissionGraceMs: this.script.graceMs ?? 2_000,
        jitterSeconds: 3,
        ownFlow: { windowSeconds: 600, capUsd: 1e9 },
        failurePauseMs: 2_000,
        repeatLogSeconds: 3_600,
      },
    };
  }

  /** The store as a keeper has it: every write may be its last. */
  private faulty(store: KeeperStore): KeeperStore {
    return {
      ...store,
      getPolicy: store.getPolicy,
      applyStep: async (step, lease) => {
        await this.effect('before', 'applyStep');
        const applied = await store.applyStep(step, lease);
        this.seenStatuses.add(step.to);
        await this.effect('after', 'applyStep');
        return applied;
      },
    };
  }
  private async effect(side: 'before' | 'after', name: string) {
    if (name !== 'release') this.writes += 1;
    await this.fates.effect(side, name, this);
  }

  private source(): MarketSource {
    return {
      chain: async (id) => {
        if (id === CHAINS[1] && this.within(this.script.down)) throw new Fault('chain is down');
        return this.market(id);
      },
      owner: async (id) => ({
        balances: new Map(
          SYMBOLS.map((symbol) => {
            const token = tokenOf(id, symbol);
            return [token, this.balances.get(token) ?? 0n];
          }),
        ),
        allowances: new Map(),
      }),
    };
  }
  private market(id: ChainId): ChainMarket {
    const config = present(
      network.chains.find((chain) => chain.chainId === id),
      'chain',
    );
    const updatedAt = unixSeconds(
      this.within(this.script.stale) ? this.now - 7_200 : this.now - 10,
    );
    const answers = { WETH: BigInt(Math.round(this.price * 1e8)), USDC: 100_000_000n };
    const [pool] = config.pools;
    const state: PoolState = {
      kind: 'uniswapV2',
      pool: present(pool, 'pool'),
      reserves: [1_000n * 10n ** 18n, BigInt(Math.round(this.price * 1_000)) * 10n ** 6n],
    };
    const hash = hash32(hex(this.now, 32));
    return {
      chainId: id,
      block: {
        number: BigInt(this.now),
        hash,
        parentHash: hash,
        timestamp: unixSeconds(this.now),
      },
      pools: [state],
      feeds: new Map(
        SYMBOLS.map((symbol) => [
          tokenOf(id, symbol),
          { answer: answers[symbol], decimals: 8, updatedAt },
        ]),
      ),
      inventory: new Map(),
      gasPrice: 1_000_000n,
      messageFees: new Map(CHAINS.map((other) => [other, { base: 10n ** 12n, perRecord: 0n }])),
    };
  }

  /** Sells the overweight asset where it is, delivers the other in equal parts on both chains. */
  private quoter(): Quoter {
    return {
      quote: async (request) => {
        this.quoteCount += 1;
        const { quoteFaults = 0, quoteRefusals = 0 } = this.script;
        if (this.quoteCount <= quoteFaults) throw new Fault('engine trouble');
        if (this.quoteCount <= quoteFaults + quoteRefusals) {
          return { refused: 'noRoute', message: 'no route today' };
        }
        await this.effect('before', 'quote');
        const quoteId = `q-${this.quoteCount}`;
        const validUntil = this.now + 20;
        this.quotes.set(quoteId, { order: this.orderFor(request), validUntil });
        await this.effect('after', 'quote');
        return { quoteId, validUntil, response: { quoteId } };
      },
    };
  }
  private orderFor(request: RebalanceRequest): JsonObject {
    const weth = this.held('WETH');
    const usdc = this.held('USDC');
    const worth = (Number(weth) / 1e18) * this.price + Number(usdc) / 1e6;
    const bps = present(
      request.targets.find(({ asset }) => asset === 'WETH'),
      'a target',
    ).weightBps;
    const excess = (Number(weth) / 1e18) * this.price - (worth * bps) / 10_000;
    const sell: Symbol2 = excess > 0 ? 'WETH' : 'USDC';
    const buy: Symbol2 = excess > 0 ? 'USDC' : 'WETH';
    const usd = Math.abs(excess);
    const units = (symbol: Symbol2, dollars: number): bigint => {
      const whole = dollars / (symbol === 'WETH' ? this.price : 1);
      return BigInt(Math.round(whole * 1e6)) * 10n ** BigInt(DECIMALS[symbol] - 6);
    };
    const total = units(sell, usd);
    const take: [ChainId, bigint][] = [];
    let left = total;
    for (const chain of CHAINS) {
      const has = this.balances.get(tokenOf(chain, sell)) ?? 0n;
      const amount = left < has ? left : has;
      if (amount > 0n) take.push([chain, amount]);
      left -= amount;
    }
    return {
      openDeadline: this.now + 60,
      origins: take.map(([chain, amount]) => ({
        chainId: String(chain),
        inputs: [{ token: tokenOf(chain, sell), amount: amount.toString() }],
      })),
      outputs: CHAINS.map((chain) => ({
        chainId: String(chain),
        token: `0x${'0'.repeat(24)}${tokenOf(chain, buy).slice(2)}`,
        amount: units(buy, (usd / 2) * 0.998).toString(),
      })),
    };
  }
  private held(symbol: Symbol2): bigint {
    return CHAINS.reduce((sum, id) => sum + (this.balances.get(tokenOf(id, symbol)) ?? 0n), 0n);
  }
  get wethWeight(): number {
    const weth = (Number(this.held('WETH')) / 1e18) * this.price;
    return weth / (weth + Number(this.held('USDC')) / 1e6);
  }

  private standingOf(row: StoredOrder): OrderStanding {
    const order = present(
      this.orders.find((one) => one.row.orderId === row.orderId),
      'order',
    );
    const { state } = order.row;
    const wallet = ['created', 'awarded', 'opening', 'failed'].includes(state);
    const gone = ['settled', 'refunded'].includes(state);
    return {
      inputs: order.inputs.map(({ chain, symbol, amount }) => ({
        chainId: chain,
        token: tokenOf(chain, symbol),
        amount,
        at: wallet ? ('wallet' as const) : gone ? ('gone' as const) : ('escrow' as const),
      })),
      outputs: order.outputs.map(({ chain, symbol, amount, delivered }) => ({
        chainId: chain,
        token: tokenOf(chain, symbol),
        minimum: amount,
        delivered,
      })),
    };
  }

  /** The wallet signs; admission takes it in time, once. */
  private async admit(quoteId: string) {
    const quote = present(this.quotes.get(quoteId), 'quote');
    if (this.orders.some(({ row }) => row.quoteId === quoteId)) return;
    const fates = this.script.fates ?? ['settle'];
    const fate = fates[Math.min(this.orders.length, fates.length - 1)] ?? 'settle';
    const row: StoredOrder = {
      orderId: orderId(hex(this.orders.length + 1, 32)),
      quoteId,
      owner: this.owner,
      nonce: String(this.orders.length + 1),
      state: 'created',
      reason: null,
      order: quote.order,
      ownerSignature: '0x00',
      signatureKind: 'eip712',
      award: null,
      facts: {},
      version: 1,
      createdAtMs: this.nowMs,
      updatedAtMs: this.nowMs,
    };
    const unfinished = this.orders.filter(({ row: { state } }) => !isOver(state));
    if (unfinished.length > 0) this.violations.push('two orders of one policy at once');
    const origins = quote.order.origins as unknown as {
      chainId: string;
      inputs: { token: EvmAddress; amount: string }[];
    }[];
    const outputs = quote.order.outputs as unknown as {
      chainId: string;
      token: string;
      amount: string;
    }[];
    const symbolOf = (chain: ChainId, token: string): Symbol2 =>
      tokenOf(chain, 'WETH') === token ? 'WETH' : 'USDC';
    this.orders.push({
      row,
      fate,
      inputs: origins.flatMap(({ chainId: id, inputs }) =>
        inputs.map(({ token, amount }) => {
          const chain = chainId(Number(id));
          return { chain, symbol: symbolOf(chain, token), amount: BigInt(amount) };
        }),
      ),
      outputs: outputs.map(({ chainId: id, token, amount }) => {
        const chain = chainId(Number(id));
        const symbol = symbolOf(chain, `0x${token.slice(-40)}`);
        return { chain, symbol, amount: BigInt(amount), delivered: false };
      }),
    });
    await this.store.putOrder(row);
    await this.store.wakeOwner(this.owner);
  }

  /** Every unfinished order goes one step on its way every second second. */
  private async settle() {
    if (this.second % 2 !== 0) return;
    for (const order of this.orders) {
      const { state } = order.row;
      if (isOver(state)) continue;
      const next = nextState(order);
      if (next === 'opened') this.pay(order, -1n);
      const [first, second] = order.outputs;
      if (next === 'filling' && first !== undefined) this.deliver(first);
      if (next === 'filled' && second !== undefined) this.deliver(second);
      if (next === 'refunded') this.pay(order, 1n);
      const reason = next === 'failed' || next === 'refunding' ? 'it was not to be' : null;
      order.row = { ...order.row, state: next, reason, updatedAtMs: this.nowMs };
      await this.store.putOrder(order.row);
      await this.store.wakeOwner(this.owner);
    }
  }
  private pay({ inputs }: LiveOrder, sign: bigint) {
    for (const { chain, symbol, amount } of inputs) {
      const token = tokenOf(chain, symbol);
      const left = (this.balances.get(token) ?? 0n) + sign * amount;
      if (left < 0n) this.violations.push('an order took more than the wallet held');
      this.balances.set(token, left);
    }
  }
  private deliver(output: LiveOrder['outputs'][number]) {
    output.delivered = true;
    const token = tokenOf(output.chain, output.symbol);
    this.balances.set(token, (this.balances.get(token) ?? 0n) + output.amount);
  }

  /** Signs by the script: the n-th quote ever proposed. */
  private readonly proposed: { quoteId: string; at: number; validUntil: number }[] = [];
  private async wallet(id: PolicyId) {
    const { proposals } = await this.store.dump(id);
    for (const proposal of [...proposals].reverse()) {
      if (this.proposed.some(({ quoteId }) => quoteId === proposal.quoteId)) continue;
      const validUntil = Math.floor(proposal.validUntilMs / 1_000);
      this.proposed.push({ quoteId: proposal.quoteId, at: this.now, validUntil });
    }
    for (const [n, { quoteId, at, validUntil }] of this.proposed.entries()) {
      const signs = this.script.signs?.[n] ?? 2;
      if (signs === 'never') continue;
      // In the last moment: sent in time, and in the store a second after its end.
      const due = signs === 'lastMoment' ? validUntil + 1 : at + signs;
      if (this.now === due && (signs === 'lastMoment' || due <= validUntil)) {
        await this.admit(quoteId);
      }
    }
  }

  async arm(nonce = '1'): Promise<PolicyId> {
    const { document = DOCUMENT, expires = 0 } = this.script;
    const armed = await this.policies.arm({
      document,
      owner: OWNER,
      nonce,
      ...(expires === 0 ? {} : { expires: START + expires }),
      signature: '0x00',
    });
    if (!('policyId' in armed)) throw new Error(`not armed: ${JSON.stringify(armed)}`);
    this.policyIds.push(armed.policyId);
    return armed.policyId;
  }

  /** Runs the script to its end, checking every invariant every second. */
  async run(onTick: (nowMs: number) => Promise<unknown> = async () => {}): Promise<void> {
    const id = present(this.policyIds[0], 'an armed policy');
    const until = this.nowMs + (this.script.seconds ?? SECONDS) * 1_000;
    while (this.nowMs < until) {
      this.nowMs += 1_000;
      await onTick(this.nowMs);
      await this.settle();
      await this.wallet(id);
      await this.obey(id);
      for (const index of this.keepers.keys()) await this.drain(index);
      await this.check(id);
    }
  }
  private async obey(id: PolicyId) {
    const { revokeAt, resumeFrom } = this.script;
    if (revokeAt === this.second) await this.policies.revoke(id, '0x00');
    const halted = resumeFrom !== undefined && this.second >= resumeFrom;
    if (halted) await this.policies.resume(id, '0x00');
  }

  /** One keeper process works through what is due, until it dies or nothing is. */
  async drain(index: number, limit = 20): Promise<void> {
    const keeper = present(this.keepers[index], 'keeper');
    for (let runs = 0; runs < limit; runs += 1) {
      const lease = await this.store.jobs.claimJob([KEEP_JOB], LEASE_MS);
      if (lease === null) return;
      try {
        const outcome = await keeper(lease, new AbortController().signal);
        await this.effect('before', 'release');
        await ('done' in outcome
          ? this.store.jobs.completeJob(lease)
          : this.store.jobs.rescheduleJob(lease, outcome.runAtMs));
        await this.effect('after', 'release');
      } catch (error) {
        if (error instanceof Crash) return;
        if (error instanceof LeaseLost) continue;
        if (!(error instanceof Fault)) this.violations.push(String(error));
        await this.failed(lease);
      }
    }
  }
  private async failed(lease: JobLease) {
    await this.store.jobs.rescheduleJob(lease, this.nowMs + 1_000).catch(() => {});
  }

  async check(id: PolicyId): Promise<void> {
    const { row, events, proposals, hasJob } = await this.store.dump(id);
    this.seenStatuses.add(row.status);
    const say = (what: string) => this.violations.push(`${this.second} s: ${what}`);
    const live = proposals.filter(({ outcome }) => outcome === null);
    if (live.length > 1) say('two live proposals');
    if ((live.length === 1) !== (row.status === 'proposed'))
      say(`${row.status}, ${live.length} live`);
    const signable = proposals.filter(
      ({ validUntilMs, outcome }) => outcome !== 'committed' && validUntilMs >= this.nowMs,
    );
    if (signable.length > 1) say('two proposals that could be signed');
    const ended = row.status === 'revoked' || row.status === 'expired';
    if (!ended && !hasJob) say(`lost: ${row.status} without a job`);
    let at: string = 'draft';
    for (const [i, { number, data }] of events.entries()) {
      if (number !== i + 1) say(`event ${number} at place ${i + 1}`);
      if (data.from !== at)
        say(`event ${number} goes from ${String(data.from)}, the log is at ${at}`);
      if (!allowed(at, String(data.to))) say(`event ${number}: ${at} → ${String(data.to)}`);
      if (typeof data.code !== 'string' || typeof data.why !== 'string')
        say('an event without why');
      at = String(data.to);
    }
    if (at !== row.status) say(`the log ends at ${at}, the row is ${row.status}`);
    if (row.eventCount !== events.length) say('the log has a gap');
  }
}

const isOver = (state: OrderState) => ['settled', 'refunded', 'failed'].includes(state);

const WAY: readonly OrderState[] = [
  'created',
  'awarded',
  'opening',
  'opened',
  'filling',
  'filled',
  'proving',
  'releasing',
  'settled',
];
function nextState({ fate, row: { state } }: LiveOrder): OrderState {
  if (fate === 'fail' && state === 'awarded') return 'failed';
  if (fate === 'refundAll' && state === 'opened') return 'refunding';
  if (fate === 'refundPart' && state === 'filling') return 'refunding';
  if (state === 'refunding') return 'refunded';
  return WAY[WAY.indexOf(state) + 1] ?? 'settled';
}

/** By the table, with `evaluating` left out as the log leaves it out; staying is no transition. */
function allowed(from: string, to: string): boolean {
  if (from === to) return true;
  const edges = TRANSITIONS[from as KeeperState];
  const through = edges.evaluating === undefined ? {} : TRANSITIONS.evaluating;
  return to in edges || to in through;
}
