// Requests that are certainly wrong, from a seed: bodies broken against the OpenAPI document, JSON that
// is none or that two readers read differently, strings that break programs, signed data changed after
// signing, and paths, queries, headers and methods that no route has. What a mutation happens to leave
// valid is not handed out.

import { Check } from 'typebox/schema';
import type { SimRng } from '../settlement/sim/rng.ts';

export interface Malformed {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | null;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly schema: object | null;
  readonly examples: readonly unknown[];
  readonly queries: readonly string[];
}

export const NAUGHTY: readonly string[] = [
  ...['', ' ', '\t', 'null', 'undefined', 'true', 'NaN', 'Infinity', '-0', '0x', '0x0', '1e1000'],
  ...[
    '1'.repeat(80),
    `-${'9'.repeat(40)}`,
    '0.1',
    '1,000',
    '٣',
    '１２',
    '0b1',
    '00',
    '+1',
    '1_000',
  ],
  ...[
    "' OR 1=1 --",
    '"; DROP TABLE orders; --',
    '$1',
    '%s%n',
    '$' + '{7*7}',
    '{{7*7}}',
    '`id`',
    '|| ls',
  ],
  ...[
    '../../etc/passwd',
    '..\\..\\x',
    'file:///etc/passwd',
    'http://169.254.169.254/',
    '//x',
    '%00',
  ],
  ...[
    '<script>alert(1)</script>',
    '&lt;',
    '\u0000',
    '\u0007',
    '\u202e',
    '\ufeff',
    '\ud800',
    '\uffff',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '🏴‍☠️',
    'Ω'.repeat(300),
    'a'.repeat(5_000),
  ],
  ...[`0x${'f'.repeat(64)}`, `0x${'0'.repeat(40)}`, `0x${'G'.repeat(64)}`, `0X${'a'.repeat(64)}`],
];
const CONFUSIONS: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e21, -1e-7, Number.MAX_SAFE_INTEGER + 2, [], {}, [[]]],
  ...[[null], [0], { length: 1 }, { valueOf: 1 }, { toJSON: 'x' }, ...NAUGHTY],
];
const JSON_HEADERS = { 'content-type': 'application/json' };

/** What the document says there is. */
export function operationsOf(document: unknown): readonly Operation[] {
  const { paths } = document as { paths: Record<string, Record<string, Record<string, unknown>>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const body = operation.requestBody as
        | { content: Record<string, { schema?: object; example?: unknown; examples?: object }> }
        | undefined;
      const json = body?.content['application/json'];
      const named = Object.values(json?.examples ?? {}).map((one) => one?.value ?? one);
      const parameters = (operation.parameters ?? []) as { name: string; in: string }[];
      return {
        method: method.toUpperCase(),
        path,
        schema: json?.schema ?? null,
        examples: [...named, ...(json?.example === undefined ? [] : [json.example])],
        queries: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
      };
    }),
  );
}

type Node = Record<string, unknown> | unknown[];
interface Place {
  readonly holder: Node;
  readonly key: string | number;
}

function placesOf(value: unknown, into: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return into;
  const holder = value as Node;
  const keys = Array.isArray(holder) ? holder.map((_, i) => i) : Object.keys(holder);
  for (const key of keys) {
    into.push({ holder, key });
    placesOf((holder as Record<string, unknown>)[key as string], into);
  }
  return into;
}

/** A copy of the body with one or two places wrong. */
function mutated(rng: SimRng, body: unknown): unknown {
  const copy = { root: structuredClone(body) };
  for (let n = rng.int(1, 2); n > 0; n -= 1) {
    const places = placesOf(copy);
    if (places.length === 0) break;
    const { holder, key } = rng.pick(places);
    const target = holder as Record<string, unknown>;
    const roll = rng.next();
    if (roll < 0.6) target[key as string] = structuredClone(rng.pick(CONFUSIONS));
    else if (roll < 0.75 && !Array.isArray(holder)) delete target[key as string];
    else if (roll < 0.9) addUnknown(rng, target[key as string]);
    else repeat(target, key);
  }
  return copy.root;
}

function addUnknown(rng: SimRng, value: unknown): void {
  if (Array.isArray(value)) value.push(rng.pick(CONFUSIONS));
  else if (typeof value === 'object' && value !== null) {
    (value as Record<string, unknown>)[rng.pick(['x', 'Owner', 'amount ', '', '0'])] = 1;
  }
}

function repeat(target: Record<string, unknown>, key: string | number): void {
  const value = target[key as string];
  if (typeof value === 'string') target[key as string] = value.repeat(3).slice(0, 20_000);
  else target[key as string] = Array(40).fill(value);
}

/** Text that is no JSON, or JSON that is refused as text. */
function brokenText(rng: SimRng, text: string): string | Buffer {
  const at = rng.int(1, Math.max(1, text.length - 1));
  const inside = text.slice(1);
  return rng.pick<() => string | Buffer>([
    () => text.slice(0, at),
    () => `${text}${rng.pick(['}', ']', ',', 'x', '\u0000', '{}', '//'])}`,
    () => `{"__proto__":{"x":1},${inside}`,
    () => `{"constructor":{"prototype":{"x":1}},${inside}`,
    () => `{"\\u005f_proto__":1,${inside}`,
    () => `{"a":1,"a":2,${inside}`,
    () => `{"a":1,"\\u0061":2,${inside}`,
    () =>
      `{"n":${rng.pick(['NaN', '-', '01', '1.', '.5', '0x1', '1e', "'x'", 'undefined'])},${inside}`,
    () => `{"deep":${'['.repeat(rng.int(17, 5_000))}`,
    () => `{"d":${'['.repeat(20)}${']'.repeat(20)},${inside}`,
    () => Buffer.from(`\ufeff${text}`, 'utf16le'),
    () =>
      Buffer.concat([
        Buffer.from(text.slice(0, at)),
        Buffer.from([0xff, 0xc0, 0x80]),
        Buffer.from('"}'),
      ]),
    () => `\ufeff${text}`,
    () => `/* */${text}`,
    () => rng.pick(['', ' ', 'null', 'true', '0', '""', '[]', '{', '"', '[1,]', '{"a":1,}']),
    () => `{"pad":"${'x'.repeat(65_536)}"}`,
  ])();
}

