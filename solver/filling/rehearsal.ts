// What a desk does once before its first auction, so that the first bid is not late for being the first:
// a purchase and a sale planned on each chain's market, as every bid plans them. Of the plans nothing is
// kept, promised or sent.

import type { Engine } from '../engine/engine.ts';
import { RESTORE_BASE_GAS } from './bidding.ts';
import type { DeskMarket } from './deskMarket.ts';
import { planChain, planSale } from './plan.ts';
import { amountWorth, worthDown } from './value.ts';

/** 1,000 dollars: what pools of any use can take. */
const SIZE_WAD = 1_000n * 10n ** 18n;

/** On the market's first two tokens; without two there is nothing to trade. */
export function rehearse(engine: Engine, market: DeskMarket): void {
  const [sell, buy] = market.nodes;
  if (sell === undefined || buy === undefined) return;
  const amount = amountWorth(SIZE_WAD, sell);
  if (worthDown(amount, sell) === 0n) return;
  planChain({
    ...{ engine, market, hints: new Map() },
    free: new Map([[sell.id, 2n * amount]]),
    needs: new Map([[buy.id, amountWorth(SIZE_WAD, buy)]]),
  });
  planSale(engine, market, sell, amount, RESTORE_BASE_GAS);
}
