// What the chains say, for gauges: whether they answer, how old their newest block is, and what the
// accounts that send have left for gas. Asked when somebody looks, at most once per CACHE_MS; a chain
// that hangs costs a look no more than ANSWER_MS.

import type { ChainId } from './types/ids.ts';
import type { Meter } from './types/meter.ts';
import type { Chain, Clock, Signer } from './types/ports.ts';

const CACHE_MS = 5_000;
const ANSWER_MS = 2_000;

interface Look {
  readonly chain: string;
  readonly head: number;
  readonly lagSeconds: number;
  /** Account name → whole coins. */
  readonly gas: Readonly<Record<string, number>>;
}

export interface ChainGaugesOptions {
  readonly chains: ReadonlyMap<ChainId, Chain>;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly accounts: Readonly<Record<'filler' | 'guardian', Pick<Signer, 'address'>>>;
}

export function registerChainGauges({ chains, clock, meter, accounts }: ChainGaugesOptions): void {
  let cached: { readonly untilMs: number; readonly looks: Promise<readonly Look[]> } | null = null;
  const look = () => {
    if (cached === null || clock.nowMs() >= cached.untilMs) {
      const looks = Promise.all([...chains.values()].map((chain) => within(clock, lookAt(chain))));
      const answered = looks.then((all) => all.filter((one) => one !== null));
      cached = { untilMs: clock.nowMs() + CACHE_MS, looks: answered };
    }
    return cached.looks;
  };
  const lookAt = async (chain: Chain): Promise<Look> => {
    const head = await chain.block('latest');
    const [filler, guardian] = await Promise.all([
      chain.balance(accounts.filler.address, head),
      chain.balance(accounts.guardian.address, head),
    ]);
    return {
      chain: String(chain.chainId),
      head: Number(head.number),
      lagSeconds: Math.max(0, clock.nowMs() / 1000 - head.timestamp),
      gas: { filler: coins(filler), guardian: coins(guardian) },
    };
  };

  meter.gauge('trimtab_chain_up', async () => {
    const up = new Set((await look()).map(({ chain }) => chain));
    return [...chains.keys()].map((id) => ({
      labels: { chain: String(id) },
      value: up.has(String(id)) ? 1 : 0,
    }));
  });
  meter.gauge('trimtab_chain_head', async () =>
    (await look()).map(({ chain, head }) => ({ labels: { chain }, value: head })),
  );
  meter.gauge('trimtab_chain_lag_seconds', async () =>
    (await look()).map(({ chain, lagSeconds }) => ({ labels: { chain }, value: lagSeconds })),
  );
  meter.gauge('trimtab_account_gas', async () =>
    (await look()).flatMap(({ chain, gas }) =>
      Object.entries(gas).map(([account, value]) => ({ labels: { chain, account }, value })),
    ),
  );
}

/** A float for a gauge: no amount is computed with it. */
const coins = (wei: bigint): number => Number(wei) / 1e18;

/** Null when it failed, or did not answer in time. */
async function within<T>(clock: Clock, work: Promise<T>): Promise<T | null> {
  const timer = new AbortController();
  const late = clock.sleep(ANSWER_MS, timer.signal).then(
    () => null,
    () => null,
  );
  try {
    return await Promise.race([work.catch(() => null), late]);
  } finally {
    timer.abort();
  }
}
