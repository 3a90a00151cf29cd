// The market as third parties meet it, on real chains: a stranger's solver from the starter wins and
// serves an order; one that wins and never opens loses its standing and not the owner's money; three
// different rivals meet in one auction, whose record replays.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../api/cli/home.ts';
import type { StreamedEvent } from '../../api/cli/http.ts';
import { startRivals } from '../../api/cli/rivals/spawn.ts';
import { followOrder } from '../../api/cli/sampleWallet.ts';
import { fundInLab } from '../../api/cli/solver/fund.ts';
import { runSolver, type SolverEvent } from '../../api/client/solver/index.ts';
import { balancesOf, escrowed, give, type OwnWorld, openOwnWorld, placeOrder } from './harness.ts';

let own: OwnWorld;
beforeAll(async () => {
  own = await openOwnWorld({
    lab: { blockMs: 500 },
    solver: {
      quotePolicy: { quoteTtlSeconds: 12, openWindowSeconds: 24, fillWindowSeconds: 60 },
      // Long enough for every solver on a machine that runs all of them and three chains besides.
      settlementPolicy: { biddingMs: 2_500 },
    },
  });
});
afterAll(() => own.close());

const bin = join(projectRoot, 'api/cli/bin.mjs');
async function cli(...args: readonly string[]): Promise<{ code: number; stdout: string }> {
  try {
    const env = { ...process.env, TRIMTAB_HOME: own.home };
    const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args], { env });
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout };
  }
}

/** Every event of the order until it is over. */
async function eventsOf(orderId: Hex): Promise<StreamedEvent[]> {
  const seen: StreamedEvent[] = [];
  const signal = AbortSignal.timeout(150_000);
  for await (const event of followOrder(own.world.api.url, orderId, signal)) seen.push(event);
  return seen;
}
const named = (events: readonly StreamedEvent[], type: string) =>
  events.filter((event) => event.type === type);

async function standingOf(filler: string) {
  const { solvers } = (await (await fetch(`${own.world.api.url}/v1/solvers`)).json()) as {
    solvers: { filler: string; filled: number; faded: number; cooldownUntilMs: number | null }[];
  };
  return solvers.find((standing) => standing.filler === filler.toLowerCase());
}

/** 3 ether on Birch, a third of it wanted as bitcoin on Alder. */
async function smallOrder(role: 'spare1' | 'spare2' | 'spare3') {
  const { world } = own;
  const account = privateKeyToAccount(world.lab.accounts[role].privateKey);
  await give(world, 31339, 'ETH', '3', account.address);
  const before = await balancesOf(world.lab.network, account.address);
  const placed = await placeOrder(world, account, [
    { asset: 'ETH', weightBps: 6000, chain: 31339 },
    { asset: 'BTC', weightBps: 4000, chain: 31338 },
  ]);
  return { ...placed, account, before };
}

test('a stranger’s solver, from the starter, wins an order and serves it', async () => {
  const { world, home } = own;
  const clean = await mkdtemp(join(tmpdir(), 'trimtab-stranger-'));
  const folder = join(clean, 'mine');
  let child: ChildProcess | null = null;
  try {
    const made = await cli('solver', 'new', folder, '--api', world.api.url, '--json');
    expect(made.code).toBe(0);
    const { address } = JSON.parse(made.stdout) as { address: Hex };
    expect((await cli('solver', 'new', folder)).code).toBe(2);
    const source = await readFile(join(folder, 'solver.mjs'), 'utf8');
    expect(source.split('\n').length).toBeLessThanOrEqual(32);
    // A stranger who wants to win works for less.
    await writeFile(join(folder, 'solver.mjs'), source.replace('BPS = 5', 'BPS = 1'));
    await fundInLab(home, address, () => {});

    const events: SolverEvent[] = [];
    let killed = false;
    const run = () =>
      new Promise<ChildProcess>((done) => {
        const stdio = ['ignore', 'pipe', 2] as const;
        const own = spawn(process.execPath, ['solver.mjs'], { cwd: folder, stdio: [...stdio] });
        child = own;
        createInterface({ input: own.stdout as NodeJS.ReadableStream }).on('line', (line) => {
          const [type = ''] = line.split(' ', 1);
          const event = { type, ...JSON.parse(line.slice(type.length)) } as SolverEvent;
          events.push(event);
          if (type === 'connected') done(own);
          // Its machine dies with the fill on its way; it comes back and goes on.
          if (killed || event.label !== 'fill') return;
          killed = true;
          own.once('exit', () => void run());
          own.kill('SIGKILL');
        });
      });
    await run();
    const { orderId, account, before, order } = await smallOrder('spare1');
    const timeline = await eventsOf(orderId);
    expect(killed).toBe(true);
    expect(timeline.at(-1)?.type, JSON.stringify(events)).toBe('order.settled');
    const [awarded] = named(timeline, 'order.awarded');
    expect(awarded?.data.filler).toBe(address.toLowerCase());
    const bids = awarded?.data.bids as unknown as { filler: string; won: boolean }[];
    // Against the built-in solver's own bid, under the same seal.
    expect(bids.map(({ filler }) => filler)).toContain(world.lab.accounts.filler.address);

    const amounts = awarded?.data.amounts as readonly string[];
    const after = await balancesOf(world.lab.network, account.address);
    for (const [i, output] of order.outputs.entries()) {
      const amount = BigInt(amounts[i] ?? 0);
      expect(amount).toBeGreaterThanOrEqual(output.amount);
      const key = `${output.chainId}:WBTC`;
      expect(after.get(key)).toBe((before.get(key) ?? 0n) + amount);
    }
    expect(await escrowed(world.lab.network)).toBe(0n);
    await expect
      .poll(() => events.map(({ type }) => type), { timeout: 20_000 })
      .toContain('settled');
    expect(await standingOf(address)).toMatchObject({ won: 1, filled: 1, faded: 0 });

    const checked = await cli(
      ...['solver', 'check', join(folder, 'solver.mjs'), '--key-file', join(folder, 'key')],
      ...['--api', world.api.url, '--json'],
    );
    expect(checked.code, checked.stdout).toBe(0);
    expect(JSON.parse(checked.stdout.split('\n')[0] ?? '')).toMatchObject({ error: null });
    const last = child as ChildProcess | null;
    const exited = new Promise((done) => last?.once('exit', done));
    last?.kill('SIGTERM');
    expect(await exited).toBe(0);
    child = null;
  } finally {
    (child as ChildProcess | null)?.kill('SIGKILL');
    await rm(clean, { recursive: true, force: true });
  }
});

