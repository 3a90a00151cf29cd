// The door of the result format, version 1: JSON → ProblemResult, strictly by shape. Whether the
// result is true is the checker's question (certificate/verify.ts), which needs the problem too.

import { InvalidInput } from '../types/errors.ts';
import type { Leg, NodeAmount, ProblemResult, SolveStatus } from '../types/problem.ts';
import { parseJsonText } from './jsonText.ts';
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
    ['orders'],
  );
  const version = root.field('version');
  if (version.value !== 1) refuse(version, 'must be 1, the only version this build reads');
  if (root.has('orders')) {
    refuse(root.field('orders'), 'only batch objectives have orders', 'unsupported');
  }
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
    legs: readArray(root.field('legs'), 0, VENUES_MAX).map(readLeg),
    final: readTexts(root.field('final'), amountText),
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
