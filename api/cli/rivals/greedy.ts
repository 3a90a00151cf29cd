// The greedy rival: holds dollars, buys everything else in the fill's own transaction by the cheapest
// single path of one or two pools. It bids what that leaves of the inputs' worth, less a margin; it
// neither splits nor nets nor sells what it receives, which is where the built-in solver can beat it.

import type {
  Auction,
  AuctionedOrder,
  FillNeed,
  Offer,
  Purchase,
  SolverNetwork,
  Tools,
} from '../../client/solver/index.ts';
import { cheapestPath, type Path } from './paths.ts';
import { createPoolBook, type PoolBook } from './pools.ts';

/** What it pays with. */
const CASH = 'USDC';
const MARGIN_BPS = 4n;
/** Sold on top of what a path needs now, as pools move until the fill; what it buys too much is kept. */
const SLIPPAGE_BPS = 15n;
const BPS = 10_000n;

export function greedyRival() {
  const books = new Map<number, PoolBook>();
  const book = (network: SolverNetwork, chainId: number): PoolBook => {
    const known = books.get(chainId);
    if (known !== undefined) return known;
    const chain = network.chains.find((one) => one.chainId === chainId);
    if (chain === undefined) throw new Error(`chain ${chainId} is not listed`);
    const made = createPoolBook(chain);
    books.set(chainId, made);
    return made;
  };
  return {
    /** Where liquidity stands takes seconds to read, once. */
    async prepare({ network }: Tools): Promise<void> {
      await Promise.all(network.chains.map(({ chainId }) => book(network, chainId).read()));
    },
    async bid(auction: Auction, tools: Tools): Promise<readonly Offer[]> {
      const offers = await Promise.all(
        auction.orders.map((order) => offerFor(order, tools, (id) => book(tools.network, id))),
      );
      return offers.filter((offer) => offer !== null);
    },
    async buy(need: FillNeed, tools: Tools): Promise<Purchase | null> {
      const bought = await planPurchase(
        need.outputs,
        cashOf(tools.network, need.chainId),
        book(tools.network, need.chainId),
      );
      if (bought === null) throw new Error(`no single path on chain ${need.chainId} delivers`);
      return bought.purchase;
    },
  };
}

async function offerFor(
  order: AuctionedOrder,
  tools: Tools,
  book: (chainId: number) => PoolBook,
): Promise<Offer | null> {
  const value = await tools.value(order);
  if (value === null) return null;
  let paidWad = 0n;
  for (const chainId of new Set(order.outputs.map((output) => output.chainId))) {
    const cash = cashOf(tools.network, chainId);
    const here = order.outputs.filter((output) => output.chainId === chainId);
    const needs = here.map(({ token, minimum }) => ({ token, amount: minimum }));
    const bought = await planPurchase(needs, cash, book(chainId));
    const price = await tools.priceWad(cash);
    if (bought === null || price === null || bought.cash > (await tools.free(cash))) return null;
    paidWad += (bought.spent * price) / 10n ** BigInt(cash.decimals) + 1n;
  }
  const reserve = (value.receivedWad * MARGIN_BPS) / BPS;
  const extra = value.receivedWad - value.costsWad - paidWad - reserve;
  return extra < 0n ? null : tools.atMinimumAnd(order, extra);
}

type Need = FillNeed['outputs'][number];

interface Bought {
  /** What the paths need now. */
  readonly spent: bigint;
  /** What is taken along. */
  readonly cash: bigint;
  readonly purchase: Purchase;
}

/** One route per token that is not cash; the cash of all. Null when a token has no path. */
async function planPurchase(
  needs: readonly Need[],
  cash: Need['token'],
  book: PoolBook,
): Promise<Bought | null> {
  const pools = await book.read();
  const used = new Set<string>();
  const routes: Purchase['routes'][number][] = [];
  let total = 0n;
  let spent = 0n;
  for (const [token, amount] of amountsByToken(needs)) {
    if (token === cash.address) {
      total += amount;
      spent += amount;
      continue;
    }
    const path: Path | null = cheapestPath(pools, cash.address, token, amount, used);
    if (path === null) return null;
    for (const { pool } of path.hops) used.add(pool);
    const amountIn = path.amountIn + (path.amountIn * SLIPPAGE_BPS) / BPS;
    total += amountIn;
    spent += path.amountIn;
    const hops = path.hops.map(({ tokenOut, feePips }) => ({ tokenOut, feePips }));
    routes.push({ tokenIn: cash.address, amountIn, amountOutMin: amount, hops });
  }
  return {
    spent,
    cash: total,
    purchase: { pulls: [{ token: cash.address, amount: total }], routes },
  };
}

function amountsByToken(needs: readonly Need[]): ReadonlyMap<`0x${string}`, bigint> {
  const sums = new Map<`0x${string}`, bigint>();
  for (const { token, amount } of needs) {
    sums.set(token.address, (sums.get(token.address) ?? 0n) + amount);
  }
  return sums;
}

function cashOf({ chains }: SolverNetwork, chainId: number): Need['token'] {
  const token = chains
    .find((chain) => chain.chainId === chainId)
    ?.tokens.find(({ asset }) => asset === CASH);
  if (token === undefined) throw new Error(`no ${CASH} on chain ${chainId}`);
  return token;
}
