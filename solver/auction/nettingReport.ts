// The batch report as JSON, for the auction's record: prices, legs, and joining beside one by one, losses
// as well as gains. Computes nothing that netting.ts has not.

import { formatDecimal } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import type { OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Leg } from '../types/problem.ts';
import type { BatchedOrder } from './basket.ts';
import type { Tally } from './tally.ts';

/** What a report tells of a cleared batch; netting.ts has the types whole. */
export interface Reported {
  readonly mode: 'batch' | 'oneByOne';
  readonly prices: Readonly<Record<string, { readonly sold: string; readonly bought: string }>>;
  readonly legs: readonly Leg[];
  readonly together: Tally;
  readonly apart: Tally;
}
export interface ReportedPlan {
  readonly orders: readonly BatchedOrder[];
  readonly problem: Pick<ParsedProblem, 'digest'>;
  readonly feeE9: bigint;
}

export function reportOf(
  cleared: Reported,
  plan: ReportedPlan | null,
  leftOut: ReadonlyMap<OrderId, string>,
): JsonObject {
  const { mode, prices, together, apart, legs } = cleared;
  const gain = together.surplusWad - apart.surplusWad;
  return {
    version: 1,
    mode,
    served: plan?.orders.map(({ orderId }) => orderId) ?? [],
    leftOut: [...leftOut].map(([orderId, reason]) => ({ orderId, reason })),
    prices: Object.fromEntries(Object.entries(prices).map(([node, price]) => [node, { ...price }])),
    feePpb: (plan?.feeE9 ?? 0n).toString(),
    problem: mode === 'batch' && plan !== null ? plan.problem.digest : null,
    legs: legs.map((leg) => ({ venue: leg.venue, in: { ...leg.in }, out: { ...leg.out } })),
    together: tallyToJson(together),
    oneByOne: tallyToJson(apart),
    gained: {
      // What joining is worth when it is done; what it would have been worth when it is not.
      surplusUsd: formatDecimal(gain, 18),
      packets: apart.packets - together.packets,
      transfers: apart.transfers - together.transfers,
      venueLegs: apart.venueLegs - together.venueLegs,
      venueVolumeUsd: formatDecimal(apart.venueVolumeWad - together.venueVolumeWad, 18),
    },
  };
}

const tallyToJson = (tally: Tally): JsonObject => ({
  orders: tally.orders,
  surplusUsd: formatDecimal(tally.surplusWad, 18),
  costUsd: formatDecimal(tally.costWad, 18),
  packets: tally.packets,
  transfers: tally.transfers,
  venueLegs: tally.venueLegs,
  venueVolumeUsd: formatDecimal(tally.venueVolumeWad, 18),
});
