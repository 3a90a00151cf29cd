// A CoW driver's side, written from CoW's documents alone: orders over the liquidity of a recorded
// mainnet auction in the driver's own schema, and the driver's checks of a solution.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { keccak256, toHex } from 'viem';
import type { Problem, ProblemVenue } from '../../solver/types/problem.ts';

const E18 = 10n ** 18n;
const read = (file: string) =>
  JSON.parse(gunzipSync(readFileSync(`test/vectors/cow/${file}`)).toString('utf8'));

/** An order between two symbols: sells (or buys) so many ETH's worth, its limit off by `slackBps`. */
export interface Wish {
  readonly sell: string;
  readonly buy: string;
  readonly eth: number;
  readonly slackBps: number;
  readonly kind?: 'sell' | 'buy';
  readonly partial?: boolean;
  readonly class?: 'market' | 'limit';
}

export const addressOf = (symbol: string): string => keccak256(toHex(symbol)).slice(0, 42);

const decimal = (value: bigint, scale: number) => {
  const text = value.toString().padStart(scale + 1, '0');
  return `${text.slice(0, -scale)}.${text.slice(-scale)}`.replace(/\.?0+$/, '');
};

export interface DriverOptions {
  readonly deadlineMs: number;
  readonly orders: readonly Wish[];
  /** How Balancer's scaling factors are written: as Balancer has them, or their inverse. */
  readonly inverseScaling?: boolean;
}

/** The auction as a driver posts it. */
// biome-ignore lint/suspicious/noExplicitAny: a foreign document
export function driverAuction(options: DriverOptions): any {
  const { nodes, venues } = read('auction-7400681.json.gz') as Pick<Problem, 'nodes' | 'venues'>;
  const eth = Number(nodes.find(({ id }) => id === 'WETH')?.price);
  const decimals = new Map(nodes.map((node) => [node.id, node.decimals]));
  const units = (symbol: string, worthEth: number) => {
    const price = Number(nodes.find(({ id }) => id === symbol)?.price) / eth;
    return BigInt(Math.round((worthEth / price) * 10 ** (decimals.get(symbol) ?? 18)));
  };
  const tokens = Object.fromEntries(
    nodes.map(({ id, decimals, price }) => [
      addressOf(id),
      {
        decimals,
        symbol: id,
        ...(price === undefined
          ? {}
          : {
              referencePrice:
                BigInt(Math.round((Number(price) / eth) * 1e18)) * 10n ** BigInt(18 - decimals) +
                '',
            }),
        availableBalance: '0',
        trusted: true,
      },
    ]),
  );
  return {
    id: '7400681',
    tokens,
    orders: options.orders.map((wish, i) => ({
      uid: `0x${(i + 1).toString(16).padStart(112, '0')}`,
      sellToken: addressOf(wish.sell),
      buyToken: addressOf(wish.buy),
      sellAmount: units(wish.sell, wish.eth).toString(),
      buyAmount: units(wish.buy, wish.eth * (1 - wish.slackBps / 10_000)).toString(),
      kind: wish.kind ?? 'sell',
      partiallyFillable: wish.partial ?? false,
      class: wish.class ?? 'limit',
      validTo: 4_000_000_000,
      owner: `0x${'11'.repeat(20)}`,
      preInteractions: [],
      postInteractions: [],
      sellTokenSource: 'erc20',
      buyTokenDestination: 'erc20',
      appData: `0x${'00'.repeat(32)}`,
      signingScheme: 'eip712',
      signature: '0x',
    })),
    liquidity: venues.flatMap((venue) => liquidityOf(venue, decimals, options) ?? []),
    effectiveGasPrice: '15000000000',
    deadline: new Date(options.deadlineMs).toISOString(),
    surplusCapturingJitOrderOwners: [],
  };
}

