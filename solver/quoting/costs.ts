// What serving an order costs the filler: gas of every act and the fees of every proof message,
// in dollars, rounded up. Pure over a scene. Two uses: a first estimate per edge, so that the
// optimizer weighs them, and the bill of an order whose shape is known, which is what is charged.

import { GAS } from '../../contracts-abi/gas.ts';
import type { ChainMarket } from '../market/source.ts';
import { mulDivUp } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import type { ChainId } from '../types/ids.ts';
import { addUsd, toMicroUp, type Usd, usd, worthUp, ZERO_USD } from './money.ts';
import { MESSAGE_FEE_HEADROOM_BPS } from './policy.ts';
import type { Scene } from './scene.ts';

type Prices = Pick<Scene, 'markets' | 'nativePrices'>;

/** Dollars for `gas` units on a chain. */
export function gasCost(prices: Prices, chainId: ChainId, gas: bigint): Usd {
  return nativeWorth(prices, chainId, gas * marketOf(prices, chainId).gasPrice);
}

/** Dollars for one proof message of `records`, fee and headroom; null where none can be sent. */
export function messageCost(
  prices: Prices,
  from: ChainId,
  to: ChainId,
  records: number,
): Usd | null {
  const fee = marketOf(prices, from).messageFees.get(to);
  if (fee === undefined) return null;
  const wei = fee.base + fee.perRecord * BigInt(records);
  const padded = mulDivUp(wei, BigInt(10_000 + MESSAGE_FEE_HEADROOM_BPS), 10_000n);
  return nativeWorth(prices, from, padded);
}

/** How many of what an order has, per chain. */
export interface OrderShape {
  readonly inputs: ReadonlyMap<ChainId, number>;
  readonly outputs: ReadonlyMap<ChainId, number>;
  /** Gas of the swaps inside the fill transactions. */
  readonly swapGas: ReadonlyMap<ChainId, bigint>;
}
export interface OrderCosts {
  readonly gas: Usd;
  readonly messages: Usd;
}

/** The whole bill; null when an origin cannot be reached by a message from a destination. */
export function orderCosts(prices: Prices, shape: OrderShape): OrderCosts | null {
  let gas = ZERO_USD;
  let messages = ZERO_USD;
  const outputsTotal = [...shape.outputs.values()].reduce((sum, n) => sum + n, 0);
  for (const [chainId, inputs] of shape.inputs) {
    const others = BigInt(shape.inputs.size - 1);
    const units =
      GAS.open +
      GAS.openPerInput * BigInt(inputs) +
      GAS.openPerOtherOrigin * others +
      GAS.release +
      GAS.releasePerInput * BigInt(inputs) +
      GAS.releasePerOutput * BigInt(outputsTotal);
    gas = addUsd(gas, gasCost(prices, chainId, units));
  }
  for (const [chainId, outputs] of shape.outputs) {
    const origins = [...shape.inputs.keys()].filter((origin) => origin !== chainId);
    const proofs = BigInt(origins.length);
    const units =
      GAS.fillBatch +
      (GAS.fillPerOutput + GAS.approve) * BigInt(outputs) +
      (shape.swapGas.get(chainId) ?? 0n) +
      (origins.length > 0 ? GAS.submit : 0n) +
      proofs * (GAS.submitPerMessage + GAS.submitPerRecord * BigInt(outputs));
    gas = addUsd(gas, gasCost(prices, chainId, units));
    for (const origin of origins) {
      const fee = messageCost(prices, chainId, origin, outputs);
      if (fee === null) return null;
      messages = addUsd(messages, fee);
    }
  }
  return { gas: toMicroUp(gas), messages: toMicroUp(messages) };
}

function nativeWorth({ nativePrices }: Prices, chainId: ChainId, wei: bigint): Usd {
  const price = present(nativePrices.get(chainId), `native price of chain ${chainId}`);
  return usd(worthUp(wei, { price, decimals: 18 }));
}

function marketOf({ markets }: Prices, chainId: ChainId): ChainMarket {
  return present(markets.get(chainId), `market of chain ${chainId}`);
}
