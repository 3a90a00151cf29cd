// Reads the objective of the problem format: what the owner wants. Refuses objectives without a
// price where worth is asked for, orders of a batch that share an id or buy what they sell, targets
// that do not sum to exactly 1, and covariances that are not symmetric positive semidefinite (the bound of the risk objective needs convexity).

import { present } from '../types/assert.ts';
import { type Fixed36, fixed36, formatFixed36, ONE36 } from './decimal.ts';
import type {
  ParsedBatch,
  ParsedBatchOrder,
  ParsedNode,
  ParsedObjective,
  ParsedRebalance,
  ParsedSwap,
  ParsedTarget,
} from './parsedProblem.ts';
import {
  type At,
  type ObjectAt,
  readAmount,
  readArray,
  readBoolean,
  readDecimal,
  readId,
  readObject,
  readRecord,
  readString,
  refuse,
} from './reader.ts';
import { readNodeId } from './venueReader.ts';

export const TARGETS_MAX = 64;
export const ORDERS_MAX = 4096;

interface Nodes {
  readonly nodes: readonly ParsedNode[];
  readonly nodeIndex: ReadonlyMap<string, number>;
}

export function readObjective(
  at: At,
  nodes: readonly ParsedNode[],
  nodeIndex: ReadonlyMap<string, number>,
): ParsedObjective {
  const { value } = at;
  const kind: unknown =
    typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  const place = { value: kind, pointer: `${at.pointer}/kind` };
  const text = readString(place);
  if (text === 'swap') return readSwap(at, { nodes, nodeIndex });
  if (text === 'rebalance') return readRebalance(at, { nodes, nodeIndex });
  if (text === 'batch') return readBatch(at, { nodes, nodeIndex });
  refuse(place, `must be swap, rebalance or batch, got ${JSON.stringify(text.slice(0, 80))}`);
}

function readSwap(at: At, all: Nodes): ParsedSwap {
  return { kind: 'swap', ...readSale(readObject(at, ['kind', 'sell', 'buy']), all) };
}

/** What a swap and every order of a batch say: sell this much of one node for another. */
function readSale(sale: ObjectAt, all: Nodes): Pick<ParsedSwap, 'sell' | 'amount' | 'buy'> {
  const sellAt = readObject(sale.field('sell'), ['node', 'amount']);
  const sell = readPricedNode(sellAt.field('node'), all);
  const buy = readPricedNode(sale.field('buy'), all);
  if (sell === buy) refuse(sale.field('buy'), 'must differ from the node that is sold');
  return { sell, amount: readAmount(sellAt.field('amount'), 1n), buy };
}

function readBatch(at: At, all: Nodes): ParsedBatch {
  const place = readObject(at, ['kind', 'orders']).field('orders');
  const firstOf = new Map<string, number>();
  const orders = readArray(place, 1, ORDERS_MAX).map((item, index): ParsedBatchOrder => {
    const order = readObject(item, ['id', 'sell', 'buy', 'minOut', 'partial']);
    const id = readId(order.field('id'));
    const first = firstOf.get(id);
    if (first !== undefined) {
      const message = `id ${JSON.stringify(id)} is already used by order ${first}`;
      refuse(order.field('id'), `${message}; ids must be unique`, 'duplicateId');
    }
    firstOf.set(id, index);
    const { sell, amount, buy } = readSale(order, all);
    return {
      id,
      sell,
      amount,
      buy,
      minOut: readAmount(order.field('minOut'), 1n),
      partial: readBoolean(order.field('partial')),
    };
  });
  return { kind: 'batch', orders };
}

function readPricedNode(at: At, { nodes, nodeIndex }: Nodes): number {
  const index = readNodeId(at, nodeIndex);
  if (present(nodes[index], 'node').price === null) {
    refuse(at, 'this node needs a price: give /nodes its dollars per whole token', 'missingPrice');
  }
  return index;
}

