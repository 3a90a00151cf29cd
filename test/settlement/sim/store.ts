// Store and TxSender in memory, with PostgreSQL's promises (one transaction per write, fenced
// leases, unique purposes) and a crash that may come before or after any write.

import { keccak256, toHex } from 'viem';
import type { AwardOutcome } from '../../../solver/types/auction.ts';
import { Fault } from '../../../solver/types/errors.ts';
import { type ChainId, hash32, type OrderId } from '../../../solver/types/ids.ts';
import { Reverted } from '../../../solver/types/ports.ts';
import {
  type JobLease,
  LeaseLost,
  type NewEvent,
  type NewJob,
  type OrderEvent,
  type Store,
  type StoredOrder,
  type StoredQuote,
  type StoredTx,
  type Transition,
  type TxIntent,
  type TxSender,
  type TxStatus,
} from '../../../solver/types/store.ts';
import type { SimChain } from './chain.ts';

/** The process died here: everything in memory is gone, everything written stays. */
export class Crash extends Error {}

interface Job {
  readonly kind: string;
  readonly key: string;
  dueMs: number;
  fence: number;
  running: boolean;
  againMs: number | null;
}

export interface SimStoreOptions {
  nowMs(): number;
  /** Called before and after every effect; throws Crash to die. */
  mayCrash(): void;
}

export class SimStore implements Store {
  readonly orders = new Map<OrderId, StoredOrder>();
  readonly quotes = new Map<string, StoredQuote>();
  readonly log: OrderEvent[] = [];
  readonly jobs = new Map<string, Job>();
  /** Told of every award's outcome, once. */
  onOutcome: (orderId: OrderId, outcome: AwardOutcome) => void = () => {};
  private fence = 0;
  private readonly options: SimStoreOptions;

  constructor(options: SimStoreOptions) {
    this.options = options;
  }

  async write<T>(effect: () => T): Promise<T> {
    this.options.mayCrash();
    const result = effect();
    this.options.mayCrash();
    return result;
  }

  checkLease(lease: JobLease | null) {
    if (lease === null) return;
    const job = this.jobs.get(`${lease.kind}/${lease.key}`);
    if (job?.fence !== lease.fence || !job.running) throw new LeaseLost('lease lost');
  }

  addEvents(orderId: OrderId, events: readonly NewEvent[]) {
    for (const event of events) {
      const atMs = this.options.nowMs();
      this.log.push({ ...event, seq: this.log.length + 1, orderId, atMs });
    }
  }

  addJobs(jobs: readonly NewJob[]) {
    for (const { kind, key, runAtMs } of jobs) {
      const known = this.jobs.get(`${kind}/${key}`);
      if (known === undefined) {
        const job = { kind, key, dueMs: runAtMs, fence: 0, running: false, againMs: null };
        this.jobs.set(`${kind}/${key}`, job);
      } else if (known.running) known.againMs = runAtMs;
      else known.dueMs = Math.min(known.dueMs, runAtMs);
    }
  }

