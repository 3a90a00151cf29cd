// Balancer v2 from its published bytecode: vault, authorizer, fee provider and the two pool factories,
// and pools over tokens whose code only answers their decimals.

import { readFileSync } from 'node:fs';
import {
  type Address,
  encodeFunctionData,
  getAddress,
  type Hex,
  numberToHex,
  zeroAddress,
} from 'viem';
import type { Artifact, TestChain } from './anvil.ts';
import type { Answer, Call } from './manyCalls.ts';
import type { Random } from './random.ts';

export function balancerArtifact(task: string, name: string): Artifact {
  const path = `node_modules/@balancer-labs/v2-deployments/dist/tasks/${task}/artifact/${name}.json`;
  return JSON.parse(readFileSync(path, 'utf8'));
}
/** The oldest deployments keep ABI and code apart. */
function oldArtifact(task: string, name: string): Artifact {
  const read = (folder: string) =>
    JSON.parse(
      readFileSync(
        `node_modules/@balancer-labs/v2-deployments/dist/tasks/${task}/${folder}/${name}.json`,
        'utf8',
      ),
    );
  return { abi: read('abi'), bytecode: `0x${read('bytecode').creationCode.replace(/^0x/, '')}` };
}
export const VAULT = balancerArtifact('20210418-vault', 'Vault');
const AUTHORIZER = balancerArtifact('20210418-authorizer', 'Authorizer');
const FEES = balancerArtifact(
  '20220725-protocol-fee-percentages-provider',
  'ProtocolFeePercentagesProvider',
);
const WEIGHTED_TASK = '20230206-weighted-pool-v3';
const OLD_WEIGHTED_TASK = '20210418-weighted-pool';
const STABLE_TASK = '20230206-composable-stable-pool-v3';
const WEIGHTED_FACTORY = balancerArtifact(WEIGHTED_TASK, 'WeightedPoolFactory');
const OLD_WEIGHTED_FACTORY = oldArtifact(OLD_WEIGHTED_TASK, 'WeightedPoolFactory');
const STABLE_FACTORY = balancerArtifact(STABLE_TASK, 'ComposableStablePoolFactory');
export const WEIGHTED_POOL = balancerArtifact(WEIGHTED_TASK, 'WeightedPool');
export const STABLE_POOL = balancerArtifact(STABLE_TASK, 'ComposableStablePool');
const RATES_KEPT_SECONDS = 10n ** 9n;

/** A token known by its decimals alone, and its rate × 10^18. */
export interface FakeToken {
  readonly address: Address;
  readonly decimals: number;
  readonly rate: bigint;
  readonly rateProvider: Address;
}

export interface Balancer {
  readonly vault: Address;
  weightedPool(
    tokens: readonly Address[],
    weights: readonly bigint[],
    swapFee: bigint,
    mathVersion?: 1 | 2,
  ): Promise<Address>;
  stablePool(
    tokens: readonly { readonly address: Address; readonly rateProvider: Address }[],
    amplification: bigint,
    swapFee: bigint,
  ): Promise<Address>;
}

export async function deployBalancer(chain: TestChain): Promise<Balancer> {
  const authorizer = await chain.deploy(AUTHORIZER, [chain.sender]);
  const vault = await chain.deploy(VAULT, [authorizer, authorizer, 0n, 0n]);
  const fees = await chain.deploy(FEES, [vault, 10n ** 18n, 10n ** 18n]);
  const weighted = await chain.deploy(WEIGHTED_FACTORY, [vault, fees, '', '']);
  const oldWeighted = await chain.deploy(OLD_WEIGHTED_FACTORY, [vault]);
  const stable = await chain.deploy(STABLE_FACTORY, [vault, fees, '', '']);
  return {
    vault,
    weightedPool: (tokens, weights, swapFee, mathVersion = 2) => {
      if (mathVersion === 1) {
        const args = ['W', 'W', tokens, weights, swapFee, chain.sender];
        return chain.create(oldWeighted, OLD_WEIGHTED_FACTORY.abi, 'create', args);
      }
      const rateProviders = tokens.map(() => zeroAddress);
      const args = ['W', 'W', tokens, weights, rateProviders, swapFee, chain.sender];
      return chain.create(weighted, WEIGHTED_FACTORY.abi, 'create', args);
    },
    stablePool: (tokens, amplification, swapFee) => {
      const args = [
        'S',
        'S',
        tokens.map(({ address }) => address),
        amplification,
        tokens.map(({ rateProvider }) => rateProvider),
        tokens.map(() => RATES_KEPT_SECONDS),
        tokens.map(() => false),
        swapFee,
        chain.sender,
      ];
      return chain.create(stable, STABLE_FACTORY.abi, 'create', args);
    },
  };
}

/** Tokens in ascending order of address, as the vault wants them. */
export async function fakeTokens(
  chain: TestChain,
  random: Random,
  kinds: readonly { readonly decimals: number; readonly rate?: bigint }[],
): Promise<readonly FakeToken[]> {
  const addresses = kinds
    .map(() => 1n + random.big(2n ** 160n - 2n))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((value) => getAddress(numberToHex(value, { size: 20 })));
  return Promise.all(
    kinds.map(async ({ decimals, rate }, i) => {
      const address = addresses[i] ?? zeroAddress;
      await answersAlways(chain, address, BigInt(decimals));
      const one = 10n ** 18n;
      if (rate === undefined) return { address, decimals, rate: one, rateProvider: zeroAddress };
      const provider = getAddress(numberToHex(BigInt(address) ^ 1n, { size: 20 }));
      await answersAlways(chain, provider, rate);
      return { address, decimals, rate, rateProvider: provider };
    }),
  );
}

/** Code that returns one word whatever it is asked: PUSH32 value, MSTORE at 0, RETURN 32 bytes. */
export async function answersAlways(
  chain: TestChain,
  address: Address,
  value: bigint,
): Promise<void> {
  const word = numberToHex(value, { size: 32 }).slice(2);
  await chain.rpc('anvil_setCode', [address, `0x7f${word}60005260206000f3`]);
}

export type SwapKind = 'givenIn' | 'givenOut';

/** The vault's request to a pool, without a pool's own trailing arguments. */
export function swapRequest(
  kind: SwapKind,
  poolId: Hex,
  [tokenIn, tokenOut]: readonly [Address, Address],
  amount: bigint,
) {
  return {
    kind: kind === 'givenIn' ? 0 : 1,
    tokenIn,
    tokenOut,
    amount,
    poolId,
    lastChangeBlock: 0n,
    from: zeroAddress,
    to: zeroAddress,
    userData: '0x' as Hex,
  };
}

export function onSwap(to: Address, { abi }: Artifact, args: readonly unknown[]): Call {
  return { to, data: encodeFunctionData({ abi, functionName: 'onSwap', args }) };
}

/** The amount a pool answered, or the number of its "BAL#nnn" (null: another revert). */
export function readAnswer({ success, returnData }: Answer): bigint | { reverted: number | null } {
  if (success) return BigInt(returnData);
  const text = Buffer.from(returnData.slice(2), 'hex').toString('latin1');
  const match = /BAL#(\d{3})/.exec(text);
  return { reverted: match === null ? null : Number(match[1]) };
}
