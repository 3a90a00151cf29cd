// The only reader of request bodies: strict JSON. Two readers of one body must not see two values,
// so duplicate keys are refused; so are nesting beyond 16 levels, keys that reach into prototypes,
// bytes that are not UTF-8, and anything after the one value. Nothing is coerced or stripped.

import { ApiError } from './errors.ts';

/** Bytes. */
export const BODY_MAX = 64 * 1024;
export const DEPTH_MAX = 16;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws ApiError: malformedJson, duplicateKey, forbiddenKey or tooDeep, with a pointer. */
export function parseBody(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new ApiError('malformedJson', 'the body is not UTF-8', { cause });
  }
  refuseDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ApiError('malformedJson', `the body is not JSON: ${why.slice(0, 200)}`);
  }
  refuseKeys(text);
  return value;
}

/** Before JSON.parse, which recurses: brackets outside strings, whatever else the text is. */
function refuseDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = stringEnd(text, at);
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    if (depth > DEPTH_MAX) {
      throw new ApiError('tooDeep', `the body is nested deeper than ${DEPTH_MAX} levels`);
    }
  }
}

interface Frame {
  /** The keys seen in an object; null in an array. */
  readonly keys: Set<string> | null;
  /** The current key or index, as it stands in a pointer. */
  token: string;
  index: number;
}

/** Walks text that is known to be valid JSON; a string followed by a colon is a key. */
function refuseKeys(text: string): void {
  const stack: Frame[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    const frame = stack.at(-1);
    if (char === '{' || char === '[') {
      stack.push({ keys: char === '{' ? new Set() : null, token: '0', index: 0 });
    } else if (char === '}' || char === ']') {
      stack.pop();
    } else if (char === ',' && frame?.keys === null) {
      frame.token = String(++frame.index);
    } else if (char === '"') {
      const end = stringEnd(text, at);
      if (frame?.keys && nextIsColon(text, end))
        takeKey(stack, frame.keys, text.slice(at, end + 1));
      at = end;
    }
  }
}

function takeKey(stack: readonly Frame[], keys: Set<string>, literal: string): void {
  const key = String(JSON.parse(literal));
  const frame = stack.at(-1);
  if (frame === undefined) return;
  frame.token = key.replaceAll('~', '~0').replaceAll('/', '~1');
  const pointer = stack.map(({ token }) => `/${token}`).join('');
  if (FORBIDDEN_KEYS.has(key)) {
    throw new ApiError('forbiddenKey', `the key ${literal} is not allowed`, { pointer });
  }
  if (keys.has(key)) {
    throw new ApiError('duplicateKey', `the key ${literal.slice(0, 80)} appears twice`, {
      pointer,
    });
  }
  keys.add(key);
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function nextIsColon(text: string, end: number): boolean {
  const rest = /[^ \t\r\n]/g;
  rest.lastIndex = end + 1;
  return rest.exec(text)?.[0] === ':';
}
