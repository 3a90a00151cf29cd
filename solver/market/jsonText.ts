// JSON text → value, stricter than JSON.parse: duplicate keys, nesting deeper than the limit and
// texts longer than the limit are refused, because two readers of one signed or digested text must
// not see two values. Also RFC 8785 canonical JSON, which digests are taken over.

import { assert } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import type { Json } from '../types/json.ts';

export const JSON_TEXT_MAX = 32 * 1024 * 1024;
export const JSON_DEPTH_MAX = 64;

/** RFC 6901: one more reference token below `base`. */
export function pointerTo(base: string, token: string | number): string {
  return `${base}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Parses strictly. Throws InvalidInput with the pointer of a duplicate key or too deep value. */
export function parseJsonText(text: string): unknown {
  if (text.length > JSON_TEXT_MAX) {
    throw new InvalidInput(`text is longer than ${JSON_TEXT_MAX} characters`, {
      code: 'tooLarge',
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidInput(`not JSON: ${why.slice(0, 200)}`, { code: 'malformedJson' });
  }
  refuseDuplicateKeys(text);
  return value;
}

interface Frame {
  readonly pointer: string;
  /** The keys seen in an object; null in an array. */
  readonly keys: Set<string> | null;
  index: number;
  key: string;
}

/** Walks text already known to be valid JSON; only strings, brackets, colons and commas matter. */
function refuseDuplicateKeys(text: string): void {
  const stack: Frame[] = [];
  const top = () => stack.at(-1);
  const childPointer = (frame: Frame | undefined) =>
    frame === undefined
      ? ''
      : pointerTo(frame.pointer, frame.keys === null ? frame.index : frame.key);
  const open = (keys: Set<string> | null) => {
    const pointer = childPointer(top());
    if (stack.length >= JSON_DEPTH_MAX) {
      throw new InvalidInput(`nested deeper than ${JSON_DEPTH_MAX}`, { pointer, code: 'tooDeep' });
    }
    stack.push({ pointer, keys, index: 0, key: '' });
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    const frame = top();
    if (char === '{') open(new Set());
    else if (char === '[') open(null);
    else if (char === '}' || char === ']') stack.pop();
    else if (char === ',' && frame !== undefined) frame.index++;
    else if (char === '"') {
      const end = stringEnd(text, at);
      if (frame?.keys && isKey(text, end)) takeKey(frame, frame.keys, text.slice(at, end + 1));
      at = end;
    }
  }
}

function takeKey(frame: Frame, keys: Set<string>, literal: string): void {
  const key: unknown = JSON.parse(literal);
  assert(typeof key === 'string', 'an object key is a string');
  if (keys.has(key)) {
    throw new InvalidInput(`key ${literal.slice(0, 80)} appears twice; keep one`, {
      pointer: pointerTo(frame.pointer, key),
      code: 'duplicateKey',
    });
  }
  keys.add(key);
  frame.key = key;
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

/** Whether a colon follows the string that ends at `end`. */
function isKey(text: string, end: number): boolean {
  for (let at = end + 1; at < text.length; at++) {
    const char = text[at];
    if (char === ':') return true;
    if (char !== ' ' && char !== '\n' && char !== '\r' && char !== '\t') return false;
  }
  return false;
}

/**
 * RFC 8785: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them.
 * Throws InvalidInput on numbers that are not finite and on lone surrogates.
 */
export function canonicalJson(value: unknown, pointer = ''): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new InvalidInput('number is not finite', { pointer });
    return JSON.stringify(value);
  }
  if (typeof value === 'string') return canonicalString(value, pointer);
  if (Array.isArray(value)) {
    return `[${value.map((item, i) => canonicalJson(item, pointerTo(pointer, i))).join(',')}]`;
  }
  if (typeof value === 'object') {
    const members = Object.entries(value as Readonly<Record<string, Json>>)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(
        ([key, member]) =>
          `${canonicalString(key, pointer)}:${canonicalJson(member, pointerTo(pointer, key))}`,
      );
    return `{${members.join(',')}}`;
  }
  throw new InvalidInput(`a ${typeof value} has no JSON form`, { pointer });
}

function canonicalString(text: string, pointer: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw new InvalidInput('text holds half of a surrogate pair', { pointer });
  }
  return JSON.stringify(text);
}
