// Whole swaps through Balancer's published vault: joined pools, real tokens, balances that move, exact
// inputs and exact outputs one after another; and the vault's 112-bit limit, which a pool asked alone
// does not know.

import { type Address, encodeAbiParameters, getAddress, type Hex, parseAbi } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labTokenCode } from '../../solver/lab/deploy/labToken.ts';
import { exactIn, exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedStable, ParsedWeighted } from '../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { type Artifact, startChain, type TestChain } from './helpers/anvil.ts';
import {
  answersAlways,
  type Balancer,
  deployBalancer,
  STABLE_POOL,
  type SwapKind,
  VAULT,
  WEIGHTED_POOL,
} from './helpers/balancer.ts';
import { type Random, seeded } from './helpers/random.ts';

const TOKEN: Artifact = {
  abi: parseAbi([
    'constructor(string, string, uint8, address)',
    'function mint(address, uint256)',
    'function approve(address, uint256)',
    'function balanceOf(address) view returns (uint256)',
  ]),
  bytecode: labTokenCode(),
};
const MAX_UINT256 = 2n ** 256n - 1n;
const MAX_UINT112 = 2n ** 112n - 1n;
const NO_RATE: Address = '0x0000000000000000000000000000000000000000';
const DECIMALS = [18, 6, 8] as const;
const ROUNDS = 24;

interface Token {
  readonly address: Address;
  readonly rateProvider: Address;
  readonly decimals: number;
}
type Pool = { readonly id: Hex; readonly registered: readonly Address[] };

