// Kill −9 the keeper at every state of a policy on the local chains: no proposal is made twice, no policy
// is lost. The keeper is a process of its own; settlement and the API live on in the test's.

import type { ChildProcess } from 'node:child_process';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { RefusedByService } from '../../api/cli/http.ts';
import { followOrder } from '../../api/cli/sampleWallet.ts';
import type { World } from '../../api/cli/world.ts';
import type { Hex } from '../../solver/types/ids.ts';
import { escrowed, give, withWorld } from './harness.ts';
import {
  arm,
  logOf,
  type PolicyEventView,
  proposalOf,
  readPolicy,
  settled,
  signProposal,
  waitFor,
} from './policyWallet.ts';
import { killWorker, startWorker } from './worker.ts';

const document = {
  targets: { BTC: '0.5', ETH: '0.3', CASH: '0.2' },
  universe: { CASH: 'USDC' },
  breakers: { maxMovePerHour: '0.9' },
  costs: { maxBps: 100 },
  cooldown: '3s',
};
const keeper = { pollMs: 500, jitterSeconds: 0, failurePauseMs: 500 };

/** A keeper that can be killed and started again; `end` leaves nothing behind. */
function mortalKeeper(world: World, quotePolicy = {}, more = {}) {
  let child: ChildProcess | null = null;
  const kill = async () => {
    if (child !== null) await killWorker(child);
    child = null;
  };
  const start = async () => {
    child = await startWorker(world, {
      jobs: ['keep'],
      keeper: { ...keeper, ...more },
      quotePolicy,
    });
  };
  return {
    start,
    end: kill,
    async killAndStart() {
      await kill();
      await start();
    },
  };
}

async function fund(world: World, account: PrivateKeyAccount): Promise<void> {
  await give(world, 31338, 'BTC', '1', account.address);
  await give(world, 31339, 'ETH', '10', account.address);
  await give(world, 31340, 'ETH', '8', account.address);
  await give(world, 31340, 'USDC', '38400', account.address);
}

/** Signs the proposal that is live; one that ran out meanwhile is followed by another. */
async function signLive(world: World, id: Hex, account: PrivateKeyAccount) {
  for (let tries = 0; tries < 60; tries++) {
    const proposal = await proposalOf(world, id);
    try {
      if (proposal !== null) {
        const { orderId } = await signProposal(world, account, proposal);
        return { orderId, quoteId: proposal.quoteId };
      }
    } catch (error) {
      if (!(error instanceof RefusedByService) || error.problem.code !== 'quoteExpired')
        throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error('no proposal could be signed in time');
}

const is = (type: string) => (event: PolicyEventView) => event.type === type;

async function expectWholeLog(world: World, id: Hex): Promise<readonly PolicyEventView[]> {
  const log = await logOf(world, id);
  expect(log.map(({ number }) => number)).toEqual(log.map((_, i) => i + 1));
  return log;
}

test('killed at every state of a rebalance that settles', async () => {
  const jobs = ['serve', 'guard', 'auction', 'bid'] as const;
  await withWorld({ solver: { jobs } }, async (world) => {
    const account = privateKeyToAccount(world.lab.accounts.spare1.privateKey);
    await fund(world, account);
    const life = mortalKeeper(world);
    try {
      const id = await arm(world, account, document);
      expect((await readPolicy(world, id)).state).toBe('armed');
      await life.start();
      // Armed, evaluating: somewhere in its first looks.
      await life.killAndStart();
      await waitFor(world, id, is('policy.idle'));
      await life.killAndStart();
      await world.lab.control.movePrice('ETH', 3200 * 1.6);
      await waitFor(world, id, is('policy.proposed'));
      const first = await proposalOf(world, id);
      await life.killAndStart();
      const proposal = await proposalOf(world, id);
      if (proposal === null) throw new Error('the proposal is lost');
      expect(proposal.quoteId).toBe(first?.quoteId);

      const { orderId } = await signProposal(world, account, proposal);
      await waitFor(world, id, is('policy.committed'));
      await life.killAndStart();
      await waitFor(world, id, is('policy.inFlight'));
      await life.killAndStart();
      await settled(world, orderId);
      await waitFor(world, id, is('policy.cooldown'));
      await life.killAndStart();
      const { number } = await waitFor(world, id, is('policy.settled'));
      await waitFor(world, id, (event) => event.type === 'policy.idle' && event.number > number);

      const log = await expectWholeLog(world, id);
      const count = (type: string) => log.filter(is(type)).length;
      expect(count('policy.proposed')).toBe(1);
      expect(count('policy.committed')).toBe(1);
      expect(count('policy.settled')).toBe(1);
      const orders = await world.solver.store.listOrders({
        owner: account.address.toLowerCase() as never,
        limit: 10,
      });
      expect(orders.length).toBe(1);
      expect(await escrowed(world.lab.network)).toBe(0n);
    } finally {
      await life.end();
    }
  });
});

test('killed while a half-done rebalance is taken back and repaired', {
  timeout: 580_000,
}, async () => {
  const quotePolicy = {
    quoteTtlSeconds: 20,
    openWindowSeconds: 20,
    fillWindowSeconds: 25,
    expirySlackSeconds: 5,
  };
  await withWorld({ solver: { jobs: ['guard'], quotePolicy } }, async (world) => {
    const account = privateKeyToAccount(world.lab.accounts.spare2.privateKey);
    await fund(world, account);
    const life = mortalKeeper(world, quotePolicy, { proposalSeconds: 30 });
    const filler = await startWorker(world, { jobs: ['serve', 'auction', 'bid'], quotePolicy });
    let second: ChildProcess | null = null;
    try {
      const id = await arm(world, account, document);
      await life.start();
      await waitFor(world, id, is('policy.idle'));
      await world.lab.control.movePrice('ETH', 3200 * 1.6);
      await waitFor(world, id, is('policy.proposed'));
      const proposal = await proposalOf(world, id);
      if (proposal === null) throw new Error('nothing is proposed');
      const { orderId } = await signProposal(world, account, proposal);
      for await (const event of followOrder(world.api.url, orderId, AbortSignal.timeout(200_000))) {
        const purpose = String(event.data.purpose ?? '');
        if (event.type === 'tx.sent' && purpose.startsWith('fill:')) await killWorker(filler);
      }
      await waitFor(world, id, is('policy.partial'), 200_000);
      await life.killAndStart();
      const owed = await waitFor(
        world,
        id,
        ({ type }) => type === 'policy.repair' || type === 'policy.refund',
        200_000,
      );
      await life.killAndStart();
      expect(await escrowed(world.lab.network)).toBe(0n);

      // What is left to do is solved anew from what the owner holds now, and settles.
      second = await startWorker(world, { jobs: ['serve', 'auction', 'bid'], quotePolicy });
      const later = (type: string) => (event: PolicyEventView) =>
        event.type === type && event.number > owed.number;
      const outcome = await waitFor(
        world,
        id,
        (event) => later('policy.proposed')(event) || later('policy.idle')(event),
        200_000,
      );
      if (outcome.type === 'policy.proposed') {
        const repaired = await signLive(world, id, account);
        expect(repaired.quoteId).not.toBe(proposal.quoteId);
        await settled(world, repaired.orderId);
        await waitFor(world, id, later('policy.settled'), 120_000);
      }
      await expectWholeLog(world, id);
      expect(await escrowed(world.lab.network)).toBe(0n);
    } finally {
      await life.end();
      await killWorker(filler);
      if (second !== null) await killWorker(second);
    }
  });
});
