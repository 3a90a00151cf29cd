// Whether the orders shown beside an auction are those it was about: each hashes to its id, and the
// instance's terms (pair, minimums, times) are the signed ones. Refuses, as a value, what is not.

import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { readArray, readObject } from '../market/reader.ts';
import type { AuctionInstance, AuctionOrder } from '../types/auction.ts';
import { fromBytes32Address } from '../types/ids.ts';
import { MAX_ORDERS, pairOf, readHash } from './instance.ts';
import type { Differs } from './record.ts';

/**
 * @param value the page's `orders`: [{ orderId, order }], one per order of the instance in any order
 * Throws InvalidInput (and the order parser's OrderJsonError) where it cannot be read.
 */
export function ordersBehind(instance: AuctionInstance, value: unknown): Differs | null {
  const shown = readArray({ value, pointer: '/orders' }, 0, MAX_ORDERS).map((item) => {
    const at = readObject(item, ['orderId', 'order']);
    const order = orderFromJson(at.field('order').value);
    return { orderId: readHash(at.field('orderId')), order, pointer: item.pointer };
  });
  for (const terms of instance.orders) {
    const own = shown.find(({ orderId }) => (orderId as string) === terms.orderId);
    if (own === undefined) return differs('/orders', `order ${terms.orderId} is not shown`);
    if (hashOrder(own.order) !== terms.orderId) {
      return differs(`${own.pointer}/order`, `it hashes to another id than ${terms.orderId}`);
    }
    const fault = termsFault(terms, own.order);
    if (fault !== null) return differs(`${own.pointer}/order`, fault);
  }
  return null;
}

function termsFault(terms: AuctionOrder, order: PortfolioOrder): string | null {
  if (pairOf(order) !== terms.pair) return 'the instance has another directed pair for it';
  if (terms.openBy > order.openDeadline) return 'openBy is after its open deadline';
  if (terms.fillDeadline !== order.fillDeadline) return 'the instance has another fill deadline';
  if (terms.outputs.length !== order.outputs.length) return 'it has another number of outputs';
  const wrong = order.outputs.findIndex((output, j) => {
    const own = terms.outputs[j];
    return !(
      own !== undefined &&
      own.minimum === output.amount &&
      BigInt(own.chainId) === output.chainId &&
      own.token === fromBytes32Address(output.token)
    );
  });
  return wrong < 0 ? null : `output ${wrong} is not what the instance says`;
}

const differs = (path: string, message: string): Differs => ({ ok: false, path, message });