  async putQuote(quote: StoredQuote) {
    this.quotes.set(quote.quoteId, quote);
  }
  async getQuote(id: string) {
    return this.quotes.get(id) ?? null;
  }
  getQuoteTerms = (id: string) => this.getQuote(id);
  async quoteToAdmit(id: string) {
    const terms = this.quotes.get(id) ?? null;
    if (terms === null) return null;
    const { owner, nonce } = terms.order;
    return { terms, order: this.#orderOf(String(owner).toLowerCase(), String(nonce)) };
  }
  #orderOf(owner: string, nonce: string): StoredOrder | null {
    const same = (order: StoredOrder) => order.owner === owner && order.nonce === nonce;
    return [...this.orders.values()].find(same) ?? null;
  }
  async quoteOfOrder(owner: string, nonce: string) {
    const wanted = ({ order }: StoredQuote) =>
      String(order.owner).toLowerCase() === owner && order.nonce === nonce;
    return [...this.quotes.values()].findLast(wanted) ?? null;
  }
  admitOrder: Store['admitOrder'] = (order, events, jobs) =>
    this.write(() => {
      const known = this.orders.get(order.orderId);
      if (known !== undefined) return { outcome: 'alreadyApplied' as const, order: known };
      if (this.#orderOf(order.owner, order.nonce) !== null) {
        return { outcome: 'nonceUsed' as const };
      }
      const now = this.options.nowMs();
      const row = { ...order, version: 1, createdAtMs: now, updatedAtMs: now };
      this.orders.set(order.orderId, row);
      this.addEvents(order.orderId, events);
      this.addJobs(jobs);
      return { outcome: 'applied' as const, order: row };
    });
  async getOrder(id: OrderId) {
    return this.orders.get(id) ?? null;
  }
  listOrders: Store['listOrders'] = async ({ owner, states, limit }) =>
    [...this.orders.values()]
      .filter((o) => owner === undefined || o.owner === owner)
      .filter((o) => states === undefined || states.includes(o.state))
      .slice(0, limit);
  applyTransition: Store['applyTransition'] = (t, lease) =>
    this.write(() => {
      this.checkLease(lease);
      const order = this.orders.get(t.orderId);
      if (order === undefined) throw new Error('no such order');
      if (order.state !== t.from) {
        if (order.state === t.to) return 'alreadyApplied' as const;
        throw new Fault(`is ${order.state}`, { code: 'stateConflict' });
      }
      this.move(order, t);
      return 'applied' as const;
    });
  move(order: StoredOrder, t: Transition) {
    this.orders.set(t.orderId, {
      ...order,
      state: t.to,
      reason: t.reason ?? null,
      award: t.award === undefined ? order.award : t.award,
      facts: { ...order.facts, ...t.facts },
      version: order.version + 1,
    });
    this.addEvents(t.orderId, t.events);
    this.addJobs(t.jobs ?? []);
    if (t.outcome !== undefined) this.onOutcome(t.orderId, t.outcome);
  }
  appendEvents: Store['appendEvents'] = (id, events, lease, facts) =>
    this.write(() => {
      this.checkLease(lease);
      const order = this.orders.get(id);
      if (order === undefined) throw new Error('no such order');
      this.orders.set(id, { ...order, facts: { ...order.facts, ...facts } });
      this.addEvents(id, events);
    });
  async events(id: OrderId, after: number, limit: number) {
    return this.log.filter((e) => e.orderId === id && e.seq > after).slice(0, limit);
  }
  onEvents() {
    return () => {};
  }
  async claimJob(kinds: readonly string[]): Promise<JobLease | null> {
    const due = [...this.jobs.values()].filter(
      (j) => !j.running && kinds.includes(j.kind) && j.dueMs <= this.options.nowMs(),
    );
    const job = due.sort((a, b) => a.dueMs - b.dueMs)[0];
    if (job === undefined) return null;
    this.fence += 1;
    job.fence = this.fence;
    job.running = true;
    return { kind: job.kind, key: job.key, fence: job.fence, attempts: 1 };
  }
  async heartbeat() {}
  async completeJob(lease: JobLease) {
    this.checkLease(lease);
    const job = this.jobs.get(`${lease.kind}/${lease.key}`);
    if (job === undefined) return;
    if (job.againMs === null) this.jobs.delete(`${lease.kind}/${lease.key}`);
    else this.release(job, job.againMs);
  }
  async rescheduleJob(lease: JobLease, runAtMs: number) {
    this.checkLease(lease);
    const job = this.jobs.get(`${lease.kind}/${lease.key}`);
    if (job !== undefined) this.release(job, Math.min(runAtMs, job.againMs ?? runAtMs));
  }
  private release(job: Job, dueMs: number) {
    job.dueMs = dueMs;
    job.running = false;
    job.againMs = null;
  }
  /** What happens to a dead worker's job when its lease has run out. */
  abandon(lease: JobLease, leaseMs: number) {
    const job = this.jobs.get(`${lease.kind}/${lease.key}`);
    if (job !== undefined) this.release(job, this.options.nowMs() + leaseMs);
  }
  onJobs() {
    return () => {};
  }
  async ping() {}
  async close() {}
}

interface Row extends StoredTx {
  readonly to: string;
}

/** Sends a (scope, purpose) once; its row survives crashes, and so does the transaction. */
export class SimSender implements TxSender {
  readonly rows: Row[] = [];
  private readonly chains: ReadonlyMap<ChainId, SimChain>;
  private readonly options: SimStoreOptions;

  constructor(chains: ReadonlyMap<ChainId, SimChain>, options: SimStoreOptions) {
    this.chains = chains;
    this.options = options;
  }

  async ensure(intent: TxIntent): Promise<TxStatus> {
    const chain = this.chains.get(intent.chainId);
    if (chain === undefined) throw new Error('no such chain');
    const known = this.rows.find((r) => r.scope === intent.scope && r.purpose === intent.purpose);
    if (known !== undefined) return this.status(chain, known);
    try {
      await chain.estimateGas({ ...intent, from: intent.sender });
    } catch (error) {
      if (!(error instanceof Reverted)) throw error;
      return { state: 'wouldRevert', data: error.data, message: error.message };
    }
    this.options.mayCrash();
    const hash = hash32(keccak256(toHex(`${intent.scope}/${intent.purpose}`)));
    const row: Row = {
      ...intent,
      nonce: BigInt(this.rows.length),
      hash,
      status: 'pending',
      blockNumber: null,
      gasUsed: null,
      effectiveGasPrice: null,
    };
    this.rows.push(row);
    chain.mempool.push({ ...intent, from: intent.sender, hash });
    this.options.mayCrash();
    return { state: 'pending', hash };
  }

  private async status(chain: SimChain, row: Row): Promise<TxStatus> {
    const { hash } = row;
    const receipt = await chain.receipt(hash);
    const { number } = await chain.block('latest');
    if (receipt === null || number < receipt.blockNumber + BigInt(chain.confirmations)) {
      return { state: 'pending', hash };
    }
    const at = this.rows.findIndex((r) => r.hash === hash);
    this.rows[at] = { ...row, status: receipt.success ? 'final' : 'reverted' };
    return { state: receipt.success ? 'final' : 'reverted', hash, receipt };
  }

  async list(scope: string) {
    return this.rows.filter((row) => row.scope === scope);
  }
}
