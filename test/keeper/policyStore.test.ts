// The PolicyStore's contract, on PostgreSQL and on the memory store that the simulations use.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresPolicies } from '../../solver/adapters/postgresPolicies.ts';
import { present } from '../../solver/types/assert.ts';
import { evmAddress, hash32, type PolicyId, policyId } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { NewPolicy, PolicyStep, PolicyStore } from '../../solver/types/policyStore.ts';
import { type JobLease, LeaseLost, type Store } from '../../solver/types/store.ts';
import { clock, randomHex, startTestPostgres, type TestPostgres } from '../adapters/support.ts';
import { SimPolicyStore } from './sim/store.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.end());

interface Subject {
  readonly policies: PolicyStore;
  readonly jobs: Pick<Store, 'claimJob' | 'completeJob' | 'rescheduleJob'>;
}
const subjects: Readonly<Record<string, () => Subject>> = {
  postgres: () => ({
    policies: createPostgresPolicies(postgres.database, postgres.store),
    jobs: postgres.store,
  }),
  memory: () => {
    const store = new SimPolicyStore(() => clock.nowMs());
    return { policies: store, jobs: store.jobs };
  },
};

const newPolicy = (change: Partial<NewPolicy> = {}): NewPolicy => ({
  policyId: policyId(randomHex(32)),
  owner: evmAddress(randomHex(20)),
  nonce: '1',
  document: { targets: { A: '1' } },
  documentHash: hash32(randomHex(32)),
  expires: 0,
  signature: '0x00',
  status: 'armed',
  memory: { armedAt: 1 },
  ...change,
});
const event = (type: string) => ({
  type,
  data: { from: 'armed', to: 'idle', code: 'x', why: 'y' },
});
const armed = event('policy.armed');
const keep = (id: PolicyId) => [{ kind: 'keep', key: id, runAtMs: 0 }];
const stepOf = (id: PolicyId, change: Partial<PolicyStep> = {}): PolicyStep => ({
  policyId: id,
  version: 1,
  from: 'armed',
  to: 'idle',
  events: [event('policy.idle')],
  ...change,
});
const proposal = (quoteId: string) => ({
  quoteId,
  validUntilMs: 5,
  response: { order: {} },
  expected: { flowUsd: { 'buy:A': 1 } },
});

