// What the bench measures one column with: an engine is opened on a case once (not timed) and run
// many times. Names are those of the printed tables.

import type { ParsedProblem } from '../../solver/market/parsedProblem.ts';
import type { Kind } from './network.ts';

export interface Case {
  /** 'real': quotes over a CoW auction's liquidity. */
  readonly kind: Kind | 'real';
  readonly size: string;
  /** Seed or name of the quote. */
  readonly name: string;
  /** Dollars sold. */
  readonly worth: number;
  readonly problem: ParsedProblem;
}

/** Nanoseconds by phase; every run of one engine names the same phases. */
export type Times = Readonly<Record<string, number>>;

/** What an engine reached, in dollars. */
export interface Outcome {
  readonly value: number;
  /** The engine's own certificate: (bound − value)/traded in bps; null where it proves nothing. */
  readonly gapBps: number | null;
  /** The engine's certified bound, if any. */
  readonly bound: number | null;
  /** Set when the plan cannot be compared, and why. */
  readonly invalid?: string;
  /** A venue takes in more than settings.venueInputCap: a plan our bound does not speak of. */
  readonly beyondCap?: boolean;
}

export interface Opened {
  run(): Times | Promise<Times>;
  /** Of the last run; null where another column's stands for it. */
  outcome(): Outcome | null;
}

export interface Engine {
  readonly name: string;
  /** Runs per case at most, for engines that take their time. */
  readonly roundsMax?: number;
  /** Null: this engine does not take this case. */
  open(item: Case): Opened | null | Promise<Opened | null>;
}

/** Why an engine is not in the tables, and how to have it. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}

const now = () => process.hrtime.bigint();

/** Nanoseconds of `work`, and its result. */
export function timed<T>(work: () => T): readonly [number, T] {
  const start = now();
  const result = work();
  return [Number(now() - start), result];
}

/** A lone run measures the caches its neighbour left and whoever else had the core. */
const REPEATS_MAX = 9;
const REPEATS_MIN = 3;
const REPEATED_NS = 3e7;
const LONE_NS = 5e8;

/** The median of a first run and up to eight more in a row, as many as fit into some 30 ms. */
export function repeated(first: number, run: () => number): number {
  if (first > LONE_NS) return first;
  const wanted = Math.max(REPEATS_MIN, Math.min(REPEATS_MAX, Math.floor(REPEATED_NS / first)));
  const samples = [first, ...Array.from({ length: wanted - 1 }, run)].toSorted((a, b) => a - b);
  return samples[wanted >> 1] ?? first;
}
