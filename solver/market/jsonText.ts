// JSON text → value, stricter than JSON.parse: duplicate keys, nesting deeper than the limit and
// texts longer than the limit are refused, because two readers of one signed or digested text must
// not see two values. Also RFC 8785 canonical JSON, which digests are taken over.

import { assert } from '../types/assert.ts';
import { InvalidInput } from '../types/errors.ts';
import type { Json } from '../types/json.ts';

export const JSON_TEXT_MAX = 32 * 1024 * 1024;
/** A bound by cases may be 64 branches deep, below the result and above its prices. */
export const JSON_DEPTH_MAX = 72;

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
  /** The keys seen in an object; null in an array. */
  readonly keys: Set<string> | null;
  index: number;
  key: string;
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const SPACE_MAX = 0x20;

/** Walks text already known to be valid JSON; only strings, brackets, colons and commas matter. */
function refuseDuplicateKeys(text: string): void {
  const stack: Frame[] = [];
  let frame: Frame | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (stack.length >= JSON_DEPTH_MAX) {
          const pointer = pointerOf(stack);
          const message = `nested deeper than ${JSON_DEPTH_MAX}`;
          throw new InvalidInput(message, { pointer, code: 'tooDeep' });
        }
        frame = { keys: text[at] === '{' ? new Set() : null, index: 0, key: '' };
        stack.push(frame);
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        stack.pop();
        frame = stack.at(-1);
        break;
      case COMMA:
        if (frame !== undefined) frame.index++;
        break;
      case QUOTE: {
        const end = stringEnd(text, at);
        if (frame?.keys && isKey(text, end)) takeKey(stack, frame, text.slice(at, end + 1));
        at = end;
      }
    }
  }
}

/** Where the walk stands: the members all open frames are at. */
const pointerOf = (stack: readonly Frame[]): string =>
  stack.reduce((base, { keys, index, key }) => pointerTo(base, keys === null ? index : key), '');

function takeKey(stack: readonly Frame[], frame: Frame, literal: string): void {
  const key: unknown = literal.includes('\\') ? JSON.parse(literal) : literal.slice(1, -1);
  assert(typeof key === 'string', 'an object key is a string');
  frame.key = key;
  if (frame.keys?.has(key)) {
    throw new InvalidInput(`key ${literal.slice(0, 80)} appears twice; keep one`, {
      pointer: pointerOf(stack),
      code: 'duplicateKey',
    });
  }
  frame.keys?.add(key);
}

/** Where the string that starts at `start` ends: at the first quote no backslash escapes. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

/** Whether a colon follows the string that ends at `end`. */
function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (text.charCodeAt(at) <= SPACE_MAX) at++;
  return text.charCodeAt(at) === COLON;
}

/** What is written more than once of what never changes; a text goes when its value goes. */
const texts = new WeakMap<object, string>();

/** JSON.stringify of a value that never changes: a quote's answer is written for its row and its caller. */
export function jsonTextOf(value: object): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  texts.set(value, text);
  return text;
}

/**
 * RFC 8785: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them.
 * Throws InvalidInput on numbers that are not finite and on lone surrogates.
 */
export function canonicalJson(value: unknown): string {
  return canonical(value, []);
}

/** `path` leads to `value`; it is spelled out only for a fault. */
function canonical(value: unknown, path: (string | number)[]): string {
  if (typeof value === 'string') return canonicalString(value, path);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw unfit('number is not finite', path);
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw unfit(`a ${typeof value} has no JSON form`, path);
  let text = '';
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      path.push(i);
      text += (i === 0 ? '' : ',') + canonical(value[i], path);
      path.pop();
    }
    return `[${text}]`;
  }
  const record = value as Readonly<Record<string, Json | undefined>>;
  for (const key of sortedKeys(record)) {
    const member = record[key];
    if (member === undefined) continue;
    path.push(key);
    if (text !== '') text += ',';
    text += `${canonicalString(key, path)}:${canonical(member, path)}`;
    path.pop();
  }
  return `{${text}}`;
}

/** More keys than this are left to the library's sort. */
const INSERTED_MAX = 12;

/** By UTF-16 code units, as `<` compares; of few keys an insertion takes a quarter of a sort's time. */
function sortedKeys(record: object): readonly string[] {
  const keys = Object.keys(record);
  if (keys.length > INSERTED_MAX) return keys.sort();
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string;
    let at = i;
    for (; at > 0 && (keys[at - 1] as string) > key; at--) keys[at] = keys[at - 1] as string;
    keys[at] = key;
  }
  return keys;
}

/** Texts that need no escape and hold no surrogate. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

function canonicalString(text: string, path: readonly (string | number)[]): string {
  if (PLAIN_TEXT.test(text)) return `"${text}"`;
  if (/\p{Surrogate}/u.test(text)) throw unfit('text holds half of a surrogate pair', path);
  return JSON.stringify(text);
}

function unfit(message: string, path: readonly (string | number)[]): InvalidInput {
  return new InvalidInput(message, { pointer: path.reduce<string>(pointerTo, '') });
}
