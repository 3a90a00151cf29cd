// weighted.ts against Balancer's published WeightedPool: onSwap asked directly with random balances,
// by the vault's address, for exact inputs and exact outputs.

import type { Address, Hex } from 'viem';
import { expect } from 'vitest';
import {
  type WeightedState,
  weightedIn,
  weightedOut,
} from '../../../solver/market/exact/weighted.ts';
import { present } from '../../../solver/types/assert.ts';
import type { TestChain } from '../helpers/anvil.ts';
import {
  type Balancer,
  fakeTokens,
  onSwap,
  swapRequest,
  WEIGHTED_POOL,
} from '../helpers/balancer.ts';
import type { Random } from '../helpers/random.ts';
import { randomAmount, randomBalances, type SwapCase, vaultConformance } from './vaultPools.ts';

const PERCENT = 10n ** 16n;
const ONE = 10n ** 18n;
/** Weights in percent; null: random ones. Powers 1, 2, 4 and 99 among them. */
const SHAPES: readonly (readonly bigint[] | number)[] = [
  [50n, 50n],
  [80n, 20n],
  [1n, 99n],
  [1n, 99n],
  [20n, 40n, 40n],
  [1n, 1n, 1n, 1n, 1n, 1n, 1n, 93n],
  2,
  2,
  3,
  4,
  5,
  6,
  7,
  8,
];
/** For the contracts of 2021. */
const OLD_SHAPES: typeof SHAPES = [[50n, 50n], [80n, 20n], [20n, 40n, 40n], 2, 4];
const DECIMALS = [6, 8, 18] as const;

interface Deployed extends Omit<WeightedState, 'balances'> {
  readonly address: Address;
  readonly poolId: Hex;
  readonly tokens: readonly Address[];
}
type Pool = Deployed & WeightedState;
type Case = SwapCase & { readonly pool: Pool };

export function weightedConformance(cases: number): void {
  vaultConformance(cases, { kind: 'weighted', deployAll, randomCases, toCall, ourAnswer });
}

async function deployAll(
  chain: TestChain,
  balancer: Balancer,
  random: Random,
): Promise<readonly Deployed[]> {
  const pools: Deployed[] = [];
  for (const shape of SHAPES) pools.push(await deploy(chain, balancer, random, shape, 2));
  for (const shape of OLD_SHAPES) pools.push(await deploy(chain, balancer, random, shape, 1));
  return pools;
}

async function deploy(
  chain: TestChain,
  balancer: Balancer,
  random: Random,
  shape: readonly bigint[] | number,
  mathVersion: 1 | 2,
): Promise<Deployed> {
  const weights =
    typeof shape === 'number' ? randomWeights(random, shape) : shape.map((w) => w * PERCENT);
  const fakes = await fakeTokens(
    chain,
    random,
    weights.map(() => ({ decimals: random.pick(DECIMALS) })),
  );
  const tokens = fakes.map(({ address }) => address);
  // The contract's own limits: 0.0001 % to 10 %.
  const swapFee = random.scale(12, 17);
  const address = await balancer.weightedPool(tokens, weights, swapFee, mathVersion);
  const read = <T>(name: string) => chain.call<T>(address, WEIGHTED_POOL.abi, name, []);
  expect(await read('getNormalizedWeights')).toEqual(weights);
  // The contracts of 2021 do not show their scaling factors.
  const scalingFactors = fakes.map(({ decimals }) => 10n ** BigInt(36 - decimals));
  if (mathVersion === 2) expect(await read('getScalingFactors')).toEqual(scalingFactors);
  return {
    address,
    tokens,
    poolId: await read<Hex>('getPoolId'),
    weights,
    mathVersion,
    swapFee: await read<bigint>('getSwapFeePercentage'),
    scalingFactors,
  };
}

function randomWeights(random: Random, count: number): readonly bigint[] {
  const free = ONE - BigInt(count) * PERCENT;
  const cuts = Array.from({ length: count - 1 }, () => random.big(free + 1n));
  const ends = [0n, ...cuts.sort((a, b) => (a < b ? -1 : 1)), free];
  return Array.from(
    { length: count },
    (_, i) => PERCENT + present(ends[i + 1], 'cut') - present(ends[i], 'cut'),
  );
}

/** One random state: an exact input and an exact output between two of its tokens. */
function randomCases(random: Random, deployed: Deployed): readonly Case[] {
  const balances = [...randomBalances(random, { ...deployed, balances: [] }, 4)];
  const indexIn = random.int(0, balances.length - 1);
  const indexOut = (indexIn + random.int(1, balances.length - 1)) % balances.length;
  const [held, wanted] = [
    present(balances[indexIn], 'balance'),
    present(balances[indexOut], 'balance'),
  ];
  const beforeFee = (amount: bigint) => (amount * ONE) / (ONE - deployed.swapFee);
  let amountIn = randomAmount(random, held, beforeFee((held * 3n) / 10n));
  let amountOut = randomAmount(random, wanted, (wanted * 3n) / 10n);
  if (random.chance(0.05) && held > 9n && wanted > 11n) {
    // Bases of exactly 0.9 and 1.1, where the contract's logarithm changes its precision.
    balances[indexIn] = held - (held % 9n);
    balances[indexOut] = wanted - (wanted % 11n);
    amountIn = beforeFee(held / 9n) + BigInt(random.int(0, 1));
    amountOut = wanted / 11n;
  }
  const pool: Pool = { ...deployed, balances };
  return [
    { pool, kind: 'givenIn', indexIn, indexOut, amount: amountIn },
    { pool, kind: 'givenOut', indexIn, indexOut, amount: amountOut },
  ];
}

function toCall({ pool, kind, indexIn, indexOut, amount }: Case) {
  const pair = [
    present(pool.tokens[indexIn], 'token'),
    present(pool.tokens[indexOut], 'token'),
  ] as const;
  const request = swapRequest(kind, pool.poolId, pair, amount);
  const args = [request, pool.balances[indexIn], pool.balances[indexOut]];
  return onSwap(pool.address, WEIGHTED_POOL, args);
}

function ourAnswer({ pool, kind, indexIn, indexOut, amount }: Case) {
  const answer = kind === 'givenIn' ? weightedOut : weightedIn;
  return answer(pool, indexIn, indexOut, amount);
}
