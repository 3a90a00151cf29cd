// npm run bench -- hedging [--paths N] [--seed N] [--json]
//   What hedging a written call costs at equal hedge error, by rule; docs/hedging.md has the conventions.
// The rivals are read on their lower envelopes over fine grids, on the very paths they are tuned on. Ours
// is the `discrete` rule; nothing of it is fitted to paths, its one knob (γ) runs over a grid like theirs.
// Standard errors are paired: blocks of paths are resampled for all rules at once.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { drawPaths, normals, type RiskGreeks, SETTING } from './hedgingPaths.ts';
import { type Family, type Outcome, runRule } from './hedgingRules.ts';

const PATHS = 8000;
export const SEED = 20_261_121;
const BLOCKS = 200;
const RESAMPLES = 400;
/** Hedge-error standard deviations compared at, share of the premium. */
const LEVELS = [0.05, 0.055, 0.06, 0.07, 0.08, 0.09, 0.1];

const geometric = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => from * (to / from) ** (k / (count - 1)));

export const GRIDS: Readonly<Record<Family, readonly number[]>> = {
  time: [1, 2, 3, 4, 5, 6, 7],
  fixed: [0.0005, ...geometric(0.001, 0.06, 30)],
  whalleyWilmott: geometric(0.006, 3, 14),
  zakamouline: geometric(0.002, 0.3, 12),
  discrete: geometric(0.003, 0.5, 14),
};

/** Which costs count, and which error. */
export interface Convention {
  /** `all`: every trade. `between`: without the first purchase and the final sale. */
  readonly cost: 'all' | 'between';
  /** `net`: of the result after costs. `gross`: before costs. */
  readonly error: 'net' | 'gross';
}

const CONVENTIONS: readonly Convention[] = [
  { cost: 'all', error: 'net' },
  { cost: 'between', error: 'net' },
  { cost: 'all', error: 'gross' },
  { cost: 'between', error: 'gross' },
];

/** Sums over one block of paths, for one rule at one parameter. */
interface BlockSums {
  readonly cost: Float64Array;
  readonly ends: Float64Array;
  readonly net: Float64Array;
  readonly netSquared: Float64Array;
  readonly gross: Float64Array;
  readonly grossSquared: Float64Array;
}

export interface Row {
  readonly family: Family;
  readonly parameter: number;
  readonly meanNet: number;
  readonly stdNet: number;
  readonly stdGross: number;
  readonly meanCost: number;
  readonly meanEnds: number;
  readonly trades: number;
}

export interface Ratio {
  readonly ratio: number;
  readonly standardError: number;
}

export interface Comparison extends Convention {
  /** Standard deviation of the error over the premium. */
  readonly level: number;
  /** Mean cost on each envelope; null: not reached. */
  readonly costs: Readonly<Record<Family, number | null>>;
  /** Ours over theirs; null: one of the two does not reach the level. */
  readonly ratios: Readonly<Record<Exclude<Family, 'discrete'>, Ratio | null>>;
}

export interface HedgingReport {
  readonly paths: number;
  readonly seed: number;
  readonly premium: number;
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
}

export function benchHedging(
  kernel: RiskGreeks,
  { paths: count = PATHS, seed = SEED, grids = GRIDS, log = (_: string) => {} } = {},
): HedgingReport {
  const paths = drawPaths(kernel, count, seed);
  const rows: Row[] = [];
  const sums = new Map<Family, BlockSums[]>();
  for (const family of Object.keys(grids) as Family[]) {
    const ofFamily = grids[family].map((parameter) => {
      const outcome = runRule(kernel, paths, family, parameter);
      const blocks = blockSums(outcome);
      rows.push(rowOf(family, parameter, outcome, blocks, count));
      return blocks;
    });
    sums.set(family, ofFamily);
    log(`${family}: ${ofFamily.length} parameters over ${count} paths`);
  }
  const resamples = resampling(seed + 1);
  const comparisons = CONVENTIONS.flatMap((convention) =>
    LEVELS.map((level) => compare(sums, convention, level, paths.premium, count, resamples)),
  );
  return { paths: count, seed, premium: paths.premium, rows, comparisons };
}

