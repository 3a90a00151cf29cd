// npm run bench -- coupling: what one solve over all chains is worth against rebalancing each chain alone,
// at equal tracking error. Replays a year of hourly closes; every trade is a plan of the real engine,
// executed in exact integers; costs are what is lost against market prices, and all fixed costs.
//   joint      ½κτ‖e‖²_Σ + costs over all chains at once, bridges included
//   separate   the same objective on every chain alone, towards the same weights, no bridges
//   toTarget   all chains at once, to the exact targets whenever a weight is off by more than a band
// Each is swept; costs are read at equal tracking error on its lower envelope (log-log), and the ratio's
// interval comes from resampling blocks of days, the same blocks for all.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createEngine, type Engine } from '../../solver/engine/engine.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { solveProblem } from '../../solver/quoting/solve.ts';
import { hourlyCloses } from '../data/marketData.ts';
import { random } from '../engine/generate.ts';
import {
  applied,
  CHAINS,
  type Holdings,
  type Prices,
  rebalanceProblem,
  startingHoldings,
  TARGETS,
  worths,
} from './couplingWorld.ts';
import { percentile } from './statistics.ts';

const DAY = 24;
const HOURS_PER_YEAR = 8760;
const BLOCK_DAYS = 60;
const RESAMPLES = 1000;
const SEED = 4;
const EVERY = CHAINS.map((_, c) => c);

export interface CouplingOptions {
  /** Days replayed, the last of the tape. */
  readonly days: number;
  readonly hoursBetween: number;
  /** Dollars at the start. */
  readonly worth: number;
  readonly log: (line: string) => void;
}
export type PolicyName = 'joint' | 'separate' | 'toTarget';
/** One policy at one setting: per day, what it cost (share of worth) and Σ active². */
interface Run {
  readonly policy: PolicyName;
  readonly parameter: number;
  readonly cost: Float64Array;
  readonly active: Float64Array;
  readonly trades: number;
  readonly legs: number;
  readonly bridged: number;
}
export interface CouplingPoint {
  readonly policy: PolicyName;
  readonly parameter: number;
  /** Per year. */
  readonly te: number;
  readonly costBps: number;
  readonly trades: number;
  readonly legs: number;
  readonly bridged: number;
}
export interface Ratio {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}
export interface CouplingReport {
  readonly worth: number;
  readonly days: number;
  readonly hoursBetween: number;
  readonly from: string;
  readonly to: string;
  /** Costs in bps per year at equal tracking error; ratios are joint over the other. */
  readonly rows: readonly {
    readonly te: number;
    readonly costBps: Readonly<Record<PolicyName, number | null>>;
    readonly overSeparate: Ratio;
    readonly overToTarget: Ratio;
  }[];
  readonly points: readonly CouplingPoint[];
}

const ERRORS = [0.01, 0.02, 0.04] as const;
/** κτ, and bands: both wide enough that 1 to 4 % lie inside. */
const AVERSIONS = [
  0.012, 0.018, 0.027, 0.04, 0.06, 0.09, 0.135, 0.2, 0.3, 0.45, 0.7, 1.1, 1.7,
] as const;
const BANDS = [0.004, 0.007, 0.012, 0.018, 0.026, 0.037, 0.052, 0.073, 0.1, 0.14] as const;

export function benchCoupling(options: CouplingOptions): CouplingReport {
  const engine = createEngine(readFileSync('.build/trimtab.wasm'));
  const tape = lastHours(options.days * DAY + 1);
  const runs: Run[] = [];
  const run = (policy: PolicyName, parameter: number) => {
    const one = replay(engine, tape.prices, policy, parameter, options);
    const { te, costBps } = pointOf(one);
    const shown = `te ${(100 * te).toFixed(2)} %, ${costBps.toFixed(2)} bps/yr`;
    options.log(`${policy} ${parameter}: ${shown}, ${one.trades} trades, ${one.legs} legs`);
    runs.push(one);
  };
  for (const aversion of AVERSIONS) run('joint', aversion);
  for (const aversion of AVERSIONS) run('separate', aversion);
  for (const band of BANDS) run('toTarget', band);
  return {
    worth: options.worth,
    days: options.days,
    hoursBetween: options.hoursBetween,
    from: tape.from,
    to: tape.to,
    rows: rowsOf(runs),
    points: runs.map(pointOf),
  };
}

