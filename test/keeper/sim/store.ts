// Policies, proposals, orders and jobs in memory with PostgreSQL's promises: one transaction per
// write, fenced leases, versions, at most one live proposal. The same contract runs against both
// (policyStore.test.ts). Orders are the world's: it puts and moves them itself.

import { Fault } from '../../../solver/types/errors.ts';
import type { OrderId, PolicyId } from '../../../solver/types/ids.ts';
import type {
  PolicyEvent,
  PolicyStore,
  PriceSample,
  StoredPolicy,
  StoredProposal,
} from '../../../solver/types/policyStore.ts';
import {
  type JobLease,
  LeaseLost,
  type NewEvent,
  type NewJob,
  type Store,
  type StoredOrder,
} from '../../../solver/types/store.ts';

interface Job {
  readonly kind: string;
  readonly key: string;
  dueMs: number;
  fence: number;
  running: boolean;
  againMs: number | null;
}

export type JobStore = { -readonly [Name in JobMethod]: Store[Name] };
type JobMethod = 'claimJob' | 'completeJob' | 'rescheduleJob';

/** What the world needs of a store, in memory or in PostgreSQL. */
export interface KeeperStore extends PolicyStore {
  readonly orders: Pick<Store, 'getOrder' | 'listOrders'>;
  readonly jobs: JobStore;
  /** Inserts or replaces the order. */
  putOrder(order: StoredOrder): Promise<void>;
  /** Rows for the invariants, read past all ports. */
  dump(policyId: PolicyId): Promise<{
    readonly row: StoredPolicy;
    readonly events: readonly PolicyEvent[];
    readonly proposals: readonly StoredProposal[];
    readonly hasJob: boolean;
  }>;
}

export class SimPolicyStore implements KeeperStore {
  private readonly policies = new Map<PolicyId, StoredPolicy>();
  private readonly made: StoredProposal[] = [];
  private readonly log: PolicyEvent[] = [];
  private readonly rows = new Map<OrderId, StoredOrder>();
  private readonly queue = new Map<string, Job>();
  private readonly samples = new Map<string, PriceSample & { period: number }>();
  private readonly listeners = new Set<(policyId: PolicyId) => void>();
  private fence = 0;
  private readonly nowMs: () => number;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  arm: PolicyStore['arm'] = async (policy, events, jobs) => {
    if (this.policies.has(policy.policyId)) return 'alreadyApplied';
    for (const { owner, nonce } of this.policies.values()) {
      if (owner === policy.owner && nonce === policy.nonce) return 'nonceUsed';
    }
    const at = this.nowMs();
    const row = { version: 1, eventCount: 0, createdAtMs: at, updatedAtMs: at };
    this.policies.set(policy.policyId, { ...policy, ...row });
    this.addEvents(policy.policyId, events);
    this.addJobs(jobs);
    return 'applied';
  };
  getPolicy = async (id: PolicyId) => this.policies.get(id) ?? null;
  listPolicies: PolicyStore['listPolicies'] = async ({ owner, statuses, limit }) =>
    [...this.policies.values()]
      .filter((row) => owner === undefined || row.owner === owner)
      .filter((row) => statuses === undefined || statuses.includes(row.status))
      .reverse()
      .slice(0, limit);

