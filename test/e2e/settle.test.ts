// A whole order on real chains, from the wallet's one signature to the released escrow.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { projectRoot } from '../../api/cli/home.ts';
import { readPortfolio, weightsByAsset } from '../../api/cli/portfolio.ts';
import { SAMPLE_TARGETS } from '../../api/cli/sample.ts';
import type { World } from '../../api/cli/world.ts';
import {
  balancesOf,
  escrowed,
  followToEnd,
  give,
  type PlacedOrder,
  placeOrder,
  withWorld,
  worthOf,
} from './harness.ts';

/** Every weight within half a percentage point of its target. */
const WEIGHT_TOLERANCE = 0.005;

test('the sample portfolio settles, the filler earns, nothing stays in escrow', async () => {
  await withWorld({}, async (world, home) => {
    const wallet = privateKeyToAccount(world.lab.accounts.wallet.privateKey);
    const filler = world.lab.accounts.filler.address;
    const fillerBefore = await worthOf(world.lab.network, filler);
    const before = await balancesOf(world.lab.network, wallet.address);
    const placed = await placeOrder(world, wallet, SAMPLE_TARGETS);
    const events = await followToEnd(world, placed.orderId);
    expect(events.at(-1)).toBe('order.settled');

    await expectDelivered(world, wallet.address, before, placed);
    await expectWeights(world, wallet.address, SAMPLE_TARGETS);
    expect(await escrowed(world.lab.network)).toBe(0n);
    const fillerAfter = await settledWorth(world, filler, fillerBefore);
    expect(fillerAfter).toBeGreaterThanOrEqual(fillerBefore);
    expect(Number(placed.quote.metadata.certificate.gapBps)).toBeLessThan(1);
    await expectVerifiable(world, placed, home);
  });
});

test('two origins and two destinations, one of them an origin itself', async () => {
  await withWorld({}, async (world) => {
    const account = privateKeyToAccount(world.lab.accounts.spare1.privateKey);
    await give(world, 31339, 'ETH', '12', account.address);
    await give(world, 31340, 'USDC', '30000', account.address);
    const before = await balancesOf(world.lab.network, account.address);
    const filler = world.lab.accounts.filler.address;
    const fillerBefore = await worthOf(world.lab.network, filler);
    const targets = [
      { asset: 'USDC', weightBps: 2500, chain: 31339 },
      { asset: 'ETH', weightBps: 2500, chain: 31339 },
      { asset: 'BTC', weightBps: 5000, chain: 31338 },
    ];
    const placed = await placeOrder(world, account, targets);
    const origins = placed.order.origins.map(({ chainId }) => Number(chainId));
    const destinations = [...new Set(placed.order.outputs.map(({ chainId }) => Number(chainId)))];
    expect(origins).toEqual([31339, 31340]);
    expect(destinations).toEqual([31338, 31339]);
    const events = await followToEnd(world, placed.orderId);
    expect(events.at(-1)).toBe('order.settled');
    await expectDelivered(world, account.address, before, placed);
    await expectWeights(world, account.address, targets);
    expect(await escrowed(world.lab.network)).toBe(0n);
    expect(await settledWorth(world, filler, fillerBefore)).toBeGreaterThanOrEqual(fillerBefore);
  });
});

/** The filler's own resales may still be under way when the order is settled: give them a moment. */
async function settledWorth(world: World, filler: `0x${string}`, floor: number): Promise<number> {
  let worth = await worthOf(world.lab.network, filler);
  for (let tries = 0; worth < floor && tries < 20; tries += 1) {
    await new Promise((done) => setTimeout(done, 500));
    worth = await worthOf(world.lab.network, filler);
  }
  return worth;
}

async function expectDelivered(
  { lab }: World,
  owner: `0x${string}`,
  before: ReadonlyMap<string, bigint>,
  { order, quote }: PlacedOrder,
): Promise<void> {
  const after = await balancesOf(lab.network, owner);
  const expected = new Map(before);
  for (const { chainId, symbol, amount } of quote.preview.inputs) {
    const key = `${chainId}:${symbol}`;
    expected.set(key, (expected.get(key) ?? 0n) - BigInt(amount));
  }
  for (const [i, { chainId, symbol }] of quote.preview.outputs.entries()) {
    const key = `${chainId}:${symbol}`;
    const minimum = order.outputs[i]?.amount ?? 0n;
    expect(minimum).toBeGreaterThan(0n);
    expected.set(key, (expected.get(key) ?? 0n) + minimum);
  }
  for (const [key, amount] of expected) {
    expect(after.get(key), key).toBeGreaterThanOrEqual(amount);
  }
}

async function expectWeights(
  { lab }: World,
  owner: `0x${string}`,
  targets: readonly { asset: string; weightBps: number }[],
): Promise<void> {
  const weights = weightsByAsset(await readPortfolio(lab.network, owner as never));
  for (const { asset, weightBps } of targets) {
    const off = Math.abs((weights[asset] ?? 0) - weightBps / 10_000);
    expect(off, `${asset}: ${weights[asset]}`).toBeLessThan(WEIGHT_TOLERANCE);
  }
}

/** `trimtab verify` on what the service serves; and on the same with one wei moved. */
async function expectVerifiable(
  { api }: World,
  { quote }: PlacedOrder,
  home: string,
): Promise<void> {
  const text = async (part: string) => {
    const response = await fetch(`${api.url}/v1/quotes/${quote.quoteId}/${part}`);
    expect(response.status).toBe(200);
    return response.text();
  };
  const [problem, result] = [join(home, 'problem.json'), join(home, 'result.json')];
  await writeFile(problem, await text('problem'));
  const served = await text('result');
  await writeFile(result, served);
  expect(await verify(problem, result)).toBe(0);
  const changed = JSON.parse(served) as { legs: { out: { amount: string } }[] };
  const [leg] = changed.legs;
  if (leg !== undefined) leg.out.amount = (BigInt(leg.out.amount) + 1n).toString();
  await writeFile(result, JSON.stringify(changed));
  expect(await verify(problem, result)).toBe(1);
}

async function verify(problem: string, result: string): Promise<number> {
  const bin = join(projectRoot, 'api/cli/bin.mjs');
  try {
    await promisify(execFile)(process.execPath, [bin, 'verify', problem, result]);
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
}
