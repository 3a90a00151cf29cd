// Two API processes, two workers and a keeper over one PostgreSQL and the real lab: while many orders
// are under way, processes are killed −9 one after the other, and the database with them. All orders
// end settled or refunded, none twice, and nobody who followed one missed an event.
//   TRIMTAB_FAILOVER_ORDERS=10 npx vitest run --project=slow test/e2e/failover.test.ts

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AbiEvent, parseAbiItem } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { request } from '../../api/cli/http.ts';
import { databaseOfRun } from '../../solver/adapters/databasePerRun.ts';
import { type EmbeddedPostgres, startPostgres } from '../../solver/adapters/embeddedPostgres.ts';
import { type LabHandle, startLab } from '../../solver/lab/lab.ts';
import { present } from '../../solver/types/assert.ts';
import type { Hex } from '../../solver/types/ids.ts';
import type { NetworkConfig } from '../../solver/types/network.ts';
import { LAB_CACHE } from '../lab/withLab.ts';
import {
  allEvents,
  type Followed,
  followOver,
  gatherCrowd,
  type Placed,
  place,
  wish,
} from './crowd.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { clientOf, escrowed, worthOf } from './harness.ts';

const ORDERS = Number(process.env.TRIMTAB_FAILOVER_ORDERS ?? 200);
const WALLETS = 8;
/** Orders of the crowd under way at once. */
const UNDER_WAY = 24;
const MEMBERS = {
  apiA: 'api',
  apiB: 'api',
  workerA: 'worker',
  workerB: 'worker',
  keeper: 'keeper',
} as const;
/** Longer windows than in production: two cores carry three chains and all processes here. */
const SETTINGS = {
  settlement: { pollMs: 400, idleMs: 1_000, faultRetryMs: 500, biddingMs: 2_500 },
  quote: { quoteTtlSeconds: 180, openWindowSeconds: 600, fillWindowSeconds: 600 },
  keeper: { pollMs: 1_000, jitterSeconds: 0 },
};
/** A backstop, not a measure: all must end, and a busy machine may take its time. */
const LIMIT_MS = Number(process.env.TRIMTAB_FAILOVER_SECONDS ?? 900) * 1_000;

const opened = parseAbiItem(
  'event Opened(bytes32 indexed orderId, bytes32 indexed awardId, address indexed owner, uint256 nonce)',
);
const released = parseAbiItem(
  'event Released(bytes32 indexed awardId, address indexed beneficiary, address to)',
);
const refunded = parseAbiItem('event Refunded(bytes32 indexed awardId, address indexed owner)');
const filled = parseAbiItem(
  'event OutputFilled(bytes32 indexed orderId, bytes32 solver, uint32 timestamp, (bytes32 oracle, bytes32 settler, uint256 chainId, bytes32 token, uint256 amount, bytes32 recipient, bytes callbackData, bytes context) output, uint256 finalAmount)',
);
const ANYONE = privateKeyToAccount(`0x${'22'.repeat(32)}`);

interface Scene {
  readonly lab: LabHandle;
  readonly server: EmbeddedPostgres;
  readonly fleet: Fleet;
}

test(`kill −9 of every process in the middle of ${ORDERS} orders`, {
  timeout: LIMIT_MS + 80_000,
}, async () => {
  const home = await mkdtemp(join(tmpdir(), 'trimtab-failover-'));
  const undo: (() => Promise<unknown>)[] = [() => rm(home, { recursive: true, force: true })];
  try {
    const server = await startPostgres({ home });
    undo.push(() => server.stop());
    const lab = await startLab({
      home,
      cacheDir: LAB_CACHE,
      blockMs: 250,
      volatilityBps: 0,
      whilePid: process.pid,
    });
    undo.push(() => lab.stop());
    const databaseUrl = await databaseOfRun(server.url, lab.runId);
    const fleet = await startFleet({
      home,
      lab,
      databaseUrl,
      settings: SETTINGS,
      members: MEMBERS,
    });
    undo.push(() => fleet.end());
    await run({ lab, server, fleet });
    expect(await fleet.stopAll()).toEqual(Object.keys(MEMBERS).map(() => 0));
  } finally {
    for (const step of undo.reverse()) await step().catch((error) => console.error(error));
  }
});