function readRebalance(at: At, all: Nodes): ParsedRebalance {
  const objective = readObject(at, ['kind', 'holdings', 'targets'], ['risk']);
  const holdings = readHoldings(objective.field('holdings'), all);
  const { targets, targetOfNode } = readTargets(objective.field('targets'), all);
  const worthless = holdings.every((amount, i) => amount === 0n || targetOfNode[i] === -1);
  if (worthless) {
    refuse(objective.field('holdings'), 'nothing to rebalance: no node of a target holds anything');
  }
  const risk = objective.has('risk') ? readRisk(objective.field('risk'), targets.length) : null;
  return { kind: 'rebalance', holdings, targets, targetOfNode, risk };
}

function readHoldings(at: At, { nodes, nodeIndex }: Nodes): readonly bigint[] {
  const holdings = nodes.map(() => 0n);
  for (const [id, item] of readRecord(at, nodes.length)) {
    holdings[readNodeId({ value: id, pointer: item.pointer }, nodeIndex)] = readAmount(item);
  }
  return holdings;
}

function readTargets(
  at: At,
  all: Nodes,
): { readonly targets: readonly ParsedTarget[]; readonly targetOfNode: readonly number[] } {
  const targetOfNode = all.nodes.map(() => -1);
  let sum = 0n;
  const targets = readArray(at, 1, TARGETS_MAX).map((item, index): ParsedTarget => {
    const target = readObject(item, ['nodes', 'weight']);
    const members = readArray(target.field('nodes'), 1, all.nodes.length).map((member) => {
      const node = readPricedNode(member, all);
      if (targetOfNode[node] !== -1) {
        refuse(member, `this node is already in target ${targetOfNode[node]}`, 'duplicateId');
      }
      targetOfNode[node] = index;
      return node;
    });
    const weight = readDecimal(target.field('weight'));
    if (weight > ONE36) refuse(target.field('weight'), 'must be at most 1');
    sum += weight;
    return { nodes: members, weight };
  });
  if (sum !== ONE36) {
    refuse(at, `weights must sum to exactly 1, they sum to ${formatFixed36(fixed36(sum))}`);
  }
  return { targets, targetOfNode };
}

function readRisk(at: At, size: number): ParsedRebalance['risk'] {
  const risk = readObject(at, ['aversion', 'covariance']);
  const aversion = readDecimal(risk.field('aversion'), { positive: true });
  const place = risk.field('covariance');
  const covariance = readArray(place, size, size).map((row) =>
    readArray(row, size, size).map((cell) => readDecimal(cell, { signed: true })),
  );
  covariance.forEach((row, i) => {
    row.forEach((cell, j) => {
      if (cell !== covariance[j]?.[i]) {
        refuse({ pointer: `${place.pointer}/${i}/${j}` }, 'covariance must be symmetric');
      }
    });
  });
  if (!positiveSemidefinite(covariance)) {
    refuse(
      place,
      'covariance must be positive semidefinite; add its rounding error to the diagonal',
    );
  }
  return { aversion, covariance };
}

/**
 * Exact: fraction-free (Bareiss) elimination in integers. With symmetric pivots every remaining
 * diagonal entry is a principal minor over a positive one, so a negative one refutes; a zero one
 * must have a zero row. 64 × 64 entries of 40 digits take well under a second.
 */
export function positiveSemidefinite(matrix: readonly (readonly Fixed36[])[]): boolean {
  let rest: readonly (readonly bigint[])[] = matrix;
  let previous = 1n;
  while (rest.length > 0) {
    if (rest.some((row, i) => (row[i] ?? 0n) < 0n)) return false;
    const pivotAt = rest.findIndex((row, i) => (row[i] ?? 0n) > 0n);
    if (pivotAt < 0) return rest.every((row) => row.every((cell) => cell === 0n));
    const pivotRow = present(rest[pivotAt], 'pivot row');
    const pivot = present(pivotRow[pivotAt], 'pivot');
    const divisor = previous;
    rest = rest
      .filter((_, i) => i !== pivotAt)
      .map((row) => {
        const factor = row[pivotAt] ?? 0n;
        return row
          .map((cell, j) => (cell * pivot - factor * (pivotRow[j] ?? 0n)) / divisor)
          .filter((_, j) => j !== pivotAt);
      });
    previous = pivot;
  }
  return true;
}
