// Reads a document's fields one by one and goes on after a fault, so that its writer learns of all
// of them at once. Every refusal carries a JSON pointer, what is wrong and how to mend it; unknown
// fields are refused by name with the nearest known one. Owns the scalar forms: decimals, numbers,
// durations, times, asset names.

import { type Fixed36, fixed36, formatFixed36, ONE36, parseFixed36 } from '../market/decimal.ts';
import { pointerTo } from '../market/jsonText.ts';
import { type At, pointed, readString, refuse } from '../market/reader.ts';
import { type UnixSeconds, unixSeconds } from '../types/amounts.ts';
import { InvalidInput } from '../types/errors.ts';

/** A document with more faults than this is not worth reading on. */
const PROBLEMS_MAX = 100;
const KEYS_MAX = 256;

export class Problems {
  readonly found: InvalidInput[] = [];
  /** What `read` gives, or `otherwise` after noting its InvalidInput. */
  take<T>(read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      if (this.found.length < PROBLEMS_MAX) this.found.push(error);
      return otherwise;
    }
  }
  note(pointer: string, message: string): void {
    this.take(() => refuse({ pointer }, message), undefined);
  }
}

export const below = (at: At, key: string | number, value: unknown): At => ({
  value,
  pointer: pointerTo(at.pointer, key),
});

/** An object whose fields are known by name. */
export class Section {
  readonly at: At;
  readonly problems: Problems;
  private readonly record: Readonly<Record<string, unknown>>;
  constructor(at: At, known: readonly string[], problems: Problems) {
    this.at = at;
    this.problems = problems;
    this.record = recordOf(at);
    const keys = Object.keys(this.record);
    if (keys.length > KEYS_MAX) refuse(at, `has ${keys.length} fields; at most ${KEYS_MAX}`);
    for (const key of keys) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      const hint = near === undefined ? '' : `did you mean "${near}"? `;
      const message = `unknown field ${quoted(key)}; ${hint}known here: ${known.join(', ')}`;
      problems.note(pointerTo(at.pointer, key), message);
    }
  }
  has(key: string): boolean {
    return Object.hasOwn(this.record, key) && this.record[key] !== undefined;
  }
  field(key: string): At {
    return below(this.at, key, this.has(key) ? this.record[key] : undefined);
  }
  optional<T>(key: string, read: (at: At) => T, otherwise: T): T {
    return this.has(key) ? this.problems.take(() => read(this.field(key)), otherwise) : otherwise;
  }
  required<T>(key: string, read: (at: At) => T, otherwise: T, example: string): T {
    if (this.has(key)) return this.optional(key, read, otherwise);
    const pointer = pointerTo(this.at.pointer, key);
    this.problems.note(pointer, `missing field "${key}"; write it, such as ${example}`);
    return otherwise;
  }
}

function recordOf(at: At): Readonly<Record<string, unknown>> {
  const { value } = at;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(at, `must be an object { … }, got ${shown(value)}`);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    refuse(at, 'must be a plain object as JSON.parse makes it');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** The members of an object whose keys are data, such as assets, in the order they are written. */
export function members(at: At, max = KEYS_MAX): readonly (readonly [string, At])[] {
  const entries = Object.entries(recordOf(at));
  if (entries.length > max) refuse(at, `has ${entries.length} members; at most ${max}`);
  return entries.map(([key, value]) => [key, below(at, key, value)]);
}

export function items(at: At, max: number): readonly At[] {
  if (!Array.isArray(at.value)) refuse(at, `must be an array [ … ], got ${shown(at.value)}`);
  const values: readonly unknown[] = at.value;
  if (values.length > max) refuse(at, `has ${values.length} items; at most ${max}`);
  return values.map((value, index) => below(at, index, value));
}

/** null means none. */
export const orNull =
  <T, N>(read: (at: At) => T, none: N) =>
  (at: At): T | N =>
    at.value === null ? none : read(at);

const ASSET = /^[A-Za-z][A-Za-z0-9._+-]{0,31}$/;

export function assetName(at: At, name: string): string {
  if (!ASSET.test(name) || name in Object.prototype) {
    refuse(
      at,
      `${quoted(name)} is no asset name: 1 to 32 letters, digits or . _ + -, letter first`,
    );
  }
  return name;
}

/** Refuses an asset the document has no target for, naming the nearest it has. */
export function knownAsset(at: At, assets: readonly string[]): string {
  const name = readString(at);
  if (assets.includes(name)) return name;
  const near = nearest(name, assets);
  const hint = near === undefined ? '' : `did you mean "${near}"? `;
  refuse(at, `${quoted(name)} has no target; ${hint}assets here: ${assets.join(', ')}`);
}

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly example: string;
  /** Refuses `min` itself. */
  readonly above?: boolean;
}

