// What a settled order cost and turned over, as the policy's budgets count it: at the prices of its
// proposal, inputs against what was awarded, in exact integers until the end. Pure.

import { nodeIdOf } from '../market/snapshot.ts';
import type { PastSettlement } from '../policy/types.ts';
import type { UnixSeconds } from '../types/amounts.ts';
import type { JsonObject } from '../types/json.ts';
import type { NetworkConfig, TokenConfig } from '../types/network.ts';
import type { StoredOrder } from '../types/store.ts';

interface Leg {
  readonly chain: number;
  readonly token: string;
  readonly amount: bigint;
}

/**
 * `expected` is the proposal's: worth in dollars and prices by network asset. Cost is never
 * negative: a settlement that brought more than it took earns no budget.
 */
export function settlementOf(
  order: StoredOrder,
  expected: JsonObject,
  network: NetworkConfig,
  at: UnixSeconds,
): PastSettlement {
  const worthUsd = Number(expected.worthUsd);
  const net = new Map<string, number>();
  const usdOf = pricer(expected.priceUsd as JsonObject, network);
  const count = (legs: readonly Leg[], sign: number) => {
    for (const leg of legs) {
      const { asset, usd } = usdOf(leg);
      net.set(asset, (net.get(asset) ?? 0) + sign * usd);
    }
  };
  count(inputsOf(order.order), -1);
  count(outputsOf(order), 1);
  const gained = [...net.values()].reduce((sum, usd) => sum + usd, 0);
  const moved = [...net.values()].reduce((sum, usd) => sum + Math.abs(usd), 0);
  const cost = Math.min(1, Math.max(0, -gained) / worthUsd);
  return { at, cost, turnover: moved / 2 / worthUsd };
}

/** Tokens whose asset the policy does not name are not its affair: worth nothing here. */
function pricer(prices: JsonObject, { chains }: NetworkConfig) {
  const tokens = new Map<string, TokenConfig>(
    chains.flatMap(({ chainId, tokens: listed }) =>
      listed.map((token) => [`${chainId}:${token.address}`, token] as const),
    ),
  );
  return ({ chain, token, amount }: Leg): { asset: string; usd: number } => {
    const listed = tokens.get(`${chain}:${token}`);
    if (listed === undefined) return { asset: '', usd: 0 };
    const price = Number(prices[listed.asset] ?? 0);
    return { asset: listed.asset, usd: (Number(amount) / 10 ** listed.decimals) * price };
  };
}

type OriginJson = { chainId: string; inputs: readonly { token: string; amount: string }[] };
type OutputJson = { chainId: string; token: string; amount: string };

function inputsOf(order: JsonObject): readonly Leg[] {
  return (order.origins as unknown as readonly OriginJson[]).flatMap(({ chainId, inputs }) =>
    inputs.map(({ token, amount }) => ({
      chain: Number(chainId),
      token: token.toLowerCase(),
      amount: BigInt(amount),
    })),
  );
}

/** At the awarded amounts; at the signed minimum where there is no award. */
function outputsOf({ order, award }: StoredOrder): readonly Leg[] {
  const amounts = (award?.amounts ?? []) as readonly (string | number)[];
  return (order.outputs as unknown as readonly OutputJson[]).map((output, i) => ({
    chain: Number(output.chainId),
    token: `0x${output.token.slice(-40)}`.toLowerCase(),
    amount: BigInt(amounts[i] ?? output.amount),
  }));
}

/** The order's outputs by node id with their signed minimum, for the log. */
export function outputNodes({ order }: StoredOrder, network: NetworkConfig): readonly string[] {
  const symbols = new Map<string, string>(
    network.chains.flatMap(({ chainId, tokens }) =>
      tokens.map((token) => [`${chainId}:${token.address}`, nodeIdOf(chainId, token.symbol)]),
    ),
  );
  return (order.outputs as unknown as readonly OutputJson[]).map((output) => {
    const token = `0x${output.token.slice(-40)}`.toLowerCase();
    return symbols.get(`${output.chainId}:${token}`) ?? `${output.chainId}:${token}`;
  });
}
