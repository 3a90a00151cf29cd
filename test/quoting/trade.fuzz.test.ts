// Random portfolios and targets over the small world: whatever is offered repays its filler, stays
// canonical and keeps within what the owner holds.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalFault, orderFromJson } from '../../contracts-abi/orderJson.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { parseProblemText } from '../../solver/market/problemFile.ts';
import { parseResultText } from '../../solver/market/resultFile.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { fromBytes32Address } from '../../solver/types/ids.ts';
import { balanced, CHAINS, makeWorld, network, OWNER, units } from './world.ts';

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const DOLLARS: Readonly<Record<string, number>> = { WETH: 3000, USDC: 1, WBTC: 60_000, DAI: 1 };
const SYMBOLS = Object.keys(DOLLARS);

const holding = fc.record({
  chain: fc.constantFrom(...CHAINS),
  symbol: fc.constantFrom(...SYMBOLS),
  dollars: fc.integer({ min: 1, max: 100_000 }),
});
const weights = fc
  .tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 }))
  .map(([a, b]) => [Math.min(a, b), Math.abs(a - b), 10_000 - Math.max(a, b)] as const);

const tokens = new Map(
  network.chains.flatMap(({ chainId, tokens: list }) =>
    list.map((token): [string, typeof token] => [`${chainId}:${token.address}`, token]),
  ),
);
function worthOf(chain: bigint, address: string, amount: bigint): number {
  const token = tokens.get(`${chain}:${address}`);
  if (token === undefined) throw new Error(`no token ${address} on ${chain}`);
  return (Number(amount) / 10 ** token.decimals) * (DOLLARS[token.symbol] ?? 0);
}

it(`property: every offer is sound (seed ${seed})`, async () => {
  let offers = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(holding, { minLength: 1, maxLength: 6 }),
      weights,
      async (held, split) => {
        const world = makeWorld(1_000_000);
        world.balances.clear();
        for (const { chain, symbol, dollars } of held) {
          world.balances.set(`${chain}:${symbol}`, units(symbol, dollars / (DOLLARS[symbol] ?? 1)));
        }
        const targets = ['WETH', 'USDC', 'WBTC'].map((asset, i) => ({
          asset,
          weightBps: split[i] ?? 0,
        }));
        const quote = await world.quoter.quote({ ...balanced, targets });
        if (isRefusal(quote)) return;
        offers++;
        const stored = world.stored[0];
        if (stored === undefined) throw new Error('nothing was stored');
        const problem = parseProblemText(stored.problem);
        expect(verify(problem, parseResultText(stored.result)).ok).toBe(true);
        const order = orderFromJson(stored.order);
        expect(canonicalFault(order)).toBeNull();
        let received = 0;
        for (const { chainId, inputs } of order.origins) {
          for (const { token, amount } of inputs) {
            const symbol = tokens.get(`${chainId}:${token}`)?.symbol ?? '';
            expect(amount).toBeLessThanOrEqual(world.balances.get(`${chainId}:${symbol}`) ?? 0n);
            received += worthOf(chainId, token, amount);
          }
        }
        let delivered = 0;
        order.outputs.forEach(({ chainId, token, recipient, amount }, i) => {
          expect(fromBytes32Address(recipient)).toBe(OWNER);
          const quoted = BigInt(stored.quotedAmounts[i] ?? '0');
          expect(amount).toBeLessThanOrEqual(quoted);
          delivered += worthOf(chainId, fromBytes32Address(token), quoted);
        });
        expect(received).toBeGreaterThan(delivered);
      },
    ),
    { seed, numRuns: 60 },
  );
  expect(offers).toBeGreaterThan(10);
});
