// The MarketSource of quoting over real chains. Owns the cache: one ChainMarket per head block and
// chain, read once however many requests ask, one look at the head for requests at the same time, and the
// time limit after which a chain counts as down. A head far behind the wall clock counts as down too: its pools are no market any more.

import type { ChainMarket, MarketSource } from '../market/source.ts';
import { Fault } from '../types/errors.ts';
import type { ChainId, EvmAddress, Hash32 } from '../types/ids.ts';
import type { ChainConfig, NetworkConfig } from '../types/network.ts';
import type { BlockRef, Chain, Clock } from '../types/ports.ts';
import { readBalances } from './balanceReader.ts';
import { readFeeds } from './feedReader.ts';
import { readMessageFees } from './messageFeeReader.ts';
import { createOwnerReader, type OwnerReader } from './ownerReader.ts';
import { readPools } from './poolReader.ts';

export interface MarketSourceOptions {
  readonly network: NetworkConfig;
  readonly chains: ReadonlyMap<ChainId, Chain>;
  /** Whose inventory is posted. */
  readonly filler: EvmAddress;
  readonly clock: Clock;
  /** Milliseconds after which a chain counts as down. Default 6,000. */
  readonly timeoutMs?: number;
  /** Called once per block with pools that had to be left out. */
  readonly onSkipped?: (chainId: ChainId, skipped: ReadonlyMap<string, string>) => void;
}

/** A head this many block times (and at least STALL_SECONDS_MIN) old means that the chain stalled. */
const STALL_BLOCKS = 30;
const STALL_SECONDS_MIN = 60;
/** How long a head counts as the head. Far below any chain's time between blocks. */
const HEAD_FRESH_MS = 50;

export function createMarketSource(options: MarketSourceOptions): MarketSource {
  const { network, clock, timeoutMs = 6_000 } = options;
  const cache = new Map<ChainId, { hash: Hash32; market: Promise<ChainMarket> }>();
  const heads = new Map<ChainId, { readonly askedMs: number; readonly head: Promise<BlockRef> }>();
  const owners = new Map<ChainId, OwnerReader>();
  const configs = new Map(network.chains.map((chain) => [chain.chainId, chain]));

  const find = (chainId: ChainId): { chain: Chain; config: ChainConfig } => {
    const chain = options.chains.get(chainId);
    const config = configs.get(chainId);
    if (chain === undefined || config === undefined) {
      throw new Fault(`chain ${chainId} is not configured`, {
        code: 'unknownChain',
        retryable: false,
      });
    }
    return { chain, config };
  };

  /** Requests that come at the same time look at the head once. */
  const headOf = (chain: Chain): Promise<BlockRef> => {
    const known = heads.get(chain.chainId);
    if (known !== undefined && clock.nowMs() - known.askedMs < HEAD_FRESH_MS) return known.head;
    const entry = { askedMs: clock.nowMs(), head: chain.block('latest') };
    heads.set(chain.chainId, entry);
    entry.head.catch(() => {
      if (heads.get(chain.chainId) === entry) heads.delete(chain.chainId);
    });
    return entry.head;
  };

  const current = async (chainId: ChainId): Promise<ChainMarket> => {
    const { chain, config } = find(chainId);
    const head = await headOf(chain);
    refuseStalled(config, head, clock);
    const cached = cache.get(chainId);
    if (cached?.hash === head.hash) return cached.market;
    const market = readMarket(chain, config, head, options);
    const entry = { hash: head.hash, market };
    cache.set(chainId, entry);
    market.catch(() => {
      if (cache.get(chainId) === entry) cache.delete(chainId);
    });
    return market;
  };

  return {
    chain: (chainId) => within(clock, timeoutMs, chainId, current(chainId)),
    async owner(chainId, owner, at, spender) {
      const { chain, config } = find(chainId);
      const of = spender ?? config.contracts.portfolioSettler;
      let read = owners.get(chainId);
      if (read === undefined) {
        read = createOwnerReader(
          chain,
          config.tokens.map(({ address }) => address),
        );
        owners.set(chainId, read);
      }
      return within(clock, timeoutMs, chainId, read(owner, of, at));
    },
  };
}

async function readMarket(
  chain: Chain,
  config: ChainConfig,
  block: BlockRef,
  { network, filler, onSkipped }: MarketSourceOptions,
): Promise<ChainMarket> {
  const others = network.chains.filter(({ chainId }) => chainId !== config.chainId);
  const tokens = config.tokens.map(({ address }) => address);
  const [read, feeds, inventory, fees, messageFees] = await Promise.all([
    readPools(chain, config, block),
    readFeeds(chain, config.tokens, block),
    readBalances(chain, tokens, filler, block),
    chain.fees(),
    readMessageFees(chain, config, others, block),
  ]);
  if (read.skipped.size > 0) onSkipped?.(config.chainId, read.skipped);
  // fees() caps at twice the base fee plus the tip; half of (cap + tip) is what is paid now. A
  // quarter more covers the base fee rising by 12.5 % in two blocks running.
  const now = (fees.maxFeePerGas + fees.maxPriorityFeePerGas) / 2n;
  const gasPrice = (now * 5n) / 4n + 1n;
  const { chainId } = config;
  return { chainId, block, pools: read.pools, feeds, inventory, gasPrice, messageFees };
}

function refuseStalled(config: ChainConfig, head: BlockRef, clock: Clock): void {
  const limit = Math.max(STALL_SECONDS_MIN, STALL_BLOCKS * config.blockSeconds);
  const age = clock.now() - head.timestamp;
  if (age > limit) {
    throw new Fault(`chain ${config.chainId}: its last block is ${age} s old`, {
      code: 'chainStalled',
    });
  }
}

/** The answer, or a Fault after `ms`; the read itself goes on and may fill the cache. */
async function within<T>(clock: Clock, ms: number, chainId: ChainId, work: Promise<T>): Promise<T> {
  const abort = new AbortController();
  const timeout = clock.sleep(ms, abort.signal).then(() => {
    throw new Fault(`chain ${chainId} did not answer within ${ms} ms`, { code: 'chainTimeout' });
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    abort.abort();
    timeout.catch(() => {});
    work.catch(() => {});
  }
}
