// Where an order's tokens are at given blocks, for whoever counts a portfolio: slots of the origins
// and fill records of the destinations, each chain at the very block its balances were read at, so
// that nothing is counted twice or missed between two reads. Decides nothing; finality is not its
// business.

import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import { present } from '../types/assert.ts';
import { type ChainId, chainId, evmAddress, fromBytes32Address } from '../types/ids.ts';
import type { BlockRef, Chain } from '../types/ports.ts';
import type { OrderStanding, ReadStanding } from '../types/standing.ts';
import { parseAwarded } from './awardedOrder.ts';
import * as contracts from './contracts.ts';

export function createStanding(chains: ReadonlyMap<ChainId, Chain>): ReadStanding {
  return async (row, blocks) => {
    const order = orderFromJson(row.order);
    const at = async (id: ChainId): Promise<[Chain, BlockRef]> => {
      const chain = present(chains.get(id), `chain ${id}`);
      return [chain, blocks.get(id) ?? (await chain.block('latest'))];
    };
    const inputs = await Promise.all(
      order.origins.map(async (origin) => {
        const id = chainId(Number(origin.chainId));
        const [chain, block] = await at(id);
        const call = contracts.slotCall(origin, order.owner, order.nonce);
        const status = contracts.decodeSlotStatus((await chain.read([call], block))[0]);
        const where = status === 'none' ? 'wallet' : status === 'open' ? 'escrow' : 'gone';
        return origin.inputs.map(({ token, amount }) => ({
          chainId: id,
          token: evmAddress(token),
          amount,
          at: where as OrderStanding['inputs'][number]['at'],
        }));
      }),
    );
    const delivered = new Set<number>();
    if (row.award !== null) {
      const awarded = parseAwarded(row);
      for (const id of new Set(order.outputs.map((output) => chainId(Number(output.chainId))))) {
        const mine = [...awarded.outputs.entries()].filter(([, o]) => Number(o.chainId) === id);
        const [chain, block] = await at(id);
        const outputs = mine.map(([, output]) => output);
        const records = await contracts.readRecords(chain, awarded, outputs, block);
        for (const [i, [index]] of mine.entries()) {
          if (records[i]?.status === 'filled') delivered.add(index);
        }
      }
    }
    return {
      inputs: inputs.flat(),
      outputs: order.outputs.map((output, index) => ({
        chainId: chainId(Number(output.chainId)),
        token: fromBytes32Address(output.token),
        minimum: output.amount,
        delivered: delivered.has(index),
      })),
    };
  };
}