function lastHours(count: number) {
  const { ts, btc, eth } = hourlyCloses();
  const first = ts.length - count;
  if (first < 0) throw new Error(`the tape has ${ts.length} hours, ${count} were asked`);
  const prices = Array.from(
    { length: count },
    (_, k): Prices => [btc[first + k] ?? Number.NaN, eth[first + k] ?? Number.NaN, 1],
  );
  const date = (k: number) => new Date((ts[k] ?? 0) * 1000).toISOString().slice(0, 16);
  return { prices, from: date(first), to: date(ts.length - 1) };
}

function replay(
  engine: Engine,
  prices: readonly Prices[],
  policy: PolicyName,
  parameter: number,
  { days, hoursBetween, worth }: CouplingOptions,
): Run {
  let holdings = startingHoldings(worth, prices[0] ?? []);
  const [cost, active] = [new Float64Array(days), new Float64Array(days)];
  const count = { trades: 0, legs: 0, bridged: 0 };
  for (let hour = 1; hour < prices.length; hour++) {
    const [before, now] = [prices[hour - 1] ?? [], prices[hour] ?? []];
    const day = Math.floor((hour - 1) / DAY);
    active[day] = (active[day] ?? 0) + activeReturn(holdings, before, now) ** 2;
    if (hour % hoursBetween !== 0) continue;
    for (const chains of decisions(policy, parameter, holdings, now)) {
      const aversion = policy === 'toTarget' ? null : parameter;
      const problem = parseProblem(rebalanceProblem(holdings, now, chains, aversion));
      const result = solveProblem(engine, problem);
      if (result.legs.length === 0) continue;
      const next = applied(holdings, chains, result.final);
      const [had, has] = [total(worths(holdings, now)), total(worths(next, now))];
      cost[day] = (cost[day] ?? 0) + (had - has + Number(result.costs.fixed)) / had;
      holdings = next;
      count.trades++;
      count.legs += result.legs.length;
      count.bridged += result.legs.filter(({ venue }) => venue.includes('→')).length;
    }
  }
  return { policy, parameter, cost, active, ...count };
}

/** Which sets of chains are solved together now; none: no decision. */
function decisions(
  policy: PolicyName,
  parameter: number,
  holdings: Holdings,
  prices: Prices,
): readonly (readonly number[])[] {
  if (policy === 'separate') return EVERY.map((c) => [c]);
  if (policy === 'joint') return [EVERY];
  const held = worths(holdings, prices);
  const off = held.map((worth, a) => Math.abs(worth / total(held) - (TARGETS[a] ?? 0)));
  return Math.max(...off) > parameter ? [EVERY] : [];
}

/** Σ(w − w*)·r with the weights held before the move. */
function activeReturn(holdings: Holdings, before: Prices, now: Prices): number {
  const held = worths(holdings, before);
  const sum = total(held);
  return held.reduce((part, worth, a) => {
    const r = (now[a] ?? 0) / (before[a] ?? 1) - 1;
    return part + (worth / sum - (TARGETS[a] ?? 0)) * r;
  }, 0);
}

const total = (parts: readonly number[]): number => parts.reduce((a, b) => a + b, 0);

/** A run over its days, or over a resample of them. */
function frontierPoint({ cost, active }: Run, days?: Int32Array): { te: number; cost: number } {
  const count = days?.length ?? cost.length;
  let [spent, squares] = [0, 0];
  for (let k = 0; k < count; k++) {
    const day = days?.[k] ?? k;
    spent += cost[day] ?? 0;
    squares += active[day] ?? 0;
  }
  const perYear = HOURS_PER_YEAR / (count * DAY);
  return { te: Math.sqrt(squares * perYear), cost: spent * perYear };
}

function pointOf(run: Run): CouplingPoint {
  const { policy, parameter, trades, legs, bridged } = run;
  const { te, cost } = frontierPoint(run);
  return { policy, parameter, te, costBps: 1e4 * cost, trades, legs, bridged };
}

