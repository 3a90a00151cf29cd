// A CoW Protocol auction instance → the fixture of the bench's real quotes: every pool in our problem
// format with its gas in dollars, every token with a price. Run once; the fixture is checked in.
//   node --import tsx test/bench/cowConvert.ts cow_auction_7400681.json [output.json.gz]
// What it decides: dollars are DAI at its external price; a token without an external price gets the
// price of its deepest constant product or weighted pool with a priced one; liquidity in range is
// what the ticks sum to (six pools' ticks were read in other blocks than their `liquidity`, which
// differs by at most 1.7 %); pools with an empty side or a weight below 1 % are left out.

import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parseProblem } from '../../solver/market/problemFile.ts';
import type { Problem, ProblemNode, ProblemVenue } from '../../solver/types/problem.ts';
import { decimal } from '../engine/generate.ts';

interface CowToken {
  readonly alias: string | null;
  readonly decimals: number;
  /** Wei of ETH per base unit. */
  readonly external_price: number | null;
}
interface CowPool {
  readonly kind: 'ConstantProduct' | 'WeightedProduct' | 'Stable' | 'Concentrated';
  readonly reserves?: Readonly<Record<string, string | { balance: string; weight: string }>>;
  readonly scaling_rates?: Readonly<Record<string, string>>;
  readonly amplification_parameter?: string;
  readonly pool?: {
    readonly tokens: readonly { readonly id: string }[];
    readonly state: {
      readonly sqrt_price: string;
      readonly liquidity: string;
      readonly tick: string;
      readonly liquidity_net: Readonly<Record<string, string>>;
    };
  };
  readonly fee: string;
  readonly cost: { readonly amount: string };
  readonly address: string;
}
interface CowAuction {
  readonly tokens: Readonly<Record<string, CowToken>>;
  readonly amms: Readonly<Record<string, CowPool>>;
}

const DAI = '0x6b175474e89094c44da98b954eedeac495271d0f';
const E18 = 10n ** 18n;
const OUTPUT = 'test/vectors/cow/auction-7400681.json.gz';

/** Nodes and venues; quotes add their objective. */
export type CowMarket = Pick<Problem, 'nodes' | 'venues'>;

function convert({ tokens, amms }: CowAuction): CowMarket {
  const pools = Object.values(amms);
  const ids = nameTokens(tokens, pools);
  const dollarsPerEth = 1 / (tokens[DAI]?.external_price ?? Number.NaN);
  const prices = priceTokens(tokens, pools, dollarsPerEth);
  const nodes = [...ids].map(([address, id]): ProblemNode => {
    const { decimals } = must(tokens[address]);
    const price = prices.get(address);
    return {
      ...{ id, asset: id, chain: 1, decimals },
      ...(price === undefined ? {} : { price: decimal(price * 10 ** decimals) }),
    };
  });
  const venues = pools.flatMap((pool) => {
    const cost = decimal((Number(pool.cost.amount) / 1e18) * dollarsPerEth);
    const venue = { id: pool.address, fixedCost: cost, ...poolOf(pool, tokens, ids) };
    return accepted(nodes, venue as ProblemVenue) ? [venue as ProblemVenue] : [];
  });
  console.log(`${nodes.length} tokens, ${venues.length} of ${pools.length} pools`);
  return { nodes, venues };
}

function must<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('the instance lacks a field');
  return value;
}

const tokensOf = ({ reserves, pool }: CowPool): readonly string[] =>
  reserves === undefined ? must(pool).tokens.map(({ id }) => id) : Object.keys(reserves);

/** Symbols where they are unique among traded tokens, else with the address's beginning. */
function nameTokens(tokens: CowAuction['tokens'], pools: readonly CowPool[]) {
  const traded = [...new Set(pools.flatMap(tokensOf))].toSorted();
  const alias = (address: string) => must(tokens[address]).alias ?? '';
  return new Map(
    traded.map((address) => {
      const symbol = alias(address).replace(/[^A-Za-z0-9.]/g, '');
      const unique =
        symbol !== '' && traded.filter((t) => alias(t) === alias(address)).length === 1;
      return [
        address,
        unique ? symbol : `${symbol}${symbol === '' ? '' : '-'}${address.slice(0, 10)}`,
      ];
    }),
  );
}