/** A path with its parameters filled with what no id is. */
function filled(rng: SimRng, path: string): string {
  const odd = () => encodeURIComponent(rng.pick(NAUGHTY).replace(/[\ud800-\udfff]/g, '?')) || '%20';
  return path.replace(/\{\w+\}/g, odd);
}

/** A path whose parameters are well-formed, and name nothing. */
const nowhere = (path: string): string =>
  path
    .replace('{quoteId}', 'q-nothing')
    .replace('{webhookId}', `wh-${'0'.repeat(32)}`)
    .replace('{code}', 'nothing')
    .replace(/\{\w+\}/g, `0x${'00'.repeat(32)}`);

const METHODS = ['PUT', 'PATCH', 'DELETE', 'POST', 'GET'];

/** One request; null where the dice left it valid. */
export function malformed(rng: SimRng, operations: readonly Operation[]): Malformed | null {
  const withBody = operations.filter((one) => one.schema !== null);
  const operation = rng.pick(rng.chance(0.6) ? withBody : operations);
  const { method, path, schema, examples, queries } = operation;
  const base = { method, headers: JSON_HEADERS, path: nowhere(path) };
  if (schema !== null && rng.chance(0.8)) {
    const example = examples.length === 0 ? { a: 1 } : rng.pick(examples);
    if (rng.chance(0.25)) {
      const body = brokenText(rng, JSON.stringify(example));
      return { ...base, what: 'json', body };
    }
    const body = mutated(rng, example);
    if (body === undefined || Check(schema, body)) return null;
    return { ...base, what: 'schema', body: JSON.stringify(body) };
  }
  if (schema !== null) return header(rng, { ...base, body: JSON.stringify(examples[0] ?? {}) });
  if (queries.length > 0 && rng.chance(0.6)) return query(rng, operation);
  if (path.includes('{') && rng.chance(0.7)) {
    return { ...base, what: 'path', headers: {}, path: filled(rng, path), body: null };
  }
  return route(rng, operations, path);
}

function header(rng: SimRng, base: Omit<Malformed, 'what'>): Malformed {
  const headers = rng.pick<Record<string, string>>([
    {
      'content-type': rng.pick([
        'text/plain',
        'application/xml',
        'multipart/form-data',
        'json',
        ',',
      ]),
    },
    {
      ...JSON_HEADERS,
      accept: rng.pick(['text/css', 'image/png', 'application/xml', 'application/json;q=0']),
    },
    {},
  ]);
  return { ...base, what: 'header', headers };
}

/** List parameters that no list takes; `owner` is required wherever it is known. */
function query(rng: SimRng, { method, path, queries }: Operation): Malformed {
  const name = rng.pick(queries);
  const odd = encodeURIComponent(rng.pick(NAUGHTY.filter(isOdd)).replace(/[\ud800-\udfff]/g, '?'));
  const at = nowhere(path);
  return { what: 'query', method, headers: {}, path: `${at}?${name}=${odd}`, body: null };
}
/** Not empty, no number, no plain word: outside every parameter's pattern. */
const isOdd = (text: string) => !/^[A-Za-z0-9_-]*$/.test(text);

function route(rng: SimRng, operations: readonly Operation[], path: string): Malformed {
  const known = operations.filter((one) => one.path === path).map((one) => one.method);
  if (rng.chance(0.5)) {
    const others = METHODS.filter((method) => !known.includes(method));
    return {
      what: 'method',
      method: rng.pick(others),
      headers: {},
      path: nowhere(path),
      body: null,
    };
  }
  const lost = `${nowhere(path)}/${encodeURIComponent(rng.pick(NAUGHTY).replace(/[\ud800-\udfff]/g, '?'))}x/y`;
  return { what: 'route', method: 'GET', headers: {}, path: lost, body: null };
}

/** A signed order with one value of its typed data changed, to another of the same form. */
export function tampered(rng: SimRng, submission: unknown): unknown {
  const copy = structuredClone(submission) as {
    order: { payload: { message: object; domain: object; types: object } };
  };
  const { message, domain, types } = copy.order.payload;
  const places = [
    ...placesOf(message),
    ...placesOf(message),
    ...placesOf(domain),
    ...placesOf(types),
  ];
  const leaves = places.filter(
    ({ holder, key }) => typeof (holder as Record<string, unknown>)[key as string] !== 'object',
  );
  const { holder, key } = rng.pick(leaves);
  const target = holder as Record<string, unknown>;
  const old = target[key as string];
  target[key as string] =
    typeof old === 'number' ? old + rng.pick([-1, 1, 60]) : changed(rng, String(old));
  return copy;
}

function changed(rng: SimRng, text: string): string {
  if (/^\d+$/.test(text))
    return rng.pick([`${text}0`, String(BigInt(text) + 1n), String(BigInt(text) + 2n ** 64n)]);
  if (/^0x$/.test(text)) return '0x00';
  if (/^0x[0-9a-f]+$/i.test(text)) {
    const at = rng.int(2, text.length - 1);
    return `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
  }
  return `${text}x`;
}