for (const [name, subject] of Object.entries(subjects)) {
  describe(`PolicyStore in ${name}`, () => {
    const arm = async (policies: PolicyStore, change: Partial<NewPolicy> = {}) => {
      const made = newPolicy(change);
      expect(await policies.arm(made, [armed], keep(made.policyId))).toBe('applied');
      return made;
    };
    async function claim(jobs: Subject['jobs'], id: PolicyId, leaseMs = 60_000): Promise<JobLease> {
      for (let tries = 0; tries < 100; tries += 1) {
        const lease = present(await jobs.claimJob(['keep'], leaseMs), 'a due job');
        if (lease.key === id) return lease;
        await jobs.rescheduleJob(lease, clock.nowMs() + 600_000);
      }
      throw new Error('the job is not due');
    }

    test('default: armed once; the same again, and another of the same nonce', async () => {
      const { policies } = subject();
      const made = await arm(policies);
      expect(await policies.arm(made, [armed], [])).toBe('alreadyApplied');
      const other = newPolicy({ owner: made.owner });
      expect(await policies.arm(other, [armed], [])).toBe('nonceUsed');
      expect(await policies.getPolicy(other.policyId)).toBeNull();
      const row = present(await policies.getPolicy(made.policyId), 'row');
      expect(row).toMatchObject({ ...made, version: 1, eventCount: 1 });
      const listed = await policies.listPolicies({ owner: made.owner, limit: 5 });
      expect(listed.map((one) => one.policyId)).toEqual([made.policyId]);
    });

    test('behavior: a step is row, events and proposal at once, and once', async () => {
      const { policies } = subject();
      const { policyId: id } = await arm(policies);
      const quoteId = randomHex(16);
      const step = stepOf(id, {
        to: 'proposed',
        memory: { armedAt: 2 },
        events: [event('policy.a'), event('policy.b')],
        propose: proposal(quoteId),
      });
      expect(await policies.applyStep(step, null)).toBe('applied');
      expect(await policies.applyStep(step, null)).toBe('alreadyApplied');
      const events = await policies.policyEvents(id, 0, 10);
      expect(events.map(({ number, type }) => [number, type])).toEqual([
        [1, 'policy.armed'],
        [2, 'policy.a'],
        [3, 'policy.b'],
      ]);
      const after = await policies.policyEvents(id, present(events[1], 'event').seq, 10);
      expect(after.map(({ number }) => number)).toEqual([3]);
      expect(await policies.getPolicy(id)).toMatchObject({
        status: 'proposed',
        version: 2,
        eventCount: 3,
        memory: { armedAt: 2 },
      });
      expect(await policies.proposals(id, 5)).toMatchObject([{ quoteId, outcome: null }]);
      const recent = await policies.recentProposals(0);
      expect(recent).toContainEqual(
        expect.objectContaining({ expected: { flowUsd: { 'buy:A': 1 } } }),
      );
    });

    test('error: a second live proposal of one wallet is a conflict, whichever policy makes it', async () => {
      const { policies } = subject();
      const { policyId: first, owner } = await arm(policies);
      const second = await arm(policies, { owner, nonce: '2' });
      const [one, other] = [randomHex(16), randomHex(16)];
      const propose = (id: PolicyId, quoteId: string) =>
        policies.applyStep(stepOf(id, { to: 'proposed', propose: proposal(quoteId) }), null);
      const made = await Promise.allSettled([propose(first, one), propose(second.policyId, other)]);
      expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const refused = made.find(({ status }) => status === 'rejected');
      expect(refused).toMatchObject({ reason: { code: 'stateConflict' } });
    });

    test('behavior: a quote is private as its policy is', async () => {
      const { policies } = subject();
      const privacies: JsonObject[] = [{}, { privacy: 'public' }, { privacy: 'commitment' }];
      const found = [];
      for (const document of privacies) {
        const { policyId: id } = await arm(policies, { document });
        const quoteId = randomHex(16);
        await policies.applyStep(stepOf(id, { to: 'proposed', propose: proposal(quoteId) }), null);
        found.push(await policies.isPrivateQuote(quoteId));
      }
      expect(found).toEqual([false, false, true]);
      expect(await policies.isPrivateQuote('q-nobody')).toBe(false);
    });

    test('error: another version or state is a conflict and writes nothing', async () => {
      const { policies } = subject();
      const { policyId: id } = await arm(policies);
      const conflict = { code: 'stateConflict' };
      await expect(policies.applyStep(stepOf(id, { version: 7 }), null)).rejects.toMatchObject(
        conflict,
      );
      await expect(policies.applyStep(stepOf(id, { from: 'halted' }), null)).rejects.toMatchObject(
        conflict,
      );
      expect(await policies.policyEvents(id, 0, 10)).toHaveLength(1);
    });

    test('error: never two live proposals, whoever asks', async () => {
      const { policies } = subject();
      const { policyId: id } = await arm(policies);
      const first = stepOf(id, { to: 'proposed', propose: proposal(randomHex(16)) });
      await policies.applyStep(first, null);
      const second = stepOf(id, {
        version: 2,
        from: 'proposed',
        to: 'proposed',
        propose: proposal(randomHex(16)),
      });
      await expect(policies.applyStep(second, null)).rejects.toThrow(/proposals_live/);
      expect(await policies.getPolicy(id)).toMatchObject({ version: 2 });
    });

    test('behavior: a closed proposal may turn out signed, a signed one stays so', async () => {
      const { policies } = subject();
      const { policyId: id } = await arm(policies);
      const quoteId = randomHex(16);
      await policies.applyStep(stepOf(id, { to: 'proposed', propose: proposal(quoteId) }), null);
      const close = (version: number, outcome: 'expired' | 'committed', orderId: string | null) =>
        policies.applyStep(
          stepOf(id, {
            version,
            from: version === 2 ? 'proposed' : 'armed',
            to: 'armed',
            close: { quoteId, outcome, orderId: orderId as never },
          }),
          null,
        );
      const orderId = randomHex(32);
      await close(2, 'expired', null);
      await close(3, 'committed', orderId);
      await close(4, 'expired', null);
      expect(await policies.proposals(id, 5)).toMatchObject([{ outcome: 'committed', orderId }]);
    });

    test('behavior: a worker that lost its lease changes nothing', async () => {
      const { policies, jobs } = subject();
      const { policyId: id } = await arm(policies);
      const lease = await claim(jobs, id);
      await jobs.rescheduleJob(lease, 0);
      const newer = await claim(jobs, id);
      await expect(policies.applyStep(stepOf(id), lease)).rejects.toThrow(LeaseLost);
      expect(await policies.getPolicy(id)).toMatchObject({ status: 'armed', version: 1 });
      expect(await policies.applyStep(stepOf(id), newer)).toBe('applied');
    });

    test('behavior: an order that moves makes its owner’s jobs due', async () => {
      const { policies, jobs } = subject();
      const { policyId: id, owner } = await arm(policies);
      const lease = await claim(jobs, id);
      await jobs.rescheduleJob(lease, clock.nowMs() + 600_000);
      expect(await jobs.claimJob(['keep'], 1_000)).toBeNull();
      await policies.wakeOwner(owner);
      expect((await claim(jobs, id)).key).toBe(id);
    });

    test('behavior: a job whose row was lost is made again, an ended policy’s is not', async () => {
      const { policies, jobs } = subject();
      const { policyId: id } = await arm(policies);
      await jobs.completeJob(await claim(jobs, id));
      const { policyId: ended } = await arm(policies);
      await jobs.completeJob(await claim(jobs, ended));
      await policies.applyStep({ ...stepOf(ended), to: 'revoked' }, null);
      expect(await policies.reviveJobs()).toBeGreaterThanOrEqual(1);
      expect(await policies.reviveJobs()).toBe(0);
      expect((await claim(jobs, id)).key).toBe(id);
      await expect(claim(jobs, ended)).rejects.toThrow('a due job');
    });

    test('behavior: prices keep the last of a bucket, in order, and forget the old', async () => {
      const { policies } = subject();
      const asset = randomHex(4);
      const sample = (bucket: number, price: number) => ({ asset, bucket, price });
      await policies.recordPrices(300, [sample(300, 1), sample(600, 2)], 0);
      await policies.recordPrices(300, [sample(600, 3)], 0);
      await policies.recordPrices(3_600, [sample(0, 9)], 0);
      expect(await policies.prices(300, [asset], 0)).toEqual([sample(300, 1), sample(600, 3)]);
      await policies.recordPrices(300, [sample(900, 4)], 600);
      expect(await policies.prices(300, [asset], 0)).toEqual([sample(600, 3), sample(900, 4)]);
      expect(await policies.prices(3_600, [asset], 0)).toEqual([sample(0, 9)]);
    });

    test('behavior: listeners hear of a policy’s events until they stop', async () => {
      const { policies } = subject();
      const heard: PolicyId[] = [];
      const stop = policies.onPolicyEvents((id) => heard.push(id));
      const { policyId: id } = await arm(policies);
      await clock.sleep(0);
      stop();
      await policies.applyStep(stepOf(id), null);
      await clock.sleep(0);
      expect(heard).toEqual([id]);
    });
  });
}