describe("swaps through Balancer's vault", () => {
  let chain: TestChain;
  let balancer: Balancer;
  let tokens: readonly Token[];
  beforeAll(async () => {
    chain = await startChain();
    balancer = await deployBalancer(chain);
    const made: Token[] = [];
    for (const decimals of DECIMALS) {
      const address = getAddress(await chain.deploy(TOKEN, ['T', 'T', decimals, chain.sender]));
      await chain.send(address, TOKEN.abi, 'mint', [chain.sender, 2n ** 200n]);
      await chain.send(address, TOKEN.abi, 'approve', [balancer.vault, MAX_UINT256]);
      made.push({ address, decimals, rateProvider: NO_RATE });
    }
    tokens = made.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
  });
  afterAll(() => chain?.stop());

  it('property: a weighted pool pays and charges what was computed, swap after swap', async () => {
    const weights = [2n, 5n, 3n].map((tenth) => tenth * 10n ** 17n);
    const address = await balancer.weightedPool(addresses(), weights, 3n * 10n ** 15n);
    const pool = await join(
      address,
      WEIGHTED_POOL,
      tokens.map(({ decimals }) => units(decimals)),
    );
    const fields = { weights: weights.map(String), ...(await common(address, WEIGHTED_POOL)) };
    await swaps(pool, seeded('vault weighted'), (balances) =>
      venueOf({ kind: 'weighted', balances, ...fields }),
    );
  });

  it('property: a composable stable pool with a rate does so too', async () => {
    const rateProvider: Address = '0x00000000000000000000000000000000000a11ce';
    await answersAlways(chain, rateProvider, 1_123_456_789_012_345_678n);
    const rated = tokens.map((token, i) => (i === 1 ? { ...token, rateProvider } : token));
    const address = await balancer.stablePool(rated, 250n, 4n * 10n ** 14n);
    const pool = await join(
      address,
      STABLE_POOL,
      tokens.map(({ decimals }) => units(decimals)),
    );
    const share = pool.registered.indexOf(getAddress(address));
    const { swapFee, scalingFactors } = await common(address, STABLE_POOL);
    const [amplification, , precision] = await chain.call<readonly [bigint, boolean, bigint]>(
      address,
      STABLE_POOL.abi,
      'getAmplificationParameter',
      [],
    );
    await swaps(pool, seeded('vault stable'), (balances) =>
      venueOf({
        kind: 'stable',
        balances: balances.toSpliced(share, 1),
        amplification: String(amplification),
        amplificationPrecision: String(precision),
        scalingFactors: scalingFactors.toSpliced(share, 1),
        swapFee,
      }),
    );
  });

  it('error: what the vault cannot hold is refused as it reverts', async () => {
    const weights = [2n, 5n, 3n].map((tenth) => tenth * 10n ** 17n);
    const address = await balancer.weightedPool(addresses(), weights, 10n ** 12n);
    const room = 10n ** 32n;
    const pool = await join(
      address,
      WEIGHTED_POOL,
      tokens.map(() => MAX_UINT112 - room),
    );
    const fields = { weights: weights.map(String), ...(await common(address, WEIGHTED_POOL)) };
    const venue = venueOf({ kind: 'weighted', balances: await balancesOf(pool), ...fields });
    expect(exactOut(venue, 0, 1, room + 1n)).toMatchObject({ refused: 'amountTooLarge' });
    await expect(swap(pool, 'givenIn', 0, 1, room + 1n)).rejects.toThrow('BAL#526');
    const fits = exactOut(venue, 0, 1, room);
    expect(await swap(pool, 'givenIn', 0, 1, room)).toBe(fits);
  });

  const addresses = () => tokens.map(({ address }) => address);
  const units = (decimals: number) => 10n ** BigInt(decimals + 6);

  /** Swaps back and forth; every answer of ours must be the vault's, refusals its reverts. */
  async function swaps(
    pool: Pool,
    random: Random,
    read: (balances: readonly string[]) => ParsedWeighted | ParsedStable,
  ): Promise<void> {
    let traded = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const venue = read(await balancesOf(pool));
      const from = random.int(0, 2);
      const to = (from + random.int(1, 2)) % 3;
      const kind: SwapKind = random.chance(0.5) ? 'givenIn' : 'givenOut';
      const reference = venue.balances[kind === 'givenIn' ? from : to] ?? 0n;
      const amount = (reference * 10n ** 6n) / random.scale(6, 14) + 1n;
      const ours = (kind === 'givenIn' ? exactOut : exactIn)(venue, from, to, amount);
      if (typeof ours === 'bigint') {
        expect(await swap(pool, kind, from, to, amount)).toBe(ours);
        traded++;
      } else if (ours.refused !== 'zeroOutput') {
        await expect(swap(pool, kind, from, to, amount)).rejects.toThrow('BAL#');
      }
    }
    expect(traded).toBeGreaterThan(ROUNDS / 3);
  }

  /** What the sender received or paid, by its token balances. */
  async function swap(
    pool: Pool,
    kind: SwapKind,
    from: number,
    to: number,
    amount: bigint,
  ): Promise<bigint> {
    const [assetIn, assetOut] = [tokens[from]?.address, tokens[to]?.address];
    const given = kind === 'givenIn';
    const counted = given ? assetOut : assetIn;
    if (counted === undefined) throw new Error(`no token ${from} or ${to}`);
    const held = () => chain.call<bigint>(counted, TOKEN.abi, 'balanceOf', [chain.sender]);
    const before = await held();
    const sender = chain.sender;
    await chain.send(balancer.vault, VAULT.abi, 'swap', [
      { poolId: pool.id, kind: given ? 0 : 1, assetIn, assetOut, amount, userData: '0x' },
      { sender, fromInternalBalance: false, recipient: sender, toInternalBalance: false },
      given ? 0n : MAX_UINT256,
      MAX_UINT256,
    ]);
    const after = await held();
    return given ? after - before : before - after;
  }

  /** Initialises the pool: one amount per token that is not its own share. */
  async function join(
    address: Address,
    { abi }: Artifact,
    amounts: readonly bigint[],
  ): Promise<Pool> {
    const id = await chain.call<Hex>(address, abi, 'getPoolId', []);
    const [registered] = await poolTokens(id);
    const amountOf = new Map(tokens.map((token, i) => [token.address, amounts[i] ?? 0n]));
    const amountsIn = registered.map((token) => amountOf.get(token) ?? 0n);
    const limits = registered.map(() => MAX_UINT256);
    const initialise = [{ type: 'uint256' }, { type: 'uint256[]' }] as const;
    const userData = encodeAbiParameters(initialise, [0n, amountsIn]);
    await chain.send(balancer.vault, VAULT.abi, 'joinPool', [
      id,
      chain.sender,
      chain.sender,
      { assets: registered, maxAmountsIn: limits, userData, fromInternalBalance: false },
    ]);
    return { id, registered };
  }

  const poolTokens = (id: Hex) =>
    chain.call<readonly [readonly Address[], readonly bigint[]]>(
      balancer.vault,
      VAULT.abi,
      'getPoolTokens',
      [id],
    );

  const balancesOf = async ({ id }: Pool) => (await poolTokens(id))[1].map(String);

  async function common(address: Address, { abi }: Artifact) {
    const factors = await chain.call<readonly bigint[]>(address, abi, 'getScalingFactors', []);
    const fee = await chain.call<bigint>(address, abi, 'getSwapFeePercentage', []);
    return { swapFee: String(fee), scalingFactors: factors.map(String) };
  }
});

/** The pool through the problem format's own door. */
function venueOf(fields: Record<string, unknown>): ParsedWeighted | ParsedStable {
  const nodes = DECIMALS.map((_, i) => ({
    id: `n${i}`,
    asset: 'T',
    chain: 1,
    decimals: 18,
    price: '1',
  }));
  const venue = { id: 'pool', nodes: nodes.map(({ id }) => id), fixedCost: '0', ...fields };
  const objective = { kind: 'swap', sell: { node: 'n0', amount: '1' }, buy: 'n1' };
  const [parsed] = parseProblem({ version: 1, nodes, venues: [venue], objective }).venues;
  if (parsed?.kind !== 'weighted' && parsed?.kind !== 'stable') throw new Error('one pool');
  return parsed;
}
