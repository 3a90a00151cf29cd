// What a bid is made of: feed prices, this account's balances less what is promised already, gas and
// message fees, and two ready strategies. Reads each chain at most once a second, however many orders
// are valued. Worths of what comes in are rounded down, of what goes out up: no bid pays by rounding.

import type { Address } from 'viem';
import { decodeFunctionResult, encodeFunctionData, erc20Abi, type Hex, parseAbi } from 'viem';
import { decodeUint, encodeQuoteMany } from '../../../contracts-abi/calls.ts';
import { GAS } from '../../../contracts-abi/gas.ts';
import type { Chains } from './facts.ts';
import { chainOf } from './facts.ts';
import type { Auction, AuctionedOrder, Offer, SolverNetwork, SolverToken } from './types.ts';

/** An order in dollars, 18 decimals. */
export interface OrderValue {
  /** What release brings. */
  readonly receivedWad: bigint;
  /** The signed minimums, at the auction's prices. */
  readonly minimumWad: bigint;
  /** Gas of every step and the proofs' message fees. */
  readonly costsWad: bigint;
  /** received − minimum − costs: what there is to share with the owner. May be negative. */
  readonly spareWad: bigint;
}

export interface Tools {
  readonly filler: Address;
  readonly network: SolverNetwork;
  /** Reads every chain at once, so that what follows within a second asks none. Never throws. */
  refresh(): Promise<void>;
  /** Dollars per whole token at its feed, 18 decimals; null when the feed has no fresh answer. */
  priceWad(token: SolverToken): Promise<bigint | null>;
  /** Base units that are neither promised in a live bid nor owed to an award. */
  free(token: SolverToken): Promise<bigint>;
  /** Null when a feed is missing. */
  value(order: AuctionedOrder): Promise<OrderValue | null>;
  /** The signed minimums and so many hundredths of a percent more. Ignores what it would cost. */
  atMinimumPlus(order: AuctionedOrder, bps: number): Offer;
  /** The minimums, and all of `extraWad` dollars spread over the outputs by worth; rounded down. */
  atMinimumAnd(order: AuctionedOrder, extraWad: bigint): Offer;
  /**
   * Offers for every order that balances can deliver with a profit of `marginBps` of what comes in;
   * the rest of the spare goes to the owner. Nothing for an order that is short of any token.
   */
  fromInventory(auction: Auction, options?: { readonly marginBps?: number }): Promise<Offer[]>;
}

const MARKET_MS = 1_000;
/** An answer older than this is no price, seconds. */
const FEED_MAX_AGE_SECONDS = 3_600;
const WAD = 10n ** 18n;

const feedAbi = parseAbi([
  'function latestRoundData() view returns (uint80, int256, uint256, uint256, uint80)',
  'function decimals() view returns (uint8)',
]);

interface ChainMarket {
  readonly prices: ReadonlyMap<Address, bigint>;
  readonly balances: ReadonlyMap<Address, bigint>;
  readonly gasPriceWei: bigint;
  /** By origin chain id: of a message with one record, and of each further record, wei. */
  readonly messages: ReadonlyMap<number, { readonly first: bigint; readonly further: bigint }>;
}

export interface ToolsDeps {
  readonly network: SolverNetwork;
  readonly chains: Chains;
  readonly filler: Address;
  /** Base units promised, by `<chainId>:<token>`. */
  readonly promised: () => ReadonlyMap<string, bigint>;
  readonly nowMs: () => number;
}

export const holdingKey = (chainId: number, token: string) => `${chainId}:${token.toLowerCase()}`;

