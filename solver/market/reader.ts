// Reads untrusted JSON values field by field. Every refusal is InvalidInput with the RFC 6901
// pointer of the fault and a remedy in its message; unknown and missing keys are faults. Shared by
// the problem, result and network files.

import { parseTokenAmount, type TokenAmount } from '../types/amounts.ts';
import { InvalidInput } from '../types/errors.ts';
import { type Fixed36, parseFixed36 } from './decimal.ts';
import { pointerTo } from './jsonText.ts';

export const ID_LENGTH_MAX = 128;

/** A value and where it stands. */
export interface At {
  readonly value: unknown;
  readonly pointer: string;
}

/**
 * A value below another. Its pointer is spelled out only when a fault asks for it: a file of 100,000
 * venues has over a million places, and a good one has no fault.
 */
class Below implements At {
  readonly value: unknown;
  private readonly parent: { readonly pointer: string };
  private readonly token: string | number;
  constructor(value: unknown, parent: { readonly pointer: string }, token: string | number) {
    this.value = value;
    this.parent = parent;
    this.token = token;
  }
  get pointer(): string {
    return pointerTo(this.parent.pointer, this.token);
  }
}

export interface ObjectAt {
  readonly pointer: string;
  /** Whether an optional key is present. */
  has(key: string): boolean;
  field(key: string): At;
}

export function refuse(at: { readonly pointer: string }, message: string, code?: string): never {
  throw new InvalidInput(message, {
    pointer: at.pointer,
    ...(code === undefined ? {} : { code }),
  });
}

/** An object with all of `required`, any of `optional`, and nothing else. */
export function readObject(
  at: At,
  required: readonly string[],
  optional: readonly string[] = [],
): ObjectAt {
  const record = plainObject(at);
  for (const key of Object.keys(record)) {
    if (!required.includes(key) && !optional.includes(key)) {
      const known = [...required, ...optional].join(', ');
      refuse(
        { pointer: pointerTo(at.pointer, key) },
        `unknown key ${JSON.stringify(key.slice(0, 80))}; known here: ${known}`,
        'unknownKey',
      );
    }
  }
  for (const key of required) {
    if (!Object.hasOwn(record, key)) {
      refuse({ pointer: pointerTo(at.pointer, key) }, `missing key "${key}"`, 'missingKey');
    }
  }
  return new Fields(at, record);
}

class Fields implements ObjectAt {
  private readonly at: At;
  private readonly record: Record<string, unknown>;
  constructor(at: At, record: Record<string, unknown>) {
    this.at = at;
    this.record = record;
  }
  get pointer(): string {
    return this.at.pointer;
  }
  has(key: string): boolean {
    return Object.hasOwn(this.record, key);
  }
  field(key: string): At {
    return new Below(this.record[key], this.at, key);
  }
}

/** The members of an object whose keys are data, such as holdings by node. */
export function readRecord(at: At, max: number): readonly (readonly [string, At])[] {
  const entries = Object.entries(plainObject(at));
  if (entries.length > max) refuse(at, `at most ${max} members, got ${entries.length}`);
  return entries.map(([key, value]) => [key, new Below(value, at, key)]);
}

function plainObject(at: At): Record<string, unknown> {
  if (typeof at.value !== 'object' || at.value === null || Array.isArray(at.value)) {
    refuse(at, `must be an object, got ${describe(at.value)}`);
  }
  return at.value as Record<string, unknown>;
}

export function readArray(at: At, min: number, max: number): readonly At[] {
  if (!Array.isArray(at.value)) refuse(at, `must be an array, got ${describe(at.value)}`);
  const items: readonly unknown[] = at.value;
  if (items.length < min || items.length > max) {
    refuse(at, `must have ${min === max ? min : `${min} to ${max}`} items, got ${items.length}`);
  }
  return items.map((value, index) => new Below(value, at, index));
}

export function readPair(at: At): readonly [At, At] {
  const [first, second] = readArray(at, 2, 2);
  if (first === undefined || second === undefined) refuse(at, 'must have 2 items');
  return [first, second];
}

export function readString(at: At): string {
  if (typeof at.value !== 'string') refuse(at, `must be a string, got ${describe(at.value)}`);
  return at.value;
}

const PLAIN_ID = /^[ -~]{1,128}$/;

/** 1 to 128 characters, no control characters, no broken surrogates. */
export function readId(at: At): string {
  const text = readString(at);
  if (PLAIN_ID.test(text)) return text;
  if (text === '' || text.length > ID_LENGTH_MAX || /[\p{Cc}\p{Surrogate}]/u.test(text)) {
    refuse(at, `must be 1 to ${ID_LENGTH_MAX} printable characters`);
  }
  return text;
}

export function readOneOf<T extends string>(at: At, allowed: readonly T[]): T {
  const text = readString(at);
  const found = allowed.find((candidate) => candidate === text);
  if (found === undefined) {
    refuse(at, `must be one of ${allowed.join(', ')}, got ${JSON.stringify(text.slice(0, 80))}`);
  }
  return found;
}

export function readBoolean(at: At): boolean {
  if (typeof at.value !== 'boolean') refuse(at, `must be true or false, got ${describe(at.value)}`);
  return at.value;
}

export function readInteger(at: At, min: number, max: number): number {
  const { value } = at;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    refuse(at, `must be an integer (a JSON number), got ${describe(value)}`);
  }
  if (value < min || value > max) refuse(at, `must be from ${min} to ${max}, got ${value}`);
  return value;
}

/** Base units as a decimal string, min ≤ amount ≤ max (2^256 − 1 unless told). */
export function readAmount(at: At, min = 0n, max?: bigint): TokenAmount {
  const amount = amountFrom(at);
  if (amount < min) refuse(at, `must be at least ${min}, got ${amount}`);
  if (max !== undefined && amount > max) refuse(at, `must be at most ${max}, got ${amount}`);
  return amount;
}

function amountFrom(at: At): TokenAmount {
  try {
    return parseTokenAmount(readString(at));
  } catch (error) {
    throw placed(error, at);
  }
}

/** A decimal integer string that may be negative, |value| ≤ max. */
export function readSigned(at: At, max: bigint): bigint {
  const text = readString(at);
  if (!/^(0|-?[1-9][0-9]{0,77})$/.test(text)) {
    refuse(at, `must be a decimal integer string, got ${JSON.stringify(text.slice(0, 90))}`);
  }
  const value = BigInt(text);
  if (value > max || value < -max) refuse(at, `must be within ±${max}, got ${text}`);
  return value;
}

export function readDecimal(
  at: At,
  options: { signed?: boolean; positive?: boolean } = {},
): Fixed36 {
  const value = pointed(at, () => parseFixed36(readString(at), options));
  if (options.positive === true && value <= 0n) refuse(at, 'must be greater than 0');
  return value;
}

/** Runs `read`, giving its InvalidInput this place if it named none. */
export function pointed<T>(at: { readonly pointer: string }, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw placed(error, at);
  }
}

/** The error, at this place if it is an InvalidInput that names none. */
function placed(error: unknown, at: { readonly pointer: string }): unknown {
  if (!(error instanceof InvalidInput) || error.pointer !== '') return error;
  return new InvalidInput(error.message, { pointer: at.pointer, code: error.code });
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${JSON.stringify(value)?.slice(0, 80)}`;
}
