// What the weighted and the stable conformance share: random balances and amounts with their
// extremes, the run over all of them, and the comparison of our answer with the pool's.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TradeRefusal } from '../../../solver/market/exact/refusals.ts';
import type { VaultPool } from '../../../solver/market/exact/vaultPool.ts';
import { present } from '../../../solver/types/assert.ts';
import { startChain, type TestChain } from '../helpers/anvil.ts';
import { type Balancer, deployBalancer, readAnswer, type SwapKind } from '../helpers/balancer.ts';
import { batcher, type Call, inBatches } from '../helpers/manyCalls.ts';
import { type Random, seeded } from '../helpers/random.ts';

const MAX_UINT112 = 2n ** 112n - 1n;
/** MAX_IN_RATIO and MAX_OUT_RATIO of Balancer's errors. */
const RATIO_ERRORS: readonly (number | null)[] = [304, 305];

const smaller = (a: bigint, b: bigint) => (a < b ? a : b);

/** Raw balances: most of them of one worth within a factor, some anything, some near-empty. */
export function randomBalances(random: Random, pool: VaultPool, spread: number): readonly bigint[] {
  const worth = random.scale(18, 18 + 12);
  const style = random.unit();
  return pool.scalingFactors.map((factor) => {
    if (style < 0.08) return BigInt(random.int(1, 1000));
    // Small enough that large powers of a ratio still fit the vault.
    if (style < 0.16) return random.scale(0, 18);
    if (style < 0.25) return smaller(random.scale(0, 33.7), MAX_UINT112);
    const near = (worth * random.scale(6, 6 + spread)) / 10n ** 6n;
    const raw = (near * 10n ** 18n) / factor;
    return raw < 1n ? 1n : smaller(raw, MAX_UINT112);
  });
}

/** Amounts from one unit to beyond 2^112, many below `limit` or just at it. */
export function randomAmount(random: Random, balance: bigint, limit: bigint): bigint {
  const style = random.unit();
  let amount: bigint;
  if (style < 0.1) amount = BigInt(random.int(1, 20));
  else if (style < 0.45) amount = (balance * 10n ** 12n) / random.scale(12, 24);
  else if (style < 0.75) amount = (limit * BigInt(random.int(1, 10_000))) / 10_000n;
  else if (style < 0.87) amount = limit + BigInt(random.int(-3, 3));
  else if (style < 0.95) amount = balance + BigInt(random.int(-2, 2));
  else amount = random.scale(0, 40);
  return amount < 1n ? 1n : amount;
}

export interface SwapCase {
  readonly pool: VaultPool;
  readonly kind: SwapKind;
  readonly indexIn: number;
  readonly indexOut: number;
  readonly amount: bigint;
}

/**
 * Why our answer is not the pool's; null when it is. The vault's own limit of 112 bits is ours to
 * refuse: the pool, asked alone, does not know it.
 */
function difference(
  swap: SwapCase,
  ours: bigint | TradeRefusal,
  theirs: bigint | { readonly reverted: number | null },
): string | null {
  if (ours === theirs) return null;
  const refused = typeof ours === 'bigint' ? null : ours.refused;
  if (typeof theirs === 'bigint') {
    const amountIn = swap.kind === 'givenIn' ? swap.amount : theirs;
    const held = present(swap.pool.balances[swap.indexIn], 'balance');
    if (refused === 'amountTooLarge' && held + amountIn > MAX_UINT112) return null;
  } else if (refused !== null) {
    if (refused !== 'overCapacity' || RATIO_ERRORS.includes(theirs.reverted)) return null;
  }
  return toText({ swap, ours, theirs });
}

const toText = (value: unknown) =>
  JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item));

/** One kind of pool: how some are deployed, what is asked of them, and what we answer. */
interface Subject<Deployed, Case extends SwapCase> {
  readonly kind: 'weighted' | 'stable';
  deployAll(chain: TestChain, balancer: Balancer, random: Random): Promise<readonly Deployed[]>;
  /** One random state: an exact input and an exact output between two of its tokens. */
  randomCases(random: Random, pool: Deployed): readonly Case[];
  toCall(swap: Case): Call;
  ourAnswer(swap: Case): bigint | TradeRefusal;
}

/** Asks the published pools and us the same of `count` random states; every answer must be equal. */
export function vaultConformance<Deployed, Case extends SwapCase>(
  count: number,
  subject: Subject<Deployed, Case>,
): void {
  describe(`${subject.kind} against Balancer v2`, () => {
    let chain: TestChain;
    let balancer: Balancer;
    beforeAll(async () => {
      chain = await startChain();
      balancer = await deployBalancer(chain);
    });
    afterAll(() => chain?.stop());

    it(`property: ${count} random states, both ways, equal onSwap to the wei`, async () => {
      const random = seeded(`balancer ${subject.kind}`);
      const pools = await subject.deployAll(chain, balancer, random);
      const calls = await batcher(chain, balancer.vault);
      const all = Array.from({ length: count }, () =>
        subject.randomCases(random, random.pick(pools)),
      );
      const wrong: string[] = [];
      let traded = 0;
      await inBatches(all.flat(), 2000, async (batch) => {
        const answers = await calls.runAll(batch.map((swap) => subject.toCall(swap)));
        batch.forEach((swap, i) => {
          const theirs = readAnswer(present(answers[i], 'answer'));
          if (typeof theirs === 'bigint') traded++;
          const different = difference(swap, subject.ourAnswer(swap), theirs);
          if (different !== null) wrong.push(different);
        });
      });
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(traded).toBeGreaterThan(count);
    });
  });
}
