// stable.ts against Balancer's published ComposableStablePool: onSwap asked directly with random
// balances, by the vault's address, for exact inputs and exact outputs. The pool's own share token
// is among its registered tokens and takes no part.

import type { Address, Hex } from 'viem';
import { expect } from 'vitest';
import { type StableState, stableIn, stableOut } from '../../../solver/market/exact/stable.ts';
import { present } from '../../../solver/types/assert.ts';
import type { TestChain } from '../helpers/anvil.ts';
import {
  type Balancer,
  fakeTokens,
  onSwap,
  STABLE_POOL,
  swapRequest,
} from '../helpers/balancer.ts';
import type { Random } from '../helpers/random.ts';
import { randomAmount, randomBalances, type SwapCase, vaultConformance } from './vaultPools.ts';

const DECIMALS = [6, 8, 18] as const;
/** [tokens, amplification]: the contract takes 1 to 5000. */
const SHAPES: readonly (readonly [number, bigint])[] = [
  [2, 1n],
  [2, 50n],
  [2, 5000n],
  [2, 200n],
  [3, 2n],
  [3, 100n],
  [3, 1500n],
  [4, 1n],
  [4, 400n],
  [4, 5000n],
  [5, 1n],
  [5, 85n],
  [5, 5000n],
];
/** The share token's registered balance: anything, for the pool must leave it out. */
const SHARES = 2n ** 111n;

interface Deployed extends Omit<StableState, 'balances'> {
  readonly address: Address;
  readonly poolId: Hex;
  readonly tokens: readonly Address[];
  /** Where the pool's own share token stands among its registered tokens. */
  readonly shareIndex: number;
}
type Pool = Deployed & StableState;
type Case = SwapCase & { readonly pool: Pool };

export function stableConformance(cases: number): void {
  vaultConformance(cases, { kind: 'stable', deployAll, randomCases, toCall, ourAnswer });
}

async function deployAll(
  chain: TestChain,
  balancer: Balancer,
  random: Random,
): Promise<readonly Deployed[]> {
  const pools: Deployed[] = [];
  for (const shape of SHAPES) pools.push(await deploy(chain, balancer, random, shape));
  return pools;
}

async function deploy(
  chain: TestChain,
  balancer: Balancer,
  random: Random,
  [count, amplification]: readonly [number, bigint],
): Promise<Deployed> {
  const kinds = Array.from({ length: count }, () => {
    const decimals = random.pick(DECIMALS);
    return random.chance(0.4) ? { decimals } : { decimals, rate: random.scale(17.5, 18.5) };
  });
  const fakes = await fakeTokens(chain, random, kinds);
  const address = await balancer.stablePool(fakes, amplification, random.scale(12, 17));
  const read = <T>(name: string) => chain.call<T>(address, STABLE_POOL.abi, name, []);
  const shareIndex = Number(await read<bigint>('getBptIndex'));
  const factors = await read<readonly bigint[]>('getScalingFactors');
  const scalingFactors = factors.filter((_, i) => i !== shareIndex);
  expect(scalingFactors).toEqual(
    fakes.map(({ decimals, rate }) => 10n ** BigInt(18 - decimals) * rate),
  );
  const [held, , precision] = await read<readonly [bigint, boolean, bigint]>(
    'getAmplificationParameter',
  );
  return {
    address,
    shareIndex,
    scalingFactors,
    tokens: fakes.map((fake) => fake.address),
    poolId: await read<Hex>('getPoolId'),
    amplification: held,
    amplificationPrecision: precision,
    swapFee: await read<bigint>('getSwapFeePercentage'),
  };
}

/** One random state: an exact input and an exact output between two of its tokens. */
function randomCases(random: Random, deployed: Deployed): readonly Case[] {
  const spread = random.pick([0.3, 2, 6]);
  const balances = randomBalances(random, { ...deployed, balances: [] }, spread);
  const pool: Pool = { ...deployed, balances };
  const indexIn = random.int(0, balances.length - 1);
  const indexOut = (indexIn + random.int(1, balances.length - 1)) % balances.length;
  const held = present(balances[indexIn], 'balance');
  const wanted = present(balances[indexOut], 'balance');
  // Exact inputs up to the worth of the other side and beyond; exact outputs up to the last unit.
  const [factorIn, factorOut] = [pool.scalingFactors[indexIn], pool.scalingFactors[indexOut]];
  const worth = (wanted * present(factorOut, 'factor')) / present(factorIn, 'factor');
  return [
    { pool, kind: 'givenIn', indexIn, indexOut, amount: randomAmount(random, held, worth) },
    {
      pool,
      kind: 'givenOut',
      indexIn,
      indexOut,
      amount: randomAmount(random, wanted, wanted - 2n),
    },
  ];
}

function toCall({ pool, kind, indexIn, indexOut, amount }: Case) {
  const pair = [
    present(pool.tokens[indexIn], 'token'),
    present(pool.tokens[indexOut], 'token'),
  ] as const;
  const registered = pool.balances.toSpliced(pool.shareIndex, 0, SHARES);
  const at = (index: number) => BigInt(index < pool.shareIndex ? index : index + 1);
  const request = swapRequest(kind, pool.poolId, pair, amount);
  return onSwap(pool.address, STABLE_POOL, [request, registered, at(indexIn), at(indexOut)]);
}

function ourAnswer({ pool, kind, indexIn, indexOut, amount }: Case) {
  const answer = kind === 'givenIn' ? stableOut : stableIn;
  return answer(pool, indexIn, indexOut, amount);
}
