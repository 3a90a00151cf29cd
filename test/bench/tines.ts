// The column of @sushiswap/tines, the router Sushi routes with. It carries no licence to use it, so
// trimtab does not depend on it: the bench installs one pinned version into .build/bench/tines and
// nothing else ever loads it. It sees constant product and concentrated pools as its own classes;
// orders, bridges and weighted pools of two through adapters. Stable and larger weighted pools it has no exact class for:
// left out for it.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type {
  ParsedConcentrated,
  ParsedProblem,
  ParsedVenue,
} from '../../solver/market/parsedProblem.ts';
import { type SharedLeg, worthOf } from './plans.ts';
import { type Case, type Engine, type Missing, type Opened, timed } from './rivals.ts';

const VERSION = '1.0.11';
const FOLDER = '.build/bench/tines';
const MODULE = `${FOLDER}/node_modules/@sushiswap/tines/dist/index.mjs`;
/** Minutes are not what a router may take. */
const POOLS_MAX = 2_000;

interface Token {
  readonly name: string;
  readonly symbol: string;
  readonly address: string;
  readonly decimals: number;
  readonly chainId: number;
}
interface Pool {
  calcOutByIn(amountIn: number, direction: boolean): { out: number; gasSpent: number };
  calcOutByInReal(amountIn: number, direction: boolean): number;
}
interface Route {
  readonly status: string;
  readonly legs: readonly {
    readonly poolAddress: string;
    readonly tokenFrom: Token;
    readonly tokenTo: Token;
    readonly swapPortion: number;
  }[];
}
type PoolClass = new (...args: readonly unknown[]) => Pool;
interface Tines {
  readonly RPool: PoolClass;
  readonly ConstantProductRPool: PoolClass;
  readonly UniV3Pool: PoolClass;
  findMultiRouteExactIn(
    from: Token,
    to: Token,
    amount: bigint,
    pools: readonly Pool[],
    base: Token,
    gasPrice: number,
  ): Route;
}

/** Installs the pinned version if it is not there. */
export async function tinesEngine(): Promise<Engine | Missing> {
  if (!existsSync(MODULE)) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(`${FOLDER}/package.json`, '{ "private": true, "name": "bench-tines" }\n');
    const { status } = spawnSync(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--legacy-peer-deps',
        `@sushiswap/tines@${VERSION}`,
      ],
      { cwd: FOLDER, stdio: 'ignore' },
    );
    if (status !== 0 || !existsSync(MODULE)) {
      return {
        name: 'tines',
        missing: `npm cannot install @sushiswap/tines@${VERSION} (offline?)`,
      };
    }
  }
  const tines = (await import(pathToFileURL(resolve(MODULE)).href)) as Tines;
  return { name: 'tines', roundsMax: 2, open: (item) => open(tines, item) };
}

function open(tines: Tines, { problem }: Case): Opened | null {
  const { objective } = problem;
  if (objective.kind !== 'swap' || problem.venues.length > POOLS_MAX) return null;
  const tokens = problem.nodes.map(
    ({ id, decimals }): Token => ({ name: id, symbol: id, address: id, decimals, chainId: 1 }),
  );
  const pools = problem.venues.flatMap((venue) => poolOf(tines, venue, tokens) ?? []);
  const [from, to] = [tokens[objective.sell], tokens[objective.buy]];
  if (from === undefined || to === undefined) return null;
  const node = problem.nodes[objective.sell];
  const dollarsPerUnit = Number(node?.price) / 1e36 / 10 ** (node?.decimals ?? 0);
  let route: Route = { status: 'NoWay', legs: [] };
  return {
    run() {
      // Its internal assertions compare floats exactly and would fill the screen.
      const { assert } = console;
      console.assert = () => {};
      try {
        const [time, found] = timed(() =>
          // One unit of gas is a dollar of fixed cost; its price is in base units of what is sold.
          tines.findMultiRouteExactIn(from, to, objective.amount, pools, from, 1 / dollarsPerUnit),
        );
        route = found;
        return { cold: time };
      } finally {
        console.assert = assert;
      }
    },
    outcome() {
      if (route.status !== 'Success') {
        return { value: 0, gapBps: null, bound: null, invalid: route.status };
      }
      return worthOf(problem, sharedLegs(problem, route));
    },
  };
}

