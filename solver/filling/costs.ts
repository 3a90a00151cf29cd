// What an order will cost the desk in gas and message fees, in 18-decimal dollars rounded up, by the
// table that quoting uses; the real bill is counted from receipts.

import { GAS } from '../../contracts-abi/gas.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { present } from '../types/assert.ts';
import { chainId } from '../types/ids.ts';
import type { DeskMarket } from './deskMarket.ts';

/** Gas of every act of ours but swaps, and all message fees. */
export function overheadWad(
  order: PortfolioOrder,
  markets: ReadonlyMap<number, DeskMarket>,
): { readonly gasWad: bigint; readonly messagesWad: bigint } {
  let gasWad = 0n;
  let messagesWad = 0n;
  const at = (id: bigint) => present(markets.get(Number(id)), `market of chain ${id}`);
  for (const origin of order.origins) {
    const inputs = BigInt(origin.inputs.length);
    const others = BigInt(order.origins.length - 1);
    const open = GAS.open + GAS.openPerInput * inputs + GAS.openPerOtherOrigin * others;
    const release =
      GAS.release +
      GAS.releasePerInput * inputs +
      GAS.releasePerOutput * BigInt(order.outputs.length);
    gasWad += at(origin.chainId).gasWad(open + release);
  }
  for (const id of new Set(order.outputs.map((output) => output.chainId))) {
    const records = BigInt(order.outputs.filter((output) => output.chainId === id).length);
    const market = at(id);
    gasWad += market.gasWad(GAS.fillBatch + GAS.fillPerOutput * records);
    const remote = order.origins.filter((origin) => origin.chainId !== id);
    if (remote.length === 0) continue;
    const perMessage = GAS.submitPerMessage + GAS.submitPerRecord * records;
    gasWad += market.gasWad(GAS.submit + perMessage * BigInt(remote.length));
    for (const origin of remote) {
      const fee = market.messageFees.get(chainId(Number(origin.chainId)));
      const { base, perRecord } = present(fee, `message fee ${id} → ${origin.chainId}`);
      messagesWad += market.weiWad(base + perRecord * records);
    }
  }
  return { gasWad, messagesWad };
}
