// The core's memory → what the engine answers: proposed legs in base units, and dual prices as exact
// decimals, dollars per whole token.

import { type Fixed36, fixed36, formatFixed36 } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import { assert, present } from '../types/assert.ts';
import type { BoundTree, DualPrices } from '../types/problem.ts';
import {
  BRANCH,
  BRANCH_KIND,
  type CoreExports,
  HEADER,
  LEG,
  NODE,
  type Scales,
  SIZE,
} from './abi.ts';
import type { ProposedLeg } from './execute.ts';

/** The dearest price a file can hold, 30 integer digits: any positive prices give a valid bound. */
const PRICE_MAX = fixed36(10n ** 66n - 1n);

/** What the core proposes: legs in execution order, and what a batch's orders sell. */
export interface Proposal {
  readonly legs: readonly ProposedLeg[];
  /** Base units by order, 0 where it is not executed; [] for other objectives. */
  readonly sold: readonly number[];
}

/** Amounts in base units of the node each leg leaves. */
export function decodeProposal(
  core: CoreExports,
  { venues, objective }: ParsedProblem,
  scales: Scales,
): Proposal {
  const view = new DataView(core.memory.buffer);
  const header = core.header();
  const count = view.getInt32(header + HEADER.legCount, true);
  const first = view.getUint32(header + HEADER.legs, true);
  const legs: ProposedLeg[] = [];
  const sold = objective.kind === 'batch' ? objective.orders.map(() => 0) : [];
  for (let at = first; at < first + count * SIZE.leg; at += SIZE.leg) {
    const venue = view.getInt32(at + LEG.venue, true);
    const from = view.getInt32(at + LEG.from, true);
    const to = view.getInt32(at + LEG.to, true);
    if (venue >= venues.length) {
      const output = view.getFloat64(at + LEG.output, true);
      sold[venue - venues.length] = output / present(scales[to], 'scale');
      continue;
    }
    legs.push({
      venue,
      from,
      to,
      amountIn: view.getFloat64(at + LEG.input, true) / present(scales[from], 'scale'),
      stiffness: view.getFloat64(at + LEG.stiffness, true),
    });
  }
  return { legs, sold };
}

/** Dual prices by node id. A swap's bought node carries its own price, as the bound demands. */
export function decodePrices(core: CoreExports, problem: ParsedProblem): DualPrices {
  return pricesAt(core, problem, NODE.dual);
}

/** Prices that bound what loops of pure arbitrage earn; undefined where the core met none. */
export function decodeLoopPrices(
  core: CoreExports,
  problem: ParsedProblem,
): DualPrices | undefined {
  const view = new DataView(core.memory.buffer);
  if (!(view.getFloat64(core.header() + HEADER.loops, true) > 0)) return undefined;
  return pricesAt(core, problem, NODE.loop);
}

function pricesAt(core: CoreExports, problem: ParsedProblem, field: number): DualPrices {
  const view = new DataView(core.memory.buffer);
  const first = view.getUint32(core.header() + HEADER.nodes, true);
  return pricesOf(problem, (i) => view.getFloat64(first + i * SIZE.node + field, true));
}

function pricesOf(problem: ParsedProblem, dualOf: (node: number) => number): DualPrices {
  const { objective } = problem;
  return Object.fromEntries(
    problem.nodes.map((node, i) => {
      const dual = dualOf(i);
      assert(Number.isFinite(dual) && dual >= 0, `dual price of ${node.id} is a number`);
      const bought = objective.kind === 'swap' && i === objective.buy;
      // A core unit of a priced node is a dollar's worth at its price: dual × price per token.
      const price =
        node.price === null
          ? exact36(dual)
          : bought
            ? node.price
            : fixed36((exact36(dual) * node.price) / 10n ** 36n);
      return [node.id, formatFixed36(publishable(price))];
    }),
  );
}

function publishable(price: Fixed36): Fixed36 {
  if (price > PRICE_MAX) return PRICE_MAX;
  return price > 0n ? price : fixed36(1n);
}

/** A finite double ≥ 0 × 10^36, rounded to nearest: 53 bits are kept, not 17 digits of them. */
export function exact36(value: number): Fixed36 {
  if (value === 0) return fixed36(0n);
  const exponent = Math.max(-1074, Math.floor(Math.log2(value)) - 52);
  const mantissa = BigInt(Math.round(value / 2 ** Math.max(exponent, -1022)));
  const shift = BigInt(Math.max(exponent, -1022));
  const scaled = mantissa * 10n ** 36n;
  return fixed36(shift >= 0n ? scaled << shift : (scaled + (1n << (-shift - 1n))) >> -shift);
}

/** A batch's orders stand after the venues. */
function orderOf({ objective }: ParsedProblem, index: number): string {
  assert(objective.kind === 'batch', 'only a batch has orders');
  return present(objective.orders[index], 'order').id;
}

/**
 * The proof by cases, or undefined where one price vector proves as much. At most LEAVES_MAX leaves;
 * every case's prices are as decodePrices'.
 */
export function decodeBranches(core: CoreExports, problem: ParsedProblem): BoundTree | undefined {
  const view = new DataView(core.memory.buffer);
  const header = core.header();
  const count = view.getInt32(header + HEADER.branchCount, true);
  if (count === 0) return undefined;
  const first = view.getUint32(header + HEADER.branches, true);
  const prices = view.getUint32(header + HEADER.leafPrices, true);
  const read = (index: number): BoundTree => {
    assert(index >= 0 && index < count, 'a branch of the tree exists');
    const at = first + index * SIZE.branch;
    const of = view.getInt32(at + BRANCH.index, true);
    const kind = view.getInt32(at + BRANCH.kind, true);
    if (kind === BRANCH_KIND.leaf) {
      const row = prices + of * problem.nodes.length * 8;
      return { prices: pricesOf(problem, (i) => view.getFloat64(row + i * 8, true)) };
    }
    const used = read(view.getInt32(at + BRANCH.used, true));
    const unused = read(view.getInt32(at + BRANCH.unused, true));
    if (kind === BRANCH_KIND.venue && of >= problem.venues.length) {
      return { order: orderOf(problem, of - problem.venues.length), used, unused };
    }
    return kind === BRANCH_KIND.venue
      ? { venue: present(problem.venues[of], 'venue').id, used, unused }
      : { group: present(problem.groups[of], 'group').id, used, unused };
  };
  return read(0);
}
