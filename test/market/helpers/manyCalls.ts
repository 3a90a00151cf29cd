// Thousands of contract calls in a few round trips: Multicall3's published code, run by eth_call. It
// may stand in for another account for the length of a call (`as`), so that the callee sees that
// account as its caller, and any account's storage may be replaced for one batch.

import {
  type Address,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  multicall3Abi,
} from 'viem';
import { multicall3Code } from '../../../solver/lab/deploy/artifacts.ts';
import type { TestChain } from './anvil.ts';

export interface Call {
  readonly to: Address;
  readonly data: Hex;
}

export interface Answer {
  readonly success: boolean;
  readonly returnData: Hex;
}

/** Storage slots to pretend for one batch, by account. */
export type Pretended = Readonly<Record<Address, { readonly stateDiff: Record<Hex, Hex> }>>;

export interface Batcher {
  /** One eth_call; an answer per call, reverts included. */
  run(calls: readonly Call[], pretended?: Pretended): Promise<readonly Answer[]>;
  /** Any number of calls, in batches. */
  runAll(calls: readonly Call[]): Promise<readonly Answer[]>;
}

const BATCH = 200;

/** `as`: the account whose code is replaced by Multicall3 during the calls. */
export async function batcher(chain: TestChain, as?: Address): Promise<Batcher> {
  const deployed = await chain.deploy({ abi: [], bytecode: await multicall3Code() }, []);
  const code = await chain.rpc('eth_getCode', [deployed, 'latest']);
  const to = as ?? deployed;
  const run: Batcher['run'] = async (calls, pretended = {}) => {
    const request = {
      abi: multicall3Abi,
      functionName: 'aggregate3',
      args: [calls.map(({ to: target, data }) => ({ target, callData: data, allowFailure: true }))],
    } as const;
    const data = (await chain.rpc('eth_call', [
      { to, data: encodeFunctionData(request) },
      'latest',
      { ...pretended, [to]: { code } },
    ])) as Hex;
    return decodeFunctionResult({ ...request, data }) as readonly Answer[];
  };
  return {
    run,
    // One after the other: the node takes requests of two megabytes, and viem would join them.
    runAll: async (calls) => {
      const answers: Answer[] = [];
      for (let start = 0; start < calls.length; start += BATCH) {
        answers.push(...(await run(calls.slice(start, start + BATCH))));
      }
      return answers;
    },
  };
}

/** Runs `check` over all items, `size` at a time, so that memory stays small. */
export async function inBatches<T>(
  items: readonly T[],
  size: number,
  check: (batch: readonly T[]) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += size) {
    await check(items.slice(start, start + size));
  }
}