async function run({ lab, server, fleet }: Scene): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const { network } = lab;
  const crowd = await gatherCrowd(lab, WALLETS);
  const people = [...crowd.map(({ address }) => address), lab.accounts.filler.address];
  const before = await worthOfAll(network, people);
  const started = performance.now();

  const placed: Placed[] = [];
  const ends: (Followed & Placed)[] = [];
  const killing = killAll({ lab, server, fleet }, () => ends.length / ORDERS, signal);
  let next = 0;
  const client = async () => {
    while (next < ORDERS) {
      const n = next++;
      const wallet = present(crowd[n % crowd.length], 'a wallet');
      const order = await place(fleet.apiUrls, wallet, n, wish(n, network.chains));
      placed.push(order);
      const followed = await followOver(fleet.apiUrls, n, order.orderId, signal);
      ends.push({ ...order, ...followed });
    }
  };
  const clients = Array.from({ length: Math.min(UNDER_WAY, ORDERS) }, client);
  await Promise.all([killing, ...clients]).catch((cause: unknown) => {
    const ended = new Set(ends.map(({ orderId }) => orderId));
    const open = placed.filter(({ orderId }) => !ended.has(orderId)).map(({ orderId }) => orderId);
    const told = `${placed.length} placed, ${ends.length} ended, open: ${open.slice(0, 5).join(' ')}`;
    throw new Error(`not all orders ended: ${told}`, { cause });
  });
  const kills = await killing;
  const seconds = (performance.now() - started) / 1000;

  await tellUnsettled(fleet, ends);
  const count = (type: string) => ends.filter(({ end }) => end === `order.${type}`).length;
  const resumed = ends.filter(({ moves }) => moves > 0).length;
  const tally = await expectOnce(network, ends);
  for (const { orderId, seqs } of ends) {
    const all = await allEvents(fleet.apiUrls, orderId);
    expect(seqs).toEqual(all.map(({ seq }) => seq));
  }
  const after = await settledWorth(network, people, before);
  console.log(
    `${ORDERS} orders in ${seconds.toFixed(0)} s: ${count('settled')} settled, ` +
      `${count('refunded')} refunded, ${count('failed')} failed; killed ${kills.join(', ')}; ` +
      `${tally.opens} escrows opened, ${tally.fills} fills, ${tally.releases} released, ` +
      `${tally.refunds} refunded on chain; ${resumed} streams resumed on the other API; ` +
      `worth of wallets and filler $${before.toFixed(0)} before, $${after.toFixed(0)} after`,
  );
  expect(new Set(ends.map(({ orderId }) => orderId)).size).toBe(ORDERS);
  expect(count('settled') + count('refunded')).toBe(ORDERS);
  expect(await escrowed(network)).toBe(0n);
  // Nothing came from nowhere; what is gone is gas, messages and pools' fees on some $200 an order.
  expect(after).toBeLessThan(before + 1);
  expect(before - after).toBeLessThan(ORDERS * 20);
}

/** Why orders did not settle, how many each. */
async function tellUnsettled({ apiUrls: [url] }: Fleet, ends: readonly (Followed & Placed)[]) {
  const reasons = new Map<string, number>();
  for (const { orderId, end } of ends) {
    if (end === 'order.settled') continue;
    const { reason } = await request(`${url}/v1/orders/${orderId}`);
    const why = `${end}: ${String(reason).replace(/0x[0-9a-f]+|\d+/g, '…')}`;
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  for (const [why, times] of reasons) console.log(`${times} × ${why}`);
}

/** One after the other as the work goes on; most come back, one worker and one API stay away a while. */
async function killAll({ server, fleet }: Scene, done: () => number, signal: AbortSignal) {
  const killed: string[] = [];
  const at = async (share: number) => {
    while (done() < share) await sleep(100, undefined, { signal });
  };
  const kill = async (name: string) => {
    await fleet.kill(name);
    killed.push(name);
  };
  await at(0.1);
  await kill('workerA');
  await at(0.2);
  await fleet.start('workerA');
  await kill('apiA');
  await at(0.3);
  await kill('workerB');
  await fleet.start('apiA');
  await at(0.4);
  await kill('apiB');
  await fleet.start('workerB');
  await at(0.5);
  process.kill(server.pid(), 'SIGKILL');
  killed.push('postgres');
  await fleet.start('apiB');
  await at(0.6);
  await kill('keeper');
  await fleet.start('keeper');
  await at(0.7);
  await kill('workerA');
  await kill('workerB');
  await fleet.start('workerB');
  await fleet.start('workerA');
  return killed;
}

/** On every chain, per award: each escrow opened once and ended once, each output filled at most once. */
async function expectOnce(network: NetworkConfig, ends: readonly Placed[]) {
  const known = new Set<string>(ends.map(({ orderId }) => orderId));
  const opens: string[] = [];
  const over: string[] = [];
  const fills: string[] = [];
  const awardOf = new Map<string, string>();
  const tally = { opens: 0, fills: 0, releases: 0, refunds: 0 };
  for (const chain of network.chains) {
    const read = (address: Hex, event: AbiEvent) =>
      clientOf(chain, ANYONE).getLogs({ address, event, fromBlock: 0n });
    const { portfolioSettler, outputSettler } = chain.contracts;
    for (const { args } of await read(portfolioSettler, opened)) {
      const { orderId, awardId } = args as Record<string, string>;
      expect(known.has(String(orderId))).toBe(true);
      // One award per order, on every chain the same.
      expect(awardOf.get(String(orderId)) ?? awardId).toBe(awardId);
      awardOf.set(String(orderId), String(awardId));
      opens.push(`${chain.chainId}:${awardId}`);
    }
    for (const [event, name] of [
      [released, 'releases'],
      [refunded, 'refunds'],
    ] as const) {
      for (const { args } of await read(portfolioSettler, event)) {
        over.push(`${chain.chainId}:${(args as Record<string, string>).awardId}`);
        tally[name] += 1;
      }
    }
    for (const { args } of await read(outputSettler, filled)) {
      const { orderId: awardId, output } = args as { orderId: string; output: { token: Hex } };
      fills.push(`${chain.chainId}:${awardId}:${output.token}`);
    }
  }
  expect(new Set(opens).size).toBe(opens.length);
  expect(new Set(fills).size).toBe(fills.length);
  expect(over.sort()).toEqual(opens.sort());
  return { ...tally, opens: opens.length, fills: fills.length };
}

async function worthOfAll(network: NetworkConfig, people: readonly Hex[]): Promise<number> {
  let worth = 0;
  for (const address of people) worth += await worthOf(network, address);
  return worth;
}

/** The filler's own rebalancing goes on for a moment after the last order has settled. */
async function settledWorth(network: NetworkConfig, people: readonly Hex[], before: number) {
  let worth = await worthOfAll(network, people);
  for (let tries = 0; worth < before - ORDERS * 20 && tries < 20; tries += 1) {
    await sleep(1_000);
    worth = await worthOfAll(network, people);
  }
  return worth;
}