const NUMBER_TEXT = /^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,18})?$/;

/** A JSON number or its decimal text, finite and within the range. */
export function readNumber(at: At, range: Range): number {
  const { value } = at;
  const remedy = `write a number such as ${range.example}`;
  let number = Number.NaN;
  if (typeof value === 'number') number = value;
  else if (typeof value === 'string' && NUMBER_TEXT.test(value)) number = Number(value);
  if (!Number.isFinite(number)) {
    refuse(at, `must be a number in ${range.unit}, got ${shown(value)}; ${remedy}`);
  }
  const low = range.above === true ? number <= range.min : number < range.min;
  if (low || number > range.max) {
    const from = range.above === true ? `above ${range.min} and at most` : `from ${range.min} to`;
    refuse(at, `must be ${from} ${range.max} ${range.unit}, got ${number}; ${remedy}`);
  }
  return number === 0 ? 0 : number; // −0 has no meaning here
}

export function readWhole(at: At, range: Range): number {
  const number = readNumber(at, range);
  if (!Number.isInteger(number)) {
    refuse(at, `must be a whole number of ${range.unit}, got ${number}; such as ${range.example}`);
  }
  return number;
}

/** Basis points → fraction. */
export const readBps = (at: At, range: Range): number => readNumber(at, range) / 10_000;

/** A weight, exact: decimal text of 0 to 1. */
export function readWeight(at: At): Fixed36 {
  if (typeof at.value !== 'string') {
    refuse(at, `must be decimal text such as "0.5", got ${shown(at.value)}; put it in quotes`);
  }
  const text = at.value;
  const weight = pointed(at, () => parseFixed36(text));
  if (weight > ONE36) refuse(at, `must be from 0 to 1, got ${quoted(text)}; 50 % is "0.5"`);
  return weight;
}

/** The nearest double: by way of its text, since 10^36 is no double itself. */
export const numberOf = (weight: Fixed36): number => Number(formatFixed36(weight));

export const sumOf = (weights: Iterable<Fixed36>): Fixed36 => {
  let sum = 0n;
  for (const weight of weights) sum += weight;
  return fixed36(sum);
};

const DURATION = /^([1-9][0-9]{0,8})(s|m|h|d|w)$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};
const TEN_YEARS = 3_652 * 86_400;

/** "12h" → 43,200. */
export function readDuration(at: At, min = 1, max = TEN_YEARS): number {
  const { value } = at;
  const match = typeof value === 'string' ? DURATION.exec(value) : null;
  if (match === null) {
    refuse(at, `must be a duration such as "30m", "12h" or "7d", got ${shown(value)}`);
  }
  const seconds = Number(match[1]) * (UNIT_SECONDS[match[2] ?? ''] ?? Number.NaN);
  if (seconds < min || seconds > max) {
    refuse(at, `must be from ${durationText(min)} to ${durationText(max)}, got "${match[0]}"`);
  }
  return seconds;
}

/** "0s" is allowed here. */
export const readDurationOrZero = (at: At): number => (at.value === '0s' ? 0 : readDuration(at, 1));

/** 43200 → "12h": the largest unit that divides it. */
export function durationText(seconds: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
  ];
  const unit = units.find(([size]) => seconds >= size && seconds % size === 0);
  return unit === undefined ? `${seconds}s` : `${seconds / unit[0]}${unit[1]}`;
}

const ISO = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** ISO 8601 with its zone, a date (midnight UTC) or Unix seconds. Fractions of a second are cut. */
export function readTime(at: At): UnixSeconds {
  const { value } = at;
  const remedy = 'write ISO 8601 with a zone, such as "2026-12-31T00:00:00Z", or Unix seconds';
  if (typeof value === 'number') {
    if (value > 0xffffffff) refuse(at, `${value} is not Unix seconds (milliseconds?); ${remedy}`);
    return pointed(at, () => unixSeconds(value));
  }
  const match = typeof value === 'string' ? ISO.exec(value) : null;
  const day = match?.[1] ?? '';
  const millis = match === null ? Number.NaN : Date.parse(match[0]);
  // Some engines roll "02-30" over into March: the calendar must give the day back.
  const exists = !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day);
  if (Number.isNaN(millis) || !exists) refuse(at, `no such time: ${shown(value)}; ${remedy}`);
  return pointed(at, () => unixSeconds(Math.floor(millis / 1000)));
}

/** The known name fewest edits away, if few: one, or a third of its letters. */
export function nearest(text: string, known: readonly string[]): string | undefined {
  const lower = text.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = editDistance(lower, name.toLowerCase());
    if (edits < fewest && edits <= Math.max(1, name.length / 3)) [best, fewest] = [name, edits];
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

export const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));

export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return `text ${quoted(value)}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value).slice(0, 80);
}
