// The door of the result format, version 1: JSON → ProblemResult, strictly by shape. Whether the
// result is true is the checker's question (certificate/verify.ts), which needs the problem too.

import { InvalidInput } from '../types/errors.ts';
import type {
  BoundTree,
  Leg,
  NodeAmount,
  OrderFill,
  ProblemResult,
  SolveStatus,
} from '../types/problem.ts';
import { parseJsonText } from './jsonText.ts';
import { ORDERS_MAX } from './objectiveReader.ts';
import { NODES_MAX, VENUES_MAX } from './problemFile.ts';
import {
  type At,
  readAmount,
  readArray,
  readDecimal,
  readId,
  readObject,
  readOneOf,
  readRecord,
  readString,
  refuse,
} from './reader.ts';

/** Leaves of a bound by cases, and branches above each. */
export const LEAVES_MAX = 256;
export const BRANCH_DEPTH_MAX = 64;
const STATUSES: readonly SolveStatus[] = ['solved', 'noRoute', 'infeasible', 'limit'];

/** The whole document. Throws InvalidInput with the pointer of the fault. */
export function parseResult(json: unknown): ProblemResult {
  const root = readObject(
    { value: json, pointer: '' },
    [
      'version',
      'problem',
      'engine',
      'status',
      'value',
      'bound',
      'gapBps',
      'prices',
      'legs',
      'final',
      'costs',
    ],
    ['branches', 'loops', 'orders'],
  );
  const version = root.field('version');
  if (version.value !== 1) refuse(version, 'must be 1, the only version this build reads');
  const costs = readObject(root.field('costs'), ['fees', 'impact', 'fixed']);
  return {
    version: 1,
    problem: readHash(root.field('problem')),
    engine: readHash(root.field('engine')),
    status: readOneOf(root.field('status'), STATUSES),
    value: decimalText(root.field('value')),
    bound: decimalText(root.field('bound')),
    gapBps: decimalText(root.field('gapBps')),
    prices: readTexts(root.field('prices'), decimalText),
    ...(root.has('branches') ? { branches: readTree(root.field('branches')) } : {}),
    ...(root.has('loops') ? { loops: readLoops(root.field('loops')) } : {}),
    legs: readArray(root.field('legs'), 0, VENUES_MAX).map(readLeg),
    final: readTexts(root.field('final'), amountText),
    ...(root.has('orders')
      ? { orders: readArray(root.field('orders'), 0, ORDERS_MAX).map(readFill) }
      : {}),
    costs: {
      fees: decimalText(costs.field('fees')),
      impact: decimalText(costs.field('impact')),
      fixed: decimalText(costs.field('fixed')),
    },
  };
}

/** From text, refusing duplicate keys besides. Throws InvalidInput. */
export function parseResultText(text: string): ProblemResult {
  return parseResult(parseJsonText(text));
}

function readLeg(at: At): Leg {
  const leg = readObject(at, ['venue', 'in', 'out']);
  return {
    venue: readId(leg.field('venue')),
    in: readNodeAmount(leg.field('in')),
    out: readNodeAmount(leg.field('out')),
  };
}

function readFill(at: At): OrderFill {
  const fill = readObject(at, ['id', 'in', 'out']);
  return {
    id: readId(fill.field('id')),
    in: amountText(fill.field('in')),
    out: amountText(fill.field('out')),
  };
}

function readLoops(at: At): NonNullable<ProblemResult['loops']> {
  const loops = readObject(at, ['bound', 'prices']);
  return {
    bound: decimalText(loops.field('bound')),
    prices: readTexts(loops.field('prices'), decimalText),
  };
}

/** A bound by cases; ids, and prices of all nodes, are the checker's to judge. */
function readTree(at: At): BoundTree {
  let leaves = 0;
  const read = (place: At, depth: number): BoundTree => {
    const { value } = place;
    const has = (key: string) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    if (has('prices')) {
      leaves++;
      if (leaves > LEAVES_MAX) refuse(place, `at most ${LEAVES_MAX} leaves`);
      const leaf = readObject(place, ['prices']);
      return { prices: readTexts(leaf.field('prices'), decimalText) };
    }
    if (depth >= BRANCH_DEPTH_MAX) refuse(place, `at most ${BRANCH_DEPTH_MAX} branches deep`);
    const kind = (['venue', 'group', 'order'] as const).find(has);
    if (kind === undefined) {
      refuse(place, 'must be a leaf with prices, or a branch on a venue, group or order');
    }
    const branch = readObject(place, [kind, 'used', 'unused']);
    const used = read(branch.field('used'), depth + 1);
    const unused = read(branch.field('unused'), depth + 1);
    const id = readId(branch.field(kind));
    if (kind === 'venue') return { venue: id, used, unused };
    if (kind === 'group') return { group: id, used, unused };
    return { order: id, used, unused };
  };
  return read(at, 0);
}

function readNodeAmount(at: At): NodeAmount {
  const pair = readObject(at, ['node', 'amount']);
  return { node: readId(pair.field('node')), amount: amountText(pair.field('amount')) };
}

function readTexts(at: At, read: (at: At) => string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readRecord(at, NODES_MAX).map(([key, item]) => [
      readId({ value: key, pointer: item.pointer }),
      read(item),
    ]),
  );
}

function readHash(at: At): string {
  const text = readString(at);
  if (!/^0x[0-9a-f]{64}$/.test(text)) {
    throw new InvalidInput('must be 0x and 64 lower-case hex digits', { pointer: at.pointer });
  }
  return text;
}

function amountText(at: At): string {
  readAmount(at);
  return readString(at);
}

function decimalText(at: At): string {
  readDecimal(at, { signed: true });
  return readString(at);
}
