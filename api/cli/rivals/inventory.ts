// The inventory rival: delivers what it holds at feed prices less a margin, and touches no pool. The
// margin grows as an order drains a balance and shrinks as the order refills one, so that it quotes
// itself out of what it runs short of; an order it cannot deliver whole gets no bid.

import type { Auction, AuctionedOrder, Offer, Tools } from '../../client/solver/index.ts';

const MARGIN_BPS = 9n;
/** Added in full when an order would take all of a balance. */
const SKEW_BPS = 24n;
const BPS = 10_000n;

export function inventoryRival() {
  return {
    async bid(auction: Auction, tools: Tools): Promise<readonly Offer[]> {
      const offers: Offer[] = [];
      const taken = new Map<string, bigint>();
      for (const order of auction.orders) {
        const offer = await offerFor(order, tools, taken);
        if (offer === null) continue;
        offers.push(offer);
        for (const [i, { token }] of order.outputs.entries()) {
          add(taken, token.address, token.chainId, offer.amounts[i] ?? 0n);
        }
      }
      return offers;
    },
  };
}

const key = (chainId: number, address: string) => `${chainId}:${address}`;
function add(sums: Map<string, bigint>, address: string, chainId: number, amount: bigint): void {
  const name = key(chainId, address);
  sums.set(name, (sums.get(name) ?? 0n) + amount);
}

async function offerFor(
  order: AuctionedOrder,
  tools: Tools,
  taken: ReadonlyMap<string, bigint>,
): Promise<Offer | null> {
  const value = await tools.value(order);
  if (value === null) return null;
  let skewWad = 0n;
  const wanted = new Map<string, bigint>();
  for (const { token, minimum, priceWad } of order.outputs) {
    add(wanted, token.address, token.chainId, minimum);
    const name = key(token.chainId, token.address);
    const free = (await tools.free(token)) - (taken.get(name) ?? 0n);
    const needed = wanted.get(name) ?? 0n;
    // A margin of delivered surplus must fit as well: a hundredth of the balance is kept.
    if (needed > free - free / 100n) return null;
    const worth = (minimum * priceWad) / 10n ** BigInt(token.decimals);
    skewWad += (((worth * SKEW_BPS) / BPS) * needed) / free;
  }
  const marginWad = (value.receivedWad * MARGIN_BPS) / BPS + skewWad;
  const extra = value.spareWad - marginWad;
  if (extra < 0n) return null;
  const offer = tools.atMinimumAnd(order, extra);
  const affordable = await Promise.all(
    order.outputs.map(async ({ token }, i) => {
      const free = (await tools.free(token)) - (taken.get(key(token.chainId, token.address)) ?? 0n);
      return (offer.amounts[i] ?? 0n) <= free;
    }),
  );
  return affordable.every(Boolean) ? offer : null;
}