  applyStep: PolicyStore['applyStep'] = async (step, lease) => {
    this.checkLease(lease);
    const row = this.policies.get(step.policyId);
    if (row === undefined) throw new Error('no such policy');
    if (row.version !== step.version || row.status !== step.from) {
      if (row.status === step.to && row.version === step.version + 1) return 'alreadyApplied';
      throw new Fault(`is ${row.status} at ${row.version}`, { code: 'stateConflict' });
    }
    const { propose, close } = step;
    const live = this.made.find((p) => p.policyId === step.policyId && p.outcome === null);
    if (propose !== undefined && live !== undefined) throw new Error('proposals_live violated');
    const owned = ({ policyId, outcome }: StoredProposal) =>
      outcome === null && this.policies.get(policyId)?.owner === row.owner;
    if (propose !== undefined && this.made.some(owned)) {
      throw new Fault('another policy of the owner has a live proposal', { code: 'stateConflict' });
    }
    const atMs = this.nowMs();
    this.policies.set(step.policyId, {
      ...row,
      status: step.to,
      memory: step.memory ?? row.memory,
      version: row.version + 1,
      updatedAtMs: atMs,
    });
    this.addEvents(step.policyId, step.events);
    if (propose !== undefined) {
      const open = { policyId: step.policyId, createdAtMs: atMs, outcome: null, orderId: null };
      this.made.unshift({ ...propose, ...open });
    }
    const at = this.made.findIndex(
      (p) => p.quoteId === close?.quoteId && p.outcome !== 'committed',
    );
    const closing = this.made[at];
    if (close !== undefined && closing !== undefined) this.made[at] = { ...closing, ...close };
    this.addJobs(step.jobs ?? []);
    return 'applied';
  };
  policyEvents: PolicyStore['policyEvents'] = async (id, after, limit) =>
    this.log.filter((e) => e.policyId === id && e.seq > after).slice(0, limit);
  onPolicyEvents: PolicyStore['onPolicyEvents'] = (listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  proposals: PolicyStore['proposals'] = async (id, limit) => {
    const mine = this.made.filter((p) => p.policyId === id);
    const live = mine.filter((p) => p.outcome === null);
    return [...live, ...mine.filter((p) => p.outcome !== null)].slice(0, limit);
  };
  orderOfQuote = async (quoteId: string) =>
    [...this.rows.values()].find((order) => order.quoteId === quoteId) ?? null;
  isPrivateQuote = async (quoteId: string) => {
    const made = this.made.find((p) => p.quoteId === quoteId);
    const { privacy = 'public' } = this.policies.get(made?.policyId as PolicyId)?.document ?? {};
    return privacy !== 'public';
  };
  recentProposals: PolicyStore['recentProposals'] = async (sinceMs) =>
    this.made.filter(
      (p) => p.createdAtMs >= sinceMs && (p.outcome === null || p.outcome === 'committed'),
    );
  wakeOwner: PolicyStore['wakeOwner'] = async (owner) => {
    for (const row of this.policies.values()) {
      const job = this.queue.get(`keep/${row.policyId}`);
      if (row.owner !== owner || job === undefined) continue;
      if (job.running) job.againMs = Math.min(job.againMs ?? Infinity, this.nowMs());
      else job.dueMs = Math.min(job.dueMs, this.nowMs());
    }
  };
  reviveJobs = async () => {
    const lost = [...this.policies.values()].filter(
      ({ policyId: id, status }) =>
        !['revoked', 'expired'].includes(status) && !this.queue.has(`keep/${id}`),
    );
    this.addJobs(lost.map(({ policyId: key }) => ({ kind: 'keep', key, runAtMs: this.nowMs() })));
    return lost.length;
  };
  recordPrices: PolicyStore['recordPrices'] = async (period, samples, keepFrom) => {
    const named = new Set(samples.map(({ asset }) => asset));
    for (const [key, old] of this.samples) {
      if (old.period === period && old.bucket < keepFrom && named.has(old.asset)) {
        this.samples.delete(key);
      }
    }
    for (const sample of samples) {
      if (sample.bucket < keepFrom) continue;
      this.samples.set(`${period}/${sample.asset}/${sample.bucket}`, { ...sample, period });
    }
  };
  prices: PolicyStore['prices'] = async (period, assets, since) =>
    [...this.samples.values()]
      .filter((s) => s.period === period && assets.includes(s.asset) && s.bucket >= since)
      .sort((a, b) => a.bucket - b.bucket || (a.asset < b.asset ? -1 : 1))
      .map(({ asset, bucket, price }) => ({ asset, bucket, price }));

  privateQuotes: PolicyStore['privateQuotes'] = async (ids) => {
    const hidden = await Promise.all(ids.map((id) => this.isPrivateQuote(id)));
    return new Set(ids.filter((_, i) => hidden[i]));
  };

  readonly orders: KeeperStore['orders'] = {
    getOrder: async (id) => this.rows.get(id) ?? null,
    listOrders: async ({ owner, states, limit }) =>
      [...this.rows.values()]
        .filter((o) => owner === undefined || o.owner === owner)
        .filter((o) => states === undefined || states.includes(o.state))
        .reverse()
        .slice(0, limit),
  };
  putOrder = async (order: StoredOrder) => void this.rows.set(order.orderId, order);

  readonly jobs: KeeperStore['jobs'] = {
    claimJob: async (kinds, leaseMs) => {
      const due = [...this.queue.values()]
        .filter((job) => kinds.includes(job.kind) && job.dueMs <= this.nowMs())
        .sort((a, b) => a.dueMs - b.dueMs);
      const [job] = due;
      if (job === undefined) return null;
      this.fence += 1;
      Object.assign(job, { fence: this.fence, running: true, dueMs: this.nowMs() + leaseMs });
      return { kind: job.kind, key: job.key, fence: job.fence, attempts: 1 };
    },
    completeJob: async (lease) => {
      const job = this.checkLease(lease);
      if (job?.againMs === null) this.queue.delete(`${lease.kind}/${lease.key}`);
      else if (job !== undefined) this.release(job, job.againMs ?? this.nowMs());
    },
    rescheduleJob: async (lease, runAtMs) => {
      const job = this.checkLease(lease);
      if (job !== undefined) this.release(job, Math.min(runAtMs, job.againMs ?? runAtMs));
    },
  };
  dump: KeeperStore['dump'] = async (id) => {
    const row = this.policies.get(id);
    if (row === undefined) throw new Error('no such policy');
    return {
      row,
      events: this.log.filter((e) => e.policyId === id),
      proposals: this.made.filter((p) => p.policyId === id),
      hasJob: this.queue.has(`keep/${id}`),
    };
  };

  private release(job: Job, dueMs: number) {
    Object.assign(job, { dueMs, running: false, againMs: null });
  }
  private checkLease(lease: JobLease | null): Job | undefined {
    if (lease === null) return undefined;
    const job = this.queue.get(`${lease.kind}/${lease.key}`);
    if (job?.fence !== lease.fence || !job.running) throw new LeaseLost('lease lost');
    return job;
  }
  private addEvents(policyId: PolicyId, events: readonly NewEvent[]) {
    const row = this.policies.get(policyId);
    if (row === undefined) return;
    for (const [i, event] of events.entries()) {
      const number = row.eventCount + i + 1;
      const seq = this.log.length + 1;
      this.log.push({ ...event, seq, policyId, number, atMs: this.nowMs() });
    }
    this.policies.set(policyId, { ...row, eventCount: row.eventCount + events.length });
    for (const listener of this.listeners) queueMicrotask(() => listener(policyId));
  }
  private addJobs(jobs: readonly NewJob[]) {
    for (const { kind, key, runAtMs } of jobs) {
      const known = this.queue.get(`${kind}/${key}`);
      if (known === undefined) {
        const job = { kind, key, dueMs: runAtMs, fence: 0, running: false, againMs: null };
        this.queue.set(`${kind}/${key}`, job);
      } else if (known.running) known.againMs = Math.min(known.againMs ?? Infinity, runAtMs);
      else known.dueMs = Math.min(known.dueMs, runAtMs);
    }
  }
}