function blockSums({ net, cost, ends }: Outcome): BlockSums {
  const empty = (): Float64Array => new Float64Array(BLOCKS);
  const sums = { cost: empty(), ends: empty(), net: empty(), netSquared: empty() };
  const gross = { gross: empty(), grossSquared: empty() };
  const add = (to: Float64Array, block: number, value: number): void => {
    to[block] = (to[block] ?? 0) + value;
  };
  for (let path = 0; path < net.length; path++) {
    const block = path % BLOCKS;
    const [after, paid] = [net[path] ?? 0, cost[path] ?? 0];
    add(sums.cost, block, paid);
    add(sums.ends, block, ends[path] ?? 0);
    add(sums.net, block, after);
    add(sums.netSquared, block, after ** 2);
    add(gross.gross, block, after + paid);
    add(gross.grossSquared, block, (after + paid) ** 2);
  }
  return { ...sums, ...gross };
}

const total = (of: Float64Array, weights: Float64Array | null): number =>
  weights === null
    ? of.reduce((sum, value) => sum + value, 0)
    : of.reduce((sum, value, block) => sum + value * (weights[block] ?? 0), 0);

function deviation(sum: number, squares: number, count: number): number {
  return Math.sqrt((squares - sum ** 2 / count) / (count - 1));
}

/** Cost and error of one rule under a convention; `weights`: how often each block is drawn. */
function point(
  blocks: BlockSums,
  { cost, error }: Convention,
  count: number,
  weights: Float64Array | null,
): { readonly cost: number; readonly error: number } {
  const paid = total(blocks.cost, weights) - (cost === 'all' ? 0 : total(blocks.ends, weights));
  const [sum, squares] =
    error === 'net'
      ? [total(blocks.net, weights), total(blocks.netSquared, weights)]
      : [total(blocks.gross, weights), total(blocks.grossSquared, weights)];
  return { cost: paid / count, error: deviation(sum, squares, count) };
}

function rowOf(
  family: Family,
  parameter: number,
  { trades }: Outcome,
  blocks: BlockSums,
  count: number,
): Row {
  const of = (error: 'net' | 'gross') => point(blocks, { cost: 'all', error }, count, null);
  return {
    family,
    parameter,
    meanNet: total(blocks.net, null) / count,
    stdNet: of('net').error,
    stdGross: of('gross').error,
    meanCost: of('net').cost,
    meanEnds: total(blocks.ends, null) / count,
    trades,
  };
}

/** Cost on the lower envelope of points at an error: log-log between neighbours; null: not reached. */
export function onEnvelope(
  points: readonly { readonly cost: number; readonly error: number }[],
  error: number,
): number | null {
  const kept: { readonly cost: number; readonly error: number }[] = [];
  for (const next of points.toSorted((a, b) => a.error - b.error || a.cost - b.cost)) {
    if (kept.every((other) => next.cost < other.cost)) kept.push(next);
  }
  const after = kept.findIndex((candidate) => candidate.error >= error);
  const [a, b] = [kept[after - 1], kept[after]];
  if (b?.error === error) return b.cost;
  if (a === undefined || b === undefined) return null;
  const share = Math.log(error / a.error) / Math.log(b.error / a.error);
  return a.cost * (b.cost / a.cost) ** share;
}

/** How often each block is drawn, for every resample. */
function resampling(seed: number): readonly Float64Array[] {
  const normal = normals(seed);
  // A normal's angle is uniform: atan2 of two of them.
  const uniform = (): number => (Math.atan2(normal(), normal()) / Math.PI + 1) / 2;
  return Array.from({ length: RESAMPLES }, () => {
    const weights = new Float64Array(BLOCKS);
    for (let k = 0; k < BLOCKS; k++) {
      const block = Math.min(BLOCKS - 1, Math.floor(uniform() * BLOCKS));
      weights[block] = (weights[block] ?? 0) + 1;
    }
    return weights;
  });
}