export function createTools(deps: ToolsDeps): Tools {
  const { network, chains, filler, promised, nowMs } = deps;
  const markets = new Map<number, { readonly atMs: number; readonly read: Promise<ChainMarket> }>();
  const market = (chainId: number): Promise<ChainMarket> => {
    const known = markets.get(chainId);
    if (known !== undefined && nowMs() - known.atMs < MARKET_MS) return known.read;
    const read = readMarket(network, chains, filler, chainId, nowMs() / 1000);
    read.catch(() => markets.delete(chainId));
    markets.set(chainId, { atMs: nowMs(), read });
    return read;
  };
  const tools: Tools = {
    filler,
    network,
    async refresh() {
      // A chain that is down must not keep orders of the others from being valued.
      await Promise.allSettled(network.chains.map(({ chainId }) => market(chainId)));
    },
    async priceWad({ chainId, address }) {
      return (await market(chainId)).prices.get(address) ?? null;
    },
    async free({ chainId, address }) {
      const balance = (await market(chainId)).balances.get(address) ?? 0n;
      const left = balance - (promised().get(holdingKey(chainId, address)) ?? 0n);
      return left > 0n ? left : 0n;
    },
    async value(order) {
      const costsWad = await costsOf(network, market, order);
      if (costsWad === null) return null;
      let receivedWad = 0n;
      for (const { token, amount } of order.inputs) {
        const price = await tools.priceWad(token);
        if (price === null) return null;
        receivedWad += (amount * price) / 10n ** BigInt(token.decimals);
      }
      const minimumWad = minimumOf(order);
      return { receivedWad, minimumWad, costsWad, spareWad: receivedWad - minimumWad - costsWad };
    },
    atMinimumPlus: ({ orderId, outputs }, bps) => ({
      orderId,
      amounts: outputs.map(({ minimum }) => minimum + (minimum * BigInt(bps)) / 10_000n),
    }),
    atMinimumAnd(order, extraWad) {
      const total = minimumOf(order);
      const amounts = order.outputs.map(({ minimum }) =>
        total === 0n || extraWad <= 0n ? minimum : minimum + (minimum * extraWad) / total,
      );
      return { orderId: order.orderId, amounts };
    },
    async fromInventory({ orders }, { marginBps = 10 } = {}) {
      const offers: Offer[] = [];
      const taken = new Map<string, bigint>();
      for (const order of orders) {
        const value = await tools.value(order);
        if (value === null) continue;
        const extra = value.spareWad - (value.receivedWad * BigInt(marginBps)) / 10_000n;
        if (extra < 0n) continue;
        const wanted = tools.atMinimumAnd(order, extra);
        const offer = await affordable(tools, order, wanted, taken);
        if (offer !== null) offers.push(offer);
      }
      return offers;
    },
  };
  return tools;
}

/** The offer cut to what is free; null when a minimum is not. Adds what it takes to `taken`. */
async function affordable(
  tools: Tools,
  order: AuctionedOrder,
  offer: Offer,
  taken: Map<string, bigint>,
): Promise<Offer | null> {
  const trial = new Map(taken);
  const amounts: bigint[] = [];
  for (const [i, { token, minimum }] of order.outputs.entries()) {
    const key = holdingKey(token.chainId, token.address);
    const left = (await tools.free(token)) - (trial.get(key) ?? 0n);
    const wanted = offer.amounts[i] ?? minimum;
    const amount = wanted < left ? wanted : left;
    if (amount < minimum) return null;
    trial.set(key, (trial.get(key) ?? 0n) + amount);
    amounts.push(amount);
  }
  for (const [key, amount] of trial) taken.set(key, amount);
  return { orderId: order.orderId, amounts };
}

/** Worth of the minimums at the auction's prices, rounded up. */
const minimumOf = ({ outputs }: AuctionedOrder): bigint =>
  outputs.reduce((sum, { minimum, priceWad, token }) => {
    const unit = 10n ** BigInt(token.decimals);
    return sum + (minimum * priceWad + unit - 1n) / unit;
  }, 0n);

type MarketOf = (chainId: number) => Promise<ChainMarket>;