function rowsOf(runs: readonly Run[]): CouplingReport['rows'] {
  const of = (name: PolicyName) => runs.filter(({ policy }) => policy === name);
  const samples = resamples(runs[0]?.cost.length ?? 0);
  const at = (name: PolicyName, te: number, days?: Int32Array) =>
    costAt(
      of(name).map((run) => frontierPoint(run, days)),
      te,
    );
  return ERRORS.map((te) => {
    const drawn = samples.map((days) => ({
      joint: at('joint', te, days),
      separate: at('separate', te, days),
      toTarget: at('toTarget', te, days),
    }));
    const costs = {
      joint: at('joint', te),
      separate: at('separate', te),
      toTarget: at('toTarget', te),
    };
    const over = (rival: 'separate' | 'toTarget'): Ratio => {
      const ratios = drawn.flatMap((one) => quotient(one.joint, one[rival]) ?? []);
      const enough = ratios.length >= 0.9 * RESAMPLES;
      return {
        value: quotient(costs.joint, costs[rival]),
        low: enough ? percentile(ratios, 0.05) : null,
        high: enough ? percentile(ratios, 0.95) : null,
      };
    };
    const bps = (cost: number | null) => (cost === null ? null : 1e4 * cost);
    return {
      te,
      costBps: {
        joint: bps(costs.joint),
        separate: bps(costs.separate),
        toTarget: bps(costs.toTarget),
      },
      overSeparate: over('separate'),
      overToTarget: over('toTarget'),
    };
  });
}

const quotient = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a / b;

/** Circular blocks of days, the same for every policy. */
function resamples(days: number): readonly Int32Array[] {
  const rng = random(SEED);
  return Array.from({ length: RESAMPLES }, () => {
    const drawn = new Int32Array(days);
    for (let k = 0; k < days; k += BLOCK_DAYS) {
      const start = rng.integer(0, days - 1);
      for (let j = 0; j < BLOCK_DAYS && k + j < days; j++) drawn[k + j] = (start + j) % days;
    }
    return drawn;
  });
}

/**
 * The lower envelope's cost at a tracking error, log-log between neighbours. Beyond its largest error
 * that point's cost, since it serves there too; null below its smallest.
 */
function costAt(
  points: readonly { readonly te: number; readonly cost: number }[],
  te: number,
): number | null {
  const sorted = points.filter(({ cost }) => cost > 0).toSorted((a, b) => a.te - b.te);
  // What costs no less than a point with a smaller error is never chosen.
  const envelope = sorted.filter((one, k) =>
    sorted.slice(0, k).every(({ cost }) => cost > one.cost),
  );
  for (const [k, right] of envelope.entries()) {
    const left = envelope[k - 1];
    if (left === undefined || left.te > te || right.te < te) continue;
    const share = Math.log(te / left.te) / Math.log(right.te / left.te);
    return left.cost * (right.cost / left.cost) ** share;
  }
  const last = envelope.at(-1);
  return last !== undefined && last.te < te ? last.cost : null;
}

/** `npm run bench -- coupling [--json] [--days N] [--hours N] [--worth N,N]`; the core must be built. */
export function main(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      days: { type: 'string', default: '1095' },
      hours: { type: 'string', default: '24' },
      worth: { type: 'string', default: '100000,1000000,10000000' },
    },
  });
  const [days, hoursBetween] = [Number(values.days), Number(values.hours)];
  const sizes = values.worth.split(',').map(Number);
  if (![days, hoursBetween, ...sizes].every((n) => Number.isSafeInteger(n) && n > 0)) {
    console.error('usage: npm run bench -- coupling [--json] [--days N] [--hours N] [--worth N,N]');
    return 2;
  }
  const log = (line: string) => console.error(line);
  const reports = sizes.map((worth) => benchCoupling({ days, hoursBetween, worth, log }));
  console.log(values.json ? JSON.stringify({ reports }) : reports.map(couplingText).join('\n\n'));
  return 0;
}

function couplingText(report: CouplingReport): string {
  const number = (value: number | null) => (value === null ? '–' : value.toFixed(2));
  const ratio = ({ value, low, high }: Ratio) =>
    `${number(value)} (${number(low)} … ${number(high)})`;
  const { worth, days, hoursBetween, from, to } = report;
  const lines = report.rows.map(
    ({ te, costBps, overSeparate, overToTarget }) =>
      `| ${100 * te} % | ${number(costBps.joint)} | ${number(costBps.separate)} | ` +
      `${number(costBps.toTarget)} | ${ratio(overSeparate)} | ${ratio(overToTarget)} |`,
  );
  return [
    `${worth.toLocaleString('en-US')} dollars, ${days} days (${from} to ${to}), a decision every ${hoursBetween} hours`,
    '',
    '| tracking error | joint | each chain alone | to target | joint / alone | joint / to target |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
