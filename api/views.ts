// A stored order as the Open Intents Framework's GetOrder, flat, with our finer state, the reason,
// where the money is and every transaction. Pure presentation: decides and computes nothing.

import { orderFromJson, orderToJson } from '../contracts-abi/orderJson.ts';
import {
  interoperable,
  isTerminal,
  type JsonObject,
  type OrderRecord,
  type OrderState,
  STATE_NOTES,
  type StoredOrder,
  type StoredTx,
} from '../solver/index.ts';

/** Our states in OIF's words. `finalized`: released on every origin, at finality. */
const OIF_STATUS: Readonly<Record<OrderState, string>> = {
  created: 'created',
  awarded: 'pending',
  opening: 'executing',
  opened: 'executing',
  filling: 'executing',
  filled: 'executed',
  proving: 'settling',
  releasing: 'settling',
  settled: 'finalized',
  refunding: 'settling',
  refunded: 'refunded',
  failed: 'failed',
};

type OrderJson = ReturnType<typeof orderToJson>;

export function orderView({ order: stored, transactions, quotedAmounts }: OrderRecord): JsonObject {
  const order = orderToJson(orderFromJson(stored.order));
  const fill = transactions.find(({ purpose }) => purpose.startsWith('fill'));
  return {
    ...headOf(stored, order),
    outputAmounts: outputsOf(order).map((output, i) => ({
      ...output,
      amount: quotedAmounts?.[i] ?? output.minimumAmount,
    })),
    settlement: {
      type: 'escrow',
      data: {
        openDeadline: order.openDeadline,
        fillDeadline: order.fillDeadline,
        expiry: order.expiry,
        escrows: order.origins.map(({ chainId, settler }) => ({
          chainId: Number(chainId),
          settler,
        })),
        award: stored.award,
      },
    },
    ...(fill === undefined ? {} : { fillTransaction: transactionView(fill) }),
    transactions: transactions.map(transactionView),
    facts: stored.facts,
  };
}

/** The order in a list: what its own row says. */
export function orderSummary(stored: StoredOrder): JsonObject {
  const order = orderToJson(orderFromJson(stored.order));
  return { ...headOf(stored, order), outputAmounts: outputsOf(order) };
}

function headOf(stored: StoredOrder, order: OrderJson) {
  const { state } = stored;
  return {
    id: stored.orderId,
    orderId: stored.orderId,
    status: OIF_STATUS[state],
    state,
    terminal: isTerminal(state),
    reason: stored.reason,
    ...STATE_NOTES[state],
    createdAt: Math.floor(stored.createdAtMs / 1000),
    updatedAt: Math.floor(stored.updatedAtMs / 1000),
    ...(stored.quoteId === null ? {} : { quoteId: stored.quoteId }),
    owner: stored.owner,
    nonce: stored.nonce,
    inputAmounts: order.origins.flatMap(({ chainId, inputs }) =>
      inputs.map(({ token, amount }) => ({
        asset: interoperable(Number(chainId), token),
        chainId: Number(chainId),
        token,
        amount,
      })),
    ),
  };
}

const outputsOf = (order: OrderJson) =>
  order.outputs.map(({ chainId, token, amount }) => ({
    asset: interoperable(Number(chainId), `0x${token.slice(26)}`),
    chainId: Number(chainId),
    token: `0x${token.slice(26)}`,
    minimumAmount: amount,
  }));

function transactionView(tx: StoredTx): JsonObject {
  return {
    chainId: tx.chainId,
    purpose: tx.purpose,
    hash: tx.hash,
    status: tx.status,
    blockNumber: tx.blockNumber?.toString() ?? null,
    gasUsed: tx.gasUsed?.toString() ?? null,
  };
}
