// A standing policy on the local chains, whole: armed through the API, it waits and says why; prices are
// moved by real trades on the pools and by the feeds; the keeper proposes, the wallet signs, and the
// portfolio is rebalanced over three chains.

import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { request } from '../../api/cli/http.ts';
import { revokePolicyDigest } from '../../contracts-abi/policyTypedData.ts';
import type { PortfolioView } from '../../solver/types/policyService.ts';
import { balancesOf, escrowed, give, withWorld } from './harness.ts';
import {
  arm,
  logOf,
  policyUrl,
  proposalOf,
  readPolicy,
  settled,
  signProposal,
  waitFor,
} from './policyWallet.ts';

/** 50/30/20; three chains; the breaker is wide, because the test moves a price by a third at once. */
const document = {
  targets: { BTC: '0.5', ETH: '0.3', CASH: '0.2' },
  universe: { CASH: 'USDC' },
  breakers: { maxMovePerHour: '0.9' },
  costs: { maxBps: 100 },
  cooldown: '2s',
};

test('armed, waits, prices move, proposed, signed, settled on three chains', async () => {
  await withWorld({}, async (world) => {
    const { network, accounts, control } = world.lab;
    const account = privateKeyToAccount(accounts.spare1.privateKey);
    await give(world, 31338, 'BTC', '5', account.address);
    await give(world, 31339, 'ETH', '50', account.address);
    await give(world, 31339, 'USDC', '100000', account.address);
    await give(world, 31340, 'USDC', '92000', account.address);
    await give(world, 31340, 'ETH', '40', account.address);
    const drift = async () =>
      (await request(`${world.api.url}/v1/policies/drift`, {
        body: { document, owner: account.address },
      })) as unknown as PortfolioView;
    const start = await drift();
    expect(start.largestDrift, JSON.stringify(start)).toBeLessThan(0.02);

    const id = await arm(world, account, document);
    const waits = await waitFor(world, id, ({ type }) => type === 'policy.idle');
    const { decision } = waits.data as { decision: { kind: string; reasons: unknown[] } };
    expect(decision.kind).toBe('idle');
    expect(JSON.stringify(decision.reasons)).toMatch(/band/i);

    const eth = start.assets.find(({ asset }) => asset === 'ETH')?.priceUsd ?? 0;
    await control.movePrice('ETH', eth * 1.6);
    const moved = await drift();
    expect(moved.largestDrift).toBeGreaterThan(0.05);

    await waitFor(world, id, ({ type }) => type === 'policy.proposed');
    const proposal = await proposalOf(world, id);
    if (proposal === null) throw new Error('nothing is proposed');
    const before = await balancesOf(network, account.address);
    const { orderId, quote } = await signProposal(world, account, proposal);
    const chains = new Set(
      [...quote.preview.inputs, ...quote.preview.outputs].map(({ chainId }) => chainId),
    );
    expect(chains.size, JSON.stringify(quote.preview)).toBe(3);
    await settled(world, orderId);
    await waitFor(world, id, ({ type }) => type === 'policy.settled');
    for (const { chainId, symbol, minimumAmount } of quote.preview.outputs) {
      const key = `${chainId}:${symbol}`;
      const gained =
        ((await balancesOf(network, account.address)).get(key) ?? 0n) - (before.get(key) ?? 0n);
      expect(gained, key).toBeGreaterThanOrEqual(BigInt(minimumAmount ?? 0));
    }
    expect(await escrowed(network)).toBe(0n);

    // Nearer its targets, inside its bands, and it rests.
    await waitFor(world, id, ({ type, number }) => type === 'policy.idle' && number > waits.number);
    const after = await drift();
    expect(after.trackingError).toBeLessThan(moved.trackingError);
    const log = await logOf(world, id);
    expect(log.map(({ number }) => number)).toEqual(log.map((_, i) => i + 1));
    expect(log.filter(({ type }) => type === 'policy.proposed').length).toBe(1);
    const acted = log.find(({ type }) => type === 'policy.proposed');
    expect(JSON.stringify(acted?.data)).toMatch(/threshold/);

    const signature = await account.sign({ hash: revokePolicyDigest(id) });
    const ended = await request(policyUrl(world, id), { method: 'DELETE', body: { signature } });
    expect(ended.state).toBe('revoked');
    expect((await readPolicy(world, id)).state).toBe('revoked');
  });
});
