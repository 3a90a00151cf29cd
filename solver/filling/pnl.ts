// An order's profit and loss as the chains booked it: every transfer of a listed token to or from the
// desk in its own transactions, the released inputs, gas as paid, and message fees, at feed prices.
// It estimates nothing; what it cannot see (change of a message fee) it counts as spent.

import { decodeEventLog, erc20Abi, type Hex } from 'viem';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import type { OrderTx } from '../settlement/ports.ts';
import { present } from '../types/assert.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { ChainLog } from '../types/ports.ts';
import { type DeskMarket, nodeOfToken } from './deskMarket.ts';
import { dollars, worthDown, worthUp } from './value.ts';

/** keccak256 of Transfer(address,address,uint256). */
const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

export interface ProfitAndLossInput {
  readonly order: PortfolioOrder;
  /** Final transactions of the desk for the order, failed ones included: they cost gas too. */
  readonly txs: readonly OrderTx[];
  /** Every chain of the order and of the transactions. */
  readonly markets: ReadonlyMap<number, DeskMarket>;
  readonly filler: EvmAddress;
}

/** Gains round down, losses up, so the profit is never overstated. Dollars as decimal strings. */
export function profitAndLoss({ order, txs, markets, filler }: ProfitAndLossInput): JsonObject {
  const flows = new Map<string, bigint>();
  const marketOf = (id: number) => present(markets.get(id), `market of chain ${id}`);
  const add = (node: string, amount: bigint) => flows.set(node, (flows.get(node) ?? 0n) + amount);
  // Whoever sent the releases: the inputs went to the award's filler.
  for (const origin of order.origins) {
    const market = marketOf(Number(origin.chainId));
    for (const { token, amount } of origin.inputs) {
      add(present(nodeOfToken(market, token), `node of ${token}`).id, amount);
    }
  }
  let gasWad = 0n;
  let messagesWad = 0n;
  for (const { chainId, purpose, receipt, value } of txs) {
    const market = marketOf(chainId);
    gasWad += market.weiWad(receipt.gasUsed * receipt.effectiveGasPrice);
    messagesWad += market.weiWad(value);
    if (!receipt.success || purpose.startsWith('release:')) continue;
    for (const log of receipt.logs) {
      const moved = movement(log, filler);
      const node = moved === 0n ? null : nodeOfToken(market, log.address);
      if (node !== null) add(node.id, moved);
    }
  }
  const nodes = new Map([...markets.values()].flatMap((m) => m.nodes.map((n) => [n.id, n])));
  let worthWad = 0n;
  for (const [id, amount] of flows) {
    const node = present(nodes.get(id), id);
    worthWad += amount >= 0n ? worthDown(amount, node) : -worthUp(-amount, node);
  }
  return {
    profitUsd: dollars(worthWad - gasWad - messagesWad),
    tokensUsd: dollars(worthWad),
    gasUsd: dollars(gasWad),
    messagesUsd: dollars(messagesWad),
    flows: Object.fromEntries(
      [...flows].filter(([, v]) => v !== 0n).map(([id, v]) => [id, v.toString()]),
    ),
  };
}

/** What a Transfer log moves to (positive) or from (negative) the account; 0 for any other log. */
function movement(log: ChainLog, account: EvmAddress): bigint {
  if (log.topics[0] !== TRANSFER || log.topics.length !== 3 || log.data.length !== 66) return 0n;
  const { args } = decodeEventLog({
    abi: erc20Abi,
    eventName: 'Transfer',
    topics: log.topics as [Hex, ...Hex[]],
    data: log.data,
  });
  const incoming = args.to.toLowerCase() === account ? args.value : 0n;
  const outgoing = args.from.toLowerCase() === account ? args.value : 0n;
  return incoming - outgoing;
}
