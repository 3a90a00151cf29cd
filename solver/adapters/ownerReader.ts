// Owners' balances and allowances on one chain at named blocks. A block never changes, so an answer is
// kept; owners asked for while a read is on its way are read together in the next one.

import type { OwnerState } from '../market/source.ts';
import { present } from '../types/assert.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { BlockRef, Chain } from '../types/ports.ts';
import { allowanceCalls, amountsByToken, balanceCalls } from './balanceReader.ts';

/** Owners in one round trip, answers kept. */
const OWNERS_PER_READ = 32;
const KEPT_MAX = 4_096;

interface Asked {
  readonly owner: EvmAddress;
  /** Whose allowances are asked for. */
  readonly spender: EvmAddress;
  readonly at: BlockRef;
  done(state: OwnerState): void;
  failed(error: unknown): void;
}

export type OwnerReader = (
  owner: EvmAddress,
  spender: EvmAddress,
  at: BlockRef,
) => Promise<OwnerState>;

/** Throws Fault as the chain does; what failed is not kept. */
export function createOwnerReader(chain: Chain, tokens: readonly EvmAddress[]): OwnerReader {
  const kept = new Map<string, Promise<OwnerState>>();
  const waiting: Asked[] = [];
  let reading = false;

  const next = async (): Promise<void> => {
    const [first] = waiting;
    if (reading || first === undefined) return;
    const batch: Asked[] = [];
    for (let i = 0; i < waiting.length && batch.length < OWNERS_PER_READ; ) {
      const same = waiting[i]?.at.hash === first.at.hash;
      if (same) batch.push(...waiting.splice(i, 1));
      else i++;
    }
    reading = true;
    try {
      const calls = batch.flatMap(({ owner, spender }) => [
        ...balanceCalls(tokens, owner),
        ...allowanceCalls(tokens, owner, spender),
      ]);
      const results = await chain.read(calls, first.at);
      const amounts = (from: number) =>
        amountsByToken(tokens, results.slice(from, from + tokens.length));
      batch.forEach(({ done }, i) => {
        const from = 2 * i * tokens.length;
        done({ balances: amounts(from), allowances: amounts(from + tokens.length) });
      });
    } catch (error) {
      for (const { failed } of batch) failed(error);
    } finally {
      reading = false;
      void next();
    }
  };

  return (owner, spender, at) => {
    const key = `${at.hash}:${owner}:${spender}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const answer = new Promise<OwnerState>((done, failed) => {
      waiting.push({ owner, spender, at, done, failed });
    });
    kept.set(key, answer);
    answer.catch(() => kept.delete(key));
    if (kept.size > KEPT_MAX) kept.delete(present(kept.keys().next().value, 'the oldest'));
    void next();
    return answer;
  };
}