test('a solver that wins and never opens has faded: it cools down, the owner loses nothing', async () => {
  const { world } = own;
  const account = privateKeyToAccount(generatePrivateKey());
  const stop = new AbortController();
  const events: SolverEvent[] = [];
  const running = runSolver({
    url: world.api.url,
    account,
    signal: stop.signal,
    // Promises five per cent more than the minimum and has not a single token.
    bid: (auction, tools) => auction.orders.map((order) => tools.atMinimumPlus(order, 500)),
    timing: { minFillSeconds: 1e6 },
    onEvent: (event) => events.push(event),
  });
  const types = () => events.map(({ type }) => type);
  try {
    await expect.poll(types, { timeout: 30_000 }).toContain('connected');
    const first = await smallOrder('spare2');
    const timeline = await eventsOf(first.orderId);
    await expect.poll(types, { timeout: 20_000 }).toContain('award.outcome');
    const outcome = events.find(({ type }) => type === 'award.outcome');
    expect(outcome).toMatchObject({ orderId: first.orderId, outcome: 'faded' });
    const standing = await standingOf(account.address);
    expect(standing).toMatchObject({ filled: 0, faded: 1 });
    expect(standing?.cooldownUntilMs).toBeGreaterThan(Date.now());
    // Nothing of it was in escrow meanwhile; then it was auctioned again, or ended unopened.
    expect(named(timeline, 'order.awarded')[0]?.data.filler).toBe(account.address.toLowerCase());
    expect(await escrowed(world.lab.network)).toBe(0n);
    if (timeline.at(-1)?.type !== 'order.settled') {
      const after = await balancesOf(world.lab.network, first.account.address);
      expect(after).toEqual(first.before);
    }
    const rejected = () => events.filter(({ code }) => code === 'coolingDown').length;
    if (rejected() === 0) await eventsOf((await smallOrder('spare2')).orderId);
    expect(rejected()).toBeGreaterThan(0);
  } finally {
    stop.abort();
    await running;
  }
});

test('three different solvers meet in one auction, and its record replays', async () => {
  const { world } = own;
  const { accounts } = world.lab;
  const rivals = startRivals({
    url: world.api.url,
    keys: {
      greedy: accounts.rivalGreedy.privateKey,
      inventory: accounts.rivalInventory.privateKey,
    },
    onEvent: () => {},
  });
  try {
    expect(await rivals.ready).toBe(true);
    const { orderId } = await smallOrder('spare3');
    const timeline = await eventsOf(orderId);
    expect(timeline.at(-1)?.type).toBe('order.settled');
    const [awarded] = named(timeline, 'order.awarded');
    const bids = awarded?.data.bids as unknown as { filler: string }[];
    const roles = ['filler', 'rivalGreedy', 'rivalInventory'] as const;
    expect(bids.map(({ filler }) => filler).sort()).toEqual(
      roles.map((role) => accounts[role].address).sort(),
    );
    const auctionId = String(awarded?.data.auctionId);
    const replayed = await cli('replay', auctionId, '--api', world.api.url, '--json');
    expect(replayed.code, replayed.stdout).toBe(0);
    expect(JSON.parse(replayed.stdout)).toMatchObject({ ok: true, bids: 3 });
  } finally {
    await rivals.stop();
  }
});
