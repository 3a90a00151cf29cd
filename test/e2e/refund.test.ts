// The filler dies after its first fill. The guard, with an account that only pays gas, proves to every
// origin that an output was not filled, and the owner gets the whole escrow back.

import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { followOrder } from '../../api/cli/sampleWallet.ts';
import { balancesOf, escrowed, give, placeOrder, withWorld } from './harness.ts';
import { killWorker, startWorker } from './worker.ts';

test('a filler that dies after the first fill: tombstone, proof, full refund everywhere', async () => {
  const solver = {
    jobs: ['guard'] as const,
    quotePolicy: { quoteTtlSeconds: 10, openWindowSeconds: 15, fillWindowSeconds: 20 },
  };
  await withWorld({ solver }, async (world) => {
    const { network, accounts } = world.lab;
    const account = privateKeyToAccount(accounts.spare2.privateKey);
    await give(world, 31339, 'ETH', '8', account.address);
    await give(world, 31340, 'USDC', '20000', account.address);
    const filler = await startWorker(world, { jobs: ['serve', 'auction', 'bid'] });
    try {
      const before = await balancesOf(network, account.address);
      const { orderId, order, quote } = await placeOrder(world, account, [
        { asset: 'USDC', weightBps: 3000, chain: 31339 },
        { asset: 'ETH', weightBps: 2000, chain: 31339 },
        { asset: 'BTC', weightBps: 5000, chain: 31338 },
      ]);
      expect(order.origins.length).toBe(2);
      expect(new Set(order.outputs.map(({ chainId }) => chainId)).size).toBe(2);

      const types: string[] = [];
      const purposes: string[] = [];
      for await (const event of followOrder(world.api.url, orderId, AbortSignal.timeout(200_000))) {
        types.push(event.type);
        const purpose = String(event.data.purpose ?? '');
        if (event.type === 'tx.sent') purposes.push(purpose);
        if (event.type === 'tx.sent' && purpose.startsWith('fill:')) filler.kill('SIGKILL');
      }
      expect(types.at(-1)).toBe('order.refunded');
      expect(purposes.filter((purpose) => purpose.startsWith('fill:')).length).toBe(1);
      for (const step of ['guard:tombstone:', 'guard:lost:', 'guard:refund:']) {
        expect(
          purposes.some((purpose) => purpose.startsWith(step)),
          purposes.join(),
        ).toBe(true);
      }

      // Every input is back on every origin; what was delivered stays delivered.
      const after = await balancesOf(network, account.address);
      for (const { chainId, symbol } of quote.preview.inputs) {
        const key = `${chainId}:${symbol}`;
        expect(after.get(key), key).toBeGreaterThanOrEqual(before.get(key) ?? 0n);
      }
      for (const [key, amount] of before) expect(after.get(key)).toBeGreaterThanOrEqual(amount);
      expect(await escrowed(network)).toBe(0n);
    } finally {
      await killWorker(filler);
    }
  });
});