function sharedLegs(problem: ParsedProblem, { legs }: Route): readonly SharedLeg[] {
  const index = (id: string) => problem.nodeIndex.get(id) ?? -1;
  return legs.map(({ poolAddress, tokenFrom, tokenTo, swapPortion }) => ({
    venue: problem.venueIndex.get(poolAddress) ?? -1,
    from: index(tokenFrom.address),
    to: index(tokenTo.address),
    share: swapPortion,
  }));
}

/** The venue as tines sees it, its gas replaced by our fixed cost in dollars; null: not at all. */
function poolOf(tines: Tines, venue: ParsedVenue, tokens: readonly Token[]): Pool | null {
  const [a, b] = [tokens[venue.nodes[0] ?? -1], tokens[venue.nodes[1] ?? -1]];
  const dollars = Number(venue.fixedCost) / 1e36;
  switch (venue.kind) {
    case 'constantProduct': {
      const { id, feePips, reserves } = venue;
      return charged(new tines.ConstantProductRPool(id, a, b, feePips / 1e6, ...reserves), dollars);
    }
    case 'concentrated':
      return charged(concentrated(tines, venue, a, b), dollars);
    case 'order': {
      const [most, all] = [Number(venue.amountIn), Number(venue.amountOut)];
      return charged(
        oneWay(tines, venue, [a, b], all, (amount) =>
          amount <= most ? (amount * all) / most : null,
        ),
        dollars,
      );
    }
    case 'bridge': {
      const rate = Number(venue.numerator) / Number(venue.denominator);
      const [fee, capacity] = [Number(venue.fixedFee), Number(venue.capacity)];
      return charged(
        oneWay(tines, venue, [a, b], capacity, (amount) => {
          const out = amount * rate - fee;
          return out > 0 && out <= capacity ? out : null;
        }),
        dollars,
      );
    }
    default:
      return null;
  }
}

function concentrated(
  { UniV3Pool }: Tines,
  { id, feePips, ranges, tick, liquidity, sqrtPriceX96, ticks }: ParsedConcentrated,
  a: Token | undefined,
  b: Token | undefined,
): Pool {
  const q96 = 2 ** 96;
  const price = Number(sqrtPriceX96) / q96;
  let [reserve0, reserve1] = [0, 0];
  for (const range of ranges) {
    const low = Number(range.sqrtLowerX96) / q96;
    const high = Number(range.sqrtUpperX96) / q96;
    const here = Math.min(Math.max(price, low), high);
    reserve0 += Number(range.liquidity) * (1 / here - 1 / high);
    reserve1 += Number(range.liquidity) * (here - low);
  }
  return new UniV3Pool(
    ...[id, a, b, feePips / 1e6, BigInt(Math.floor(reserve0)), BigInt(Math.floor(reserve1))],
    ...[tick, liquidity, sqrtPriceX96],
    ticks.map(({ tick: index, liquidityNet: DLiquidity }) => ({ index, DLiquidity })),
  );
}

/** An order or a bridge: refuses the way back and what exceeds it, as tines' own pools throw. */
function oneWay(
  { RPool }: Tines,
  { id }: ParsedVenue,
  [a, b]: readonly [Token | undefined, Token | undefined],
  reserve: number,
  rate: (amount: number) => number | null,
): Pool {
  class OneWay extends RPool {
    override calcOutByIn(amount: number, direction: boolean) {
      const out = direction ? rate(amount) : null;
      if (out === null) throw new Error('out of liquidity');
      return { out, gasSpent: 0 };
    }
    override calcOutByInReal(amount: number, direction: boolean) {
      return direction ? (rate(amount) ?? 0) : 0;
    }
    calcCurrentPriceWithoutFee(direction: boolean) {
      const [probe] = [reserve / 1e3];
      const price = (rate(probe) ?? 0) / probe || 1;
      return direction ? price : 1 / price;
    }
  }
  return new OneWay(id, a, b, 0, 0n, BigInt(Math.floor(reserve * 2)), 0, 0);
}

function charged(pool: Pool, dollars: number): Pool {
  const plain = pool.calcOutByIn.bind(pool);
  pool.calcOutByIn = (amount, direction) => ({
    out: plain(amount, direction).out,
    gasSpent: dollars,
  });
  return pool;
}