/** Dollars per base unit. */
function priceTokens(
  tokens: CowAuction['tokens'],
  pools: readonly CowPool[],
  dollarsPerEth: number,
): ReadonlyMap<string, number> {
  const prices = new Map<string, number>();
  for (const [address, { external_price: price }] of Object.entries(tokens)) {
    if (price !== null) prices.set(address, (price / 1e18) * dollarsPerEth);
  }
  const sides = pools.flatMap(({ reserves, kind }) =>
    reserves === undefined || kind === 'Stable'
      ? []
      : [
          Object.entries(reserves).map(([address, side]) =>
            typeof side === 'string'
              ? { address, mass: Number(side) / 0.5 }
              : { address, mass: Number(side.balance) / Number(side.weight) },
          ),
        ],
  );
  for (let round = 0; round < 8; round++) {
    const found = new Map<string, { worth: number; price: number }>();
    for (const pool of sides) {
      // The whole pool is worth `mass · price` of any of its tokens.
      const worth = Math.max(...pool.map(({ address, mass }) => (prices.get(address) ?? 0) * mass));
      if (worth === 0) continue;
      for (const { address, mass } of pool) {
        if (prices.has(address) || mass === 0 || worth <= (found.get(address)?.worth ?? 0))
          continue;
        found.set(address, { worth, price: worth / mass });
      }
    }
    if (found.size === 0) break;
    for (const [address, { price }] of found) prices.set(address, price);
  }
  return prices;
}

function poolOf(pool: CowPool, tokens: CowAuction['tokens'], ids: ReadonlyMap<string, string>) {
  const addresses = tokensOf(pool);
  const nodes = addresses.map((address) => must(ids.get(address)));
  const swapFee = BigInt(Math.round(Number(pool.fee) * 1e18)).toString();
  const feePips = Math.round(Number(pool.fee) * 1e6);
  const sides = addresses.map((address) => pool.reserves?.[address]);
  const amounts = sides.map((side) => (typeof side === 'object' ? side.balance : (side ?? '')));
  switch (pool.kind) {
    case 'ConstantProduct':
      return { kind: 'constantProduct', nodes, reserves: amounts, feePips };
    case 'Concentrated': {
      const { sqrt_price, tick, liquidity_net: net } = must(pool.pool).state;
      const ticks = Object.entries(net)
        .map(([at, value]) => [Number(at), value] as const)
        .filter(([, value]) => value !== '0')
        .toSorted(([x], [y]) => x - y);
      const liquidity = ticks
        .filter(([at]) => at <= Number(tick))
        .reduce((sum, [, value]) => sum + BigInt(value), 0n)
        .toString();
      const price = { sqrtPriceX96: sqrt_price, tick: Number(tick), liquidity };
      return { kind: 'concentrated', nodes, ...price, feePips, ticks };
    }
    case 'WeightedProduct': {
      const weights = sides.map(
        (side) =>
          BigInt(Math.round(Number(typeof side === 'object' ? side.weight : 0) * 1e12)) * 10n ** 6n,
      );
      weights[0] = must(weights[0]) + E18 - weights.reduce((x, y) => x + y, 0n);
      const scalingFactors = addresses.map((address) =>
        (10n ** BigInt(18 - must(tokens[address]).decimals) * E18).toString(),
      );
      return {
        ...{ kind: 'weighted', nodes, balances: amounts, weights: weights.map(String) },
        ...{ scalingFactors, swapFee },
      };
    }
    case 'Stable': {
      // A rate is base units per whole unit of the pool's numeraire: upscaled = raw · 10^18 / rate.
      const scalingFactors = addresses.map((address) =>
        (10n ** 36n / BigInt(must(pool.scaling_rates?.[address]))).toString(),
      );
      const amplification = (BigInt(must(pool.amplification_parameter)) * 1000n).toString();
      return {
        ...{ kind: 'stable', nodes, balances: amounts, amplification },
        ...{ amplificationPrecision: '1000', scalingFactors, swapFee },
      };
    }
  }
}

/** Whether our own reader takes the venue; says why not. */
function accepted(nodes: readonly ProblemNode[], venue: ProblemVenue): boolean {
  const [sell, buy] = nodes.filter(({ price }) => price !== undefined);
  try {
    parseProblem({
      version: 1,
      nodes,
      venues: [venue],
      objective: { kind: 'swap', sell: { node: sell?.id, amount: '1' }, buy: buy?.id },
    });
    return true;
  } catch (error) {
    console.log(`left out ${venue.kind} ${venue.id}: ${(error as Error).message.slice(0, 100)}`);
    return false;
  }
}

const [from, to = OUTPUT] = process.argv.slice(2);
if (from === undefined) {
  console.error('usage: node --import tsx test/bench/cowConvert.ts AUCTION.json [OUTPUT.json.gz]');
  process.exitCode = 2;
} else {
  const market = convert(JSON.parse(readFileSync(from, 'utf8')) as CowAuction);
  const packed = gzipSync(JSON.stringify(market), { level: 9 });
  writeFileSync(to, packed);
  console.log(`${to}: ${packed.length} bytes`);
}
