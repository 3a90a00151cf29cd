// What a set of plans comes to: the owners' surplus, what it cost, and what it took in messages,
// transfers and trades. Counts, dollars rounded against the plan. Decides nothing.
//
// Packets prove fills to escrows. An order's output on chain B must be proven on every other chain it
// has an input on; one packet carries up to 64 fills of one path, and orders settled together share
// it. They do not net: every escrow needs its own fills proven, however little was traded.

import { parseFixed36, unitPrice72 } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { present } from '../types/assert.ts';
import type { OrderId } from '../types/ids.ts';
import type { Leg, ProblemNode, ProblemVenue } from '../types/problem.ts';
import type { BatchedOrder } from './basket.ts';

/** LayerZeroOracle.MAX_RECORDS. */
const RECORDS_PER_PACKET = 64;
const PER_18 = 10n ** 54n;

export interface Tally {
  readonly orders: number;
  /** Σ over outputs of ⌊(paid − minimum) · price⌋ at the feed's prices, 18-decimal dollars. */
  readonly surplusWad: bigint;
  /** Venues, groups and packets, 18-decimal dollars, rounded up. */
  readonly costWad: bigint;
  readonly packets: number;
  /** Legs on bridges. */
  readonly transfers: number;
  /** Legs on all other venues, and what went into them at the feed's prices, 18-decimal dollars. */
  readonly venueLegs: number;
  readonly venueVolumeWad: bigint;
}

/** Settled in one go: its fixed costs and packets are paid once. */
export interface Settled {
  readonly orders: readonly BatchedOrder[];
  readonly legs: readonly Leg[];
  readonly problem: Pick<ParsedProblem, 'source'>;
  readonly amounts: ReadonlyMap<OrderId, readonly bigint[]>;
}

interface Priced {
  readonly nodes: readonly ProblemNode[];
  readonly proofWad?: (fillChain: number, originChain: number) => bigint;
}

export function tallyOf(market: Priced, plans: readonly Settled[]): Tally {
  const nodes = new Map(market.nodes.map((node) => [node.id, node]));
  const worth = (node: string, amount: bigint) => {
    const { price, decimals } = present(nodes.get(node), `node ${node}`);
    const unit = price === undefined ? 0n : unitPrice72(parseFixed36(price), decimals);
    return (amount * unit) / PER_18;
  };
  let [surplusWad, costWad, venueVolumeWad] = [0n, 0n, 0n];
  let [orders, packets, transfers, venueLegs] = [0, 0, 0, 0];
  for (const plan of plans) {
    orders += plan.orders.length;
    const venues = new Map(plan.problem.source.venues.map((venue) => [venue.id, venue]));
    for (const { orderId, outputs } of plan.orders) {
      for (const [j, { node, amount }] of outputs.entries()) {
        const paid = plan.amounts.get(orderId)?.[j] ?? amount;
        surplusWad += worth(node, paid - amount);
      }
    }
    for (const leg of plan.legs) {
      if (venues.get(leg.venue)?.kind === 'bridge') transfers += 1;
      else {
        venueLegs += 1;
        venueVolumeWad += worth(leg.in.node, BigInt(leg.in.amount));
      }
    }
    costWad += fixedWad(plan, venues);
    for (const [path, records] of recordsByPath(plan.orders, nodes)) {
      const [fill = 0, origin = 0] = path.split('→').map(Number);
      const count = Math.ceil(records / RECORDS_PER_PACKET);
      packets += count;
      costWad += BigInt(count) * (market.proofWad?.(fill, origin) ?? 0n);
    }
  }
  return { orders, surplusWad, costWad, packets, transfers, venueLegs, venueVolumeWad };
}

function fixedWad({ problem, legs }: Settled, venues: ReadonlyMap<string, ProblemVenue>): bigint {
  const used = new Set(legs.map(({ venue }) => venue));
  let sum = 0n;
  for (const id of used) sum += parseFixed36(present(venues.get(id), id).fixedCost);
  for (const { fixedCost, venues: members } of problem.source.groups ?? []) {
    if (members.some((id) => used.has(id))) sum += parseFixed36(fixedCost);
  }
  return sum === 0n ? 0n : (sum - 1n) / 10n ** 18n + 1n;
}

/** Fills to prove per `fillChain→originChain`. */
function recordsByPath(
  orders: readonly BatchedOrder[],
  nodes: ReadonlyMap<string, ProblemNode>,
): ReadonlyMap<string, number> {
  const chainOf = (node: string) => present(nodes.get(node), `node ${node}`).chain;
  const records = new Map<string, number>();
  for (const { inputs, outputs } of orders) {
    const origins = new Set(inputs.map(({ node }) => chainOf(node)));
    for (const { node } of outputs) {
      for (const origin of origins) {
        if (origin === chainOf(node)) continue;
        const path = `${chainOf(node)}→${origin}`;
        records.set(path, (records.get(path) ?? 0) + 1);
      }
    }
  }
  return records;
}
