// The auction once more, from docs/auctions.md and API.md alone and in another manner: no types of the
// solver's, fractions instead of rounded sums' order, one pass per question, winners by repeated
// search instead of sorting. It shares no function with solver/auction.

interface Output {
  readonly minimum: bigint;
  readonly priceWad: bigint;
  readonly decimals: number;
}
export interface TwinOrder {
  readonly orderId: string;
  readonly pair: string;
  readonly outputs: readonly Output[];
}
export interface TwinBid {
  readonly hash: string;
  readonly signature: string;
  readonly auctionId: string;
  readonly filler: string;
  readonly items: readonly { readonly orderId: string; readonly amounts: readonly bigint[] }[];
}
export interface TwinOutcome {
  /** Hashes of winning bids, ascending. */
  readonly winners: readonly string[];
  readonly score: bigint;
  /** orderId → filler and amounts. */
  readonly awards: Readonly<Record<string, string>>;
  /** `hash/signature` of bids that neither won nor lost but were thrown out, ascending. */
  readonly rejected: readonly string[];
  readonly reference: Readonly<Record<string, bigint>>;
}

const TRILLION = 10n ** 12n;

export function twin(
  auctionId: string,
  orders: readonly TwinOrder[],
  bids: readonly TwinBid[],
): TwinOutcome {
  const valid = bids.filter((bid) => keepsTheRules(auctionId, orders, bid));
  // One of several signatures under the same bid counts: the smallest.
  const counted = valid.filter(
    (bid) => !bids.some((o) => o.hash === bid.hash && o.signature < bid.signature),
  );
  const { won, dropped } = run(orders, counted);
  const nameOf = (bid: TwinBid) => `${bid.hash}/${bid.signature}`;
  const out = bids.filter((bid) => !counted.includes(bid) || dropped.includes(bid));
  const awards: Record<string, string> = {};
  for (const bid of won) {
    for (const { orderId, amounts } of bid.items) awards[orderId] = `${bid.filler} ${amounts}`;
  }
  const reference: Record<string, bigint> = {};
  for (const { filler } of won) {
    const others = counted.filter((bid) => bid.filler !== filler);
    reference[filler] = run(orders, others).won.reduce((n, bid) => n + worth(orders, bid), 0n);
  }
  return {
    winners: won.map(({ hash }) => hash).sort(),
    score: won.reduce((sum, bid) => sum + worth(orders, bid), 0n),
    awards,
    rejected: out.map(nameOf).sort(),
    reference,
  };
}

function keepsTheRules(auctionId: string, orders: readonly TwinOrder[], bid: TwinBid): boolean {
  const ids = bid.items.map(({ orderId }) => orderId);
  const ascending = ids.every((id, i) => ids.slice(i + 1).every((later) => id < later));
  return (
    bid.auctionId === auctionId &&
    BigInt(bid.filler) !== 0n &&
    ids.length > 0 &&
    ascending &&
    bid.items.every(({ orderId, amounts }) => {
      const order = orders.find((o) => o.orderId === orderId);
      return (
        order !== undefined &&
        order.outputs.length === amounts.length &&
        order.outputs.every((output, j) => {
          const amount = amounts[j] ?? -1n;
          if (amount >> 256n !== 0n || amount < output.minimum) return false;
          return gain(output, amount) <= TRILLION * 10n ** 18n;
        })
      );
    })
  );
}

/** Whole 10⁻¹⁸ dollars, by subtraction of the remainder. */
function gain({ minimum, priceWad, decimals }: Output, amount: bigint): bigint {
  const product = (amount - minimum) * priceWad;
  const unit = BigInt(`1${'0'.repeat(decimals)}`);
  return (product - (product % unit)) / unit;
}

function worth(orders: readonly TwinOrder[], bid: TwinBid, pair?: string): bigint {
  let sum = 0n;
  for (const order of orders) {
    if (pair !== undefined && order.pair !== pair) continue;
    const item = bid.items.find(({ orderId }) => orderId === order.orderId);
    item?.amounts.forEach((amount, j) => {
      const output = order.outputs[j];
      if (output !== undefined) sum += gain(output, amount);
    });
  }
  return sum;
}

function run(orders: readonly TwinOrder[], bids: readonly TwinBid[]) {
  const pairsOf = (bid: TwinBid) =>
    new Set(
      orders.filter((o) => bid.items.some((i) => i.orderId === o.orderId)).map((o) => o.pair),
    );
  const single = bids.filter((bid) => pairsOf(bid).size === 1);
  const dropped = bids.filter(
    (bid) =>
      pairsOf(bid).size > 1 &&
      [...pairsOf(bid)].some((pair) =>
        single.some((s) => pairsOf(s).has(pair) && worth(orders, s) > worth(orders, bid, pair)),
      ),
  );
  let left = bids.filter((bid) => !dropped.includes(bid));
  const won: TwinBid[] = [];
  for (;;) {
    let best: TwinBid | undefined;
    for (const bid of left) {
      if (best === undefined || before(orders, bid, best)) best = bid;
    }
    if (best === undefined) return { won, dropped };
    won.push(best);
    const taken = pairsOf(best);
    left = left.filter((bid) => [...pairsOf(bid)].every((pair) => !taken.has(pair)));
  }
}

function before(orders: readonly TwinOrder[], a: TwinBid, b: TwinBid): boolean {
  const difference = worth(orders, a) - worth(orders, b);
  return difference > 0n || (difference === 0n && BigInt(a.hash) < BigInt(b.hash));
}
