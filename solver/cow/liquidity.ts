// CoW's liquidity as venues of the problem format, and the market they make: one node per token, ETH
// (the native token) the numeraire, a venue's gas its fixed cost. Leaves out, with the reason, what
// cannot be represented exactly: a plan must execute to the wei.

import { formatDecimal, parseFixed36 } from '../market/decimal.ts';
import type { ProblemVenue } from '../types/problem.ts';
import type { CowAuction, CowConcentrated, CowLiquidity, CowToken } from './auction.ts';

const WAD = 10n ** 18n;
/** The problem format's own limit on how many decimals a decimal has. */
const SCALE36 = 10n ** 36n;

/** The venue, or why it is left out. */
export function venueOf(
  liquidity: CowLiquidity,
  { tokens, gasPrice }: Pick<CowAuction, 'tokens' | 'gasPrice'>,
): ProblemVenue | string {
  const base = { id: liquidity.id, fixedCost: nativeDecimal(liquidity.gasEstimate * gasPrice) };
  switch (liquidity.kind) {
    case 'constantProduct': {
      const feePips = pips(liquidity.fee);
      // Uniswap's pools hold their tokens in ascending order; the map's order is the driver's.
      const nodes = [...liquidity.tokens.keys()].toSorted();
      const [a, b] = nodes;
      if (feePips === null) return `its fee ${liquidity.fee} is no whole number of pips`;
      if (nodes.length !== 2 || a === undefined || b === undefined) return 'it has not two tokens';
      const reserve = (token: string) => (liquidity.tokens.get(token)?.balance ?? 0n).toString();
      const reserves = [reserve(a), reserve(b)] as const;
      return { ...base, kind: 'constantProduct', nodes: [a, b], reserves, feePips };
    }
    case 'weightedProduct': {
      const sides = [...liquidity.tokens];
      const weights = sides.map(([, { weight }]) => wad(weight));
      if (weights.reduce((x, y) => x + y, 0n) !== WAD) return 'its weights do not sum to 1';
      return {
        ...base,
        kind: 'weighted',
        nodes: sides.map(([token]) => token),
        balances: sides.map(([, { balance }]) => balance.toString()),
        mathVersion: liquidity.version === 'v0' ? 1 : 2,
        weights: weights.map(String),
        scalingFactors: sides.map(([token, { scalingFactor }]) =>
          scaling(scalingFactor, tokens.get(token)).toString(),
        ),
        swapFee: wad(liquidity.fee).toString(),
      };
    }
    case 'stable': {
      const sides = [...liquidity.tokens];
      const amplification = parseFixed36(liquidity.amplificationParameter) / (SCALE36 / 1000n);
      return {
        ...base,
        kind: 'stable',
        nodes: sides.map(([token]) => token),
        balances: sides.map(([, { balance }]) => balance.toString()),
        amplification: amplification.toString(),
        amplificationPrecision: '1000',
        scalingFactors: sides.map(([token, { scalingFactor }]) =>
          scaling(scalingFactor, tokens.get(token)).toString(),
        ),
        swapFee: wad(liquidity.fee).toString(),
      };
    }
    case 'concentratedLiquidity':
      return concentrated(liquidity, base);
    case 'limitOrder':
      // A fee on top of what is taken in is paid to a third party: the trade is not pro rata then.
      if (liquidity.takerTokenFeeAmount > 0n) return 'it asks a fee on top';
      return {
        ...base,
        kind: 'order',
        nodes: [liquidity.takerToken, liquidity.makerToken],
        amountIn: liquidity.takerAmount.toString(),
        amountOut: liquidity.makerAmount.toString(),
      };
  }
}

function concentrated(
  pool: CowConcentrated,
  base: Pick<ProblemVenue, 'id' | 'fixedCost'>,
): ProblemVenue | string {
  const feePips = pips(pool.fee);
  if (feePips === null) return `its fee ${pool.fee} is no whole number of pips`;
  const ticks = pool.liquidityNet
    .filter(([, net]) => net !== 0n)
    .toSorted(([x], [y]) => x - y)
    .map(([tick, net]) => [tick, net.toString()] as const);
  const inRange = pool.liquidityNet
    .filter(([tick]) => tick <= pool.tick)
    .reduce((sum, [, net]) => sum + net, 0n);
  // Read in different blocks, or a part of the ticks only: it would not trade as it says.
  if (inRange.toString() !== pool.liquidity) return 'its ticks do not sum to its liquidity';
  return {
    ...base,
    kind: 'concentrated',
    nodes: pool.tokens,
    sqrtPriceX96: pool.sqrtPrice,
    tick: pool.tick,
    liquidity: pool.liquidity,
    feePips,
    ticks,
  };
}

/** Wei as a decimal of the native token. */
const nativeDecimal = (wei: bigint): string => formatDecimal(wei, 18);

const wad = (decimal: string): bigint => parseFixed36(decimal) / WAD;

function pips(fee: string): number | null {
  const scaled = parseFixed36(fee);
  const pip = SCALE36 / 1_000_000n;
  return scaled % pip === 0n ? Number(scaled / pip) : null;
}

/**
 * Balancer's scaling factor × 10^18. CoW's data has it as Balancer does, 10^(18 − decimals) times the
 * token's rate, or the other way round, 10^decimals; a rate is near 1, so the reading that implies the
 * rate nearer to 1 is the right one (they only coincide at 9 decimals, where both say the same).
 */
function scaling(factor: string | null, token: CowToken | undefined): bigint {
  const decimals = token?.decimals ?? 18;
  const plain = 10n ** BigInt(Math.max(0, 18 - decimals));
  if (factor === null) return plain * WAD;
  const given = parseFixed36(factor);
  if (given === 0n) return plain * WAD;
  const direct = Math.abs(Math.log(Number(given) / 1e36 / Number(plain)));
  const inverse = Math.abs(Math.log(Number(given) / 1e36 / 10 ** decimals));
  return direct <= inverse ? given / WAD : (SCALE36 * SCALE36) / given;
}
