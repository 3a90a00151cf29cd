// Real liquidity: 75 swap quotes of 0.1 … 1000 ETH's worth between liquid tokens over the pools of a
// CoW Protocol auction (test/vectors/cow, made by cowConvert.ts), each with its gas as fixedCost and
// no venue taking in more than 1.05 times the order.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Problem } from '../../solver/types/problem.ts';
import { units } from '../engine/generate.ts';

const FIXTURE = 'test/vectors/cow/auction-7400681.json.gz';

export const QUOTE_ETHS = [0.1, 1, 10, 100, 1000] as const;
const PAIRS: readonly (readonly [string, string])[] = [
  ['WETH', 'USDC'],
  ['USDC', 'WETH'],
  ['WETH', 'DAI'],
  ['USDT', 'WETH'],
  ['WETH', 'WBTC'],
  ['WBTC', 'USDC'],
  ['DAI', 'WBTC'],
  ['USDT', 'USDC'],
  ['LINK', 'WETH'],
  ['WETH', 'UNI'],
  ['UNI', 'USDC'],
  ['AAVE', 'DAI'],
  ['wstETH', 'USDC'],
  ['CRV', 'USDT'],
  ['BAL', 'WETH'],
];

export interface RealQuote {
  readonly name: string;
  readonly eth: number;
  readonly problem: Problem;
}

/** All 75, smallest first. */
export function realQuotes(): readonly RealQuote[] {
  const text = gunzipSync(readFileSync(FIXTURE)).toString('utf8');
  const market = JSON.parse(text) as Pick<Problem, 'nodes' | 'venues'>;
  const dollars = new Map(market.nodes.map(({ id, price }) => [id, Number(price)]));
  const decimals = new Map(market.nodes.map((node) => [node.id, node.decimals]));
  const ethDollars = dollars.get('WETH') ?? Number.NaN;
  return QUOTE_ETHS.flatMap((eth) =>
    PAIRS.map(([sell, buy]): RealQuote => {
      const whole = (eth * ethDollars) / (dollars.get(sell) ?? Number.NaN);
      const amount = units(whole * 10 ** (decimals.get(sell) ?? 0)).toString();
      return {
        name: `${eth} ETH of ${sell} for ${buy}`,
        eth,
        problem: {
          version: 1,
          ...market,
          objective: { kind: 'swap', sell: { node: sell, amount }, buy },
          settings: { venueInputCap: '1.05' },
        },
      };
    }),
  );
}