function compare(
  sums: ReadonlyMap<Family, readonly BlockSums[]>,
  convention: Convention,
  level: number,
  premium: number,
  count: number,
  resamples: readonly Float64Array[],
): Comparison {
  const costOf = (family: Family, weights: Float64Array | null): number | null =>
    onEnvelope(
      (sums.get(family) ?? []).map((blocks) => point(blocks, convention, count, weights)),
      level * premium,
    );
  const ratioTo = (family: Family): Ratio | null => {
    const [ours, theirs] = [costOf('discrete', null), costOf(family, null)];
    if (ours === null || theirs === null) return null;
    const drawn = resamples.flatMap((weights) => {
      const [a, b] = [costOf('discrete', weights), costOf(family, weights)];
      return a === null || b === null ? [] : [a / b];
    });
    // An error known on some resamples only is not known.
    if (drawn.length < 0.95 * resamples.length) return null;
    const sum = drawn.reduce((all, value) => all + value, 0);
    const squares = drawn.reduce((all, value) => all + value ** 2, 0);
    return { ratio: ours / theirs, standardError: deviation(sum, squares, drawn.length) };
  };
  return {
    ...convention,
    level,
    costs: {
      time: costOf('time', null),
      fixed: costOf('fixed', null),
      whalleyWilmott: costOf('whalleyWilmott', null),
      zakamouline: costOf('zakamouline', null),
      discrete: costOf('discrete', null),
    },
    ratios: {
      time: ratioTo('time'),
      fixed: ratioTo('fixed'),
      whalleyWilmott: ratioTo('whalleyWilmott'),
      zakamouline: ratioTo('zakamouline'),
    },
  };
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      paths: { type: 'string', default: String(PATHS) },
      seed: { type: 'string', default: String(SEED) },
      json: { type: 'boolean', default: false },
    },
  });
  const [paths, seed] = [Number(values.paths), Number(values.seed)];
  if (!(Number.isInteger(paths) && paths >= 2 * BLOCKS && Number.isInteger(seed))) {
    console.error(
      `usage: npm run bench -- hedging [--paths N ≥ ${2 * BLOCKS}] [--seed N] [--json]`,
    );
    return 2;
  }
  const kernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));
  const log = (line: string): void => console.error(`done: ${line}`);
  const report = benchHedging(kernel, { paths, seed, log });
  console.log(values.json ? JSON.stringify(report) : asText(report));
  return 0;
}

const TITLES: Readonly<Record<Convention['cost'] | Convention['error'], string>> = {
  all: 'all costs',
  between: 'costs without the first purchase and the final sale',
  net: 'after costs',
  gross: 'before costs',
};

function asText({ paths, seed, premium, comparisons }: HedgingReport): string {
  const number = (value: number | null): string => (value === null ? '—' : value.toFixed(3));
  const ratio = (of: Ratio | null): string =>
    of === null ? '—' : `${of.ratio.toFixed(4)} ± ${of.standardError.toFixed(4)}`;
  const head =
    '| std, % of premium | time | fixed | WW | Zakamouline | discrete | ÷ fixed | ÷ time | ÷ WW | ÷ Zakamouline |';
  const tables = CONVENTIONS.map(({ cost, error }) => {
    const lines = comparisons
      .filter((one) => one.cost === cost && one.error === error)
      .map(({ level, costs, ratios }) => {
        const cells = [
          (level * 100).toFixed(1),
          number(costs.time),
          number(costs.fixed),
          number(costs.whalleyWilmott),
          number(costs.zakamouline),
          number(costs.discrete),
          ratio(ratios.fixed),
          ratio(ratios.time),
          ratio(ratios.whalleyWilmott),
          ratio(ratios.zakamouline),
        ];
        return `| ${cells.join(' | ')} |`;
      });
    const rule = `|${head.slice(1).replace(/[^|]+/g, '---')}`;
    return `${TITLES[cost]}; std of the result ${TITLES[error]}\n\n${[head, rule, ...lines].join('\n')}`;
  });
  const setting = `${paths} paths, seed ${seed}, ${SETTING.steps} steps, premium ${premium.toFixed(3)}`;
  return `${setting}; mean cost per call written; — not reached\n\n${tables.join('\n\n')}`;
}