function liquidityOf(
  venue: ProblemVenue,
  decimals: ReadonlyMap<string, number>,
  { inverseScaling = false }: DriverOptions,
) {
  const base = { id: venue.id, address: venue.id, gasEstimate: '110000' };
  const byToken = <T>(of: (i: number, symbol: string) => T) =>
    Object.fromEntries(venue.nodes.map((node, i) => [addressOf(node), of(i, node)]));
  const factor = (scaled: string, node: string) => {
    const d = decimals.get(node) ?? 18;
    return inverseScaling ? (10n ** BigInt(d)).toString() : decimal(BigInt(scaled), 18);
  };
  switch (venue.kind) {
    case 'constantProduct': {
      const tokens = byToken((i) => ({ balance: venue.reserves[i] }));
      return { ...base, kind: 'constantProduct', tokens, fee: decimal(BigInt(venue.feePips), 6) };
    }
    case 'weighted':
      return {
        ...base,
        kind: 'weightedProduct',
        version: venue.mathVersion === 1 ? 'v0' : 'v3Plus',
        balancer_pool_id: `0x${'00'.repeat(32)}`,
        tokens: byToken((i, node) => ({
          balance: venue.balances[i],
          scalingFactor: factor(venue.scalingFactors[i] ?? '', node),
          weight: decimal(BigInt(venue.weights[i] ?? 0), 18),
        })),
        fee: decimal(BigInt(venue.swapFee), 18),
      };
    case 'stable':
      return {
        ...base,
        kind: 'stable',
        balancer_pool_id: `0x${'00'.repeat(32)}`,
        tokens: byToken((i, node) => ({
          balance: venue.balances[i],
          scalingFactor: factor(venue.scalingFactors[i] ?? '', node),
        })),
        amplificationParameter: (BigInt(venue.amplification) / 1000n).toString(),
        fee: decimal(BigInt(venue.swapFee), 18),
      };
    case 'concentrated':
      return {
        ...base,
        kind: 'concentratedLiquidity',
        tokens: venue.nodes.map(addressOf),
        sqrtPrice: venue.sqrtPriceX96,
        liquidity: venue.liquidity,
        tick: venue.tick,
        liquidityNet: Object.fromEntries(venue.ticks.map(([tick, net]) => [String(tick), net])),
        fee: decimal(BigInt(venue.feePips), 6),
        router: venue.id,
      };
    default:
      return null;
  }
}

/** Problems a driver would report (simulation aside), by CoW's documented rules; [] for a good one. */
// biome-ignore lint/suspicious/noExplicitAny: foreign documents
export function driverFaults(auction: any, solution: any): readonly string[] {
  const faults: string[] = [];
  const balance = new Map<string, bigint>();
  const move = (token: string, amount: bigint) =>
    balance.set(token, (balance.get(token) ?? 0n) + amount);
  const price = (token: string) => {
    const text = solution.prices[token];
    if (text === undefined) faults.push(`missingPrice ${token}`);
    return BigInt(text ?? 1);
  };
  for (const trade of solution.trades) {
    // biome-ignore lint/suspicious/noExplicitAny: a foreign document
    const order = auction.orders.find((one: any) => one.uid === trade.order);
    if (order === undefined) {
      faults.push(`no order ${trade.order}`);
      continue;
    }
    const [sell, buy] = [price(order.sellToken), price(order.buyToken)];
    const executed = BigInt(trade.executedAmount);
    const fee = BigInt(trade.fee ?? 0);
    const [sellLimit, buyLimit] = [BigInt(order.sellAmount), BigInt(order.buyAmount)];
    const isSell = order.kind === 'sell';
    const sold = isSell ? executed : (executed * buy) / sell;
    const bought = isSell ? (executed * sell + buy - 1n) / buy : executed;
    if (sold + fee > sellLimit) faults.push('invalidExecutedAmount: sells more than it may');
    const filled = isSell ? executed + fee === sellLimit : executed === buyLimit;
    if (!order.partiallyFillable && !filled) faults.push('invalidExecutedAmount: fill or kill');
    if (bought * sellLimit < buyLimit * (sold + fee)) faults.push('limit price violated');
    move(order.sellToken, sold);
    move(order.buyToken, -bought);
  }
  const used = new Set<string>();
  for (const {
    kind,
    id,
    inputToken,
    outputToken,
    inputAmount,
    outputAmount,
  } of solution.interactions) {
    if (kind !== 'liquidity') faults.push(`unexpected interaction ${kind}`);
    if (used.has(id)) faults.push(`liquidity ${id} is used twice`);
    used.add(id);
    move(inputToken, -BigInt(inputAmount));
    move(outputToken, BigInt(outputAmount));
  }
  for (const [token, amount] of balance) {
    if (amount < 0n) faults.push(`nonBufferableTokensUsed: ${-amount} of ${token} are missing`);
  }
  if (!(Number.isInteger(solution.gas) && solution.gas > 21_000)) faults.push('gas');
  return faults;
}

/** Wei that the solution's trades gain over their limits at reference prices. */
// biome-ignore lint/suspicious/noExplicitAny: foreign documents
export function surplusOf(auction: any, solution: any): bigint {
  let sum = 0n;
  for (const trade of solution.trades) {
    // biome-ignore lint/suspicious/noExplicitAny: a foreign document
    const order = auction.orders.find((one: any) => one.uid === trade.order);
    const sell = BigInt(solution.prices[order.sellToken]);
    const buy = BigInt(solution.prices[order.buyToken]);
    const executed = BigInt(trade.executedAmount);
    const isSell = order.kind === 'sell';
    const sold = (isSell ? executed : (executed * buy) / sell) + BigInt(trade.fee ?? 0);
    const bought = isSell ? (executed * sell + buy - 1n) / buy : executed;
    const owed = (BigInt(order.buyAmount) * sold) / BigInt(order.sellAmount);
    sum += ((bought - owed) * BigInt(auction.tokens[order.buyToken].referencePrice ?? 0)) / E18;
  }
  return sum;
}
