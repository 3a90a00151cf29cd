// A market of three chains and batches of portfolio orders on it, drawn by seed: pools of two kinds
// around one set of prices, transfers of the same asset between chains out of a filler's inventory,
// gas per trade, transfer and transaction, and a price per packet of proofs.
//
// Opposite flow q: orders come in twos. The second gives what the first wants and wants what it gives,
// worth s times as much, so that 2s/(1 + s) = q of all worth has its opposite; at q = 0 it goes the
// same way as the first. Proportions within the baskets differ.

import type { BasketFlow, BatchedOrder } from '../../solver/auction/basket.ts';
import type { BatchMarket } from '../../solver/auction/netting.ts';
import { present } from '../../solver/types/assert.ts';
import { orderId } from '../../solver/types/ids.ts';
import type { ProblemGroup, ProblemNode, ProblemVenue } from '../../solver/types/problem.ts';
import { type Random, random, units } from '../engine/generate.ts';

const CHAINS = [41, 42, 43] as const;
const ASSETS = [
  { asset: 'USDC', decimals: 6, price: 1, stable: true },
  { asset: 'DAI', decimals: 18, price: 1, stable: true },
  { asset: 'WETH', decimals: 18, price: 3_000, stable: false },
  { asset: 'WBTC', decimals: 8, price: 60_000, stable: false },
] as const;
/** Dollars: a swap's gas, a fill's, a chain's transaction, a packet. */
const GAS = { swap: 0.15, transfer: 0.2, transaction: 0.3, packet: 0.4 } as const;
/** Dollars on one side of a pool, and of each token in the filler's inventory on each chain. */
const DEPTH = 4_000_000;
const INVENTORY = 2_000_000;
/** What owners give way below the feeds' prices. */
const LIMIT = 0.99;

type Asset = (typeof ASSETS)[number];
const nodeOf = (chain: number, { asset }: Asset) => `${chain}:${asset}`;
const amountOf = (usd: number, { price, decimals }: Asset) => units((usd / price) * 10 ** decimals);

export function nettingMarket(seed: number): BatchMarket {
  const rng = random(seed);
  const nodes = CHAINS.flatMap((chain) =>
    ASSETS.map((asset): ProblemNode => {
      const { decimals, price } = asset;
      return { id: nodeOf(chain, asset), asset: asset.asset, chain, decimals, price: `${price}` };
    }),
  );
  const pools = CHAINS.flatMap((chain) =>
    ASSETS.flatMap((a, i) => ASSETS.slice(i + 1).map((b) => pool(rng, chain, a, b))),
  );
  const transfers = ASSETS.flatMap((asset) =>
    CHAINS.flatMap((from) =>
      CHAINS.filter((to) => to !== from).map(
        (to): ProblemVenue => ({
          id: `transfer:${asset.asset}:${from}→${to}`,
          kind: 'bridge',
          nodes: [nodeOf(from, asset), nodeOf(to, asset)],
          feePips: 400,
          fixedFee: '0',
          // Each of the two chains it may come from draws on half of what is there.
          capacity: amountOf(INVENTORY / 2, asset).toString(),
          fixedCost: `${GAS.transfer}`,
        }),
      ),
    ),
  );
  const groups = CHAINS.map(
    (chain): ProblemGroup => ({
      id: `chain:${chain}`,
      fixedCost: `${GAS.transaction}`,
      venues: [
        ...pools.filter(({ id }) => id.startsWith(`${chain}:`)),
        ...transfers.filter(({ id }) => id.endsWith(`→${chain}`)),
      ].map(({ id }) => id),
    }),
  );
  const packet = units(GAS.packet * 1e18);
  return { nodes, venues: [...pools, ...transfers], groups, proofWad: () => packet };
}

/** Constant product pools whose prices are off the feeds by less than half their fee. */
function pool(rng: Random, chain: number, a: Asset, b: Asset): ProblemVenue {
  const feePips = a.stable && b.stable ? 500 : 3_000;
  const side = DEPTH * 10 ** rng.between(-0.5, 0.3);
  const off = Math.exp((rng.between(-0.4, 0.4) * feePips) / 1e6);
  return {
    id: `${chain}:${a.asset}/${b.asset}`,
    kind: 'constantProduct',
    nodes: [nodeOf(chain, a), nodeOf(chain, b)],
    reserves: [amountOf(side, a).toString(), amountOf(side * off, b).toString()],
    feePips,
    fixedCost: `${GAS.swap}`,
  };
}

interface Place {
  readonly chain: number;
  readonly asset: Asset;
}

export function nettingBatch(seed: number, count: number, opposite: number): BatchedOrder[] {
  const rng = random(seed * 7919 + count);
  const back = opposite / (2 - opposite);
  const orders: BatchedOrder[] = [];
  while (orders.length < count) {
    const worth = 10 ** rng.between(2.5, 4.5);
    // One way: out of dollars; the other way: back into them.
    const from = places(rng, true);
    const to = places(rng, false);
    orders.push(draw(rng, orders.length, from, to, worth));
    if (orders.length === count) break;
    if (back === 0) orders.push(draw(rng, orders.length, from, to, worth));
    else orders.push(draw(rng, orders.length, to, from, worth * back));
  }
  return orders;
}

function places(rng: Random, stable: boolean): readonly Place[] {
  const all = CHAINS.flatMap((chain) =>
    ASSETS.filter((asset) => asset.stable === stable).map((asset) => ({ chain, asset })),
  );
  const first = rng.pick(all);
  const more = all.filter((place) => place !== first && rng.next() < 0.25);
  return [first, ...more].slice(0, 3);
}

function draw(
  rng: Random,
  index: number,
  from: readonly Place[],
  to: readonly Place[],
  worth: number,
): BatchedOrder {
  const flows = (side: readonly Place[], usd: number): readonly BasketFlow[] => {
    const weights = side.map(() => rng.between(0.5, 1.5));
    const sum = weights.reduce((a, b) => a + b, 0);
    return side.map(({ chain, asset }, i) => ({
      node: nodeOf(chain, asset),
      amount: amountOf((usd * present(weights[i], 'weight')) / sum, asset),
    }));
  };
  const id = orderId(`0x${(index + 1).toString(16).padStart(64, '0')}`);
  return { orderId: id, inputs: flows(from, worth), outputs: flows(to, worth * LIMIT) };
}