async function costsOf(
  network: SolverNetwork,
  market: MarketOf,
  { order }: AuctionedOrder,
): Promise<bigint | null> {
  const destinations = [...new Set(order.outputs.map(({ chainId }) => Number(chainId)))];
  let total = 0n;
  const charge = async (chainId: number, gas: bigint, wei: bigint): Promise<boolean> => {
    const { config, prices, gasPriceWei } = {
      ...(await market(chainId)),
      config: find(network, chainId),
    };
    const native = config?.tokens.find(({ asset }) => asset === config.nativeAsset);
    const price = native === undefined ? undefined : prices.get(native.address);
    if (price === undefined) return false;
    total += ((gas * gasPriceWei + wei) * price) / WAD + 1n;
    return true;
  };
  for (const { chainId, inputs } of order.origins) {
    const n = BigInt(inputs.length);
    const gas =
      GAS.open +
      GAS.openPerInput * n +
      GAS.openPerOtherOrigin * BigInt(order.origins.length - 1) +
      GAS.release +
      GAS.releasePerInput * n +
      GAS.releasePerOutput * BigInt(order.outputs.length);
    if (!(await charge(Number(chainId), gas, 0n))) return null;
  }
  for (const id of destinations) {
    const records = BigInt(order.outputs.filter(({ chainId }) => Number(chainId) === id).length);
    const remote = order.origins.filter(({ chainId }) => Number(chainId) !== id);
    let wei = 0n;
    for (const { chainId } of remote) {
      const fee = (await market(id)).messages.get(Number(chainId));
      if (fee === undefined) return null;
      wei += fee.first + fee.further * (records - 1n);
    }
    const perMessage = GAS.submitPerMessage + GAS.submitPerRecord * records;
    const proofs = remote.length === 0 ? 0n : GAS.submit + perMessage * BigInt(remote.length);
    if (!(await charge(id, GAS.fillBatch + GAS.fillPerOutput * records + proofs, wei))) return null;
  }
  return total;
}

const find = ({ chains }: SolverNetwork, chainId: number) =>
  chains.find((chain) => chain.chainId === chainId);

async function readMarket(
  network: SolverNetwork,
  chains: Chains,
  filler: Address,
  chainId: number,
  nowSeconds: number,
): Promise<ChainMarket> {
  const chain = chainOf(chains, chainId);
  const { tokens, contracts } = chain.config;
  const others = network.chains.filter((other) => other.chainId !== chainId);
  const feed = (functionName: 'latestRoundData' | 'decimals') =>
    encodeFunctionData({ abi: feedAbi, functionName });
  const balanceOf = encodeFunctionData({
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [filler],
  });
  const [at, gasPriceWei] = await Promise.all([chain.latest(), chain.public.getGasPrice()]);
  const answers = await chain.read(
    [
      ...tokens.flatMap(({ feed: to, address }) => [
        { to, data: feed('latestRoundData') },
        { to, data: feed('decimals') },
        { to: address, data: balanceOf },
      ]),
      ...others.flatMap(({ eid }) =>
        [1, 2].map((n) => ({
          to: contracts.layerZeroOracle,
          data: encodeQuoteMany([eid], n),
        })),
      ),
    ],
    at,
  );
  const prices = new Map<Address, bigint>();
  const balances = new Map<Address, bigint>();
  tokens.forEach(({ address }, i) => {
    const [round, scale, balance] = answers.slice(3 * i, 3 * i + 3);
    balances.set(address, uint(balance));
    const price = priceOf(round, Number(uint(scale)), nowSeconds);
    if (price !== null) prices.set(address, price);
  });
  const messages = new Map<number, { first: bigint; further: bigint }>();
  others.forEach(({ chainId: id }, i) => {
    const [one, two] = answers.slice(3 * tokens.length + 2 * i).map(uint);
    if (one === undefined || two === undefined || one === 0n) return;
    messages.set(id, { first: one, further: two > one ? two - one : 0n });
  });
  return { prices, balances, gasPriceWei, messages };
}

function priceOf(data: Hex | null | undefined, decimals: number, now: number): bigint | null {
  if (data === null || data === undefined || data === '0x' || decimals > 36) return null;
  const [, answer, , updatedAt] = decodeFunctionResult({
    abi: feedAbi,
    functionName: 'latestRoundData',
    data,
  });
  if (answer <= 0n || now - Number(updatedAt) > FEED_MAX_AGE_SECONDS) return null;
  return (answer * WAD) / 10n ** BigInt(decimals);
}

const uint = (data: Hex | null | undefined): bigint =>
  data === null || data === undefined || data === '0x' ? 0n : decodeUint(data);
