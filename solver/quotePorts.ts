// What quoting asks of the engine's pool and of the desk, wired: the workers search, this thread
// re-executes and certifies; reservations are looked up once for quotes that come at the same time; a
// quote the free inventory covers is funded without asking how it would be bought.

import type { Turn } from './adapters/turns.ts';
import type { EnginePool } from './engine/pool.ts';
import type { Desk } from './filling/desk.ts';
import { nodeIdOf } from './market/snapshot.ts';
import type { MarketSource } from './market/source.ts';
import type { QuoterDeps } from './quoting/quoter.ts';
import { judge } from './quoting/solve.ts';
import { present } from './types/assert.ts';
import { type ChainId, fromBytes32Address } from './types/ids.ts';
import type { NetworkConfig } from './types/network.ts';
import type { Clock } from './types/ports.ts';
import type { Store } from './types/store.ts';

/** `turn`: when this thread may judge an answer. */
export function solveOn(pool: EnginePool, turn: Turn): QuoterDeps['solve'] {
  return async (_, read) => {
    const problem = read();
    const solution = await pool.solve(problem);
    await turn();
    return judge(problem, solution, pool.hash);
  };
}

/** How old the reservations behind a quote may be. A quote reserves nothing; a bid looks again. */
const RESERVED_FRESH_MS = 100;

/** `read`, at most RESERVED_FRESH_MS old, and anew once an order's events say that it may have changed. */
export function reservedLately(
  read: QuoterDeps['reserved'],
  store: Pick<Store, 'onEvents'>,
  clock: Clock,
): QuoterDeps['reserved'] {
  type Reserved = ReturnType<QuoterDeps['reserved']>;
  let known: { readonly askedMs: number; readonly answer: Reserved } | null = null;
  store.onEvents(() => {
    known = null;
  });
  return () => {
    if (known !== null && clock.nowMs() - known.askedMs < RESERVED_FRESH_MS) return known.answer;
    const entry = { askedMs: clock.nowMs(), answer: read() };
    known = entry;
    entry.answer.catch(() => {
      if (known === entry) known = null;
    });
    return entry.answer;
  };
}

/** Whether the desk can deliver an order's quoted amounts now. */
export function fundingOf(
  desk: Pick<Desk, 'canFund'>,
  source: Pick<MarketSource, 'chain'>,
  network: NetworkConfig,
  reserved: QuoterDeps['reserved'],
): QuoterDeps['canFund'] {
  return async ({ order, amounts }) => {
    const outputs = order.outputs.map((output, i) => ({
      chainId: Number(output.chainId) as ChainId,
      token: fromBytes32Address(output.token),
      amount: present(amounts[i], 'an amount per output'),
    }));
    const held = await reserved();
    if (held === null) return desk.canFund(outputs);
    const free = new Map<string, bigint>();
    for (const { chainId, token, amount } of outputs) {
      const config = network.chains.find((chain) => chain.chainId === chainId);
      const listed = config?.tokens.find(({ address }) => address === token);
      if (listed === undefined) return desk.canFund(outputs);
      const node = nodeIdOf(chainId, listed.symbol);
      const { inventory } = await source.chain(chainId);
      const left = free.get(node) ?? (inventory.get(token) ?? 0n) - (held.get(node) ?? 0n);
      if (left < amount) return desk.canFund(outputs);
      free.set(node, left - amount);
    }
    return null;
  };
}
